"""What a run waits for: derived from its state, never stored beside it.

`pending_work` is what a shard hands out again after a crash; `has_work` and `next_due` are what the store's index
is told, so that the shard finds the run.
"""

from collections.abc import Iterable

from outlast.engine.state import Activity, Callback, Execution, Run, WorkflowTask
from outlast.engine.transition import (
    ApplyClosePolicy,
    DeliverCallback,
    Effect,
    NotifyParent,
    OfferActivity,
    OfferWorkflowTask,
    ReleaseChild,
    StartChild,
    TellExternal,
)


def offer_workflow_task(run: Run, task: WorkflowTask) -> OfferWorkflowTask:
    return OfferWorkflowTask(task.scheduled_event_id, task.attempt, run.task_queue, task.sticky_queue)


def offer_activity(activity: Activity) -> OfferActivity:
    return OfferActivity(activity.scheduled_event_id, activity.attempt, activity.stamp, activity.task_queue)


def deliver(number: int, callback: Callback) -> DeliverCallback:
    return DeliverCallback(number, callback.attempt)


def pending_work(execution: Execution) -> list[Effect]:
    """All that is still to be done for this run by somebody else."""
    run = execution.run
    effects: list[Effect] = [deliver(number, callback) for number, callback in execution.callbacks.items() if callback.waits]
    if run.open:
        if run.workflow_task is not None and not run.workflow_task.started:
            effects.append(offer_workflow_task(run, run.workflow_task))
        if run.paused is None:
            effects += [offer_activity(a) for a in execution.activities.values() if a.offered and not a.started]
        for child in execution.children.values():
            if not child.run_id:
                effects.append(StartChild(child.initiated_event_id))
            elif child.first_task_to_release:
                effects.append(ReleaseChild(child.initiated_event_id))
        effects += [TellExternal(message.initiated_event_id) for message in execution.externals.values()]
        return effects
    effects += [ApplyClosePolicy(c.initiated_event_id) for c in execution.children.values() if c.policy_to_apply]
    if run.parent_to_notify:
        effects.append(NotifyParent())
    return effects


def has_work(execution: Execution) -> bool:
    """Whether `pending_work` is not empty."""
    run = execution.run
    if execution.callbacks.waiting:
        return True
    if not run.open:
        return _must_tell(execution)
    if execution.externals or execution.children.waiting or (run.workflow_task is not None and not run.workflow_task.started):
        return True
    return run.paused is None and execution.activities.waiting > 0


def _must_tell(execution: Execution) -> bool:
    """Whether a closed run's parent or children have not heard of its end. Until then it is not deleted."""
    return execution.run.parent_to_notify or any(child.policy_to_apply for child in execution.children.values())


def next_due(execution: Execution) -> int | None:
    """The next moment at which the run needs attention. A closed one is deleted in time, when all who must be have been told."""
    run = execution.run
    again = execution.callbacks.soonest or 0
    if not run.open:
        return _soonest((again, 0 if _must_tell(execution) else run.delete_at))
    moments = [execution.timers.soonest or 0, execution.activities.soonest or 0, run.run_expiration, run.execution_expiration]
    task = run.workflow_task
    if task is not None:
        moments.append(workflow_task_due(task))
    elif run.first_task_pending and run.paused is None and run.execution_time > run.start_time:
        moments.append(run.execution_time)
    soonest = _soonest(moments)
    if run.time_skipping is not None:
        soonest = _soonest((soonest or 0, run.time_skipping.due))
        soonest = soonest - run.time_skipping.skipped if soonest else None
    return soonest if not again else min(soonest or again, again)


def _soonest(moments: Iterable[int]) -> int | None:
    soonest = 0
    for moment in moments:
        if moment and (not soonest or moment < soonest):
            soonest = moment
    return soonest or None


def expired(execution: Execution, now: int) -> bool:
    """Whether the run is to be forgotten."""
    run = execution.run
    return not run.open and 0 < run.delete_at <= now and not _must_tell(execution)


def workflow_task_due(task: WorkflowTask) -> int:
    """When the workflow task times out; 0 when it cannot."""
    if task.started_event_id:
        return task.started_time + task.timeout
    if task.schedule_to_start_timeout:
        return task.scheduled_time + task.schedule_to_start_timeout
    return 0
