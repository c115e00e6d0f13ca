"""A worker's commands, and an operator's wishes, in one line each."""

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.command.v1 import (
    CancelTimerCommandAttributes,
    CancelWorkflowExecutionCommandAttributes,
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    ContinueAsNewWorkflowExecutionCommandAttributes,
    FailWorkflowExecutionCommandAttributes,
    ModifyWorkflowPropertiesCommandAttributes,
    RecordMarkerCommandAttributes,
    RequestCancelActivityTaskCommandAttributes,
    RequestCancelExternalWorkflowExecutionCommandAttributes,
    ScheduleActivityTaskCommandAttributes,
    SignalExternalWorkflowExecutionCommandAttributes,
    StartChildWorkflowExecutionCommandAttributes,
    StartTimerCommandAttributes,
    UpsertWorkflowSearchAttributesCommandAttributes,
)
from temporalio.api.common.v1 import ActivityType, Memo, RetryPolicy, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.failure.v1 import Failure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PauseActivityRequest,
    ResetActivityRequest,
    UnpauseActivityRequest,
    UpdateActivityOptionsRequest,
)

from outlast.engine import triggers as t
from tests.engine.given import application_failure, payload, payloads, seconds

C = CommandType


def _spans(fields: dict[str, Any]) -> dict[str, Any]:
    """Timeouts may be given as plain seconds."""
    return {key: seconds(value) if key.endswith(("timeout", "interval")) else value for key, value in fields.items()}


def retry_policy(**fields: Any) -> RetryPolicy:
    return RetryPolicy(**_spans(fields))


def activity(activity_id: str = "a", **fields: Any) -> Command:
    wanted = {"start_to_close_timeout": 10} | fields if "schedule_to_close_timeout" not in fields else fields
    wanted = {"activity_type": ActivityType(name="Charge"), "task_queue": TaskQueue(name="payments")} | _spans(wanted)
    attributes = ScheduleActivityTaskCommandAttributes(activity_id=activity_id, **wanted)
    return Command(command_type=C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, schedule_activity_task_command_attributes=attributes)


def cancel_activity(scheduled_event_id: int) -> Command:
    attributes = RequestCancelActivityTaskCommandAttributes(scheduled_event_id=scheduled_event_id)
    return Command(command_type=C.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, request_cancel_activity_task_command_attributes=attributes)


def timer(timer_id: str = "nap", span: float | None = 60) -> Command:
    attributes = StartTimerCommandAttributes(timer_id=timer_id)
    if span is not None:
        attributes.start_to_fire_timeout.CopyFrom(seconds(span))
    return Command(command_type=C.COMMAND_TYPE_START_TIMER, start_timer_command_attributes=attributes)


def cancel_timer(timer_id: str = "nap") -> Command:
    attributes = CancelTimerCommandAttributes(timer_id=timer_id)
    return Command(command_type=C.COMMAND_TYPE_CANCEL_TIMER, cancel_timer_command_attributes=attributes)


def marker(name: str = "version") -> Command:
    attributes = RecordMarkerCommandAttributes(marker_name=name)
    return Command(command_type=C.COMMAND_TYPE_RECORD_MARKER, record_marker_command_attributes=attributes)


def completed(result: str | None = None) -> Command:
    attributes = CompleteWorkflowExecutionCommandAttributes(result=None if result is None else payloads(result))
    return Command(command_type=C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, complete_workflow_execution_command_attributes=attributes)


def failed(failure: Failure | None = None) -> Command:
    attributes = FailWorkflowExecutionCommandAttributes(failure=failure or application_failure())
    return Command(command_type=C.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, fail_workflow_execution_command_attributes=attributes)


def canceled() -> Command:
    attributes = CancelWorkflowExecutionCommandAttributes(details=payloads('"stopped"'))
    return Command(command_type=C.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, cancel_workflow_execution_command_attributes=attributes)


def continued_as_new(**fields: Any) -> Command:
    attributes = ContinueAsNewWorkflowExecutionCommandAttributes(**_spans(fields))
    kind = C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION
    return Command(command_type=kind, continue_as_new_workflow_execution_command_attributes=attributes)


def child(workflow_id: str = "parcel", **fields: Any) -> Command:
    wanted = {"workflow_type": WorkflowType(name="Parcel")} | _spans(fields)
    attributes = StartChildWorkflowExecutionCommandAttributes(workflow_id=workflow_id, **wanted)
    return Command(command_type=C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION, start_child_workflow_execution_command_attributes=attributes)


def signal_external(workflow_id: str = "neighbour", **fields: Any) -> Command:
    wanted = {"execution": WorkflowExecution(workflow_id=workflow_id), "signal_name": "hello"} | fields
    attributes = SignalExternalWorkflowExecutionCommandAttributes(**wanted)
    kind = C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION
    return Command(command_type=kind, signal_external_workflow_execution_command_attributes=attributes)


def cancel_external(workflow_id: str = "neighbour", **fields: Any) -> Command:
    attributes = RequestCancelExternalWorkflowExecutionCommandAttributes(workflow_id=workflow_id, **fields)
    kind = C.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION
    return Command(command_type=kind, request_cancel_external_workflow_execution_command_attributes=attributes)


def upsert(**values: str) -> Command:
    indexed = SearchAttributes(indexed_fields={key: payload(data) for key, data in values.items()})
    attributes = UpsertWorkflowSearchAttributesCommandAttributes(search_attributes=indexed)
    kind = C.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    return Command(command_type=kind, upsert_workflow_search_attributes_command_attributes=attributes)


def memo(**values: str) -> Command:
    attributes = ModifyWorkflowPropertiesCommandAttributes(upserted_memo=Memo(fields={key: payload(data) for key, data in values.items()}))
    return Command(command_type=C.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, modify_workflow_properties_command_attributes=attributes)


# Operators


def _which(fields: dict[str, Any]) -> dict[str, Any]:
    """The activity `a`, unless the fields say otherwise."""
    return fields if fields.keys() & {"id", "type", "match_all", "unpause_all"} else {"id": "a"} | fields


def pause(**fields: Any) -> t.PauseActivity:
    return t.PauseActivity(PauseActivityRequest(**_which(fields)))


def unpause(**fields: Any) -> t.UnpauseActivity:
    return t.UnpauseActivity(UnpauseActivityRequest(**_which(fields)))


def reset(**fields: Any) -> t.ResetActivity:
    return t.ResetActivity(ResetActivityRequest(**_which(fields)))


def new_options(paths: str, **fields: Any) -> t.UpdateActivityOptions:
    """`fields` are options, but for those that say which activity."""
    which = {key: fields.pop(key) for key in ("id", "type", "match_all") if key in fields}
    options = ActivityOptions(**_spans(fields))
    mask = FieldMask(paths=paths.split())
    return t.UpdateActivityOptions(UpdateActivityOptionsRequest(activity_options=options, update_mask=mask, **_which(which)))


def original_options(**fields: Any) -> t.UpdateActivityOptions:
    return t.UpdateActivityOptions(UpdateActivityOptionsRequest(restore_original=True, **_which(fields)))
