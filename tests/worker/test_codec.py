"""Codecs of workflow tasks: what is encoded, what is not, and in which context."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent

from outlast.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.worker._codec import WorkflowCodec


@dataclass
class Marking(PayloadCodec, WithSerializationContext):
    """Puts an "e:" before what it encodes, with what it knows of the context."""

    about: str = ""

    def with_context(self, context: SerializationContext) -> "Marking":
        match context:
            case WorkflowSerializationContext(_, workflow_id):
                return Marking(f"{workflow_id}:")
            case ActivitySerializationContext(activity_id=activity_id):
                return Marking(f"{activity_id}:")
            case _:
                raise AssertionError(context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(data=b"e:" + self.about.encode() + payload.data) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(data=b"d:" + self.about.encode() + payload.data) for payload in payloads]


def codec(headers: bool = False) -> WorkflowCodec:
    return WorkflowCodec(replace(DataConverter.default, payload_codec=Marking()), "default", headers)


async def test_commands_are_encoded_in_the_context_of_what_they_are_for() -> None:
    activity, child, complete = Command(), Command(), Command()
    activity.schedule_activity_task_command_attributes.activity_id = "act"
    activity.schedule_activity_task_command_attributes.input.payloads.add(data=b"in")
    child.start_child_workflow_execution_command_attributes.workflow_id = "child"
    child.start_child_workflow_execution_command_attributes.input.payloads.add(data=b"in")
    complete.complete_workflow_execution_command_attributes.result.payloads.add(data=b"out")

    await codec().encode("wf", [activity, child, complete], [])

    assert activity.schedule_activity_task_command_attributes.input.payloads[0].data == b"e:act:in"
    assert child.start_child_workflow_execution_command_attributes.input.payloads[0].data == b"e:child:in"
    assert complete.complete_workflow_execution_command_attributes.result.payloads[0].data == b"e:wf:out"


async def test_what_the_sdk_writes_into_markers_for_itself_is_never_encoded() -> None:
    command, event = Command(), HistoryEvent()
    for details in (command.record_marker_command_attributes.details, event.marker_recorded_event_attributes.details):
        for key in ("data", "patch-data", "result"):
            details[key].payloads.add(data=key.encode())

    await codec().encode("wf", [command], [])
    await codec().decode("wf", [event], [])

    encoded, decoded = command.record_marker_command_attributes.details, event.marker_recorded_event_attributes.details
    assert [encoded[key].payloads[0].data for key in ("data", "patch-data", "result")] == [b"data", b"patch-data", b"e:wf:result"]
    assert [decoded[key].payloads[0].data for key in ("data", "patch-data", "result")] == [b"data", b"patch-data", b"d:wf:result"]


async def test_headers_are_encoded_only_where_that_is_wanted() -> None:
    results = []
    for headers in (False, True):
        command = Command()
        command.schedule_activity_task_command_attributes.activity_id = "act"
        command.schedule_activity_task_command_attributes.header.fields["key"].data = b"value"
        await codec(headers).encode("wf", [command], [])
        results.append(command.schedule_activity_task_command_attributes.header.fields["key"].data)

    assert results == [b"value", b"e:act:value"]
