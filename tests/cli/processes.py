"""Runs the real program."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("outlast")
START_S_MAX = 30
STOP_S_MAX = 10
"""Far above what it takes, for a busy machine; the promise of two seconds is tested once, by name."""
_ADDRESS = re.compile(r'Server\s+(\S+)|"address":"([^"]+)"')


def run(*arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command that is expected to end by itself."""
    return subprocess.run(
        [PROGRAM, *arguments], cwd=cwd, env=_environment(environment), capture_output=True, text=True, timeout=START_S_MAX, check=False
    )


class Server:
    """A server process that has said its address. `banner` is what it wrote until then."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.banner = ""
        assert process.stdout is not None
        for line in process.stdout:
            self.banner += line
            if line.startswith("{") or "SIGTERM to process" in line:
                break
        found = _ADDRESS.search(self.banner)
        if found is None:
            raise AssertionError(f"no address in {self.banner!r}; {process.communicate()[1]}")
        self.address = found[1] or found[2]

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """The exit code, and what stands on standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=STOP_S_MAX)
        return self.process.returncode, errors


@contextmanager
def serving(*arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server, by `outlast server <arguments>`, on a free port unless the arguments name one."""
    port = [] if any(a in ("--port", "--config", "-p") for a in arguments) or environment else ["--port", "0"]
    process = subprocess.Popen(
        [PROGRAM, "server", *arguments, *port],
        cwd=cwd,
        env=_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Server(process)
    finally:
        process.kill()
        process.communicate()


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OUTLAST_")}
    return {**clean, **(more or {})}
