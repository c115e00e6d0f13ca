"""What a client's calls raise, beside :class:`outlast.service.RPCError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlast.exceptions import TemporalError

if TYPE_CHECKING:
    from outlast.activity import ActivityCancellationDetails
    from outlast.client._executions import WorkflowExecutionStatus


class _HasCauseError(TemporalError):
    """An error that is known by its cause."""

    def __init__(self, message: str, cause: BaseException) -> None:
        super().__init__(message)
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """Why."""
        assert self.__cause__
        return self.__cause__


class WorkflowFailureError(_HasCauseError):
    """The workflow ended without a result: it failed, was cancelled or terminated, or took too long. The cause says which."""

    def __init__(self, *, cause: BaseException) -> None:
        """Keep the cause."""
        super().__init__("Workflow execution failed", cause)


class WorkflowContinuedAsNewError(TemporalError):
    """The run has no result of its own: another run goes on with its work."""

    def __init__(self, new_execution_run_id: str) -> None:
        """Keep the other run's id."""
        super().__init__("Workflow continued as new")
        self._new_execution_run_id = new_execution_run_id

    @property
    def new_execution_run_id(self) -> str:
        """Id of the run that goes on."""
        return self._new_execution_run_id


class WorkflowQueryRejectedError(TemporalError):
    """The query was not asked, since the workflow is in a state that the caller ruled out."""

    def __init__(self, status: WorkflowExecutionStatus | None) -> None:
        """Keep the workflow's status."""
        super().__init__(f"Query rejected, status: {status}")
        self._status = status

    @property
    def status(self) -> WorkflowExecutionStatus | None:
        """The workflow's status."""
        return self._status


class WorkflowQueryFailedError(TemporalError):
    """The workflow could not answer the query."""

    def __init__(self, message: str) -> None:
        """Keep the worker's message."""
        super().__init__(message)
        self._message = message

    @property
    def message(self) -> str:
        """Why, in the worker's words."""
        return self._message


class WorkflowUpdateFailedError(_HasCauseError):
    """The update was rejected by its validator or failed."""

    def __init__(self, cause: BaseException) -> None:
        """Keep the cause."""
        super().__init__("Workflow update failed", cause)


class RPCTimeoutOrCancelledError(TemporalError):
    """A call took too long or was cancelled by its caller."""


class WorkflowUpdateRPCTimeoutOrCancelledError(RPCTimeoutOrCancelledError):
    """A call that waits for an update took too long or was cancelled. The update itself goes on."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("Timeout or cancellation waiting for update")


class ActivityFailureError(_HasCauseError):
    """The activity ended without a result: it failed, was cancelled or terminated, or took too long. The cause says which."""

    def __init__(self, *, cause: BaseException) -> None:
        """Keep the cause."""
        super().__init__("Activity execution failed", cause)


class AsyncActivityCancelledError(TemporalError):
    """A heartbeat learned that the activity is to stop."""

    def __init__(self, details: ActivityCancellationDetails | None = None) -> None:
        """Keep what is known about the reason."""
        super().__init__("Activity cancelled")
        self.details = details


class ScheduleAlreadyRunningError(TemporalError):
    """There is a schedule of this id already."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("Schedule already running")
