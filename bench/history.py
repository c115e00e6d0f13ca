"""Whether one more workflow task costs more when the history is long: raw calls, one worker with a sticky queue."""

import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import grpc
import msgspec
from google.protobuf.duration_pb2 import Duration
from rich.console import Console
from temporalio.api.command.v1 import Command, RecordMarkerCommandAttributes
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType, TaskQueueKind
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    WorkflowServiceStub,
)

from bench.plan import Plan
from bench.servers import NAMESPACE, Server, running

IDENTITY = "bench"
CALL_S = 30.0
_ONE = Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=b"1")])


class Turn(msgspec.Struct, frozen=True):
    """Signal, workflow task, completion with a marker: five events."""

    events: int
    """The history's length when the measurement began."""
    seconds: float
    """The median."""
    cpu_s: float
    """Of the server, the mean."""


class Conversation:
    """One workflow, and the worker that has it in its cache."""

    def __init__(self, stub: "WorkflowServiceStub", markers: int = 1) -> None:
        """Each completion records so many markers."""
        self._stub = stub
        self._markers = markers
        self._queue = TaskQueue(name=f"history-{uuid4()}")
        self._sticky = TaskQueue(name=f"sticky-{uuid4()}", kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=self._queue.name)
        start = StartWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_id=str(uuid4()),
            workflow_type=WorkflowType(name="Listener"),
            task_queue=self._queue,
            identity=IDENTITY,
            request_id=str(uuid4()),
        )
        run_id = stub.StartWorkflowExecution(start, timeout=CALL_S).run_id
        self.execution = WorkflowExecution(workflow_id=start.workflow_id, run_id=run_id)
        self.events = 2
        self._answer(self._poll(self._queue))
        self._polling = self._poll(self._sticky)

    def turn(self) -> None:
        """The worker polls already when the signal comes, as workers do."""
        signal = SignalWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_execution=self.execution,
            signal_name="tick",
            input=_ONE,
            identity=IDENTITY,
            request_id=str(uuid4()),
        )
        self._stub.SignalWorkflowExecution(signal, timeout=CALL_S)
        self.events += 2
        self._answer(self._polling)
        self._polling = self._poll(self._sticky)

    def end(self) -> None:
        self._polling.cancel()

    def _poll(self, queue: TaskQueue) -> "grpc.Future[PollWorkflowTaskQueueResponse]":
        request = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=queue, identity=IDENTITY)
        return self._stub.PollWorkflowTaskQueue.future(request, timeout=CALL_S)

    def _answer(self, polling: "grpc.Future[PollWorkflowTaskQueueResponse]") -> None:
        task = polling.result()
        self.events += 1
        assert task.started_event_id == self.events, f"event {task.started_event_id} instead of {self.events}"
        marker = Command(command_type=CommandType.COMMAND_TYPE_RECORD_MARKER)
        marker.record_marker_command_attributes.CopyFrom(RecordMarkerCommandAttributes(marker_name="seen", details={"data": _ONE}))
        request = RespondWorkflowTaskCompletedRequest(
            namespace=NAMESPACE,
            task_token=task.task_token,
            identity=IDENTITY,
            commands=[marker] * self._markers,
            sticky_attributes=StickyExecutionAttributes(worker_task_queue=self._sticky, schedule_to_start_timeout=Duration(seconds=10)),
        )
        self._stub.RespondWorkflowTaskCompleted(request, timeout=CALL_S)
        self.events += 1 + self._markers


def measure_history(plan: Plan, console: Console) -> list[Turn]:
    """One figure for each of the plan's sizes. The blocks of the sizes take turns, so that a disturbance meets all of them."""
    with (
        tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory,
        running("outlast", Path(directory)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub = WorkflowServiceStub(channel)
        _block(server, stub, plan.history_sizes[0], plan.history_cycles)  # warms up
        blocks = [_block(server, stub, size, plan.history_cycles) for _ in range(plan.history_blocks) for size in plan.history_sizes]
    turns = [_summary(size, [block for block in blocks if block.events == size]) for size in plan.history_sizes]
    for turn in turns:
        console.print(f"at {turn.events} events: {turn.seconds * 1e3:.2f} ms, {turn.cpu_s * 1e3:.2f} ms of the server's CPU")
    return turns


def _block(server: Server, stub: "WorkflowServiceStub", size: int, cycles: int) -> Turn:
    conversation = Conversation(stub)
    while conversation.events < size:
        conversation.turn()
    times: list[float] = []
    cpu_before = server.cpu_s()
    for _ in range(cycles):
        start = time.perf_counter()
        conversation.turn()
        times.append(time.perf_counter() - start)
    cpu = server.cpu_s() - cpu_before
    conversation.end()
    return Turn(size, statistics.median(times), cpu / cycles)


def _summary(size: int, blocks: list[Turn]) -> Turn:
    return Turn(size, statistics.median(b.seconds for b in blocks), statistics.mean(b.cpu_s for b in blocks))
