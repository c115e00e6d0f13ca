"""Cutting a history into slices: the events that each workflow task brought to the worker.

A slice ends with the start of a workflow task that was completed, or with the end of what is there. Tasks that failed or
timed out, and those that only kept a task alive for local activities (heartbeats), do not end one. Where exactly a slice
ends decides what is delivered together, and so is part of the contract between SDKs: the rules are those of the official core.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from outlast.replay import kinds

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

_ENDS_WITHOUT_COMPLETION = frozenset(
    {kinds.TASK_FAILED, kinds.TASK_TIMED_OUT, kinds.WORKFLOW_TIMED_OUT, kinds.WORKFLOW_TERMINATED, kinds.WORKFLOW_CANCELED}
)


def end_of_slice(events: Sequence[HistoryEvent], start: int) -> int:
    """The index after the last event of the slice that begins at `start`."""
    size = len(events)
    saw_command = saw_anything = False
    task_starts: list[tuple[int, int]] = []
    for index in range(start, size):
        kind = events[index].event_type
        if kind in kinds.COMMAND_EVENTS:
            saw_command = saw_anything = True
        if kind == kinds.WORKFLOW_STARTED:
            saw_anything = True
        if kind in kinds.FINAL_EVENTS:
            return index + 1
        if kind != kinds.TASK_STARTED:
            continue
        following = events[index + 1].event_type if index + 1 < size else 0
        if following in _ENDS_WITHOUT_COMPLETION:
            continue
        task_starts.append((events[index].event_id, index))
        if following == kinds.TASK_COMPLETED and index + 2 < size:
            after = events[index + 2]
            if not saw_command and after.event_type == kinds.TASK_SCHEDULED:
                continue  # a heartbeat
            return _end_before_update(after, task_starts, index) + 1
        if saw_anything:
            return index + 1
    return size


def last_completed_start(events: Sequence[HistoryEvent]) -> int:
    """The start of the last task that was completed; 0 if none was."""
    for index in range(len(events) - 1, 0, -1):
        if events[index].event_type == kinds.TASK_COMPLETED:
            return events[index].workflow_task_completed_event_attributes.started_event_id
    return 0


def _end_before_update(after: HistoryEvent, task_starts: list[tuple[int, int]], index: int) -> int:
    """The slice ends where an update was handed over that is accepted after it, which may be before some heartbeats."""
    if after.event_type == kinds.UPDATE_ACCEPTED:
        handed_over = after.workflow_execution_update_accepted_event_attributes.accepted_request_sequencing_event_id
        for event_id, earlier in reversed(task_starts):
            if event_id < handed_over:
                return earlier
    return index
