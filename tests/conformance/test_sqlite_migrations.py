"""How an older file becomes a newer one."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from temporalio.api.common.v1 import Payload, SearchAttributes

from outlast.engine.keys import ExecutionKey
from outlast.server.store.filters import KINDS, Compare, OneOf, VisibilityQuery, has_words
from outlast.server.store.protocol import StoredNamespace, StoredRun
from outlast.server.store.sqlite import SqliteStore
from outlast.server.store.sqlite.schema import APPLICATION_ID, MIGRATIONS, WORD_FIELDS, migrate

STEPS = {
    1: "create table t (a); insert into t values (1)",
    2: "alter table t add column b; update t set b = a + 1;",
    3: "create table u as select a, b from t",
}


@pytest.fixture
def db(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("pragma user_version").fetchone()[0])


def test_steps_run_in_order_from_nothing(db: sqlite3.Connection) -> None:
    migrate(db, dict(reversed(STEPS.items())))

    assert db.execute("select * from u").fetchall() == [(1, 2)]
    assert _version(db) == 3
    assert db.execute("pragma application_id").fetchone() == (APPLICATION_ID,)


def test_only_the_missing_steps_run(db: sqlite3.Connection) -> None:
    migrate(db, {1: STEPS[1]})
    db.execute("update t set a = 10")

    migrate(db, STEPS)

    assert db.execute("select * from u").fetchall() == [(10, 11)]


def test_a_file_of_the_newest_version_is_not_touched(db: sqlite3.Connection) -> None:
    migrate(db, STEPS)
    before = db.total_changes

    migrate(db, STEPS)

    assert db.total_changes == before
    assert _version(db) == 3


def test_a_step_that_fails_leaves_the_version_before_it(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, {**STEPS, 3: "create table u (x); create table u (x)"})

    assert _version(db) == 2
    assert db.execute("select name from sqlite_schema").fetchall() == [("t",)]
    migrate(db, STEPS)
    assert _version(db) == 3


def test_versions_have_no_gaps() -> None:
    assert sorted(MIGRATIONS) == list(range(1, len(MIGRATIONS) + 1))


OLD_RUNS = "insert into runs (run_id, namespace_id, workflow_id, due_at, has_work, close_time, start_time, record, core) values"


def _payload(kind: str, data: bytes) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", "type": kind.encode()}, data=data)


async def test_lists_of_the_first_version_are_kept_with_their_search_attributes(path: Path, db: sqlite3.Connection) -> None:
    """A file of version 1, with a namespace that has search attributes of its own, is listed, filtered and counted afterwards."""
    migrate(db, {1: MIGRATIONS[1]})
    colours = {"Colour": 2, "Size": 3, "Tags": 7, "Says": 1}
    namespace = {"id": "n", "name": "mine", "search_attributes": colours, "retention_s": 5}
    db.execute("insert into namespaces values ('n', 'mine', ?)", (msgspec.msgpack.encode(namespace),))
    fields = {"Colour": _payload("Keyword", b'"red"'), "Size": _payload("Int", b"5"), "Tags": _payload("KeywordList", b'["a", "b"]')}
    fields |= {"Says": _payload("Text", b'"Hello you"'), "BuildIds": _payload("KeywordList", b'["1"]'), "Gone": _payload("Int", b"1")}
    attributes = SearchAttributes(indexed_fields=fields).SerializeToString()
    for number, closed in enumerate((None, 77)):
        shown = ["n", f"w{number}", f"r{number}", "T", "q", 2 if closed else 1, 10 + number, 11, closed]
        shown += [3, 4, 5, b"memo", attributes if closed else b"", "p" if closed else "", "", "", ""]
        close_time = closed or 1 << 62
        row = (f"r{number}", "n", f"w{number}", 7, 1, close_time, 10 + number, msgspec.msgpack.encode(shown), b"core")
        db.execute(f"{OLD_RUNS} (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    db.execute(f"{OLD_RUNS} ('hidden', 'n', 'w', null, 0, null, null, null, x'00')")
    db.close()
    store = SqliteStore(path)
    await store.open()

    page = await store.list_visibility(VisibilityQuery("n"), 10, b"")
    assert [(r.run_id, r.status, r.close_time, r.memo, r.search_attributes) for r in page.records] == [
        ("r0", 1, None, b"memo", b""),
        ("r1", 2, 77, b"memo", attributes),
    ]
    columns = _aliases(await store.read_namespaces())
    assert set(columns) == set(colours)
    for where in (
        Compare(columns["Colour"], "=", "red"),
        Compare(columns["Size"], ">", 4),
        Compare(columns["Tags"], "=", "b"),
        OneOf(columns["Says"], ["hello"]),
        Compare("BuildIds", "=", "1"),
        Compare("ParentWorkflowId", "=", "p"),
        Compare("ExecutionStatus", "=", 2),
        Compare("RootRunId", "=", "r1"),
    ):
        found = await store.list_visibility(VisibilityQuery("n", where), 10, b"")
        assert [r.run_id for r in found.records] == ["r1"], where
        assert await store.count_visibility("n", where) == 1
    assert await store.count_visibility("n") == 2
    hidden = ExecutionKey("n", "w", "hidden")
    assert await store.read_run(hidden) == StoredRun(b"\x00", {})
    assert len(await store.runs_with_work(None, 10)) == 2
    await store.delete_runs([ExecutionKey("n", "w1", "r1")])
    assert await store.count_visibility("n") == 1
    await store.close()


def _aliases(namespaces: Sequence[StoredNamespace]) -> dict[str, str]:
    decoded = msgspec.msgpack.decode(namespaces[0].data)
    assert decoded["retention_s"] == 5
    return dict(decoded["columns"])


def test_the_second_version_has_a_column_for_every_attribute(db: sqlite3.Connection) -> None:
    """The step knows them by itself; a change of the living tables needs a step of its own."""
    migrate(db)

    columns = {row[1] for row in db.execute("pragma table_info(shown)")}
    assert columns >= set(KINDS) - {"ExecutionDuration"}
    assert set(WORD_FIELDS) == {name for name in KINDS if has_words(name)}
    assert len(set(WORD_FIELDS.values())) == len(WORD_FIELDS)
