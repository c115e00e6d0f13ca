"""The one thread that writes, one transaction for each commit.

A transaction on the event loop, with only its end in the thread, was measured and is not faster.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence

from outlast.engine.keys import ExecutionKey
from outlast.server.store.errors import NamespaceNameTaken, StoreUnavailable
from outlast.server.store.protocol import RunWrite, StoredNamespace
from outlast.server.store.sqlite.rows import delete_runs, write_runs
from outlast.server.store.sqlite.setbacks import as_setback
from outlast.server.store.sqlite.shown import Shown

_PUT_NAMESPACE = """insert into namespaces (id, name, data) values (?, ?, ?)
on conflict (id) do update set name = excluded.name, data = excluded.data"""

Job = tuple[Callable[[], None], asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class Writer:
    """Owns the writing connection and its thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._shown = Shown(db)
        self._closed = False
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="outlast-sqlite-writer", daemon=True)
        self._thread.start()

    async def commit(self, writes: Sequence[RunWrite]) -> None:
        """Durable when this returns; nothing of it is written when it raises. When cancelled it is still written, whole."""
        await self._do(lambda: write_runs(self._db, self._shown, writes))

    async def delete_runs(self, keys: Sequence[ExecutionKey]) -> None:
        """One transaction, durable when this returns."""
        await self._do(lambda: delete_runs(self._db, self._shown, keys))

    async def clear_attribute(self, namespace_id: str, attribute: str) -> int:
        """One transaction; returns how many runs were changed: none when all is done."""
        cleared: list[int] = []
        await self._do(lambda: cleared.append(self._shown.clear(namespace_id, attribute)))
        return cleared[0]

    async def write_namespace(self, namespace: StoredNamespace) -> None:
        """One transaction, durable when this returns. Raises NamespaceNameTaken."""
        await self._do(lambda: self._put_namespace(namespace))

    async def close(self) -> None:
        """Finish what was asked for and end the thread."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _do(self, body: Callable[[], None]) -> "asyncio.Future[None]":
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._jobs.put((body, loop, done))
        return done

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            body, loop, done = job
            error: BaseException | None = None
            try:
                self._transaction(body)
            except BaseException as caught:  # noqa: BLE001 - handed to the one who waits, whatever it is
                error = caught
            loop.call_soon_threadsafe(_settle, done, error)
        self._db.close()  # the last connection of the file: SQLite puts the log into it, or leaves the log to the next open

    def _transaction(self, body: Callable[[], None]) -> None:
        db = self._db
        try:
            db.execute("begin immediate")
            body()
            db.execute("commit")
        except BaseException as error:
            self._shown.forget()
            if db.in_transaction:
                db.execute("rollback")
            if isinstance(error, sqlite3.DatabaseError):
                raise as_setback("write", error) from error
            raise

    def _put_namespace(self, namespace: StoredNamespace) -> None:
        taken = self._db.execute("select id from namespaces where name = ? and id <> ?", (namespace.name, namespace.id)).fetchone()
        if taken is not None:
            raise NamespaceNameTaken(f"namespace {taken[0]} already has the name {namespace.name!r}")
        self._db.execute(_PUT_NAMESPACE, (namespace.id, namespace.name, namespace.data))


def _settle(done: "asyncio.Future[None]", error: BaseException | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
