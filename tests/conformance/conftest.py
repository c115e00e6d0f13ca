"""The stores under test. A new store is one more line in STORES."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from outlast.server.store.memory import MemoryStore
from outlast.server.store.protocol import Store
from outlast.server.store.sqlite import SqliteStore

STORES: Mapping[str, Callable[[Path], Store]] = {
    "memory": lambda directory: MemoryStore(),
    "sqlite": lambda directory: SqliteStore(directory / "outlast.db"),
}


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A fresh store, open."""
    store = STORES[request.param](tmp_path)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a SQLite file may come to be."""
    return tmp_path / "outlast.db"


@pytest.fixture
async def sqlite_store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path)
    await store.open()
    yield store
    await store.close()
