"""Log lines on standard error: for people (text, pretty) or for machines (json)."""

import json
import logging
import sys
from datetime import UTC, datetime

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR, "never": logging.CRITICAL + 1}
"""`--log-level` to the least level that is written; "never" writes nothing."""
FORMATS = ("text", "pretty", "json")

_COLORS = {logging.DEBUG: "2", logging.INFO: "32", logging.WARNING: "33", logging.ERROR: "31"}
_OWN_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure(level: str, log_format: str, *, color: bool) -> None:
    """Send every log of the process to standard error. `color` matters to the pretty format only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(log_format, color))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])


def _formatter(log_format: str, color: bool) -> logging.Formatter:
    match log_format:
        case "json":
            return JsonFormatter()
        case "pretty":
            return PrettyFormatter(color)
        case _:
            return TextFormatter()


class JsonFormatter(logging.Formatter):
    """One object per line: time, level, logger, message, what the call gave as `extra`, and the traceback as `error`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": _level(record),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One line with the full time in UTC; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        time = _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{time} {_level(record).upper():5} {record.name} {_text(self, record)}"


class PrettyFormatter(logging.Formatter):
    """One short line for someone who watches: local time of day, coloured level."""

    def __init__(self, color: bool) -> None:
        super().__init__()
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        level = f"{_level(record).upper():5}"
        if self._color:
            level = f"\x1b[{_COLORS.get(record.levelno, '31')}m{level}\x1b[0m"
        return f"{_time(record).astimezone().strftime('%H:%M:%S.%f')[:-3]} {level} {_text(self, record)}"


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _level(record: logging.LogRecord) -> str:
    return "warn" if record.levelno == logging.WARNING else record.levelname.lower()


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in record.__dict__.items() if name not in _OWN_ATTRIBUTES}


def _text(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = " ".join([record.getMessage(), *(f"{name}={value}" for name, value in _extra(record).items())])
    return f"{text}\n{formatter.formatException(record.exc_info)}" if record.exc_info else text
