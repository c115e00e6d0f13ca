"""A workflow that is held: nothing is handed out until somebody lets it go on (workflow-core.md 1.14).

running ──pause──► paused ──unpause──► running
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine.machines import workflow_task
from outlast.engine.refusals import WORKFLOW_COMPLETED, FailedPrecondition, NotFound
from outlast.engine.search_attributes import keyword_list
from outlast.engine.state import Pause
from outlast.engine.triggers import PauseWorkflow, UnpauseWorkflow
from outlast.engine.wire import moment
from outlast.engine.work import offer_activity

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

BEFORE_START = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED
ATTRIBUTE = "TemporalPauseInfo"


def pause(draft: Draft, asked: PauseWorkflow) -> None:
    """Hold the run. A workflow task that a worker has goes on; one that nobody has yet is taken back."""
    run = draft.run
    if not run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    if run.paused is not None:
        if run.paused.request_id == asked.request_id:
            return
        raise FailedPrecondition("workflow is already paused.")
    task = run.workflow_task
    if task is not None and not task.started:
        workflow_task.take_back(draft, BEFORE_START)
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED)
    event.worker_may_ignore = True
    attributes = event.workflow_execution_paused_event_attributes
    attributes.identity = asked.identity
    attributes.reason = asked.reason
    attributes.request_id = asked.request_id
    draft.add(event)


def evolve_paused(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_paused_event_attributes
    run = draft.run
    run.paused = Pause(attributes.identity, attributes.reason, attributes.request_id, moment(event.event_time))
    note(draft)
    for activity in list(draft.activities):
        if activity.offered and not activity.started:
            draft.activities.edit(activity.scheduled_event_id).stamp += 1


def unpause(draft: Draft, asked: UnpauseWorkflow) -> None:
    """Let the run go on: what waited is handed out, and a worker sees what has happened."""
    if not draft.run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    if draft.run.paused is None:
        raise FailedPrecondition("workflow is not paused.")
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED)
    event.worker_may_ignore = True
    attributes = event.workflow_execution_unpaused_event_attributes
    attributes.identity = asked.identity
    attributes.reason = asked.reason
    attributes.request_id = asked.request_id
    draft.add(event)
    draft.effects += [offer_activity(activity) for activity in draft.activities if activity.offered and not activity.started]
    workflow_task.schedule(draft)


def evolve_unpaused(draft: Draft, event: HistoryEvent) -> None:
    draft.run.paused = None
    note(draft)


def note(draft: Draft) -> None:
    """Keep the search attribute by which workflows are found that are held, or that have paused activities."""
    run = draft.run
    entries = [] if run.paused is None else [f"Workflow:{run.workflow_id}", f"Reason:{run.paused.reason}"]
    entries += dict.fromkeys(f"property:activityType={activity.activity_type}" for activity in draft.activities if activity.paused)
    if entries:
        draft.search_attributes.put(ATTRIBUTE, keyword_list(entries))
    else:
        draft.search_attributes.drop(ATTRIBUTE)
    draft.visible = True
