"""What several calls need: results out of payloads, times, headers, texts for people."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.sdk.v1 import UserMetadata

if TYPE_CHECKING:
    from outlast.converter import DataConverter, PayloadCodec


async def single_result(converter: DataConverter, payloads: Payloads, result_type: type | None, what: str) -> Any:
    """The one value in these payloads; None if there is none, and the first with a warning if there are several."""
    if not payloads.payloads:
        return None
    values = await converter.decode(payloads.payloads, [result_type] if result_type else None)
    if len(values) > 1:
        warnings.warn(f"Expected single {what}, got {len(values)}", stacklevel=2)
    return values[0] if values else None


async def apply_headers(source: Mapping[str, Payload], target: MutableMapping[str, Payload], codec: PayloadCodec | None) -> None:
    """Put an interceptor's headers into a request, through the codec if there is one."""
    for name, payload in source.items():
        target[name].CopyFrom((await codec.encode([payload]))[0] if codec is not None else payload)


async def encoded_user_metadata(
    converter: DataConverter, summary: str | Payload | None, details: str | Payload | None
) -> UserMetadata | None:
    """The texts for people, as a request holds them; None if there are none."""
    if summary is None and details is None:
        return None
    return UserMetadata(summary=await _encoded_text(converter, summary), details=await _encoded_text(converter, details))


async def _encoded_text(converter: DataConverter, text: str | Payload | None) -> Payload | None:
    return (await converter.encode([text]))[0] if isinstance(text, str) else text


async def decoded_user_metadata(converter: DataConverter, metadata: UserMetadata) -> tuple[str | None, str | None]:
    """Summary and details out of a reply."""
    return await _decoded_text(converter, metadata, "summary"), await _decoded_text(converter, metadata, "details")


async def _decoded_text(converter: DataConverter, metadata: UserMetadata, name: str) -> str | None:
    if not metadata.HasField(name):  # type: ignore[arg-type]
        return None
    text: str = (await converter.decode([getattr(metadata, name)]))[0]
    return text


def time_of(message: Message, field: str) -> datetime | None:
    """The time in this field, in UTC; None if it is not set."""
    return utc(getattr(message, field)) if message.HasField(field) else None


def utc(timestamp: Timestamp) -> datetime:
    """The time, in UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)


def span_of(message: Message, field: str) -> timedelta | None:
    """The span of time in this field; None if it is not set."""
    span: Duration = getattr(message, field)
    return span.ToTimedelta() if message.HasField(field) else None


def duration(span: timedelta | None) -> Duration | None:
    """The span of time as a message; None stays None."""
    if span is None:
        return None
    message = Duration()
    message.FromTimedelta(span)
    return message


def timestamp(time: datetime | None) -> Timestamp | None:
    """The time as a message; one without a time zone is UTC."""
    if time is None:
        return None
    message = Timestamp()
    message.FromDatetime(time)
    return message
