"""Timers of a workflow.

started ──comes due──► fired (forgotten)
   └─────canceled────► forgotten
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.command.v1 import StartTimerCommandAttributes
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import limits
from outlast.engine.checks import duration_flaw, size_bytes, too_long
from outlast.engine.machines import workflow_task
from outlast.engine.refusals import BadCommand
from outlast.engine.state import Timer
from outlast.engine.wire import moment, nanoseconds, set_duration

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

BAD_START = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES
BAD_CANCEL = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES


def start(draft: Draft, command: StartTimerCommandAttributes, event: HistoryEvent) -> None:
    if not command.timer_id:
        raise BadCommand(BAD_START, "TimerId is not set on StartTimerCommand.")
    if size_bytes(command.timer_id) > limits.ID_BYTES_MAX:
        raise BadCommand(BAD_START, f"TimerId on StartTimerCommand exceeds length limit. {too_long('TimerId', command.timer_id)}")
    span = command.start_to_fire_timeout
    if flaw := duration_flaw(span):
        text = f"An invalid StartToFireTimeout is set on StartTimerCommand: {flaw}. TimerId={command.timer_id}"
        raise BadCommand(BAD_START, text)
    if command.timer_id in draft.timers:
        cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID
        raise BadCommand(cause, f"invalid history builder state for action: add-timer-started-event, TimerID: {command.timer_id}")
    attributes = event.timer_started_event_attributes
    attributes.timer_id = command.timer_id
    if command.HasField("start_to_fire_timeout"):
        set_duration(attributes.start_to_fire_timeout, nanoseconds(span))
    draft.add(event)


def evolve_started(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.timer_started_event_attributes
    fires_at = moment(event.event_time) + nanoseconds(attributes.start_to_fire_timeout)
    draft.timers.put(attributes.timer_id, Timer(attributes.timer_id, event.event_id, fires_at))


def cancel(draft: Draft, timer_id: str, event: HistoryEvent, identity: str) -> None:
    """Cancel a pending timer, or take back one that has fired into the buffer."""
    if not timer_id:
        raise BadCommand(BAD_CANCEL, "TimerId is not set on CancelTimerCommand.")
    if size_bytes(timer_id) > limits.ID_BYTES_MAX:
        raise BadCommand(BAD_CANCEL, f"TimerId on CancelTimerCommand exceeds length limit. {too_long('TimerId', timer_id)}")
    timer = draft.timers.get(timer_id)
    started_event_id = timer.started_event_id if timer is not None else _unfire(draft, timer_id)
    if not started_event_id:
        raise BadCommand(BAD_CANCEL, f"invalid history builder state for action: add-timer-canceled-event, TimerID: {timer_id}")
    attributes = event.timer_canceled_event_attributes
    attributes.timer_id = timer_id
    attributes.started_event_id = started_event_id
    attributes.identity = identity
    draft.add(event)


def _unfire(draft: Draft, timer_id: str) -> int:
    """Forget a buffered TIMER_FIRED: the worker never saw it. Returns the id of its TIMER_STARTED, 0 if there is none."""
    for key, data in draft.buffer.entries():
        event = HistoryEvent.FromString(data)
        fired = event.timer_fired_event_attributes
        if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED and fired.timer_id == timer_id:
            draft.buffer.drop(key)
            draft.run.buffered_bytes -= len(data)
            return fired.started_event_id
    return 0


def evolve_canceled(draft: Draft, event: HistoryEvent) -> None:
    draft.timers.drop(event.timer_canceled_event_attributes.timer_id)


def fire(draft: Draft, timer_id: str) -> None:
    timer = draft.timers[timer_id]
    event = draft.event(EventType.EVENT_TYPE_TIMER_FIRED)
    event.timer_fired_event_attributes.timer_id = timer_id
    event.timer_fired_event_attributes.started_event_id = timer.started_event_id
    draft.add(event)
    workflow_task.schedule(draft)


def evolve_fired(draft: Draft, event: HistoryEvent) -> None:
    draft.timers.drop(event.timer_fired_event_attributes.timer_id)
