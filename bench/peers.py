"""Other systems under the same workloads, by drivers that are kept elsewhere; a peer that is not installed is left out.

The drivers print a line such as `dbos sqlite seq conc=20: 22 wf/s p50=800.0ms`.
"""

import contextlib
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec

from bench.plan import CLIENT_S, CONCURRENCY, READY_S
from bench.servers import stop

DBOS, RESTATE = "DBOS on SQLite", "Restate"
LINE = re.compile(r"(?P<workload>noop|one|seq) conc=\d+: (?P<per_second>[\d.]+) wf/s")
SERVICE = "127.0.0.1:9088"
ADMIN = "http://127.0.0.1:9070"
"""These ports are in Restate's drivers."""


class Peers(msgspec.Struct, frozen=True):
    """Where the drivers are, and what they need."""

    drivers: Path
    environment: Path
    """A folder with a virtual environment in `venv`, and `node_modules`."""

    def measure(self, workflows: int) -> dict[str, dict[str, float]]:
        """Workflows a second of each workload, for each peer that is installed."""
        figures: dict[str, dict[str, float]] = {}
        with tempfile.TemporaryDirectory(prefix="outlast-bench-peer-") as name:
            directory = Path(name)
            if self._has("dbos"):
                url = f"sqlite:///{directory / 'dbos.db'}"
                figures[DBOS] = self._drive(directory, "dbos_bench.py", url, workflows)
            if self._restate_server() is not None and self._has("restate") and self._has("hypercorn"):
                with self._restate(directory):
                    figures[RESTATE] = self._drive(directory, "restate_bench.py", workflows)
        return figures

    def _python(self) -> Path:
        return self.environment / "venv" / "bin" / "python"

    def _has(self, module: str) -> bool:
        found = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
        return self._python().exists() and subprocess.run([self._python(), "-c", found], check=False).returncode == 0

    def _restate_server(self) -> Path | None:
        return next(self.environment.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"), None)

    def _drive(self, directory: Path, driver: str, *arguments: object) -> dict[str, float]:
        command = [str(self._python()), str(self.drivers / driver), *map(str, arguments), str(CONCURRENCY)]
        done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=CLIENT_S)
        found = {match["workload"]: float(match["per_second"]) for match in LINE.finditer(done.stdout)}
        assert len(found) == 3, f"{driver} printed {done.stdout!r} and ended with {done.returncode}"
        return found

    @contextlib.contextmanager
    def _restate(self, directory: Path) -> Iterator[None]:
        server = self._restate_server()
        assert server is not None
        runtime = [str(server), "--base-dir", str(directory / "restate")]
        hypercorn = [str(self._python()), "-m", "hypercorn", "--bind", SERVICE, "restate_service:app"]
        with (directory / "restate.log").open("wb") as log, contextlib.ExitStack() as started:
            for command, cwd in ((runtime, directory), (hypercorn, self.drivers)):
                started.callback(stop, subprocess.Popen(command, cwd=cwd, stdout=log, stderr=log))
            _register()
            yield


def _register() -> None:
    """Tell Restate of the service, as soon as both are up."""
    deadline = time.monotonic() + READY_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            reply = httpx.post(f"{ADMIN}/deployments", json={"uri": f"http://{SERVICE}"}, timeout=READY_S)
            if reply.is_success:
                return
        if time.monotonic() > deadline:
            raise TimeoutError("Restate did not take the service")
        time.sleep(0.2)
