"""When which run needs attention: the near ones in a heap, the far ones left in the store until they are near."""

import asyncio
import heapq
from collections.abc import Callable, Sequence

from outlast.engine.keys import ExecutionKey
from outlast.server.shard.insist import insist
from outlast.server.shard.limits import DUE_PAGE, TIMER_HORIZON_NS
from outlast.server.store.protocol import Store


class Timers:
    """Nothing polls: one wake-up for the soonest timer, or for the moment when the store must be read again."""

    def __init__(self, store: Store, clock: Callable[[], int], due: Callable[[Sequence[ExecutionKey]], None]) -> None:
        """`due` is called with the runs whose moment has come."""
        self._store = store
        self._clock = clock
        self._due = due
        self._heap: list[tuple[int, ExecutionKey]] = []
        self._set: dict[ExecutionKey, int] = {}
        self._horizon = 0
        self._read_at: int | None = None
        """When the store must be read for timers beyond the horizon; None when it has none."""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._read_at = 0
        await self._advance_horizon()
        self._task = asyncio.create_task(self._work(), name="outlast-timers")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def set(self, key: ExecutionKey, due_at: int | None, *, stored: bool = True) -> None:
        """The run's next moment; None when it has none. Beyond the horizon the store remembers it, if it was told."""
        if self._set.get(key) == due_at:
            return
        if due_at is None:
            self._set.pop(key, None)
            return
        if due_at >= self._horizon and stored:
            self._set.pop(key, None)
            if self._read_at is None or due_at < self._read_at:
                self._read_at = due_at
                self._changed.set()
            return
        self._set[key] = due_at
        if not self._heap or due_at < self._heap[0][0]:
            self._changed.set()
        heapq.heappush(self._heap, (due_at, key))

    def wake(self) -> None:
        """The clock has jumped: look again at what is due."""
        self._changed.set()

    async def _work(self) -> None:
        while True:
            self._changed.clear()
            now = self._clock()
            if self._read_at is not None and self._read_at <= now:
                await insist(self._advance_horizon, "timers")
            ready = self._take_ready(now)
            if ready:
                self._due(ready)
            pause = self._pause()
            if pause == 0:
                continue
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _take_ready(self, now: int) -> list[ExecutionKey]:
        ready = []
        while self._heap and (self._heap[0][0] <= now or self._set.get(self._heap[0][1]) != self._heap[0][0]):
            due_at, key = heapq.heappop(self._heap)
            if self._set.get(key) == due_at:
                del self._set[key]
                ready.append(key)
        return ready

    def _pause(self) -> float | None:
        moments = [self._heap[0][0]] if self._heap else []
        if self._read_at is not None:
            moments.append(self._read_at)
        if not moments:
            return None
        return max(min(moments) - self._clock(), 0) / 1_000_000_000

    async def _advance_horizon(self) -> None:
        """Read the timers of the next stretch of time from the store."""
        start, end, size = self._horizon, self._clock() + TIMER_HORIZON_NS, DUE_PAGE
        while True:
            page = await self._store.runs_due(start, end, size)
            for due_at, key in page:
                if key not in self._set:
                    self._set[key] = due_at
                    heapq.heappush(self._heap, (due_at, key))
            if len(page) < size:
                break
            start = page[-1][0]
            if page[0][0] == start:  # more than a page comes due at one moment
                size *= 2
        self._horizon = end
        self._read_at = await self._store.next_due(end)
