"""When a cron schedule fires next (workflow-core.md 1.8): five fields, `@every 5s`, `@hourly`, `CRON_TZ=Zone `."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from outlast.engine.limits import SECOND
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
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_NEVER = re.compile(r"[\d*,/-]+ [\d*,/-]+ (30 0?2|31 0?(2|4|6|9|11)) [\d*,/-]+")
"""A day that no month has: the library takes it for an error, the reference server for a schedule without a slot."""
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


def check_cron(schedule: str) -> None:
    """Refuse a schedule that cannot be read or never fires."""
    if not schedule:
        return
    if next_backoff(schedule, 0, 0) <= 0:
        raise InvalidArgument("invalid CronSchedule, no time can be found to satisfy the schedule")


def next_backoff(schedule: str, start: int, now: int) -> int:
    """Nanoseconds from `now` to the first slot after it, rounded up to whole seconds; 0 when there is none.

    Slots of an `@every` schedule are counted from `start`, a moment in nanoseconds like `now`.
    """
    if schedule.startswith("@every "):
        return _every(schedule.removeprefix("@every "), start, now)
    zone, expression = _zone(schedule)
    moment = datetime.fromtimestamp(now / SECOND, UTC).astimezone(zone)
    try:
        slot = next(CronSim(_ALIASES.get(expression, expression), moment), None)
    except CronSimError:
        if _NEVER.fullmatch(expression):
            return 0
        raise InvalidArgument("invalid CronSchedule.") from None
    if slot is None:
        return 0
    backoff = int(slot.timestamp()) * SECOND - now
    return -(-backoff // SECOND) * SECOND


def _zone(schedule: str) -> tuple[ZoneInfo, str]:
    for prefix in ("CRON_TZ=", "TZ="):
        if schedule.startswith(prefix):
            name, _, expression = schedule.removeprefix(prefix).partition(" ")
            try:
                return ZoneInfo(name), expression.strip()
            except (ZoneInfoNotFoundError, ValueError):
                raise InvalidArgument("invalid CronSchedule.") from None
    return ZoneInfo("UTC"), schedule.strip()


def _every(text: str, start: int, now: int) -> int:
    parts = _SPAN.findall(text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise InvalidArgument("invalid CronSchedule.")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    interval = max(int(timedelta(seconds=seconds).total_seconds()), 1) * SECOND
    # Slots lie on whole seconds, as the reference server's do.
    elapsed = max(now - start // SECOND * SECOND, 0)
    backoff = interval - elapsed % interval
    return -(-backoff // SECOND) * SECOND
