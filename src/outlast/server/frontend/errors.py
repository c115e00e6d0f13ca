"""Refusals and setbacks as gRPC statuses with the details that SDKs switch on (workflow-core.md, section 7)."""

import msgspec
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from temporalio.api.enums.v1 import ResourceExhaustedCause, ResourceExhaustedScope
from temporalio.api.errordetails.v1 import (
    MultiOperationExecutionFailure,
    NamespaceAlreadyExistsFailure,
    NamespaceNotFoundFailure,
    NotFoundFailure,
    PermissionDeniedFailure,
    QueryFailedFailure,
    ResourceExhaustedFailure,
    WorkflowExecutionAlreadyStartedFailure,
    WorkflowNotReadyFailure,
)
from temporalio.api.failure.v1 import MultiOperationExecutionAborted

from outlast.engine import refusals
from outlast.engine.refusals import Refusal
from outlast.server.frontend.codes import StatusCode
from outlast.server.frontend.limits import ERROR_BYTES_MAX
from outlast.server.shard.queries import QueryExpired, QueryFailed
from outlast.server.store.errors import BadPageToken, StoreError, StoreFull


class RpcError(msgspec.Struct, frozen=True):
    """One gRPC error."""

    code: StatusCode
    message: str
    detail: Message | None = None
    initial_metadata: tuple[tuple[str, str], ...] = ()

    def status(self) -> bytes:
        """The serialized google.rpc.Status with its detail; empty when there is none, as on the wire."""
        if self.detail is None:
            return b""
        packed = Any()
        packed.Pack(self.detail)
        status: bytes = Status(code=self.code, message=self.message, details=[packed]).SerializeToString()
        return status


class CallFailed(Exception):
    """A call was refused, or broke: what its caller is told."""

    def __init__(self, error: RpcError) -> None:
        super().__init__(error.message)
        self.error = error


class MultiOperationFailed(Refusal):
    """One of several operations was refused, so none was done."""

    def __init__(self, errors: list[RpcError | None]) -> None:
        super().__init__("Update-with-Start could not be executed.")
        self.errors = errors

    def rpc(self) -> RpcError:
        """The code of the culprit; a status for each operation."""
        detail = MultiOperationExecutionFailure()
        for error in self.errors:
            status = detail.statuses.add()
            if error is None:
                status.code = StatusCode.ABORTED
                status.message = "Operation was aborted."
                status.details.add().Pack(MultiOperationExecutionAborted())
                continue
            status.code = error.code
            status.message = error.message
            if error.detail is not None:
                packed = Any()
                packed.Pack(error.detail)
                status.details.append(packed)
        culprit = next(error for error in self.errors if error is not None)
        return RpcError(culprit.code, self.message, detail)


def rpc_error(error: Exception) -> RpcError:
    """The gRPC form of a refusal or a setback. Whatever else is a bug, and INTERNAL."""
    message = str(error)[:ERROR_BYTES_MAX]
    match error:
        case MultiOperationFailed():
            return error.rpc()
        case refusals.NamespaceNotFound(namespace=namespace):
            return RpcError(StatusCode.NOT_FOUND, message, NamespaceNotFoundFailure(namespace=namespace))
        case refusals.NamespaceExists():
            return RpcError(StatusCode.ALREADY_EXISTS, message, NamespaceAlreadyExistsFailure())
        case refusals.NotFound():
            return RpcError(StatusCode.NOT_FOUND, message, NotFoundFailure())
        case refusals.AlreadyStarted():
            detail = WorkflowExecutionAlreadyStartedFailure(
                start_request_id=error.start_request_id,
                run_id=error.run_id,
                first_execution_run_id=error.first_execution_run_id,
            )
            return RpcError(StatusCode.ALREADY_EXISTS, message, detail)
        case QueryFailed():
            failure = error.result.failure if error.result.HasField("failure") else None
            return RpcError(StatusCode.INVALID_ARGUMENT, message, QueryFailedFailure(failure=failure))
        case QueryExpired():
            return RpcError(StatusCode.DEADLINE_EXCEEDED, message)
        case refusals.InvalidArgument() | BadPageToken():
            return RpcError(StatusCode.INVALID_ARGUMENT, message)
        case refusals.WorkflowNotReady():
            return RpcError(StatusCode.FAILED_PRECONDITION, message, WorkflowNotReadyFailure())
        case refusals.FailedPrecondition():
            return RpcError(StatusCode.FAILED_PRECONDITION, message)
        case refusals.Unsupported():
            return RpcError(StatusCode.UNIMPLEMENTED, message)
        case refusals.TooManyAtOnce():
            return _exhausted(message, ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT, "ConcurrentLimit")
        case refusals.UpdateLost():
            return RpcError(StatusCode.UNAVAILABLE, message)
        case refusals.PermissionDenied():
            return RpcError(StatusCode.PERMISSION_DENIED, message, PermissionDeniedFailure())
        case refusals.Busy():
            return _exhausted(message, ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW, "BusyWorkflow")
        case StoreFull():
            cause = ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_PERSISTENCE_STORAGE_LIMIT
            return _exhausted(message, cause, "PersistenceStorageLimit")
        case StoreError():
            return RpcError(StatusCode.UNAVAILABLE, message)
        case _:
            return RpcError(StatusCode.INTERNAL, f"internal error: {message}"[:ERROR_BYTES_MAX])


def _exhausted(message: str, cause: "ResourceExhaustedCause.ValueType", name: str) -> RpcError:
    scope = ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE
    headers = (("x-resource-exhausted-cause", name), ("x-resource-exhausted-scope", "Namespace"))
    detail = ResourceExhaustedFailure(cause=cause, scope=scope)
    return RpcError(StatusCode.RESOURCE_EXHAUSTED, message, detail, headers)
