"""A small scenario over the raw wire, driven so that it can be taken up again at any point, by anybody.

Workflow code is a pure function of the history, requests have fixed ids, and everything happens one after the other,
so that there is one right history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc.aio
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import ActivityType, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType as C
from temporalio.api.enums.v1 import EventType as E
from temporalio.api.enums.v1 import WorkflowIdReusePolicy
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

from tests.faults.wire import NAMESPACE, Wire, connect, kind, kinds, until
from tests.oracle.values import payloads, retry, seconds

QUEUE, PARENT, CHILD = "every-commit", "parent", "child"
ATTEMPT_S = 0.4
TASK_S = 1.0
POLL_S = 10.0
SCENARIO_S_MAX = 30.0
_PAUSE_S = 0.02


# The workflows


def decide(workflow_type: str, events: Sequence[HistoryEvent]) -> list[Command]:
    """The next commands; none when there is something to wait for."""
    seen = set(kinds(events))
    if workflow_type == CHILD:
        return _child(seen)
    if events[0].workflow_execution_started_event_attributes.continued_execution_run_id:
        return [_complete("the end")]
    return _parent(seen)


def _parent(seen: set[str]) -> list[Command]:
    """Activity, timer, child and a message to it, a signal from outside, continue as new."""
    steps = (
        ("ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_COMPLETED", _activity("first")),
        ("TIMER_STARTED", "TIMER_FIRED", _timer()),
        ("START_CHILD_WORKFLOW_EXECUTION_INITIATED", "CHILD_WORKFLOW_EXECUTION_STARTED", _start_child()),
        ("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED", "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED", _tell_child()),
    )
    for begun, ended, command in steps:
        if begun not in seen:
            return [command]
        if ended not in seen:
            return []
    if "CHILD_WORKFLOW_EXECUTION_COMPLETED" not in seen or "WORKFLOW_EXECUTION_SIGNALED" not in seen:
        return []
    return [_continue_as_new()]


def _child(seen: set[str]) -> list[Command]:
    """A signal from the parent, a timer (so that the parent hears of its signal first), an activity."""
    if "WORKFLOW_EXECUTION_SIGNALED" not in seen:
        return []
    for begun, ended, command in (
        ("TIMER_STARTED", "TIMER_FIRED", _timer(0.15)),
        ("ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_COMPLETED", _activity("second")),
    ):
        if begun not in seen:
            return [command]
        if ended not in seen:
            return []
    return [_complete("child done")]


def _activity(name: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = name
    attributes.activity_type.CopyFrom(ActivityType(name=name))
    attributes.task_queue.name = QUEUE
    attributes.start_to_close_timeout.CopyFrom(seconds(ATTEMPT_S))
    attributes.retry_policy.CopyFrom(retry(0.01))
    return command


def _timer(duration_s: float = 0.02) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = "timer"
    command.start_timer_command_attributes.start_to_fire_timeout.CopyFrom(seconds(duration_s))
    return command


def _start_child() -> Command:
    command = Command(command_type=C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    attributes = command.start_child_workflow_execution_command_attributes
    attributes.workflow_id = CHILD
    attributes.workflow_type.name = CHILD
    attributes.task_queue.name = QUEUE
    attributes.workflow_task_timeout.CopyFrom(seconds(TASK_S))
    return command


def _tell_child() -> Command:
    command = Command(command_type=C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.signal_external_workflow_execution_command_attributes
    attributes.execution.workflow_id = CHILD
    attributes.signal_name = "from the parent"
    return command


def _continue_as_new() -> Command:
    command = Command(command_type=C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    attributes = command.continue_as_new_workflow_execution_command_attributes
    attributes.workflow_type.name = PARENT
    attributes.task_queue.name = QUEUE
    attributes.workflow_task_timeout.CopyFrom(seconds(TASK_S))
    return command


def _complete(result: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    command.complete_workflow_execution_command_attributes.result.CopyFrom(payloads(result))
    return command


# The worker and the client


async def drive(address: str) -> None:
    """From wherever the scenario stands to its end. Raises AioRpcError or TimeoutError when the server goes away."""
    async with asyncio.timeout(SCENARIO_S_MAX), connect(address) as channel:
        wire = Wire(channel)
        workers = [asyncio.create_task(_work_workflows(wire)), asyncio.create_task(_work_activities(wire))]
        client = asyncio.create_task(_client(wire))
        try:
            done, _ = await asyncio.wait([*workers, client], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*workers, client):
                task.cancel()
            await asyncio.gather(*workers, client, return_exceptions=True)


async def _work_workflows(wire: Wire) -> None:
    request = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=TaskQueue(name=QUEUE), identity="worker")
    while True:
        task = await wire.call("PollWorkflowTaskQueue", request, POLL_S)
        if task.task_token:
            commands = decide(task.workflow_type.name, task.history.events)
            answer = RespondWorkflowTaskCompletedRequest(task_token=task.task_token, commands=commands, identity="worker")
            await _unless_late(wire, "RespondWorkflowTaskCompleted", answer)


async def _work_activities(wire: Wire) -> None:
    request = PollActivityTaskQueueRequest(namespace=NAMESPACE, task_queue=TaskQueue(name=QUEUE), identity="worker")
    while True:
        task = await wire.call("PollActivityTaskQueue", request, POLL_S)
        if task.task_token:
            result = payloads(f"{task.activity_type.name} done")
            answer = RespondActivityTaskCompletedRequest(task_token=task.task_token, result=result, identity="worker")
            await _unless_late(wire, "RespondActivityTaskCompleted", answer)


async def _unless_late(wire: Wire, method: str, answer: Any) -> None:
    """The attempt may have timed out meanwhile and another one be under way, or the run have ended: then it was said before."""
    try:
        await wire.call(method, answer)
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            raise


async def _client(wire: Wire) -> None:
    start = StartWorkflowExecutionRequest(
        namespace=NAMESPACE,
        workflow_id=PARENT,
        workflow_type=WorkflowType(name=PARENT),
        task_queue=TaskQueue(name=QUEUE),
        workflow_task_timeout=seconds(TASK_S),
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        request_id="start",
        identity="client",
    )
    run_id = await _start_once(wire, start)
    await until(lambda: _listens(wire, run_id), "the parent waits for its signal", SCENARIO_S_MAX, _PAUSE_S)
    signal = SignalWorkflowExecutionRequest(
        namespace=NAMESPACE,
        workflow_execution=WorkflowExecution(workflow_id=PARENT, run_id=run_id),
        signal_name="from outside",
        input=payloads("hello"),
        request_id="signal",
        identity="client",
    )
    await _unless_late(wire, "SignalWorkflowExecution", signal)
    await until(lambda: _ended(wire), "the chain has ended", SCENARIO_S_MAX, _PAUSE_S)


async def _start_once(wire: Wire, start: StartWorkflowExecutionRequest) -> str:
    """The chain's first run. When the chain has gone on, the start's request id is no longer known, and it is refused."""
    try:
        return str((await wire.call("StartWorkflowExecution", start)).run_id)
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.ALREADY_EXISTS:
            raise
    return (await wire.history(PARENT))[0].workflow_execution_started_event_attributes.first_execution_run_id


async def _listens(wire: Wire, run_id: str) -> bool:
    """The child's end was seen by a workflow task that has completed; or all this is over."""
    seen = kinds(await wire.history(PARENT, run_id))
    if "WORKFLOW_EXECUTION_SIGNALED" in seen:
        return True
    if "CHILD_WORKFLOW_EXECUTION_COMPLETED" not in seen:
        return False
    after = seen[seen.index("CHILD_WORKFLOW_EXECUTION_COMPLETED") :]
    return after[-1] == "WORKFLOW_TASK_COMPLETED"


async def _ended(wire: Wire) -> bool:
    return kind((await wire.history(PARENT))[-1]) == "WORKFLOW_EXECUTION_COMPLETED"


# What must be the same with and without a crash


async def outcome(address: str) -> dict[str, list[HistoryEvent]]:
    """Every run's history."""
    async with connect(address) as channel:
        wire = Wire(channel)
        last = await wire.history(PARENT)
        first_run_id = last[0].workflow_execution_started_event_attributes.first_execution_run_id
        return {"parent": await wire.history(PARENT, first_run_id), "its successor": last, "child": await wire.history(CHILD)}


_TASK = (
    E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    E.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    E.EVENT_TYPE_WORKFLOW_TASK_FAILED,
)


def essence(events: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    """What has happened, without how often it took a worker to say so: no workflow tasks, no attempts; ids without gaps."""
    kept = [event for event in events if event.event_type not in _TASK]
    ids = {event.event_id: position for position, event in enumerate(kept, start=1)}
    copies = []
    for event in kept:
        copy = HistoryEvent.FromString(event.SerializeToString())
        copy.event_id = ids[event.event_id]
        attributes = getattr(copy, copy.WhichOneof("attributes"))
        for field, value in attributes.ListFields():
            if field.name.endswith("event_id"):
                setattr(attributes, field.name, ids.get(value, 0))
        if copy.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            attributes.ClearField("first_workflow_task_backoff")  # less when a crash has made the run before it longer
            attributes.ClearField("parent_initiated_event_id")  # an event of another history
            for point in attributes.prev_auto_reset_points.points:
                point.ClearField("first_workflow_task_completed_id")  # so is this
        if copy.event_type == E.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            attributes.attempt = 1
            attributes.ClearField("last_failure")
        copies.append(copy)
    return copies
