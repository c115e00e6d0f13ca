"""The two servers as processes: started, watched and stopped."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import grpc
import msgspec
import psutil
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, WorkflowServiceStub

from bench.plan import READY_S, STOP_S

BIN = Path(sys.executable).parent
NAMESPACE = "default"
DATABASE = "outlast.db"
Which = Literal["dev", "outlast"]


class ServerDown(Exception):
    """A server ended, or never answered; the text is the end of its log."""


class Server(msgspec.Struct, frozen=True):
    """A server process that answers."""

    which: Which
    address: str
    process: psutil.Process
    startup_s: float
    """From the start of the process to its first answer."""

    def cpu_s(self) -> float:
        """User and system time since its start."""
        return cpu_s(self.process)

    def rss_bytes(self) -> int:
        return int(self.process.memory_info().rss)


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def running(which: Which, directory: Path) -> Iterator[Server]:
    """The server as it comes, on a free port. Outlast keeps its file in `directory`, and opens the one that is there."""
    port = free_port()
    with (directory / f"{which}.log").open("w+b") as log:
        started = time.perf_counter()
        child = subprocess.Popen(_command(which, port, directory), stdout=log, stderr=log)
        try:
            await_answer(child, port)
            startup_s = time.perf_counter() - started
            yield Server(which, f"127.0.0.1:{port}", psutil.Process(child.pid), startup_s)
            if child.poll() is not None:
                raise ServerDown(f"{which} ended with {child.returncode}")
        except ServerDown as error:
            log.seek(0)
            raise ServerDown(f"{error}\n{log.read().decode(errors='replace')[-2000:]}") from error
        finally:
            stop(child)


def _command(which: Which, port: int, directory: Path) -> list[str | Path]:
    if which == "dev":
        return [BIN / "temporal", "server", "start-dev", "--headless", "--port", str(port)]
    return [BIN / "outlast", "server", "start", "--port", str(port), "--db-filename", directory / DATABASE]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_answer(child: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        # A plain connection first: a gRPC channel waits a second before it tries a refused one again.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        if child.poll() is not None or time.monotonic() > deadline:
            raise ServerDown(f"nothing listens on port {port}")
        time.sleep(0.002)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        while True:
            try:
                request = DescribeNamespaceRequest(namespace=NAMESPACE)
                WorkflowServiceStub(channel).DescribeNamespace(request, timeout=READY_S, wait_for_ready=True)
                return
            except grpc.RpcError as error:  # the development server answers before it has registered the namespace
                if child.poll() is not None or time.monotonic() > deadline:
                    raise ServerDown(f"no answer: {error}") from error
                time.sleep(0.01)


def stop(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
