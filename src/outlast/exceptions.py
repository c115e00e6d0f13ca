"""The errors that workflows, activities and clients raise and see.

TemporalError
└── FailureError                          anything that travels as a Failure message
    ├── ApplicationError                  raised by your code
    ├── CancelledError  TerminatedError  TimeoutError  ServerError
    ├── ActivityError  ChildWorkflowError  NexusOperationError      wrap the cause of what was called
    └── WorkflowAlreadyStartedError  ActivityAlreadyStartedError  …  a start that was refused
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import temporalio.api.failure.v1


class TemporalError(Exception):
    """Base of all errors of this SDK."""

    @property
    def cause(self) -> BaseException | None:
        """What led to this error; the same as `__cause__`."""
        return self.__cause__


class FailureError(TemporalError):
    """Base of the errors that are sent to the server, and come from it, as a Failure message."""

    def __init__(
        self,
        message: str,
        *,
        failure: temporalio.api.failure.v1.Failure | None = None,
        exc_args: tuple[Any, ...] | None = None,
    ) -> None:
        """`exc_args` are the `args` of the exception, the message alone if not given."""
        super().__init__(*((message,) if exc_args is None else exc_args))
        self._message = message
        self._failure = failure

    @property
    def message(self) -> str:
        """What happened."""
        return self._message

    @property
    def failure(self) -> temporalio.api.failure.v1.Failure | None:
        """The message that this error was made from, if it came from the server."""
        return self._failure


class WorkflowAlreadyStartedError(FailureError):
    """A workflow with this id runs already, or ran and may not be started again. Use another id, or another id policy.

    Attributes:
        workflow_id: Id of the workflow that exists.
        workflow_type: Name of its type.
        run_id: Id of its run, if a client raised this.
        first_run_id: Id of the first run of its chain, if a client raised this and the server gave it.
    """

    def __init__(self, workflow_id: str, workflow_type: str, *, run_id: str | None = None, first_run_id: str | None = None) -> None:
        super().__init__("Workflow execution already started")
        self.workflow_id = workflow_id
        self.workflow_type = workflow_type
        self.run_id = run_id
        self.first_run_id = first_run_id


class InvalidVersioningOverrideError(FailureError):
    """A child workflow could not be started since the server refused its versioning override."""

    def __init__(self) -> None:
        super().__init__("Invalid versioning override")


class ActivityAlreadyStartedError(FailureError):
    """A client tried to start an activity whose id is taken.

    Attributes:
        activity_id: Id of the activity that exists.
        activity_type: Name of its type.
        run_id: Id of its run, if a client raised this.
    """

    def __init__(self, activity_id: str, activity_type: str, *, run_id: str | None = None) -> None:
        super().__init__("Activity execution already started")
        self.activity_id = activity_id
        self.activity_type = activity_type
        self.run_id = run_id


class ApplicationErrorCategory(IntEnum):
    """How loudly an application error is reported. Experimental."""

    UNSPECIFIED = 0
    BENIGN = 1
    """Expected in normal work: logged at DEBUG and not counted in metrics."""


class ApplicationError(FailureError):
    """An error of your own code, in a workflow or an activity."""

    def __init__(
        self,
        message: str,
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: timedelta | None = None,
        category: ApplicationErrorCategory = ApplicationErrorCategory.UNSPECIFIED,
    ) -> None:
        """`details` are converted to payloads and come out again at the caller; `type` is what a retry policy names."""
        super().__init__(message, exc_args=(f"{type}: {message}" if type else message,))
        self._details = details
        self._type = type
        self._non_retryable = non_retryable
        self._next_retry_delay = next_retry_delay
        self._category = category

    @property
    def details(self) -> Sequence[Any]:
        """Values given to this error when it was raised."""
        return self._details

    @property
    def type(self) -> str | None:
        """Name of the kind of error: for a plain exception the name of its class."""
        return self._type

    @property
    def non_retryable(self) -> bool:
        """Whether whoever raised it forbade retries. A retry policy may forbid them, too, which is not seen here."""
        return self._non_retryable

    @property
    def next_retry_delay(self) -> timedelta | None:
        """Pause before the next attempt of the activity, in place of what the retry policy says."""
        return self._next_retry_delay

    @property
    def category(self) -> ApplicationErrorCategory:
        """How loudly it is reported."""
        return self._category


class CancelledError(FailureError):
    """A workflow or an activity ended since it was asked to."""

    def __init__(self, message: str = "Cancelled", *details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        """Values given with the cancellation."""
        return self._details


class TerminatedError(FailureError):
    """A workflow was ended from outside, without a chance to clean up."""

    def __init__(self, message: str, *details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        """Values given with the termination."""
        return self._details


class TimeoutType(IntEnum):
    """Which timeout ran out."""

    START_TO_CLOSE = 1
    SCHEDULE_TO_START = 2
    SCHEDULE_TO_CLOSE = 3
    HEARTBEAT = 4


class TimeoutError(FailureError):
    """A workflow or an activity took too long."""

    def __init__(self, message: str, *, type: TimeoutType | None, last_heartbeat_details: Sequence[Any]) -> None:
        super().__init__(message)
        self._type = type
        self._last_heartbeat_details = last_heartbeat_details

    @property
    def type(self) -> TimeoutType | None:
        """Which timeout ran out."""
        return self._type

    @property
    def last_heartbeat_details(self) -> Sequence[Any]:
        """What the activity said in its last heartbeat."""
        return self._last_heartbeat_details


class ServerError(FailureError):
    """An error that the server itself made."""

    def __init__(self, message: str, *, non_retryable: bool = False) -> None:
        super().__init__(message)
        self._non_retryable = non_retryable

    @property
    def non_retryable(self) -> bool:
        """Whether trying again is pointless."""
        return self._non_retryable


class RetryState(IntEnum):
    """Why there is no further attempt."""

    IN_PROGRESS = 1
    NON_RETRYABLE_FAILURE = 2
    TIMEOUT = 3
    MAXIMUM_ATTEMPTS_REACHED = 4
    RETRY_POLICY_NOT_SET = 5
    INTERNAL_SERVER_ERROR = 6
    CANCEL_REQUESTED = 7


class ActivityError(FailureError):
    """An activity that a workflow or a client called did not succeed; `cause` says why."""

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        started_event_id: int,
        identity: str,
        activity_type: str,
        activity_id: str,
        retry_state: RetryState | None,
    ) -> None:
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._started_event_id = started_event_id
        self._identity = identity
        self._activity_type = activity_type
        self._activity_id = activity_id
        self._retry_state = retry_state

    @property
    def scheduled_event_id(self) -> int:
        """Id of the event that scheduled the activity."""
        return self._scheduled_event_id

    @property
    def started_event_id(self) -> int:
        """Id of the event that says its last attempt began."""
        return self._started_event_id

    @property
    def identity(self) -> str:
        """The worker that ran its last attempt."""
        return self._identity

    @property
    def activity_type(self) -> str:
        """Name of the activity."""
        return self._activity_type

    @property
    def activity_id(self) -> str:
        """Id of the activity."""
        return self._activity_id

    @property
    def retry_state(self) -> RetryState | None:
        """Why it was not tried again."""
        return self._retry_state


class ChildWorkflowError(FailureError):
    """A child workflow did not succeed; `cause` says why."""

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str,
        workflow_type: str,
        initiated_event_id: int,
        started_event_id: int,
        retry_state: RetryState | None,
    ) -> None:
        super().__init__(message)
        self._namespace = namespace
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._workflow_type = workflow_type
        self._initiated_event_id = initiated_event_id
        self._started_event_id = started_event_id
        self._retry_state = retry_state

    @property
    def namespace(self) -> str:
        """Namespace of the child."""
        return self._namespace

    @property
    def workflow_id(self) -> str:
        """Workflow id of the child."""
        return self._workflow_id

    @property
    def run_id(self) -> str:
        """Run id of the child."""
        return self._run_id

    @property
    def workflow_type(self) -> str:
        """Name of the child's type."""
        return self._workflow_type

    @property
    def initiated_event_id(self) -> int:
        """Id of the event that asked for the child."""
        return self._initiated_event_id

    @property
    def started_event_id(self) -> int:
        """Id of the event that says the child began."""
        return self._started_event_id

    @property
    def retry_state(self) -> RetryState | None:
        """Why it was not tried again."""
        return self._retry_state


class NexusOperationError(FailureError):
    """A Nexus operation that a workflow called did not succeed; `cause` says why."""

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        endpoint: str,
        service: str,
        operation: str,
        operation_token: str,
    ) -> None:
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._endpoint = endpoint
        self._service = service
        self._operation = operation
        self._operation_token = operation_token

    @property
    def scheduled_event_id(self) -> int:
        """Id of the event that scheduled the operation."""
        return self._scheduled_event_id

    @property
    def endpoint(self) -> str:
        """Endpoint that was called."""
        return self._endpoint

    @property
    def service(self) -> str:
        """Service that was called."""
        return self._service

    @property
    def operation(self) -> str:
        """Name of the operation."""
        return self._operation

    @property
    def operation_token(self) -> str:
        """Token of the operation, if it ran asynchronously."""
        return self._operation_token


_WRAPPERS = (ActivityError, ChildWorkflowError, NexusOperationError)


def is_cancelled_exception(exception: BaseException) -> bool:
    """Whether an exception means that work was cancelled.

    It does when it is `asyncio.CancelledError` or `CancelledError`, or the error of an activity, a child workflow or a
    Nexus operation whose cause is a `CancelledError`.
    """
    if isinstance(exception, asyncio.CancelledError | CancelledError):
        return True
    return isinstance(exception, _WRAPPERS) and isinstance(exception.cause, CancelledError)
