"""The disk is full: calls are refused, reads go on, nothing is half written, and with new room everything goes on."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import grpc
import grpc.aio
import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

from outlast.server.node import Node, NodeSettings
from outlast.server.store.errors import StoreFull
from outlast.server.store.sqlite import SqliteStore
from tests.faults.processes import Processes
from tests.faults.stores import FaultyStore, node_with
from tests.faults.wire import COMPLETED, NAMESPACE, Wire, closed, connect, flaws, free_port, kinds, until
from tests.oracle.values import seconds

QUEUE = "full-disk"
REFUSED = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
PAGES = 300
SIZES = (60_000, 20_000, 4_000, 600, 10)
"""Payloads from large to small: so that in the end not even a small one has room."""
STARTS_MAX = 400
AT_ONCE = 4


def _start(number: int, size_bytes: int) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace=NAMESPACE,
        workflow_id=f"wf-{number}",
        workflow_type=WorkflowType(name="waits"),
        task_queue=TaskQueue(name=QUEUE),
        input=_payloads(number, size_bytes),
        request_id=f"start-{number}",
        workflow_task_timeout=seconds(2),
    )


def _payloads(number: int, size_bytes: int) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"binary/plain"}, data=Random(number).randbytes(size_bytes))])


class Filling:
    """A client that starts workflows until nothing more is accepted, and remembers what was said to it."""

    def __init__(self, wire: Wire) -> None:
        self.accepted: dict[int, StartWorkflowExecutionRequest] = {}
        self.refused: dict[int, StartWorkflowExecutionRequest] = {}
        self.codes: set[grpc.StatusCode] = set()
        self._wire = wire
        self._number = 0

    async def fill(self) -> None:
        for size_bytes in SIZES:
            for _ in range(STARTS_MAX // AT_ONCE):
                answers = await asyncio.gather(*(self._one(size_bytes) for _ in range(AT_ONCE)))
                if not any(answers):
                    break
            else:
                raise AssertionError("the disk does not get full")

    async def _one(self, size_bytes: int) -> bool:
        self._number += 1
        number, request = self._number, _start(self._number, size_bytes)
        try:
            await self._wire.call("StartWorkflowExecution", request)
        except grpc.aio.AioRpcError as error:
            self.codes.add(error.code())
            self.refused[number] = request
            return False
        self.accepted[number] = request
        return True

    async def check(self) -> None:
        """What was accepted is there, whole; of what was refused there is nothing."""
        for number, request in self.accepted.items():
            events = await self._wire.history(request.workflow_id)
            assert events[0].workflow_execution_started_event_attributes.input == request.input, f"start {number} is not as it was accepted"
            assert not flaws(request.workflow_id, events)
        for request in self.refused.values():
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await self._wire.history(request.workflow_id)
            assert error.value.code() == grpc.StatusCode.NOT_FOUND
        count = await self._wire.call("CountWorkflowExecutions", CountWorkflowExecutionsRequest(namespace=NAMESPACE))
        assert count.count == len(self.accepted)


async def _work(wire: Wire) -> None:
    """Complete every workflow task with the completion of its workflow; go on when the completion is refused."""
    request = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=TaskQueue(name=QUEUE), identity="worker")
    complete = Command(command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    complete.complete_workflow_execution_command_attributes.result.CopyFrom(_payloads(0, 2_000))
    while True:
        try:
            task = await wire.call("PollWorkflowTaskQueue", request, 10)
            if task.task_token:
                answer = RespondWorkflowTaskCompletedRequest(task_token=task.task_token, commands=[complete], identity="worker")
                await wire.call("RespondWorkflowTaskCompleted", answer)
        except grpc.aio.AioRpcError as error:
            assert error.code() in (*REFUSED, grpc.StatusCode.NOT_FOUND), error
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _worker(wire: Wire) -> AsyncIterator[None]:
    working = asyncio.create_task(_work(wire))
    try:
        yield
    finally:
        assert not working.done(), working.exception()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _finish(wire: Wire, filling: Filling) -> None:
    """With room again: what was refused is accepted now, and everything ends."""
    for request in filling.refused.values():
        await wire.call("StartWorkflowExecution", request)
    everything = {**filling.accepted, **filling.refused}

    async def ended() -> bool:
        return all([await wire.status(request.workflow_id) == COMPLETED for request in everything.values()])

    async with _worker(wire):
        await until(ended, "every workflow completes", 40, pause_s=0.2)
    for request in everything.values():
        events = await wire.history(request.workflow_id)
        assert closed(events)
        assert not flaws(request.workflow_id, events)
        assert kinds(events).count("WORKFLOW_EXECUTION_COMPLETED") == 1
    count = await wire.call("CountWorkflowExecutions", CountWorkflowExecutionsRequest(namespace=NAMESPACE))
    assert count.count == len(everything)


def _node(path: Path, pages: int | None) -> Node:
    pragmas = {} if pages is None else {"max_page_count": str(pages)}
    return Node(NodeSettings(port=0, db_filename=str(path), sqlite_pragmas=pragmas))


async def test_a_full_disk_refuses_calls_and_a_restart_with_room_goes_on(tmp_path: Path) -> None:
    node = _node(tmp_path / "outlast.db", PAGES)
    await node.start()
    async with connect(node.address) as channel:
        filling = Filling(Wire(channel))
        await filling.fill()
        assert filling.codes == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert filling.accepted
        await filling.check()
    await node.stop()

    again = _node(tmp_path / "outlast.db", None)
    await again.start()
    async with connect(again.address) as channel:
        filling._wire = Wire(channel)
        await filling.check()
        await _finish(Wire(channel), filling)
    await again.stop()


async def test_work_under_way_waits_for_room_and_goes_on_in_the_same_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FaultyStore(SqliteStore(tmp_path / "outlast.db", {"max_page_count": str(PAGES)}))
    node = node_with(monkeypatch, store)
    await node.start()
    async with connect(node.address) as channel, connect(node.address) as channel_of_worker:
        wire = Wire(channel)
        filling = Filling(wire)
        await filling.fill()
        async with _worker(Wire(channel_of_worker)):
            store.limit_pages(0)
            await asyncio.sleep(1)  # completions are refused, tasks time out, whatever: nothing may get lost by it
            for request in list(filling.accepted.values())[:20]:
                assert not flaws(request.workflow_id, await wire.history(request.workflow_id))
        store.limit_pages(100_000)
        await _finish(wire, filling)
    await node.stop()


async def test_signals_are_kept_or_refused_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FaultyStore(SqliteStore(tmp_path / "outlast.db", {"max_page_count": str(PAGES)}))
    node = node_with(monkeypatch, store)
    await node.start()
    accepted: list[int] = []

    async def signal(wire: Wire, number: int) -> None:
        request = SignalWorkflowExecutionRequest(
            namespace=NAMESPACE, signal_name="number", input=_payloads(number, 9_000), request_id=f"signal-{number}"
        )
        request.workflow_execution.workflow_id = "wf-1"
        try:
            await wire.call("SignalWorkflowExecution", request)
        except grpc.aio.AioRpcError as error:
            assert error.code() in REFUSED
            return
        accepted.append(number)

    async with connect(node.address) as channel:
        wire = Wire(channel)
        await wire.call("StartWorkflowExecution", _start(1, 100))
        for first in range(0, 240, 8):
            await asyncio.gather(*(signal(wire, number) for number in range(first, first + 8)))
        assert len(accepted) < 240
        refused = [number for number in range(240) if number not in accepted]
        store.limit_pages(100_000)
        for number in refused:
            await signal(wire, number)
        events = await wire.history("wf-1")

    assert not flaws("wf-1", events)
    inputs = [e.workflow_execution_signaled_event_attributes.input.payloads[0].data for e in events if kinds([e])[0].endswith("_SIGNALED")]
    assert sorted(inputs) == sorted(Random(number).randbytes(9_000) for number in range(240))
    await node.stop()


async def test_a_timer_that_cannot_be_written_does_not_keep_the_server_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FaultyStore(SqliteStore(tmp_path / "outlast.db"))
    node = node_with(monkeypatch, store)
    await node.start()
    request = _start(1, 100)
    request.workflow_execution_timeout.CopyFrom(seconds(1))
    async with connect(node.address) as channel:
        wire = Wire(channel)
        await wire.call("StartWorkflowExecution", request)
        before = store.commits
        store.full = True

        await asyncio.sleep(2.5)

        attempts = store.commits - before
        store.full = False
        await until(lambda: _timed_out(wire), "the workflow times out once there is room", 15)
    await node.stop()
    assert attempts < 100, f"{attempts} commits were tried in a second and a half"


async def _timed_out(wire: Wire) -> bool:
    return kinds(await wire.history("wf-1"))[-1] == "WORKFLOW_EXECUTION_TIMED_OUT"


async def test_a_process_that_may_not_write_goes_on_when_it_may(tmp_path: Path) -> None:
    random = Random(1)
    async with Processes(tmp_path, free_port(random)) as processes, connect(processes.address) as channel:
        wire = Wire(channel)
        await processes.start_server()
        await processes.ready(wire)
        filling = Filling(wire)
        for _ in range(5):
            await filling._one(20_000)
        largest = max(path.stat().st_size for path in tmp_path.iterdir())
        resource.prlimit(processes.pid("server"), resource.RLIMIT_FSIZE, (largest + 200_000, resource.RLIM_INFINITY))
        await filling.fill()
        assert filling.codes <= set(REFUSED)
        assert filling.accepted
        assert filling.refused
        await filling.check()

        resource.prlimit(processes.pid("server"), resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await _finish(wire, filling)


async def test_a_start_without_room_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "outlast.db"
    store = FaultyStore(SqliteStore(path))
    store.full = True
    first = node_with(monkeypatch, store)
    with pytest.raises(StoreFull):
        await first.start()
    again = _node(path, None)

    try:
        await again.start()
    finally:
        await again.stop()
        await first.abandon()
