"""The program answers fast, and explains what it cannot do in one line."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from outlast.cli.version import PROTOCOL_VERSION
from outlast.server.frontend.system import SERVER_VERSION
from tests.cli.processes import run, serving


def test_the_version_names_the_package_and_the_protocol() -> None:
    done = run("--version")

    assert done.returncode == 0
    assert done.stdout == f"outlast 0.1.0 (server {SERVER_VERSION} protocol)\n"
    assert PROTOCOL_VERSION == SERVER_VERSION


def test_nothing_heavy_is_imported_before_a_server_starts() -> None:
    script = "import sys, outlast.cli.main as m; sys.argv = ['outlast', 'server', 'start', '--help']; m.main();"
    script += "print([n for n in ('grpc', 'temporalio.api', 'outlast.server') if n in sys.modules])"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


USAGE_ERRORS = [
    (["-p", "65536"], "--port 65536: expected a port from 0 (any free one) to 65535"),
    (["-p", "abc"], "--port abc: expected a port from 0"),
    (["--ui-port", "-1"], "--ui-port -1: expected a port from 0"),
    (["--search-attribute", "Color"], "--search-attribute Color: expected NAME=VALUE"),
    (
        ["--search-attribute", "Color=Red"],
        "--search-attribute Color=Red: expected NAME=VALUE, with a value that is one of Text, Keyword, Int",
    ),
    (["--log-level", "loud"], "--log-level loud: expected one of debug, info, warn, error, never"),
    (["--log-format", "xml"], "--log-format xml: expected one of text, pretty, json"),
    (["--output", "xml"], "--output xml: expected one of text, json, jsonl, none"),
    (["--namespace", "a b"], "--namespace a b: expected a namespace's name"),
    (["--sqlite-pragma", "a;b=c"], "--sqlite-pragma a;b=c: expected NAME=VALUE"),
    (["--no-such-flag"], "No such option: --no-such-flag"),
]


@pytest.mark.parametrize(("flags", "message"), USAGE_ERRORS, ids=[" ".join(flags) for flags, _ in USAGE_ERRORS])
def test_a_flag_that_is_not_possible_is_a_usage_error_of_one_line(flags: list[str], message: str) -> None:
    done = run("server", "start-dev", *flags)

    assert done.returncode == 2
    assert done.stderr.startswith(f"outlast: {message}")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def _refused(*flags: str) -> str:
    done = run("server", "start-dev", *flags)
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_taken_port_is_named() -> None:
    with serving("start-dev") as server:
        ip, port = server.address.split(":")

        assert f"--ip {ip} --port {port}: another process listens on port {port}" in _refused("--port", port)
        assert f"another process listens on port {port}" in _refused("--port", port, "--ip", "localhost")


def test_an_address_of_another_machine_is_named() -> None:
    assert "192.0.2.1 is not an address of this machine" in _refused("--port", "0", "--ip", "192.0.2.1")


def test_a_file_that_another_server_has_is_named_with_its_owner(tmp_path: Path) -> None:
    database = str(tmp_path / "a.db")
    with serving("start-dev", "--db-filename", database) as server:
        error = _refused("--port", "0", "--db-filename", database)

    assert f"{database} is in use by another process (pid {server.process.pid})" in error


def test_a_file_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path) -> None:
    foreign, text = tmp_path / "foreign.db", tmp_path / "text.db"
    db = sqlite3.connect(foreign)
    db.execute("create table theirs (a)")
    db.close()
    text.write_text("not a database, though long enough to be taken for one " * 10)
    before = foreign.read_bytes(), text.read_bytes()

    assert f"{foreign} is a SQLite file of another program" in _refused("--port", "0", "-f", str(foreign))
    assert f"{text} cannot be opened as an Outlast file" in _refused("--port", "0", "-f", str(text))
    assert (foreign.read_bytes(), text.read_bytes()) == before


def test_a_file_of_a_newer_outlast_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with serving("start-dev", "-f", str(database)) as server:
        server.end()
    db = sqlite3.connect(database)
    db.execute("pragma user_version = 999")
    db.close()

    assert "written by a newer Outlast (schema 999" in _refused("--port", "0", "-f", str(database))


def test_a_directory_that_cannot_take_the_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "a.db"

    assert f"the directory {missing.parent} does not exist" in _refused("--port", "0", "-f", str(missing))
    assert "/proc/a.db.lock" in _refused("--port", "0", "-f", "/proc/a.db")  # where not even root may make a file


@pytest.mark.parametrize(
    "switch, expected",
    [
        ("frontend.WorkflowPauseEnabled=maybe", "expected true or false"),
        ("callback.allowedAddresses=somewhere", "expected a list like"),
        ('callback.allowedAddresses=[{"pattern":"*"}]', "unknown field"),
        ("limit.historyCount.suggestContinueAsNew=many", "expected a whole number above 0"),
        ("limit.blobSize.error=0", "expected a whole number above 0"),
    ],
)
def test_a_switch_that_is_read_is_checked(switch: str, expected: str) -> None:
    done = run("server", "start-dev", "--dynamic-config-value", switch)

    assert done.returncode == 2
    assert expected in done.stderr
