"""Page tokens of visibility lists: where in the order of the list the next page starts."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.server.store.errors import BadPageToken
from outlast.server.store.filters import KINDS, Order

Moment = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Key = Moment | float | str | bool | None


class Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The last record of a page: an open run counts as closing at the end of time."""

    close_time: Moment
    start_time: Moment
    run_id: str
    keys: tuple[Key, ...] = ()
    """Its values of what the list is ordered by before all else."""


_TYPES: dict[int, type | tuple[type, ...]] = {
    Kind.INDEXED_VALUE_TYPE_BOOL: int,
    Kind.INDEXED_VALUE_TYPE_DATETIME: int,
    Kind.INDEXED_VALUE_TYPE_DOUBLE: (int, float),
    Kind.INDEXED_VALUE_TYPE_INT: int,
    Kind.INDEXED_VALUE_TYPE_KEYWORD: str,
    Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST: str,
    Kind.INDEXED_VALUE_TYPE_TEXT: str,
}
"""A bool is an int."""
_decoder = msgspec.json.Decoder(Position)
_encode = msgspec.json.Encoder().encode


def encode_position(position: Position) -> bytes:
    return _encode(position)


def decode_position(token: bytes, order: Sequence[Order] = ()) -> Position:
    """The position in a list that is ordered so. Raises BadPageToken for any other."""
    try:
        position = _decoder.decode(token)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadPageToken(f"not a page token of this store: {error}") from error
    names = [each.attribute for each in order]
    if len(position.keys) != len(names) or not all(map(_fits, position.keys, names)):
        raise BadPageToken("the page token is of a list in another order")
    return position


def _fits(key: Key, attribute: str) -> bool:
    expected = int if attribute == "ExecutionStatus" else _TYPES[KINDS[attribute]]
    return key is None or isinstance(key, expected)
