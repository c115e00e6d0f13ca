"""The synchronous client: the same names, and calls that wait."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

import outlast.client
import outlast.workflow
from outlast import Outlast
from outlast.client import sync
from outlast.client.sync import _mirror
from outlast.client.sync._background import Background
from outlast.common import WorkflowIDConflictPolicy
from outlast.server.node import Node
from outlast.service import RPCError, RPCStatusCode
from outlast.worker import Worker
from tests import sync_stub
from tests.client.workflows import KnownCounter, KnownGreet, Later

WHO = contextvars.ContextVar("WHO", default="nobody")


@outlast.workflow.defn
class Hello:
    @outlast.workflow.run
    async def run(self, name: str) -> str:
        return f"hello {name}"


async def off_loop(work: Callable[[], Any]) -> Any:
    """Run synchronous code while this test's event loop serves the node."""
    return await asyncio.to_thread(work)


async def test_workflows_are_started_and_waited_for(node: Node, worker: str) -> None:
    def work() -> tuple[Any, ...]:
        with sync.Client.connect(node.address) as client:
            handle = client.start_workflow(KnownGreet.run, "you", id="w", task_queue=worker)
            assert isinstance(handle, sync.WorkflowHandle)
            return handle.result(), handle.id, client.execute_workflow("sum", args=[1, 2], id="s", task_queue=worker), client.namespace

    assert await off_loop(work) == ("hello you", "w", 3, "default")


async def test_handles_updates_lists_and_histories_are_synchronous_through_and_through(node: Node, worker: str) -> None:
    def work() -> None:
        client = sync.Client.connect(node.address)
        operation = sync.WithStartWorkflowOperation(
            KnownCounter.run, id="c", task_queue=worker, id_conflict_policy=WorkflowIDConflictPolicy.FAIL, memo={"a": 1}
        )
        assert client.execute_update_with_start_workflow(KnownCounter.add_and_tell, 1, start_workflow_operation=operation) == 1
        handle = operation.workflow_handle()
        handle.signal(KnownCounter.add, 2)
        assert handle.query(KnownCounter.so_far) == 3
        update = handle.start_update(KnownCounter.wait_for_end, wait_for_stage=sync.WorkflowUpdateStage.ACCEPTED)
        handle.signal(KnownCounter.end)
        assert update.result() == handle.result() == 3
        description = handle.describe()
        assert description.status is sync.WorkflowExecutionStatus.COMPLETED
        assert (description.memo(), description.memo_value("a")) == ({"a": 1}, 1)
        events = handle.fetch_history_events(page_size=2)
        assert next(events).event_id == 1
        assert [event.event_id for event in events][:1] == [2]
        assert handle.fetch_history().events[0].event_id == 1
        client.close()

    await off_loop(work)


async def test_errors_are_those_of_the_asynchronous_client(node: Node, worker: str) -> None:
    def work() -> None:
        with sync.Client.connect(node.address) as client:
            with pytest.raises(sync.WorkflowFailureError):
                client.execute_workflow("fail", "oh", id="f", task_queue=worker)
            with pytest.raises(RPCError) as missing:
                client.get_workflow_handle("nobody").describe()
            assert missing.value.status is RPCStatusCode.NOT_FOUND

    await off_loop(work)


async def test_calls_by_message_wait_too(node: Node) -> None:
    def work() -> str:
        with sync.Client.connect(node.address) as client:
            return client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default")).namespace_info.name

    assert await off_loop(work) == "default"


async def test_one_client_serves_many_threads(node: Node, worker: str) -> None:
    def work() -> list[Any]:
        with sync.Client.connect(node.address) as client, ThreadPoolExecutor(8) as threads:
            return list(threads.map(lambda i: client.execute_workflow("sum", args=[i, i], id=f"w{i}", task_queue=worker), range(40)))

    assert await off_loop(work) == [2 * i for i in range(40)]


async def test_an_activity_is_completed_by_synchronous_code(node: Node, worker: str, later: Later) -> None:
    client = await off_loop(lambda: sync.Client.connect(node.address))
    handle = await off_loop(lambda: client.start_workflow("with-activity", id="w", task_queue=worker))
    token = await later.tokens.get()

    def work() -> Any:
        outside = client.get_async_activity_handle(task_token=token)
        outside.heartbeat(1)
        outside.complete("done")
        return handle.result()

    assert await off_loop(work) == "done"
    await off_loop(client.close)


async def test_a_node_of_the_same_process_is_called_from_other_threads() -> None:
    async with Outlast.open(":memory:") as embedded, Worker(embedded, task_queue="q", workflows=[Hello]):

        def work() -> tuple[str, list[str]]:
            client = sync.Client(embedded.service_client)
            return client.execute_workflow(Hello.run, "you", id="w", task_queue="q"), [each.id for each in client.list_workflows()]

        assert await off_loop(work) == ("hello you", ["w"])


async def test_a_closed_client_connects_anew(node: Node) -> None:
    def work() -> int:
        client = sync.Client.connect(node.address)
        client.close()
        return client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default")).ByteSize()

    assert await off_loop(work)


async def test_context_variables_reach_interceptors(node: Node) -> None:
    seen: list[str] = []

    class Interceptor(outlast.client.Interceptor):
        def intercept_client(self, next: outlast.client.OutboundInterceptor) -> outlast.client.OutboundInterceptor:
            return Outbound(next)

    class Outbound(outlast.client.OutboundInterceptor):
        async def start_workflow(self, input: outlast.client.StartWorkflowInput) -> outlast.client.WorkflowHandle[Any, Any]:
            seen.append(WHO.get())
            return await super().start_workflow(input)

    def work() -> None:
        WHO.set("me")
        with sync.Client.connect(node.address, interceptors=[Interceptor()]) as client:
            client.start_workflow("x", id="w", task_queue="q")

    await off_loop(work)
    assert seen == ["me"]


def test_a_call_from_the_loops_own_thread_is_refused() -> None:
    background = Background()

    async def inner() -> None:
        background.run(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="own event loop"):
        background.run(inner())
    background.stop()


def test_the_loop_stops_with_what_is_under_way_and_starts_again() -> None:
    background = Background()
    began = threading.Event()

    async def for_ever() -> None:
        began.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(background.run, for_ever())
        began.wait()
        background.stop()
        assert isinstance(waiting.exception(), BaseException)
    assert background.run(asyncio.sleep(0, "again")) == "again"
    background.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes fork here")
def test_a_child_of_a_process_that_forked_has_a_loop_of_its_own() -> None:
    program = """
import asyncio, os
from outlast.client.sync._background import BACKGROUND
assert BACKGROUND.run(asyncio.sleep(0, 1)) == 1
child = os.fork()
if child == 0:
    os._exit(BACKGROUND.run(asyncio.sleep(0, 7)))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_every_name_and_method_of_the_asynchronous_client_is_there() -> None:
    renamed = {name.replace("AsyncIterator", "Iterator") for name in outlast.client.__all__ if not name.startswith("_")}

    assert renamed == set(sync.__all__)
    for cls, mirror in _mirror._MIRRORS.items():
        missing = {name for name, member in inspect.getmembers(cls) if not name.startswith("_") and callable(member)} - set(dir(mirror))
        assert missing == set() or issubclass(mirror, _mirror.MirrorService)
        assert not [name for name, member in inspect.getmembers(mirror) if inspect.iscoroutinefunction(member)]


def test_what_type_checkers_know_is_up_to_date() -> None:
    assert sync_stub.STUB.read_text() == sync_stub.stub(), "run `python3 dev.py fix`"


@pytest.mark.xdist_group("client-reference")
async def test_a_schedules_function_sees_and_calls_synchronously(reference_address: str) -> None:
    def work() -> None:
        with sync.Client.connect(reference_address) as client:
            action = sync.ScheduleActionStartWorkflow("x", id="s", task_queue="q")
            handle = client.create_schedule(f"sync-{uuid.uuid4()}", sync.Schedule(action, sync.ScheduleSpec()), memo={"a": 1})
            seen: list[Any] = []

            def change(given: sync.ScheduleUpdateInput) -> sync.ScheduleUpdate:
                seen.append(given.description.memo_value("a"))
                seen.append(handle.describe().id)
                given.description.schedule.state.note = "changed"
                return sync.ScheduleUpdate(given.description.schedule)

            handle.update(change)
            assert seen == [1, handle.id]
            assert handle.describe().schedule.state.note == "changed"
            assert isinstance(next(client.list_schedules(), None), sync.ScheduleListDescription | None)
            handle.delete()

    await off_loop(work)
