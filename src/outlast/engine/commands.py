"""What a worker's commands become: one function for each kind, and the rules for a whole list of them."""

from collections.abc import Callable, Sequence

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import (
    CommandType,
    EventType,
    RetryState,
    WorkflowTaskFailedCause,
)
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import limits
from outlast.engine.checks import size_bytes, too_long
from outlast.engine.draft import Draft
from outlast.engine.machines import (
    activity,
    activity_checks,
    child_workflow,
    close,
    continue_as_new,
    external,
    properties,
    timer,
    update,
)
from outlast.engine.refusals import BadCommand, InvalidArgument

C = CommandType
Cause = WorkflowTaskFailedCause

_KNOWN = frozenset(C.values())

EVENT_OF = {
    C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    C.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    C.COMMAND_TYPE_START_TIMER: EventType.EVENT_TYPE_TIMER_STARTED,
    C.COMMAND_TYPE_CANCEL_TIMER: EventType.EVENT_TYPE_TIMER_CANCELED,
    C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    C.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    C.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    C.COMMAND_TYPE_RECORD_MARKER: EventType.EVENT_TYPE_MARKER_RECORDED,
    C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    C.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    C.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    C.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
}
"""The commands that are built, and the event that each becomes."""

BUILT = frozenset(EVENT_OF) | {C.COMMAND_TYPE_PROTOCOL_MESSAGE}
NEXUS = frozenset({C.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION, C.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION})
"""Refused as by a reference server that has no endpoint: no endpoint can be made yet."""

CLOSING = {
    C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    C.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
    C.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
    C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
}


def check_sequence(commands: Sequence[Command]) -> None:
    """Refuse, without a trace in history, an unknown command or one after a closing command."""
    for place, command in enumerate(commands):
        if command.command_type not in _KNOWN or not command.command_type:
            name = _short_name(command) if command.command_type in _KNOWN else str(command.command_type)
            raise InvalidArgument(f"unknown command type: {name}")
        if command.command_type in CLOSING and place != len(commands) - 1:
            names = ", ".join(_short_name(other) for other in commands)
            last = _short_name(command)
            raise InvalidArgument(f"invalid command sequence: [{names}], command {last} must be the last command.")


def _short_name(command: Command) -> str:
    return "".join(part.capitalize() for part in C.Name(command.command_type).removeprefix("COMMAND_TYPE_").split("_"))


def apply(draft: Draft, command: Command, completed_event_id: int, identity: str, waiting_before: int, answers: update.Answers) -> None:
    """Do one command. `waiting_before` is the first buffer id of this very completion: what is older blocks a close."""
    kind = command.command_type
    if kind in NEXUS:
        _refuse_nexus(command)
    if kind == C.COMMAND_TYPE_PROTOCOL_MESSAGE:
        _take_message(command, answers)
        return
    if kind in CLOSING and any(key < waiting_before for key, _ in draft.buffer.entries()):
        raise BadCommand(Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND)
    event = draft.event(EVENT_OF[kind])
    attributes = _attributes_of(event)
    if hasattr(attributes, "workflow_task_completed_event_id"):
        attributes.workflow_task_completed_event_id = completed_event_id
    if command.HasField("user_metadata"):
        event.user_metadata.CopyFrom(command.user_metadata)
    event.event_group_markers.extend(command.event_group_markers)
    _APPLY[kind](draft, command, event, identity)


def _refuse_nexus(command: Command) -> None:
    if command.command_type == C.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION:
        bad = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES
        if not command.HasField("schedule_nexus_operation_command_attributes"):
            raise BadCommand(bad, "empty ScheduleNexusOperationCommandAttributes")
        endpoint = command.schedule_nexus_operation_command_attributes.endpoint
        raise BadCommand(bad, f'endpoint "{endpoint}" not found')
    bad = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES
    if not command.HasField("request_cancel_nexus_operation_command_attributes"):
        raise BadCommand(bad, "empty CancelNexusOperationCommandAttributes")
    event_id = command.request_cancel_nexus_operation_command_attributes.scheduled_event_id
    text = f"requested cancelation for a non-existing or already completed operation with scheduled event ID of {event_id}"
    raise BadCommand(bad, text)


def _take_message(command: Command, answers: update.Answers) -> None:
    bad = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE
    if not command.HasField("protocol_message_command_attributes"):
        raise BadCommand(bad, "ProtocolMessageCommandAttributes is not set on ProtocolMessageCommand.")
    message_id = command.protocol_message_command_attributes.message_id
    if not message_id:
        raise BadCommand(bad, "MessageID is not set on ProtocolMessageCommand.")
    answers.take(message_id)


def _attributes_of(event: HistoryEvent):  # type: ignore[no-untyped-def]  # one of sixty generated messages
    name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower() + "_event_attributes"
    return getattr(event, name)


def _schedule_activity(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    attributes = command.schedule_activity_task_command_attributes
    if not command.HasField("schedule_activity_task_command_attributes"):
        raise BadCommand(activity_checks.BAD_SCHEDULE, "ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.")
    activity.schedule(draft, attributes, event)
    if attributes.request_eager_execution:
        draft.eager_activities = (*draft.eager_activities, event.event_id)


def _cancel_activity(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    attributes = command.request_cancel_activity_task_command_attributes
    if not command.HasField("request_cancel_activity_task_command_attributes"):
        text = "RequestCancelActivityTaskCommandAttributes is not set on RequestCancelActivityTaskCommand."
        raise BadCommand(activity.BAD_CANCEL, text)
    activity.request_cancel(draft, attributes.scheduled_event_id, event, identity)


def _start_timer(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    if not command.HasField("start_timer_command_attributes"):
        raise BadCommand(timer.BAD_START, "StartTimerCommandAttributes is not set on StartTimerCommand.")
    timer.start(draft, command.start_timer_command_attributes, event)


def _cancel_timer(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    if not command.HasField("cancel_timer_command_attributes"):
        raise BadCommand(timer.BAD_CANCEL, "CancelTimerCommandAttributes is not set on CancelTimerCommand.")
    timer.cancel(draft, command.cancel_timer_command_attributes.timer_id, event, identity)


def _record_marker(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    bad = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES
    marker = command.record_marker_command_attributes
    if not command.HasField("record_marker_command_attributes"):
        raise BadCommand(bad, "RecordMarkerCommandAttributes is not set on RecordMarkerCommand.")
    if not marker.marker_name:
        raise BadCommand(bad, "MarkerName is not set on RecordMarkerCommand.")
    if size_bytes(marker.marker_name) > limits.ID_BYTES_MAX:
        raise BadCommand(bad, f"MarkerName on RecordMarkerCommand exceeds length limit. {too_long('MarkerName', marker.marker_name)}")
    if sum(payloads.ByteSize() for payloads in marker.details.values()) > draft.context.namespace.blob_bytes_max:
        raise BadCommand(bad, "RecordMarkerCommandAttributes.Details exceeds size limit.", terminates=True)
    recorded = event.marker_recorded_event_attributes
    recorded.marker_name = marker.marker_name
    for key, payloads in marker.details.items():
        recorded.details[key].CopyFrom(payloads)
    if marker.HasField("header"):
        recorded.header.CopyFrom(marker.header)
    if marker.HasField("failure"):
        recorded.failure.CopyFrom(marker.failure)
    draft.add(event)


def _complete(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    bad = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES
    if not command.HasField("complete_workflow_execution_command_attributes"):
        raise BadCommand(bad, "CompleteWorkflowExecutionCommandAttributes is not set on CompleteWorkflowExecutionCommand.")
    asked = command.complete_workflow_execution_command_attributes
    if asked.result.ByteSize() > draft.context.namespace.blob_bytes_max:
        text = "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit."
        raise BadCommand(activity_checks.BAD_SCHEDULE, text, terminates=True)
    result = asked.result if asked.HasField("result") else None
    attributes = event.workflow_execution_completed_event_attributes
    if result is not None:
        attributes.result.CopyFrom(result)
    following = close.run_after_completion(draft, result)
    if following is not None:
        attributes.new_execution_run_id = draft.context.fresh_id
    draft.add(event)
    if following is not None:
        close.succeed(draft, following)


def _fail(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    bad = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES
    asked = command.fail_workflow_execution_command_attributes
    if not command.HasField("fail_workflow_execution_command_attributes"):
        raise BadCommand(bad, "FailWorkflowExecutionCommandAttributes is not set on FailWorkflowExecutionCommand.")
    if not asked.HasField("failure"):
        raise BadCommand(bad, "Failure is not set on FailWorkflowExecutionCommand.")
    if asked.failure.ByteSize() > draft.context.namespace.blob_bytes_max:
        raise BadCommand(bad, "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.", terminates=True)
    attributes = event.workflow_execution_failed_event_attributes
    attributes.failure.CopyFrom(asked.failure)
    following, state = close.run_after_failure(draft, asked.failure)
    attributes.retry_state = state or RetryState.RETRY_STATE_UNSPECIFIED
    if following is not None:
        attributes.new_execution_run_id = draft.context.fresh_id
    draft.add(event)
    if following is not None:
        close.succeed(draft, following)


def _cancel(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    asked = command.cancel_workflow_execution_command_attributes
    if not command.HasField("cancel_workflow_execution_command_attributes"):
        bad = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES
        raise BadCommand(bad, "CancelWorkflowExecutionCommandAttributes is not set on CancelWorkflowExecutionCommand.")
    if asked.HasField("details"):
        event.workflow_execution_canceled_event_attributes.details.CopyFrom(asked.details)
    draft.add(event)


def _continue_as_new(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    name = "continue_as_new_workflow_execution_command_attributes"
    if not command.HasField("continue_as_new_workflow_execution_command_attributes"):
        text = "ContinueAsNewWorkflowExecutionCommandAttributes is not set on ContinueAsNewWorkflowExecutionCommand."
        raise BadCommand(continue_as_new.BAD, text)
    continue_as_new.continue_as_new(draft, getattr(command, name), event)


def _start_child(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    if not command.HasField("start_child_workflow_execution_command_attributes"):
        text = "StartChildWorkflowExecutionCommandAttributes is not set on StartChildWorkflowExecutionCommand."
        raise BadCommand(child_workflow.BAD_CHILD, text)
    child_workflow.initiate(draft, command.start_child_workflow_execution_command_attributes, event)


def _signal_external(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    if not command.HasField("signal_external_workflow_execution_command_attributes"):
        text = "SignalExternalWorkflowExecutionCommandAttributes is not set on SignalExternalWorkflowExecutionCommand."
        raise BadCommand(external.BAD_SIGNAL, text)
    external.signal(draft, command.signal_external_workflow_execution_command_attributes, event)


def _cancel_external(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    if not command.HasField("request_cancel_external_workflow_execution_command_attributes"):
        text = "RequestCancelExternalWorkflowExecutionCommandAttributes is not set on RequestCancelExternalWorkflowExecutionCommand."
        raise BadCommand(external.BAD_CANCEL, text)
    completed_event_id = event.request_cancel_external_workflow_execution_initiated_event_attributes.workflow_task_completed_event_id
    external.request_cancel(draft, command.request_cancel_external_workflow_execution_command_attributes, event, completed_event_id)


def _upsert(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    if not command.HasField("upsert_workflow_search_attributes_command_attributes"):
        text = "UpsertWorkflowSearchAttributesCommandAttributes is not set on UpsertWorkflowSearchAttributesCommand."
        raise BadCommand(properties.BAD_ATTRIBUTES, text)
    properties.upsert(draft, command.upsert_workflow_search_attributes_command_attributes, event)


def _modify(draft: Draft, command: Command, event: HistoryEvent, identity: str) -> None:
    if not command.HasField("modify_workflow_properties_command_attributes"):
        text = "ModifyWorkflowPropertiesCommandAttributes is not set on ModifyWorkflowPropertiesCommand."
        raise BadCommand(properties.BAD_PROPERTIES, text)
    properties.modify(draft, command.modify_workflow_properties_command_attributes, event)


_APPLY: dict[int, Callable[[Draft, Command, HistoryEvent, str], None]] = {
    C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: _schedule_activity,
    C.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: _cancel_activity,
    C.COMMAND_TYPE_START_TIMER: _start_timer,
    C.COMMAND_TYPE_CANCEL_TIMER: _cancel_timer,
    C.COMMAND_TYPE_RECORD_MARKER: _record_marker,
    C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: _complete,
    C.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: _fail,
    C.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: _cancel,
    C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: _continue_as_new,
    C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: _start_child,
    C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: _signal_external,
    C.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: _cancel_external,
    C.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: _upsert,
    C.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: _modify,
}
