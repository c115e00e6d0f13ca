"""The pollers of one task queue: those that wait now, in order of patience, and those seen lately."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable

from outlast.server.handover import Poller, PollerSeen
from outlast.server.matching.limits import POLLER_RECENT, POLLER_REMEMBERED, POLLERS_MAX

Waiter = asyncio.Future[Hashable | None]
"""What a waiting poll waits for: the work assigned to it, or None when it shall end with empty hands."""


class Pollers:
    """Ordered dicts give what a deque would, and removal from the middle as well."""

    __slots__ = ("_seen", "_waiting")

    def __init__(self) -> None:
        self._waiting: OrderedDict[Waiter, str] = OrderedDict()
        """With the key of the worker that each belongs to."""
        self._seen: OrderedDict[str, tuple[Poller, int]] = OrderedDict()
        """By identity, the one seen longest ago first."""

    def __bool__(self) -> bool:
        """Somebody stands in line."""
        return bool(self._waiting)

    def see(self, poller: Poller, now: int) -> None:
        seen = self._seen
        seen[poller.identity] = (poller, now)
        seen.move_to_end(poller.identity)
        while len(seen) > POLLERS_MAX or next(iter(seen.values()))[1] < now - POLLER_REMEMBERED:
            seen.popitem(last=False)

    def wait(self, waiter: Waiter, worker_instance_key: str, *, first: bool) -> None:
        """Stand in line; first, when the poll had its turn and was handed work that somebody else had taken."""
        self._waiting[waiter] = worker_instance_key
        if first:
            self._waiting.move_to_end(waiter, last=False)

    def hand_over(self, work: Hashable) -> bool:
        """Assign the work to the poll that waits longest; False when none waits."""
        while self._waiting:
            waiter, _ = self._waiting.popitem(last=False)
            # A poll that was cancelled a moment ago still stands in line until its coroutine runs.
            if not waiter.done():
                waiter.set_result(work)
                return True
        return False

    def dismiss(self, waiter: Waiter) -> None:
        """End the wait with nothing, unless work was assigned already."""
        self._waiting.pop(waiter, None)
        if not waiter.done():
            waiter.set_result(None)

    def dismiss_worker(self, worker_instance_key: str) -> None:
        for waiter in [waiter for waiter, key in self._waiting.items() if key == worker_instance_key]:
            self.dismiss(waiter)

    def dismiss_all(self) -> None:
        for waiter in list(self._waiting):
            self.dismiss(waiter)

    def forget(self) -> None:
        self._seen.clear()
        self.dismiss_all()

    def any_recent(self, now: int) -> bool:
        """One waits now, or was seen in the last ten seconds."""
        if any(not waiter.done() for waiter in self._waiting):
            return True
        return bool(self._seen) and next(reversed(self._seen.values()))[1] > now - POLLER_RECENT

    def remembered(self, now: int) -> tuple[PollerSeen, ...]:
        return tuple(
            PollerSeen(poller.identity, seen_at, poller.rate_per_second)
            for poller, seen_at in self._seen.values()
            if seen_at >= now - POLLER_REMEMBERED
        )
