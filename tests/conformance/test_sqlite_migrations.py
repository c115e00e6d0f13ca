"""How an older file becomes a newer one."""

import sqlite3
from pathlib import Path

import pytest

from outlast.server.store.sqlite.schema import APPLICATION_ID, MIGRATIONS, migrate

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
