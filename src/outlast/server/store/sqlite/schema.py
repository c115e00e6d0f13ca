"""The tables of an Outlast file, and how an older file becomes a newer one.

One run is one row of `runs`: its core, the next moment at which it needs attention, and whether it has work to hand out.
It has some rows of `parts` (its pending activities, timers, children ...), and its history in `batches`: one row for each
group of events that was written together, as the bytes that go on the wire. `current_runs` points from a workflow id to its
latest run. `namespaces` holds the namespaces. Times are nanoseconds since the epoch. There are no task tables: work is
derived from the state.

What lists show of a run is one row of `shown`, with a column for each attribute that a condition may name. Its `place` is a
short number for the namespace. An attribute that clients set gets an index when the first run has a value for it
(`shown.py`), so that those which nobody uses cost nothing. `words` has the words of texts and the keywords of lists.
`counts` has the number of runs of each type and status: a count that asks for nothing else reads some rows of it.

A commit costs what its changed pages cost, some 7 microseconds each, and not what its rows cost. Therefore a run has a
number of its own, so that keys are short and neighbours share pages; new runs and new batches go to the end of their
tables; and what changes together lies together.
"""

import sqlite3
from collections.abc import Callable, Mapping

from outlast.server.store.sqlite.version_2 import upgrade_to_2

APPLICATION_ID = 0x4F55544C
"""«OUTL»: marks a SQLite file as one of ours."""
WORD_FIELDS: Mapping[str, int] = {
    "BinaryChecksums": 1,
    "BuildIds": 2,
    "TemporalChangeVersion": 3,
    "TemporalPauseInfo": 4,
    "TemporalReportedProblems": 5,
    "TemporalUsedWorkerDeploymentVersions": 6,
    "KeywordList01": 7,
    "KeywordList02": 8,
    "KeywordList03": 9,
    "Text01": 10,
    "Text02": 11,
    "Text03": 12,
}
"""The attributes that have words, and their numbers in `words`: these stand in files, and never change."""

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

Step = str | Callable[[sqlite3.Connection], None]
MIGRATIONS: Mapping[int, Step] = {1: _VERSION_1, 2: upgrade_to_2}
"""Version to the statements, or the function, that lead to it from the version before."""


def migrate(db: sqlite3.Connection, migrations: Mapping[int, Step] = MIGRATIONS) -> None:
    """Bring the file to the newest version, one version in one transaction."""
    (version,) = db.execute("pragma user_version").fetchone()
    for step in range(version + 1, max(migrations) + 1):
        db.execute("begin immediate")
        try:
            _take(db, migrations[step])
            db.execute(f"pragma application_id = {APPLICATION_ID}")
            db.execute(f"pragma user_version = {step}")
        except BaseException:
            db.rollback()
            raise
        db.commit()


def _take(db: sqlite3.Connection, step: Step) -> None:
    if not isinstance(step, str):
        step(db)
        return
    for statement in filter(None, map(str.strip, step.split(";"))):
        db.execute(statement)
