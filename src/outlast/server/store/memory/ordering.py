"""The order of lists, on plain records."""

from collections.abc import Sequence

import msgspec

from outlast.server.store.filters import OPEN_CLOSE_TIME, Order
from outlast.server.store.memory.filters import attribute
from outlast.server.store.positions import Key, Position
from outlast.server.store.protocol import VisibilityRecord


def position_of(order: Sequence[Order], record: VisibilityRecord) -> Position:
    """Where a record stands in a list that is ordered so."""
    close_time = OPEN_CLOSE_TIME if record.close_time is None else record.close_time
    keys = tuple(_key(record, each.attribute) for each in order)
    return Position(close_time, record.start_time, record.run_id, keys)


def _key(record: VisibilityRecord, name: str) -> Key:
    value = attribute(record, name)
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value


def compare(order: Sequence[Order], left: Position, right: Position) -> int:
    """Below, at or above zero as `left` stands before, at or after `right`."""
    for each, one, other in zip(order, left.keys, right.keys, strict=True):
        if one != other:
            return _compared(one, other, each.descending)
    mine, others = (left.close_time, left.start_time, left.run_id), (right.close_time, right.start_time, right.run_id)
    return (mine < others) - (mine > others)


def _compared(one: Key, other: Key, descending: bool) -> int:
    if one is None or other is None:
        return 1 if one is None else -1
    before = one > other if descending else one < other  # type: ignore[operator]  # values of one attribute are of one type
    return -1 if before else 1
