"""How large payloads may be, when an operator has said so."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest
from temporalio.api.command.v1 import Command, CompleteWorkflowExecutionCommandAttributes
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.taskqueue.v1 import TaskQueue

from outlast.server.frontend.bounds import bounds
from tests.server.conftest import Wire

ERROR, WARN = "limit.blobSize.error", "limit.blobSize.warn"
SMALL, LARGE = (Payloads(payloads=[Payload(data=b"x" * size)]) for size in (900, 1100))
QUEUE = TaskQueue(name="queue")
COMPLETE = CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION


@pytest.fixture
async def tight() -> AsyncIterator[Wire]:
    """A server that takes no payload above a kilobyte."""
    wire = Wire(None, dynamic_config={ERROR: "1024", WARN: "512"})
    await wire.start()
    yield wire
    await wire.stop()


async def completed_with(wire: Wire, result: Payloads) -> Any:
    await wire.begin("w", input=SMALL)
    task = await wire.call("PollWorkflowTaskQueue", task_queue=QUEUE)
    command = Command(command_type=COMPLETE)
    command.complete_workflow_execution_command_attributes.CopyFrom(CompleteWorkflowExecutionCommandAttributes(result=result))
    return await wire.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[command])


async def last_event(wire: Wire) -> Any:
    reply = await wire.call("GetWorkflowExecutionHistory", execution=WorkflowExecution(workflow_id="w"))
    return reply.history.events[-1]


def test_a_payload_between_the_two_limits_is_taken_as_the_error_limit_is_looked_at_past_the_warning_only() -> None:
    assert bounds({ERROR: "10", WARN: "20"}).blob_bytes_max == 20
    assert bounds({ERROR: "30", WARN: "20"}).blob_bytes_max == 30
    assert bounds({ERROR: "10"}).blob_bytes_max == 512 * 1024


async def test_clients_are_told_the_limit(tight: Wire) -> None:
    described = await tight.call("DescribeNamespace")

    assert described.namespace_info.limits.blob_size_limit_error == 1024


async def test_a_start_and_a_signal_above_the_limit_are_refused(tight: Wire) -> None:
    await tight.begin("w", input=SMALL)

    with pytest.raises(grpc.aio.AioRpcError, match="Blob data size exceeds limit"):
        await tight.begin("another", input=LARGE)
    with pytest.raises(grpc.aio.AioRpcError, match="Blob data size exceeds limit"):
        await tight.call("SignalWorkflowExecution", workflow_execution=WorkflowExecution(workflow_id="w"), signal_name="s", input=LARGE)


async def test_a_result_above_the_limit_ends_the_run(tight: Wire) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="Result exceeds size limit"):
        await completed_with(tight, LARGE)

    assert (await last_event(tight)).event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED


async def test_a_result_below_the_limit_is_taken(tight: Wire) -> None:
    await completed_with(tight, SMALL)

    assert (await last_event(tight)).event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED


async def test_a_failure_above_the_limit_is_cut(tight: Wire) -> None:
    await tight.begin("w")
    task = await tight.call("PollWorkflowTaskQueue", task_queue=QUEUE)
    failure = Failure(message="m" * 1100, application_failure_info=ApplicationFailureInfo())
    await tight.call("RespondWorkflowTaskFailed", task_token=task.task_token, failure=failure)

    reply = await tight.call("GetWorkflowExecutionHistory", execution=WorkflowExecution(workflow_id="w"))
    (failed,) = (event for event in reply.history.events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    assert failed.workflow_task_failed_event_attributes.failure.message == "Failure exceeds size limit."
