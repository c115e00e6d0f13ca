"""Small bridges between wire messages and plain values: durations, timestamps, payload sizes."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload

from outlast.engine import enums
from outlast.engine.limits import HUNDRED_YEARS

enums.settle()

_SECOND = 1_000_000_000


def nanoseconds(duration: Duration) -> int:
    """A duration's length, capped at a hundred years as the reference server does."""
    return min(duration.seconds * _SECOND + duration.nanos, HUNDRED_YEARS)


def set_duration(duration: Duration, span: int) -> None:
    duration.seconds, duration.nanos = divmod(span, _SECOND)
    duration.SetInParent()


def duration(span: int) -> Duration:
    seconds, nanos = divmod(span, _SECOND)
    return Duration(seconds=seconds, nanos=nanos)


def set_time(timestamp: Timestamp, moment: int) -> None:
    timestamp.seconds, timestamp.nanos = divmod(moment, _SECOND)


def timestamp(moment: int) -> Timestamp:
    seconds, nanos = divmod(moment, _SECOND)
    return Timestamp(seconds=seconds, nanos=nanos)


def moment(timestamp: Timestamp) -> int:
    return timestamp.seconds * _SECOND + timestamp.nanos


def has(message: Message, field: str) -> bool:
    """Whether the message has the field and it is set. Generated types know their fields only by literal names."""
    return field in message.DESCRIPTOR.fields_by_name and message.HasField(field)


def is_nil(payload: Payload) -> bool:
    """Whether a memo or search attribute payload says "no value": nothing, JSON null or JSON []."""
    return not payload.data or payload.data in (b"null", b"[]")


def framed(field: int, message: bytes) -> bytes:
    """`message` as a length-delimited protobuf field: lets messages be joined without parsing them."""
    return _varint(field << 3 | 2) + _varint(len(message)) + message


def frame_event(event: Message) -> bytes:
    """An event as one entry of a serialized History."""
    data = event.SerializeToString()
    size = len(data)
    if size < 128:
        return b"\x0a" + bytes((size,)) + data
    return b"\x0a" + _varint(size) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
