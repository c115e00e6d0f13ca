"""Payloads in messages: where a codec reaches, and where it must not."""

from collections.abc import Sequence

import pytest
from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Header, Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.protocol.v1 import Message as ProtocolMessage
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.update.v1 import Input, Request, Response
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.bridge._visitor import PayloadVisitor
from temporalio.bridge._visitor_functions import PayloadSequence, VisitorFunctions
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

from outlast.converter._visitor import Slots, transform_payloads

PLAIN, ENCODED = Payload(data=b"plain"), Payload(data=b"encoded")


async def _encode(payloads: Sequence[Payload]) -> list[Payload]:
    return [ENCODED for _ in payloads]


def _full(message: Message, depth: int = 0) -> Message:
    """Fill every field of a message that can hold one, one member of each oneof after another being somebody else's affair."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is None or depth > 6:
            continue
        if field.message_type.full_name == "temporal.api.common.v1.Payload":
            value = getattr(message, field.name)
            value.add().CopyFrom(PLAIN) if field.is_repeated else value.CopyFrom(PLAIN)
        elif field.message_type.GetOptions().map_entry:
            item = field.message_type.fields_by_name["value"].message_type
            if item is not None:
                entry = getattr(message, field.name)["key"]
                entry.CopyFrom(PLAIN) if item.full_name.endswith("v1.Payload") else _full(entry, depth + 1)
        elif field.is_repeated:
            _full(getattr(message, field.name).add(), depth + 1)
        elif not field.message_type.full_name.startswith("google.") and field.message_type is not message.DESCRIPTOR:
            getattr(message, field.name).SetInParent()
            _full(getattr(message, field.name), depth + 1)
    return message


class _OfficialEncoding(VisitorFunctions):
    async def visit_payload(self, payload: Payload) -> None:
        payload.CopyFrom(ENCODED)

    async def visit_payloads(self, payloads: PayloadSequence) -> None:
        for payload in payloads:
            payload.CopyFrom(ENCODED)


def _variants(name: str) -> list[Message]:
    """Every activation job, or every command of a completion, filled to the brim."""
    if name == "activation":
        jobs = WorkflowActivationJob.DESCRIPTOR.oneofs_by_name["variant"].fields
        activations = []
        for field in jobs:
            job = WorkflowActivationJob()
            getattr(job, field.name).SetInParent()
            _full(getattr(job, field.name))
            activations.append(WorkflowActivation(jobs=[job]))
        return list(activations)
    completion = WorkflowActivationCompletion()
    command = completion.successful.commands.add()
    completions: list[Message] = []
    for field in command.DESCRIPTOR.oneofs_by_name["variant"].fields:
        variant = WorkflowActivationCompletion()
        command = variant.successful.commands.add()
        getattr(command, field.name).SetInParent()
        _full(getattr(command, field.name))
        _full(command.user_metadata)
        completions.append(variant)
    return completions


@pytest.mark.parametrize("name", ["activation", "completion"])
async def test_the_payloads_of_jobs_and_commands_are_those_that_the_official_visitor_finds(name: str) -> None:
    for message in _variants(name):
        expected = type(message).FromString(message.SerializeToString())

        await transform_payloads(message, _encode)
        await PayloadVisitor(skip_search_attributes=True).visit(_OfficialEncoding(), expected)

        assert message == expected


async def test_a_start_request_is_encoded_but_for_its_search_attributes() -> None:
    request = StartWorkflowExecutionRequest(
        input=Payloads(payloads=[PLAIN, PLAIN]),
        user_metadata=UserMetadata(summary=PLAIN),
        header=Header(fields={"h": PLAIN}),
        workflow_id="w",
    )
    request.memo.fields["m"].CopyFrom(PLAIN)
    request.search_attributes.indexed_fields["s"].CopyFrom(PLAIN)

    await transform_payloads(request, _encode)

    assert list(request.input.payloads) == [ENCODED, ENCODED]
    assert request.user_metadata.summary == request.header.fields["h"] == request.memo.fields["m"] == ENCODED
    assert request.search_attributes.indexed_fields["s"] == PLAIN
    assert not request.HasField("last_completion_result")


async def test_headers_are_left_alone_on_request() -> None:
    command = Command()
    attributes = command.schedule_activity_task_command_attributes
    attributes.header.fields["h"].CopyFrom(PLAIN)
    attributes.input.payloads.append(PLAIN)

    await transform_payloads(command, _encode, headers=False)

    assert attributes.header.fields["h"] == PLAIN
    assert list(attributes.input.payloads) == [ENCODED]


async def test_events_are_reached_through_a_history_and_failures_through_their_causes() -> None:
    event = HistoryEvent(event_id=1)
    failure = event.activity_task_failed_event_attributes.failure
    failure.cause.application_failure_info.details.payloads.append(PLAIN)
    failure.cause.cause.encoded_attributes.CopyFrom(PLAIN)
    poll = PollWorkflowTaskQueueResponse(history=History(events=[event]))

    await transform_payloads(poll, _encode)

    failure = poll.history.events[0].activity_task_failed_event_attributes.failure
    assert list(failure.cause.application_failure_info.details.payloads) == [ENCODED]
    assert failure.cause.cause.encoded_attributes == ENCODED


async def test_update_messages_are_opened_and_closed_again() -> None:
    request = Request(input=Input(name="u", args=Payloads(payloads=[PLAIN]), header=Header(fields={"h": PLAIN})))
    incoming, outgoing = ProtocolMessage(id="1"), ProtocolMessage(id="2")
    incoming.body.Pack(request)
    outgoing.body.Pack(Response())
    untouched = outgoing.SerializeToString()

    await transform_payloads(RespondWorkflowTaskCompletedRequest(messages=[outgoing]), _encode)
    await transform_payloads(incoming, _encode, headers=False)

    opened = Request()
    assert incoming.body.Unpack(opened)
    assert list(opened.input.args.payloads) == [ENCODED]
    assert opened.input.header.fields["h"] == PLAIN
    assert outgoing.SerializeToString() == untouched


async def test_a_list_of_payloads_is_transformed_at_once_and_may_become_shorter() -> None:
    calls: list[int] = []

    async def join(payloads: Sequence[Payload]) -> list[Payload]:
        calls.append(len(payloads))
        return [Payload(data=b"+".join(payload.data for payload in payloads))]

    failure = Failure()
    failure.application_failure_info.details.payloads.extend([PLAIN, PLAIN])
    failure.encoded_attributes.CopyFrom(PLAIN)

    await transform_payloads(failure, join)

    assert sorted(calls) == [1, 2]
    assert [payload.data for payload in failure.application_failure_info.details.payloads] == [b"plain+plain"]


async def test_where_there_is_nothing_nothing_is_called_and_nothing_is_set() -> None:
    async def refuse(payloads: Sequence[Payload]) -> list[Payload]:
        raise AssertionError(payloads)

    for message in (PollWorkflowTaskQueueResponse(), DescribeWorkflowExecutionResponse(), Failure(message="m"), Command()):
        before = message.SerializeToString()
        await transform_payloads(message, refuse)
        assert message.SerializeToString() == before


async def test_places_can_be_gathered_from_several_messages() -> None:
    first, second = Header(fields={"a": PLAIN}), Failure(encoded_attributes=PLAIN)
    slots = Slots()

    slots.find(first)
    slots.find(second)
    await slots.fill(_encode)

    assert first.fields["a"] == second.encoded_attributes == ENCODED
