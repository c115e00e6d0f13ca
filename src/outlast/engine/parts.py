"""Many of one kind as a value: a mapping that is never changed, whose changed copy costs what changed and not what is there.

A run may hold thousands of timers, activities and request ids, and every transition makes a new state of the old one.
Copying a dictionary each time makes the whole quadratic, and so does looking through it for what comes due next.

*Layers.* The entries lie in a few dictionaries, older ones below. A change is a new layer on top, and layers are joined
while the one below is not more than twice as large: there are never more than some ten, and each entry is copied some ten
times in all (the logarithmic method of Bentley and Saxe, 1980). A small mapping is always one dictionary.

*The soonest.* A leftist heap (Crane, 1972) of (moment, key): to push or pop makes a handful of new nodes and shares the
rest. An entry is a promise that its key comes due *no sooner*: when a part moves to a later moment nothing is pushed, and
an entry that turns out too early when it reaches the top is replaced then. So there is about one entry for each part,
however often it moves.
"""

from __future__ import annotations

from collections.abc import Hashable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Generic, Protocol, TypeVar, cast

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_SMALL = 32
"""Layers of at most this many entries are joined at once."""


class Timed(Protocol):
    """A part that may come due, and may wait for somebody outside."""

    @property
    def due(self) -> int:
        """When it needs attention next; 0: it does not."""

    @property
    def waits(self) -> bool:
        """Whether somebody else has to do something for it."""


_Heap = tuple[int, int, Hashable, "_Heap | None", "_Heap | None"]
"""(rank, moment, key, left, right); the rank is the length of the way to the right."""


class Parts(Mapping[K, V], Generic[K, V]):
    """The entries. With `timed` the values are Timed, and `soonest` and `waiting` are kept up."""

    __slots__ = ("_count", "_heap", "_layers", "timed", "waiting")

    def __init__(self, entries: Mapping[K, V] | None = None, *, timed: bool = False) -> None:
        self._layers: tuple[dict[K, V | None], ...] = ()
        self._count = 0
        self._heap: _Heap | None = None
        self.timed = timed
        self.waiting = 0
        """How many of the values wait for somebody."""
        if entries:
            self._fill(entries)

    def _fill(self, entries: Mapping[K, V]) -> None:
        self._layers = (dict(entries),)
        self._count = len(entries)
        if self.timed:
            for key, value in entries.items():
                self._note(key, None, value)

    def changed(self, changes: Mapping[K, V | None]) -> Parts[K, V]:
        """These entries with `changes`: None takes one away."""
        after: Parts[K, V] = Parts(timed=self.timed)
        after._count, after._heap, after.waiting = self._count, self._heap, self.waiting
        for key, value in changes.items():
            before = self.get(key)
            after._count += (value is not None) - (before is not None)
            if self.timed:
                after._note(key, before, value)
        after._layers = _stacked(self._layers, changes, after._count)
        after._tidy()
        return after

    def _note(self, key: K, before: V | None, after: V | None) -> None:
        """Keep up the heap and the number of those that wait."""
        old, new = cast(Timed | None, before), cast(Timed | None, after)
        self.waiting += (new is not None and new.waits) - (old is not None and old.waits)
        if new is not None and new.due and not (old is not None and 0 < old.due <= new.due):
            self._heap = _joined(self._heap, (1, new.due, key, None, None))

    def _tidy(self) -> None:
        """Have the top of the heap be true."""
        while self._heap is not None:
            _, moment, key, left, right = self._heap
            value = cast(Timed | None, self.get(cast(K, key)))
            due = value.due if value is not None else 0
            if due == moment:
                return
            self._heap = _joined(left, right)
            if due > moment:
                self._heap = _joined(self._heap, (1, due, key, None, None))

    # Time

    @property
    def soonest(self) -> int | None:
        """When the first of the values comes due."""
        return None if self._heap is None else self._heap[1]

    def due(self, now: int) -> list[tuple[K, V]]:
        """What has come due, in no order."""
        found: dict[K, V] = {}
        unseen = [self._heap]
        while unseen:
            heap = unseen.pop()
            if heap is None or heap[1] > now:
                continue
            _, _, key, left, right = heap
            value = self.get(cast(K, key))
            if value is not None and 0 < cast(Timed, value).due <= now:
                found[cast(K, key)] = value
            unseen += (left, right)
        return list(found.items())

    # Mapping

    def get(self, key: K, default: V | None = None) -> V | None:  # type: ignore[override]
        for layer in reversed(self._layers):
            if key in layer:
                value = layer[key]
                return default if value is None else value
        return default

    def __getitem__(self, key: K) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return self.get(cast(K, key)) is not None

    def __iter__(self) -> Iterator[K]:
        return iter(self._whole())

    def __len__(self) -> int:
        return self._count

    def keys(self) -> KeysView[K]:
        return self._whole().keys()

    def values(self) -> ValuesView[V]:
        return self._whole().values()

    def items(self) -> ItemsView[K, V]:
        return self._whole().items()

    def _whole(self) -> dict[K, V]:
        """All in one dictionary. It is kept: who reads all once will soon do so again."""
        if len(self._layers) > 1:
            joined: dict[K, V | None] = {}
            for layer in self._layers:
                joined.update(layer)
            self._layers = ({key: value for key, value in joined.items() if value is not None},)
        return cast(dict[K, V], self._layers[0]) if self._layers else {}

    def __repr__(self) -> str:
        return f"Parts({self._whole()!r})"


def _stacked(layers: tuple[dict[K, V | None], ...], changes: Mapping[K, V | None], count: int) -> tuple[dict[K, V | None], ...]:
    top = dict(changes)
    below = len(layers)
    while below and len(layers[below - 1]) <= max(_SMALL, 2 * len(top)):
        below -= 1
        top = {**layers[below], **top}
    if below == 0 and len(top) != count:
        top = {key: value for key, value in top.items() if value is not None}
    return (*layers[:below], top)


def _joined(one: _Heap | None, other: _Heap | None) -> _Heap | None:
    """Both heaps as one."""
    if one is None:
        return other
    if other is None:
        return one
    if other[1] < one[1]:
        one, other = other, one
    left, right = one[3], _joined(one[4], other)
    if (left[0] if left else 0) < (right[0] if right else 0):
        left, right = right, left
    return (1 + (right[0] if right else 0), one[1], one[2], left, right)
