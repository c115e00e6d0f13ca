"""Cleans up what a node that was cut off leaves behind."""

import gc
from collections.abc import AsyncIterator

import pytest_asyncio


@pytest_asyncio.fixture(autouse=True)
async def _no_server_outlives_its_loop() -> AsyncIterator[None]:
    """gRPC's server object wants a running event loop when it is collected, and cut-off nodes stay in reference cycles."""
    yield
    gc.collect()
