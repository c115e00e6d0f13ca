"""What an operator may do to pending activities: pause, unpause, reset, change options (platform.md 1.10).

None of it writes an event. Each call is about one activity, all of a type, or all of them. An attempt that waits is
offered anew under a new stamp, which makes the old offer worthless; one that is started goes on, and hears of it by
heartbeat.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import msgspec
from google.protobuf.duration_pb2 import Duration
from temporalio.api.activity.v1 import ActivityOptions as WireOptions
from temporalio.api.common.v1 import Priority
from temporalio.api.enums.v1 import TaskQueueKind
from temporalio.api.workflowservice.v1 import (
    PauseActivityRequest,
    ResetActivityRequest,
    UnpauseActivityRequest,
    UpdateActivityOptionsRequest,
)

from outlast.engine.machines.activity import end_reset, forget_heartbeat, offer
from outlast.engine.machines.activity_checks import check_options, fill_timeouts
from outlast.engine.machines.pause import note
from outlast.engine.refusals import (
    NO_SUCH_ACTIVITY,
    WORKFLOW_COMPLETED,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
)
from outlast.engine.retry import from_wire, interval, to_wire
from outlast.engine.state import Activity, ActivityOptions, ActivityPause
from outlast.engine.wire import nanoseconds, set_duration

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

Request = PauseActivityRequest | UnpauseActivityRequest | ResetActivityRequest | UpdateActivityOptionsRequest


def _selected(draft: Draft, request: Request) -> list[int]:
    """The scheduled event ids of the activities that the request is about. Raises NotFound when there is none."""
    by = request.WhichOneof("activity")
    if by == "id":
        found = [activity for activity in draft.activities if activity.activity_id == request.id]
    elif by == "type":
        found = [activity for activity in draft.activities if activity.activity_type == request.type]
    else:
        found = list(draft.activities)
    if not found:
        raise NotFound(NO_SUCH_ACTIVITY)
    return [activity.scheduled_event_id for activity in found]


def _check_open(draft: Draft) -> None:
    if not draft.run.open:
        raise NotFound(WORKFLOW_COMPLETED)


# Pausing


def pause(draft: Draft, request: PauseActivityRequest) -> None:
    """Hold the activities back. The same request again is fine; another one is refused."""
    _check_open(draft)
    for scheduled_event_id in _selected(draft, request):
        pending = draft.activities[scheduled_event_id]
        if pending.pause is not None:
            if pending.pause.request_id != request.request_id:
                raise FailedPrecondition("activity is already paused")
            continue
        activity = draft.activities.edit(scheduled_event_id)
        activity.pause = ActivityPause(draft.now, request.request_id, request.identity, request.reason)
        if not activity.started:
            activity.stamp += 1
            activity.offered = False
        note(draft)
        draft.changed = True


def unpause(draft: Draft, request: UnpauseActivityRequest) -> None:
    """Let the paused ones go on: what waits is offered, without the rest of its backoff."""
    _check_open(draft)
    for scheduled_event_id in _selected(draft, request):
        if not draft.activities[scheduled_event_id].paused:
            continue
        activity = draft.activities.edit(scheduled_event_id)
        activity.pause = None
        if request.reset_attempts:
            activity.attempt = 1
        if request.reset_heartbeat:
            forget_heartbeat(activity)
        if not activity.started:
            _schedule(draft, activity, draft.now + _jitter(draft, activity, request.jitter))
        note(draft)
        draft.changed = True


# Beginning anew


def reset(draft: Draft, request: ResetActivityRequest) -> None:
    """Count the attempts from one again. What waits is offered at once; a pause ends unless it is to be kept.

    The token of a started attempt names its number: if that was not the first, its worker is not heard any more and
    the attempt times out. So it is on the reference server.
    """
    _check_open(draft)
    for scheduled_event_id in _selected(draft, request):
        activity = draft.activities.edit(scheduled_event_id)
        activity.attempt = 1
        activity.reset = True
        activity.forget_heartbeat = activity.forget_heartbeat or request.reset_heartbeat
        if request.restore_original_options and activity.original_options is not None:
            _apply(activity, activity.original_options, with_priority=False)
        draft.changed = True
        if activity.paused and not request.keep_paused:
            activity.pause = None
            note(draft)
        if not activity.started and not activity.paused:
            _schedule(draft, activity, draft.now + _jitter(draft, activity, request.jitter))


def _schedule(draft: Draft, activity: Activity, when: int) -> None:
    """Offer the attempt at that moment, or now if it has passed; not while the activity is paused."""
    activity.stamp += 1
    activity.attempt_scheduled_time = when
    activity.retry_interval = when - (activity.last_attempt_complete_time or draft.now)
    activity.last_failure = b""
    end_reset(activity)
    activity.offered = when <= draft.now and not activity.paused
    offer(draft, activity)


def _jitter(draft: Draft, activity: Activity, most: Duration) -> int:
    """A span below `most`, drawn from the fresh id, another one for each activity."""
    span = nanoseconds(most)
    if span <= 0:
        return 0
    drawn = (int(draft.context.fresh_id[-12:], 16) + activity.scheduled_event_id * 0x9E3779B97F4A) % (1 << 48)
    return span * drawn >> 48


# Options


def update_options(draft: Draft, request: UpdateActivityOptionsRequest) -> None:
    """Change what the mask names, or put all options back to what the workflow asked for.

    The transition's `activity_options` are those of the last activity.
    """
    paths = {_snake_case(path) for path in request.update_mask.paths}
    if request.restore_original:
        _restore(draft, request, paths)
        return
    _check_open(draft)
    if not request.HasField("activity_options"):
        raise InvalidArgument("ActivityOptions are not provided")
    if not request.HasField("update_mask"):
        raise InvalidArgument("UpdateMask is not provided")
    for scheduled_event_id in _selected(draft, request):
        activity = draft.activities.edit(scheduled_event_id)
        options = _to_wire(_options(activity))
        options.retry_policy.ClearField("non_retryable_error_types")
        options.task_queue.kind = TaskQueueKind.TASK_QUEUE_KIND_NORMAL
        _merge(options, request.activity_options, paths)
        check_options(options, activity)
        fill_timeouts(0, options, options)
        _change(draft, activity, _from_wire(options, activity))
        draft.activity_options = options


def _restore(draft: Draft, request: UpdateActivityOptionsRequest, paths: AbstractSet[str]) -> None:
    if paths:
        raise InvalidArgument("Both UpdateMask and RestoreOriginal are provided")
    for scheduled_event_id in _selected(draft, request):
        activity = draft.activities[scheduled_event_id]
        original = activity.original_options or _options(activity)
        if draft.run.open:
            _change(draft, draft.activities.edit(scheduled_event_id), original)
        draft.activity_options = _to_wire(original)


def _change(draft: Draft, activity: Activity, options: ActivityOptions) -> None:
    activity.original_options = activity.original_options or _options(activity)
    _apply(activity, options)
    draft.changed = True
    if not activity.started:
        _schedule(draft, activity, _next_attempt(activity))


def _next_attempt(activity: Activity) -> int:
    """When an attempt that waits is due by its options; a first attempt stays where it is."""
    backoff = interval(activity.retry_policy, activity.attempt)
    if activity.attempt == 1 or not backoff:
        return activity.attempt_scheduled_time
    # After a timeout the last attempt's end is not recorded, but known.
    ended = activity.last_attempt_complete_time or activity.attempt_scheduled_time - activity.retry_interval
    return ended + backoff


def _merge(options: WireOptions, given: WireOptions, paths: AbstractSet[str]) -> None:
    """Take over what the paths name; unknown paths are ignored."""
    for field in ("schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout", "heartbeat_timeout"):
        if field in paths:
            getattr(options, field).CopyFrom(getattr(given, field))
    if "task_queue.name" in paths:
        if not given.HasField("task_queue"):
            raise InvalidArgument("TaskQueue is not provided")
        options.task_queue.name = given.task_queue.name
    if "priority" in paths:
        options.ClearField("priority")
        if given.HasField("priority"):
            options.priority.CopyFrom(given.priority)
    for part in ("priority_key", "fairness_key", "fairness_weight"):
        if f"priority.{part}" in paths:
            if not given.HasField("priority"):
                raise InvalidArgument("Priority is not provided")
            setattr(options.priority, part, getattr(given.priority, part))
    _merge_retry_policy(options, given, paths)


def _merge_retry_policy(options: WireOptions, given: WireOptions, paths: AbstractSet[str]) -> None:
    named = {part: f"retry_policy.{part}" in paths for part in ("initial_interval", "maximum_interval")}
    plain = {part: f"retry_policy.{part}" in paths for part in ("backoff_coefficient", "maximum_attempts")}
    whole = "retry_policy" in paths
    if not given.HasField("retry_policy") and (whole or any(named.values()) or any(plain.values())):
        raise InvalidArgument("RetryPolicy is not provided")
    if whole:
        options.retry_policy.CopyFrom(given.retry_policy)
    for part, wanted in named.items():
        if wanted:
            getattr(options.retry_policy, part).CopyFrom(getattr(given.retry_policy, part))
    for part, wanted in plain.items():
        if wanted:
            setattr(options.retry_policy, part, getattr(given.retry_policy, part))


def _snake_case(path: str) -> str:
    return re.sub("[A-Z]", lambda capital: "_" + capital.group().lower(), path)


# Options as values


def _options(activity: Activity) -> ActivityOptions:
    return ActivityOptions(
        activity.task_queue,
        activity.schedule_to_close,
        activity.schedule_to_start,
        activity.start_to_close,
        activity.heartbeat,
        activity.retry_policy,
        activity.priority,
    )


def _apply(activity: Activity, options: ActivityOptions, *, with_priority: bool = True) -> None:
    activity.task_queue = options.task_queue
    activity.schedule_to_close = options.schedule_to_close
    activity.schedule_to_start = options.schedule_to_start
    activity.start_to_close = options.start_to_close
    activity.heartbeat = options.heartbeat
    activity.retry_policy = options.retry_policy
    if with_priority:
        activity.priority = options.priority


def _to_wire(options: ActivityOptions) -> WireOptions:
    wire = WireOptions(retry_policy=to_wire(options.retry_policy))
    wire.task_queue.name = options.task_queue
    set_duration(wire.schedule_to_close_timeout, options.schedule_to_close)
    set_duration(wire.schedule_to_start_timeout, options.schedule_to_start)
    set_duration(wire.start_to_close_timeout, options.start_to_close)
    set_duration(wire.heartbeat_timeout, options.heartbeat)
    if options.priority is not None:
        wire.priority.CopyFrom(Priority.FromString(options.priority))
    return wire


def _from_wire(wire: WireOptions, activity: Activity) -> ActivityOptions:
    """The new options; which types of errors are not retried is not one of them."""
    not_retried = activity.retry_policy.non_retryable_error_types
    return ActivityOptions(
        wire.task_queue.name,
        nanoseconds(wire.schedule_to_close_timeout),
        nanoseconds(wire.schedule_to_start_timeout),
        nanoseconds(wire.start_to_close_timeout),
        nanoseconds(wire.heartbeat_timeout),
        msgspec.structs.replace(from_wire(wire.retry_policy), non_retryable_error_types=not_retried),
        wire.priority.SerializeToString() if wire.HasField("priority") else None,
    )
