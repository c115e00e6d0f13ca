"""What a failed call raises."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from outlast.exceptions import TemporalError

if TYPE_CHECKING:
    from temporalio.api.common.v1 import GrpcStatus


class RPCStatusCode(IntEnum):
    """gRPC status codes."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RPCError(TemporalError):
    """A call to the server failed, or never reached it."""

    def __init__(self, message: str, status: RPCStatusCode, raw_grpc_status: bytes) -> None:
        """Keep the server's message, code and details (a serialized ``google.rpc.Status``, or nothing)."""
        super().__init__(message)
        self._message = message
        self._status = status
        self._raw_grpc_status = raw_grpc_status
        self._grpc_status: GrpcStatus | None = None

    @property
    def message(self) -> str:
        """What went wrong, in the server's words."""
        return self._message

    @property
    def status(self) -> RPCStatusCode:
        """What kind of failure it is."""
        return self._status

    @property
    def raw_grpc_status(self) -> bytes:
        """The status with its details as it came over the wire; empty if the server sent none."""
        return self._raw_grpc_status

    @property
    def grpc_status(self) -> GrpcStatus:
        """The status with its details, parsed from :attr:`raw_grpc_status`."""
        if self._grpc_status is None:
            from temporalio.api.common.v1 import GrpcStatus

            self._grpc_status = GrpcStatus.FromString(self._raw_grpc_status)
        return self._grpc_status
