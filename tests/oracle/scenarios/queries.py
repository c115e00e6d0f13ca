"""Queries: asked of a worker, riding on a workflow task, refused."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api import workflowservice
from temporalio.api.enums.v1 import QueryRejectCondition, QueryResultType
from temporalio.api.failure.v1 import Failure
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World

api = workflowservice.v1
ANSWERED = QueryResultType.QUERY_RESULT_TYPE_ANSWERED
FAILED = QueryResultType.QUERY_RESULT_TYPE_FAILED


async def answer(w: World, task: Any, **fields: Any) -> Any:
    """Answer a query task."""
    usual = {"namespace": w.namespace, "task_token": task.task_token, "completed_type": ANSWERED}
    return await w.call("RespondQueryTaskCompleted", api.RespondQueryTaskCompletedRequest(**(usual | fields)))


async def asked(w: World, **fields: Any) -> asyncio.Task[Any]:
    """Begin a query; what comes back is recorded where the scenario awaits it."""
    request = api.QueryWorkflowRequest(
        namespace=w.namespace,
        execution=w.execution(),
        query=WorkflowQuery(query_type="state", query_args=v.payloads("query input")),
        **fields,
    )
    return asyncio.create_task(w.call("QueryWorkflow", request, seconds=8))


@scenario()
async def answered(w: World) -> None:
    """A query of an idle workflow goes to a worker, with the whole history."""
    await w.start()
    await w.step(v.timer("t", 60))
    query = await asked(w)
    task = await w.poll()
    await answer(w, task, query_result=v.payloads("the state"))
    await query
    await answer(w, task, query_result=v.payloads("again"))
    await w.history()


@scenario()
async def failed(w: World) -> None:
    """A worker cannot answer."""
    await w.start()
    await w.step(v.timer("t", 60))
    query = await asked(w)
    task = await w.poll()
    await answer(w, task, completed_type=FAILED, error_message="no such query", failure=Failure(message="no such query"))
    await query


@scenario()
async def of_a_closed_workflow(w: World) -> None:
    """A closed workflow still answers, unless the caller does not want that."""
    await w.start()
    await w.step(v.complete())
    query = await asked(w)
    task = await w.poll()
    await answer(w, task, query_result=v.payloads("the last state"))
    await query
    not_open = QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN
    not_clean = QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY
    await (await asked(w, query_reject_condition=not_open))
    query = await asked(w, query_reject_condition=not_clean)
    await answer(w, await w.poll(), query_result=v.payloads("completed cleanly"))
    await query


@scenario()
async def rejected_after_failure(w: World) -> None:
    """A failed workflow is not completed cleanly."""
    await w.start()
    await w.step(v.fail())
    for name in ("NOT_OPEN", "NOT_COMPLETED_CLEANLY"):
        condition = QueryRejectCondition.Value(f"QUERY_REJECT_CONDITION_{name}")
        await (await asked(w, query_reject_condition=condition))


@scenario()
async def riding(w: World) -> None:
    """A query of a workflow with a pending task rides on that task."""
    await w.start()
    await w.step(v.timer("t", 60))
    await w.signal()
    query = await asked(w)
    await asyncio.sleep(0.5)
    task = await w.poll()
    results = {query_id: WorkflowQueryResult(result_type=ANSWERED, answer=v.payloads("after the signal")) for query_id in task.queries}
    await w.complete(task, v.marker(), query_results=results)
    await query
    await w.history()


@scenario()
async def nobody_polls(w: World) -> None:
    """No worker has been seen on the queue."""
    await w.start()
    queue = w.name("elsewhere")
    await w.step(v.timer("t", 60))
    await w.start(workflow_id=w.name("lonely"), task_queue={"name": queue}, request_eager_execution=True, record=False)
    await w.query(workflow_id=w.name("lonely"), seconds=3)


@scenario()
async def errors(w: World) -> None:
    """Bad queries."""
    await w.start()
    for fields in (
        {"query": None},
        {"query": WorkflowQuery()},
        {"execution": None},
        {"execution": w.execution("")},
        {"execution": w.execution(w.name("unknown"))},
        {"execution": w.execution(run_id="not a uuid")},
        {"namespace": "nope-ns"},
    ):
        await w.query(**fields)


@scenario()
async def before_the_first_task(w: World) -> None:
    """A workflow that closed before any worker saw it cannot be queried."""
    await w.start()
    await w.terminate()
    await (await asked(w))
