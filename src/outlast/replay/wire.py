"""Making commands, and the spans and moments in messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio.api.command.v1 import Command

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp
    from temporalio.api.common.v1 import Payload
    from temporalio.api.sdk.v1 import EventGroupMarker, UserMetadata

Fields = dict[str, Any]
"""The fields of a message by name. As an argument of a constructor they are twice as fast as messages within messages."""

NO_MARKERS: Sequence[EventGroupMarker] = ()


def make_command(
    kind: int,
    field: str,
    attributes: Fields,
    metadata: UserMetadata | None = None,
    markers: Sequence[EventGroupMarker] = NO_MARKERS,
) -> Command:
    """A command of a kind, with its attributes under the name of their field."""
    fields: Fields = {"command_type": kind, field: attributes}
    if metadata is not None:
        fields["user_metadata"] = metadata
    if markers:
        fields["event_group_markers"] = markers
    return Command(**fields)


def payloads(values: Sequence[Payload]) -> Fields | None:
    """A Payloads message; None if there is nothing to put into it."""
    return {"payloads": values} if values else None


def span(value: timedelta | None) -> Fields | None:
    """A Duration message. A span of zero counts as none, as in the official SDK."""
    if not value:
        return None
    return {"seconds": value.days * 86_400 + value.seconds, "nanos": value.microseconds * 1000}


def span_of_ns(value: int) -> Fields:
    seconds, nanos = divmod(value, 1_000_000_000)
    return {"seconds": seconds, "nanos": nanos}


def to_ns(moment: Timestamp | Duration) -> int:
    return moment.seconds * 1_000_000_000 + moment.nanos


def to_datetime(moment: Timestamp) -> datetime:
    return datetime.fromtimestamp(moment.seconds, UTC).replace(microsecond=moment.nanos // 1000)


def to_timedelta(duration: Duration) -> timedelta:
    return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000)


def headers(values: Mapping[str, Payload]) -> Fields:
    """A Header message."""
    return {"fields": dict(values)}
