#!/usr/bin/env python3
"""What a developer runs: `python3 dev.py demo | test | test-long | bench | fix`. Needs nothing but Python 3.11 and pip.

The first run makes a virtual environment in `.venv`; later runs use it as it is, until pyproject.toml changes.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = Path(os.environ.get("OUTLAST_VENV", ROOT / ".venv"))
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
STAMP = ENVIRONMENT / "outlast.stamp"
PYTHON_MIN = (3, 11)
CHECKED = ("src", "tests", "bench", "examples", "dev.py")


def demo(options: Sequence[str]) -> int:
    """The main job: workflows that survive a kill of their process."""
    return _python("-m", "examples.orders", *options)


def test(options: Sequence[str]) -> int:
    """Formatter, linter, types, import rules, generated files, tests: everything, even after a failure."""
    checks = (
        ("format", [BIN / "ruff", "format", "--check", *CHECKED]),
        ("lint", [BIN / "ruff", "check", *CHECKED]),
        ("types", [BIN / "mypy"]),
        ("imports", [BIN / "lint-imports", "--no-logo"]),
        ("tests", [PYTHON, "-m", "pytest", *_workers(), *options]),
    )
    failed = [name for name, command in checks if _say_and_run(name, command)]
    if failed:
        print(f"failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def test_long(options: Sequence[str]) -> int:
    """The slower, longer suite."""
    return _python("-m", "pytest", "-m", "long", *options)


def bench(options: Sequence[str]) -> int:
    """Measure, and write docs/benchmarks.md, or the part of it that is named: embedded, scale, reference."""
    return _python("-m", "bench", *options)


def fix(_: Sequence[str]) -> int:
    """Change what tools can change: format, lint, generated files."""
    _run([BIN / "ruff", "check", "--fix", *CHECKED])
    _run([BIN / "ruff", "format", *CHECKED])
    return _python("-m", "tests.compatibility", "--write") or _python("-m", "tests.sync_stub", "--write")


JOBS = {"demo": demo, "test": test, "test-long": test_long, "bench": bench, "fix": fix}


def main() -> int:
    """Set up if need be, then do the job."""
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("options", nargs=argparse.REMAINDER, help="handed on: to pytest, to the demo, to the benchmark")
    arguments = parser.parse_args()
    if sys.version_info < PYTHON_MIN:
        return _with_a_newer_python()
    set_up()
    return JOBS[arguments.job](arguments.options)


def set_up() -> None:
    """Have an environment that fits pyproject.toml."""
    stamp = _wanted_stamp()
    if STAMP.exists() and STAMP.read_text() == stamp and PYTHON.exists():
        return
    begun = time.monotonic()
    print(f"setting up {ENVIRONMENT} (once; a minute or so)", flush=True)
    venv.create(ENVIRONMENT, with_pip=True, clear=ENVIRONMENT.exists() and not PYTHON.exists())
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([PYTHON, "-m", "pip", "install", *quiet, "--upgrade", "pip>=25.1"], check=True, cwd=ROOT)
    subprocess.run([PYTHON, "-m", "pip", "install", *quiet, "--editable", ".", "--group", "dev"], check=True, cwd=ROOT)
    STAMP.write_text(stamp)
    print(f"set up in {time.monotonic() - begun:.0f} s", flush=True)


def _wanted_stamp() -> str:
    project = (ROOT / "pyproject.toml").read_bytes()
    return f"{sys.version_info[0]}.{sys.version_info[1]} {ROOT} {hashlib.sha256(project).hexdigest()}\n"


def _workers() -> list[str]:
    """Tests run on as many workers as there are cores, up to four; those that share a server stay together."""
    cores = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)
    return ["-n", str(cores), "--dist", "loadgroup"] if cores > 1 else []


def _with_a_newer_python() -> int:
    for minor in range(20, PYTHON_MIN[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            return subprocess.run([newer, __file__, *sys.argv[1:]], check=False).returncode
    print(f"Outlast needs Python {PYTHON_MIN[0]}.{PYTHON_MIN[1]} or newer; this is {sys.version.split()[0]}", file=sys.stderr)
    return 1


def _python(*arguments: str) -> int:
    return _run([PYTHON, *arguments])


def _say_and_run(name: str, command: Sequence[str | Path]) -> int:
    print(f"── {name}", flush=True)
    return _run(command)


def _run(command: Sequence[str | Path]) -> int:
    try:
        return subprocess.run([str(part) for part in command], check=False, cwd=ROOT).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
