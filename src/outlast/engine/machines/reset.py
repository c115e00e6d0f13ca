"""Reset: a new run that begins with the start of an old one's history (workflow-core.md 1.16).

The prefix ends at a workflow task that is scheduled or started; the task fails in the new run, what came to the old
one from outside since then is applied again, and a new workflow task goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import msgspec
from temporalio.api.enums.v1 import EventType, UpdateAdmittedEventOrigin, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PostResetOperation

from outlast.engine.draft import Draft
from outlast.engine.machines import options, start, time_skipping, workflow_task
from outlast.engine.refusals import InvalidArgument
from outlast.engine.state import Execution
from outlast.engine.triggers import UpdateOptions
from outlast.engine.work import pending_work

if TYPE_CHECKING:
    from temporalio.api.failure.v1 import Failure

    from outlast.engine.transition import Transition
    from outlast.engine.triggers import Context

E = EventType
TERMINATOR = "history-resetter"
"""Who ends the current run for a reset."""


class Reset(msgspec.Struct, frozen=True):
    """What to make a new run of."""

    prefix: Sequence[Sequence[HistoryEvent]]
    """The batches of the base run that are kept."""
    later: Sequence[HistoryEvent]
    """What has happened since, in the base run and those that followed it."""
    base_run_id: str
    create_request_id: str
    reason: str
    excluded: Collection[int] = ()
    """Kinds of events that are not applied again: `ResetReapplyExcludeType`."""
    operations: Sequence[PostResetOperation] = ()
    """What is to be done with the new run, in this order."""


def check_finish_id(finish_id: int, batches: Sequence[Sequence[HistoryEvent]]) -> int:
    """How many batches are kept for a reset at `finish_id`, the first event that is not. Raises InvalidArgument."""
    last = batches[-1][-1].event_id
    if not 1 < finish_id <= last:
        raise InvalidArgument("Workflow task finish ID must be > 1 && <= workflow last event ID.")
    for count, batch in enumerate(batches, 1):
        if batch[-1].event_id == finish_id - 1:
            return count
    raise InvalidArgument(
        f"StateRebuilder unable to Rebuild mutable state to event ID: {finish_id - 1}, version: 0, this event must be at the boundary"
    )


def check_operations(operations: Sequence[PostResetOperation]) -> None:
    """Refuse what cannot be done with a new run. Raises InvalidArgument."""
    for operation in operations:
        kind = operation.WhichOneof("variant")
        if kind != "update_workflow_options":
            shown = "*workflow.PostResetOperation_SignalWorkflow_" if kind else "<nil>"
            raise InvalidArgument(f"unsupported post reset operation: {shown}")
        mask = operation.update_workflow_options.update_mask
        if flaw := options.mask_flaw(mask) or options.partial_flaw(mask):
            raise InvalidArgument(f"error applying update_options: {flaw}")


def begin_again(reset: Reset, context: Context) -> Transition:
    """The first transition of the new run: the kept history, the failed task, what is applied again, a new task."""
    draft = _rebuild(reset, context)
    run = draft.run
    task = run.workflow_task
    if task is None:
        at = reset.prefix[-1][-1].event_id + 1
        text = f"Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: {at}"
        raise InvalidArgument(text)
    if not task.started:
        workflow_task.begin(draft, task, "emptyUuid", workflow_task.SERVER_IDENTITY)
    _fail_task(draft, reset)
    _restart_the_clock(draft)
    for event in reset.later:
        apply = _AGAIN.get(event.event_type)
        if apply is not None and _EXCLUDES.get(event.event_type, 0) not in reset.excluded:
            apply(draft, event)
    for operation in reset.operations:
        wanted = operation.update_workflow_options
        options.update(draft, UpdateOptions(wanted.workflow_execution_options, wanted.update_mask.paths, ""))
    workflow_task.schedule(draft)
    draft.visible = True
    draft.changed = True
    time_skipping.skip(draft)
    draft.effects = pending_work(draft.snapshot())
    return draft.freeze()


def _rebuild(reset: Reset, context: Context) -> Draft:
    """The state that the kept history leads to."""
    run = start.born(context.namespace, reset.create_request_id, reset.prefix[0][0])
    run.run_id = context.fresh_id
    draft = Draft(Execution(run), context)
    for batch in reset.prefix:
        draft.replay(batch)
    return draft


def _fail_task(draft: Draft, reset: Reset) -> None:
    run = draft.run
    task = run.workflow_task
    assert task is not None
    event = draft.event(E.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    attributes = event.workflow_task_failed_event_attributes
    attributes.scheduled_event_id = task.scheduled_event_id
    attributes.started_event_id = task.started_event_id
    attributes.cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
    attributes.identity = workflow_task.SERVER_IDENTITY
    attributes.base_run_id = reset.base_run_id
    attributes.new_run_id = run.run_id
    _reset_failure(attributes.failure, reset.reason)
    draft.add(event)
    run.workflow_task_attempt = 1


def _reset_failure(failure: Failure, reason: str) -> None:
    failure.message = reason
    failure.reset_workflow_failure_info.SetInParent()


def _restart_the_clock(draft: Draft) -> None:
    """The new run has its time before it, and its activities begin anew."""
    run, now = draft.run, draft.now
    run.last_reset_time = now
    run.original_start_time = run.start_time
    run.start_time = run.execution_time = now
    run.run_expiration = now + run.run_timeout if run.run_timeout else 0
    run.execution_expiration = now + run.execution_timeout if run.execution_timeout else 0
    if run.execution_expiration and run.run_expiration:
        run.run_expiration = min(run.run_expiration, run.execution_expiration)
    for activity in list(draft.activities):
        renewed = draft.activities.edit(activity.scheduled_event_id)
        renewed.scheduled_time = renewed.attempt_scheduled_time = now
        renewed.retry_deadline = now + renewed.schedule_to_close if renewed.schedule_to_close else 0


# Applying again what came from outside


def _again(draft: Draft, event: HistoryEvent) -> None:
    """The same event at its new place."""
    copy = draft.event(event.event_type)
    name = event.WhichOneof("attributes") or ""
    getattr(copy, name).CopyFrom(getattr(event, name))
    copy.links.extend(event.links)
    copy.worker_may_ignore = event.worker_may_ignore
    draft.add(copy)


def _signal_again(draft: Draft, event: HistoryEvent) -> None:
    request_id = event.workflow_execution_signaled_event_attributes.request_id
    if not request_id or request_id not in draft.request_ids:
        _again(draft, event)


def _options_again(draft: Draft, event: HistoryEvent) -> None:
    if event.workflow_execution_options_updated_event_attributes.attached_request_id not in draft.attached:
        _again(draft, event)


def _update_again(draft: Draft, event: HistoryEvent) -> None:
    """An update that was accepted is admitted; a worker has to accept it once more."""
    accepted = event.workflow_execution_update_accepted_event_attributes
    if not accepted.HasField("accepted_request"):
        return
    admitted = draft.event(E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED)
    attributes = admitted.workflow_execution_update_admitted_event_attributes
    attributes.request.CopyFrom(accepted.accepted_request)
    attributes.origin = UpdateAdmittedEventOrigin.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY
    draft.add(admitted)


def _child_again(draft: Draft, event: HistoryEvent) -> None:
    """News of a child that the kept history asked for."""
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    child = draft.children.get(attributes.initiated_event_id)
    if child is None:
        return
    copy = draft.event(event.event_type)
    copied = getattr(copy, event.WhichOneof("attributes") or "")
    copied.CopyFrom(attributes)
    if child.started_event_id and hasattr(copied, "started_event_id"):
        copied.started_event_id = child.started_event_id
    draft.add(copy)


_AGAIN: dict[int, Callable[[Draft, HistoryEvent], None]] = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _signal_again,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: _again,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _update_again,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: _options_again,
    E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: _child_again,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: _child_again,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: _child_again,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: _child_again,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: _child_again,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: _child_again,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: _child_again,
}
"""What is applied again, and how; everything else is not."""

SIGNALS, UPDATES = 1, 2
"""Of `ResetReapplyExcludeType`."""
_EXCLUDES = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: SIGNALS,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: UPDATES,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: UPDATES,
}
