"""Moments as text: RFC 3339 to nanoseconds since the epoch, no looser and no stricter than the reference server reads it."""

import re
from datetime import UTC, datetime, timedelta

_SECOND = 1_000_000_000
_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FURTHEST = (1 << 63) - 2
"""Later moments count as this one, and earlier ones than its opposite as that: stores keep 64 bits, and the last is taken."""


def moment_of(text: str) -> int | None:
    """None for what is not a moment. What is finer than a nanosecond is cut off."""
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return None
    *parts, fraction, zone = match.groups()
    try:
        whole = datetime(*map(int, parts), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    offset = _offset(zone)
    if offset is None:
        return None
    span = whole - _EPOCH
    nanoseconds = (span.days * 86_400 + span.seconds) * _SECOND + int((fraction or "0")[:9].ljust(9, "0")) - offset
    return clamped(nanoseconds)


def text_of(moment: int) -> str:
    """The moment in UTC, with as many digits as it needs."""
    seconds, fraction = divmod(moment, _SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09}".rstrip("0") + "Z" if fraction else f"{text}Z"


def clamped(moment: int) -> int:
    """The moment, or the furthest that stores keep."""
    return max(-_FURTHEST, min(moment, _FURTHEST))


def _offset(zone: str) -> int | None:
    """East of Greenwich, in nanoseconds."""
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 24 or minutes > 60:
        return None
    span = timedelta(hours=hours, minutes=minutes)
    return (-1 if zone[0] == "-" else 1) * (span.days * 86_400 + span.seconds) * _SECOND
