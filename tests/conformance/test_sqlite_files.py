"""Which files a SQLite store opens, which it refuses, and what it says then."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from outlast.server.store.errors import CannotOpen, StoreUnavailable
from outlast.server.store.sqlite import SqliteStore
from outlast.server.store.sqlite.schema import APPLICATION_ID, MIGRATIONS, migrate
from tests.conformance.records import batch, key, record, whole, write

A = key("a")


async def _refusal(path: Path, pragmas: dict[str, str] | None = None) -> str:
    with pytest.raises(CannotOpen) as refusal:
        await SqliteStore(path, pragmas).open()
    return str(refusal.value)


def _holder(path: Path) -> subprocess.Popen[bytes]:
    """Another process, which opens the store, says so, and keeps it."""
    script = "import asyncio, sys; from outlast.server.store.sqlite import SqliteStore; s = SqliteStore(sys.argv[1])"
    script += "; asyncio.run(s.open()); print('open', flush=True); sys.stdin.read()"
    return subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def test_a_new_file_is_marked_as_ours(sqlite_store: SqliteStore, path: Path) -> None:
    db = sqlite3.connect(path)

    assert db.execute("pragma user_version").fetchone() == (max(MIGRATIONS),)
    assert db.execute("pragma application_id").fetchone() == (APPLICATION_ID,)
    db.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5000), ("secure_delete", 0), ("wal_autocheckpoint", 4000)],
)
async def test_pragmas_are_set(sqlite_store: SqliteStore, pragma: str, value: object) -> None:
    for db in (sqlite_store._writer._db, sqlite_store._points, sqlite_store._scans, sqlite_store._lists):
        assert db.execute(f"pragma {pragma}").fetchone() == (value,)


async def test_pragmas_of_the_operator_win(path: Path) -> None:
    store = SqliteStore(path, {"synchronous": "normal", "cache_size": "77"})
    await store.open()

    assert store._writer._db.execute("pragma synchronous").fetchone() == (1,)
    assert store._points.execute("pragma cache_size").fetchone() == (77,)
    await store.close()


async def test_reading_connections_cannot_write(sqlite_store: SqliteStore) -> None:
    for db in (sqlite_store._points, sqlite_store._scans, sqlite_store._lists):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("delete from runs")


async def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    store = SqliteStore(path)

    await store.open()
    await store.commit([write(A)])
    await store.close()


async def test_all_is_there_after_closing_and_opening_again(path: Path) -> None:
    first = SqliteStore(path)
    await first.open()
    full = write(A, b"core", due_at=7, has_work=True, batches=[batch(1)], visibility=record(A, 1), make_current=True)
    await first.commit([full])
    before = await whole(first, A)
    await first.close()
    assert not path.with_name(path.name + "-wal").exists()

    second = SqliteStore(path)
    await second.open()

    assert before["run"] is not None
    assert await whole(second, A) == before
    await second.commit([write(A, b"later", batches=[batch(2)])])
    assert list(await second.read_batches(A, 1, 9)) == [batch(1), batch(2)]
    await second.close()


async def test_a_commit_after_close_is_refused(sqlite_store: SqliteStore) -> None:
    await sqlite_store.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        async with asyncio.timeout(5):
            await sqlite_store.commit([write(A)])


async def test_a_cancelled_commit_is_whole_and_the_next_one_waits_for_it(sqlite_store: SqliteStore) -> None:
    commit = asyncio.create_task(sqlite_store.commit([write(A, b"first", batches=[batch(1)]), write(key("b"), bytes(1_000_000))]))
    await asyncio.sleep(0)
    commit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await commit

    await sqlite_store.commit([write(A, b"second", batches=[batch(2)])])

    assert list(await sqlite_store.read_batches(A, 1, 9)) == [batch(1), batch(2)]
    assert await sqlite_store.read_run(key("b")) is not None


async def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    db = sqlite3.connect(path)
    migrate(db, {1: "create table t (x)"})
    db.execute("pragma user_version = 1000")
    db.close()

    message = await _refusal(path)

    assert str(path) in message and "newer Outlast (schema 1000" in message


@pytest.mark.parametrize("statement", ["create table t (x)", "pragma user_version = 1", "pragma application_id = 5"])
async def test_a_sqlite_file_of_another_program_is_refused_and_left_alone(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()
    before = path.read_bytes()

    message = await _refusal(path)

    assert str(path) in message and "another program" in message
    assert path.read_bytes() == before


async def test_a_text_file_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)

    message = await _refusal(path)

    assert str(path) in message and "not a database" in message
    assert path.read_text() == "Dear diary, " * 1000


async def test_a_directory_is_refused(path: Path) -> None:
    path.mkdir()

    assert str(path) in await _refusal(path)


async def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    message = await _refusal(tmp_path / "missing" / "outlast.db")

    assert str(tmp_path / "missing" / "outlast.db") in message and "does not exist" in message


async def test_a_store_in_use_by_another_process_is_refused_until_that_ends(path: Path) -> None:
    with _holder(path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"

        message = await _refusal(path)

        holder.kill()
        holder.wait()
    assert str(path) in message and f"pid {holder.pid}" in message
    store = SqliteStore(path)
    await store.open()
    await store.close()


async def test_two_stores_of_one_process_cannot_share_a_file(sqlite_store: SqliteStore, path: Path) -> None:
    message = await _refusal(path)

    assert str(path) in message and f"pid {os.getpid()}" in message


async def test_a_file_locked_by_another_program_is_refused(path: Path) -> None:
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("begin exclusive")

    message = await _refusal(path, {"busy_timeout": "20"})

    assert str(path) in message and "locked" in message
    shell.close()
    store = SqliteStore(path)
    await store.open()
    await store.close()


async def test_a_refused_file_may_be_opened_later_by_the_same_store(path: Path) -> None:
    path.write_text("not a database, and long enough to be sure of it" * 10)
    store = SqliteStore(path)
    with pytest.raises(CannotOpen):
        await store.open()
    path.unlink()

    await store.open()
    await store.commit([write(A)])
    await store.close()


async def test_a_commit_while_another_program_writes_is_a_setback(path: Path) -> None:
    store = SqliteStore(path, {"busy_timeout": "20"})
    await store.open()
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("begin immediate")

    with pytest.raises(StoreUnavailable, match="locked"):
        await store.commit([write(A)])

    shell.execute("rollback")
    shell.close()
    await store.commit([write(A)])
    assert await store.read_run(A) is not None
    await store.close()


def _damage_every_table(path: Path) -> None:
    """The root of each tree; the schema stays, so that the file can be opened."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("pragma page_size").fetchone()
        roots = [root for (root,) in db.execute("select rootpage from sqlite_schema where rootpage > 0")]
    data = bytearray(path.read_bytes())
    for root in roots:
        data[(root - 1) * size : root * size] = b"\x55" * size
    path.write_bytes(data)


async def test_a_damaged_file_is_a_setback_to_read_and_to_write(path: Path) -> None:
    first = SqliteStore(path)
    await first.open()
    await first.commit([write(key(str(n)), bytes(3000)) for n in range(50)])
    await first.close()
    _damage_every_table(path)
    store = SqliteStore(path)
    await store.open()

    with pytest.raises(StoreUnavailable, match="malformed"):
        await store.read_run(key("1"))
    with pytest.raises(StoreUnavailable, match="malformed"):
        await store.runs_due(0, 1, 1)
    with pytest.raises(StoreUnavailable, match="malformed"):
        await store.commit([write(key("1"))])
    await store.close()
