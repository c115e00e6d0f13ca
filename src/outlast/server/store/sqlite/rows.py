"""RunWrites as rows: what one commit inserts, updates and deletes, inside a transaction of the caller's."""

import sqlite3
from collections.abc import Sequence

import msgspec

from outlast.engine.keys import ExecutionKey
from outlast.server.store.errors import BatchExists
from outlast.server.store.protocol import RunWrite, VisibilityRecord
from outlast.server.store.sqlite.schema import OPEN_CLOSE_TIME

_FIND_RUN = "select number from runs where run_id = ?"
_ADD_RUN = """insert into runs (core, due_at, has_work, close_time, start_time, record, run_id, namespace_id, workflow_id)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_CHANGE_RUN = "update runs set core = ?, due_at = ?, has_work = ? where number = ?"
_CHANGE_AND_SHOW_RUN = "update runs set core = ?, due_at = ?, has_work = ?, close_time = ?, start_time = ?, record = ? where number = ?"
_PUT_PART = "insert or replace into parts (run, kind, id, value) values (?, ?, ?, ?)"
_DROP_PART = "delete from parts where run = ? and kind = ? and id = ?"
_ADD_BATCH = "insert into batches (run, first_event_id, event_count, data) values (?, ?, ?, ?)"
_PUT_CURRENT = "insert or replace into current_runs (namespace_id, workflow_id, run_id) values (?, ?, ?)"
_DROP_RUN = ("delete from batches where run = ?", "delete from parts where run = ?", "delete from runs where number = ?")
_DROP_CURRENT = "delete from current_runs where namespace_id = ? and workflow_id = ? and run_id = ?"
_NOT_SHOWN = None, None, None

_encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(VisibilityRecord).decode

Shown = tuple[int | None, int | None, bytes | None]
"""(close time, start time, record) as they stand in `runs`."""


def write_runs(db: sqlite3.Connection, writes: Sequence[RunWrite]) -> None:
    """The order is that of `writes`: of two writes of one run the later wins. Raises BatchExists."""
    numbers = _put_runs(db, writes)
    _add_batches(db, writes, numbers)
    _put_parts(db, writes, numbers)
    current = [w.key for w in writes if w.make_current]
    if current:
        db.executemany(_PUT_CURRENT, current)


def delete_runs(db: sqlite3.Connection, keys: Sequence[ExecutionKey]) -> None:
    """All rows of these runs; those that are not there do not matter."""
    for key in keys:
        found = db.execute(_FIND_RUN, (key.run_id,)).fetchone()
        if found is not None:
            for statement in _DROP_RUN:
                db.execute(statement, found)
        db.execute(_DROP_CURRENT, key)


def _put_runs(db: sqlite3.Connection, writes: Sequence[RunWrite]) -> dict[str, int]:
    """Returns the numbers of the runs by run id."""
    latest = {w.key.run_id: w for w in writes}
    shown = {w.key.run_id: _shown(w.visibility) for w in writes if w.visibility is not None}
    numbers: dict[str, int] = {}
    changed: list[tuple[object, ...]] = []
    changed_and_shown: list[tuple[object, ...]] = []
    for run_id, w in latest.items():
        found = db.execute(_FIND_RUN, (run_id,)).fetchone()
        show = shown.get(run_id)
        if found is None:
            row = (w.core, w.due_at, w.has_work, *(show or _NOT_SHOWN), run_id, w.key.namespace_id, w.key.workflow_id)
            numbers[run_id] = db.execute(_ADD_RUN, row).lastrowid or 0
            continue
        numbers[run_id] = number = found[0]
        if show is None:
            changed.append((w.core, w.due_at, w.has_work, number))
        else:
            changed_and_shown.append((w.core, w.due_at, w.has_work, *show, number))
    db.executemany(_CHANGE_RUN, changed)
    db.executemany(_CHANGE_AND_SHOW_RUN, changed_and_shown)
    return numbers


def _shown(record: VisibilityRecord) -> Shown:
    close_time = OPEN_CLOSE_TIME if record.close_time is None else record.close_time
    return close_time, record.start_time, _encode_record(record)


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
