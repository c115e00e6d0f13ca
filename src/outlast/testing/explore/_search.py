"""Plays a test under one schedule after the other, and makes the first one that breaks it as short as can be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from outlast.common import SearchAttributeKey
from outlast.testing.explore._elsewhere import HISTORIES_MAX, CannotGo, Replayed, first_parting
from outlast.testing.explore._loop import VirtualLoop
from outlast.testing.explore._reality import repeatable
from outlast.testing.explore._schedule import Disturbance, Disturbed, Schedule, read, written
from outlast.testing.explore._world import ReplayFailed, World

logger = logging.getLogger("outlast.testing")
Test = Callable[[World], Awaitable[None]]

_RATES = (0.1, 0.3, 1.0, 0.05)
"""How likely each point is to be disturbed, in turn. The first schedule of all is not disturbed at all."""
_SHRINKING_PLAYS_MAX = 200


@dataclass(frozen=True)
class Explored:
    """What was seen, when nothing broke."""

    schedules: int
    disturbances: int
    histories: int
    """How many workflow runs there were; all of them were replayed."""
    elsewhere: bool
    """Whether some of them were replayed in another process, too, where strings hash differently."""


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
    search_attributes: Sequence[SearchAttributeKey[Any]] = (),
) -> Explored:
    """Run ``test`` under so many schedules, each in a world of its own; the schedules of another seed are others.

    ``client`` are parameters of the worlds' clients, such as ``data_converter``; ``search_attributes`` are the custom ones. With
    ``schedule``, as :class:`Broken` told it, only that one is played, whatever ``seed`` says.

    Raises RuntimeError where an event loop runs already, and :class:`Broken` for the first schedule under which the test raises
    anything or never ends, workflow code fails its workflow task, or a history does not replay.
    """
    if asyncio._get_running_loop() is not None:
        raise RuntimeError("explore has an event loop of its own, whose time is virtual: call it from a plain function, not an async one")
    if schedule is not None:
        seed, number, keys = read(schedule)
        plays = [_Search(test, seed, disturbances, client, search_attributes).play(number, keys)]
        if (error := plays[0].error) is not None:
            raise Broken(schedule, plays[0].disturbed, len(plays[0].disturbed), error) from error
    else:
        search, plays = _Search(test, seed, disturbances, client, search_attributes), []
        for number in range(schedules):
            plays.append(search.play(number))
            if plays[-1].error is not None:
                raise search.shortest(plays[-1])
    return Explored(
        len(plays), sum(len(play.disturbed) for play in plays), sum(len(play.replayed) for play in plays), _elsewhere(seed, plays)
    )


def _elsewhere(seed: int, plays: Sequence[_Play]) -> bool:
    """Whether the code could be taken elsewhere. Raises Broken when it comes out differently there."""
    replayed = [(play, each) for play in plays for each in play.replayed][:HISTORIES_MAX]
    if not replayed:
        return False
    try:
        parting = first_parting([each for _, each in replayed])
    except CannotGo as error:
        logger.info("histories are not replayed in another process: %s", error)
        return False
    if parting is not None:
        play, each = replayed[parting.place]
        told = f"the history of {each.history.workflow_id!r} comes out differently where strings hash differently (sets!): {parting.how}"
        raise Broken(written(seed, play.number, [each.key for each in play.disturbed]), play.disturbed, 0, ReplayFailed(told))
    return True


@dataclass(frozen=True)
class _Play:
    """How one schedule went."""

    number: int
    disturbed: Sequence[Disturbed]
    error: BaseException | None
    replayed: Sequence[Replayed]


class _Search:
    def __init__(
        self,
        test: Test,
        seed: int,
        kinds: Collection[Disturbance],
        options: Mapping[str, Any],
        search_attributes: Sequence[SearchAttributeKey[Any]],
    ) -> None:
        self._test = test
        self._seed = seed
        self._kinds = kinds
        self._options = options
        self._search_attributes = {key.name: key._metadata_type for key in search_attributes}

    def play(self, number: int, only: Collection[str] | None = None) -> _Play:
        seed = f"{self._seed}/{number}"
        loop = VirtualLoop()
        rate = _RATES[(number - 1) % len(_RATES)] if number else 0.0
        schedule = Schedule(seed, rate, self._kinds, loop.time, only)
        with repeatable(seed, loop.time), _quietly():
            try:
                world = World(schedule, loop, seed, self._options, self._search_attributes)
                loop.play(world.play(self._test))
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is what the exploration is for
                return _Play(number, schedule.disturbed, error, ())
        return _Play(number, schedule.disturbed, None, world.replayed)

    def shortest(self, first: _Play) -> Broken:
        """Leave out what is not needed for the same failure: first many disturbances at once, then one by one."""
        assert first.error is not None
        best, keys = first, [each.key for each in first.disturbed]
        plays, size = 0, max(len(keys) // 2, 1)
        while keys and plays < _SHRINKING_PLAYS_MAX:
            for start in range(0, len(keys), size):
                fewer = keys[:start] + keys[start + size :]
                plays += 1
                again = self.play(first.number, fewer)
                if type(again.error) is type(first.error):
                    best, keys = again, [each.key for each in again.disturbed]
                    break
            else:
                if size == 1:
                    break
                size //= 2
            size = min(size, max(len(keys), 1))
        assert best.error is not None
        broken = Broken(written(self._seed, first.number, keys), best.disturbed, len(first.disturbed), best.error)
        broken.__cause__ = best.error
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


def _told(schedule: str, disturbed: Sequence[Disturbed], shrunk_from: int, error: BaseException) -> str:
    if disturbed:
        more = f" ({shrunk_from} at first)" if shrunk_from > len(disturbed) else ""
        lines = [f"it takes {len(disturbed)} disturbance{'s' if len(disturbed) > 1 else ''}{more}:"]
        lines += [f"  {each.at_s:10.3f} s  {each.text}" for each in disturbed]
    else:
        lines = ["it takes no disturbance at all"]
    what = f"{type(error).__name__}: {error}"
    return "\n".join([what, *lines, f"to see it again: explore(..., schedule={schedule!r})"])
