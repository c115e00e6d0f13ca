"""The second version of the tables: what lists show of a run becomes a row of columns, which conditions can be put on.

A step of the past: it knows the first version's encodings by itself, and does not change when the living ones do.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from temporalio.api.common.v1 import SearchAttributes

from outlast.engine.search_attributes import value_of
from outlast.server.store.filters import words_of

_OPEN = (1 << 63) - 1
_TEXT, _KEYWORD, _INT, _DOUBLE, _BOOL, _DATETIME, _KEYWORD_LIST = range(1, 8)
_KIND_NAMES = {_TEXT: "Text", _KEYWORD: "Keyword", _INT: "Int", _DOUBLE: "Double", _BOOL: "Bool", _DATETIME: "Datetime", 7: "KeywordList"}
_STORED_AS = {_INT: "integer", _DOUBLE: "real", _BOOL: "integer", _DATETIME: "integer"}
_KNOWN = {
    "BatcherNamespace": _KEYWORD,
    "BatcherUser": _KEYWORD,
    "BinaryChecksums": _KEYWORD_LIST,
    "BuildIds": _KEYWORD_LIST,
    "TemporalChangeVersion": _KEYWORD_LIST,
    "TemporalExternalPayloadCount": _INT,
    "TemporalExternalPayloadSizeBytes": _INT,
    "TemporalNamespaceDivision": _KEYWORD,
    "TemporalPauseInfo": _KEYWORD_LIST,
    "TemporalReportedProblems": _KEYWORD_LIST,
    "TemporalScheduledById": _KEYWORD,
    "TemporalScheduledStartTime": _DATETIME,
    "TemporalSchedulePaused": _BOOL,
    "TemporalUsedWorkerDeploymentVersions": _KEYWORD_LIST,
    "TemporalWorkerDeployment": _KEYWORD,
    "TemporalWorkerDeploymentVersion": _KEYWORD,
    "TemporalWorkflowVersioningBehavior": _KEYWORD,
}
_COUNTS = {_TEXT: 3, _KEYWORD: 10, _INT: 3, _DOUBLE: 3, _BOOL: 3, _DATETIME: 3, _KEYWORD_LIST: 3}
_OWN = {f"{_KIND_NAMES[kind]}{number:02}": kind for kind, count in _COUNTS.items() for number in range(1, count + 1)}
_FIELDS = {**_KNOWN, **_OWN}
_WORDS = [name for name, kind in _KNOWN.items() if kind == _KEYWORD_LIST]
_WORDS += [name for kind in (_KEYWORD_LIST, _TEXT) for name, of in _OWN.items() if of == kind]
_WORD_FIELDS = {name: number for number, name in enumerate(_WORDS, 1)}

_TABLES = """
create table places (
    number integer primary key,
    namespace_id text not null unique
);
create table shown (
    run integer primary key,
    place integer not null,
    "CloseTime" integer not null,
    "StartTime" integer not null,
    "ExecutionStatus" integer not null,
    "WorkflowType" text not null,
    "WorkflowId" text not null,
    "RunId" text not null,
    "ExecutionTime" integer not null,
    "TaskQueue" text not null,
    "HistoryLength" integer not null,
    "HistorySizeBytes" integer not null,
    "StateTransitionCount" integer not null,
    "ParentWorkflowId" text,
    "ParentRunId" text,
    "RootWorkflowId" text not null,
    "RootRunId" text not null,
    memo blob not null,
    search_attributes blob not null,
    FIELDS
);
create table words (
    field integer not null,
    word text not null,
    run integer not null,
    primary key (field, word, run)
) without rowid;
create table counts (
    place integer not null,
    "TemporalNamespaceDivision" text,
    "WorkflowType" text not null,
    "ExecutionStatus" integer not null,
    amount integer not null
);
create index counts_of on counts (place, "TemporalNamespaceDivision", "WorkflowType", "ExecutionStatus")
"""
_INDEXES = """
create index shown_usual on shown (place, "TemporalNamespaceDivision", "CloseTime" desc, "StartTime" desc);
create index shown_type on shown (place, "TemporalNamespaceDivision", "WorkflowType", "CloseTime" desc, "StartTime" desc);
create index shown_status on shown (place, "TemporalNamespaceDivision", "ExecutionStatus", "CloseTime" desc, "StartTime" desc);
create index shown_workflow on shown (place, "WorkflowId");
create index shown_started on shown (place, "StartTime" desc);
create index shown_parent on shown (place, "ParentWorkflowId") where "ParentWorkflowId" is not null
"""
_RUNS = """
alter table runs rename to runs_1;
drop index runs_due;
drop index runs_with_work;
drop index runs_shown;
create table runs (
    number integer primary key,
    run_id text not null unique,
    namespace_id text not null,
    workflow_id text not null,
    due_at integer,
    has_work integer not null,
    core blob not null
);
insert into runs select number, run_id, namespace_id, workflow_id, due_at, has_work, core from runs_1;
drop table runs_1;
create index runs_due on runs (due_at) where due_at is not null;
create index runs_with_work on runs (run_id) where has_work
"""


_SHAPES = {
    "shown_usual": "10000000 1000000 1000000 2 1",
    "shown_type": "10000000 1000000 1000000 50000 2 1",
    "shown_status": "10000000 1000000 1000000 200000 2 1",
    "shown_workflow": "10000000 1000000 2",
    "shown_started": "10000000 1000000 1",
    "shown_parent": "3000000 300000 5",
}
"""For SQLite's planner: the rows of each index, and how many of them have the same first column, first two columns, and so on.

The shape of a busy file, written down once instead of measured again and again: a plan does not change with what a file holds.
"""
_SHAPE_OF_OWN = "5000000 500000 500000 1000 2 1"
_OF_OWN = 'place, "TemporalNamespaceDivision", "NAME", "CloseTime" desc, "StartTime" desc'


def upgrade_to_2(db: sqlite3.Connection) -> None:
    fields = ",\n    ".join(f'"{name}" {_STORED_AS.get(kind, "text")}' for name, kind in _FIELDS.items())
    _execute(db, _TABLES.replace("FIELDS", fields))
    columns = {namespace_id: _give_columns(db, namespace_id, data) for namespace_id, data in _namespaces(db)}
    db.execute("insert into places (namespace_id) select distinct namespace_id from runs where record is not null")
    places = {namespace_id: number for number, namespace_id in db.execute("select number, namespace_id from places")}
    for number, record in db.execute("select number, record from runs where record is not null"):
        _show(db, number, places, columns, msgspec.msgpack.decode(record))
    db.execute(
        """insert into counts select place, "TemporalNamespaceDivision", "WorkflowType", "ExecutionStatus", count(*) from shown
        group by 1, 2, 3, 4"""
    )
    _execute(db, _INDEXES)
    for name in _FIELDS:
        used = f'"{name}" is not null'
        indexed = name not in _WORDS and name != "TemporalNamespaceDivision"
        if indexed and db.execute(f"select 1 from shown where {used} limit 1").fetchone():
            db.execute(f'create index "shown_{name}" on shown ({_OF_OWN.replace("NAME", name)}) where {used}')
    db.execute("analyze shown")
    db.execute("delete from sqlite_stat1 where tbl = 'shown'")
    shapes = _SHAPES | {f"shown_{name}": _SHAPE_OF_OWN for name in _FIELDS if name not in _WORDS}
    db.executemany("insert into sqlite_stat1 (tbl, idx, stat) values ('shown', ?, ?)", shapes.items())
    _execute(db, _RUNS)


def _execute(db: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";"):
        db.execute(statement)


def _namespaces(db: sqlite3.Connection) -> list[tuple[str, bytes]]:
    return db.execute("select id, data from namespaces").fetchall()


def _give_columns(db: sqlite3.Connection, namespace_id: str, data: bytes) -> dict[str, tuple[str, int]]:
    """Give each search attribute of a namespace's own a column of its type, and note it in the namespace."""
    namespace: dict[str, Any] = msgspec.msgpack.decode(data)
    free = {kind: iter([name for name, of in _OWN.items() if of == kind]) for kind in _COUNTS}
    columns: dict[str, tuple[str, int]] = {}
    for name, kind in namespace.get("search_attributes", {}).items():
        column = next(free[kind], None)
        if column is not None:
            columns[name] = column, kind
    namespace["columns"] = {name: column for name, (column, _) in columns.items()}
    db.execute("update namespaces set data = ? where id = ?", (msgspec.msgpack.encode(namespace), namespace_id))
    return columns


def _show(
    db: sqlite3.Connection, run: int, places: Mapping[str, int], columns: Mapping[str, Mapping[str, tuple[str, int]]], record: list[Any]
) -> None:
    namespace_id, workflow_id, run_id, workflow_type, task_queue, status, start_time, execution_time, close_time = record[:9]
    length, size_bytes, transitions, memo, search_attributes, parent_id, parent_run_id, root_id, root_run_id = record[9:18]
    close_time = _OPEN if close_time is None else close_time
    row: dict[str, object] = {"run": run, "place": places[namespace_id], "CloseTime": close_time, "StartTime": start_time}
    row |= {"ExecutionStatus": status, "WorkflowType": workflow_type, "WorkflowId": workflow_id, "RunId": run_id}
    row |= {"ExecutionTime": execution_time, "TaskQueue": task_queue, "HistoryLength": length, "HistorySizeBytes": size_bytes}
    row |= {"StateTransitionCount": transitions, "ParentWorkflowId": parent_id or None, "ParentRunId": parent_run_id or None}
    row |= {"RootWorkflowId": root_id or workflow_id, "RootRunId": root_run_id or run_id}
    row |= {"memo": memo, "search_attributes": search_attributes}
    for name, value in _values(search_attributes, columns.get(namespace_id, {})):
        row[name] = json.dumps(value, ensure_ascii=False, separators=(",", ":")) if isinstance(value, list) else value
        if name in _WORD_FIELDS:
            words = value if isinstance(value, list) else words_of(str(value))
            db.executemany("insert or ignore into words values (?, ?, ?)", [(_WORD_FIELDS[name], word, run) for word in words])
    names = ", ".join(f'"{name}"' for name in row)
    db.execute(f"insert into shown ({names}) values ({', '.join('?' * len(row))})", tuple(row.values()))


def _values(search_attributes: bytes, columns: Mapping[str, tuple[str, int]]) -> Iterator[tuple[str, object]]:
    try:
        fields = SearchAttributes.FromString(search_attributes).indexed_fields
    except ValueError:
        return
    for name, payload in fields.items():
        column, kind = columns.get(name) or (name, _KNOWN.get(name, 0))
        value = value_of(kind, payload.SerializeToString()) if kind else None
        if value is not None:
            yield column, value
