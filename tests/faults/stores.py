"""Stores that stop, hold back or fail at a chosen commit: proxies before the real SQLite store."""

import asyncio
import functools
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc.aio
import pytest

from outlast.engine.keys import ExecutionKey
from outlast.server import node as node_module
from outlast.server.node import Node, NodeSettings
from outlast.server.store.errors import StoreFull, StoreUnavailable
from outlast.server.store.protocol import RunWrite, StoredNamespace, StoredRun
from outlast.server.store.sqlite import SqliteStore


class FaultyStore:
    """A SQLite store whose writes can be made to fail. Reads go through, and so does all else of the protocol."""

    def __init__(self, inner: SqliteStore) -> None:
        self.inner = inner
        self.commits = 0
        """Commits that were asked for, those of namespaces among them."""
        self.durable_event_id: dict[ExecutionKey, int] = {}
        self.crash_at = 0
        """The commit from which on nothing is written; 0: none."""
        self.crash_after_write = False
        """Whether that one commit is written, and only its answer lost."""
        self.crashed = asyncio.Event()
        self.gate = asyncio.Event()
        """Commits wait for it."""
        self.gate.set()
        self.waiting = asyncio.Event()
        """A commit waits at the gate."""
        self.full = False
        """Nothing more is written: the disk has no free block."""
        self.fails: Callable[[], bool] = lambda: False
        """Whether the next commit fails, and nothing of it is written."""
        self.failing_reads = 0
        """So many reads of runs and of timers fail from now on."""
        self.delay_s: Callable[[], float] = lambda: 0.0
        self._gone: asyncio.Future[None] | None = None

    async def commit(self, writes: Sequence[RunWrite]) -> None:
        await self._write(functools.partial(self.inner.commit, writes))
        for write in writes:
            if write.batches:
                self.durable_event_id[write.key] = write.batches[-1].last_event_id

    async def write_namespace(self, namespace: StoredNamespace) -> None:
        await self._write(functools.partial(self.inner.write_namespace, namespace))

    async def _write(self, write: Callable[[], Any]) -> None:
        self.commits += 1
        if not self.gate.is_set():
            self.waiting.set()
            await self.gate.wait()
        if delay_s := self.delay_s():
            await asyncio.sleep(delay_s)
        if self.full:
            raise StoreFull("no room to write")
        if self.fails():
            raise StoreUnavailable("not now")
        if self.crash_at and self.commits >= self.crash_at:
            if self.commits == self.crash_at and self.crash_after_write:
                await write()
            await self._hang()
        await write()

    async def _hang(self) -> None:
        """The machine is off: no answer, until `drop` ends the waiting."""
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_future()
            self.crashed.set()
        await asyncio.shield(self._gone)
        raise StoreUnavailable("the machine is off")

    def let_one_through(self) -> None:
        """Of the commits that wait at the gate, the first."""
        self.gate.set()
        self.gate.clear()
        self.waiting.clear()

    def drop(self) -> None:
        """Let the calls that hang fail, so that the node that was cut off can be cleaned away."""
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def limit_pages(self, pages_more: int) -> None:
        """Let the file grow by so many pages from now on: SQLite then fails as it does on a full disk."""
        db: sqlite3.Connection = self.inner._writer._db
        (pages,) = db.execute("pragma page_count").fetchone()
        db.execute(f"pragma max_page_count = {pages + pages_more}")

    async def read_run(self, key: ExecutionKey) -> StoredRun | None:
        self._fail_read()
        return await self.inner.read_run(key)

    async def runs_due(self, from_ns: int, before_ns: int, limit: int) -> Sequence[tuple[int, ExecutionKey]]:
        self._fail_read()
        return await self.inner.runs_due(from_ns, before_ns, limit)

    def _fail_read(self) -> None:
        if self.failing_reads:
            self.failing_reads -= 1
            raise StoreUnavailable("cannot read just now")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class FaultyNode(Node):
    """A node that can be cleaned away when its start has failed."""

    _listening: grpc.aio.Server | None = None

    def _listen(self) -> grpc.aio.Server:
        self._listening = super()._listen()
        return self._listening

    async def stop(self) -> None:
        self._listening = None
        await super().stop()

    async def abandon(self) -> None:
        """Give up the port and the file."""
        if self._listening is not None:
            await self._listening.stop(None)
        self._listening = None
        await self._store.close()


def node_with(monkeypatch: pytest.MonkeyPatch, store: FaultyStore, clock: Callable[[], int] = time.time_ns) -> FaultyNode:
    """A node on this store."""
    with monkeypatch.context() as patch:
        patch.setattr(node_module, "_store", lambda _: store)
        return FaultyNode(NodeSettings(port=0, db_filename="see the store"), clock)
