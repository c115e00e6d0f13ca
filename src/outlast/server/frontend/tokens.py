"""Tokens that travel through clients: opaque to them, checked when they come back."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from outlast.engine.keys import ExecutionKey
from outlast.engine.refusals import InvalidArgument
from outlast.engine.triggers import ActivityToken, WorkflowTaskToken

TokenT = TypeVar("TokenT")
_encode = msgspec.msgpack.Encoder().encode


class WorkflowTaskPass(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    key: ExecutionKey
    scheduled_event_id: int
    started_event_id: int
    started_time: int
    attempt: int

    @property
    def task(self) -> WorkflowTaskToken:
        return WorkflowTaskToken(self.scheduled_event_id, self.started_event_id, self.started_time, self.attempt)


class ActivityPass(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    key: ExecutionKey
    scheduled_event_id: int
    attempt: int
    started_time: int

    @property
    def activity(self) -> ActivityToken:
        return ActivityToken(self.scheduled_event_id, self.attempt, started_time=self.started_time)


class QueryPass(msgspec.Struct, frozen=True, array_like=True, tag="q"):
    namespace_id: str
    query_id: str


class HistoryPosition(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """Where the next page of a history starts."""

    run_id: str
    next_event_id: int
    last_event_id: int = 0
    """Where the pages end; 0 for the end of the history, wherever it is then."""
    waits: bool = False
    """All known events were read: wait for new ones."""


_AnyPass = WorkflowTaskPass | ActivityPass | QueryPass
_decode_task: Callable[[bytes], _AnyPass] = msgspec.msgpack.Decoder(_AnyPass).decode
_decode_position = msgspec.msgpack.Decoder(HistoryPosition).decode


def encode(token: msgspec.Struct) -> bytes:
    return _encode(token)


def decode_task(data: bytes, kind: type[TokenT]) -> TokenT:
    """The token, which must be of this kind. Raises InvalidArgument."""
    return of_kind(decode_any(data), kind)


def decode_any(data: bytes) -> WorkflowTaskPass | ActivityPass | QueryPass:
    """The token, of whatever kind. Raises InvalidArgument."""
    if not data:
        raise InvalidArgument("Task token not set on request.")
    try:
        return _decode_task(data)
    except msgspec.MsgspecError:
        raise InvalidArgument("Error deserializing task token.") from None


def of_kind(token: object, kind: type[TokenT]) -> TokenT:
    if not isinstance(token, kind):
        raise InvalidArgument("Error deserializing task token.")
    return token


def decode_position(data: bytes, run_id: str) -> HistoryPosition:
    try:
        position = _decode_position(data)
    except msgspec.MsgspecError:
        raise InvalidArgument("Invalid NextPageToken.") from None
    if run_id and run_id != position.run_id:
        raise InvalidArgument("RunId in the request does not match the NextPageToken.")
    return position
