"""The SQLite store: one writing thread, point reads on the spot, long scans in a thread of their own."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from outlast.engine.keys import ExecutionKey, PartKey, WorkflowKey
from outlast.server.store.errors import BadPageToken, CannotOpen
from outlast.server.store.protocol import (
    EventBatch,
    RunWrite,
    StoredNamespace,
    StoredRun,
    VisibilityPage,
    VisibilityRecord,
)
from outlast.server.store.sqlite.lock import OwnerLock
from outlast.server.store.sqlite.schema import APPLICATION_ID, MIGRATIONS, migrate
from outlast.server.store.sqlite.writer import Writer

ResultT = TypeVar("ResultT")
_decode_record = msgspec.msgpack.Decoder(VisibilityRecord).decode
_decode_token = msgspec.json.Decoder(tuple[int, int, str]).decode
_FIRST_PAGE = (1 << 63) - 1, (1 << 63) - 1, "~"


class SqliteStore:
    """See `outlast.server.store.protocol.Store`.

    A point read takes some 20 microseconds and a hop to another thread more than that, so that such reads are done on
    the event loop, on a connection of their own; with WAL they never wait for the writer.
    """

    def __init__(self, path: str | Path, pragmas: Mapping[str, str] | None = None) -> None:
        """`pragmas` are set on every connection, after ours."""
        self._path = Path(path)
        self._pragmas = dict(pragmas or {})
        self._lock = OwnerLock(self._path)
        self._opened = False

    async def open(self) -> None:
        """Raises CannotOpen, which says why and what to do."""
        if not self._path.parent.is_dir():
            raise CannotOpen(f"{self._path}: the directory {self._path.parent} does not exist; create it first")
        self._lock.take()
        try:
            db = self._prepare()
        except BaseException:
            self._lock.drop()
            raise
        self._writer = Writer(db)
        self._points = self._connect(read_only=True)
        self._scans = self._connect(read_only=True)
        self._scanner = ThreadPoolExecutor(1, "outlast-sqlite-scan")
        self._opened = True

    def _prepare(self) -> sqlite3.Connection:
        try:
            db = self._connect(read_only=False)
            (application_id,) = db.execute("pragma application_id").fetchone()
            (version,) = db.execute("pragma user_version").fetchone()
            (tables,) = db.execute("select count(*) from sqlite_schema").fetchone()
            if application_id != APPLICATION_ID and (tables or version or application_id):
                db.close()
                raise CannotOpen(f"{self._path} is a SQLite file of another program; choose another file name")
            if version > max(MIGRATIONS):
                db.close()
                newest = max(MIGRATIONS)
                raise CannotOpen(f"{self._path} was written by a newer Outlast (schema {version}, this one knows {newest}); update Outlast")
            db.execute("pragma journal_mode = wal")
            migrate(db)
        except sqlite3.DatabaseError as error:
            raise CannotOpen(f"{self._path} cannot be opened as an Outlast file: {error}") from error
        return db

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=64)
        db.execute("pragma synchronous = full")
        db.execute("pragma busy_timeout = 5000")
        db.execute("pragma cache_size = -16000")
        for name, value in self._pragmas.items():
            db.execute(f"pragma {name} = {value}")
        if read_only:
            db.execute("pragma query_only = on")
        return db

    async def close(self) -> None:
        if not self._opened:
            return
        self._opened = False
        self._points.close()
        self._scanner.shutdown()
        self._scans.close()
        await self._writer.close()
        self._lock.drop()

    async def commit(self, writes: Sequence[RunWrite]) -> None:
        await self._writer.commit(writes)

    async def write_namespace(self, namespace: StoredNamespace) -> None:
        await self._writer.write_namespace(namespace)

    # Point reads: on the event loop

    async def read_current(self, workflow: WorkflowKey) -> str | None:
        sql = "select run_id from current_runs where namespace_id = ? and workflow_id = ?"
        row = self._points.execute(sql, workflow).fetchone()
        return None if row is None else row[0]

    async def read_run(self, key: ExecutionKey) -> StoredRun | None:
        sql = "select core from runs where run_id = ? and namespace_id = ? and workflow_id = ?"
        row = self._points.execute(sql, (key.run_id, key.namespace_id, key.workflow_id)).fetchone()
        if row is None:
            return None
        parts = self._points.execute("select kind, id, value from parts where run_id = ?", (key.run_id,))
        return StoredRun(row[0], {PartKey(kind, part_id): value for kind, part_id, value in parts})

    async def read_batches(self, key: ExecutionKey, first_event_id: int, limit: int) -> Sequence[EventBatch]:
        sql = """select first_event_id, event_count, data from batches where run_id = ?1 and first_event_id >= coalesce(
            (select max(first_event_id) from batches where run_id = ?1 and first_event_id <= ?2), ?2)
            order by first_event_id limit ?3"""
        rows = self._points.execute(sql, (key.run_id, first_event_id, limit))
        batches = [EventBatch(*row) for row in rows]
        return batches if not batches or batches[0].last_event_id >= first_event_id else batches[1:]

    async def read_batches_reverse(self, key: ExecutionKey, last_event_id: int, limit: int) -> Sequence[EventBatch]:
        sql = """select first_event_id, event_count, data from batches where run_id = ? and first_event_id <= ?
            order by first_event_id desc limit ?"""
        return [EventBatch(*row) for row in self._points.execute(sql, (key.run_id, last_event_id, limit))]

    async def read_namespaces(self) -> Sequence[StoredNamespace]:
        return [StoredNamespace(*row) for row in self._points.execute("select id, name, data from namespaces order by name")]

    async def next_due(self, from_ns: int) -> int | None:
        row = self._points.execute("select min(due_at) from runs where due_at >= ?", (from_ns,)).fetchone()
        return None if row is None else row[0]

    # Scans: in a thread

    async def _scan(self, read: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._scanner, read, self._scans)

    async def runs_with_work(self, after: ExecutionKey | None, limit: int) -> Sequence[ExecutionKey]:
        sql = """select namespace_id, workflow_id, run_id from runs
            where has_work and (namespace_id, workflow_id, run_id) > (?, ?, ?)
            order by namespace_id, workflow_id, run_id limit ?"""
        start = after or ("", "", "")
        return await self._scan(lambda db: [ExecutionKey(*row) for row in db.execute(sql, (*start, limit))])

    async def runs_due(self, from_ns: int, before_ns: int, limit: int) -> Sequence[tuple[int, ExecutionKey]]:
        sql = """select due_at, namespace_id, workflow_id, run_id from runs
            where due_at >= ? and due_at < ? order by due_at limit ?"""
        return await self._scan(lambda db: [(row[0], ExecutionKey(*row[1:])) for row in db.execute(sql, (from_ns, before_ns, limit))])

    async def list_visibility(self, namespace_id: str, page_size: int, token: bytes) -> VisibilityPage:
        try:
            start = _decode_token(token) if token else _FIRST_PAGE
        except msgspec.MsgspecError as error:
            raise BadPageToken(str(error)) from error
        sql = """select close_time, start_time, run_id, record from visibility
            where namespace_id = ? and (close_time, start_time, run_id) < (?, ?, ?)
            order by close_time desc, start_time desc, run_id desc limit ?"""
        rows = await self._scan(lambda db: db.execute(sql, (namespace_id, *start, page_size)).fetchall())
        next_token = msgspec.json.encode(rows[-1][:3]) if len(rows) == page_size else b""
        return VisibilityPage([_decode_record(row[3]) for row in rows], next_token)

    async def count_visibility(self, namespace_id: str) -> int:
        sql = "select count(*) from visibility where namespace_id = ?"
        return await self._scan(lambda db: int(db.execute(sql, (namespace_id,)).fetchone()[0]))
