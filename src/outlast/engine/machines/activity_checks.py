"""What the options of an activity must look like, and how they are filled in (platform.md 1.1).

A workflow that schedules an activity and an operator who changes one are held to the same rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.command.v1 import ScheduleActivityTaskCommandAttributes
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes

from outlast.engine import limits
from outlast.engine.checks import duration_flaw, priority_flaw, queue_name_flaw, size_bytes
from outlast.engine.refusals import BadCommand, InvalidArgument
from outlast.engine.retry import check_retry_policy, filled
from outlast.engine.state import Activity
from outlast.engine.wire import nanoseconds, set_duration

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

Cause = WorkflowTaskFailedCause
BAD_SCHEDULE = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES
Given = ScheduleActivityTaskCommandAttributes | ActivityOptions


def check_schedule(draft: Draft, command: ScheduleActivityTaskCommandAttributes) -> None:
    """Refuse what the reference server refuses, with its texts and in its order."""
    if not command.HasField("task_queue"):
        raise BadCommand(BAD_SCHEDULE, "taskQueue is not set")
    if flaw := queue_name_flaw(command.task_queue.name):
        raise BadCommand(BAD_SCHEDULE, flaw)
    if not command.activity_id:
        raise BadCommand(BAD_SCHEDULE, "activityId is not set")
    if not command.activity_type.name:
        raise BadCommand(BAD_SCHEDULE, "activityType is not set")
    if command.HasField("retry_policy"):
        try:
            check_retry_policy(filled(command.retry_policy))
        except InvalidArgument as refusal:
            raise BadCommand(BAD_SCHEDULE, refusal.message) from None
    for name, length in (("activityId", size_bytes(command.activity_id)), ("activityType", size_bytes(command.activity_type.name))):
        if length > limits.ID_BYTES_MAX:
            raise BadCommand(BAD_SCHEDULE, f"{name} exceeds length limit. Length={length} Limit={limits.ID_BYTES_MAX}")
    if flaw := _timeouts_flaw(command, command.activity_id, command.activity_type.name):
        raise BadCommand(BAD_SCHEDULE, flaw)
    if flaw := priority_flaw(command.priority):
        raise BadCommand(BAD_SCHEDULE, f"invalid priorities: {flaw}")
    if command.input.ByteSize() > draft.context.namespace.blob_bytes_max:
        text = "ScheduleActivityTaskCommandAttributes.Input exceeds size limit."
        raise BadCommand(BAD_SCHEDULE, text, terminates=True)
    if len(draft.activities) >= limits.PENDING_ACTIVITIES_MAX:
        cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED
        count, most = len(draft.activities), limits.PENDING_ACTIVITIES_MAX
        raise BadCommand(cause, f"the number of pending activities, {count}, has reached the per-workflow limit of {most}")
    if any(activity.activity_id == command.activity_id for activity in draft.activities):
        text = f"invalid history builder state for action: add-activitytask-scheduled-event, ActivityID: {command.activity_id}"
        raise BadCommand(Cause.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID, text)


def check_options(options: ActivityOptions, activity: Activity) -> None:
    """Refuse options that the activity cannot have. Raises InvalidArgument."""
    if flaw := queue_name_flaw(options.task_queue.name):
        raise InvalidArgument(flaw)
    check_retry_policy(filled(options.retry_policy))
    if flaw := _timeouts_flaw(options, activity.activity_id, activity.activity_type):
        raise InvalidArgument(flaw)
    if flaw := priority_flaw(options.priority):
        raise InvalidArgument(flaw)


def _timeouts_flaw(given: Given, activity_id: str, activity_type: str) -> str:
    for name, span in (
        ("ScheduleToCloseTimeout", given.schedule_to_close_timeout),
        ("ScheduleToStartTimeout", given.schedule_to_start_timeout),
        ("StartToCloseTimeout", given.start_to_close_timeout),
        ("HeartbeatTimeout", given.heartbeat_timeout),
    ):
        if flaw := duration_flaw(span):
            return f"invalid {name}: {flaw}"
    if not nanoseconds(given.schedule_to_close_timeout) and not nanoseconds(given.start_to_close_timeout):
        return (
            "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity."
            f" ActivityId={activity_id} ActivityType={activity_type}"
        )
    return ""


def fill_timeouts(run_timeout: int, given: Given, result: ActivityTaskScheduledEventAttributes | ActivityOptions) -> None:
    """Derive what is not given, and cap the rest; `given` and `result` may be one message."""

    def capped(span: Duration, cap: int) -> int:
        value = nanoseconds(span)
        return min(value, cap) if value and cap else value or cap

    to_close = capped(given.schedule_to_close_timeout, run_timeout)
    if nanoseconds(given.schedule_to_close_timeout):
        to_start = capped(given.schedule_to_start_timeout, to_close)
        running = capped(given.start_to_close_timeout, to_close)
    else:
        running = capped(given.start_to_close_timeout, run_timeout)
        to_start = capped(given.schedule_to_start_timeout, run_timeout)
    heartbeat = min(nanoseconds(given.heartbeat_timeout), running)
    set_duration(result.schedule_to_close_timeout, to_close)
    set_duration(result.schedule_to_start_timeout, to_start)
    set_duration(result.start_to_close_timeout, running)
    set_duration(result.heartbeat_timeout, heartbeat)
