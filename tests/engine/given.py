"""A run in a given state, made by really deciding triggers; every history on the way is checked against the grammar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
    StartWorkflowExecutionRequest,
)

from outlast.engine import triggers as t
from outlast.engine.begin import begin
from outlast.engine.decide import decide
from outlast.engine.limits import SECOND
from outlast.engine.machines.start import attributes_of_request
from outlast.engine.refusals import Refusal
from outlast.engine.state import Activity, Execution, Run, WorkflowTask
from outlast.engine.transition import Effect, Transition
from tests.history_checker import check_history

NOON = 1_767_268_800 * SECOND  # 2026-01-01 12:00 UTC
RUN_ID = "11111111-1111-4111-8111-111111111111"
NAMESPACE = t.NamespaceView(
    "namespace-id", "default", {"Text": 1, "Keyword": 2, "Int": 3, "Double": 4, "Bool": 5, "Datetime": 6, "Keywords": 7}
)
Cause = WorkflowTaskFailedCause


class Given(msgspec.Struct, frozen=True):
    """A run, what has been written of it, and the last decision."""

    execution: Execution
    history: tuple[HistoryEvent, ...]
    last: Transition
    now: int
    decided: int = 1

    @property
    def run(self) -> Run:
        return self.execution.run

    @property
    def task(self) -> WorkflowTask:
        assert self.run.workflow_task is not None
        return self.run.workflow_task

    @property
    def activity(self) -> Activity:
        """The only pending activity."""
        (activity,) = self.execution.activities.values()
        return activity

    @property
    def effects(self) -> list[Effect]:
        return list(self.last.effects)

    @property
    def successor(self) -> Transition:
        assert self.last.successor is not None
        return self.last.successor


def seconds(span: float) -> Duration:
    whole, nanos = divmod(round(span * SECOND), SECOND)
    return Duration(seconds=whole, nanos=nanos)


def payload(data: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=data.encode())


def payloads(data: str) -> Payloads:
    return Payloads(payloads=[payload(data)])


def application_failure(message: str = "boom", kind: str = "", **fields: Any) -> Failure:
    failure = Failure(message=message)
    failure.application_failure_info.type = kind
    failure.application_failure_info.SetInParent()
    if "next_retry_delay" in fields:
        fields["next_retry_delay"] = seconds(fields["next_retry_delay"])
    failure.application_failure_info.MergeFrom(type(failure.application_failure_info)(**fields))
    return failure


def fresh_id(count: int) -> str:
    return f"22222222-2222-4222-8222-{count:012x}"


def context(now: int = NOON, count: int = 1) -> t.Context:
    return t.Context(now, fresh_id(count), NAMESPACE, {"default": "namespace-id", "other": "other-id"})


def start_request(**fields: Any) -> StartWorkflowExecutionRequest:
    """A client's start; spans may be given as plain seconds."""
    spans = {key: seconds(value) for key, value in fields.items() if isinstance(value, int | float)}
    defaults: dict[str, Any] = {"workflow_id": "order", "identity": "client"}
    wanted = defaults | fields | spans
    return StartWorkflowExecutionRequest(workflow_type=WorkflowType(name="Order"), task_queue=TaskQueue(name="orders"), **wanted)


def given_started(*, first: t.Start | None = None, signal: t.Signal | None = None, eager_worker: str | None = None, **fields: Any) -> Given:
    """A run that has just begun, as a client's request asks, or as `first` says."""
    if first is None:
        attributes = attributes_of_request(start_request(**fields), NOON)
        first = t.Start("order", "start-request", attributes, signal=signal, eager_worker=eager_worker)
    return taken(begin(first, RUN_ID, context()))


def taken(first: Transition, now: int = NOON) -> Given:
    """The run that a first transition makes."""
    return Given(first.after, _checked((), first), first, now)


def told(given: Given, trigger: t.Trigger, *, after: float = 0) -> Given:
    """The run after `trigger`, that many seconds later."""
    now = given.now + round(after * SECOND)
    transition = decide(given.execution, trigger, context(now, given.decided + 1))
    return Given(transition.after, _checked(given.history, transition), transition, now, given.decided + 1)


def refused(given: Given, trigger: t.Trigger, *, after: float = 0) -> Refusal:
    """The refusal of `trigger`; the run is as it was."""
    before = encoded(given.execution)
    with pytest.raises(Refusal) as refusal:
        decide(given.execution, trigger, context(given.now + round(after * SECOND), given.decided + 1))
    assert encoded(given.execution) == before
    return refusal.value


def encoded(execution: Execution) -> bytes:
    return msgspec.msgpack.encode(execution, enc_hook=dict)


def _checked(history: tuple[HistoryEvent, ...], transition: Transition) -> tuple[HistoryEvent, ...]:
    for batch in transition.batches:
        assert batch.first_event_id == len(history) + 1 == batch.events[0].event_id
        history = (*history, *batch.events)
    assert check_history(history) == []
    return history


def name(event: HistoryEvent) -> str:
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")


def news(given: Given) -> list[str]:
    """The names of the events that the last decision wrote."""
    return [name(event) for batch in given.last.batches for event in batch.events]


def waiting(given: Given) -> list[str]:
    """The names of the buffered events."""
    return [name(HistoryEvent.FromString(data)) for data in given.execution.buffer.values()]


def attributes(given: Given, kind: str) -> Any:
    """The attributes of the last event with that name."""
    event = last_event(given, kind)
    return getattr(event, event.WhichOneof("attributes") or "")


def last_event(given: Given, kind: str) -> HistoryEvent:
    return next(event for event in reversed(given.history) if name(event) == kind)


# Workflow tasks


def poll(given: Given, request_id: str = "poll", *, sticky: bool = False) -> t.StartWorkflowTask:
    return t.StartWorkflowTask(given.task.scheduled_event_id, given.task.attempt, request_id, "worker", sticky)


def with_workflow_task_started(given: Given, *, after: float = 0, sticky: bool = False) -> Given:
    return told(given, poll(given, sticky=sticky), after=after)


def token(given: Given) -> t.WorkflowTaskToken:
    return t.WorkflowTaskToken(given.task.scheduled_event_id, given.task.started_event_id, given.task.started_time, given.task.attempt)


def completion(given: Given, commands: Sequence[Command] = (), **fields: Any) -> t.CompleteWorkflowTask:
    request = RespondWorkflowTaskCompletedRequest(identity="worker", commands=commands, **fields)
    return t.CompleteWorkflowTask(token(given), request, "completion-request")


def complete(given: Given, *commands: Command, after: float = 0, **fields: Any) -> Given:
    """The started workflow task is answered with `commands`."""
    return told(given, completion(given, commands, **fields), after=after)


def do(given: Given, *commands: Command, **fields: Any) -> Given:
    """A worker takes the pending workflow task and answers with `commands`."""
    return complete(with_workflow_task_started(given), *commands, **fields)


def failing(given: Given, cause: int = Cause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR, **fields: Any) -> t.FailWorkflowTask:
    return t.FailWorkflowTask(token(given), RespondWorkflowTaskFailedRequest(identity="worker", cause=cause, **fields))


def fail_task(given: Given, **fields: Any) -> Given:
    return told(given, failing(given, **fields))


def time_out_task(given: Given, after: float = 10) -> Given:
    return told(given, t.TimersDue(), after=after)


def given_attempt(number: int) -> Given:
    """A run whose workflow task has failed until its attempt `number` is scheduled."""
    given = given_started()
    for _ in range(number - 1):
        given = fail_task(with_workflow_task_started(given))
    assert given.task.attempt == number
    return given


# Others


def wait(given: Given, span: float) -> Given:
    """That many seconds later, when the clock has come by."""
    return told(given, t.TimersDue(), after=span)


def signal(given: Given, name: str = "hello", request_id: str = "", **fields: Any) -> Given:
    return told(given, t.Signal(name, request_id=request_id, identity="client", **fields))


def start_activity(given: Given, activity: Activity | None = None, *, request_id: str = "poll", after: float = 0) -> Given:
    """A worker takes the activity, or the only one."""
    activity = activity or given.activity
    trigger = t.StartActivity(activity.scheduled_event_id, activity.attempt, activity.stamp, request_id, "activity worker")
    return told(given, trigger, after=after)


def activity_token(given: Given, activity: Activity | None = None) -> t.ActivityToken:
    activity = activity or given.activity
    return t.ActivityToken(activity.scheduled_event_id, activity.attempt)


def complete_activity(given: Given, activity: Activity | None = None, *, after: float = 0) -> Given:
    return told(given, t.CompleteActivity(activity_token(given, activity), payloads("1"), "activity worker"), after=after)


def fail_activity(given: Given, failure: Failure | None = None, *, after: float = 0) -> Given:
    failure = failure or application_failure()
    return told(given, t.FailActivity(activity_token(given), failure, "activity worker"), after=after)


def history_names(given: Given) -> list[str]:
    return [name(event) for event in given.history]
