"""The direct door: calls from the node's own process and event loop, with the messages themselves, without a socket and without bytes."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from outlast.server.frontend.calls import Call, Reply, Service, answer
from outlast.server.frontend.codes import StatusCode
from outlast.server.frontend.errors import CallFailed, RpcError

_LATE = RpcError(StatusCode.DEADLINE_EXCEEDED, "the call's deadline has passed")
_CLOSED = RpcError(StatusCode.UNAVAILABLE, "the node stopped while the call ran")
_NOT_OPEN = RpcError(StatusCode.UNAVAILABLE, "the node does not run")


class DirectDoor:
    """Runs a handler in its caller's task: when that is cancelled, the call is, just as when a caller on the wire hangs up."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = {service.descriptor.full_name: service.handlers for service in services}
        self._under_way: set[_UnderWay] = set()
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
            raise CallFailed(_NOT_OPEN)
        handlers = self._services.get(service)
        if handlers is None:
            raise CallFailed(RpcError(StatusCode.UNIMPLEMENTED, f"unknown service {service}"))
        task = asyncio.current_task()
        assert task is not None
        under_way = _UnderWay(task)
        self._under_way.add(under_way)
        alarm = None if timeout_s is None else task.get_loop().call_later(timeout_s, under_way.end, _LATE)
        try:
            return await answer(method, handlers.get(method), request, Call(timeout_s, headers))
        except asyncio.CancelledError:
            # As `asyncio.timeout` does it, at a third of its price.
            if under_way.ended is not None and task.uncancel() <= under_way.cancelling:
                raise CallFailed(under_way.ended) from None
            raise
        finally:
            if alarm is not None:
                alarm.cancel()
            self._under_way.discard(under_way)
            if not self._under_way:
                self._empty.set()

    def close(self) -> None:
        """Take no more calls."""
        self._open = False

    async def stop(self, grace_s: float) -> None:
        """Take no more calls; those that run have so long to end."""
        self.close()
        try:
            async with asyncio.timeout(grace_s):
                await self._drained()
        except TimeoutError:
            for under_way in list(self._under_way):
                under_way.end(_CLOSED)
            await self._drained()

    async def _drained(self) -> None:
        while self._under_way:
            self._empty.clear()
            await self._empty.wait()


class _UnderWay:
    """A call that can be ended from outside."""

    __slots__ = ("_task", "cancelling", "ended")

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self._task = task
        self.cancelling = task.cancelling()
        self.ended: RpcError | None = None
        """Why it was ended."""

    def end(self, why: RpcError) -> None:
        if self.ended is None:
            self.ended = why
            self._task.cancel()
