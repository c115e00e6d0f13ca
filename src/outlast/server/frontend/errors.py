"""Refusals and setbacks as gRPC statuses with the details that SDKs switch on (workflow-core.md, section 7)."""

import msgspec
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from temporalio.api.enums.v1 import ResourceExhaustedCause, ResourceExhaustedScope
from temporalio.api.errordetails.v1 import (
    NamespaceAlreadyExistsFailure,
    NamespaceNotFoundFailure,
    NotFoundFailure,
    QueryFailedFailure,
    ResourceExhaustedFailure,
    WorkflowExecutionAlreadyStartedFailure,
    WorkflowNotReadyFailure,
)

from outlast.engine import refusals
from outlast.server.frontend.limits import ERROR_BYTES_MAX
from outlast.server.shard.queries import QueryExpired, QueryFailed
from outlast.server.store.errors import BadPageToken, StoreError, StoreFull


class RpcError(msgspec.Struct, frozen=True):
    """One gRPC error."""

    code: StatusCode
    message: str
    detail: Message | None = None
    initial_metadata: tuple[tuple[str, str], ...] = ()

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """The status with its detail, where gRPC puts it."""
        if self.detail is None:
            return ()
        packed = Any()
        packed.Pack(self.detail)
        number: int = self.code.value[0]
        status = Status(code=number, message=self.message, details=[packed])
        return (("grpc-status-details-bin", status.SerializeToString()),)


def rpc_error(error: Exception) -> RpcError:
    """The gRPC form of a refusal or a setback. Whatever else is a bug, and INTERNAL."""
    message = str(error)[:ERROR_BYTES_MAX]
    match error:
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
            return RpcError(StatusCode.INVALID_ARGUMENT, message, QueryFailedFailure(failure=error.result.failure))
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
