"""Many workflows asleep on timers in one server process: its memory, and how long a new workflow takes beside them.

    python -m bench.sleepers FILE PORT      the server: reads on its input how many are to be asleep, says when they are

The server's own code makes the sleepers, in the process that then serves; new workflows come over gRPC.
"""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path
from uuid import uuid4

import grpc
import msgspec
import psutil
from rich.console import Console
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType, HistoryEventFilterType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
    WorkflowServiceStub,
)

from bench.history import CALL_S, IDENTITY
from bench.old_file import LANES, completes, lane, sleeps
from bench.plan import ScalePlan
from bench.servers import DATABASE, NAMESPACE, Server, await_answer, free_port, running, stop
from outlast.server.node import Node, NodeSettings

SLEEP_S = 86_400


class Look(msgspec.Struct, frozen=True):
    """The server while so many workflows sleep in it."""

    sleeping: int
    rss_bytes: int
    latency_s: float
    """Of a new workflow, the median."""
    cpu_s: float
    """Of the server for a new workflow, the mean."""


class Sleep(msgspec.Struct, frozen=True):
    looks: list[Look]
    restarted: Look
    """All of them asleep, in a new process of `outlast server start`."""
    built_per_second: float


class Newcomers:
    """New workflows, one at a time: start, workflow task, completion, result."""

    def __init__(self, stub: "WorkflowServiceStub") -> None:
        self._stub = stub
        self._queue = TaskQueue(name=f"new-{uuid4()}")
        self._polling = self._poll()

    def run(self) -> float:
        """How long it took until the client had the result."""
        begun = time.perf_counter()
        start = StartWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_id=str(uuid4()),
            workflow_type=WorkflowType(name="Newcomer"),
            task_queue=self._queue,
            identity=IDENTITY,
            request_id=str(uuid4()),
        )
        run_id = self._stub.StartWorkflowExecution(start, timeout=CALL_S).run_id
        end = GetWorkflowExecutionHistoryRequest(
            namespace=NAMESPACE,
            execution=WorkflowExecution(workflow_id=start.workflow_id, run_id=run_id),
            wait_new_event=True,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        ending = self._stub.GetWorkflowExecutionHistory.future(end, timeout=CALL_S)
        task = self._polling.result()
        answer = RespondWorkflowTaskCompletedRequest(
            namespace=NAMESPACE, task_token=task.task_token, identity=IDENTITY, commands=[completes()]
        )
        self._stub.RespondWorkflowTaskCompleted(answer, timeout=CALL_S)
        events = ending.result().history.events
        taken = time.perf_counter() - begun
        assert [event.event_type for event in events] == [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED]
        self._polling = self._poll()
        return taken

    def end(self) -> None:
        self._polling.cancel()

    def _poll(self) -> "grpc.Future[PollWorkflowTaskQueueResponse]":
        request = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=self._queue, identity=IDENTITY)
        return self._stub.PollWorkflowTaskQueue.future(request, timeout=CALL_S)


def measure_sleepers(plan: ScalePlan, console: Console) -> Sleep:
    looks: list[Look] = []
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as name:
        directory = Path(name)
        begun, building_s = time.perf_counter(), 0.0
        with _dormitory(directory) as (server, child):
            for sleeping in plan.sleepers:
                begun = time.perf_counter()
                _fill(child, sleeping)
                building_s += time.perf_counter() - begun
                looks.append(_look(server, sleeping, plan.newcomers))
                console.print(_said(looks[-1]))
        with running("outlast", directory) as server:
            restarted = _look(server, plan.sleepers[-1], plan.newcomers)
            console.print(f"{_said(restarted)}, in a new process")
    return Sleep(looks, restarted, plan.sleepers[-1] / building_s)


def _said(look: Look) -> str:
    cost = f"a new one takes {look.latency_s * 1e3:.2f} ms, {look.cpu_s * 1e3:.2f} ms of the server's CPU"
    return f"{look.sleeping} asleep: {look.rss_bytes / 1e6:.0f} MB, {cost}"


def _look(server: Server, sleeping: int, newcomers: int) -> Look:
    with grpc.insecure_channel(server.address) as channel:
        new = Newcomers(WorkflowServiceStub(channel))
        for _ in range(newcomers // 5):  # warms up
            new.run()
        rss_bytes, cpu_before = server.rss_bytes(), server.cpu_s()
        times = [new.run() for _ in range(newcomers)]
        cpu_s = server.cpu_s() - cpu_before
        new.end()
    return Look(sleeping, rss_bytes, statistics.median(times), cpu_s / newcomers)


@contextlib.contextmanager
def _dormitory(directory: Path) -> "Iterator[tuple[Server, subprocess.Popen[bytes]]]":
    port = free_port()
    command = [sys.executable, "-m", "bench.sleepers", str(directory / DATABASE), str(port)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        await_answer(child, port)
        yield Server("outlast", f"127.0.0.1:{port}", psutil.Process(child.pid), 0.0), child
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(CALL_S) == 0, f"the server ended with {child.returncode}"
    finally:
        stop(child)


def _fill(child: "subprocess.Popen[bytes]", sleeping: int) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{sleeping}\n".encode())
    child.stdin.flush()
    said = child.stdout.readline().decode().strip()
    assert said == str(sleeping), f"the server said {said!r}"


async def serve(path: str, port: int) -> None:
    node = Node(NodeSettings(port=port, db_filename=path))
    await node.start()
    numbers = count(1)
    asleep = 0
    while line := await asyncio.to_thread(sys.stdin.readline):
        commands = repeat(sleeps(SLEEP_S), int(line) - asleep)
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(lane(node._handlers, commands, numbers))
        asleep = int(line)
        print(asleep, flush=True)
    await node.stop()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
