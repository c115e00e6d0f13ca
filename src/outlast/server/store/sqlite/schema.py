"""The tables of an Outlast file, and how an older file becomes a newer one.

One run is one row of `runs`: its core, the next moment at which it needs attention, whether it has work to hand out,
and what lists show of it (null until it is shown). It has some rows of `parts` (its pending activities, timers,
children ...), and its history in `batches`: one row for each group of events that was written together, as the bytes
that go on the wire. `current_runs` points from a workflow id to its latest run. `namespaces` holds the namespaces.
Times are nanoseconds since the epoch. There are no task tables: work is derived from the state.

A commit costs what its changed pages cost, some 7 microseconds each, and not what its rows cost. Therefore a run has a
number of its own, so that keys are short and neighbours share pages; new runs and new batches go to the end of their
tables; and what changes together lies together.
"""

import sqlite3
from collections.abc import Mapping

APPLICATION_ID = 0x4F55544C
"""«OUTL»: marks a SQLite file as one of ours."""
OPEN_CLOSE_TIME = 1 << 62
"""The close time of an open run in `runs`, so that open runs come first."""

_VERSION_1 = """
create table runs (
    number integer primary key,
    run_id text not null unique,
    namespace_id text not null,
    workflow_id text not null,
    due_at integer,
    has_work integer not null,
    close_time integer,
    start_time integer,
    record blob,
    core blob not null
);
create index runs_due on runs (due_at) where due_at is not null;
create index runs_with_work on runs (run_id) where has_work;
create index runs_shown on runs (namespace_id, close_time desc, start_time desc, run_id desc) where close_time is not null;

create table parts (
    run integer not null,
    kind text not null,
    id text not null,
    value blob not null,
    primary key (run, kind, id)
) without rowid;

create table batches (
    run integer not null,
    first_event_id integer not null,
    event_count integer not null,
    data blob not null,
    primary key (run, first_event_id)
);

create table current_runs (
    namespace_id text not null,
    workflow_id text not null,
    run_id text not null,
    primary key (namespace_id, workflow_id)
) without rowid;

create table namespaces (
    id text primary key,
    name text not null unique,
    data blob not null
) without rowid;
"""

MIGRATIONS: Mapping[int, str] = {1: _VERSION_1}
"""Version to the statements that lead to it from the version before."""


def migrate(db: sqlite3.Connection, migrations: Mapping[int, str] = MIGRATIONS) -> None:
    """Bring the file to the newest version, one version in one transaction."""
    (version,) = db.execute("pragma user_version").fetchone()
    for step in range(version + 1, max(migrations) + 1):
        db.execute("begin immediate")
        try:
            for statement in filter(None, map(str.strip, migrations[step].split(";"))):
                db.execute(statement)
            db.execute(f"pragma application_id = {APPLICATION_ID}")
            db.execute(f"pragma user_version = {step}")
        except BaseException:
            db.rollback()
            raise
        db.commit()
