"""A client and a worker of the official SDK in one process: runs a workload against a server, says what it saw as JSON.

python -m bench.workloads speed ADDRESS SERVER_PID PLAN        every workload in turn
python -m bench.workloads many ADDRESS WORKLOAD WORKFLOWS      so many workflows
python -m bench.workloads idle ADDRESS                         a worker that polls, until the standard input ends
"""

import asyncio
import contextlib
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import msgspec
import psutil
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from bench.plan import CONCURRENCY, Plan
from bench.servers import cpu_s

READY = "ready"
"""What an idle worker says when it polls."""


class Figures(msgspec.Struct, frozen=True):
    """One workload in one round."""

    workload: str
    concurrency: int
    workflows: int
    seconds: float
    cpu_s: float
    """Of the server."""
    latency_s: float
    """The median."""

    @property
    def per_second(self) -> float:
        return self.workflows / self.seconds

    @property
    def cpu_per_workflow_s(self) -> float:
        return self.cpu_s / self.workflows


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


WORKFLOWS: dict[str, Callable[..., Awaitable[int]]] = {"noop": Noop.run, "one": One.run, "seq": Seq.run}
ALONE = "noop", "one"
"""What is also measured one at a time."""


class Driver:
    """Starts workflows, so many at a time, and waits for their results."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue
        self._count = 0

    async def execute(self, workload: str) -> None:
        self._count += 1
        x = self._count
        result = await self._client.execute_workflow(WORKFLOWS[workload], x, id=f"{self._task_queue}-{x}", task_queue=self._task_queue)
        assert result == x, f"{workload} of {x} returned {result}"

    async def run(self, workload: str, workflows: int, concurrency: int = CONCURRENCY) -> list[float]:
        """Returns how long each took."""
        latencies: list[float] = []
        numbers = iter(range(workflows))

        async def lane() -> None:
            for _ in numbers:
                start = time.perf_counter()
                await self.execute(workload)
                latencies.append(time.perf_counter() - start)

        async with asyncio.TaskGroup() as lanes:
            for _ in range(concurrency):
                lanes.create_task(lane())
        return latencies

    async def measure(self, server: psutil.Process, workload: str, workflows: int, concurrency: int) -> Figures:
        await self.run(workload, concurrency, concurrency)  # warms up
        start, cpu_before = time.perf_counter(), cpu_s(server)
        latencies = await self.run(workload, workflows, concurrency)
        seconds, cpu = time.perf_counter() - start, cpu_s(server) - cpu_before
        return Figures(workload, concurrency, workflows, seconds, cpu, statistics.median(latencies))

    async def measure_all(self, server: psutil.Process, plan: Plan) -> list[Figures]:
        together = [await self.measure(server, workload, count, CONCURRENCY) for workload, count in plan.workflows.items()]
        return together + [await self.measure(server, workload, plan.workflows_alone, 1) for workload in ALONE]


@contextlib.asynccontextmanager
async def _driver(address: str) -> AsyncIterator[Driver]:
    client = await Client.connect(address)
    task_queue = f"bench-{uuid4()}"
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[Noop, One, Seq],
        activities=[echo],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_tasks=500,
        max_concurrent_activities=500,
        max_concurrent_workflow_task_polls=10,
        max_concurrent_activity_task_polls=10,
    )
    async with worker:
        yield Driver(client, task_queue)


async def main() -> None:
    match sys.argv[1:]:
        case ["speed", address, server_pid, plan_json]:
            server = psutil.Process(int(server_pid))
            plan = msgspec.json.decode(plan_json, type=Plan)
            async with _driver(address) as driver:
                figures = await driver.measure_all(server, plan)
            print(msgspec.json.encode(figures).decode())
        case ["many", address, workload, workflows]:
            async with _driver(address) as driver:
                await driver.run(workload, int(workflows))
        case ["idle", address]:
            async with _driver(address) as driver:
                await driver.run("noop", 1)
                print(READY, flush=True)
                await asyncio.to_thread(sys.stdin.read)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    asyncio.run(main())
    sys.stdout.flush()
    os._exit(0)  # an orderly end of the interpreter aborts now and then: a thread of the SDK's core still calls into it
