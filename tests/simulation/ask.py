"""The commands and messages of the simulated workflows, and the events that they become."""

from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message as AnyMessage
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Outcome, Rejection, Request, Response

from tests.simulation.scripts import QUEUE, Script, payloads

E = EventType
C = CommandType

_NAMES: dict[int, tuple[str, Any]] = {
    E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: ("activity", lambda a: a.activity_id),
    E.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: ("cancel activity", lambda a: str(a.scheduled_event_id)),
    E.EVENT_TYPE_TIMER_STARTED: ("timer", lambda a: a.timer_id),
    E.EVENT_TYPE_TIMER_CANCELED: ("cancel timer", lambda a: a.timer_id),
    E.EVENT_TYPE_MARKER_RECORDED: ("marker", lambda a: a.marker_name),
    E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: ("child", lambda a: a.workflow_id),
    E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: ("tell", lambda a: a.workflow_execution.workflow_id),
    E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: ("tell", lambda a: a.workflow_execution.workflow_id),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: ("accept", lambda a: a.protocol_instance_id),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: ("answer", lambda a: a.meta.update_id),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: ("complete", lambda a: ""),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: ("fail", lambda a: ""),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: ("cancel", lambda a: ""),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: ("again", lambda a: ""),
}

OUTCOMES: dict[int, str] = {
    E.EVENT_TYPE_TIMER_FIRED: "started_event_id",
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: "scheduled_event_id",
    E.EVENT_TYPE_ACTIVITY_TASK_FAILED: "scheduled_event_id",
    E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "scheduled_event_id",
    E.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "scheduled_event_id",
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: "initiated_event_id",
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: "initiated_event_id",
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: "initiated_event_id",
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: "initiated_event_id",
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: "initiated_event_id",
    E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: "initiated_event_id",
    E.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: "initiated_event_id",
    E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: "initiated_event_id",
    E.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: "initiated_event_id",
    E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: "initiated_event_id",
}
"""The end of a thing that a command began, and the field that names its beginning."""


def named(event: HistoryEvent) -> tuple[str, str]:
    """What kind of command made this event, and the name that the program gave to it."""
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    kind, name = _NAMES[event.event_type]
    return kind, name(attributes)


def schedule_activity(name: str, wanted: dict[str, Any]) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = name
    attributes.activity_type.name = "act"
    attributes.task_queue.name = QUEUE
    attributes.input.CopyFrom(payloads(wanted))
    attributes.start_to_close_timeout.seconds = wanted["close"]
    attributes.heartbeat_timeout.seconds = wanted.get("heartbeat", 0)
    attributes.schedule_to_close_timeout.seconds = wanted.get("total", 0)
    attributes.retry_policy.maximum_attempts = wanted["attempts"]
    attributes.retry_policy.initial_interval.seconds = 1
    attributes.retry_policy.maximum_interval.seconds = 4
    attributes.request_eager_execution = wanted["eager"]
    return command


def cancel_activity(scheduled_event_id: int) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK)
    command.request_cancel_activity_task_command_attributes.scheduled_event_id = scheduled_event_id
    return command


def start_timer(name: str, seconds: float) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = name
    command.start_timer_command_attributes.start_to_fire_timeout.FromMilliseconds(int(seconds * 1000))
    return command


def cancel_timer(name: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_CANCEL_TIMER)
    command.cancel_timer_command_attributes.timer_id = name
    return command


def marker(name: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_RECORD_MARKER)
    command.record_marker_command_attributes.marker_name = name
    return command


def start_child(workflow_id: str, script: Script, policy: int) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    attributes = command.start_child_workflow_execution_command_attributes
    attributes.workflow_id = workflow_id
    attributes.workflow_type.name = "script"
    attributes.input.CopyFrom(payloads(script))
    attributes.parent_close_policy = policy  # type: ignore[assignment]
    return command


def signal_external(workflow_id: str, token: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.signal_external_workflow_execution_command_attributes
    attributes.execution.workflow_id = workflow_id
    attributes.signal_name = "told"
    attributes.input.CopyFrom(payloads(token))
    return command


def cancel_external(workflow_id: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION)
    command.request_cancel_external_workflow_execution_command_attributes.workflow_id = workflow_id
    return command


def complete(result: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    command.complete_workflow_execution_command_attributes.result.CopyFrom(payloads(result))
    return command


def fail(token: str) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
    command.fail_workflow_execution_command_attributes.failure.CopyFrom(failure(f"{token} fails"))
    return command


def cancel() -> Command:
    command = Command(command_type=C.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)
    command.cancel_workflow_execution_command_attributes.SetInParent()
    return command


def continue_as_new(script: Script) -> Command:
    command = Command(command_type=C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    attributes = command.continue_as_new_workflow_execution_command_attributes
    attributes.workflow_type.name = "script"
    attributes.input.CopyFrom(payloads(script))
    return command


def failure(message: str, *, non_retryable: bool = False) -> Failure:
    made = Failure(message=message)
    made.application_failure_info.type = "Simulated"
    made.application_failure_info.non_retryable = non_retryable
    return made


def acceptance(update_id: str, request: Message | None) -> Message:
    body = Acceptance(accepted_request_message_id=request.id if request else "")
    if request is not None:
        body.accepted_request_sequencing_event_id = request.event_id
    return _message(update_id, "accept", body)


def response(update_id: str, token: str) -> Message:
    answer = Response(outcome=Outcome(success=payloads([update_id, token])))
    answer.meta.update_id = update_id
    return _message(update_id, "answer", answer)


def rejection(request: Message) -> Message:
    body = Rejection(rejected_request_message_id=request.id, failure=failure("no"))
    body.rejected_request.CopyFrom(Request.FromString(request.body.value))
    return _message(request.protocol_instance_id, "reject", body)


def _message(update_id: str, what: str, body: AnyMessage) -> Message:
    packed = Packed()
    packed.Pack(body)
    return Message(id=f"{update_id}/{what}", protocol_instance_id=update_id, body=packed)
