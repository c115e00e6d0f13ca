"""Plays a test under one schedule after the other, and makes the first one that breaks it as short as can be."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from outlast.testing.explore._loop import VirtualLoop
from outlast.testing.explore._reality import repeatable
from outlast.testing.explore._schedule import Disturbance, Disturbed, Schedule, read, written
from outlast.testing.explore._world import World

Test = Callable[[World], Awaitable[None]]

_RATES = (0.1, 0.3, 1.0, 0.05)
"""How likely each point is to be disturbed, in turn. The first schedule of all is not disturbed at all."""
_SHRINKING_PLAYS_MAX = 200


@dataclass(frozen=True)
class Explored:
    """What was seen, when nothing broke."""

    schedules: int
    disturbances: int


class Broken(AssertionError):
    """The test fails under a schedule. What it, or the check, raised is the ``__cause__``."""

    def __init__(self, schedule: str, disturbed: Sequence[Disturbed], shrunk_from: int, error: BaseException) -> None:
        super().__init__(_told(schedule, disturbed, shrunk_from, error))
        self.schedule = schedule
        """To be given to :func:`explore`, to see it again."""
        self.disturbances = [each.text for each in disturbed]
        """What goes wrong in it, in order."""


def explore(
    test: Test,
    *,
    schedules: int = 100,
    seed: int = 0,
    disturbances: Collection[Disturbance] = frozenset(Disturbance),
    schedule: str | None = None,
    client: Mapping[str, Any] = {},
) -> Explored:
    """Run ``test`` under so many schedules, each in a world of its own; the schedules of another seed are others.

    ``client`` are parameters of the worlds' clients, such as ``data_converter``. With ``schedule``, only that one is played, as
    :class:`Broken` told it. Raises :class:`Broken` for the first schedule under which the test raises anything, workflow code fails
    its workflow task, the test never ends, or a history does not replay. To be called where no event loop runs.
    """
    search = _Search(test, seed, disturbances, client)
    if schedule is not None:
        number, keys = read(schedule)
        disturbed, error = search.play(number, keys)
        if error is not None:
            raise Broken(schedule, disturbed, len(disturbed), error) from error
        return Explored(1, len(disturbed))
    seen = 0
    for number in range(schedules):
        disturbed, error = search.play(number)
        if error is not None:
            raise search.shortest(number, disturbed, error)
        seen += len(disturbed)
    return Explored(schedules, seen)


class _Search:
    def __init__(self, test: Test, seed: int, kinds: Collection[Disturbance], options: Mapping[str, Any]) -> None:
        self._test = test
        self._seed = seed
        self._kinds = kinds
        self._options = options

    def play(self, number: int, only: Collection[str] | None = None) -> tuple[list[Disturbed], BaseException | None]:
        """What was disturbed, and what broke."""
        seed = f"{self._seed}/{number}"
        loop = VirtualLoop()
        rate = _RATES[(number - 1) % len(_RATES)] if number else 0.0
        schedule = Schedule(seed, rate, self._kinds, loop.time, only)
        with repeatable(seed, loop.time), _quietly():
            try:
                world = World(schedule, loop, seed, self._options)
                loop.play(world.play(self._test))
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is what the exploration is for
                return schedule.disturbed, error
        return schedule.disturbed, None

    def shortest(self, number: int, disturbed: Sequence[Disturbed], error: BaseException) -> Broken:
        """Leave out what is not needed for the same failure: first many disturbances at once, then one by one."""
        found, keys = disturbed, [each.key for each in disturbed]
        plays, size = 0, max(len(keys) // 2, 1)
        while keys and plays < _SHRINKING_PLAYS_MAX:
            for start in range(0, len(keys), size):
                fewer = keys[:start] + keys[start + size :]
                plays += 1
                again, same = self.play(number, fewer)
                if same is not None and _alike(same, error):
                    found, error, keys = again, same, [each.key for each in again]
                    break
            else:
                if size == 1:
                    break
                size //= 2
            size = min(size, max(len(keys), 1))
        broken = Broken(written(number, keys), found, len(disturbed), error)
        broken.__cause__ = error
        return broken


@contextmanager
def _quietly() -> Iterator[None]:
    """What goes wrong on purpose is no news."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)


def _alike(one: BaseException, other: BaseException) -> bool:
    return type(one) is type(other)


def _told(schedule: str, disturbed: Sequence[Disturbed], shrunk_from: int, error: BaseException) -> str:
    if disturbed:
        more = f" ({shrunk_from} at first)" if shrunk_from > len(disturbed) else ""
        lines = [f"it takes {len(disturbed)} disturbance{'s' if len(disturbed) > 1 else ''}{more}:"]
        lines += [f"  {each.at_s:10.3f} s  {each.text}" for each in disturbed]
    else:
        lines = ["it takes no disturbance at all"]
    what = f"{type(error).__name__}: {error}"
    return "\n".join([what, *lines, f"to see it again: explore(..., schedule={schedule!r})"])
