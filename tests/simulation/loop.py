"""An event loop whose time is virtual: it jumps to the next thing that is scheduled, and never sleeps."""

import asyncio
from asyncio import base_events
from random import Random
from typing import Any

STEPS_MAX = 30_000
"""Turns of one loop: a livelock is found, and not waited for."""


class Stuck(Exception):
    """The loop turned too often, or nothing is left that could ever happen."""


class VirtualLoop(base_events.BaseEventLoop):
    """One thread, no sockets. What is ready at one moment may be shuffled: no promise may hang on its order."""

    def __init__(self, shuffle: Random | None) -> None:
        super().__init__()
        self._moment = 0.0
        self._shuffle = shuffle
        self._selector = _Jump(self)
        self.steps = self.turns = 0

    def time(self) -> float:
        return self._moment

    def jump(self, timeout: float | None) -> None:
        """What a selector does when there is nothing to wait for but time."""
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise Stuck(f"{STEPS_MAX} turns of the loop")
        if timeout is None:
            raise Stuck("nothing is scheduled: everybody waits for ever")
        if timeout > 0:
            # The exact moment, and not a sum of floats, so that what is due is due.
            self._moment = max(self._moment, self._scheduled[0].when())  # type: ignore[attr-defined]

    def _process_events(self, event_list: list[Any]) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        if self._shuffle is not None and len(ready) > 1:
            handles = list(ready)
            self._shuffle.shuffle(handles)
            ready.clear()
            ready.extend(handles)

    def _write_to_self(self) -> None:
        """Nobody else's thread wakes this loop."""


class _Jump:
    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        self._loop.jump(timeout)
        return []


def run(loop: VirtualLoop, main: Any) -> None:
    """Run `main` to its end and leave nothing behind."""
    try:
        loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)  # in no order: all that counts has been judged
        for task in left:
            task.cancel()
        loop.turns, loop.steps = loop.steps, 0
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=1))
        loop.close()
