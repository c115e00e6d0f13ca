"""A caller that has gone waits for nothing: its run may leave the cache."""

import asyncio
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery

from tests.server.conftest import Wire

EXECUTION = WorkflowExecution(workflow_id="wf")
WAITS: dict[str, dict[str, Any]] = {
    "QueryWorkflow": {"execution": EXECUTION, "query": WorkflowQuery(query_type="q")},
    "GetWorkflowExecutionHistory": {"execution": EXECUTION, "wait_new_event": True, "history_event_filter_type": 2},
}


@pytest.mark.parametrize("method", WAITS)
async def test_a_cancelled_wait_leaves_nothing_behind(fleeting: Wire, method: str) -> None:
    await fleeting.begin("wf", workflow_start_delay=Duration(seconds=3600))
    (entity,) = fleeting.node._shard._entities.values()

    async def waited() -> bool:
        return len(entity.waiters) == 1

    async def gone() -> bool:
        return not entity.waiters

    call = asyncio.ensure_future(fleeting.call(method, **WAITS[method]))
    await fleeting.until(waited)
    call.cancel()
    await fleeting.until(gone)

    assert entity.idle
