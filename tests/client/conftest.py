"""A node in this process, our client of it over gRPC, and the official SDK's worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import temporalio.client
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from outlast.client import Client
from outlast.server.node import Node, NodeSettings
from tests.client.reference import reference_server
from tests.client.waiting import eventually
from tests.client.workflows import WORKFLOWS, Later

TASK_QUEUE = "client-tests"


@pytest_asyncio.fixture
async def node() -> AsyncIterator[Node]:
    running = Node(NodeSettings(port=0, search_attributes={"Colour": "Keyword"}))
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def client(node: Node) -> Client:
    return await Client.connect(node.address)


@pytest.fixture
def later() -> Later:
    return Later()


@pytest_asyncio.fixture
async def worker(node: Node, later: Later) -> AsyncIterator[str]:
    """The task queue that a worker serves."""
    official = await temporalio.client.Client.connect(node.address)
    async with Worker(
        official, task_queue=TASK_QUEUE, workflows=WORKFLOWS, activities=[later.later], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield TASK_QUEUE


@pytest.fixture(scope="session")
def reference_address() -> Iterator[str]:
    with reference_server() as address:
        yield address


@pytest_asyncio.fixture
async def reference(reference_address: str) -> Client:
    """Our client of the real dev server, in a namespace that is ready."""
    client = await Client.connect(reference_address)
    await eventually(lambda: client.workflow_service.list_workflow_executions(ListWorkflowExecutionsRequest(namespace="default")))
    return client
