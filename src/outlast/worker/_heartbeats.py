"""Sends the heartbeats of one activity: the first at once, later ones no sooner than the throttle interval, always the newest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import RecordActivityTaskHeartbeatRequest

from outlast.activity import ActivityCancellationDetails
from outlast.service import RPCError, RPCStatusCode
from outlast.worker._wire import Server, Wire

logger = logging.getLogger("outlast.worker")

THROTTLE_SHARE = 0.8
"""Of the heartbeat timeout: how long the next heartbeat waits."""


def throttle_interval_s(timeout_s: float, default_s: float, maximum_s: float) -> float:
    """The pause between two heartbeats of an activity with that heartbeat timeout, 0 if it has none."""
    return min(timeout_s * THROTTLE_SHARE if timeout_s else default_s, maximum_s)


class Heartbeats:
    """The heartbeats of one attempt of a (remote) activity."""

    def __init__(
        self,
        server: Server,
        wire: Wire,
        task_token: bytes,
        interval_s: float,
        encode: Callable[[Sequence[Any]], Awaitable[Sequence[Payload]]],
        cancel: Callable[[ActivityCancellationDetails], None],
        failed: Callable[[Exception], None],
        reported: Callable[[], None],
    ) -> None:
        """`cancel` is told what the server says of the activity, `failed` that details cannot be encoded, `reported` of each success."""
        self._server = server
        self._wire = wire
        self._task_token = task_token
        self._interval_s = interval_s
        self._encode = encode
        self._cancel = cancel
        self._failed = failed
        self._reported = reported
        self._newest: Sequence[Any] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._closed = False

    def record(self, details: Sequence[Any]) -> None:
        """Send this, at once or when its time comes, unless something newer replaces it."""
        if self._closed:
            return
        self._newest = details
        if self._sending is None and self._pause is None:
            self._send()

    async def close(self, flush: bool) -> None:
        """Wait for what is under way; with `flush` send what waits for its time, too: the next attempt wants to know it."""
        self._closed = True
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._sending is not None:
            await self._sending
        if flush and self._newest is not None:
            details, self._newest = self._newest, None
            await self._report(details)

    def _send(self) -> None:
        assert self._newest is not None
        details, self._newest = self._newest, None
        self._sending = asyncio.get_running_loop().create_task(self._send_and_pause(details))

    async def _send_and_pause(self, details: Sequence[Any]) -> None:
        loop = asyncio.get_running_loop()
        next_at = loop.time() + self._interval_s
        try:
            await self._report(details)
        finally:
            self._sending = None
            if not self._closed:
                self._pause = loop.call_at(next_at, self._paused)

    def _paused(self) -> None:
        self._pause = None
        if self._newest is not None:
            self._send()

    async def _report(self, details: Sequence[Any]) -> None:
        request = RecordActivityTaskHeartbeatRequest(
            task_token=self._task_token, namespace=self._wire.namespace, identity=self._wire.identity
        )
        try:
            if details:
                request.details.payloads.extend(await self._encode(details))
        except Exception as error:  # noqa: BLE001 - the converter is the program's
            self._failed(error)
            return
        try:
            reply = await self._server.calls.record_activity_task_heartbeat(request, retry=True)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                self._cancel(ActivityCancellationDetails(not_found=True))
            else:
                logger.warning("A heartbeat was not taken: %s", error)
            return
        self._reported()
        if reply.cancel_requested or reply.activity_paused or reply.activity_reset:
            self._cancel(
                ActivityCancellationDetails(
                    cancel_requested=reply.cancel_requested, paused=reply.activity_paused, reset=reply.activity_reset
                )
            )
