"""The kinds of events and commands as numbers, which of them belong together, and where an event keeps what it is about.

Numbers instead of the generated enums since they are looked up for every event; a test compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

WORKFLOW_STARTED: Final = 1
WORKFLOW_COMPLETED: Final = 2
WORKFLOW_FAILED: Final = 3
WORKFLOW_TIMED_OUT: Final = 4
TASK_SCHEDULED: Final = 5
TASK_STARTED: Final = 6
TASK_COMPLETED: Final = 7
TASK_TIMED_OUT: Final = 8
TASK_FAILED: Final = 9
ACTIVITY_SCHEDULED: Final = 10
ACTIVITY_STARTED: Final = 11
ACTIVITY_COMPLETED: Final = 12
ACTIVITY_FAILED: Final = 13
ACTIVITY_TIMED_OUT: Final = 14
ACTIVITY_CANCEL_REQUESTED: Final = 15
ACTIVITY_CANCELED: Final = 16
TIMER_STARTED: Final = 17
TIMER_FIRED: Final = 18
TIMER_CANCELED: Final = 19
CANCEL_REQUESTED: Final = 20
WORKFLOW_CANCELED: Final = 21
EXTERNAL_CANCEL_INITIATED: Final = 22
EXTERNAL_CANCEL_FAILED: Final = 23
EXTERNAL_CANCEL_DELIVERED: Final = 24
MARKER_RECORDED: Final = 25
SIGNALED: Final = 26
WORKFLOW_TERMINATED: Final = 27
CONTINUED_AS_NEW: Final = 28
CHILD_INITIATED: Final = 29
CHILD_START_FAILED: Final = 30
CHILD_STARTED: Final = 31
CHILD_COMPLETED: Final = 32
CHILD_FAILED: Final = 33
CHILD_CANCELED: Final = 34
CHILD_TIMED_OUT: Final = 35
CHILD_TERMINATED: Final = 36
EXTERNAL_SIGNAL_INITIATED: Final = 37
EXTERNAL_SIGNAL_FAILED: Final = 38
EXTERNAL_SIGNALED: Final = 39
SEARCH_ATTRIBUTES_UPSERTED: Final = 40
UPDATE_ACCEPTED: Final = 41
UPDATE_REJECTED: Final = 42
UPDATE_COMPLETED: Final = 43
PROPERTIES_MODIFIED: Final = 46
UPDATE_ADMITTED: Final = 47
NEXUS_SCHEDULED: Final = 48
NEXUS_CANCEL_REQUESTED: Final = 54

COMMAND_EVENTS: Final = frozenset(
    {
        WORKFLOW_COMPLETED,
        WORKFLOW_FAILED,
        ACTIVITY_SCHEDULED,
        ACTIVITY_CANCEL_REQUESTED,
        TIMER_STARTED,
        TIMER_CANCELED,
        WORKFLOW_CANCELED,
        EXTERNAL_CANCEL_INITIATED,
        MARKER_RECORDED,
        CONTINUED_AS_NEW,
        CHILD_INITIATED,
        EXTERNAL_SIGNAL_INITIATED,
        SEARCH_ATTRIBUTES_UPSERTED,
        UPDATE_ACCEPTED,
        UPDATE_REJECTED,
        UPDATE_COMPLETED,
        PROPERTIES_MODIFIED,
        NEXUS_SCHEDULED,
        NEXUS_CANCEL_REQUESTED,
    }
)
"""Events that mirror a command; they follow the completion of the workflow task that asked for it."""

FINAL_EVENTS: Final = frozenset(
    {WORKFLOW_COMPLETED, WORKFLOW_FAILED, WORKFLOW_TIMED_OUT, WORKFLOW_CANCELED, WORKFLOW_TERMINATED, CONTINUED_AS_NEW}
)
"""Events that end a run."""

FOLLOWS: Final = {
    ACTIVITY_STARTED: ("activity_task_started_event_attributes", "scheduled_event_id"),
    ACTIVITY_COMPLETED: ("activity_task_completed_event_attributes", "scheduled_event_id"),
    ACTIVITY_FAILED: ("activity_task_failed_event_attributes", "scheduled_event_id"),
    ACTIVITY_TIMED_OUT: ("activity_task_timed_out_event_attributes", "scheduled_event_id"),
    ACTIVITY_CANCELED: ("activity_task_canceled_event_attributes", "scheduled_event_id"),
    TIMER_FIRED: ("timer_fired_event_attributes", "started_event_id"),
    EXTERNAL_CANCEL_FAILED: ("request_cancel_external_workflow_execution_failed_event_attributes", "initiated_event_id"),
    EXTERNAL_CANCEL_DELIVERED: ("external_workflow_execution_cancel_requested_event_attributes", "initiated_event_id"),
    CHILD_START_FAILED: ("start_child_workflow_execution_failed_event_attributes", "initiated_event_id"),
    CHILD_STARTED: ("child_workflow_execution_started_event_attributes", "initiated_event_id"),
    CHILD_COMPLETED: ("child_workflow_execution_completed_event_attributes", "initiated_event_id"),
    CHILD_FAILED: ("child_workflow_execution_failed_event_attributes", "initiated_event_id"),
    CHILD_CANCELED: ("child_workflow_execution_canceled_event_attributes", "initiated_event_id"),
    CHILD_TIMED_OUT: ("child_workflow_execution_timed_out_event_attributes", "initiated_event_id"),
    CHILD_TERMINATED: ("child_workflow_execution_terminated_event_attributes", "initiated_event_id"),
    EXTERNAL_SIGNAL_FAILED: ("signal_external_workflow_execution_failed_event_attributes", "initiated_event_id"),
    EXTERNAL_SIGNALED: ("external_workflow_execution_signaled_event_attributes", "initiated_event_id"),
}
"""Events about something that a command began: their attributes, and the field there that names the command's event."""


def event_name(kind: int) -> str:
    """The name of a kind of event as a reader of histories knows it, such as `ActivityTaskScheduled`."""
    from temporalio.api.enums.v1 import EventType

    name = EventType.Name(EventType.ValueType(kind)) if kind in EventType.values() else f"EVENT_TYPE_{kind}"
    return "".join(part.capitalize() for part in name.removeprefix("EVENT_TYPE_").split("_"))


def attributes_of(event: HistoryEvent) -> Any:
    """The message in which an event keeps what is special to its kind."""
    field = event.WhichOneof("attributes")
    return getattr(event, field) if field else None
