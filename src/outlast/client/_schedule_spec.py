"""When a schedule acts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.api.schedule import v1 as messages

from outlast.client._helpers import duration, span_of, time_of, timestamp


@dataclass
class ScheduleSpec:
    """When a schedule acts: at each time that one of ``calendars``, ``intervals`` and ``cron_expressions`` names and ``skip`` does not."""

    calendars: Sequence[ScheduleCalendarSpec] = dataclasses.field(default_factory=list)
    """Times by the calendar."""

    intervals: Sequence[ScheduleIntervalSpec] = dataclasses.field(default_factory=list)
    """Times at equal distances."""

    cron_expressions: Sequence[str] = dataclasses.field(default_factory=list)
    """Times as cron has them. The server turns them into calendars and intervals: a description shows those."""

    skip: Sequence[ScheduleCalendarSpec] = dataclasses.field(default_factory=list)
    """Times at which not to act."""

    start_at: datetime | None = None
    """No action before this time."""

    end_at: datetime | None = None
    """No action after this time."""

    jitter: timedelta | None = None
    """Each action is put off by a random time of up to this, or up to the next action."""

    time_zone_name: str | None = None
    """Time zone of calendars and cron expressions, such as ``Europe/Berlin``. None: UTC."""

    @staticmethod
    def _from_proto(spec: messages.ScheduleSpec) -> ScheduleSpec:
        return ScheduleSpec(
            calendars=[ScheduleCalendarSpec._from_proto(calendar) for calendar in spec.structured_calendar],
            intervals=[ScheduleIntervalSpec._from_proto(interval) for interval in spec.interval],
            cron_expressions=spec.cron_string,
            skip=[ScheduleCalendarSpec._from_proto(calendar) for calendar in spec.exclude_structured_calendar],
            start_at=time_of(spec, "start_time"),
            end_at=time_of(spec, "end_time"),
            jitter=span_of(spec, "jitter"),
            time_zone_name=spec.timezone_name or None,
        )

    def _to_proto(self) -> messages.ScheduleSpec:
        return messages.ScheduleSpec(
            structured_calendar=[calendar._to_proto() for calendar in self.calendars],
            cron_string=self.cron_expressions,
            interval=[interval._to_proto() for interval in self.intervals],
            exclude_structured_calendar=[calendar._to_proto() for calendar in self.skip],
            start_time=timestamp(self.start_at),
            end_time=timestamp(self.end_at),
            jitter=duration(self.jitter or None),
            timezone_name=self.time_zone_name or "",
        )


@dataclass(frozen=True)
class ScheduleRange:
    """Numbers from ``start`` to ``end``, both included, by ``step``."""

    start: int
    """The first."""

    end: int = 0
    """The last. Less than ``start``: the first is the only one."""

    step: int = 0
    """Distance. 0: one."""

    def __post_init__(self) -> None:
        """Put the defaults in."""
        if self.end < self.start:
            object.__setattr__(self, "end", self.start)
        if self.step == 0:
            object.__setattr__(self, "step", 1)

    @staticmethod
    def _from_protos(ranges: Iterable[messages.Range]) -> Sequence[ScheduleRange]:
        return tuple(ScheduleRange(start=each.start, end=each.end, step=each.step) for each in ranges)

    @staticmethod
    def _to_protos(ranges: Iterable[ScheduleRange]) -> Sequence[messages.Range]:
        return tuple(messages.Range(start=each.start, end=each.end, step=each.step) for each in ranges)


@dataclass
class ScheduleCalendarSpec:
    """Times by the calendar: those of which every part is in one of the ranges. As it is: every day at midnight."""

    second: Sequence[ScheduleRange] = (ScheduleRange(0),)
    """0 to 59."""

    minute: Sequence[ScheduleRange] = (ScheduleRange(0),)
    """0 to 59."""

    hour: Sequence[ScheduleRange] = (ScheduleRange(0),)
    """0 to 23."""

    day_of_month: Sequence[ScheduleRange] = (ScheduleRange(1, 31),)
    """1 to 31."""

    month: Sequence[ScheduleRange] = (ScheduleRange(1, 12),)
    """1 to 12."""

    year: Sequence[ScheduleRange] = ()
    """Empty: all years."""

    day_of_week: Sequence[ScheduleRange] = (ScheduleRange(0, 6),)
    """0, Sunday, to 6."""

    comment: str | None = None
    """What these times are, for people."""

    @staticmethod
    def _from_proto(spec: messages.StructuredCalendarSpec) -> ScheduleCalendarSpec:
        parts = {part: ScheduleRange._from_protos(getattr(spec, part)) for part in _CALENDAR_PARTS}
        return ScheduleCalendarSpec(**parts, comment=spec.comment or None)

    def _to_proto(self) -> messages.StructuredCalendarSpec:
        return messages.StructuredCalendarSpec(
            second=ScheduleRange._to_protos(self.second),
            minute=ScheduleRange._to_protos(self.minute),
            hour=ScheduleRange._to_protos(self.hour),
            day_of_month=ScheduleRange._to_protos(self.day_of_month),
            month=ScheduleRange._to_protos(self.month),
            year=ScheduleRange._to_protos(self.year),
            day_of_week=ScheduleRange._to_protos(self.day_of_week),
            comment=self.comment or "",
        )


_CALENDAR_PARTS = ("second", "minute", "hour", "day_of_month", "month", "year", "day_of_week")


@dataclass
class ScheduleIntervalSpec:
    """Times at equal distances, counted from the beginning of 1970 in UTC: an hour's are the full hours."""

    every: timedelta
    """Distance."""

    offset: timedelta | None = None
    """Put all times off by this."""

    @staticmethod
    def _from_proto(spec: messages.IntervalSpec) -> ScheduleIntervalSpec:
        return ScheduleIntervalSpec(every=spec.interval.ToTimedelta(), offset=span_of(spec, "phase"))

    def _to_proto(self) -> messages.IntervalSpec:
        return messages.IntervalSpec(interval=duration(self.every), phase=duration(self.offset or None))
