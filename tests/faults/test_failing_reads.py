"""A read of the store fails once: what was to be done is done all the same, later."""

import time
from pathlib import Path

import grpc.aio
import pytest
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)

from outlast.server.store.sqlite import SqliteStore
from tests.faults.stores import FaultyStore, node_with
from tests.faults.wire import NAMESPACE, Wire, connect, kinds, until
from tests.oracle.values import seconds

QUEUE = "failing-reads"


def _start(workflow_id: str, timeout_s: float) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace=NAMESPACE,
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name="any"),
        task_queue=TaskQueue(name=QUEUE),
        workflow_execution_timeout=seconds(timeout_s),
        request_id=workflow_id,
    )


async def _timed_out(wire: Wire, workflow_id: str) -> bool:
    return kinds(await wire.history(workflow_id))[-1] == "WORKFLOW_EXECUTION_TIMED_OUT"


async def _have_failed(store: FaultyStore) -> bool:
    return store.failing_reads == 0


async def test_timers_go_on_after_a_read_of_them_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead_ns = 0
    store = FaultyStore(SqliteStore(tmp_path / "outlast.db"))
    node = node_with(monkeypatch, store, lambda: time.time_ns() + ahead_ns)
    await node.start()
    async with connect(node.address) as channel:
        wire = Wire(channel)
        await wire.call("StartWorkflowExecution", _start("far", 200))
        ahead_ns = 201 * 1_000_000_000  # the far timer is due now, and beyond the horizon: it must be read

        store.failing_reads = 1
        node._shard._timers._changed.set()  # a clock that jumps wakes nobody
        await until(lambda: _have_failed(store), "the timers are read", 4)
        await wire.call("StartWorkflowExecution", _start("near", 1))

        try:
            await until(lambda: _timed_out(wire, "near"), "the near timer fires", 4)
            await until(lambda: _timed_out(wire, "far"), "the far timer fires", 4)
        finally:
            await node.stop()


async def test_a_run_that_could_not_be_read_again_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FaultyStore(SqliteStore(tmp_path / "outlast.db"))
    node = node_with(monkeypatch, store)
    await node.start()
    poll = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=TaskQueue(name=QUEUE), identity="worker")
    async with connect(node.address) as channel:
        wire = Wire(channel)
        await wire.call("StartWorkflowExecution", _start("wf", 100))
        task = await wire.call("PollWorkflowTaskQueue", poll, 10)

        store.full, store.failing_reads = True, 1
        with pytest.raises(grpc.aio.AioRpcError):
            await wire.call("RespondWorkflowTaskCompleted", RespondWorkflowTaskCompletedRequest(task_token=task.task_token))
        store.full = False

        again = await wire.call("PollWorkflowTaskQueue", poll, 4)
    await node.stop()
    assert again.task_token
