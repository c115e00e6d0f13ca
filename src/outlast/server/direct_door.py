"""The direct door: calls from the node's own process and event loop, with the messages themselves, without a socket and without bytes."""

import asyncio
from collections.abc import Mapping, Sequence

from google.protobuf.message import Message

from outlast.server.frontend.calls import Call, Reply, Service, answer
from outlast.server.frontend.codes import StatusCode
from outlast.server.frontend.errors import CallFailed, RpcError


class DirectDoor:
    """Runs a handler in its caller's task: when that is cancelled, the call is, just as when a caller on the wire hangs up."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = {service.descriptor.full_name: service.handlers for service in services}
        self._under_way: set[asyncio.Timeout] = set()
        self._open = False
        self._empty = asyncio.Event()

    def open(self) -> None:
        self._open = True

    async def call(
        self,
        service: str,
        method: str,
        request: Message,
        timeout_s: float | None = None,
        headers: Mapping[str, str | bytes] = {},
    ) -> Reply:
        """The reply of the method, named as on the wire. Raises CallFailed with what the wire would say.

        The server may keep the request, and may fill in what it lacks: do not change it afterwards.
        """
        if not self._open:
            raise CallFailed(RpcError(StatusCode.UNAVAILABLE, "the node does not run"))
        handlers = self._services.get(service)
        if handlers is None:
            raise CallFailed(RpcError(StatusCode.UNIMPLEMENTED, f"unknown service {service}"))
        limit = asyncio.timeout(timeout_s)
        self._under_way.add(limit)
        try:
            async with limit:
                return await answer(method, handlers.get(method), request, Call(timeout_s, headers))
        except TimeoutError:
            raise CallFailed(self._ended()) from None
        finally:
            self._under_way.discard(limit)
            if not self._under_way:
                self._empty.set()

    def _ended(self) -> RpcError:
        if self._open:
            return RpcError(StatusCode.DEADLINE_EXCEEDED, "the call's deadline has passed")
        return RpcError(StatusCode.UNAVAILABLE, "the node stopped while the call ran")

    async def stop(self, grace_s: float) -> None:
        """Take no more calls; those that run have so long to end."""
        self._open = False
        try:
            async with asyncio.timeout(grace_s):
                await self._drained()
        except TimeoutError:
            now = asyncio.get_running_loop().time()
            for limit in self._under_way:
                if not limit.expired():
                    limit.reschedule(now)
            await self._drained()

    async def _drained(self) -> None:
        while self._under_way:
            self._empty.clear()
            await self._empty.wait()
