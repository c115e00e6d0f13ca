"""What a server takes when it has worked and rests: memory, and CPU with a worker that polls and with none."""

import subprocess
import tempfile
import time
from pathlib import Path

import msgspec
from rich.console import Console

from bench.plan import CLIENT_S, Plan
from bench.servers import Server, Which, running
from bench.speed import workload_command
from bench.workloads import READY


class Rest(msgspec.Struct, frozen=True):
    workflows: int
    """Of `one`, before the memory was read."""
    rss_bytes_before: int
    rss_bytes: int
    idle_percent: float
    """Of one core, with no client."""
    polled_percent: float
    """Of one core, with a worker that polls."""


def measure_rest(which: Which, plan: Plan, console: Console) -> Rest:
    workflows = plan.memory_workflows if which == "outlast" else plan.memory_workflows_dev
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory, running(which, Path(directory)) as server:
        before = server.rss_bytes()
        subprocess.run(workload_command("many", server.address, "one", str(workflows)), timeout=CLIENT_S, check=True)
        rss_bytes = server.rss_bytes()
        idle_percent = _cpu_percent(server, plan)
        worker = subprocess.Popen(workload_command("idle", server.address), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with worker:
            assert worker.stdin is not None
            assert worker.stdout is not None
            said = worker.stdout.readline().decode().strip()
            assert said == READY, f"the idle worker said {said!r}"
            polled_percent = _cpu_percent(server, plan)
            worker.stdin.close()
    console.print(
        f"{which}: {rss_bytes / 1e6:.0f} MB after {workflows} workflows, idle {idle_percent:.2f} %, polled {polled_percent:.2f} %"
    )
    return Rest(workflows, before, rss_bytes, idle_percent, polled_percent)


def _cpu_percent(server: Server, plan: Plan) -> float:
    time.sleep(plan.settle_s)
    start, before = time.perf_counter(), server.cpu_s()
    time.sleep(plan.idle_s)
    return 100 * (server.cpu_s() - before) / (time.perf_counter() - start)
