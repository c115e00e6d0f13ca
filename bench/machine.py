"""What the figures were measured on."""

import datetime
import importlib.metadata
import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent


def machine() -> Iterator[list[str]]:
    """Rows of name and value."""
    processor = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ": unknown")
    yield ["date", datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")]
    yield ["CPU", f"{processor.partition(':')[2].strip()}, {os.cpu_count()} cores, shared with other work"]
    yield ["system", f"{platform.system()} {platform.release()}"]
    yield ["Outlast", f"{importlib.metadata.version('outlast')}, commit {_commit()}"]
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("temporalio", "grpcio", "protobuf", "msgspec"))
    yield ["software", f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"]


def output(*command: str | Path) -> str:
    """What a command prints."""
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout.strip()


def _commit() -> str:
    changed = output("git", "status", "--porcelain", "--", "src")
    return output("git", "rev-parse", "--short", "HEAD") + (" with changes to src" if changed else "")
