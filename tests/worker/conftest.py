"""A server in this process, and clients of it; or the reference server, if a test run names its address."""

import itertools
import os
from collections.abc import AsyncIterator
from typing import Protocol
from uuid import uuid4

import pytest

from outlast.client import Client
from outlast.embedded import Outlast

REFERENCE = "OUTLAST_TEST_REFERENCE"
"""Names the variable with the address of a reference server that has the namespaces n0, n1, … See test_on_the_reference_server.py."""
_numbers = itertools.count()


class Server(Protocol):
    """What can be connected to."""

    async def connect(self) -> Client: ...


class Reference:
    """A namespace of its own on the reference server."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._namespace = f"n{next(_numbers)}"

    async def connect(self) -> Client:
        return await Client.connect(self._address, namespace=self._namespace)


@pytest.fixture
async def outlast() -> AsyncIterator[Server]:
    if REFERENCE in os.environ:
        yield Reference(os.environ[REFERENCE])
        return
    server = Outlast.open(":memory:")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(outlast: Server) -> Client:
    return await outlast.connect()


@pytest.fixture
def queue() -> str:
    return f"queue-{uuid4()}"
