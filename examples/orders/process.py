"""The process that the demo kills: the application, with Outlast embedded in it, on a database file."""

import asyncio
import socket
import sys
from pathlib import Path
from types import TracebackType

from examples.orders.limits import START_S_MAX
from outlast.client import Client

REPOSITORY = Path(__file__).parents[2]


class CannotStart(Exception):
    """The process ended at once or did not answer: read the log that the message names."""


class ApplicationProcess:
    """`app.py` as a child process; it does not outlive the `async with` block."""

    def __init__(self, directory: Path) -> None:
        self.address = f"127.0.0.1:{_free_port()}"
        """Where it listens, before and after a restart."""
        self.ledger = directory / "ledger.db"
        self._database = directory / "orders.db"
        self._log = directory / "app.log"
        self._process: asyncio.subprocess.Process | None = None

    def __str__(self) -> str:
        assert self._process is not None
        return f"the application (pid {self._process.pid})"

    async def start(self) -> Client:
        """Start it; a client of its address. Raises CannotStart."""
        command = (sys.executable, "-m", "examples.orders.app", str(self._database), self.address, str(self.ledger))
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the conductor alone, which then ends its child.
            self._process = await asyncio.create_subprocess_exec(
                *command, cwd=REPOSITORY, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return await self._connect()

    async def kill(self) -> None:
        """SIGKILL it and wait until it is gone. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def check(self) -> None:
        """Raises CannotStart if it has ended by itself."""
        if self._process is not None and self._process.returncode is not None:
            raise CannotStart(f"the application ended with code {self._process.returncode}; see {self._log}")

    async def __aenter__(self) -> "ApplicationProcess":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.kill()

    async def _connect(self) -> Client:
        try:
            async with asyncio.timeout(START_S_MAX):
                while True:
                    self.check()
                    try:
                        return await Client.connect(self.address)
                    except RuntimeError:
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise CannotStart(f"the application did not answer on {self.address}; see {self._log}") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
