"""Short constructors of commands, payloads and failures for scenarios."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import ActivityType, Memo, Payload, Payloads, RetryPolicy, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.taskqueue.v1 import TaskQueue

BLOB_LIMIT = 2 * 1024 * 1024


def payload(value: Any) -> Payload:
    """Return a JSON payload."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def payloads(*values: Any) -> Payloads:
    """Return JSON payloads."""
    return Payloads(payloads=[payload(value) for value in values])


def oversized() -> Payloads:
    """Return one payload just above the blob limit."""
    return Payloads(payloads=[Payload(metadata={"encoding": b"binary/plain"}, data=b"x" * (BLOB_LIMIT + 1))])


def memo(**fields: Any) -> Memo:
    """Return a memo."""
    return Memo(fields={name: payload(value) for name, value in fields.items()})


def search_attributes(**fields: Any) -> SearchAttributes:
    """Return search attributes."""
    return SearchAttributes(indexed_fields={name: payload(value) for name, value in fields.items()})


def seconds(number: float) -> Duration:
    """Return a duration; it may be negative."""
    duration = Duration()
    duration.FromNanoseconds(int(number * 1e9))
    return duration


def retry(initial: float = 1, attempts: int = 0, coefficient: float = 1, **fields: Any) -> RetryPolicy:
    """Return a retry policy."""
    return RetryPolicy(initial_interval=seconds(initial), maximum_attempts=attempts, backoff_coefficient=coefficient, **fields)


def failure(message: str = "failure", kind: str = "T", non_retryable: bool = False, **fields: Any) -> Failure:
    """Return an application failure; `fields` belong to its info."""
    return Failure(message=message, application_failure_info=ApplicationFailureInfo(type=kind, non_retryable=non_retryable, **fields))


def command(kind: str, attributes: Message | None = None, **extra: Any) -> Command:
    """Return the command `kind` (enum name without prefix) with the attributes given."""
    made = Command(command_type=CommandType.Value(f"COMMAND_TYPE_{kind}"), **extra)
    if attributes is not None:
        field = next(f for f in Command.DESCRIPTOR.fields if f.message_type is not None and f.message_type == attributes.DESCRIPTOR)
        getattr(made, field.name).CopyFrom(attributes)
    return made


def of(kind: str, **fields: Any) -> Command:
    """Return the command `kind` with attributes made of `fields` (None leaves one out)."""
    name = "".join(word.capitalize() for word in kind.split("_")) + "CommandAttributes"
    from temporalio.api.command import v1 as commands

    return command(kind, getattr(commands, name)(**{key: value for key, value in fields.items() if value is not None}))


def complete(result: Any = "result") -> Command:
    """Complete the workflow."""
    return of("COMPLETE_WORKFLOW_EXECUTION", result=payloads(result))


def fail(made: Failure | None = None) -> Command:
    """Fail the workflow."""
    return of("FAIL_WORKFLOW_EXECUTION", failure=made or failure())


def cancel(details: Any = "cancelled") -> Command:
    """Close the workflow as cancelled."""
    return of("CANCEL_WORKFLOW_EXECUTION", details=payloads(details))


def timer(timer_id: str, wait: float = 1) -> Command:
    """Start a timer."""
    return of("START_TIMER", timer_id=timer_id, start_to_fire_timeout=seconds(wait))


def cancel_timer(timer_id: str) -> Command:
    """Cancel a timer."""
    return of("CANCEL_TIMER", timer_id=timer_id)


def marker(name: str = "marker") -> Command:
    """Record a marker."""
    return of("RECORD_MARKER", marker_name=name, details={"detail": payloads("detail")})


def activity(activity_id: str, queue: str, **fields: Any) -> Command:
    """Schedule an activity, with 30 s to run unless `fields` say otherwise (None leaves one out)."""
    usual: dict[str, Any] = {
        "activity_id": activity_id,
        "activity_type": ActivityType(name="at"),
        "task_queue": TaskQueue(name=queue),
        "start_to_close_timeout": seconds(30),
        "input": payloads("activity input"),
    }
    return of("SCHEDULE_ACTIVITY_TASK", **(usual | fields))


def cancel_activity(scheduled_event_id: int) -> Command:
    """Request the cancellation of an activity."""
    return of("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=scheduled_event_id)


def continue_as_new(**fields: Any) -> Command:
    """Continue as new, with fresh input."""
    return of("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", **({"input": payloads("next input")} | fields))


def child(workflow_id: str, **fields: Any) -> Command:
    """Start a child workflow."""
    usual: dict[str, Any] = {"workflow_id": workflow_id, "workflow_type": WorkflowType(name="ct"), "input": payloads("child input")}
    return of("START_CHILD_WORKFLOW_EXECUTION", **(usual | fields))


def signal_external(workflow_id: str, run_id: str = "", **fields: Any) -> Command:
    """Signal another workflow."""
    usual: dict[str, Any] = {
        "execution": WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        "signal_name": "external",
        "input": payloads("external input"),
    }
    return of("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", **(usual | fields))


def cancel_external(workflow_id: str, run_id: str = "", **fields: Any) -> Command:
    """Request the cancellation of another workflow."""
    usual: dict[str, Any] = {"workflow_id": workflow_id, "run_id": run_id, "reason": "external reason"}
    return of("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", **(usual | fields))
