"""Activities of a workflow (platform.md section 1; workflow-core.md 3.2).

ACTIVITY_TASK_STARTED is written together with the event that closes the activity: only then is it known which attempt
it was. Until then attempts, heartbeats and failures live in the state alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.command.v1 import ScheduleActivityTaskCommandAttributes
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import (
    EventType,
    RetryState,
    TaskQueueKind,
    TimeoutType,
    WorkflowTaskFailedCause,
)
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import limits
from outlast.engine.failures import accepted, retained, server_failure
from outlast.engine.machines import workflow_task
from outlast.engine.machines.activity_checks import check_schedule, fill_timeouts
from outlast.engine.refusals import (
    ACTIVITY_NOT_FOUND,
    WORKFLOW_COMPLETED,
    BadCommand,
    InvalidArgument,
    NotFound,
)
from outlast.engine.retry import (
    TIMEOUT_NAMES,
    decide_retry,
    filled,
    from_wire,
    retryable,
)
from outlast.engine.state import Activity
from outlast.engine.triggers import (
    ActivityToken,
    CancelActivity,
    CompleteActivity,
    FailActivity,
    Heartbeat,
    ReleaseActivity,
    StartActivity,
)
from outlast.engine.wire import nanoseconds, set_time
from outlast.engine.work import offer_activity

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

Cause = WorkflowTaskFailedCause
BAD_CANCEL = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES
NO_TIME_TO_RETRY = "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"


# Scheduling


def schedule(draft: Draft, command: ScheduleActivityTaskCommandAttributes, event: HistoryEvent) -> HistoryEvent:
    """Write ACTIVITY_TASK_SCHEDULED with every timeout and the retry policy filled in, and offer the activity."""
    check_schedule(draft, command)
    attributes = event.activity_task_scheduled_event_attributes
    attributes.activity_id = command.activity_id
    attributes.activity_type.CopyFrom(command.activity_type)
    attributes.task_queue.name = command.task_queue.name
    attributes.task_queue.kind = command.task_queue.kind or TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    if command.HasField("header"):
        attributes.header.CopyFrom(command.header)
    if command.HasField("input"):
        attributes.input.CopyFrom(command.input)
    if command.HasField("priority"):
        attributes.priority.CopyFrom(command.priority)
    attributes.use_workflow_build_id = command.use_workflow_build_id
    attributes.retry_policy.CopyFrom(filled(command.retry_policy))
    fill_timeouts(draft.run.run_timeout or 0, command, attributes)
    draft.add(event)
    offer(draft, draft.activities[event.event_id])
    return event


def evolve_scheduled(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.activity_task_scheduled_event_attributes
    now = event.event_time.seconds * limits.SECOND + event.event_time.nanos
    to_close = nanoseconds(attributes.schedule_to_close_timeout)
    draft.add_activity(
        Activity(
            scheduled_event_id=event.event_id,
            activity_id=attributes.activity_id,
            activity_type=attributes.activity_type.name,
            task_queue=attributes.task_queue.name,
            retry_policy=from_wire(attributes.retry_policy),
            scheduled_time=now,
            attempt_scheduled_time=now,
            schedule_to_close=to_close,
            schedule_to_start=nanoseconds(attributes.schedule_to_start_timeout),
            start_to_close=nanoseconds(attributes.start_to_close_timeout),
            heartbeat=nanoseconds(attributes.heartbeat_timeout),
            priority=attributes.priority.SerializeToString() if attributes.HasField("priority") else None,
            retry_deadline=now + to_close if to_close else 0,
        ),
    )


def evolve_closed(draft: Draft, event: HistoryEvent) -> None:
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    draft.activities.drop(attributes.scheduled_event_id)


# Cancelling


def request_cancel(draft: Draft, scheduled_event_id: int, event: HistoryEvent, identity: str) -> None:
    """Ask a started activity to stop (it learns by heartbeat); close one that has not started."""
    if not scheduled_event_id:
        raise BadCommand(BAD_CANCEL, "ScheduledEventId is not set on RequestCancelActivityTaskCommand.")
    activity = draft.activities.get(scheduled_event_id)
    if activity is None and _completion_is_buffered(draft, scheduled_event_id):
        event.activity_task_cancel_requested_event_attributes.scheduled_event_id = scheduled_event_id
        draft.add(event)
        return
    if activity is None or activity.cancel_requested_event_id:
        action = "add-activitytask-cancel-requested-event"
        raise BadCommand(BAD_CANCEL, f"invalid history builder state for action: {action}, ScheduledEventID: {scheduled_event_id}")
    event.activity_task_cancel_requested_event_attributes.scheduled_event_id = scheduled_event_id
    draft.add(event)
    if not activity.started:
        details = Payloads()
        details.payloads.add(metadata={"encoding": b"json/plain"}, data=b'"ACTIVITY_ID_NOT_STARTED"')
        _write_canceled(draft, scheduled_event_id, 0, event.event_id, details, identity)


def _completion_is_buffered(draft: Draft, scheduled_event_id: int) -> bool:
    for data in draft.buffer:
        event = HistoryEvent.FromString(data)
        attributes = getattr(event, event.WhichOneof("attributes") or "")
        if getattr(attributes, "scheduled_event_id", 0) == scheduled_event_id:
            return True
    return False


def evolve_cancel_requested(draft: Draft, event: HistoryEvent) -> None:
    scheduled_event_id = event.activity_task_cancel_requested_event_attributes.scheduled_event_id
    if scheduled_event_id in draft.activities:
        draft.activities.edit(scheduled_event_id).cancel_requested_event_id = event.event_id


def _write_canceled(
    draft: Draft, scheduled_event_id: int, started_event_id: int, cancel_event_id: int, details: Payloads | None, identity: str
) -> None:
    event = draft.event(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED)
    attributes = event.activity_task_canceled_event_attributes
    attributes.scheduled_event_id = scheduled_event_id
    attributes.started_event_id = started_event_id
    attributes.latest_cancel_requested_event_id = cancel_event_id
    attributes.identity = identity
    if details is not None:
        attributes.details.CopyFrom(details)
    draft.add(event)


# Starting


def offer(draft: Draft, activity: Activity) -> None:
    """Hand the attempt out, unless it is not its time yet, or the workflow is held."""
    if activity.offered and draft.run.paused is None:
        draft.effects.append(offer_activity(activity))


def start(draft: Draft, poll: StartActivity) -> None:
    """Give an attempt to a poller, once."""
    activity = draft.activities.get(poll.scheduled_event_id)
    if not draft.run.open or activity is None or (activity.attempt, activity.stamp) != (poll.attempt, poll.stamp):
        raise NotFound(ACTIVITY_NOT_FOUND)
    if activity.started:
        if activity.request_id != poll.request_id:
            raise NotFound(ACTIVITY_NOT_FOUND)
        return
    if draft.run.paused is not None or not activity.offered:
        raise NotFound(ACTIVITY_NOT_FOUND)
    begin(draft, poll.scheduled_event_id, poll.request_id, poll.identity, poll.worker_version)


def begin(draft: Draft, scheduled_event_id: int, request_id: str, identity: str, worker_version: bytes = b"") -> None:
    activity = draft.activities.edit(scheduled_event_id)
    activity.started_time = activity.last_started_time = draft.now
    activity.request_id = request_id
    activity.identity = identity
    activity.worker_version = worker_version
    activity.offered = True
    draft.changed = True


def release(draft: Draft, release: ReleaseActivity) -> None:
    """The poller never got the attempt: it is as if it had not been started."""
    activity = draft.activities.get(release.scheduled_event_id)
    if activity is None or not draft.run.open or not activity.started:
        return
    if (activity.attempt, activity.request_id) != (release.attempt, release.request_id):
        return
    activity = draft.activities.edit(release.scheduled_event_id)
    activity.started_time = 0
    activity.request_id = ""
    activity.identity = ""
    activity.worker_version = b""
    draft.changed = True
    activity.offered = not activity.paused
    offer(draft, activity)


# Answers


def _find(draft: Draft, token: ActivityToken, *, must_be_started: bool = True) -> Activity:
    if not draft.run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    if token.activity_id:
        found = draft.activity_named(token.activity_id)
        if found is None:
            raise NotFound(
                f"cannot find pending activity with ActivityID {token.activity_id}, check workflow execution history for more details"
            )
        if must_be_started and not found.started:
            raise NotFound(ACTIVITY_NOT_FOUND)
        return found
    activity = draft.activities.get(token.scheduled_event_id)
    if activity is None or not activity.started or activity.attempt != token.attempt:
        raise NotFound(ACTIVITY_NOT_FOUND)
    return activity


def heartbeat(draft: Draft, beat: Heartbeat) -> None:
    """Keep the attempt alive, remember how far it is, and say whether it should stop."""
    if _is_too_large(draft, beat.details):
        _fail_too_large(draft, beat.token, "Heartbeat details exceed size limit.", beat.identity)
        draft.cancel_requested = True
        return
    activity = draft.activities.edit(_find(draft, beat.token).scheduled_event_id)
    activity.last_heartbeat_time = draft.now
    activity.heartbeat_details = beat.details.SerializeToString() if beat.details is not None else b""
    draft.changed = True
    draft.cancel_requested = activity.cancel_requested_event_id > 0
    draft.activity_paused = activity.paused
    draft.activity_reset = activity.reset


def complete(draft: Draft, done: CompleteActivity) -> None:
    if _is_too_large(draft, done.result):
        _fail_too_large(draft, done.token, "Complete result exceeds size limit.", done.identity)
        return
    activity = _find(draft, done.token, must_be_started=False)
    if not activity.started:
        begin(draft, activity.scheduled_event_id, "", done.identity)
        activity = draft.activities[activity.scheduled_event_id]
    started_event_id = _write_started(draft, activity)
    event = draft.event(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    attributes = event.activity_task_completed_event_attributes
    attributes.scheduled_event_id = activity.scheduled_event_id
    attributes.started_event_id = started_event_id
    attributes.identity = done.identity
    if done.result is not None:
        attributes.result.CopyFrom(done.result)
    draft.add(event)
    workflow_task.schedule(draft)


def _is_too_large(draft: Draft, payloads: Payloads | None) -> bool:
    return payloads is not None and payloads.ByteSize() > draft.context.namespace.blob_bytes_max


def _fail_too_large(draft: Draft, token: ActivityToken, message: str, identity: str) -> None:
    """What the worker reports does not fit: the activity fails with that, for good."""
    fail(draft, FailActivity(token, server_failure(message), identity))


def cancel(draft: Draft, done: CancelActivity) -> None:
    if _is_too_large(draft, done.details):
        _fail_too_large(draft, done.token, "Cancel details exceed size limit.", done.identity)
        return
    activity = _find(draft, done.token)
    if not activity.cancel_requested_event_id:
        raise InvalidArgument("unable to mark activity as canceled without activity being request canceled first")
    started_event_id = _write_started(draft, activity)
    cancel_event_id = activity.cancel_requested_event_id
    _write_canceled(draft, activity.scheduled_event_id, started_event_id, cancel_event_id, done.details, done.identity)
    workflow_task.schedule(draft)


def fail(draft: Draft, done: FailActivity) -> None:
    """Try again if the policy allows it, else close the activity."""
    activity = _find(draft, done.token)
    if done.last_heartbeat_details is not None:
        activity = draft.activities.edit(activity.scheduled_event_id)
        activity.heartbeat_details = done.last_heartbeat_details.SerializeToString()
        activity.last_heartbeat_time = draft.now
    failure = accepted(done.failure, draft.context.namespace.blob_bytes_max) if done.failure is not None else None
    state = _retry(draft, activity, failure)
    if state == RetryState.RETRY_STATE_IN_PROGRESS:
        return
    _write_failed(draft, activity, failure, state, done.identity)
    workflow_task.schedule(draft)


def _retry(draft: Draft, activity: Activity, failure: Failure | None) -> RetryState.ValueType:
    """Begin the backoff of the next attempt (IN_PROGRESS), or say why there is none."""
    if activity.cancel_requested_event_id:
        return RetryState.RETRY_STATE_CANCEL_REQUESTED
    if activity.paused and retryable(failure, activity.retry_policy.non_retryable_error_types):
        _wait_for_retry(draft, activity, failure)  # Neither the number of attempts nor the time counts now.
        return RetryState.RETRY_STATE_IN_PROGRESS
    retry = decide_retry(activity.retry_policy, activity.attempt, failure, draft.now, activity.retry_deadline, of_workflow=False)
    if retry.state == RetryState.RETRY_STATE_IN_PROGRESS:
        activity = _wait_for_retry(draft, activity, failure)
        activity.attempt_scheduled_time = draft.now + retry.backoff
        activity.retry_interval = retry.backoff
    return retry.state


def _wait_for_retry(draft: Draft, activity: Activity, failure: Failure | None) -> Activity:
    """The attempt is over, and there will be another."""
    activity = draft.activities.edit(activity.scheduled_event_id)
    activity.attempt += 1
    activity.offered = False
    if not failure or not failure.HasField("timeout_failure_info"):
        activity.last_attempt_complete_time = draft.now
    activity.last_failure = retained(failure).SerializeToString() if failure is not None else b""
    activity.started_time = 0
    activity.request_id = ""
    end_reset(activity)
    draft.changed = True
    return activity


def end_reset(activity: Activity) -> None:
    """The attempt that was to hear of a reset is over: what the reset was to wipe is wiped."""
    if activity.forget_heartbeat:
        forget_heartbeat(activity)
    activity.reset = activity.forget_heartbeat = False


def forget_heartbeat(activity: Activity) -> None:
    activity.heartbeat_details = b""
    activity.last_heartbeat_time = 0


def _write_started(draft: Draft, activity: Activity) -> int:
    """Write ACTIVITY_TASK_STARTED of the attempt that closes; its id, 0 while it is buffered."""
    event = draft.event(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    set_time(event.event_time, activity.started_time)
    attributes = event.activity_task_started_event_attributes
    attributes.scheduled_event_id = activity.scheduled_event_id
    attributes.identity = activity.identity
    attributes.request_id = activity.request_id
    attributes.attempt = activity.attempt
    if activity.worker_version:
        attributes.worker_version.ParseFromString(activity.worker_version)
    if activity.last_failure:
        attributes.last_failure.ParseFromString(activity.last_failure)
    return draft.add(event).event_id


def _write_failed(draft: Draft, activity: Activity, failure: Failure | None, state: RetryState.ValueType, identity: str) -> None:
    started_event_id = _write_started(draft, activity)
    event = draft.event(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED)
    attributes = event.activity_task_failed_event_attributes
    attributes.scheduled_event_id = activity.scheduled_event_id
    attributes.started_event_id = started_event_id
    attributes.retry_state = state
    attributes.identity = identity
    if failure is not None:
        attributes.failure.CopyFrom(failure)
    draft.add(event)


# Time


def time_passed(draft: Draft, scheduled_event_id: int) -> None:
    """Do what is due for this activity: end its backoff, or time it out."""
    activity = draft.activities[scheduled_event_id]
    kind = _due_timeout(activity, draft.now)
    if kind is not None:
        _time_out(draft, activity, kind)
    elif not activity.started and not activity.offered and activity.attempt_scheduled_time <= draft.now:
        activity = draft.activities.edit(scheduled_event_id)
        activity.offered = True
        draft.changed = True
        offer(draft, activity)


def _due_timeout(activity: Activity, now: int) -> TimeoutType.ValueType | None:
    """The timeout that has passed; of several, the one that the reference server reports."""
    due: list[tuple[int, int, TimeoutType.ValueType]] = []
    if activity.started:
        if activity.start_to_close:
            due.append((activity.started_time + activity.start_to_close, 0, TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE))
        if activity.heartbeat:
            alive = max(activity.started_time, activity.last_heartbeat_time)
            due.append((alive + activity.heartbeat, 1, TimeoutType.TIMEOUT_TYPE_HEARTBEAT))
    elif activity.offered and activity.schedule_to_start:
        due.append((activity.attempt_scheduled_time + activity.schedule_to_start, 0, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START))
    if activity.schedule_to_close:
        due.append((activity.scheduled_time + activity.schedule_to_close, 2, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE))
    passed = [entry for entry in due if entry[0] <= now]
    return min(passed)[2] if passed else None


def _time_out(draft: Draft, activity: Activity, kind: TimeoutType.ValueType) -> None:
    failure = _timeout_failure(kind, f"activity {TIMEOUT_NAMES[kind]} timeout")
    if kind in (TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE):
        state: RetryState.ValueType = RetryState.RETRY_STATE_TIMEOUT
        if activity.cancel_requested_event_id:
            state = RetryState.RETRY_STATE_CANCEL_REQUESTED
    else:
        state = _retry(draft, activity, failure)
        if state == RetryState.RETRY_STATE_IN_PROGRESS:
            return
    if state == RetryState.RETRY_STATE_TIMEOUT and kind != TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START:
        failure = _timeout_failure(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, NO_TIME_TO_RETRY)
    started_event_id = _write_started(draft, activity) if activity.started else 0
    if activity.heartbeat_details:
        failure.timeout_failure_info.last_heartbeat_details.ParseFromString(activity.heartbeat_details)
    if activity.last_failure:
        failure.cause.ParseFromString(activity.last_failure)
    event = draft.event(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    attributes = event.activity_task_timed_out_event_attributes
    attributes.scheduled_event_id = activity.scheduled_event_id
    attributes.started_event_id = started_event_id
    attributes.retry_state = state
    attributes.failure.CopyFrom(failure)
    draft.add(event)
    workflow_task.schedule(draft)


def _timeout_failure(kind: TimeoutType.ValueType, message: str) -> Failure:
    failure = Failure(message=message, source="Server")
    failure.timeout_failure_info.timeout_type = kind
    return failure
