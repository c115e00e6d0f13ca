"""What a run waits for: derived from its state, never stored beside it.

`pending_work` is what a shard hands out again after a crash; `has_work` and `next_due` are what the store's index
is told, so that the shard finds the run.
"""

from outlast.engine.state import Activity, Execution, Run, WorkflowTask
from outlast.engine.transition import (
    ApplyClosePolicy,
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


def pending_work(execution: Execution) -> list[Effect]:
    """All that is still to be done for this run by somebody else."""
    run = execution.run
    effects: list[Effect] = []
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
    if not run.open:
        return run.parent_to_notify or any(child.policy_to_apply for child in execution.children.values())
    if execution.externals or (run.workflow_task is not None and not run.workflow_task.started):
        return True
    if run.paused is None and any(activity.offered and not activity.started_time for activity in execution.activities.values()):
        return True
    return any(not child.run_id or child.first_task_to_release for child in execution.children.values())


def next_due(execution: Execution) -> int | None:
    """The next moment at which a timer of this run needs attention."""
    run = execution.run
    if not run.open:
        return None
    moments = [timer.fires_at for timer in execution.timers.values()]
    for activity in execution.activities.values():
        due = activity_due(activity)
        if due:
            moments.append(due)
    task = run.workflow_task
    if task is not None:
        due = workflow_task_due(task)
        if due:
            moments.append(due)
    elif run.first_task_pending and run.paused is None and run.execution_time > run.start_time:
        moments.append(run.execution_time)
    if run.run_expiration:
        moments.append(run.run_expiration)
    if run.execution_expiration:
        moments.append(run.execution_expiration)
    return min(moments) if moments else None


def workflow_task_due(task: WorkflowTask) -> int:
    """When the workflow task times out; 0 when it cannot."""
    if task.started_event_id:
        return task.started_time + task.timeout
    if task.schedule_to_start_timeout:
        return task.scheduled_time + task.schedule_to_start_timeout
    return 0


def activity_due(activity: Activity) -> int:
    """The next moment at which the activity times out or its backoff ends; 0 when there is none, or it is paused."""
    if activity.pause is not None:
        return 0
    soonest = activity.scheduled_time + activity.schedule_to_close if activity.schedule_to_close else 0
    for moment in _attempt_moments(activity):
        if moment and (not soonest or moment < soonest):
            soonest = moment
    return soonest


def _attempt_moments(activity: Activity) -> tuple[int, int]:
    if not activity.started_time:
        if not activity.offered:
            return activity.attempt_scheduled_time, 0
        due = activity.attempt_scheduled_time + activity.schedule_to_start if activity.schedule_to_start else 0
        return due, 0
    closes = activity.started_time + activity.start_to_close if activity.start_to_close else 0
    alive = max(activity.started_time, activity.last_heartbeat_time)
    return closes, alive + activity.heartbeat if activity.heartbeat else 0
