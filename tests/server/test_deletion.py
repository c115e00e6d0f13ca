"""Runs that are deleted: on request, and when their retention is over."""

import asyncio
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    RegisterNamespaceRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from outlast.server.store.errors import StoreUnavailable
from tests.server.conftest import HOUR, Wire


async def test_a_closed_run_is_deleted_when_its_retention_is_over(wire: Wire) -> None:
    await wire.begin("closed")
    await wire.terminate("closed")
    await wire.begin("open")

    await wire.restart(ahead_ns=23 * HOUR)
    before = await wire.count()
    await wire.restart(ahead_ns=2 * HOUR)
    await wire.until(lambda: _gone(wire, "closed"))

    assert before == 2
    assert await wire.count() == 1
    assert await wire.there("open")


async def test_a_run_is_deleted_without_a_restart_as_well(wire: Wire) -> None:
    await wire.begin("closed")
    await wire.terminate("closed")
    await wire.begin("timed", workflow_run_timeout={"seconds": 1})  # its end makes the timers look at the clock

    wire.clock.ahead += 25 * HOUR
    await wire.until(lambda: _gone(wire, "closed"))

    assert await wire.there("timed")


async def test_each_namespace_has_its_own_retention(wire: Wire) -> None:
    await wire.stub.RegisterNamespace(_register("short", 3600))
    await wire.stub.RegisterNamespace(_register("long", 72 * 3600))
    for name in ("short", "long"):
        await _run_and_terminate(wire, name)

    await wire.restart(ahead_ns=25 * HOUR)
    await wire.until(lambda: _empty(wire, "short"))

    assert not await _empty(wire, "long")
    await wire.restart(ahead_ns=48 * HOUR)
    await wire.until(lambda: _empty(wire, "long"))


async def test_runs_that_expired_while_the_server_was_down_go_in_groups_while_calls_are_answered(wire: Wire) -> None:
    for number in range(350):
        await wire.begin(f"wf-{number}")
        await wire.terminate(f"wf-{number}")

    await wire.restart(ahead_ns=25 * HOUR)
    await wire.begin("meanwhile")
    await wire.until(lambda: _counts(wire, 1))

    assert await wire.there("meanwhile")
    await wire.restart()
    assert await wire.count() == 1


async def test_closed_runs_cost_nothing_at_a_start(wire: Wire) -> None:
    for number in range(20):
        await wire.begin(f"wf-{number}")
        await wire.terminate(f"wf-{number}")

    await wire.restart()

    assert len(wire.node._shard._entities) == 0
    assert len(wire.node._shard._timers._heap) == 0


async def test_a_deletion_that_the_store_refuses_is_tried_again_and_the_run_stays_until_then(
    fleeting: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outlast.server.shard.limits.DELETION_RETRY_NS", 50_000_000)
    store = fleeting.node._store
    works = store.delete_runs
    failures: list[int] = []

    async def fails_twice(keys: Any) -> None:
        await asyncio.sleep(0)
        if len(failures) < 2:
            failures.append(len(keys))
            raise StoreUnavailable("not now")
        await works(keys)

    monkeypatch.setattr(store, "delete_runs", fails_twice)
    await fleeting.begin("wf")

    await fleeting.call("DeleteWorkflowExecution", workflow_execution=WorkflowExecution(workflow_id="wf"))
    await fleeting.until(lambda: _gone(fleeting, "wf"))

    assert failures == [1, 1]
    assert await fleeting.count() == 0


async def test_who_asks_for_a_run_that_is_being_deleted_waits_until_it_is_gone(fleeting: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fleeting.node._store
    works = store.delete_runs
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(keys: Any) -> None:
        begun.set()
        await go_on.wait()
        await works(keys)

    monkeypatch.setattr(store, "delete_runs", slow)
    await fleeting.begin("wf")
    await fleeting.call("DeleteWorkflowExecution", workflow_execution=WorkflowExecution(workflow_id="wf"))
    await begun.wait()

    asks = asyncio.gather(fleeting.there("wf"), *(fleeting.begin("wf") for _ in range(3)), return_exceptions=True)
    done, _ = await asyncio.wait([asks], timeout=0.05)
    go_on.set()
    there, *started = await asks

    assert not done
    assert isinstance(there, bool)
    assert len([run for run in started if isinstance(run, str)]) == 1  # the others find the new run in their way
    assert await fleeting.there("wf")


async def test_a_worker_that_polls_gets_nothing_of_a_deleted_run(fleeting: Wire) -> None:
    await fleeting.begin("deleted")
    await fleeting.call("DeleteWorkflowExecution", workflow_execution=WorkflowExecution(workflow_id="deleted"))
    await fleeting.until(lambda: _gone(fleeting, "deleted"))
    await fleeting.begin("next")

    task = await fleeting.call("PollWorkflowTaskQueue", task_queue=TaskQueue(name="queue"))

    assert task.workflow_execution.workflow_id == "next"


def _register(name: str, seconds: int) -> Any:
    return RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period={"seconds": seconds})


async def _run_and_terminate(wire: Wire, namespace: str) -> None:
    start = StartWorkflowExecutionRequest(namespace=namespace, workflow_id="wf", workflow_type={"name": "wt"}, task_queue={"name": "queue"})
    await wire.stub.StartWorkflowExecution(start)
    execution = WorkflowExecution(workflow_id="wf")
    await wire.stub.TerminateWorkflowExecution(TerminateWorkflowExecutionRequest(namespace=namespace, workflow_execution=execution))


async def _empty(wire: Wire, namespace: str) -> bool:
    return bool((await wire.stub.CountWorkflowExecutions(CountWorkflowExecutionsRequest(namespace=namespace))).count == 0)


async def _gone(wire: Wire, workflow_id: str) -> bool:
    return not await wire.there(workflow_id)


async def _counts(wire: Wire, number: int) -> bool:
    return await wire.count() == number
