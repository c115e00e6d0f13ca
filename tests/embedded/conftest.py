"""A node without a port, and the client of it that shares its messages."""

from collections.abc import AsyncIterator

import pytest

from outlast._direct import DirectServiceClient
from outlast.server.node import Node, NodeSettings
from outlast.service import ConnectConfig


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(NodeSettings(port=None))
    await node.start()
    yield node
    await node.stop()


@pytest.fixture
async def direct(node: Node) -> DirectServiceClient:
    return DirectServiceClient(ConnectConfig("here"), node)
