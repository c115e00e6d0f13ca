"""Many workflows started at once, and one worker that takes its time: does a call fail, and does the backlog drain in order?

python -m bench.backlog ADDRESS QUEUE WORKFLOWS PAUSE_S     the worker: one workflow task at a time; says what it saw as JSON
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import msgspec
from rich.console import Console
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
    WorkflowServiceStub,
)

from bench.history import CALL_S, IDENTITY
from bench.old_file import completes
from bench.plan import CLIENT_S, ScalePlan
from bench.servers import NAMESPACE, running

START_S = 120.0
"""How long a start may take when ten thousand are under way."""
IDLE_S = 20.0
"""The worker goes home when it has had nothing to do for so long."""


class Done(msgspec.Struct, frozen=True, array_like=True):
    """A workflow that the worker has completed."""

    started_ns: int
    """When the server started the workflow: the time of its first event."""
    completed_s: float
    """When the completion was answered, on the clock of the machine."""


class Worked(msgspec.Struct, frozen=True):
    done: list[Done]
    """In the order of their workflow tasks."""
    failed: int
    """Calls of the worker that failed."""


class Backlog(msgspec.Struct, frozen=True):
    failed: int
    """Calls that failed, of the client and of the worker."""
    refusals: list[str]
    """What the failed starts were answered, each once."""
    accepted: list[float]
    """When each start was answered, in seconds since the first call; in order."""
    drained: list[float]
    """When each workflow was completed."""
    overtakings: int
    """Workflows that the worker got after one that was started later."""
    rss_bytes: int
    """Of the server, when the last start was answered."""


def measure_backlog(plan: ScalePlan, console: Console) -> Backlog:
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory, running("outlast", Path(directory)) as server:
        queue = f"backlog-{uuid4()}"
        arguments = [server.address, queue, str(plan.backlog), str(plan.backlog_pause_s)]
        worker = subprocess.Popen([sys.executable, "-m", "bench.backlog", *arguments], stdout=subprocess.PIPE)
        try:
            begun = time.time()
            accepted, refusals = asyncio.run(_start(server.address, queue, plan.backlog))
            rss_bytes = server.rss_bytes()
            said, _ = worker.communicate(timeout=CLIENT_S)
        finally:
            worker.kill()
            worker.wait()
    worked = msgspec.json.decode(said, type=Worked)
    drained = [done.completed_s - begun for done in worked.done]
    found = Backlog(
        len(refusals) + worked.failed,
        sorted(set(refusals)),
        sorted(at - begun for at in accepted),
        drained,
        _overtakings(worked.done),
        rss_bytes,
    )
    console.print(
        f"{plan.backlog} started at once: {found.failed} calls failed, all accepted after {found.accepted[-1]:.1f} s, "
        f"drained after {found.drained[-1]:.1f} s, {found.overtakings} overtaken {found.refusals or ''}"
    )
    return found


def _overtakings(done: list[Done]) -> int:
    latest, overtakings = 0, 0
    for each in done:
        overtakings += each.started_ns < latest
        latest = max(latest, each.started_ns)
    return overtakings


async def _start(address: str, queue: str, workflows: int) -> tuple[list[float], list[str]]:
    """All calls at once, none of them tried again. When they were answered, and what the failed ones were told."""
    accepted: list[float] = []
    refusals: list[str] = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = WorkflowServiceStub(channel)  # type: ignore[arg-type]  # its calls are awaitable on this channel

        async def start(number: int) -> None:
            request = StartWorkflowExecutionRequest(
                namespace=NAMESPACE,
                workflow_id=f"order-{number}",
                workflow_type=WorkflowType(name="Order"),
                task_queue=TaskQueue(name=queue),
                identity=IDENTITY,
                request_id=str(uuid4()),
            )
            try:
                await stub.StartWorkflowExecution(request, timeout=START_S)
                accepted.append(time.time())
            except grpc.aio.AioRpcError as error:
                refusals.append(f"{error.code().name}: {error.details()}")

        await asyncio.gather(*map(start, range(workflows)))
    return accepted, refusals


def work(address: str, queue: str, workflows: int, pause_s: float) -> Worked:
    done: list[Done] = []
    failed = 0
    with grpc.insecure_channel(address) as channel:
        stub = WorkflowServiceStub(channel)
        poll = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=TaskQueue(name=queue), identity=IDENTITY)
        while len(done) < workflows:
            try:
                task = stub.PollWorkflowTaskQueue(poll, timeout=IDLE_S)
                if not task.task_token:
                    break  # some starts failed
                time.sleep(pause_s)
                answer = RespondWorkflowTaskCompletedRequest(
                    namespace=NAMESPACE, task_token=task.task_token, identity=IDENTITY, commands=[completes()]
                )
                stub.RespondWorkflowTaskCompleted(answer, timeout=CALL_S)
                done.append(Done(task.history.events[0].event_time.ToNanoseconds(), time.time()))
            except grpc.RpcError:
                failed += 1
    return Worked(done, failed)


if __name__ == "__main__":
    print(msgspec.json.encode(work(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))).decode())
