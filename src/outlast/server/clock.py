"""Virtual time: a clock as fast as the real one, which jumps ahead while nothing runs and nobody holds it."""

import asyncio
import contextlib
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

SECOND = 1_000_000_000
real_time: Callable[[], int] = time.time_ns


class NotLocked(Exception):
    """There were more unlocks than locks."""


class World(Protocol):
    """What lives by the clock."""

    async def settle(self) -> None:
        """Wait until what is under way can be seen in `still` and `next_moment`."""

    def holds(self) -> int:
        """How many tasks workers have, or could get. Each counts as a lock."""

    def still(self) -> bool:
        """Whether nothing is due, and nothing on its way."""

    def next_moment(self) -> int | None:
        """When something comes due by itself."""

    def time_jumped(self) -> None:
        """It is later than it was a moment ago."""


class VirtualClock:
    """Nanoseconds since the epoch, never going back. What it has jumped over stays between it and the real time.

    It jumps while there is no lock on it. A task that a worker has, or could get, is a lock too, and who unlocks does not say which
    lock he means: so an activity that lets time go by can do so while it runs itself.
    """

    def __init__(self, *, locked: bool = True) -> None:
        self._ahead = 0
        self._locks = int(locked)
        """Those that were put on, less those that were taken off: fewer than none, when somebody has taken off a task's."""
        self._world: World | None = None
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()

    def __call__(self) -> int:
        return real_time() + self._ahead

    def lock(self) -> None:
        self._locks += 1

    def unlock(self) -> None:
        """Take one lock off. Raises NotLocked when there is none."""
        if not self._locked():
            raise NotLocked("time skipping is not locked: there were more unlocks than locks")
        self._locks -= 1
        self.reconsider()

    async def sleep_until(self, moment: int) -> None:
        """Wait until it is `moment`, however that comes."""
        while (left := moment - self()) > 0:
            sleeper = (moment, next(self._numbers), asyncio.get_running_loop().create_future())
            heapq.heappush(self._sleepers, sleeper)
            self.reconsider()
            try:
                async with asyncio.timeout(left / SECOND):
                    await sleeper[2]
            except TimeoutError:
                continue
            finally:
                with contextlib.suppress(ValueError):  # a jump has taken it
                    self._sleepers.remove(sleeper)
                    heapq.heapify(self._sleepers)

    async def sleep(self, duration: int) -> None:
        await self.sleep_until(self() + duration)

    async def sleep_unlocked(self, duration: int) -> None:
        """Take one lock off for a sleep. Raises NotLocked when there is none."""
        until = self() + duration
        self.unlock()
        try:
            await self.sleep_until(until)
        finally:
            self.lock()

    def _locked(self) -> bool:
        return self._locks + (self._world.holds() if self._world is not None else 0) > 0

    def reconsider(self) -> None:
        """Something has changed: perhaps it is time to jump."""
        self._changed.set()

    async def run(self, world: World) -> None:
        """Jump whenever `world` lets it, until cancelled."""
        self._world = world
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._locked():
                continue
            await world.settle()
            if not self._locked() and world.still():
                self._jump(world)

    def _jump(self, world: World) -> None:
        moments = [moment for moment in (world.next_moment(), self._sleepers[0][0] if self._sleepers else None) if moment is not None]
        if not moments:
            return
        self._ahead += max(min(moments) - self(), 0)
        now = self()
        while self._sleepers and self._sleepers[0][0] <= now:
            _, _, sleeper = heapq.heappop(self._sleepers)
            if not sleeper.done():
                sleeper.set_result(None)
        world.time_jumped()
        self.reconsider()
