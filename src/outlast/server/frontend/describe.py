"""What DescribeWorkflowExecution and lists show of a run (workflow-core.md 5.10, platform.md 1.11)."""

from temporalio.api.common.v1 import Callback as WireCallback
from temporalio.api.common.v1 import Memo, Payload, Priority, SearchAttributes
from temporalio.api.enums.v1 import (
    EventType,
    PendingActivityState,
    PendingWorkflowTaskState,
    TaskQueueKind,
    WorkflowExecutionStatus,
)
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.workflow.v1 import (
    CallbackInfo,
    PendingActivityInfo,
    ResetPoints,
    WorkflowExecutionInfo,
)
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from outlast.engine import search_attributes
from outlast.engine.retry import to_wire
from outlast.engine.state import DELIVERY_FAILED, Activity, Callback, Execution, Run
from outlast.engine.triggers import NamespaceView
from outlast.engine.wire import set_duration, set_time
from outlast.server.frontend import time_skipping
from outlast.server.store.protocol import VisibilityRecord

_UNSET_S = -62135596800
"""The reference server's "no time": Go's zero time in seconds."""


def describe_execution(execution: Execution, namespace: NamespaceView, now: int) -> DescribeWorkflowExecutionResponse:
    """What is known of a run at the world's time `now`."""
    described = DescribeWorkflowExecutionResponse()
    _config(execution.run, described)
    _info(execution, namespace, described.workflow_execution_info)
    _extended(execution, described)
    if execution.run.time_skipping is not None:
        described.workflow_extended_info.time_skipping_info.CopyFrom(time_skipping.shown(execution.run.time_skipping, now))
    described.pending_activities.extend(_pending_activity(activity) for activity in execution.activities.values())
    _pending_children(execution, described)
    described.callbacks.extend(_callback(callback) for callback in execution.callbacks.values())
    if execution.run.open:
        _pending_workflow_task(execution.run, described)
    return described


def _config(run: Run, described: DescribeWorkflowExecutionResponse) -> None:
    config = described.execution_config
    config.task_queue.name = run.task_queue
    config.task_queue.kind = TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    if run.execution_timeout is not None:
        set_duration(config.workflow_execution_timeout, run.execution_timeout)
    if run.run_timeout is not None:
        set_duration(config.workflow_run_timeout, run.run_timeout)
    set_duration(config.default_workflow_task_timeout, run.task_timeout)
    if run.user_metadata:
        config.user_metadata.CopyFrom(UserMetadata.FromString(run.user_metadata))


def _info(execution: Execution, namespace: NamespaceView, info: WorkflowExecutionInfo) -> None:
    run = execution.run
    info.execution.workflow_id = run.workflow_id
    info.execution.run_id = run.run_id
    info.type.name = run.workflow_type
    info.status = run.shown_status  # type: ignore[assignment]
    set_time(info.start_time, run.start_time)
    set_time(info.execution_time, run.execution_time)
    if not run.open:
        set_time(info.close_time, run.close_time)
        set_duration(info.execution_duration, max(run.close_time - run.execution_time, 0))
    info.history_length = run.next_event_id - 1
    info.history_size_bytes = run.history_size_bytes
    info.state_transition_count = run.transition_count
    info.first_run_id = run.first_run_id
    info.task_queue = run.task_queue
    if run.parent is not None:
        info.parent_namespace_id = run.parent.namespace_id
        info.parent_execution.workflow_id = run.parent.workflow_id
        info.parent_execution.run_id = run.parent.run_id
    info.root_execution.workflow_id = run.root_workflow_id or run.workflow_id
    info.root_execution.run_id = run.root_run_id or run.run_id
    info.memo.SetInParent()
    for key, data in execution.memo.items():
        info.memo.fields[key].ParseFromString(data)
    attributes = SearchAttributes(indexed_fields={key: Payload.FromString(data) for key, data in execution.search_attributes.items()})
    typed_search_attributes(attributes, namespace)
    info.search_attributes.CopyFrom(attributes)
    if run.worker_version:
        info.most_recent_worker_version_stamp.ParseFromString(run.worker_version)
    info.auto_reset_points.CopyFrom(ResetPoints.FromString(run.reset_points))
    if run.priority is not None:
        info.priority.CopyFrom(Priority.FromString(run.priority))


def typed_search_attributes(attributes: SearchAttributes, namespace: NamespaceView) -> None:
    """Say each value's type in its metadata, as clients expect. Those that the namespace does not have any more are left out."""
    for name, payload in list(attributes.indexed_fields.items()):
        kind = search_attributes.kind_of(name, namespace)
        if kind is not None and search_attributes.value_of(kind, payload.SerializeToString()) is not None:
            payload.metadata["type"] = search_attributes.TYPE_NAMES[kind].encode()
        else:
            del attributes.indexed_fields[name]


def _extended(execution: Execution, described: DescribeWorkflowExecutionResponse) -> None:
    run = execution.run
    extended = described.workflow_extended_info
    if run.execution_expiration:
        set_time(extended.execution_expiration_time, run.execution_expiration)
    if run.run_expiration:
        set_time(extended.run_expiration_time, run.run_expiration)
    else:
        extended.run_expiration_time.seconds = _UNSET_S
    set_time(extended.original_start_time, run.original_start_time or run.start_time)
    if run.last_reset_time:
        set_time(extended.last_reset_time, run.last_reset_time)
    extended.reset_run_id = run.reset_run_id
    extended.cancel_requested = run.cancel_requested
    started = extended.request_id_infos[run.create_request_id]
    started.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    started.event_id = 1
    if run.paused is not None and run.open:
        extended.pause_info.identity = run.paused.identity
        extended.pause_info.reason = run.paused.reason
        set_time(extended.pause_info.paused_time, run.paused.since)
    for request_id, attached in execution.attached.items():
        info = extended.request_id_infos[request_id]
        info.event_type = attached.event_type  # type: ignore[assignment]
        info.event_id = attached.event_id
        info.buffered = not attached.event_id


def _callback(callback: Callback) -> CallbackInfo:
    info = CallbackInfo(callback=WireCallback.FromString(callback.data), attempt=callback.attempt)
    info.state = callback.state  # type: ignore[assignment]
    set_time(info.registration_time, callback.registration_time)
    if callback.update_id:
        info.trigger.update_workflow_execution_completed.update_id = callback.update_id
    else:
        info.trigger.workflow_closed.SetInParent()
    if callback.last_attempt_complete_time:
        set_time(info.last_attempt_complete_time, callback.last_attempt_complete_time)
    if callback.failure:
        info.last_attempt_failure.message = callback.failure
        info.last_attempt_failure.application_failure_info.non_retryable = callback.state == DELIVERY_FAILED
    if callback.next_attempt_time:
        set_time(info.next_attempt_schedule_time, callback.next_attempt_time)
    return info


def _pending_activity(activity: Activity) -> PendingActivityInfo:
    info = PendingActivityInfo(
        activity_id=activity.activity_id,
        attempt=activity.attempt,
        maximum_attempts=activity.retry_policy.maximum_attempts,
        last_worker_identity=activity.identity,
    )
    info.activity_type.name = activity.activity_type
    info.state = _activity_state(activity)
    set_time(info.scheduled_time, activity.attempt_scheduled_time)
    if activity.started:
        set_time(info.last_started_time, activity.last_started_time)
    if activity.last_heartbeat_time:
        set_time(info.last_heartbeat_time, activity.last_heartbeat_time)
    if activity.heartbeat_details:
        info.heartbeat_details.ParseFromString(activity.heartbeat_details)
    if activity.last_failure:
        info.last_failure.ParseFromString(activity.last_failure)
    if activity.retry_deadline:
        set_time(info.expiration_time, activity.retry_deadline)
    if activity.last_attempt_complete_time:
        set_time(info.last_attempt_complete_time, activity.last_attempt_complete_time)
    if not activity.started and not activity.offered and not activity.paused:
        set_time(info.next_attempt_schedule_time, activity.attempt_scheduled_time)
        set_duration(info.current_retry_interval, activity.retry_interval)
    if activity.priority is not None:
        info.priority.CopyFrom(Priority.FromString(activity.priority))
    if activity.pause is not None:
        info.paused = True
        set_time(info.pause_info.pause_time, activity.pause.time)
        info.pause_info.manual.identity = activity.pause.identity
        info.pause_info.manual.reason = activity.pause.reason
    _activity_options(activity, info)
    return info


def _activity_state(activity: Activity) -> PendingActivityState.ValueType:
    if activity.cancel_requested_event_id:
        return PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
    if activity.started:
        if activity.paused:
            return PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
        return PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    if activity.paused:
        return PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED
    return PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED


def _activity_options(activity: Activity, info: PendingActivityInfo) -> None:
    options = info.activity_options
    options.task_queue.name = activity.task_queue
    options.task_queue.normal_name = activity.task_queue
    set_duration(options.schedule_to_close_timeout, activity.schedule_to_close)
    set_duration(options.schedule_to_start_timeout, activity.schedule_to_start)
    set_duration(options.start_to_close_timeout, activity.start_to_close)
    set_duration(options.heartbeat_timeout, activity.heartbeat)
    options.retry_policy.CopyFrom(to_wire(activity.retry_policy))
    options.retry_policy.ClearField("non_retryable_error_types")
    if activity.priority is not None:
        options.priority.CopyFrom(Priority.FromString(activity.priority))


def _pending_children(execution: Execution, described: DescribeWorkflowExecutionResponse) -> None:
    for child in execution.children.values():
        described.pending_children.add(
            workflow_id=child.workflow_id,
            run_id=child.run_id,
            workflow_type_name=child.workflow_type,
            initiated_id=child.initiated_event_id,
            parent_close_policy=child.parent_close_policy,
        )


def _pending_workflow_task(run: Run, described: DescribeWorkflowExecutionResponse) -> None:
    task = run.workflow_task
    if task is None:
        return
    info = described.pending_workflow_task
    info.attempt = task.attempt
    info.state = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
    set_time(info.scheduled_time, task.scheduled_time)
    set_time(info.original_scheduled_time, task.original_scheduled_time)
    if task.started:
        info.state = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
        set_time(info.started_time, task.started_time)


def listed_execution(record: VisibilityRecord, namespace: NamespaceView) -> WorkflowExecutionInfo:
    """A run as lists show it."""
    info = WorkflowExecutionInfo(task_queue=record.task_queue)
    info.status = WorkflowExecutionStatus.ValueType(record.status)
    info.execution.workflow_id = record.workflow_id
    info.execution.run_id = record.run_id
    info.type.name = record.workflow_type
    set_time(info.start_time, record.start_time)
    set_time(info.execution_time, record.execution_time)
    if record.close_time is not None:
        set_time(info.close_time, record.close_time)
        set_duration(info.execution_duration, max(record.close_time - record.execution_time, 0))
        info.history_length = record.history_length
        info.history_size_bytes = record.history_size_bytes
        info.state_transition_count = record.state_transition_count
    info.memo.CopyFrom(Memo.FromString(record.memo))
    attributes = SearchAttributes.FromString(record.search_attributes)
    typed_search_attributes(attributes, namespace)
    for name, payload in attributes.indexed_fields.items():
        payload.data = search_attributes.canonical(search_attributes.kind_of(name, namespace) or 0, payload) or b""
    info.search_attributes.CopyFrom(attributes)
    if record.parent_workflow_id:
        info.parent_execution.workflow_id = record.parent_workflow_id
        info.parent_execution.run_id = record.parent_run_id
    info.root_execution.workflow_id = record.root_workflow_id or record.workflow_id
    info.root_execution.run_id = record.root_run_id or record.run_id
    return info
