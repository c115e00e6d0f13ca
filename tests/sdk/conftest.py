"""A node in this process, and the official SDK's client of it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from outlast.server.node import Node, NodeSettings


@pytest_asyncio.fixture
async def node() -> AsyncIterator[Node]:
    running = Node(NodeSettings(port=0, search_attributes={"Colour": "Keyword"}))
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def client(node: Node) -> Client:
    return await Client.connect(node.address)
