"""The SQLite store: one writing thread, point reads on the spot, long scans in a thread of their own."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from outlast.engine.keys import ExecutionKey, PartKey, WorkflowKey
from outlast.server.store.errors import CannotOpen
from outlast.server.store.filters import Filter, VisibilityQuery
from outlast.server.store.positions import decode_position, encode_position
from outlast.server.store.protocol import (
    EventBatch,
    Group,
    RunWrite,
    StoredNamespace,
    StoredRun,
    VisibilityPage,
)
from outlast.server.store.sqlite.conditions import Sql, Words, is_common, word_conditions
from outlast.server.store.sqlite.lists import count_statement, group_statement, group_value, page_statement, position, record
from outlast.server.store.sqlite.lock import OwnerLock
from outlast.server.store.sqlite.schema import APPLICATION_ID, MIGRATIONS, migrate
from outlast.server.store.sqlite.setbacks import as_setback
from outlast.server.store.sqlite.writer import Writer

Row = tuple[Any, ...]
"""A row as sqlite3 gives it: its values are what the query names."""
_PRAGMAS = {
    "busy_timeout": "5000",  # the first: each of the others may have to wait
    "synchronous": "full",
    "cache_size": "-16000",
    "wal_autocheckpoint": "4000",  # pages: a page that changes often goes into the file once for many commits
    "secure_delete": "off",  # some builds overwrite what is deleted with zeros, which changes more pages
}


COMMON_WORD_RUNS = 2_000
"""A word that so many runs have is met soon on a walk through the list; all runs of a rarer one are read and sorted."""


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
        self._lists = self._connect(read_only=True)
        self._lister = ThreadPoolExecutor(1, "outlast-sqlite-list")
        self._opened = True

    def _prepare(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = None
        try:
            db = self._connect(read_only=False)
            self._check(db)
            (mode,) = db.execute("pragma journal_mode = wal").fetchone()
            if mode != "wal":
                raise CannotOpen(f"{self._path}: its file system cannot do write-ahead logging; choose a local disk")
            migrate(db)
        except BaseException as error:
            if db is not None:
                db.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise CannotOpen(f"{self._path} cannot be opened as an Outlast file: {error}") from error
            raise
        return db

    def _check(self, db: sqlite3.Connection) -> None:
        """Raises CannotOpen unless the file is empty, or ours and not newer than we are."""
        (application_id,) = db.execute("pragma application_id").fetchone()
        (version,) = db.execute("pragma user_version").fetchone()
        (tables,) = db.execute("select count(*) from sqlite_schema").fetchone()
        if application_id != APPLICATION_ID and (tables or version or application_id):
            raise CannotOpen(f"{self._path} is a SQLite file of another program; choose another file name")
        newest = max(MIGRATIONS)
        if version > newest:
            raise CannotOpen(f"{self._path} was written by a newer Outlast (schema {version}, this one knows {newest}); update Outlast")

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=64)
        for name, value in {**_PRAGMAS, **self._pragmas}.items():
            db.execute(f"pragma {name} = {value}")
        if read_only:
            db.execute("pragma query_only = on")
        return db

    async def close(self) -> None:
        if not self._opened:
            return
        self._opened = False
        try:
            self._scanner.shutdown()
            self._lister.shutdown()
            self._scans.close()
            self._lists.close()
            self._points.close()
            await self._writer.close()
        finally:
            self._lock.drop()

    async def commit(self, writes: Sequence[RunWrite]) -> None:
        await self._writer.commit(writes)

    async def clear_attribute(self, namespace_id: str, attribute: str) -> None:
        while await self._writer.clear_attribute(namespace_id, attribute):
            pass

    async def delete_runs(self, keys: Sequence[ExecutionKey]) -> None:
        await self._writer.delete_runs(keys)

    async def write_namespace(self, namespace: StoredNamespace) -> None:
        await self._writer.write_namespace(namespace)

    # Point reads: on the event loop

    def _read(self, sql: str, values: Sequence[object]) -> list[Row]:
        try:
            return self._points.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise as_setback("read", error) from error

    async def read_current(self, workflow: WorkflowKey) -> str | None:
        rows = self._read("select run_id from current_runs where namespace_id = ? and workflow_id = ?", workflow)
        return rows[0][0] if rows else None

    async def read_run(self, key: ExecutionKey) -> StoredRun | None:
        sql = "select number, core from runs where run_id = ? and namespace_id = ? and workflow_id = ?"
        rows = self._read(sql, (key.run_id, key.namespace_id, key.workflow_id))
        if not rows:
            return None
        number, core = rows[0]
        parts = self._read("select kind, id, value from parts where run = ?", (number,))
        return StoredRun(core, {PartKey(kind, part_id): value for kind, part_id, value in parts})

    async def read_batches(self, key: ExecutionKey, first_event_id: int, limit: int) -> Sequence[EventBatch]:
        sql = """select first_event_id, event_count, data from batches
            where run = (select number from runs where run_id = ?1) and first_event_id >= coalesce(
                (select max(first_event_id) from batches
                    where run = (select number from runs where run_id = ?1) and first_event_id <= ?2), ?2)
            order by first_event_id limit ?3"""
        batches = [EventBatch(*row) for row in self._read(sql, (key.run_id, first_event_id, limit + 1))]
        too_early = 1 if batches and batches[0].last_event_id < first_event_id else 0
        return batches[too_early : too_early + limit]

    async def read_batches_reverse(self, key: ExecutionKey, last_event_id: int, limit: int) -> Sequence[EventBatch]:
        sql = """select first_event_id, event_count, data from batches
            where run = (select number from runs where run_id = ?) and first_event_id <= ?
            order by first_event_id desc limit ?"""
        return [EventBatch(*row) for row in self._read(sql, (key.run_id, last_event_id, limit))]

    async def read_namespaces(self) -> Sequence[StoredNamespace]:
        return [StoredNamespace(*row) for row in self._read("select id, name, data from namespaces order by name", ())]

    async def next_due(self, from_ns: int) -> int | None:
        rows = self._read("select due_at from runs where due_at >= ? order by due_at limit 1", (from_ns,))
        return rows[0][0] if rows else None

    # Scans: in a thread

    async def _scan(self, sql: str, values: Sequence[object]) -> list[Row]:
        return await asyncio.get_running_loop().run_in_executor(self._scanner, _rows, self._scans, sql, values)

    async def _ask(self, statement: Sql) -> list[Row]:
        """For lists: timers and tasks must not wait for a client's query that reads all runs."""
        return await asyncio.get_running_loop().run_in_executor(self._lister, _rows, self._lists, statement.text, statement.values)

    async def runs_with_work(self, after: ExecutionKey | None, limit: int) -> Sequence[ExecutionKey]:
        sql = "select namespace_id, workflow_id, run_id from runs where has_work and run_id > ? order by run_id limit ?"
        if after is None:
            sql = sql.replace("and run_id > ?", "")
        start = () if after is None else (after.run_id,)
        return [ExecutionKey(*row) for row in await self._scan(sql, (*start, limit))]

    async def runs_due(self, from_ns: int, before_ns: int, limit: int) -> Sequence[tuple[int, ExecutionKey]]:
        sql = """select due_at, namespace_id, workflow_id, run_id from runs
            where due_at >= ? and due_at < ? order by due_at limit ?"""
        return [(row[0], ExecutionKey(*row[1:])) for row in await self._scan(sql, (from_ns, before_ns, limit))]

    async def list_visibility(self, query: VisibilityQuery, page_size: int, token: bytes) -> VisibilityPage:
        after = decode_position(token, query.order) if token else None
        common = frozenset([words for words in word_conditions(query.where) if words is not None and await self._is_common(words)])
        rows = await self._ask(page_statement(query, after, page_size, common))
        next_token = encode_position(position(rows[-1])) if len(rows) == page_size else b""
        return VisibilityPage([record(query.namespace_id, row) for row in rows], next_token)

    async def _is_common(self, words: Words) -> bool:
        return bool(await self._ask(is_common(words, COMMON_WORD_RUNS)))

    async def count_visibility(self, namespace_id: str, where: Filter | None = None) -> int:
        rows = await self._ask(count_statement(namespace_id, where))
        return int(rows[0][0])

    async def group_visibility(self, namespace_id: str, where: Filter | None, attribute: str, limit: int) -> Sequence[Group]:
        rows = await self._ask(group_statement(namespace_id, where, attribute, limit))
        return [Group(group_value(attribute, value), count) for value, count in rows]


def _rows(db: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[Row]:
    try:
        return db.execute(sql, values).fetchall()
    except sqlite3.DatabaseError as error:
        raise as_setback("read", error) from error
