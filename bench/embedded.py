"""How many workflows a second run where client, worker, server and file are one process: Outlast embedded, with its own SDK.

python -m bench.embedded                        every workload, twenty at a time and alone, on a file with synchronous=FULL
python -m bench.embedded --memory               the same, nothing kept
python -m bench.embedded --only noop --profile  where the time goes, room by room and function by function
python -m bench.embedded --eager                workflows start in the worker of the same process, without a poll
python -m bench.embedded --address HOST:PORT    not embedded: client and worker over gRPC
"""

import argparse
import asyncio
import gc
import os
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.disturbance import Watch
from bench.plan import CONCURRENCY
from outlast import activity, workflow
from outlast.client import Client
from outlast.embedded import Outlast
from outlast.worker import Worker

GOALS = {"noop": 1200.0, "one": 700.0, "seq": 150.0}
"""Workflows a second, twenty at a time."""
SAMPLE_S = 0.0005
"""CPU time between two looks at the stack."""
TOP = 25
SOURCE = f"{os.sep}src{os.sep}outlast{os.sep}"


@activity.defn
async def echo(x: int) -> int:
    return x


async def _echo(x: int) -> int:
    return await workflow.execute_activity(echo, x, start_to_close_timeout=timedelta(seconds=30))


@workflow.defn
class Noop:
    @workflow.run
    async def run(self, x: int) -> int:
        return x


@workflow.defn
class One:
    @workflow.run
    async def run(self, x: int) -> int:
        return await _echo(x)


@workflow.defn
class Seq:
    @workflow.run
    async def run(self, x: int) -> int:
        for _ in range(10):
            x = await _echo(x)
        return x


WORKLOADS: dict[str, Callable[[Any, int], Any]] = {"noop": Noop.run, "one": One.run, "seq": Seq.run}
SHARES = {"noop": 1.0, "one": 0.4, "seq": 0.1}
"""How many of each run, as a share of the number asked for."""
ALONE_MIN = 20
"""The least that run one after the other."""


def count(workload: str, workflows: int) -> int:
    """How many of this workload run when so many of noop do."""
    return max(int(workflows * SHARES[workload]), 20)


class Figures(msgspec.Struct, frozen=True):
    """One workload at one concurrency."""

    workload: str
    concurrency: int
    per_second: float
    cpu_ms: float
    """Of the process, per workflow."""
    latency_ms: float
    """The median."""
    others_percent: float
    """The share of the machine that other processes took meanwhile."""


class Driver:
    """Starts workflows, so many at a time, and waits for their results."""

    def __init__(self, client: Client, eager: bool) -> None:
        self._client = client
        self._eager = eager
        self._count = 0

    async def _execute(self, workload: str) -> None:
        self._count += 1
        x = self._count
        handle = await self._client.start_workflow(
            WORKLOADS[workload], x, id=f"bench-{x}", task_queue="bench", request_eager_start=self._eager
        )
        result = await handle.result()
        assert result == x, f"{workload} of {x} returned {result}"

    async def run(self, workload: str, workflows: int, concurrency: int) -> list[float]:
        """Returns how long each took, in seconds."""
        latencies: list[float] = []
        numbers = iter(range(workflows))

        async def lane() -> None:
            for _ in numbers:
                start = time.perf_counter()
                await self._execute(workload)
                latencies.append(time.perf_counter() - start)

        async with asyncio.TaskGroup() as lanes:
            for _ in range(concurrency):
                lanes.create_task(lane())
        return latencies

    async def measure(self, workload: str, workflows: int, concurrency: int) -> Figures:
        await self.run(workload, max(concurrency, 10), concurrency)  # warms up
        gc.collect()
        watch = Watch(workload)
        start, cpu_before = time.perf_counter(), time.process_time()
        latencies = await self.run(workload, workflows, concurrency)
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu_before
        return Figures(
            workload,
            concurrency,
            workflows / seconds,
            1000 * cpu_s / workflows,
            1000 * statistics.median(latencies),
            watch.stop().others_percent,
        )


class Profile:
    """Looks at the stack now and then, and counts what runs: by room of Outlast and by its functions."""

    def __init__(self) -> None:
        self.looks = 0
        self.rooms: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        before = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        self.looks += 1
        while frame is not None:
            _, found, path = frame.f_code.co_filename.partition(SOURCE)
            if found:
                parts = Path(path).parts
                self.rooms["/".join(parts[:2] if parts[0] == "server" else parts[:1])] += 1
                self.functions[f"{path} {frame.f_code.co_qualname}"] += 1
                return
            frame = frame.f_back
        self.rooms["(event loop)"] += 1

    def tables(self) -> Iterator[Table]:
        for title, counts in (("room", self.rooms), ("function", self.functions)):
            table = Table(title, "share of CPU time")
            for name, count in counts.most_common(TOP):
                table.add_row(name, f"{100 * count / self.looks:.1f} %")
            yield table


@asynccontextmanager
async def _client(options: argparse.Namespace, path: str) -> AsyncIterator[Client]:
    if options.address is not None:
        yield await Client.connect(options.address)
        return
    async with Outlast.open(path) as client:
        yield client


async def measure(options: argparse.Namespace, path: str, console: Console) -> list[Figures]:
    figures = []
    async with _client(options, path) as client:
        worker = Worker(
            client,
            task_queue="bench",
            workflows=[Noop, One, Seq],
            activities=[echo],
            max_concurrent_workflow_tasks=500,
            max_concurrent_activities=500,
            max_concurrent_workflow_task_polls=10,
            max_concurrent_activity_task_polls=10,
        )
        async with worker:
            driver = Driver(client, options.eager)
            for workload in options.only:
                workflows = count(workload, options.workflows)
                if options.profile:
                    profile = Profile()
                    with profile.running():
                        figures.append(await driver.measure(workload, workflows, CONCURRENCY))
                    for table in profile.tables():
                        console.print(table)
                else:
                    figures.append(await driver.measure(workload, workflows, CONCURRENCY))
                figures.append(await driver.measure(workload, max(workflows // 10, ALONE_MIN), 1))
    return figures


def table(figures: list[Figures]) -> Table:
    made = Table("workload", "at a time", "workflows/s", "goal", "CPU ms each", "median ms", "others took")
    for each in figures:
        goal = GOALS.get(each.workload) if each.concurrency > 1 else None
        made.add_row(
            each.workload,
            str(each.concurrency),
            f"{each.per_second:,.0f}",
            "" if goal is None else f"{goal:,.0f}",
            f"{each.cpu_ms:.2f}",
            f"{each.latency_ms:.2f}",
            f"{each.others_percent:.0f} %",
        )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.embedded", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workflows", type=int, default=3000, metavar="N", help="how many of noop; the others in proportion")
    parser.add_argument("--only", nargs="+", choices=sorted(WORKLOADS), default=list(WORKLOADS), help="these workloads")
    parser.add_argument("--memory", action="store_true", help="keep nothing")
    parser.add_argument("--eager", action="store_true", help="start in the worker of this process")
    parser.add_argument("--address", metavar="HOST:PORT", help="a server to use, instead of one in this process")
    parser.add_argument("--json", action="store_true", help="print the figures for a program")
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    options = parser.parse_args()
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as directory:
        path = ":memory:" if options.memory else str(Path(directory, "bench.db"))
        figures = asyncio.run(measure(options, path, console))
    if options.json:
        print(msgspec.json.encode(figures).decode())
    else:
        console.print(table(figures))


if __name__ == "__main__":
    main()
