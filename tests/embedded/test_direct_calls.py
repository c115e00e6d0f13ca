"""Calls inside one process: what the wire would answer, and what it would do when a caller goes."""

import asyncio
import os
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import grpc.aio
import pytest
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.operatorservice.v1 import ListClustersRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.testservice.v1 import LockTimeSkippingRequest
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DescribeNamespaceRequest,
    GetSystemInfoRequest,
    GetWorkflowExecutionHistoryRequest,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    QueryWorkflowRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
    WorkflowServiceStub,
)

from outlast._direct import DirectServiceClient
from outlast.server.node import Node, NodeSettings
from outlast.server.store.errors import StoreUnavailable
from outlast.service import ConnectConfig, RetryConfig, RPCError, RPCStatusCode

QUEUE = TaskQueue(name="queue")


def start(workflow_id: str = "wf") -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace="default", workflow_id=workflow_id, workflow_type=WorkflowType(name="wt"), task_queue=QUEUE, request_id="once"
    )


def poll() -> PollWorkflowTaskQueueRequest:
    return PollWorkflowTaskQueueRequest(namespace="default", task_queue=QUEUE, identity="me")


async def test_replies_are_messages_whether_they_were_joined_or_made(direct: DirectServiceClient) -> None:
    service = direct.workflow_service
    started = await service.start_workflow_execution(start())
    task = await service.poll_workflow_task_queue(poll())
    await service.respond_workflow_task_completed(RespondWorkflowTaskCompletedRequest(task_token=task.task_token))

    history = await service.get_workflow_execution_history(
        GetWorkflowExecutionHistoryRequest(namespace="default", execution=WorkflowExecution(workflow_id="wf"))
    )

    assert isinstance(task, PollWorkflowTaskQueueResponse)
    assert task.workflow_execution.run_id == started.run_id
    assert [event.event_id for event in history.history.events] == [1, 2, 3, 4]


async def test_an_error_is_the_one_of_the_wire_with_its_code_message_and_details(direct: DirectServiceClient) -> None:
    wired = Node(NodeSettings(port=0))
    await wired.start()
    async with grpc.aio.insecure_channel(wired.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as of_the_wire:
            await WorkflowServiceStub(channel).DescribeNamespace(DescribeNamespaceRequest(namespace="nowhere"))
    await wired.stop()

    with pytest.raises(RPCError) as error:
        await direct.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="nowhere"))

    assert error.value.status == of_the_wire.value.code().value[0] == RPCStatusCode.NOT_FOUND
    assert error.value.message == of_the_wire.value.details()
    assert error.value.raw_grpc_status == dict(of_the_wire.value.trailing_metadata())["grpc-status-details-bin"]  # type: ignore[arg-type]
    failure = NamespaceNotFoundFailure()
    assert error.value.grpc_status.details[0].Unpack(failure)
    assert failure.namespace == "nowhere"


async def test_what_is_not_built_says_so(direct: DirectServiceClient) -> None:
    for call in (
        direct.workflow_service.create_schedule(CreateScheduleRequest()),
        direct.operator_service.list_clusters(ListClustersRequest()),
        direct.test_service.lock_time_skipping(LockTimeSkippingRequest()),
    ):
        with pytest.raises(RPCError) as error:
            await call
        assert error.value.status == RPCStatusCode.UNIMPLEMENTED


async def test_a_bug_in_a_handler_is_an_internal_error(
    direct: DirectServiceClient, node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setitem(node._handlers, "GetSystemInfo", broken)  # type: ignore[arg-type]
    with pytest.raises(RPCError) as error:
        await direct.workflow_service.get_system_info(GetSystemInfoRequest())

    assert error.value.status == RPCStatusCode.INTERNAL
    assert "oops" in error.value.message
    assert "ZeroDivisionError" in caplog.text


async def test_a_poll_whose_caller_goes_takes_no_task_along(direct: DirectServiceClient) -> None:
    gone = asyncio.create_task(direct.workflow_service.poll_workflow_task_queue(poll()))
    stays = asyncio.create_task(direct.workflow_service.poll_workflow_task_queue(poll()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    starting = asyncio.create_task(direct.workflow_service.start_workflow_execution(start()))
    while not gone.done() and not starting.done():  # the task is assigned to the first poll before this one sees it
        await asyncio.sleep(0)
    gone.cancel()

    with pytest.raises(asyncio.CancelledError):
        await gone
    task = await stays
    assert task.workflow_execution.workflow_id == "wf"
    assert task.attempt == 1


async def test_a_deadline_that_passes_ends_the_call(direct: DirectServiceClient) -> None:
    await direct.workflow_service.start_workflow_execution(start())
    request = QueryWorkflowRequest(namespace="default", execution=WorkflowExecution(workflow_id="wf"))
    request.query.query_type = "q"
    with pytest.raises(RPCError) as error:
        await direct.workflow_service.query_workflow(request, timeout=timedelta(milliseconds=20))

    assert error.value.status == RPCStatusCode.DEADLINE_EXCEEDED


async def test_a_node_that_stops_releases_who_waits_and_takes_no_more(direct: DirectServiceClient, node: Node) -> None:
    polling = asyncio.create_task(direct.workflow_service.poll_workflow_task_queue(poll()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await direct.check_health()

    await node.stop()

    assert (await polling).task_token == b""
    assert not await direct.check_health()
    with pytest.raises(RPCError) as error:
        await direct.workflow_service.get_system_info(GetSystemInfoRequest())
    assert error.value.status == RPCStatusCode.UNAVAILABLE


async def test_a_call_that_does_not_end_does_not_hold_the_stop(
    direct: DirectServiceClient, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outlast.server.node.SHUTDOWN_GRACE_S", 0.01)
    await direct.workflow_service.start_workflow_execution(start())
    query = QueryWorkflowRequest(namespace="default", execution=WorkflowExecution(workflow_id="wf"))
    query.query.query_type = "q"
    querying = asyncio.create_task(direct.workflow_service.query_workflow(query))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    await node.stop()

    with pytest.raises(RPCError) as error:
        await querying
    assert error.value.status == RPCStatusCode.UNAVAILABLE


async def test_what_may_pass_is_tried_again(direct: DirectServiceClient, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [StoreUnavailable("not now"), StoreUnavailable("not yet"), None]
    handler = node._handlers["GetSystemInfo"]

    async def at_last(request: Any, call: Any) -> Any:
        if error := answers.pop(0):
            raise error
        return await handler(request, call)

    monkeypatch.setitem(node._handlers, "GetSystemInfo", at_last)  # type: ignore[arg-type]
    patient = DirectServiceClient(ConnectConfig("here", retry_config=RetryConfig(initial_interval_millis=1)), node)
    info = await patient.workflow_service.get_system_info(GetSystemInfoRequest(), retry=True)

    assert info.server_version
    assert answers == []


async def test_another_thread_may_call(direct: DirectServiceClient) -> None:
    found: list[str] = []

    async def ask() -> None:
        found.append((await direct.workflow_service.get_system_info(GetSystemInfoRequest())).server_version)

    thread = threading.Thread(target=lambda: asyncio.run(ask()))
    thread.start()
    await asyncio.to_thread(thread.join, 10)

    assert len(found) == 1


async def test_a_forked_process_is_told_that_it_cannot(direct: DirectServiceClient) -> None:
    def ask() -> None:
        try:
            asyncio.run(direct.workflow_service.get_system_info(GetSystemInfoRequest()))
        except RuntimeError as error:
            os._exit(0 if "forked" in str(error) else 1)
        os._exit(2)

    child = os.fork()
    if child == 0:
        # The parent's event loop runs in this thread, as far as Python knows.
        threading.Thread(target=ask).start()
        threading.Event().wait(30)
        os._exit(3)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_a_node_without_a_port_needs_no_grpc() -> None:
    program = """
import asyncio, sys
sys.modules["grpc"] = None  # any import of it fails
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from outlast._direct import DirectServiceClient
from outlast.server.node import Node, NodeSettings
from outlast.service import ConnectConfig

async def main():
    node = Node(NodeSettings(port=None))
    await node.start()
    client = DirectServiceClient(ConnectConfig("here"), node)
    print((await client.workflow_service.get_system_info(GetSystemInfoRequest())).server_version)
    await node.stop()

asyncio.run(main())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("1.")
