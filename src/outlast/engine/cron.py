"""When a cron schedule fires next (workflow-core.md 1.8): five fields, `@every 5s`, `@hourly`, `CRON_TZ=Zone `.

The rules are those of the parser that the reference server uses (robfig/cron v3, `ParseStandard`), and no library of ours
keeps to them: no `L`, `W` or `#`; `?` is `*`; day and weekday are alternatives unless one of them is a bare star; a time that
daylight saving leaves out does not happen, one that it repeats happens twice.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from outlast.engine.limits import HUNDRED_YEARS, SECOND
from outlast.engine.refusals import InvalidArgument

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_WEEKDAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_SPAN = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SPAN_MAX_S = (1 << 63) / SECOND
_YEARS_AHEAD = 5
"""A schedule without a slot in so many years never fires."""
_BAD = "invalid CronSchedule."


class _Field(msgspec.Struct, frozen=True):
    """The values of one field; `star` when it says nothing."""

    values: frozenset[int]
    star: bool


class _Schedule(msgspec.Struct, frozen=True):
    minutes: _Field
    hours: _Field
    days: _Field
    months: _Field
    weekdays: _Field
    zone: ZoneInfo

    def fits_day(self, day: datetime) -> bool:
        in_month = day.day in self.days.values
        in_week = day.isoweekday() % 7 in self.weekdays.values
        if self.days.star or self.weekdays.star:
            return in_month and in_week
        return in_month or in_week


def check_cron(schedule: str) -> None:
    """Refuse a schedule that cannot be read or never fires."""
    if schedule and next_backoff(schedule, 0, 0) <= 0:
        raise InvalidArgument("invalid CronSchedule, no time can be found to satisfy the schedule")


def next_backoff(schedule: str, start: int, now: int) -> int:
    """Nanoseconds from `now` to the first slot after it, rounded up to whole seconds; 0 when there is none.

    Slots of an `@every` schedule are counted from `start`, a moment in nanoseconds like `now`.
    """
    if schedule.startswith("@every "):
        return _every(schedule.removeprefix("@every "), start, now)
    slot = _next_slot(_parsed(schedule), now // SECOND)
    if slot is None:
        return 0
    return -(-(slot * SECOND - now) // SECOND) * SECOND


# Reading


@lru_cache(maxsize=1024)
def _parsed(schedule: str) -> _Schedule:
    zone, expression = _zone(schedule)
    fields = _ALIASES.get(expression, expression).split()
    if len(fields) != 5:
        raise InvalidArgument(_BAD)
    return _Schedule(
        _field(fields[0], 0, 59),
        _field(fields[1], 0, 23),
        _field(fields[2], 1, 31),
        _field(fields[3], 1, 12, _MONTHS),
        _field(fields[4], 0, 6, _WEEKDAYS),
        zone,
    )


def _zone(schedule: str) -> tuple[ZoneInfo, str]:
    for prefix in ("CRON_TZ=", "TZ="):
        if schedule.startswith(prefix):
            name, _, expression = schedule.removeprefix(prefix).partition(" ")
            try:
                return ZoneInfo(name), expression.strip()
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise InvalidArgument(_BAD) from None
    return ZoneInfo("UTC"), schedule.strip()


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> _Field:
    values: set[int] = set()
    star = False
    for part in filter(None, text.split(",")):
        chosen, bare = _range(part, low, high, names or {})
        values |= chosen
        star = star or bare
    return _Field(frozenset(values), star)


def _range(part: str, low: int, high: int, names: dict[str, int]) -> tuple[set[int], bool]:
    """The values of `*`, `a`, `a-b`, each perhaps with `/step`; and whether it is a bare star."""
    span, slash, step_text = part.partition("/")
    first_text, dash, last_text = span.partition("-")
    star = first_text in ("*", "?")
    if star and dash:
        raise InvalidArgument(_BAD)
    first = low if star else _number(first_text, names)
    last = high if star else _number(last_text, names) if dash else first
    step = 1
    if slash:
        step = _number(step_text, {})
        last = last if star or dash else high
    if not step or not low <= first <= last <= high:
        raise InvalidArgument(_BAD)
    return set(range(first, last + 1, step)), star and step == 1


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdigit()):
        raise InvalidArgument(_BAD)
    return int(text)


def _every(text: str, start: int, now: int) -> int:
    parts = _SPAN.findall(text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise InvalidArgument(_BAD)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > _SPAN_MAX_S:
        raise InvalidArgument(_BAD)
    interval = min(max(int(seconds), 1) * SECOND, HUNDRED_YEARS)
    # Slots lie on whole seconds, as the reference server's do.
    elapsed = max(now - start // SECOND * SECOND, 0)
    return -(-(interval - elapsed % interval) // SECOND) * SECOND


# Searching


def _next_slot(schedule: _Schedule, after_s: int) -> int | None:
    """The first slot after `after_s`, both in seconds since the epoch."""
    day = datetime.fromtimestamp(after_s, schedule.zone).replace(hour=0, minute=0, second=0, fold=0)
    last_year = day.year + _YEARS_AHEAD
    while day.year <= last_year:
        if day.month not in schedule.months.values:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            continue
        if schedule.fits_day(day):
            for slot in _slots_of_day(schedule, day):
                if slot > after_s:
                    return slot
        day += timedelta(days=1)
    return None


def _slots_of_day(schedule: _Schedule, day: datetime) -> Iterator[int]:
    """All slots of a local day, in order of time: those of a repeated hour come twice, those of a missing one never."""
    slots = set()
    for hour in schedule.hours.values:
        for fold in (0, 1):
            base = day.replace(hour=hour, fold=fold)
            for minute in schedule.minutes.values:
                local = base.replace(minute=minute)
                moment = int(local.timestamp())
                there = datetime.fromtimestamp(moment, UTC).astimezone(schedule.zone)
                if (there.hour, there.minute) == (hour, minute):
                    slots.add(moment)
    yield from sorted(slots)
