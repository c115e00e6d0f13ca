"""Settings come from a file, the environment and flags, the later wins; and each mistake is named where it stands."""

from pathlib import Path

import pytest

from outlast.cli import sources
from outlast.cli.settings import BadFlag, BadSetting, ServerSettings
from tests.cli.processes import run, serving


def _file(directory: Path, text: str) -> Path:
    path = directory / "outlast.toml"
    path.write_text(text)
    return path


def test_the_environment_wins_over_the_file_and_flags_over_both(tmp_path: Path) -> None:
    path = _file(tmp_path, 'ip = "10.0.0.1"\nport = 1\nlog_level = "debug"\n')

    merged = sources.merge(
        sources.from_file(path),
        sources.from_environment({"OUTLAST_PORT": "2", "OUTLAST_IP": "10.0.0.2"}),
        sources.from_flags({"port": "3", "ip": None, "namespaces": ()}),
    )

    assert merged == ServerSettings(ip="10.0.0.2", port=3, log_level="debug")


def test_every_setting_can_be_written_in_each_place(tmp_path: Path) -> None:
    text = 'namespaces = ["a", "b"]\nheadless = true\n[search_attributes]\nX = "Int"\n[sqlite_pragmas]\ncache_size = -5\n'
    variables = {
        "OUTLAST_NAMESPACES": "a, b",
        "OUTLAST_HEADLESS": "true",
        "OUTLAST_SEARCH_ATTRIBUTES": "X=int",
        "OUTLAST_SQLITE_PRAGMAS": "cache_size=-5",
        "OUTLAST_PORT": "",
    }
    typed = {"namespaces": ["a", "b"], "headless": True, "search_attributes": ["X=INT"], "sqlite_pragmas": ["cache_size=-5"]}
    expected = {"namespaces": ("a", "b"), "headless": True, "search_attributes": {"X": "Int"}, "sqlite_pragmas": {"cache_size": "-5"}}

    assert sources.from_file(_file(tmp_path, text)) == expected
    assert sources.from_environment(variables) == expected
    assert sources.from_flags(typed) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", "prot = 1: expected a known setting; did you mean port?"),
        ('port = "7233"', "port = 7233: expected a port"),
        ("port = 65536", "port = 65536: expected a port"),
        ('headless = "yes"', "headless = yes: expected true or false"),
        ('namespaces = "a"', "namespaces = a: expected a list"),
        ('namespaces = ["a", "b c"]', "namespaces = b c: expected a namespace's name"),
        ('search_attributes = {X = "Colour"}', "search_attributes = X=Colour: expected NAME=VALUE"),
        ('search_attributes = ["X=Int"]', 'search_attributes = ["X=Int"]: expected a table'),
        ("port = 1970-01-01", 'port = "1970-01-01": expected a port'),
        ("port = [", "not a TOML file: "),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = _file(tmp_path, text)

    with pytest.raises(BadSetting) as caught:
        sources.from_file(path)

    assert str(caught.value).startswith(f"{path}: {message}")
    assert not isinstance(caught.value, BadFlag)


def test_a_mistake_in_a_variable_is_named() -> None:
    with pytest.raises(BadSetting, match=r"^environment: OUTLAST_PORT=tcp://10.0.0.1:7233: expected a port"):
        sources.from_environment({"OUTLAST_PORT": "tcp://10.0.0.1:7233"})

    assert sources.unknown_variables({"OUTLAST_PROT": "1", "OUTLAST_PORT": "1", "OUTLAST_CONFIG": "x", "HOME": "/"}) == ["OUTLAST_PROT"]


def test_a_bad_file_ends_the_program_with_one_line(tmp_path: Path) -> None:
    _file(tmp_path, "prot = 1")

    found, missing = run("server", "start", cwd=tmp_path), run("server", "start", "--config", "no.toml", cwd=tmp_path)

    assert (found.returncode, found.stderr) == (1, "outlast: outlast.toml: prot = 1: expected a known setting; did you mean port?\n")
    assert (missing.returncode, missing.stderr) == (1, "outlast: no.toml: the settings file cannot be read: No such file or directory\n")


def test_a_server_uses_the_file_of_its_directory_and_its_environment(tmp_path: Path) -> None:
    _file(tmp_path, 'port = 1\nnamespaces = ["from-file"]\ndb_filename = "kept.db"\nlog_level = "error"\n')

    with serving("start", cwd=tmp_path, environment={"OUTLAST_PORT": "0", "OUTLAST_LOG_LEVEL": "warn", "OUTLAST_PROT": "1"}) as server:
        _, errors = server.end()

    assert str(tmp_path / "kept.db") in server.banner
    assert "Namespaces  from-file" in server.banner
    assert "OUTLAST_PROT is not a setting of Outlast" in errors
