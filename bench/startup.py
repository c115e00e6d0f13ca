"""How long a server takes from its start to its first answer when its file is full, and what memory it has then."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
import msgspec
from rich.console import Console
from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest, WorkflowServiceStub

from bench.plan import CLIENT_S, READY_S, Plan
from bench.servers import DATABASE, NAMESPACE, Server, running


class Startup(msgspec.Struct, frozen=True):
    empty_s: float
    """With no file; the median."""
    full_s: float
    """With the old file; the median."""
    rss_bytes: int
    """With the old file, some seconds after the start."""
    file_bytes: int
    build_s: float


def measure_startup(plan: Plan, console: Console) -> Startup:
    empty = [_start_on_nothing() for _ in range(plan.startups)]
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as name:
        directory = Path(name)
        build_s = _build(directory / DATABASE, plan)
        file_bytes = (directory / DATABASE).stat().st_size
        console.print(f"built a file of {file_bytes / 1e6:.0f} MB in {build_s:.0f} s")
        full: list[float] = []
        rss: list[int] = []
        for _ in range(plan.startups):
            with running("outlast", directory) as server:
                full.append(server.startup_s)
                time.sleep(plan.settle_s)
                rss.append(server.rss_bytes())
                _check(server, plan)
    found = Startup(statistics.median(empty), statistics.median(full), round(statistics.median(rss)), file_bytes, build_s)
    console.print(f"start-up {found.full_s:.2f} s (with no file {found.empty_s:.2f} s), then {found.rss_bytes / 1e6:.0f} MB")
    return found


def _start_on_nothing() -> float:
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory, running("outlast", Path(directory)) as server:
        return server.startup_s


def _build(path: Path, plan: Plan) -> float:
    start = time.perf_counter()
    arguments = [str(path), str(plan.closed_runs), str(plan.sleeping_runs)]
    subprocess.run([sys.executable, "-m", "bench.old_file", *arguments], timeout=CLIENT_S, check=True)
    return time.perf_counter() - start


def _check(server: Server, plan: Plan) -> None:
    """The server has all of the workflows."""
    with grpc.insecure_channel(server.address) as channel:
        request = CountWorkflowExecutionsRequest(namespace=NAMESPACE)
        found = WorkflowServiceStub(channel).CountWorkflowExecutions(request, timeout=READY_S).count
    assert found == plan.closed_runs + plan.sleeping_runs, f"the file has {found} workflows"
