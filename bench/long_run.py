"""A run whose history grows to the limit: what a workflow task and a page of history cost along the way."""

import statistics
import tempfile
import time
from pathlib import Path

import grpc
import msgspec
from rich.console import Console
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest, WorkflowServiceStub

from bench.history import CALL_S, Conversation
from bench.plan import ScalePlan
from bench.servers import NAMESPACE, Server, running

MARKERS = 6
"""A turn is ten events: the limit of signals is not reached before that of events."""
WARM_TURNS = 20


class Stretch(msgspec.Struct, frozen=True):
    """Part of the history, up to so many events."""

    events: int
    turn_s: float
    """Signal, workflow task, completion: the median."""
    turn_cpu_s: float
    """Of the server, the mean."""
    page_s: float
    """A page when the whole history is read from its beginning: the median."""
    last_page_s: float
    """The page at the end."""


def measure_long_run(plan: ScalePlan, console: Console) -> list[Stretch]:
    with (
        tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory,
        running("outlast", Path(directory)) as server,
        grpc.insecure_channel(server.address, options=[("grpc.max_receive_message_length", -1)]) as channel,
    ):
        stub = WorkflowServiceStub(channel)
        warm = Conversation(stub, MARKERS)
        for _ in range(WARM_TURNS):
            warm.turn()
        warm.end()
        conversation = Conversation(stub, MARKERS)
        ends = range(plan.long_step, plan.long_events + 1, plan.long_step)
        stretches = [_stretch(server, stub, conversation, end, plan.page_events) for end in ends]
        conversation.end()
    for each in (stretches[0], stretches[-1]):
        console.print(f"at {each.events} events: {each.turn_s * 1e3:.2f} ms a turn, {each.page_s * 1e3:.2f} ms a page")
    return stretches


def _stretch(server: Server, stub: "WorkflowServiceStub", conversation: Conversation, end: int, page_events: int) -> Stretch:
    times: list[float] = []
    cpu_before = server.cpu_s()
    while conversation.events < end:
        begun = time.perf_counter()
        conversation.turn()
        times.append(time.perf_counter() - begun)
    cpu_s = (server.cpu_s() - cpu_before) / len(times)
    pages = _read(stub, conversation, page_events)
    return Stretch(end, statistics.median(times), cpu_s, statistics.median(pages), pages[-1])


def _read(stub: "WorkflowServiceStub", conversation: Conversation, page_events: int) -> list[float]:
    """How long each page took."""
    execution: WorkflowExecution = conversation.execution
    request = GetWorkflowExecutionHistoryRequest(namespace=NAMESPACE, execution=execution, maximum_page_size=page_events)
    times: list[float] = []
    events = 0
    while True:
        begun = time.perf_counter()
        reply = stub.GetWorkflowExecutionHistory(request, timeout=CALL_S)
        times.append(time.perf_counter() - begun)
        events += len(reply.history.events)
        request.next_page_token = reply.next_page_token
        if not reply.next_page_token:
            assert events == conversation.events, f"{events} events instead of {conversation.events}"
            return times
