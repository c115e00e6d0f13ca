"""One schedule: what goes wrong where, drawn from a seed, and how it is written down."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import quote, unquote


class Disturbance(enum.Enum):
    """What may go wrong without anything being lost: a workflow that is right gets over all of it."""

    CRASH = "crash"
    """The worker dies while it works on a workflow task, and another one takes over; its running activities are lost with it."""
    FORGET = "forget"
    """The worker drops a workflow from its cache, and must rebuild it from its history at the next workflow task."""
    FAIL = "fail"
    """An attempt of an activity fails before it has done anything. Only while it has attempts left."""
    LOSE = "lose"
    """An attempt of an activity does its work, but nobody hears of it: it times out and is done again. Only while it has attempts left."""
    DELAY = "delay"
    """A request to the server arrives late: a start, a signal, an update, an activity's result. Others overtake it."""
    DOUBLE = "double"
    """A request to the server arrives twice."""


@dataclass(frozen=True)
class Disturbed:
    """One disturbance as it came about."""

    key: str
    """Names it within its schedule."""
    at_s: float
    """Virtual seconds since the start."""
    text: str


class Schedule:
    """Decides, point by point, what is disturbed. A point's fate hangs on the seed and its name alone: leaving one
    disturbance out does not change the others."""

    def __init__(
        self,
        seed: str,
        rate: float,
        kinds: Collection[Disturbance],
        now: Callable[[], float],
        only: Collection[str] | None = None,
    ) -> None:
        """`rate` is how likely each point is to be disturbed. With `only`, all but these are left out."""
        self._seed = seed
        self._rate = rate
        self._kinds = frozenset(kinds)
        self._now = now
        self._only = None if only is None else frozenset(only)
        self.disturbed: list[Disturbed] = []

    def happens(self, kind: Disturbance, point: str, text: str) -> bool:
        """Whether this goes wrong here; `text` says what, for people. It is remembered if it does."""
        key = f"{kind.value} {point}"
        if kind not in self._kinds or self._drawn(key) >= self._rate:
            return False
        if self._only is not None and key not in self._only:
            return False
        self.disturbed.append(Disturbed(key, self._now(), text))
        return True

    def amount(self, point: str, lowest: float, highest: float) -> float:
        """A number for this point, small ones as likely as large ones."""
        share = self._drawn(f"amount {point}")
        return float(lowest * (highest / lowest) ** share)

    def coin(self, point: str) -> bool:
        return self._drawn(f"coin {point}") < 0.5

    def _drawn(self, name: str) -> float:
        digest = blake2b(f"{self._seed}/{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64


def written(seed: int, number: int, keys: Collection[str] | None) -> str:
    """A schedule as text: seed and number, and the disturbances that count (None: all that it draws)."""
    name = f"{seed}/{number}"
    return name if keys is None else f"{name}:" + ",".join(quote(key, safe="#/@ ").replace(" ", "_", 1) for key in keys)


def read(text: str) -> tuple[int, int, list[str] | None]:
    """What `written` wrote. Raises ValueError for what it did not."""
    name, colon, keys = text.partition(":")
    seed, slash, number = name.partition("/")
    if not (slash and number.isdecimal() and seed.removeprefix("-").isdecimal()):
        raise ValueError(f"{text!r} is no schedule: it begins with a seed, a slash and a number")
    if not colon:
        return int(seed), int(number), None
    return int(seed), int(number), [unquote(key.replace("_", " ", 1)) for key in keys.split(",") if key]
