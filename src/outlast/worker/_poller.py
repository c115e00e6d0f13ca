"""Polls one task queue for one kind of task, with as many polls at a time as its behavior and the server's advice say."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from outlast.service import RPCError, RPCStatusCode
from outlast.worker._slots import Permit, Slots

logger = logging.getLogger("outlast.worker")

POLL_S = 70.0
"""Deadline of a poll; the server ends it after 60 s."""
BUSY_POLL_S = 11.0
"""Deadline of a poll in a burst: when it is over, polls that are not needed any more end soon."""
BACKOFF_S = 0.2
EXHAUSTED_BACKOFF_S = 1.0
BACKOFF_MAX_S = 10.0
JITTER = 0.2
PERIOD_S = 0.1
"""More polls are allowed if at least a tenth more tasks came in this period than in the last."""
GROWTH = 1.1
LOUD_FAILURES = 5
"""So many failures in a row are worth a warning."""
TRANSIENT = frozenset(
    {
        RPCStatusCode.CANCELLED,
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.OUT_OF_RANGE,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DATA_LOSS,
    }
)


@dataclass(frozen=True)
class PollerBehaviorSimpleMaximum:
    """Polls whenever a slot is free, up to so many at a time. At least two for workflow tasks, one for others."""

    maximum: int = 5


@dataclass(frozen=True)
class PollerBehaviorAutoscaling:
    """Polls as many at a time as the server advises. A slot must be free for each."""

    minimum: int = 1
    """Never fewer polls than this, slots allowing."""
    maximum: int = 100
    """Never more polls than this; at least `minimum`."""
    initial: int = 5
    """So many polls at first; between `minimum` and `maximum`."""


PollerBehavior: TypeAlias = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling


class Polled(Protocol):
    """What the replies of all polls have in common."""

    task_token: bytes

    def HasField(self, field_name: Any) -> bool: ...


ReplyT = TypeVar("ReplyT", bound=Polled)


class Scaler:
    """How many polls there should be at a time."""

    def __init__(self, behavior: PollerBehavior) -> None:
        match behavior:
            case PollerBehaviorSimpleMaximum(maximum):
                self._minimum, self._maximum, self.target = maximum, maximum, maximum
                self.scales = False
            case PollerBehaviorAutoscaling(minimum, maximum, initial):
                self._minimum, self._maximum, self.target = minimum, maximum, initial
                self.scales = True
        self._advised = False
        """Whether the server ever gave advice: one that never does must not scale the polls down for good."""
        self._period_ends_at = 0.0
        self._came = 0
        self._came_before = 0

    @property
    def busy(self) -> bool:
        return self._came > 1

    def replied(self, reply: Any, now: float) -> None:
        """A poll was answered."""
        if not self.scales:
            return
        growing = self._count(bool(reply.task_token), now)
        if reply.HasField("poller_scaling_decision"):
            self._advised = True
            delta = reply.poller_scaling_decision.poll_request_delta_suggestion
            if delta < 0 or growing:
                self._set(self.target + delta)
        elif self._advised and not reply.task_token:
            self._set(self.target - 1)

    def failed(self, status: RPCStatusCode) -> None:
        """A poll failed."""
        if self.scales and self._advised:
            self._set(self.target // 2 if status is RPCStatusCode.RESOURCE_EXHAUSTED else self.target - 1)

    def _count(self, came: bool, now: float) -> bool:
        if now >= self._period_ends_at:
            idle = now >= self._period_ends_at + PERIOD_S
            self._came_before, self._came = (0 if idle else self._came), 0
            self._period_ends_at = now + PERIOD_S
        self._came += came
        return self._came >= int(self._came_before * GROWTH)

    def _set(self, target: int) -> None:
        self.target = min(max(target, self._minimum), self._maximum)


class Backoff:
    """Pauses that grow while polls fail."""

    def __init__(self) -> None:
        self.failures = 0
        self._next_s = {False: BACKOFF_S, True: EXHAUSTED_BACKOFF_S}

    def reset(self) -> None:
        if self.failures:
            self.__init__()  # type: ignore[misc]

    def pause_s(self, status: RPCStatusCode) -> float:
        self.failures += 1
        exhausted = status is RPCStatusCode.RESOURCE_EXHAUSTED
        pause = self._next_s[exhausted]
        self._next_s[exhausted] = min(pause * 2, BACKOFF_MAX_S)
        return pause * random.uniform(1 - JITTER, 1 + JITTER)


class Poller(Generic[ReplyT]):
    """Polls until it is stopped. A poll that fails is repeated after a pause, unless its failure is for good: then `run` raises it."""

    def __init__(
        self,
        name: str,
        behavior: PollerBehavior,
        slots: Slots,
        poll: Callable[[float], Awaitable[ReplyT]],
        accept: Callable[[ReplyT, Permit], None],
        *,
        sticky: bool = False,
        pace: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`poll` takes its deadline in seconds; `accept` must not wait, and owns the permit; `pace` is awaited before every poll."""
        self._name = name
        self._scaler = Scaler(behavior)
        self._slots = slots
        self._poll = poll
        self._accept = accept
        self._sticky = sticky
        self._pace = pace
        self._backoff = Backoff()
        self._lanes: dict[asyncio.Task[None], bool] = {}
        """Whether it has a poll under way, for each lane."""
        self._stopping = False
        self._ended: asyncio.Future[None] | None = None

    @property
    def lanes(self) -> int:
        """How many polls there are at a time."""
        return len(self._lanes)

    async def run(self) -> None:
        """Poll until `stop`. Raises the failure that no repetition can help."""
        self._ended = asyncio.get_running_loop().create_future()
        self._fill()
        try:
            await self._ended
        finally:
            await self.stop(grace_s=0)

    def begin_stop(self) -> None:
        """Start no further poll."""
        self._stopping = True
        for lane, polling in self._lanes.items():
            if not polling:
                lane.cancel()

    async def stop(self, grace_s: float) -> None:
        """Start no further poll; let those under way come back for so long, and give up on them then."""
        self.begin_stop()
        if self._lanes and grace_s:
            await asyncio.wait(list(self._lanes), timeout=grace_s)
        for lane in self._lanes:
            lane.cancel()
        if self._lanes:
            await asyncio.wait(list(self._lanes))
        self._end(None)

    def _fill(self) -> None:
        while len(self._lanes) < self._scaler.target and not self._stopping:
            lane = asyncio.get_running_loop().create_task(self._lane(), name=f"poll {self._name}")
            self._lanes[lane] = False
            lane.add_done_callback(self._lane_ended)

    def _lane_ended(self, lane: asyncio.Task[None]) -> None:
        del self._lanes[lane]
        if not lane.cancelled() and (error := lane.exception()) is not None:
            self._end(error)
        else:
            self._fill()  # several lanes may have ended for one step down

    def _end(self, error: BaseException | None) -> None:
        if self._ended is None or self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    async def _lane(self) -> None:
        lane = asyncio.current_task()
        assert lane is not None
        while not self._stopping and len(self._lanes) <= self._scaler.target:
            if self._pace is not None:
                await self._pace()
            permit = await self._slots.reserve(self._sticky)
            reply = None
            self._lanes[lane] = True
            try:
                reply = await self._poll(BUSY_POLL_S if self._scaler.busy else POLL_S)
            except RPCError as error:
                permit.release()
                self._lanes[lane] = False
                await self._after(error)
                continue
            except BaseException:
                permit.release()
                raise
            self._lanes[lane] = False
            self._take(reply, permit)
            if not reply.task_token:
                # A server in this process that is about to stop answers at once, without even a turn of the loop.
                await asyncio.sleep(0)

    def _take(self, reply: ReplyT, permit: Permit) -> None:
        self._backoff.reset()
        if self._scaler.scales:
            self._scaler.replied(reply, asyncio.get_running_loop().time())
            self._fill()
        if reply.task_token:
            self._accept(reply, permit)
        else:
            permit.release()

    async def _after(self, error: RPCError) -> None:
        """Pause after a poll that failed. Raises the error when it is for good."""
        if error.status not in TRANSIENT:
            raise error
        if self._stopping:
            return
        pause_s = self._backoff.pause_s(error.status)
        self._scaler.failed(error.status)
        level = logging.WARNING if self._backoff.failures > LOUD_FAILURES else logging.DEBUG
        logger.log(level, "Poll of %s failed for the %dth time in a row: %s", self._name, self._backoff.failures, error)
        await asyncio.sleep(pause_s)


class Pace:
    """At most so many polls a second, evenly."""

    def __init__(self, per_second: float) -> None:
        self._interval_s = 1 / per_second
        self._next_at = 0.0

    async def __call__(self) -> None:
        now = asyncio.get_running_loop().time()
        due_at = max(self._next_at, now)
        self._next_at = due_at + self._interval_s
        if due_at > now:
            await asyncio.sleep(due_at - now)
