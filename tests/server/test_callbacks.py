"""Completion callbacks outlive the server, and addresses that do not answer harm nobody."""

from pathlib import Path
from random import Random

import pytest
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CallbackState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from outlast.server.posts import Posts
from outlast.server.shard.protocol import PostFailed
from tests.faults.processes import Processes
from tests.faults.wire import NAMESPACE, Wire, connect, free_port
from tests.oracle.receiver import Receiver

ALLOWED = ("--dynamic-config-value", 'callback.allowedAddresses=[{"Pattern":"127.0.0.1:*","AllowInsecure":true}]')
ORDER = WorkflowExecution(workflow_id="order")


async def test_a_callback_survives_a_kill_of_the_server(tmp_path: Path) -> None:
    async with Processes(tmp_path, free_port(Random())) as processes:
        receiver = Receiver()
        receiver.port = free_port(Random())  # nobody listens there yet
        await processes.start_server(*ALLOWED)
        async with connect(processes.address) as channel:
            wire = Wire(channel)
            await processes.ready(wire)
            await _run_to_its_end(wire, receiver)
            await processes.kill("server")

            async with receiver:
                await processes.start_server(*ALLOWED)
                await processes.ready(wire)
                delivery = await receiver.delivered()
                described = await _described(wire, CallbackState.CALLBACK_STATE_SUCCEEDED)

    assert (delivery.path, delivery.headers["token"]) == ("/done", "secret")
    assert delivery.headers["nexus-operation-state"] == "failed"
    assert [info.attempt > 0 for info in described.callbacks] == [True]
    assert len(receiver.deliveries) == 1


async def _run_to_its_end(wire: Wire, receiver: Receiver) -> None:
    start = StartWorkflowExecutionRequest(
        namespace=NAMESPACE,
        workflow_id="order",
        workflow_type=WorkflowType(name="Order"),
        task_queue=TaskQueue(name="orders"),
        completion_callbacks=[receiver.callback(token="secret")],
    )
    await wire.call("StartWorkflowExecution", start)
    await wire.call("TerminateWorkflowExecution", TerminateWorkflowExecutionRequest(namespace=NAMESPACE, workflow_execution=ORDER))


async def _described(wire: Wire, state: int):  # type: ignore[no-untyped-def]
    request = DescribeWorkflowExecutionRequest(namespace=NAMESPACE, execution=ORDER)
    while True:
        described = await wire.call("DescribeWorkflowExecution", request)
        if [info.state for info in described.callbacks] == [state]:
            return described


async def test_an_address_where_nobody_listens_is_a_failed_post() -> None:
    posts = Posts()

    with pytest.raises(PostFailed, match="Post"):
        await posts.post(f"http://127.0.0.1:{free_port(Random())}/x", {}, b"", 5)
    await posts.close()


async def test_an_address_that_does_not_answer_in_time_is_a_failed_post() -> None:
    posts = Posts()

    async with Receiver() as receiver:
        with pytest.raises(PostFailed, match="no answer within"):
            await posts.post(f"http://127.0.0.1:{receiver.port}/x", {}, b"", 0)
    await posts.close()
