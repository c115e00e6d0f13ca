"""The one thread that writes: it turns RunWrites into rows, one transaction for each commit."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence

import msgspec

from outlast.server.store.errors import StoreFull, StoreUnavailable
from outlast.server.store.protocol import RunWrite, StoredNamespace
from outlast.server.store.sqlite.schema import OPEN_CLOSE_TIME

_encode = msgspec.msgpack.Encoder().encode
_PUT_RUN = """insert into runs (run_id, namespace_id, workflow_id, core, due_at, has_work) values (?, ?, ?, ?, ?, ?)
on conflict (run_id) do update set core = excluded.core, due_at = excluded.due_at, has_work = excluded.has_work"""
_PUT_PART = "insert or replace into parts (run_id, kind, id, value) values (?, ?, ?, ?)"
_DROP_PART = "delete from parts where run_id = ? and kind = ? and id = ?"
_PUT_BATCH = "insert into batches (run_id, first_event_id, event_count, data) values (?, ?, ?, ?)"
_PUT_CURRENT = "insert or replace into current_runs (namespace_id, workflow_id, run_id) values (?, ?, ?)"
_PUT_VISIBLE = """insert or replace into visibility (run_id, namespace_id, close_time, start_time, record)
values (?, ?, ?, ?, ?)"""
_PUT_NAMESPACE = "insert or replace into namespaces (id, name, data) values (?, ?, ?)"

Job = tuple[Callable[[], None], asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class Writer:
    """Owns the writing connection and its thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="outlast-sqlite-writer", daemon=True)
        self._thread.start()

    async def commit(self, writes: Sequence[RunWrite]) -> None:
        """Durable when this returns; nothing of it is written when it raises."""
        await self._do(lambda: self._transaction(lambda: self._write(writes)))

    async def write_namespace(self, namespace: StoredNamespace) -> None:
        row = (namespace.id, namespace.name, namespace.data)
        await self._do(lambda: self._transaction(lambda: self._db.execute(_PUT_NAMESPACE, row)))

    async def close(self) -> None:
        """Finish what was asked for, put the log into the file, and end the thread."""
        await self._do(self._checkpoint)
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _do(self, job: Callable[[], None]) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._jobs.put((job, loop, done))
        return done

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, loop, done = entry
            error: BaseException | None = None
            try:
                job()
            except BaseException as caught:  # noqa: BLE001 - handed to the one who waits, whatever it is
                error = caught
            loop.call_soon_threadsafe(_settle, done, error)
        self._db.close()

    def _checkpoint(self) -> None:
        self._db.execute("pragma wal_checkpoint(truncate)")

    def _transaction(self, body: Callable[[], object]) -> None:
        db = self._db
        try:
            db.execute("begin immediate")
            try:
                body()
                db.execute("commit")
            except BaseException:
                if db.in_transaction:
                    db.execute("rollback")
                raise
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_FULL"):
                raise StoreFull(f"no room to write: {error}") from error
            raise StoreUnavailable(f"cannot write: {error}") from error

    def _write(self, writes: Sequence[RunWrite]) -> None:
        """The order is that of `writes`: of two writes of one run the later wins."""
        latest = {write.key.run_id: write for write in writes}
        db = self._db
        db.executemany(
            _PUT_RUN,
            [(w.key.run_id, w.key.namespace_id, w.key.workflow_id, w.core, w.due_at, w.has_work) for w in latest.values()],
        )
        batches = [(w.key.run_id, b.first_event_id, b.event_count, b.data) for w in writes for b in w.batches]
        if batches:
            db.executemany(_PUT_BATCH, batches)
        self._write_parts(writes)
        current = [w.key for w in writes if w.make_current]
        if current:
            db.executemany(_PUT_CURRENT, current)
        visible = [w.visibility for w in writes if w.visibility is not None]
        if visible:
            rows = [
                (v.run_id, v.namespace_id, OPEN_CLOSE_TIME if v.close_time is None else v.close_time, v.start_time, _encode(v))
                for v in visible
            ]
            db.executemany(_PUT_VISIBLE, rows)

    def _write_parts(self, writes: Sequence[RunWrite]) -> None:
        parts: dict[tuple[str, str, str], bytes | None] = {}
        for write in writes:
            for key, value in write.parts.items():
                parts[write.key.run_id, key.kind, key.id] = value
        put = [(*key, value) for key, value in parts.items() if value is not None]
        dropped = [key for key, value in parts.items() if value is None]
        if put:
            self._db.executemany(_PUT_PART, put)
        if dropped:
            self._db.executemany(_DROP_PART, dropped)


def _settle(done: "asyncio.Future[None]", error: BaseException | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
