"""Calls carried by gRPC."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from weakref import WeakKeyDictionary

import grpc
import grpc.aio
from google.protobuf.message import Message
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

import outlast.service
from outlast.runtime import Runtime
from outlast.service._channel import open_channel, refuse_fork
from outlast.service._client import ServiceClient
from outlast.service._config import ConnectConfig, GrpcCompression
from outlast.service._errors import RPCError, RPCStatusCode
from outlast.service._metadata import Headers
from outlast.service._metrics import RequestMetrics
from outlast.service._retry import DEFAULT, CallKind, call_kind, with_retries
from outlast.service._rpc import ServiceResponse, wire_name
from outlast.service._services import FULL_NAMES
from outlast.service._sizes import warn_of_large

logger = logging.getLogger("outlast.service")

CALL_TIMEOUT_S = 30.0
LONG_POLL_TIMEOUT_S = 70.0
"""A little longer than servers hold a poll."""
COMPRESSED_FROM_BYTES = 1024
"""A smaller message takes longer to compress than to send."""

_Send = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


class GrpcServiceClient(ServiceClient):
    """Calls to a server over gRPC. May be used in several event loops, each of which gets a connection of its own."""

    def __init__(self, config: ConnectConfig) -> None:
        """Take the settings; nothing is connected yet."""
        super().__init__(config)
        self._headers = Headers(config.rpc_metadata, config.api_key)
        self._retries = config.retry_config or DEFAULT
        self._compresses = config.grpc_compression == GrpcCompression.GZIP
        self._metrics = RequestMetrics.of(config.runtime or Runtime.default())
        self._process = os.getpid()
        self._connections: WeakKeyDictionary[asyncio.AbstractEventLoop, _Connection] = WeakKeyDictionary()

    @staticmethod
    async def connect(config: ConnectConfig) -> GrpcServiceClient:
        """Connect and see that the server answers, unless the settings say ``lazy``.

        Raises RuntimeError if it does not answer, ValueError for settings that contradict one another.
        """
        client = GrpcServiceClient(config)
        if not config.lazy:
            await client._greet()
        return client

    async def close(self) -> None:
        """Close the running event loop's connection. A later call connects anew."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None:
            await connection.channel.close()

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Send these headers with all further calls, instead of those given before."""
        self._headers.update(metadata)

    def update_api_key(self, api_key: str | None) -> None:
        """Send this API key with all further calls, or none."""
        self._headers.update_api_key(api_key)

    async def _greet(self) -> None:
        try:
            await self.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=self.config.connect_timeout)
        except RPCError as error:
            if error.status is not RPCStatusCode.UNIMPLEMENTED:
                await self.close()
                raise RuntimeError(f"Failed client connect: {error.message}") from error

    async def _rpc_call(
        self,
        service: str,
        rpc: str,
        request: Message,
        response_type: type[ServiceResponse],
        *,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> ServiceResponse:
        if outlast.service.LOG_PROTOS:
            logger.debug("Service %s request to %s: %s", service, rpc, request)
        kind = call_kind(rpc, request) if retry else CallKind.NORMAL
        call = self._prepared(service, rpc, request, metadata, _seconds(timeout, kind))
        if self._metrics is not None:
            call = self._metrics.measured(rpc, request, kind, call)
        reply = response_type.FromString(await (with_retries(rpc, self._retries, kind, call) if retry else call()))
        if outlast.service.LOG_PROTOS:
            logger.debug("Service %s response from %s: %s", service, rpc, reply)
        return reply

    def _prepared(
        self, service: str, rpc: str, request: Message, metadata: Mapping[str, str | bytes], timeout_s: float
    ) -> Callable[[], Awaitable[bytes]]:
        send = self._connection().method(service, rpc)
        data = request.SerializeToString()
        warn_of_large(rpc, request, len(data), self.config.payload_limits)
        headers = self._headers.of(request, metadata)
        large = self._compresses and len(data) >= COMPRESSED_FROM_BYTES
        compression = grpc.Compression.Gzip if large else grpc.Compression.NoCompression

        async def call() -> bytes:
            try:
                return await send(data, timeout=timeout_s, metadata=headers, compression=compression)
            except grpc.aio.AioRpcError as error:
                raise _translated(error) from None

        return call

    def _connection(self) -> _Connection:
        refuse_fork(self._process, "use")
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is None:
            connection = self._connections[loop] = _Connection(open_channel(self.config))
        return connection


class _Connection:
    """A channel and the procedures called on it so far."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self._methods: dict[tuple[str, str], _Send] = {}

    def method(self, service: str, rpc: str) -> _Send:
        found = self._methods.get((service, rpc))
        if found is None:
            found = self._methods[service, rpc] = self.channel.unary_unary(f"/{FULL_NAMES[service]}/{wire_name(rpc)}")
        return found


def _seconds(timeout: timedelta | None, kind: CallKind) -> float:
    if timeout is not None:
        return timeout.total_seconds()
    return CALL_TIMEOUT_S if kind is CallKind.NORMAL else LONG_POLL_TIMEOUT_S


def _translated(error: grpc.aio.AioRpcError) -> RPCError:
    details = next((value for name, value in error.trailing_metadata() if name == "grpc-status-details-bin"), b"")
    return RPCError(
        error.details() or "", RPCStatusCode(error.code().value[0]), details if isinstance(details, bytes) else details.encode()
    )
