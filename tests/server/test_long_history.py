"""A run with 50,000 events: everything can be asked of it, it goes on, and at the limit it ends."""

import time
from typing import Any

import grpc.aio
import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice import v1 as api

from tests.server.conftest import Wire

MARKER = Command(command_type=CommandType.COMMAND_TYPE_RECORD_MARKER)
MARKER.record_marker_command_attributes.marker_name = "marker"
EXECUTION = WorkflowExecution(workflow_id="wf")


async def _task(wire: Wire, markers: int) -> float:
    """Signal the workflow, and complete its task with so many markers; the seconds that it took."""
    begun = time.perf_counter()
    await wire.call("SignalWorkflowExecution", workflow_execution=EXECUTION, signal_name="go")
    task = await wire.call("PollWorkflowTaskQueue", task_queue=TaskQueue(name="queue"))
    request = api.RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token, commands=[MARKER] * markers)
    await wire.stub.RespondWorkflowTaskCompleted(request)
    return time.perf_counter() - begun


async def _length(wire: Wire, method: str, **fields: Any) -> int:
    """Read the history page by page; the number of events, which come one after another."""
    ids: list[int] = []
    token = b""
    while True:
        page = await wire.call(method, execution=EXECUTION, next_page_token=token, **fields)
        ids += [event.event_id for event in page.history.events]
        token = page.next_page_token
        if not token:
            break
    assert sorted(ids) == list(range(1, len(ids) + 1))
    return len(ids)


async def test_a_run_with_50_000_events_is_servable_and_ends_at_the_limit(wire: Wire) -> None:
    run_id = await wire.begin("wf")
    took = [await _task(wire, 1000) for _ in range(49)]
    for _ in range(200):
        await _task(wire, 1)

    described = await wire.call("DescribeWorkflowExecution", execution=EXECUTION)
    length = described.workflow_execution_info.history_length
    assert 50_000 < length < 51_200
    assert await _length(wire, "GetWorkflowExecutionHistory") == length
    assert await _length(wire, "GetWorkflowExecutionHistoryReverse", maximum_page_size=100) == length

    await wire.restart()
    assert await _length(wire, "GetWorkflowExecutionHistory", maximum_page_size=50) == length
    small = [await _task(wire, 1) for _ in range(5)]
    print(f"a task with 1,000 markers: first {took[0]:.3f} s, last {took[-1]:.3f} s; one more small task {min(small):.4f} s")

    with pytest.raises(grpc.aio.AioRpcError, match="Workflow history count exceeds limit"):
        await _task(wire, 1200)
    event = (await wire.call("GetWorkflowExecutionHistoryReverse", execution=EXECUTION, maximum_page_size=1)).history.events[0]
    assert event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
    await wire.call("DeleteWorkflowExecution", workflow_execution=EXECUTION)
    await wire.until(lambda: _gone(wire, run_id))


async def _gone(wire: Wire, run_id: str) -> bool:
    return not await wire.there("wf", run_id)
