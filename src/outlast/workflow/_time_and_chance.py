"""Time, waiting and random numbers that are the same whenever the workflow is replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from outlast.workflow._runtime import Runtime

if TYPE_CHECKING:
    from outlast.workflow._event_groups import EventGroup

__all__ = [
    "new_random",
    "now",
    "random",
    "random_seed",
    "register_random_seed_callback",
    "sleep",
    "time",
    "time_ns",
    "uuid4",
    "uuid7",
    "wait_condition",
]


def time_ns() -> int:
    """Nanoseconds since the epoch. It stands still during a task: it is the time at which the task started."""
    return Runtime.current().time_ns()


def time() -> float:
    """Seconds since the epoch; see `time_ns`."""
    return time_ns() / 1e9


def now() -> datetime:
    """The time in UTC, with its time zone; see `time_ns`."""
    return datetime.fromtimestamp(time(), UTC)


async def sleep(duration: float | timedelta, *, summary: str | None = None, event_groups: Sequence[EventGroup] | None = None) -> None:
    """Wait for a durable timer.

    Args:
        duration: How long, in seconds if it is a number.
        summary: One line of Markdown about the timer, for the UI and the command line.
        event_groups: Groups that the timer's events belong to, beside those of the current scope.
    """
    await Runtime.current().sleep(_seconds(duration), summary=summary, event_groups=event_groups)


async def wait_condition(
    fn: Callable[[], bool],
    *,
    timeout: timedelta | float | None = None,
    timeout_summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Wait until a function returns true. It is called whenever something has happened in the workflow.

    Args:
        fn: The function; not async, and it must change nothing.
        timeout: How long to wait at most, in seconds if it is a number. A durable timer keeps it, so that adding or removing a
            timeout changes what the workflow does (see `patched`). 0 times out at once.
        timeout_summary: One line about that timer, for the UI and the command line.
        event_groups: Groups that the timer's events belong to, beside those of the current scope.

    Raises:
        TimeoutError: The time is up.
    """
    seconds = None if timeout is None else _seconds(timeout)
    await Runtime.current().wait_condition(fn, timeout=seconds, timeout_summary=timeout_summary, event_groups=event_groups)


def _seconds(duration: float | timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def random() -> Random:
    """The workflow's generator of random numbers. Not for secrets: who knows the history knows the numbers."""
    return Runtime.current().random()


def random_seed() -> int:
    """The seed of `random`. It changes when the run is reset."""
    return Runtime.current().random_seed()


def register_random_seed_callback(callback: Callable[[int], None]) -> None:
    """Have a function called with each new seed that the workflow gets, to keep a generator of your own in step."""
    Runtime.current().register_random_seed_callback(callback)


def new_random(name: str | None = None) -> Random:
    """Another generator of random numbers, seeded from the workflow's seed and again whenever that changes.

    Args:
        name: Makes its numbers differ from those of `random` and of generators with other names. Without one, they are `random`'s.
    """

    def seed_from(workflow_seed: int) -> int | str:
        return workflow_seed if name is None else f"{workflow_seed}:{name}"

    generator = Random(seed_from(random_seed()))
    register_random_seed_callback(lambda workflow_seed: generator.seed(seed_from(workflow_seed)))
    return generator


def uuid4() -> UUID:
    """A random UUID of the workflow's own `random`. Not for secrets."""
    return UUID(bytes=random().getrandbits(128).to_bytes(16, "big"), version=4)


def uuid7() -> UUID:
    """A UUID that sorts by time (RFC 9562, version 7), of the workflow's own time and `random`. Not for secrets.

    All that are made in one task have the same time, and among themselves no order.
    """
    milliseconds = time_ns() // 1_000_000 & (1 << 48) - 1
    generator = random()
    high, low = generator.getrandbits(12), generator.getrandbits(62)
    # Python's own UUID class learned version 7 in 3.14 only, so the version and the variant are set here.
    return UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
