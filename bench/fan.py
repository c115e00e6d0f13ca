"""What an activity costs when one workflow has many at a time: our worker over gRPC, in a process of its own.

python -m bench.fan ADDRESS SERVER_PID PLAN      the worker; says what it saw as JSON
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import psutil
from rich.console import Console

from bench.plan import CLIENT_S, ScalePlan
from bench.servers import cpu_s, running
from outlast import activity, workflow
from outlast.client import Client
from outlast.worker import Worker

QUEUE = "fan"


class Fan(msgspec.Struct, frozen=True):
    """A workflow with so many parallel activities."""

    activities: int
    seconds: float
    """For an activity: the time of the whole workflow, divided by their number. The median of the blocks."""
    cpu_s: float
    """Of the server, for an activity; the median of the blocks."""


@activity.defn
async def echo(x: int) -> int:
    return x


@workflow.defn
class Spread:
    @workflow.run
    async def run(self, activities: int) -> int:
        calls = (workflow.execute_activity(echo, x, start_to_close_timeout=timedelta(seconds=60)) for x in range(activities))
        return sum(await asyncio.gather(*calls))


def measure_fans(plan: ScalePlan, console: Console) -> list[Fan]:
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory, running("outlast", Path(directory)) as server:
        arguments = [server.address, str(server.process.pid), msgspec.json.encode(plan).decode()]
        done = subprocess.run([sys.executable, "-m", "bench.fan", *arguments], stdout=subprocess.PIPE, timeout=CLIENT_S, check=True)
    fans = msgspec.json.decode(done.stdout, type=list[Fan])
    for fan in fans:
        console.print(
            f"{fan.activities} parallel activities: {fan.seconds * 1e3:.2f} ms each, {fan.cpu_s * 1e3:.2f} ms of the server's CPU"
        )
    return fans


class Driver:
    def __init__(self, client: Client, server: psutil.Process) -> None:
        self._client = client
        self._server = server
        self._count = 0

    async def _execute(self, activities: int) -> None:
        self._count += 1
        total = await self._client.execute_workflow(Spread.run, activities, id=f"fan-{self._count}", task_queue=QUEUE)
        assert total == activities * (activities - 1) // 2, f"{activities} activities returned {total}"

    async def block(self, activities: int, of: int) -> Fan:
        """So many of them in workflows one after the other."""
        workflows = max(of // activities, 1)
        begun, cpu_before = time.perf_counter(), cpu_s(self._server)
        for _ in range(workflows):
            await self._execute(activities)
        number = workflows * activities
        return Fan(activities, (time.perf_counter() - begun) / number, (cpu_s(self._server) - cpu_before) / number)


async def measure(address: str, server: psutil.Process, plan: ScalePlan) -> list[Fan]:
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Spread],
        activities=[echo],
        max_concurrent_activities=500,
        max_concurrent_activity_task_polls=10,
    )
    async with worker:
        driver = Driver(client, server)
        await driver.block(plan.fans[-1], 1)  # warms up
        blocks = [await driver.block(size, plan.fan_activities) for _ in range(plan.fan_blocks) for size in plan.fans]
    return [_median([block for block in blocks if block.activities == size]) for size in plan.fans]


def _median(blocks: list[Fan]) -> Fan:
    return Fan(blocks[0].activities, statistics.median(b.seconds for b in blocks), statistics.median(b.cpu_s for b in blocks))


if __name__ == "__main__":
    address, pid, plan = sys.argv[1:]
    print(msgspec.json.encode(asyncio.run(measure(address, psutil.Process(int(pid)), msgspec.json.decode(plan, type=ScalePlan)))).decode())
