"""Page tokens of visibility lists: where in the order of the list the next page starts."""

from typing import Annotated

import msgspec

from outlast.server.store.errors import BadPageToken

Moment = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Position = tuple[Moment, Moment, str]
"""(close time, start time, run id) of the last record of a page; an open run counts as closing at the end of time."""

_decoder: msgspec.json.Decoder[Position] = msgspec.json.Decoder(Position)
encode_position = msgspec.json.Encoder().encode


def decode_position(token: bytes) -> Position:
    """Raises BadPageToken."""
    try:
        return _decoder.decode(token)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadPageToken(f"not a page token of this store: {error}") from error
