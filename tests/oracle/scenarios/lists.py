"""Lists of workflows and of namespaces, in a namespace of the scenario's own."""

from __future__ import annotations

import asyncio

from google.protobuf.duration_pb2 import Duration
from temporalio.api import workflowservice

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World

api = workflowservice.v1


async def own_namespace(w: World) -> None:
    """Have a namespace in which nobody else starts anything, and wait until it can be used."""
    w.namespace = w.name("ns")
    register = api.RegisterNamespaceRequest(namespace=w.namespace, workflow_execution_retention_period=Duration(seconds=86400))
    await w.call("RegisterNamespace", register, record=False)
    for _ in range(100):
        if await w.call("DescribeTaskQueue", _any_queue(w), record=False):
            return
        await asyncio.sleep(0.2)


def _any_queue(w: World) -> api.DescribeTaskQueueRequest:
    return api.DescribeTaskQueueRequest(namespace=w.namespace, task_queue={"name": "any"})


async def counted(w: World, count: int) -> None:
    """Wait until a count sees so many workflows, and record it."""
    request = api.CountWorkflowExecutionsRequest(namespace=w.namespace)
    for _ in range(100):
        if (await w.call("CountWorkflowExecutions", request, record=False)).count == count:
            break
        await asyncio.sleep(0.1)
    await w.call("CountWorkflowExecutions", request)


@scenario()
async def newest_first(w: World) -> None:
    """Workflows are counted, and listed newest first, page by page."""
    await own_namespace(w)
    await counted(w, 0)
    for number in range(5):
        await w.start(workflow_id=w.name(f"wf-{number}"), memo=v.memo(number=number), record=False)
        await asyncio.sleep(0.02)
    await counted(w, 5)
    request = api.ListWorkflowExecutionsRequest(namespace=w.namespace, page_size=2)
    pages = []
    for _ in range(4):
        reply = await w.call("ListWorkflowExecutions", request, record=False)
        pages.append([info.execution.workflow_id for info in reply.executions])
        request.next_page_token = reply.next_page_token
        if not reply.next_page_token:
            break
    w.note("pages", [page for page in pages if page])


@scenario()
async def of_a_closed_workflow(w: World) -> None:
    """What a list shows of a workflow that is over."""
    await own_namespace(w)
    await w.start(memo=v.memo(m=1))
    await w.step(v.complete())
    await counted(w, 1)
    for _ in range(50):
        reply = await w.call("ListWorkflowExecutions", api.ListWorkflowExecutionsRequest(namespace=w.namespace), record=False)
        if reply.executions and reply.executions[0].HasField("close_time"):
            break
        await asyncio.sleep(0.1)
    await w.call("ListWorkflowExecutions", api.ListWorkflowExecutionsRequest(namespace=w.namespace))


@scenario()
async def errors(w: World) -> None:
    """Bad lists."""
    for method, kind in (
        ("ListWorkflowExecutions", api.ListWorkflowExecutionsRequest),
        ("CountWorkflowExecutions", api.CountWorkflowExecutionsRequest),
    ):
        await w.call(method, kind())
        await w.call(method, kind(namespace="nope-ns"))


@scenario()
async def of_namespaces(w: World) -> None:
    """The namespaces that every server has."""
    reply = await w.call("ListNamespaces", api.ListNamespacesRequest(page_size=1000), record=False)
    names = {described.namespace_info.name for described in reply.namespaces}
    w.note("listed", sorted(names & {"default", "temporal-system"}))
