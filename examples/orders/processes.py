"""The two processes that the demo kills: an Outlast server on a database file, and a worker."""

import asyncio
import socket
import sys
from pathlib import Path
from types import TracebackType

from temporalio.client import Client

from examples.orders.limits import SERVER_START_S_MAX

REPOSITORY = Path(__file__).parents[2]
OUTLAST = Path(sys.executable).parent / "outlast"


class CannotStart(Exception):
    """A process ended at once or did not answer: read the log that the message names."""


class Processes:
    """Server and worker as child processes; none outlives the `async with` block."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = _free_port()
        self.ledger = directory / "ledger.db"
        self._server: asyncio.subprocess.Process | None = None
        self._worker: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where the server listens, before and after a restart."""
        return f"127.0.0.1:{self._port}"

    @property
    def pids(self) -> str:
        """Both processes, for people."""
        assert self._server is not None
        assert self._worker is not None
        return f"server (pid {self._server.pid}) and worker (pid {self._worker.pid})"

    async def start(self) -> Client:
        """Start both; a client of the server. Raises CannotStart."""
        database = str(self._directory / "outlast.db")
        self._server = await self._spawn("server", str(OUTLAST), "server", "start", "--port", str(self._port), "--db-filename", database)
        client = await self._connect(self._server)
        self._worker = await self._spawn("worker", sys.executable, "-m", "examples.orders.worker", self.address, str(self.ledger))
        return client

    async def kill(self) -> None:
        """SIGKILL both and wait until they are gone. Idempotent."""
        running = [process for process in (self._server, self._worker) if process is not None and process.returncode is None]
        for process in running:
            process.kill()
        for process in running:
            await process.wait()
        self._server = self._worker = None

    def check(self) -> None:
        """Raises CannotStart if one of them has ended by itself."""
        for name, process in (("server", self._server), ("worker", self._worker)):
            if process is not None and process.returncode is not None:
                raise CannotStart(f"the {name} ended with code {process.returncode}; see {self._log(name)}")

    async def __aenter__(self) -> "Processes":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.kill()

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    async def _spawn(self, name: str, *command: str) -> asyncio.subprocess.Process:
        with self._log(name).open("ab") as log:
            # A session of its own: Ctrl-C reaches the conductor alone, which then ends its children.
            return await asyncio.create_subprocess_exec(
                *command, cwd=REPOSITORY, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    async def _connect(self, server: asyncio.subprocess.Process) -> Client:
        try:
            async with asyncio.timeout(SERVER_START_S_MAX):
                while True:
                    self.check()
                    try:
                        return await Client.connect(self.address)
                    except RuntimeError:
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise CannotStart(f"the server did not answer on {self.address}; see {self._log('server')}") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
