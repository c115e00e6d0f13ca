"""The one verb that judges: a state, what came in, and the time give a Transition. Nothing is changed in place."""

from collections.abc import Callable
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause

from outlast.engine import commands, failures, limits
from outlast.engine import triggers as t
from outlast.engine.draft import Draft
from outlast.engine.machines import (
    activity,
    activity_operations,
    callback,
    child_workflow,
    close,
    external,
    options,
    pause,
    signal,
    task_problems,
    time_skipping,
    timer,
    update,
    workflow_task,
)
from outlast.engine.refusals import (
    WORKFLOW_COMPLETED,
    BadCommand,
    FailedPrecondition,
    HistoryTooLarge,
    InvalidArgument,
    NotFound,
)
from outlast.engine.state import Execution
from outlast.engine.transition import (
    ApplyClosePolicy,
    DeliverCallback,
    Effect,
    NotifyParent,
    OfferActivity,
    Transition,
)
from outlast.engine.work import workflow_task_due

Cause = WorkflowTaskFailedCause


def decide(execution: Execution, trigger: t.Trigger, context: t.Context) -> Transition:
    """What follows from `trigger`. Raises a Refusal when it is impossible; then nothing has changed."""
    if isinstance(trigger, t.CompleteWorkflowTask):
        return complete_workflow_task(execution, trigger, context)
    draft = Draft(execution, context)
    RECEIVES[type(trigger)](draft, trigger)
    if draft.buffer_is_full and draft.run.workflow_task is not None:
        workflow_task.fail(draft, workflow_task.FORCE_CLOSE, None, workflow_task.SERVER_IDENTITY)
    return _within_limits(execution, draft, gives_up=type(trigger) in _FROM_WITHIN)


_FROM_WITHIN = frozenset({t.TimersDue, t.ChildStarted, t.ChildStartFailed, t.ChildClosed, t.ExternalTold})
"""Nobody could mend these if they were refused."""


def _within_limits(execution: Execution, draft: Draft, *, gives_up: bool = True) -> Transition:
    """The decision; or, when it makes the history or the state too large, that the run is terminated instead.

    So it is when more would be written at once than may be, and the run `gives_up`. Else that is refused: InvalidArgument.
    """
    if draft.excess:
        return _terminated(execution, draft, draft.excess, draft.excess)
    transition = _frozen(draft)
    if not transition.oversize:
        return transition
    text = f"transaction size of {transition.oversize} bytes exceeds limit of {limits.TRANSACTION_BYTES_MAX} bytes"
    if not gives_up:
        raise InvalidArgument(text)
    details = Payloads()
    details.payloads.add(metadata={"encoding": b"json/plain"}, data=f'"{text}"'.encode())
    return _terminated(execution, draft, "Transaction size exceeds limit.", text, details)


def _terminated(execution: Execution, draft: Draft, reason: str, text: str, details: Payloads | None = None) -> Transition:
    """What happens instead of a decision that cannot be."""
    instead = Draft(execution, draft.context)
    close.write_terminated(instead, reason, workflow_task.SERVER_IDENTITY, details)
    instead.refusal = HistoryTooLarge(text)
    return _frozen(instead)


def _frozen(draft: Draft) -> Transition:
    if not draft.run.open and draft.effects:
        draft.effects = [effect for effect in draft.effects if _outlives(effect)]
    time_skipping.skip(draft)
    draft.effects = [effect for effect in draft.effects if not _is_forgotten(draft, effect)]
    return draft.freeze()


def _is_forgotten(draft: Draft, effect: Effect) -> bool:
    """An activity that was scheduled and cancelled in one breath."""
    return isinstance(effect, OfferActivity) and effect.scheduled_event_id not in draft.activities


def _outlives(effect: Effect) -> bool:
    """A closed run hands out nothing more; it only tells its parent, its children and its callbacks."""
    return isinstance(effect, NotifyParent | ApplyClosePolicy | DeliverCallback)


def reset_sticky(draft: Draft) -> None:
    if not draft.run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    if draft.run.sticky_queue:
        workflow_task.clear_stickiness(draft.run)
        draft.changed = True


def release_first_task(draft: Draft) -> None:
    """The parent knows of this child now. A backoff of its own still holds."""
    run = draft.run
    if run.open and run.first_task_pending and run.execution_time <= max(draft.now, run.start_time):
        workflow_task.schedule(draft)


# Workflow task answers


_NO_FAULT = frozenset(
    {Cause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW, Cause.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND},
)
"""Causes that do not count as an attempt."""


def fail_workflow_task(draft: Draft, answer: t.FailWorkflowTask) -> None:
    if not draft.run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    workflow_task.check_token(draft.run, answer.token)
    request = answer.request
    if request.cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE:
        close.write_terminated(draft, "GrpcMessageTooLarge", workflow_task.SERVER_IDENTITY)
        return
    failure = failures.accepted(request.failure, draft.context.namespace.blob_bytes_max) if request.HasField("failure") else None
    workflow_task.end_failed(draft, request.cause, failure, request.identity, request.binary_checksum)
    if request.cause in _NO_FAULT:
        draft.run.workflow_task_attempt = 1
    workflow_task.schedule(draft)
    if request.cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND:
        draft.run.close_attempted = True


def complete_workflow_task(execution: Execution, done: t.CompleteWorkflowTask, context: t.Context) -> Transition:
    """All of the worker's commands, or none of them (workflow-core.md 2.8)."""
    task = workflow_task.check_token(execution.run, done.token)
    commands.check_sequence(done.request.commands)
    accepted = Draft(execution, context)
    try:
        _accept(accepted, done)
    except BadCommand as bad:
        return _reject(execution, done, context, bad, task.attempt)
    return _within_limits(execution, accepted)


def _accept(draft: Draft, done: t.CompleteWorkflowTask) -> None:
    request = done.request
    run = draft.run
    if run.paused is not None and request.force_create_new_workflow_task:
        raise FailedPrecondition("Workflow is paused and force create new workflow task is not allowed.")
    is_heartbeat = request.force_create_new_workflow_task and not request.commands and not request.messages
    answers = update.Answers(draft, request.messages, done.sent_updates, done.attachments)
    if _leaves_no_trace(draft, done, answers):
        return
    assert run.workflow_task is not None
    original_scheduled_time = run.workflow_task.original_scheduled_time
    if is_heartbeat and draft.now - original_scheduled_time > limits.WORKFLOW_TASK_HEARTBEAT_MAX:
        workflow_task.time_out(draft)
        draft.refusal = NotFound("workflow task heartbeat timeout")
        return
    workflow_task.write_virtual(draft)
    completed_event_id = _write_completed(draft, done)
    _set_stickiness(draft, done)
    waiting_before = run.next_buffer_id
    draft.holding = True
    for command in request.commands:
        commands.apply(draft, command, completed_event_id, request.identity, waiting_before, answers)
    if run.open:
        answers.take_the_rest()
        if not is_heartbeat:
            answers.reject_unanswered()
    draft.rejected_updates = answers.rejected
    draft.holding = False
    if not run.open:
        return
    flushed = draft.flush_buffer()
    _start_eager_activities(draft, done)
    _ask_again(draft, done, flushed=flushed, original_scheduled_time=original_scheduled_time if is_heartbeat else 0)


def _ask_again(draft: Draft, done: t.CompleteWorkflowTask, *, flushed: bool, original_scheduled_time: int) -> None:
    """The next workflow task, if there is something for the worker to see."""
    request = done.request
    if flushed or request.force_create_new_workflow_task:
        workflow_task.schedule(draft, original_scheduled_time)
    elif done.updates_wait and request.return_new_workflow_task:
        workflow_task.schedule_speculative(draft)
    elif done.updates_wait:
        workflow_task.schedule(draft)
    if draft.run.workflow_task is not None and request.return_new_workflow_task:
        worker_version = request.worker_version_stamp.SerializeToString()
        workflow_task.started_together(draft, workflow_task.RETURNED_REQUEST_ID, request.identity, worker_version)


def _leaves_no_trace(draft: Draft, done: t.CompleteWorkflowTask, answers: update.Answers) -> bool:
    """A speculative task that only rejected updates is forgotten, and the worker told to forget it (2.10)."""
    run, request = draft.run, done.request
    task = run.workflow_task
    assert task is not None
    if not task.speculative or request.commands or request.force_create_new_workflow_task or not answers.only_rejections:
        return False
    since = run.next_event_id - run.last_completed_event_id - 1
    can_discard = request.capabilities.discard_speculative_workflow_task_with_events and since <= limits.DISCARDED_EVENTS_MAX
    if since and not can_discard:
        return False
    answers.take_the_rest()
    answers.reject_unanswered()
    draft.rejected_updates = answers.rejected
    draft.durable = False
    draft.changed = True
    run.workflow_task = None
    draft.reset_history_event_id = run.last_started_event_id
    _set_stickiness(draft, done)
    if done.updates_wait:
        _ask_again(draft, done, flushed=False, original_scheduled_time=0)
        # An event that others may read must be written; another speculative task has none.
        draft.durable = run.workflow_task is not None and not run.workflow_task.speculative
    return True


def _write_completed(draft: Draft, done: t.CompleteWorkflowTask) -> int:
    request = done.request
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    attributes = event.workflow_task_completed_event_attributes
    attributes.scheduled_event_id = done.token.scheduled_event_id
    attributes.started_event_id = done.token.started_event_id
    attributes.identity = request.identity
    attributes.binary_checksum = request.binary_checksum
    if request.HasField("worker_version_stamp"):
        attributes.worker_version.CopyFrom(request.worker_version_stamp)
    if request.HasField("sdk_metadata"):
        attributes.sdk_metadata.CopyFrom(request.sdk_metadata)
    if request.HasField("metering_metadata"):
        attributes.metering_metadata.CopyFrom(request.metering_metadata)
    if request.HasField("deployment"):
        attributes.deployment.CopyFrom(request.deployment)
    return draft.add(event).event_id


def _set_stickiness(draft: Draft, done: t.CompleteWorkflowTask) -> None:
    sticky = done.request.sticky_attributes
    if sticky.worker_task_queue.name:
        draft.run.sticky_queue = sticky.worker_task_queue.name
        draft.run.sticky_timeout = sticky.schedule_to_start_timeout.seconds * limits.SECOND + sticky.schedule_to_start_timeout.nanos
    else:
        workflow_task.clear_stickiness(draft.run)


def _start_eager_activities(draft: Draft, done: t.CompleteWorkflowTask) -> None:
    """Activities that the worker asked to run itself are started for it, and offered to nobody else.

    Not while the workflow is held: then they wait like all others.
    """
    wanted = [i for i in draft.eager_activities if i in draft.activities and draft.run.paused is None]
    for scheduled_event_id in wanted:
        activity.begin(draft, scheduled_event_id, done.request_id, done.request.identity)
    draft.eager_activities = wanted
    if wanted:
        draft.effects = [
            effect for effect in draft.effects if not (isinstance(effect, OfferActivity) and effect.scheduled_event_id in wanted)
        ]


def _reject(execution: Execution, done: t.CompleteWorkflowTask, context: t.Context, bad: BadCommand, attempt: int) -> Transition:
    """The completion is as if it had never come; what is written is that the task failed, and why."""
    unhandled = bad.cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    name = task_problems.cause_name(bad.cause)
    message = f"{name}: {bad.text}" if bad.text else name
    if attempt > 1 and not unhandled and not bad.terminates:
        raise InvalidArgument(message)
    draft = Draft(execution, context)
    failure = failures.server_failure(message, non_retryable=False)
    request = done.request
    workflow_task.end_failed(draft, bad.cause, failure, request.identity, request.binary_checksum)
    if bad.terminates:
        close.write_terminated(draft, message, workflow_task.SERVER_IDENTITY)
    else:
        workflow_task.schedule(draft)
    draft.run.close_attempted = unhandled
    draft.updates_lost = bad.cause == update.BAD_MESSAGE
    draft.refusal = InvalidArgument(message)
    return _within_limits(execution, draft)


# Time


def time_passed(draft: Draft) -> None:
    """Do all that is due, in the order in which it came due."""
    for number, _ in draft.callbacks.due(draft.context.now):
        callback.try_again(draft, number)
    draft.tasks_wait = True
    for _, _, action in sorted(_due(draft), key=lambda entry: entry[:2]):
        if draft.run.open:
            action()
    draft.tasks_wait = False
    if draft.task_wanted:
        workflow_task.schedule(draft)


def _due(draft: Draft) -> list[tuple[int, int, Callable[[], None]]]:
    """(moment, tie-breaker, what to do) for everything whose moment has come."""
    run, now = draft.run, draft.now
    if not run.open:
        return []
    due: list[tuple[int, int, Callable[[], None]]] = [
        (pending.fires_at, pending.started_event_id, _once(timer.fire, draft, timer_id)) for timer_id, pending in draft.timers.due(now)
    ]
    due += [(pending.due, event_id, _once(activity.time_passed, draft, event_id)) for event_id, pending in draft.activities.due(now)]
    task = run.workflow_task
    if task is not None:
        moment = workflow_task_due(task)
        if moment and moment <= now:
            due.append((moment, task.scheduled_event_id, lambda: workflow_task.time_out(draft)))
    elif run.first_task_pending and run.paused is None and run.start_time < run.execution_time <= now:
        due.append((run.execution_time, 0, lambda: workflow_task.schedule(draft)))
    skipping = run.time_skipping
    if skipping is not None and 0 < skipping.due <= now:
        due.append((skipping.due, 0, lambda: time_skipping.target_reached(draft)))
    expirations = (run.run_expiration, run.execution_expiration)
    due.extend((expiration, 1 << 62, lambda: close.time_out(draft)) for expiration in expirations if 0 < expiration <= now)
    return due


def _once(act: Callable[[Draft, str], None] | Callable[[Draft, int], None], draft: Draft, key: str | int) -> Callable[[], None]:
    return lambda: act(draft, key)  # type: ignore[arg-type]


def _parent_notified(draft: Draft, trigger: t.ParentNotified) -> None:
    draft.changed = draft.run.parent_to_notify
    draft.run.parent_to_notify = False


RECEIVES: dict[type[t.Trigger], Callable[[Draft, Any], None]] = {
    t.StartWorkflowTask: workflow_task.start,
    t.StartActivity: activity.start,
    t.CompleteActivity: activity.complete,
    t.Signal: signal.receive,
    t.TimersDue: lambda draft, _: time_passed(draft),
    t.Heartbeat: activity.heartbeat,
    t.FailActivity: activity.fail,
    t.CancelActivity: activity.cancel,
    t.ReleaseActivity: activity.release,
    t.PauseActivity: lambda draft, asked: activity_operations.pause(draft, asked.request),
    t.UnpauseActivity: lambda draft, asked: activity_operations.unpause(draft, asked.request),
    t.ResetActivity: lambda draft, asked: activity_operations.reset(draft, asked.request),
    t.UpdateActivityOptions: lambda draft, asked: activity_operations.update_options(draft, asked.request),
    t.FailWorkflowTask: fail_workflow_task,
    t.RequestCancel: signal.request_cancel,
    t.Terminate: close.terminate,
    t.Delete: lambda draft, _: close.delete(draft),
    t.ResetSticky: lambda draft, _: reset_sticky(draft),
    t.ChildStarted: child_workflow.started,
    t.ChildStartFailed: child_workflow.start_failed,
    t.ChildClosed: child_workflow.closed,
    t.ChildFirstTaskReleased: lambda draft, released: child_workflow.first_task_released(draft, released.initiated_event_id),
    t.ChildPolicyApplied: child_workflow.policy_applied,
    t.ReleaseFirstTask: lambda draft, _: release_first_task(draft),
    t.AdmitUpdate: update.admit,
    t.ExternalTold: external.told,
    t.Attach: options.attach,
    t.AttachToUpdate: options.attach_to_update,
    t.CallbackAnswered: callback.answered,
    t.UpdateOptions: options.update,
    t.PauseWorkflow: pause.pause,
    t.UnpauseWorkflow: pause.unpause,
    t.ParentNotified: _parent_notified,
}
"""What each kind of trigger does; CompleteWorkflowTask has a road of its own."""
