"""Calls to a server in the same process, without a socket: the messages themselves go to and fro."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, Generic, cast

from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckResponse

import outlast.service
from outlast.runtime import Runtime
from outlast.server.frontend.calls import Reply
from outlast.server.frontend.errors import CallFailed
from outlast.server.node import Node
from outlast.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient, ServiceResponse
from outlast.service._metadata import CLIENT_NAME, checked
from outlast.service._metrics import RequestMetrics
from outlast.service._retry import DEFAULT, TASK_POLLS, CallKind, call_kind, with_retries
from outlast.service._rpc import wire_name
from outlast.service._services import FULL_NAMES

logger = logging.getLogger("outlast.service")

_TASK_POLL_S = 70.0
"""Other calls need no limit of ours: no network can lose them, and the server bounds its own waits."""


class DirectServiceClient(ServiceClient):
    """Calls to a node of this process. May be used from other threads and event loops: the node's own does the work."""

    in_process = True

    def __init__(self, config: ConnectConfig, node: Node) -> None:
        """Belongs to the running event loop, as the node does."""
        super().__init__(config)
        self._node = node
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._retries = config.retry_config or DEFAULT
        self._metrics = RequestMetrics.of(config.runtime or Runtime.default())
        self._headers: dict[str, str | bytes] = {}
        self._authorization: dict[str, str | bytes] = {}
        self.update_rpc_metadata(config.rpc_metadata)
        self.update_api_key(config.api_key)

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Send these headers with all further calls, instead of those given before."""
        self._headers = {"client-name": CLIENT_NAME, **checked(metadata)}

    def update_api_key(self, api_key: str | None) -> None:
        """Send this API key with all further calls, or none."""
        self._authorization = {} if api_key is None else {"authorization": f"Bearer {api_key}"}

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
        poll = rpc in TASK_POLLS
        timeout_s = timeout.total_seconds() if timeout is not None else _TASK_POLL_S if poll else None
        headers = self._headers if not (metadata or self._authorization) else {**self._authorization, **self._headers, **checked(metadata)}
        if outlast.service.LOG_PROTOS:
            logger.debug("Service %s request to %s: %s", service, rpc, request)
        try:
            reply = await self._call(service, rpc, request, response_type, timeout_s, headers)
        except RPCError as error:
            if not retry:
                raise
            again = _Again(error, lambda: self._call(service, rpc, request, response_type, timeout_s, headers))
            reply = await with_retries(rpc, self._retries, CallKind.TASK_POLL if poll else CallKind.NORMAL, again)
        if outlast.service.LOG_PROTOS:
            logger.debug("Service %s response from %s: %s", service, rpc, reply)
        return reply

    async def _call(
        self,
        service: str,
        rpc: str,
        request: Message,
        response_type: type[ServiceResponse],
        timeout_s: float | None,
        headers: Mapping[str, str | bytes],
    ) -> ServiceResponse:
        if service == "health":
            return cast(ServiceResponse, HealthCheckResponse(status=self._health()))
        if self._metrics is None:
            reply = await self._answer(service, rpc, request, timeout_s, headers)
        else:
            call = functools.partial(self._answer, service, rpc, request, timeout_s, headers)
            reply = await self._metrics.measured(rpc, request, call_kind(rpc, request), call)()
        return response_type.FromString(reply) if isinstance(reply, bytes) else cast(ServiceResponse, reply)

    async def _answer(self, service: str, rpc: str, request: Message, timeout_s: float | None, headers: Mapping[str, str | bytes]) -> Reply:
        answer = self._node.call(FULL_NAMES[service], _wire_name(rpc), request, timeout_s, headers)
        try:
            return await (answer if asyncio.get_running_loop() is self._loop else self._elsewhere(answer))
        except CallFailed as failed:
            error = failed.error
            raise RPCError(error.message, RPCStatusCode(error.code), error.status()) from None

    def _elsewhere(self, answer: Coroutine[Any, Any, Reply]) -> Awaitable[Reply]:
        """Have the node's event loop answer this one."""
        if os.getpid() != self._process:
            answer.close()
            raise RuntimeError("a forked process cannot call the node of its parent: have it listen, and connect to it")
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(answer, self._loop))

    def _health(self) -> HealthCheckResponse.ServingStatus.ValueType:
        return HealthCheckResponse.SERVING if self._node.running else HealthCheckResponse.NOT_SERVING


_wire_name = functools.cache(wire_name)


class _Again(Generic[ServiceResponse]):
    """A call whose first attempt has failed already: most succeed, and need none of what it takes to repeat them."""

    def __init__(self, first: RPCError, call: Callable[[], Awaitable[ServiceResponse]]) -> None:
        self._first: RPCError | None = first
        self._call = call

    async def __call__(self) -> ServiceResponse:
        first, self._first = self._first, None
        if first is not None:
            raise first
        return await self._call()
