"""A server in this process, and clients of it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from outlast.client import Client
from outlast.embedded import Outlast


@pytest.fixture
async def outlast() -> AsyncIterator[Outlast]:
    server = Outlast.open(":memory:")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(outlast: Outlast) -> Client:
    return await outlast.connect()


@pytest.fixture
def queue() -> str:
    return f"queue-{uuid4()}"
