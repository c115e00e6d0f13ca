"""Codecs of workflow tasks: what is encoded, what is not, and in which context."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError
from outlast.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.exceptions import ApplicationError
from outlast.worker import Worker
from outlast.worker._codec import Activities, WorkflowCodec


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
    return WorkflowCodec(replace(DataConverter.default, payload_codec=Marking()), "default", "queue", headers)


async def test_commands_are_encoded_in_the_context_of_what_they_are_for() -> None:
    activity, child, complete = Command(), Command(), Command()
    activity.schedule_activity_task_command_attributes.activity_id = "act"
    activity.schedule_activity_task_command_attributes.input.payloads.add(data=b"in")
    child.start_child_workflow_execution_command_attributes.workflow_id = "child"
    child.start_child_workflow_execution_command_attributes.input.payloads.add(data=b"in")
    complete.complete_workflow_execution_command_attributes.result.payloads.add(data=b"out")

    await codec().encode("wf", "Wf", [activity, child, complete], [])

    assert activity.schedule_activity_task_command_attributes.input.payloads[0].data == b"e:act:in"
    assert child.start_child_workflow_execution_command_attributes.input.payloads[0].data == b"e:child:in"
    assert complete.complete_workflow_execution_command_attributes.result.payloads[0].data == b"e:wf:out"


MARK = b'{"activity_id":"local","activity_type":"act"}'


async def test_of_markers_only_what_came_of_a_local_activity_is_encoded_and_in_its_context() -> None:
    command, event, patch = Command(), HistoryEvent(), HistoryEvent()
    command.record_marker_command_attributes.marker_name = event.marker_recorded_event_attributes.marker_name = "core_local_activity"
    for details in (command.record_marker_command_attributes.details, event.marker_recorded_event_attributes.details):
        details["data"].payloads.add(data=MARK)
        details["result"].payloads.add(data=b"result")
    command.user_metadata.summary.data = b"summary"
    patch.marker_recorded_event_attributes.marker_name = "core_patch"
    patch.marker_recorded_event_attributes.details["patch_id"].payloads.add(data=b"patch")

    await codec().encode("wf", "Wf", [command], [])
    await codec().decode("wf", "Wf", [event, patch], [], {})

    encoded, decoded = command.record_marker_command_attributes.details, event.marker_recorded_event_attributes.details
    assert [encoded[key].payloads[0].data for key in ("data", "result")] == [MARK, b"e:local:result"]
    assert [decoded[key].payloads[0].data for key in ("data", "result")] == [MARK, b"d:local:result"]
    assert command.user_metadata.summary.data == b"e:wf:summary"
    assert patch.marker_recorded_event_attributes.details["patch_id"].payloads[0].data == b"patch"


async def test_events_are_decoded_in_the_context_of_what_they_came_from_and_only_those_that_code_learns_of() -> None:
    events = [HistoryEvent(event_id=number) for number in range(1, 8)]
    started, scheduled, completed, child, failed, result, initiated = events
    started.workflow_execution_started_event_attributes.input.payloads.add(data=b"in")
    scheduled.activity_task_scheduled_event_attributes.activity_id = "act"
    scheduled.activity_task_scheduled_event_attributes.input.payloads.add(data=b"in")
    completed.activity_task_completed_event_attributes.scheduled_event_id = 2
    completed.activity_task_completed_event_attributes.result.payloads.add(data=b"out")
    child.child_workflow_execution_completed_event_attributes.workflow_execution.workflow_id = "child"
    child.child_workflow_execution_completed_event_attributes.result.payloads.add(data=b"out")
    failed.activity_task_failed_event_attributes.scheduled_event_id = 2
    failed.activity_task_failed_event_attributes.failure.encoded_attributes.data = b"failure"
    result.workflow_execution_completed_event_attributes.result.payloads.add(data=b"end")
    initiated.start_child_workflow_execution_initiated_event_attributes.input.payloads.add(data=b"in")

    activities: Activities = {}
    await codec().decode("wf", "Wf", events[:2], [], activities)
    await codec().decode("wf", "Wf", events[2:], [], activities)

    assert started.workflow_execution_started_event_attributes.input.payloads[0].data == b"d:wf:in"
    assert scheduled.activity_task_scheduled_event_attributes.input.payloads[0].data == b"in"
    assert completed.activity_task_completed_event_attributes.result.payloads[0].data == b"d:act:out"
    assert child.child_workflow_execution_completed_event_attributes.result.payloads[0].data == b"d:child:out"
    assert failed.activity_task_failed_event_attributes.failure.encoded_attributes.data == b"d:act:failure"
    assert result.workflow_execution_completed_event_attributes.result.payloads[0].data == b"end"
    assert initiated.start_child_workflow_execution_initiated_event_attributes.input.payloads[0].data == b"in"
    assert activities[2] == ActivitySerializationContext("default", "act", "", "", "wf", "Wf", is_local=False)


async def test_headers_are_encoded_only_where_that_is_wanted() -> None:
    results = []
    for headers in (False, True):
        command = Command()
        command.schedule_activity_task_command_attributes.activity_id = "act"
        command.schedule_activity_task_command_attributes.header.fields["key"].data = b"value"
        await codec(headers).encode("wf", "Wf", [command], [])
        results.append(command.schedule_activity_task_command_attributes.header.fields["key"].data)

    assert results == [b"value", b"e:act:value"]


class Hiding(PayloadCodec):
    """Nothing can be read without it."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"hidden"}, data=each.SerializeToString()[::-1]) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert all(each.metadata["encoding"] == b"hidden" for each in payloads)
        return [Payload.FromString(each.data[::-1]) for each in payloads]


@activity.defn
async def shout(word: str) -> str:
    if activity.info().attempt == 1:
        activity.heartbeat(f"secret of {word}")
        raise ApplicationError("secret failure", "secret detail")
    return f"{word}! {activity.info().heartbeat_details[0]}"


@activity.defn
async def murmur(word: str) -> str:
    return f"({word})"


@workflow.defn
class Secretive:
    """Passes a secret on in every way there is."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, word: str) -> str:
        await workflow.wait_condition(lambda: len(self.words) == 2)
        workflow.upsert_memo({"memo": "secret memo"})
        shouted = await workflow.execute_activity(shout, word, start_to_close_timeout=timedelta(seconds=10), summary="secret summary")
        murmured = await workflow.execute_local_activity(murmur, word, start_to_close_timeout=timedelta(seconds=10))
        patched = workflow.patched("patch")
        child = await workflow.execute_child_workflow(Secret.run, word, id=f"{workflow.info().workflow_id}-child")
        return f"{shouted} {murmured} {child} {patched} {self.words}"

    @workflow.signal
    def add(self, word: str) -> None:
        self.words.append(word)

    @workflow.update
    def put(self, word: str) -> str:
        self.words.append(word)
        return f"put {word}"

    @workflow.query
    def count(self, word: str) -> str:
        return f"{self.words.count(word)} {word}"


@workflow.defn
class Secret:
    @workflow.run
    async def run(self, word: str) -> str:
        return f"child of {word}"


async def test_with_a_codec_everything_works_and_nothing_can_be_read(client: Client, queue: str) -> None:
    coding = Client(
        client.service_client, namespace=client.namespace, data_converter=replace(DataConverter.default, payload_codec=Hiding())
    )
    async with Worker(coding, task_queue=queue, workflows=[Secretive, Secret], activities=[shout, murmur]):
        handle = await coding.start_workflow(Secretive.run, "secret", id="wf", task_queue=queue, memo={"first": "secret"})
        await handle.signal(Secretive.add, "secret signal")
        counted = await handle.query(Secretive.count, "secret signal")
        put = await handle.execute_update(Secretive.put, "secret update")
        result = await handle.result()
    async with Worker(coding, task_queue=queue, workflows=[Secretive, Secret], activities=[shout, murmur]):
        replayed = await handle.query(Secretive.count, "secret update")
    history = await handle.fetch_history()

    assert (counted, put, replayed) == ("1 secret signal", "put secret update", "1 secret update")
    assert result == "secret! secret of secret (secret) child of secret True ['secret signal', 'secret update']"
    readable = [event for event in history.events if b"secret" in event.SerializeToString()]
    assert [EventType.Name(event.event_type) for event in readable] == ["EVENT_TYPE_ACTIVITY_TASK_STARTED"], readable
    assert readable[0].activity_task_started_event_attributes.last_failure.message == "secret failure"


class Failing(PayloadCodec):
    """Fails the first time in one direction, with an error that a test chooses."""

    def __init__(self, direction: str, error: Exception) -> None:
        self._direction = direction
        self._error: Exception | None = error

    def _fail(self, direction: str) -> None:
        error = self._error
        if direction == self._direction and error is not None:
            self._error = None
            raise error

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self._fail("encode")
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self._fail("decode")
        return list(payloads)


@pytest.mark.parametrize(("direction", "message"), [("decode", "out of order"), ("encode", "Failed encoding completion: out of order")])
async def test_a_codec_that_fails_fails_the_task_and_not_the_workflow(client: Client, queue: str, direction: str, message: str) -> None:
    handle = await client.start_workflow(Secret.run, "x", id="wf", task_queue=queue)
    codec = Failing(direction, RuntimeError("out of order"))
    coding = Client(client.service_client, namespace=client.namespace, data_converter=replace(DataConverter.default, payload_codec=codec))
    async with Worker(coding, task_queue=queue, workflows=[Secret]):
        assert await handle.result() == "child of x"

    events = (await handle.fetch_history()).events
    [failed] = [each for each in events if each.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]
    assert failed.workflow_task_failed_event_attributes.failure.message == message


async def test_a_codec_that_says_so_fails_the_workflow(client: Client, queue: str) -> None:
    handle = await client.start_workflow(Secret.run, "x", id="wf", task_queue=queue)
    codec = Failing("decode", ApplicationError("the key is gone", non_retryable=True))
    coding = Client(client.service_client, namespace=client.namespace, data_converter=replace(DataConverter.default, payload_codec=codec))
    async with Worker(coding, task_queue=queue, workflows=[Secret]):
        with pytest.raises(WorkflowFailureError) as error:
            await handle.result()

    assert str(error.value.cause) == "the key is gone"
