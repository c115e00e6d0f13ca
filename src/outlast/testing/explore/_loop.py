"""An event loop whose time is virtual: when nothing is ready it jumps to what is scheduled next, and never sleeps."""

from __future__ import annotations

import asyncio
from asyncio import base_events
from collections.abc import Callable, Coroutine
from typing import Any

TURNS_MAX = 200_000
"""What goes round in circles for so many turns is not waited for."""
CANCELLATIONS_MAX = 20


class Stuck(Exception):
    """Nothing is left that could ever happen, or everything happens over and over."""


class VirtualLoop(base_events.BaseEventLoop):
    """One thread, no sockets. Whatever would be done in another thread is done at once in this one."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = 0.0
        self._turns = 0
        self._selector = _Jump(self)
        # The default is too fine to be added to the years that may go by.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._moment

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Call the function now: a thread that ran beside the virtual time would see it jump."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except StopIteration as error:
            future.set_exception(RuntimeError(f"{error!r} raised in an executor"))
        except BaseException as error:  # noqa: BLE001 - whoever awaits the future gets it
            future.set_exception(error)
        return future

    def jump(self, timeout: float | None) -> None:
        """There is nothing to do for so long (None: for ever)."""
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise Stuck(f"no end after {TURNS_MAX} turns of the event loop: does something happen over and over?")
        if timeout is None:
            raise Stuck("everybody waits for somebody else: nothing is left that could happen")
        if timeout > 0:
            # The exact moment, and not a sum of floats, so that what is due is due.
            self._moment = max(self._moment, self._scheduled[0].when())  # type: ignore[attr-defined]

    def finish(self) -> None:
        """Cancel all that is left, again and again where it begins something new on its way out, and close."""
        self._turns = 0
        for _ in range(CANCELLATIONS_MAX):
            left = asyncio.all_tasks(self)
            if not left:
                break
            for task in left:
                task.cancel()
            self.run_until_complete(asyncio.wait(left, timeout=1.0))
        self.close()

    def play(self, main: Coroutine[Any, Any, None]) -> None:
        """Run to the end. Raises Stuck, and what `main` raises."""
        try:
            self.run_until_complete(main)
        finally:
            self.finish()

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no events but time."""

    def _write_to_self(self) -> None:
        """Nobody else's thread wakes this loop."""


class _Jump:
    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        self._loop.jump(timeout)
        return []

    def close(self) -> None:
        """There is nothing to close."""
