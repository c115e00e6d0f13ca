"""The failures that a workflow sees when what it waits for does not succeed, in the words of the official core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from temporalio.api.failure.v1 import Failure

if TYPE_CHECKING:
    from temporalio.api.history.v1 import (
        ActivityTaskCanceledEventAttributes,
        ActivityTaskFailedEventAttributes,
        ActivityTaskTimedOutEventAttributes,
    )

_CANCEL_REQUESTED: Final = 7
NON_RETRYABLE: Final = 2


def activity_failed(attributes: ActivityTaskFailedEventAttributes, activity_type: str, activity_id: str) -> Failure:
    return Failure(
        message="Activity task failed",
        cause=attributes.failure,
        activity_failure_info={  # type: ignore[arg-type]
            "identity": attributes.identity,
            "activity_type": {"name": activity_type},
            "activity_id": activity_id,
            "retry_state": attributes.retry_state,
            "started_event_id": attributes.started_event_id,
            "scheduled_event_id": attributes.scheduled_event_id,
        },
    )


def activity_timed_out(attributes: ActivityTaskTimedOutEventAttributes, activity_type: str, activity_id: str) -> Failure:
    return Failure(
        message="Activity task timed out",
        cause=attributes.failure,
        activity_failure_info={  # type: ignore[arg-type]
            "activity_type": {"name": activity_type},
            "activity_id": activity_id,
            "retry_state": attributes.retry_state,
            "started_event_id": attributes.started_event_id,
            "scheduled_event_id": attributes.scheduled_event_id,
        },
    )


def activity_canceled(activity_type: str, activity_id: str, attributes: ActivityTaskCanceledEventAttributes | None = None) -> Failure:
    """`attributes` are None when the activity is reported cancelled before the server knows of it, or without waiting for it."""
    failure = Failure(
        message="Activity cancelled",
        cause={"canceled_failure_info": {"details": attributes.details if attributes and attributes.HasField("details") else None}},  # type: ignore[arg-type]
        activity_failure_info={  # type: ignore[arg-type]
            "activity_type": {"name": activity_type},
            "activity_id": activity_id,
            "retry_state": _CANCEL_REQUESTED,
        },
    )
    if attributes is not None:
        info = failure.activity_failure_info
        info.identity = attributes.identity
        info.started_event_id = attributes.started_event_id
        info.scheduled_event_id = attributes.scheduled_event_id
    return failure


def local_activity_wrapped(message: str, cause: Failure, activity_type: str, activity_id: str) -> Failure:
    """Around the cancellation or the timeout of a local activity."""
    return Failure(
        message=message,
        cause=cause,
        activity_failure_info={  # type: ignore[arg-type]
            "activity_type": {"name": activity_type},
            "activity_id": activity_id,
            "retry_state": _CANCEL_REQUESTED,
        },
    )


def canceled(message: str = "") -> Failure:
    return Failure(message=message, canceled_failure_info={})  # type: ignore[arg-type]


def timed_out(timeout_type: int) -> Failure:
    return Failure(message="Activity timed out", timeout_failure_info={"timeout_type": timeout_type})  # type: ignore[arg-type]


def application(message: str, kind: str) -> Failure:
    return Failure(message=message, application_failure_info={"type": kind})  # type: ignore[arg-type]


def workflow_timed_out() -> Failure:
    return Failure(message="Timed out", timeout_failure_info={"timeout_type": 1})  # type: ignore[arg-type]


def terminated() -> Failure:
    return Failure(message="Terminated", terminated_failure_info={})  # type: ignore[arg-type]


def child(message: str, cause: Failure, info: dict[str, Any]) -> Failure:
    return Failure(message=message, cause=cause, child_workflow_execution_failure_info=info)  # type: ignore[arg-type]
