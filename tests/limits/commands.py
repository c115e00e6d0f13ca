"""Commands for tests of limits."""

from __future__ import annotations

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import ActivityType, Payload, WorkflowType
from temporalio.api.enums.v1 import CommandType as C

COMPLETE = Command(command_type=C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
COMPLETE.complete_workflow_execution_command_attributes.SetInParent()
CONTINUE = Command(command_type=C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
CONTINUE.continue_as_new_workflow_execution_command_attributes.SetInParent()


def markers(count: int) -> list[Command]:
    command = Command(command_type=C.COMMAND_TYPE_RECORD_MARKER)
    command.record_marker_command_attributes.marker_name = "marker"
    return [command] * count


def timer(timer_id: str, seconds: int = 60) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = timer_id
    command.start_timer_command_attributes.start_to_fire_timeout.seconds = seconds
    return command


def activity(activity_id: str, seconds: int = 60) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = activity_id
    attributes.activity_type.CopyFrom(ActivityType(name="Work"))
    attributes.task_queue.name = "orders"
    attributes.start_to_close_timeout.seconds = seconds
    return command


def child(workflow_id: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    command.start_child_workflow_execution_command_attributes.workflow_id = workflow_id
    command.start_child_workflow_execution_command_attributes.workflow_type.CopyFrom(WorkflowType(name="Child"))
    return command


def signal_external(workflow_id: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
    command.signal_external_workflow_execution_command_attributes.execution.workflow_id = workflow_id
    command.signal_external_workflow_execution_command_attributes.signal_name = "hello"
    return command


def cancel_external(workflow_id: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION)
    command.request_cancel_external_workflow_execution_command_attributes.workflow_id = workflow_id
    return command


def upsert(**values: bytes) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
    fields = command.upsert_workflow_search_attributes_command_attributes.search_attributes.indexed_fields
    for name, data in values.items():
        fields[name].CopyFrom(Payload(metadata={"encoding": b"json/plain"}, data=data))
    return command


def modify(**values: bytes) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES)
    for name, data in values.items():
        command.modify_workflow_properties_command_attributes.upserted_memo.fields[name].data = data
    return command
