"""Bad timing at the wire: polls that leave, answers that come twice or too late, and a stop in the middle of everything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType as C
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RecordActivityTaskHeartbeatRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from outlast.server.handover import Poller, QueueName
from outlast.server.matching.matching import Matching
from outlast.server.node import Node, NodeSettings
from outlast.server.store.sqlite import SqliteStore
from tests.faults.stores import FaultyStore, node_with
from tests.faults.wire import COMPLETED, GONE, NAMESPACE, Wire, closed, connect, flaws, kinds, shown, until
from tests.oracle.values import payloads, retry, seconds

QUEUE = "bad-timing"
POLLS = 200
WORKFLOWS = 120
FAR_S = 600
"""A timeout that nobody waits for: what was swallowed would stay away for good."""
SEED = 1


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> FaultyStore:
    return FaultyStore(SqliteStore(tmp_path / "outlast.db"))


@pytest_asyncio.fixture
async def node(monkeypatch: pytest.MonkeyPatch, store: FaultyStore) -> AsyncIterator[Node]:
    running = node_with(monkeypatch, store)
    await running.start()
    yield running
    store.gate.set()
    store.drop()
    await running.stop()


@pytest_asyncio.fixture
async def wire(node: Node) -> AsyncIterator[Wire]:
    async with connect(node.address) as channel:
        yield Wire(channel)


# Requests


def _start(workflow_id: str) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace=NAMESPACE,
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name="one activity"),
        task_queue=TaskQueue(name=QUEUE),
        workflow_task_timeout=seconds(100),
        request_id=f"start-{workflow_id}",
    )


def _signal(workflow_id: str, number: int) -> SignalWorkflowExecutionRequest:
    return SignalWorkflowExecutionRequest(
        namespace=NAMESPACE,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        signal_name="number",
        input=payloads(number),
        request_id=f"signal-{number}",
    )


def _poll(method: str) -> Any:
    kind = PollWorkflowTaskQueueRequest if method == "PollWorkflowTaskQueue" else PollActivityTaskQueueRequest
    return kind(namespace=NAMESPACE, task_queue=TaskQueue(name=QUEUE), identity="worker")


def _schedule() -> Command:
    command = Command(command_type=C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = "activity"
    attributes.activity_type.name = "activity"
    attributes.task_queue.name = QUEUE
    attributes.start_to_close_timeout.CopyFrom(seconds(FAR_S))
    attributes.retry_policy.CopyFrom(retry(attempts=1))
    return command


def _complete(result: str = "done") -> Command:
    command = Command(command_type=C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    command.complete_workflow_execution_command_attributes.result.CopyFrom(payloads(result))
    return command


def _workflow_answer(task: Any, *commands: Command) -> RespondWorkflowTaskCompletedRequest:
    return RespondWorkflowTaskCompletedRequest(task_token=task.task_token, commands=commands, identity="worker")


def _activity_answer(task: Any) -> RespondActivityTaskCompletedRequest:
    return RespondActivityTaskCompletedRequest(task_token=task.task_token, result=payloads("done"), identity="worker")


async def _answer(wire: Wire, method: str, task: Any) -> None:
    """What the one workflow of these tests does: an activity, then the end."""
    if method == "PollActivityTaskQueue":
        await wire.call("RespondActivityTaskCompleted", _activity_answer(task))
        return
    done = "ACTIVITY_TASK_COMPLETED" in kinds(task.history.events)
    await wire.call("RespondWorkflowTaskCompleted", _workflow_answer(task, _complete() if done else _schedule()))


# Polls that leave


@dataclass
class Polls:
    """Polls that are cancelled after a random while, and some that are not."""

    wire: Wire
    random: Random
    handed_out: int = 0
    cancelled: int = 0
    answered: set[str] = field(default_factory=set)
    """Request ids of the polls that the server has answered with a task: it knew of no cancellation then."""

    def watch(self, matching: Matching[Any, Any]) -> None:
        poll = matching.poll

        async def watched(queue: QueueName, poller: Poller, deadline_s: float) -> Any:
            task = await poll(queue, poller, deadline_s)
            if task is not None:
                self.answered.add(poller.request_id)
            return task

        matching.poll = watched  # type: ignore[method-assign]

    async def impatient(self, method: str) -> None:
        call = self.wire.begin(method, _poll(method), 30)
        await asyncio.sleep(self.random.choice((0, self.random.uniform(0, 0.004), self.random.uniform(0, 0.03))))
        if not call.done():
            call.cancel()
        try:
            task = await call
        except asyncio.CancelledError:
            self.cancelled += 1
            return
        if task.task_token:
            self.handed_out += 1
            await _answer(self.wire, method, task)

    async def patient(self, method: str) -> None:
        while True:
            task = await self.wire.call(method, _poll(method), 30)
            if task.task_token:
                await _answer(self.wire, method, task)


@pytest.mark.parametrize("delay_s", [0, 0.005], ids=["fast store", "slow store"])
async def test_a_poll_that_leaves_takes_no_task_along(node: Node, store: FaultyStore, delay_s: float) -> None:
    """Unless the task was on its way already: an answer that crosses the cancellation on the wire is lost, whatever a server does."""
    random = Random(SEED)
    store.delay_s = lambda: random.uniform(0, delay_s)
    async with connect(node.address) as channel, connect(node.address) as other:
        wire, polls = Wire(other), Polls(Wire(channel), random)
        polls.watch(node._matching)
        starting = asyncio.create_task(_start_slowly(wire, random))

        for _ in range(POLLS // 8):
            methods = [random.choice(("PollWorkflowTaskQueue", "PollActivityTaskQueue")) for _ in range(8)]
            await asyncio.gather(*(polls.impatient(method) for method in methods))
        await starting
        assert polls.cancelled > POLLS / 10, "hardly any poll left early"

        patient = [asyncio.create_task(polls.patient(m)) for m in ("PollWorkflowTaskQueue", "PollActivityTaskQueue") for _ in range(2)]
        try:
            await until(lambda: _all_handed_out(node, polls), "every task is handed out", 15, pause_s=0.1)
        finally:
            for task in patient:
                task.cancel()
            await asyncio.gather(*patient, return_exceptions=True)
        lost = await _check(wire, [f"wf-{n}" for n in range(WORKFLOWS)])
        print(f"{polls.cancelled} polls cancelled, {polls.handed_out} not; {lost} tasks crossed the cancellation")


async def _all_handed_out(node: Node, polls: Polls) -> bool:
    """Each workflow has ended, or its task was sent to a poll that the server believed to be there."""
    for entity in list(node._shard._entities.values()):
        run = entity.execution.run
        if run.open:
            takers = [a.request_id if a.started_time else "" for a in entity.execution.activities.values()]
            if run.workflow_task is not None:
                takers.append(run.workflow_task.request_id if run.workflow_task.started else "")
            if not takers or not set(takers) <= polls.answered:
                return False
    return True


async def _start_slowly(wire: Wire, random: Random) -> None:
    for number in range(WORKFLOWS):
        await wire.call("StartWorkflowExecution", _start(f"wf-{number}"))
        await asyncio.sleep(random.uniform(0, 0.008))


async def _check(wire: Wire, workflow_ids: list[str]) -> int:
    """How many have not ended. Raises AssertionError when a task was waited for until its timeout."""
    unfinished = 0
    for workflow_id in workflow_ids:
        events = await wire.history(workflow_id)
        assert not flaws(workflow_id, events)
        assert not {"WORKFLOW_TASK_TIMED_OUT", "ACTIVITY_TASK_TIMED_OUT"} & set(kinds(events)), shown(events)
        unfinished += not closed(events)
    return unfinished


async def test_a_client_that_dies_while_it_polls_takes_no_task_along(node: Node, wire: Wire) -> None:
    for method in ("PollWorkflowTaskQueue", "PollActivityTaskQueue") * 3:
        dying = connect(node.address)
        waiting = asyncio.gather(*(Wire(dying).call(method, _poll(method), 60) for _ in range(5)), return_exceptions=True)
        await asyncio.sleep(0.05)
        await dying.close()
        await waiting
    await asyncio.sleep(0.1)

    await wire.call("StartWorkflowExecution", _start("wf"))
    for method in ("PollWorkflowTaskQueue", "PollActivityTaskQueue", "PollWorkflowTaskQueue"):
        task = await wire.call(method, _poll(method), 5)
        assert task.task_token, "the task is with a client that has gone"
        await _answer(wire, method, task)

    assert await wire.status("wf") == COMPLETED


# Answers that come twice or too late


async def _codes(*calls: Any) -> list[str]:
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return sorted(a.code().name if isinstance(a, grpc.aio.AioRpcError) else "OK" for a in answers)


async def test_of_two_answers_to_a_workflow_task_one_counts(node: Node, wire: Wire) -> None:
    for number in range(20):
        workflow_id = f"wf-{number}"
        await wire.call("StartWorkflowExecution", _start(workflow_id))
        task = await wire.call("PollWorkflowTaskQueue", _poll("PollWorkflowTaskQueue"), 10)
        async with connect(node.address) as channel:
            answers = [_workflow_answer(task, _complete(name)) for name in ("one", "other")]
            calls = [wire.call("RespondWorkflowTaskCompleted", answers[0]), Wire(channel).call("RespondWorkflowTaskCompleted", answers[1])]
            assert await _codes(*calls) == ["NOT_FOUND", "OK"]
            assert await _codes(wire.call("RespondWorkflowTaskCompleted", answers[0])) == ["NOT_FOUND"]
        events = await wire.history(workflow_id)
        assert not flaws(workflow_id, events)
        assert kinds(events).count("WORKFLOW_EXECUTION_COMPLETED") == 1


async def _activity(wire: Wire, workflow_id: str) -> Any:
    """An activity task of a new workflow."""
    await wire.call("StartWorkflowExecution", _start(workflow_id))
    task = await wire.call("PollWorkflowTaskQueue", _poll("PollWorkflowTaskQueue"), 10)
    await _answer(wire, "PollWorkflowTaskQueue", task)
    return await wire.call("PollActivityTaskQueue", _poll("PollActivityTaskQueue"), 10)


def _failed(task: Any) -> RespondActivityTaskFailedRequest:
    failure = Failure(message="no", application_failure_info=ApplicationFailureInfo(type="No"))
    return RespondActivityTaskFailedRequest(task_token=task.task_token, failure=failure, identity="worker")


async def test_of_two_answers_to_an_activity_one_counts(node: Node, wire: Wire) -> None:
    for number in range(20):
        workflow_id = f"wf-{number}"
        task = await _activity(wire, workflow_id)
        async with connect(node.address) as channel:
            calls = [
                wire.call("RespondActivityTaskCompleted", _activity_answer(task)),
                Wire(channel).call("RespondActivityTaskFailed", _failed(task)),
            ]
            assert await _codes(*calls) == ["NOT_FOUND", "OK"]
        events = await wire.history(workflow_id)
        assert not flaws(workflow_id, events)
        assert kinds(events).count("ACTIVITY_TASK_COMPLETED") + kinds(events).count("ACTIVITY_TASK_FAILED") == 1
        await wire.call("TerminateWorkflowExecution", _terminate(workflow_id))


def _terminate(workflow_id: str) -> TerminateWorkflowExecutionRequest:
    return TerminateWorkflowExecutionRequest(namespace=NAMESPACE, workflow_execution=WorkflowExecution(workflow_id=workflow_id))


async def test_a_heartbeat_after_the_end_is_refused_and_changes_nothing(wire: Wire) -> None:
    answered, orphaned = await _activity(wire, "answered"), await _activity(wire, "terminated")
    await wire.call("RespondActivityTaskCompleted", _activity_answer(answered))
    await wire.call("TerminateWorkflowExecution", _terminate("terminated"))
    before = [await wire.history(name) for name in ("answered", "terminated")]

    for task in (answered, orphaned):
        beat = RecordActivityTaskHeartbeatRequest(task_token=task.task_token, details=payloads(1), identity="worker")
        assert await _codes(*(wire.call("RecordActivityTaskHeartbeat", beat) for _ in range(3))) == ["NOT_FOUND"] * 3
    assert await _codes(wire.call("RespondActivityTaskCompleted", _activity_answer(orphaned))) == ["NOT_FOUND"]

    assert [await wire.history(name) for name in ("answered", "terminated")] == before
    assert not flaws("terminated", before[1])


# What is not durable is not seen


async def _hold_two_commits(store: FaultyStore, first: Any, read: Any, second: Any) -> Any:
    """`read` comes while the commit of `first` is under way, then `second`; what is read when only the first has landed.

    Returns the reply, or None when it waits for the second commit as well.
    """
    store.gate.clear()
    pending = [asyncio.ensure_future(first)]
    await asyncio.wait_for(store.waiting.wait(), 5)
    reading = asyncio.ensure_future(read)
    await asyncio.sleep(0.1)
    pending.append(asyncio.ensure_future(second))
    await asyncio.sleep(0.1)
    store.let_one_through()
    await asyncio.wait_for(pending[0], 5)
    await asyncio.wait([reading], timeout=0.5)
    reply = reading.result() if reading.done() else None
    store.gate.set()
    await asyncio.gather(reading, *pending)
    return reply


async def test_a_history_shows_no_event_that_may_still_be_lost(wire: Wire, store: FaultyStore) -> None:
    await wire.call("StartWorkflowExecution", _start("wf"))

    one, two = (wire.call("SignalWorkflowExecution", _signal("wf", number)) for number in (1, 2))
    events = await _hold_two_commits(store, one, wire.history("wf"), two)

    assert events is None or kinds(events).count("WORKFLOW_EXECUTION_SIGNALED") <= 1


async def test_a_client_hears_of_no_end_that_may_still_be_lost(wire: Wire, store: FaultyStore) -> None:
    await wire.call("StartWorkflowExecution", _start("wf"))
    wait = GetWorkflowExecutionHistoryRequest(
        namespace=NAMESPACE,
        execution=WorkflowExecution(workflow_id="wf"),
        wait_new_event=True,
        history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
    )

    signal = wire.call("SignalWorkflowExecution", _signal("wf", 1))
    end = wire.call("TerminateWorkflowExecution", _terminate("wf"))
    reply = await _hold_two_commits(store, signal, wire.call("GetWorkflowExecutionHistory", wait, 10), end)

    assert reply is None or not closed(reply.history.events)


# A stop in the middle of everything


async def test_a_stop_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    random = Random(SEED)
    started: list[str] = []
    signalled: dict[str, list[int]] = {}
    path = str(tmp_path / "stop.db")
    for life in range(5):
        node = Node(NodeSettings(port=0, db_filename=path))
        await node.start()
        async with connect(node.address) as channel:
            busy = [asyncio.create_task(_keep_busy(Wire(channel), f"{life}-{n}", started, signalled)) for n in range(6)]
            busy += [asyncio.create_task(_keep_working(Wire(channel), m)) for m in ("PollWorkflowTaskQueue", "PollActivityTaskQueue") * 2]
            await asyncio.sleep(random.uniform(0.1, 0.5))
            begun = time.monotonic()
            await node.stop()
            assert time.monotonic() - begun < 4
            await asyncio.wait_for(asyncio.gather(*busy), 10)
    node = Node(NodeSettings(port=0, db_filename=path))
    await node.start()
    async with connect(node.address) as channel:
        wire = Wire(channel)
        assert len(started) > 20
        for workflow_id in started:
            events = await wire.history(workflow_id)
            assert not flaws(workflow_id, events)
            attributes = [e.workflow_execution_signaled_event_attributes for e in events if kinds([e]) == ["WORKFLOW_EXECUTION_SIGNALED"]]
            numbers = [int(a.input.payloads[0].data) for a in attributes]
            assert set(signalled.get(workflow_id, [])) <= set(numbers), f"{workflow_id}\n{shown(events)}"
            assert len(set(numbers)) == len(numbers)
    await node.stop()


async def _keep_busy(wire: Wire, name: str, started: list[str], signalled: dict[str, list[int]]) -> None:
    """Start and signal until the server is gone; remember what was acknowledged."""
    try:
        for number in range(10_000):
            workflow_id = f"wf-{name}-{number}"
            await wire.call("StartWorkflowExecution", _start(workflow_id))
            started.append(workflow_id)
            for signal in range(2):
                await wire.call("SignalWorkflowExecution", _signal(workflow_id, signal))
                signalled.setdefault(workflow_id, []).append(signal)
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:  # it has completed meanwhile
            await _keep_busy(wire, name + "'", started, signalled)
        else:
            assert error.code() in GONE, error


async def _keep_working(wire: Wire, method: str) -> None:
    try:
        while True:
            task = await wire.call(method, _poll(method), 30)
            if task.task_token:
                await _answer(wire, method, task)
    except grpc.aio.AioRpcError as error:
        assert error.code() in (*GONE, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT), error
