"""The runs that a worker remembers, so that their next tasks need not replay them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping

from outlast.replay.protocol import LocalActivityOutcome, Run
from outlast.worker._codec import Activities
from outlast.worker._eviction import evict
from outlast.worker._metrics import WorkerMetrics


class CachedRun:
    """A run, or the place for one that has yet to be made, and what the worker must know of it between tasks.

    Tasks of one run are worked on one after another, in the order in which they came.
    """

    __slots__ = (
        "_outcome_came",
        "_waiting",
        "_watched",
        "activity_contexts",
        "busy",
        "local_activities",
        "next_event_id",
        "outcomes",
        "run",
        "run_id",
        "started_at",
        "task_timeout_s",
        "users",
    )

    def __init__(self, run_id: str, *, watched: bool = True) -> None:
        self.run_id = run_id
        self._watched = watched
        self.run: Run | None = None
        self.next_event_id = 1
        """The first event that the run has not seen."""
        self.activity_contexts: Activities = {}
        """What the codec knows of it."""
        self.task_timeout_s = 10.0
        self.started_at = 0.0
        """Seconds since the epoch."""
        self.busy = False
        """Whether a task has the turn."""
        self._waiting: deque[asyncio.Future[None]] | None = None
        self.users = 0
        """Tasks that work on it, or wait to."""
        self.local_activities: dict[int, asyncio.Task[None]] = {}
        """Those under way, by seq."""
        self.outcomes: deque[LocalActivityOutcome] = deque()
        """Of local activities that ended, and which the run does not know yet."""
        self._outcome_came: asyncio.Future[None] | None = None

    async def wait_turn(self) -> None:
        """Wait until those who came before have worked. Take the turn then, and only then, by setting `busy`."""
        turn = asyncio.get_running_loop().create_future()
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_turn()
            raise

    def give_turn(self) -> None:
        """Let the next work; `busy` stays set if there is one."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.busy = False

    def deliver(self, outcome: LocalActivityOutcome) -> None:
        """A local activity ended."""
        self.local_activities.pop(outcome.seq, None)
        self.outcomes.append(outcome)
        if self._outcome_came is not None and not self._outcome_came.done():
            self._outcome_came.set_result(None)

    async def next_outcome(self, deadline: float | None) -> LocalActivityOutcome | None:
        """Wait for a local activity to end; None if none has at the deadline (loop time), if there is one."""
        while not self.outcomes:
            self._outcome_came = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._outcome_came
            except TimeoutError:
                return None
            finally:
                self._outcome_came = None
        return self.outcomes.popleft()

    def drop(self) -> None:
        """Forget the run, and end its local activities."""
        for task in self.local_activities.values():
            task.cancel()
        self.local_activities.clear()
        self.outcomes.clear()
        self.activity_contexts.clear()
        run, self.run = self.run, None
        self.next_event_id = 1
        if run is not None:
            evict(run, watched=self._watched)


class RunCache:
    """Up to `size` runs; when there are more, those go whose last task is longest ago. A run that is worked on stays."""

    def __init__(self, size: int, *, watched: bool = True, metrics: WorkerMetrics | None = None) -> None:
        """`watched` says whether code that does not yield while it is evicted is broken off."""
        self._metrics = metrics
        self._size = size
        self._watched = watched
        self._runs: OrderedDict[str, CachedRun] = OrderedDict()

    @property
    def runs(self) -> Mapping[str, CachedRun]:
        return self._runs

    def claim(self, run_id: str) -> CachedRun:
        """The run, kept until `release`."""
        cached = self._runs.get(run_id)
        if cached is None:
            cached = self._runs[run_id] = CachedRun(run_id, watched=self._watched)
        else:
            self._runs.move_to_end(run_id)
        cached.users += 1
        return cached

    def release(self, cached: CachedRun) -> None:
        cached.users -= 1
        if cached.users == 0 and cached.run is None and self._runs.get(cached.run_id) is cached:
            del self._runs[cached.run_id]
        if len(self._runs) > self._size:
            self._shrink()

    def clear(self) -> None:
        """Forget all runs."""
        while self._runs:
            self._runs.popitem(last=False)[1].drop()

    def _shrink(self) -> None:
        excess = len(self._runs) - self._size
        for run_id in [run_id for run_id, cached in self._runs.items() if not cached.users][:excess]:
            self._runs.pop(run_id).drop()
            if self._metrics is not None:
                self._metrics.evicted()
