"""A server and a worker as processes that are killed and started again."""

import asyncio
import os
import sys
from pathlib import Path
from types import TracebackType

import grpc.aio
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from tests.faults.wire import NAMESPACE, Wire

ROOT = Path(__file__).parents[2]
OUTLAST = Path(sys.executable).with_name("outlast")
READY_S_MAX = 30.0
GONE_S_MAX = 10.0


class Processes:
    """Named child processes; none outlives the `async with` block. Each writes to a log of its own."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self.exits: list[str] = []
        """Processes that ended though nobody killed them."""

    async def start_server(self, *flags: str) -> None:
        command = [str(OUTLAST), "server", "start", "--port", str(self.port), "--db-filename", str(self.directory / "outlast.db"), *flags]
        await self._start("server", *command)

    async def start_worker(self, ledger: Path) -> None:
        await self._start("worker", sys.executable, "-m", "tests.faults.kill_workflows", self.address, str(ledger))

    async def _start(self, name: str, *command: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OUTLAST_")}
        with (self.directory / f"{name}.log").open("ab") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def kill(self, *names: str) -> None:
        """SIGKILL all of them at one moment, and wait until they are gone."""
        victims = {name: self._running.pop(name) for name in names if name in self._running}
        for name, process in victims.items():
            if process.returncode is None:
                process.kill()
            else:
                self.exits.append(f"{name} ended by itself with code {process.returncode}")
        async with asyncio.timeout(GONE_S_MAX):
            for process in victims.values():
                await process.wait()

    def pid(self, name: str) -> int:
        return self._running[name].pid

    async def ready(self, wire: Wire) -> None:
        """Wait until the server answers. Raises AssertionError with its log."""
        deadline = asyncio.get_running_loop().time() + READY_S_MAX
        while True:
            try:
                await wire.call("DescribeNamespace", DescribeNamespaceRequest(namespace=NAMESPACE), timeout_s=1)
                return
            except grpc.aio.AioRpcError as error:
                dead = self._running["server"].returncode is not None
                assert not dead and asyncio.get_running_loop().time() < deadline, f"no server: {error.details()}\n{self.log('server')}"
                await asyncio.sleep(0.02)

    def log(self, name: str) -> str:
        """The end of a process's log."""
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    async def __aenter__(self) -> "Processes":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.kill(*list(self._running))
