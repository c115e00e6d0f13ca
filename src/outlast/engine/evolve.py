"""Folding: what each event does to the state. A past event cannot be invalid, so folding never judges."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine.machines import (
    activity,
    child_workflow,
    close,
    external,
    options,
    pause,
    properties,
    signal,
    start,
    time_skipping,
    timer,
    update,
    workflow_task,
)

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

E = EventType

FOLDS: dict[int, Callable[[Draft, HistoryEvent], None]] = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: start.evolve_started,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: signal.evolve_signaled,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: signal.evolve_cancel_requested,
    E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: workflow_task.evolve_scheduled,
    E.EVENT_TYPE_WORKFLOW_TASK_STARTED: workflow_task.evolve_started,
    E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: workflow_task.evolve_completed,
    E.EVENT_TYPE_WORKFLOW_TASK_FAILED: workflow_task.evolve_ended,
    E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: workflow_task.evolve_ended,
    E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: activity.evolve_scheduled,
    E.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: activity.evolve_cancel_requested,
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: activity.evolve_closed,
    E.EVENT_TYPE_ACTIVITY_TASK_FAILED: activity.evolve_closed,
    E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: activity.evolve_closed,
    E.EVENT_TYPE_ACTIVITY_TASK_CANCELED: activity.evolve_closed,
    E.EVENT_TYPE_TIMER_STARTED: timer.evolve_started,
    E.EVENT_TYPE_TIMER_CANCELED: timer.evolve_canceled,
    E.EVENT_TYPE_TIMER_FIRED: timer.evolve_fired,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED: pause.evolve_paused,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED: pause.evolve_unpaused,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: options.evolve_updated,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED: time_skipping.evolve_transitioned,
    E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: external.evolve_initiated,
    E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: external.evolve_ended,
    E.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: external.evolve_ended,
    E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: external.evolve_initiated,
    E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: external.evolve_ended,
    E.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: external.evolve_ended,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: update.evolve_admitted,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: update.evolve_accepted,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: update.evolve_completed,
    E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: properties.evolve_upserted,
    E.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: properties.evolve_modified,
    E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: child_workflow.evolve_initiated,
    E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: child_workflow.evolve_start_failed,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: child_workflow.evolve_started,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: child_workflow.evolve_closed,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: child_workflow.evolve_closed,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: child_workflow.evolve_closed,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: child_workflow.evolve_closed,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: child_workflow.evolve_closed,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: close.evolve_closed,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: close.evolve_closed,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: close.evolve_closed,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: close.evolve_closed,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: close.evolve_closed,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: close.evolve_closed,
}


def evolve(draft: Draft, event: HistoryEvent) -> None:
    """Fold one event into the draft."""
    fold = FOLDS.get(event.event_type)
    if fold is not None:
        fold(draft, event)
