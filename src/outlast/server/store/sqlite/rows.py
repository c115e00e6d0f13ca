"""RunWrites as rows: what one commit inserts, updates and deletes, inside a transaction of the caller's."""

import sqlite3
from collections.abc import Sequence

from outlast.engine.keys import ExecutionKey
from outlast.server.store.errors import BatchExists
from outlast.server.store.protocol import RunWrite
from outlast.server.store.sqlite.shown import Shown

_FIND_RUN = "select number from runs where run_id = ?"
_ADD_RUN = "insert into runs (core, due_at, has_work, run_id, namespace_id, workflow_id) values (?, ?, ?, ?, ?, ?)"
_CHANGE_RUN = "update runs set core = ?, due_at = ?, has_work = ? where number = ?"
_PUT_PART = "insert or replace into parts (run, kind, id, value) values (?, ?, ?, ?)"
_DROP_PART = "delete from parts where run = ? and kind = ? and id = ?"
_ADD_BATCH = "insert into batches (run, first_event_id, event_count, data) values (?, ?, ?, ?)"
_PUT_CURRENT = "insert or replace into current_runs (namespace_id, workflow_id, run_id) values (?, ?, ?)"
_DROP_RUN = ("delete from batches where run = ?", "delete from parts where run = ?", "delete from runs where number = ?")
_DROP_CURRENT = "delete from current_runs where namespace_id = ? and workflow_id = ? and run_id = ?"


def write_runs(db: sqlite3.Connection, shown: Shown, writes: Sequence[RunWrite]) -> None:
    """The order is that of `writes`: of two writes of one run the later wins. Raises BatchExists."""
    numbers, new = _put_runs(db, writes)
    _add_batches(db, writes, numbers)
    _put_parts(db, writes, numbers)
    records = {numbers[w.key.run_id]: w.visibility for w in writes if w.visibility is not None}
    if records:
        shown.put(records.items(), new)
    current = [w.key for w in writes if w.make_current]
    if current:
        db.executemany(_PUT_CURRENT, current)


def delete_runs(db: sqlite3.Connection, shown: Shown, keys: Sequence[ExecutionKey]) -> None:
    """All rows of these runs; those that are not there do not matter."""
    found = [row[0] for key in keys for row in db.execute(_FIND_RUN, (key.run_id,)).fetchall()]
    shown.drop(found)
    for statement in _DROP_RUN:
        db.executemany(statement, [(number,) for number in found])
    db.executemany(_DROP_CURRENT, keys)


def _put_runs(db: sqlite3.Connection, writes: Sequence[RunWrite]) -> tuple[dict[str, int], set[int]]:
    """Returns the numbers of the runs by run id, and which of them are new."""
    latest = {w.key.run_id: w for w in writes}
    numbers: dict[str, int] = {}
    new: set[int] = set()
    changed: list[tuple[object, ...]] = []
    for run_id, w in latest.items():
        found = db.execute(_FIND_RUN, (run_id,)).fetchone()
        if found is None:
            row = (w.core, w.due_at, w.has_work, run_id, w.key.namespace_id, w.key.workflow_id)
            numbers[run_id] = number = db.execute(_ADD_RUN, row).lastrowid or 0
            new.add(number)
        else:
            numbers[run_id] = found[0]
            changed.append((w.core, w.due_at, w.has_work, found[0]))
    db.executemany(_CHANGE_RUN, changed)
    return numbers, new


def _add_batches(db: sqlite3.Connection, writes: Sequence[RunWrite], numbers: dict[str, int]) -> None:
    rows = [(numbers[w.key.run_id], b.first_event_id, b.event_count, b.data) for w in writes for b in w.batches]
    try:
        db.executemany(_ADD_BATCH, rows)
    except sqlite3.IntegrityError as error:
        runs = ", ".join(sorted({w.key.run_id for w in writes if w.batches}))
        raise BatchExists(f"a batch of one of the runs {runs} exists already: {error}") from error


def _put_parts(db: sqlite3.Connection, writes: Sequence[RunWrite], numbers: dict[str, int]) -> None:
    parts: dict[tuple[int, str, str], bytes | None] = {}
    for write in writes:
        run = numbers[write.key.run_id]
        for key, value in write.parts.items():
            parts[run, key.kind, key.id] = value
    db.executemany(_PUT_PART, [(*key, value) for key, value in parts.items() if value is not None])
    db.executemany(_DROP_PART, [key for key, value in parts.items() if value is None])
