"""A node in this process, spoken to over gRPC."""

from collections.abc import AsyncIterator

import pytest_asyncio

from outlast.server.node import Node, NodeSettings


@pytest_asyncio.fixture
async def node() -> AsyncIterator[Node]:
    running = Node(NodeSettings(port=0))
    await running.start()
    yield running
    await running.stop()
