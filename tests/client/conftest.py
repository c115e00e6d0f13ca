"""A node in this process, our client of it over gRPC, and the official SDK's worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
import temporalio.client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from outlast.client import Client
from outlast.server.node import Node, NodeSettings
from tests.client.workflows import ACTIVITIES, WORKFLOWS

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


@pytest_asyncio.fixture
async def worker(node: Node) -> AsyncIterator[str]:
    """The task queue that a worker serves."""
    official = await temporalio.client.Client.connect(node.address)
    async with Worker(
        official, task_queue=TASK_QUEUE, workflows=WORKFLOWS, activities=ACTIVITIES, workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield TASK_QUEUE
