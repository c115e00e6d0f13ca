"""Failure converters: exceptions to failure messages and back."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import temporalio.api.failure.v1

from outlast import exceptions
from outlast.converter._payload_converter import PayloadConverter

_ENCODED_MESSAGE = "Encoded failure"


class FailureConverter(ABC):
    """Converts exceptions to failure messages and back.

    Of what a workflow raises only a `FailureError` gets here (and what is declared to fail the workflow); anything else
    fails the workflow task.
    """

    default: ClassVar[FailureConverter]
    """The converter that is used when none is given."""

    @abstractmethod
    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: temporalio.api.failure.v1.Failure) -> None:
        """Write an exception to a message, which is empty. The exception must not be changed."""
        raise NotImplementedError

    @abstractmethod
    def from_failure(self, failure: temporalio.api.failure.v1.Failure, payload_converter: PayloadConverter) -> BaseException:
        """The exception that a message stands for. The message must not be changed."""
        raise NotImplementedError


class DefaultFailureConverter(FailureConverter):
    """The converter of all Temporal SDKs. Exceptions that are no `FailureError` become an `ApplicationError` of their name."""

    def __init__(self, *, encode_common_attributes: bool = False) -> None:
        """`encode_common_attributes` moves message and stack trace into a payload, so that a codec applies to them."""
        super().__init__()
        self._encode_common_attributes = encode_common_attributes

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: temporalio.api.failure.v1.Failure) -> None:
        """Write an exception, and what caused it, to a message."""
        error = exception if isinstance(exception, exceptions.FailureError) else _as_application_error(exception)
        if error.failure is not None:
            failure.CopyFrom(error.failure)
        else:
            self._write(error, payload_converter, failure)
        if self._encode_common_attributes:
            attributes = {"message": failure.message, "stack_trace": failure.stack_trace}
            failure.encoded_attributes.CopyFrom(payload_converter.to_payloads([attributes])[0])
            failure.message = _ENCODED_MESSAGE
            failure.stack_trace = ""

    def _write(
        self, error: exceptions.FailureError, payload_converter: PayloadConverter, failure: temporalio.api.failure.v1.Failure
    ) -> None:
        failure.message = error.message
        if error.__traceback__:
            failure.stack_trace = "\n".join(traceback.format_tb(error.__traceback__))
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause:
            self.to_failure(cause, payload_converter, failure.cause)
        for kind, write in _WRITERS:
            if isinstance(error, kind):
                write(error, payload_converter, failure)
                return

    def from_failure(self, failure: temporalio.api.failure.v1.Failure, payload_converter: PayloadConverter) -> BaseException:
        """The exception, and its causes, that a message stands for."""
        if failure.HasField("encoded_attributes"):
            failure = _with_decoded_attributes(failure, payload_converter)
        read = _READERS.get(failure.WhichOneof("failure_info") or "", _failure_error)
        error = read(failure, payload_converter)
        error._failure = failure
        if failure.HasField("cause"):
            error.__cause__ = self.from_failure(failure.cause, payload_converter)
        return error


class DefaultFailureConverterWithEncodedAttributes(DefaultFailureConverter):
    """`DefaultFailureConverter` that moves message and stack trace into a payload, so that a codec applies to them."""

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)


def _as_application_error(exception: BaseException) -> exceptions.ApplicationError:
    error = exceptions.ApplicationError(str(exception), type=type(exception).__name__)
    error.__traceback__ = exception.__traceback__
    error.__cause__ = exception.__cause__
    return error


def _with_decoded_attributes(
    failure: temporalio.api.failure.v1.Failure, payload_converter: PayloadConverter
) -> temporalio.api.failure.v1.Failure:
    """A copy with the message and the stack trace that were moved away; with those that are there, if they cannot be read."""
    copy = temporalio.api.failure.v1.Failure()
    copy.CopyFrom(failure)
    try:
        attributes = payload_converter.from_payloads([failure.encoded_attributes])[0]
    except Exception:  # noqa: BLE001 a codec that lacks the key must not hide that something failed
        return copy
    if isinstance(attributes, dict):
        if isinstance(message := attributes.get("message"), str):
            copy.message = message
        if isinstance(stack_trace := attributes.get("stack_trace"), str):
            copy.stack_trace = stack_trace
    return copy


def _write_application(error: exceptions.ApplicationError, converter: PayloadConverter, failure: Any) -> None:
    info = failure.application_failure_info
    info.SetInParent()
    info.type = error.type or ""
    info.non_retryable = error.non_retryable
    if error.details:
        info.details.payloads.extend(converter.to_payloads(error.details))
    if error.next_retry_delay:
        info.next_retry_delay.FromTimedelta(error.next_retry_delay)
    if error.category:
        info.category = int(error.category)


def _write_timeout(error: exceptions.TimeoutError, converter: PayloadConverter, failure: Any) -> None:
    info = failure.timeout_failure_info
    info.SetInParent()
    info.timeout_type = int(error.type or 0)
    if error.last_heartbeat_details:
        info.last_heartbeat_details.payloads.extend(converter.to_payloads(error.last_heartbeat_details))


def _write_cancelled(error: exceptions.CancelledError, converter: PayloadConverter, failure: Any) -> None:
    failure.canceled_failure_info.SetInParent()
    if error.details:
        failure.canceled_failure_info.details.payloads.extend(converter.to_payloads(error.details))


def _write_terminated(error: exceptions.TerminatedError, converter: PayloadConverter, failure: Any) -> None:
    failure.terminated_failure_info.SetInParent()


def _write_server(error: exceptions.ServerError, converter: PayloadConverter, failure: Any) -> None:
    failure.server_failure_info.SetInParent()
    failure.server_failure_info.non_retryable = error.non_retryable


def _write_activity(error: exceptions.ActivityError, converter: PayloadConverter, failure: Any) -> None:
    info = failure.activity_failure_info
    info.SetInParent()
    info.scheduled_event_id = error.scheduled_event_id
    info.started_event_id = error.started_event_id
    info.identity = error.identity
    info.activity_type.name = error.activity_type
    info.activity_id = error.activity_id
    info.retry_state = int(error.retry_state or 0)


def _write_child(error: exceptions.ChildWorkflowError, converter: PayloadConverter, failure: Any) -> None:
    info = failure.child_workflow_execution_failure_info
    info.SetInParent()
    info.namespace = error.namespace
    info.workflow_execution.workflow_id = error.workflow_id
    info.workflow_execution.run_id = error.run_id
    info.workflow_type.name = error.workflow_type
    info.initiated_event_id = error.initiated_event_id
    info.started_event_id = error.started_event_id
    info.retry_state = int(error.retry_state or 0)


def _write_nexus(error: exceptions.NexusOperationError, converter: PayloadConverter, failure: Any) -> None:
    info = failure.nexus_operation_execution_failure_info
    info.SetInParent()
    info.scheduled_event_id = error.scheduled_event_id
    info.endpoint = error.endpoint
    info.service = error.service
    info.operation = error.operation
    info.operation_token = error.operation_token


_WRITERS: tuple[tuple[type[exceptions.FailureError], Callable[[Any, PayloadConverter, Any], None]], ...] = (
    (exceptions.ApplicationError, _write_application),
    (exceptions.TimeoutError, _write_timeout),
    (exceptions.CancelledError, _write_cancelled),
    (exceptions.TerminatedError, _write_terminated),
    (exceptions.ServerError, _write_server),
    (exceptions.ActivityError, _write_activity),
    (exceptions.ChildWorkflowError, _write_child),
    (exceptions.NexusOperationError, _write_nexus),
)


def _failure_error(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    return exceptions.FailureError(failure.message or "Failure error")


def _application(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    info = failure.application_failure_info
    return exceptions.ApplicationError(
        failure.message or "Application error",
        *converter.from_payloads_wrapper(info.details),
        type=info.type or None,
        non_retryable=info.non_retryable,
        next_retry_delay=info.next_retry_delay.ToTimedelta() if info.HasField("next_retry_delay") else None,
        category=exceptions.ApplicationErrorCategory(info.category),
    )


def _timeout(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    info = failure.timeout_failure_info
    return exceptions.TimeoutError(
        failure.message or "Timeout",
        type=exceptions.TimeoutType(info.timeout_type) if info.timeout_type else None,
        last_heartbeat_details=converter.from_payloads_wrapper(info.last_heartbeat_details),
    )


def _cancelled(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    details = converter.from_payloads_wrapper(failure.canceled_failure_info.details)
    return exceptions.CancelledError(failure.message or "Cancelled", *details)


def _terminated(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    return exceptions.TerminatedError(failure.message or "Terminated")


def _server(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    return exceptions.ServerError(failure.message or "Server error", non_retryable=failure.server_failure_info.non_retryable)


def _activity(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    info = failure.activity_failure_info
    return exceptions.ActivityError(
        failure.message or "Activity error",
        scheduled_event_id=info.scheduled_event_id,
        started_event_id=info.started_event_id,
        identity=info.identity,
        activity_type=info.activity_type.name,
        activity_id=info.activity_id,
        retry_state=exceptions.RetryState(info.retry_state) if info.retry_state else None,
    )


def _child(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    info = failure.child_workflow_execution_failure_info
    return exceptions.ChildWorkflowError(
        failure.message or "Child workflow error",
        namespace=info.namespace,
        workflow_id=info.workflow_execution.workflow_id,
        run_id=info.workflow_execution.run_id,
        workflow_type=info.workflow_type.name,
        initiated_event_id=info.initiated_event_id,
        started_event_id=info.started_event_id,
        retry_state=exceptions.RetryState(info.retry_state) if info.retry_state else None,
    )


def _nexus(failure: Any, converter: PayloadConverter) -> exceptions.FailureError:
    info = failure.nexus_operation_execution_failure_info
    return exceptions.NexusOperationError(
        failure.message or "Nexus operation error",
        scheduled_event_id=info.scheduled_event_id,
        endpoint=info.endpoint,
        service=info.service,
        operation=info.operation,
        operation_token=info.operation_token,
    )


_READERS: dict[str, Callable[[Any, PayloadConverter], exceptions.FailureError]] = {
    "application_failure_info": _application,
    "timeout_failure_info": _timeout,
    "canceled_failure_info": _cancelled,
    "terminated_failure_info": _terminated,
    "server_failure_info": _server,
    "activity_failure_info": _activity,
    "child_workflow_execution_failure_info": _child,
    "nexus_operation_execution_failure_info": _nexus,
}
