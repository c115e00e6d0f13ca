"""Log lines are one object each where machines read them, and absent where nobody wants them."""

import json
import logging
import sys

from outlast.cli.logs import JsonFormatter, PrettyFormatter, TextFormatter
from tests.cli.processes import serving


def _record(**extra: object) -> logging.LogRecord:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        error = sys.exc_info()
    record = logging.getLogger("outlast.test").makeRecord(
        "outlast.test", logging.WARNING, "f", 1, "%s waits", ("a\nb",), error, extra=extra
    )
    record.created = 0.25
    return record


def test_a_json_line_is_one_line_with_the_extra_fields_and_the_traceback() -> None:
    line = JsonFormatter().format(_record(key=("n", 1), other=object))

    assert "\n" not in line
    parsed = json.loads(line)
    assert parsed["time"] == "1970-01-01T00:00:00.250Z"
    assert (parsed["level"], parsed["message"], parsed["key"]) == ("warn", "a\nb waits", ["n", 1])
    assert parsed["error"].endswith("ValueError: two\nlines")


def test_lines_for_people_have_the_fields_and_the_colour_that_was_asked_for() -> None:
    assert TextFormatter().format(_record(key=1)).startswith("1970-01-01T00:00:00.250Z WARN  outlast.test a\nb waits key=1\nTraceback")
    assert "\x1b[33mWARN \x1b[0m a\nb waits" in PrettyFormatter(color=True).format(_record())
    assert "\x1b" not in PrettyFormatter(color=False).format(_record())


def test_a_server_that_logs_json_writes_nothing_but_objects() -> None:
    with serving("start-dev", "--log-format", "json", "--log-level", "info", "--color", "always") as server:
        _, errors = server.end()

    assert json.loads(server.banner)["address"] == server.address
    assert [json.loads(line)["message"] for line in errors.splitlines()] == ["serving", "stopping", "stopped"]


def test_level_never_writes_no_log() -> None:
    with serving("start-dev", "--log-level", "never") as server:
        assert server.end() == (0, "")
