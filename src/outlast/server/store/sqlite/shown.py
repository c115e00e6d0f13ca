"""What lists show of runs, written in the transaction that writes the runs."""

import sqlite3
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.engine.search_attributes import COLUMNS, PREDEFINED, SYSTEM, Value
from outlast.server.store.filters import KINDS, OPEN_CLOSE_TIME, words_of
from outlast.server.store.protocol import VisibilityRecord
from outlast.server.store.sqlite.schema import WORD_FIELDS

FIELDS = tuple(name for name in KINDS if name in COLUMNS or name in PREDEFINED or (name in SYSTEM and name.startswith("Temporal")))
"""The attributes of a record's `attributes`: a column each."""
_INDEXED = frozenset(name for name in FIELDS if name not in WORD_FIELDS and name != "TemporalNamespaceDivision")
_FIXED = (
    "run",
    "place",
    "StartTime",
    "WorkflowType",
    "WorkflowId",
    "RunId",
    "ParentWorkflowId",
    "ParentRunId",
    "RootWorkflowId",
    "RootRunId",
)
"""What of a run never changes."""
_MOVING = "CloseTime", "ExecutionStatus"
_LOOSE = "ExecutionTime", "TaskQueue", "HistoryLength", "HistorySizeBytes", "StateTransitionCount", "memo"
"""What changes without a move in any index."""
_OLD = 'select place, "ExecutionStatus", "CloseTime", "WorkflowType", search_attributes from shown where run = ?'
_DIVISION = '"TemporalNamespaceDivision"'
_ADD_COUNT = f"""update counts set amount = amount + ?
where place = ? and {_DIVISION} is ? and "WorkflowType" = ? and "ExecutionStatus" = ?"""
_NEW_COUNT = f'insert into counts (amount, place, {_DIVISION}, "WorkflowType", "ExecutionStatus") values (?, ?, ?, ?, ?)'
_ADD_WORD = "insert or ignore into words (field, word, run) values (?, ?, ?)"
_DROP_WORD = "delete from words where field = ? and word = ? and run = ?"
_HAVING = """select run, "NAME" from shown
where place = (select number from places where namespace_id = ?) and "NAME" is not null limit ?"""
CLEARED_AT_ONCE = 500
"""From how many runs one transaction takes an attribute."""
_encode_list = msgspec.json.Encoder().encode
_decode_list = msgspec.json.Decoder(list[str]).decode


class _Kind(NamedTuple):
    """What `counts` tells apart."""

    place: int
    division: str | None
    workflow_type: str
    status: int


class Shown:
    """Writes rows of `shown`, with their words and counts. Belongs to one connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._places: dict[str, int] = {}
        self._indexed: set[str] = set()

    def forget(self) -> None:
        """The transaction has failed: what was read or made in it may not be there."""
        self._places.clear()
        self._indexed.clear()

    def put(self, records: Iterable[tuple[int, VisibilityRecord]], new: Container[int] = ()) -> None:
        """Each run's number, and its newest record; `new` are runs that had none before."""
        counts: Counter[_Kind] = Counter()
        for run, record in records:
            old = None if run in new else self._db.execute(_OLD, (run,)).fetchone()
            if old is None:
                self._insert(run, record, counts)
            else:
                self._update(run, record, old, counts)
        self._count(counts)

    def drop(self, runs: Iterable[int]) -> None:
        counts: Counter[_Kind] = Counter()
        for run in runs:
            old = self._db.execute(_OLD, (run,)).fetchone()
            if old is None:
                continue
            place, status, _, workflow_type, search_attributes = old
            values = self._values(run) if search_attributes else {}
            self._change_words(run, values, {})
            self._db.execute("delete from shown where run = ?", (run,))
            counts[_Kind(place, _division(values), workflow_type, status)] -= 1
        self._count(counts)

    def clear(self, namespace_id: str, attribute: str) -> int:
        """Take the attribute from some runs of the namespace that have it; returns from how many."""
        found = self._db.execute(_HAVING.replace("NAME", attribute), (namespace_id, CLEARED_AT_ONCE)).fetchall()
        for run, value in found:
            self._change_words(run, {attribute: value}, {})
            self._db.execute(_update_statement((attribute,)), (None, run))
        return len(found)

    def _insert(self, run: int, record: VisibilityRecord, counts: "Counter[_Kind]") -> None:
        place = self._place(record.namespace_id)
        values = _columns(record.attributes)
        row = (*_fixed(run, place, record), *_moving(record), *_loose(record), record.search_attributes, *values.values())
        self._ensure_indexes(values)
        self._db.execute(_insert_statement(tuple(values)), row)
        self._change_words(run, {}, values)
        counts[_Kind(place, _division(values), record.workflow_type, record.status)] += 1

    def _update(self, run: int, record: VisibilityRecord, old: Sequence[Any], counts: "Counter[_Kind]") -> None:
        place, status, close_time, workflow_type, search_attributes = old
        moving = _moving(record)
        if moving == (close_time, status):
            self._db.execute(_TOUCH, (*_loose(record), run))
        else:
            self._db.execute(_MOVE, (*moving, *_loose(record), run))
        division = None
        if record.search_attributes or search_attributes:
            before = after = self._values(run)
            if search_attributes != record.search_attributes:
                after = _columns(record.attributes)
                self._change_values(run, before, after, record.search_attributes)
            division = _division(after)
            if division != _division(before):
                counts[_Kind(place, _division(before), workflow_type, status)] -= 1
                counts[_Kind(place, division, workflow_type, record.status)] += 1
                return
        if status != record.status:
            counts[_Kind(place, division, workflow_type, status)] -= 1
            counts[_Kind(place, division, workflow_type, record.status)] += 1

    def _change_values(self, run: int, before: Mapping[str, Any], after: Mapping[str, Any], search_attributes: bytes) -> None:
        changed = {name: after.get(name) for name in {**before, **after} if before.get(name) != after.get(name)}
        self._ensure_indexes(changed)
        settings = ", ".join(f'"{name}" = ?' for name in ("search_attributes", *changed))
        self._db.execute(f"update shown set {settings} where run = ?", (search_attributes, *changed.values(), run))
        self._change_words(run, before, after)

    def _values(self, run: int) -> dict[str, Any]:
        row = self._db.execute(_FIELDS_OF, (run,)).fetchone()
        return {name: value for name, value in zip(FIELDS, row, strict=True) if value is not None}

    def _change_words(self, run: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        if not before and not after:
            return
        old, new = (set(_words(values)) for values in (before, after))
        self._db.executemany(_DROP_WORD, [(*word, run) for word in old - new])
        self._db.executemany(_ADD_WORD, [(*word, run) for word in new - old])

    def _place(self, namespace_id: str) -> int:
        place = self._places.get(namespace_id)
        if place is None:
            self._db.execute("insert or ignore into places (namespace_id) values (?)", (namespace_id,))
            (place,) = self._db.execute("select number from places where namespace_id = ?", (namespace_id,)).fetchone()
            self._places[namespace_id] = place
        return int(place)

    def _ensure_indexes(self, names: Iterable[str]) -> None:
        """An attribute gets its index with its first value: until then the index would be empty, and cost each write a little."""
        for name in names:
            if name in _INDEXED and name not in self._indexed:
                columns = f'place, {_DIVISION}, "{name}", "CloseTime" desc, "StartTime" desc'
                self._db.execute(f'create index if not exists "shown_{name}" on shown ({columns}) where "{name}" is not null')
                self._indexed.add(name)

    def _count(self, counts: "Counter[_Kind]") -> None:
        for kind, amount in counts.items():
            if amount and not self._db.execute(_ADD_COUNT, (amount, *kind)).rowcount:
                self._db.execute(_NEW_COUNT, (amount, *kind))


def _fixed(run: int, place: int, record: VisibilityRecord) -> tuple[object, ...]:
    parent = (record.parent_workflow_id or None, record.parent_run_id or None)
    ids = (record.workflow_type, record.workflow_id, record.run_id)
    return run, place, record.start_time, *ids, *parent, record.root_workflow_id, record.root_run_id


def _moving(record: VisibilityRecord) -> tuple[int, int]:
    return OPEN_CLOSE_TIME if record.close_time is None else record.close_time, record.status


def _loose(record: VisibilityRecord) -> tuple[object, ...]:
    sizes = (record.history_length, record.history_size_bytes, record.state_transition_count)
    return record.execution_time, record.task_queue, *sizes, record.memo


def _columns(attributes: Mapping[str, Value]) -> dict[str, Any]:
    """As the columns have them, in the order of the columns: so that there are few statements."""
    if not attributes:
        return {}
    found = {name: attributes[name] for name in FIELDS if name in attributes}
    return {name: _encode_list(value).decode() if isinstance(value, list) else value for name, value in found.items()}


def _division(values: Mapping[str, Any]) -> str | None:
    return values.get("TemporalNamespaceDivision")


def _words(values: Mapping[str, Any]) -> Iterable[tuple[int, str]]:
    for name, value in values.items():
        field = WORD_FIELDS.get(name)
        if field is not None:
            is_text = KINDS[name] == Kind.INDEXED_VALUE_TYPE_TEXT
            yield from ((field, word) for word in (words_of(value) if is_text else _decode_list(value)))


@lru_cache(maxsize=64)
def _insert_statement(fields: tuple[str, ...]) -> str:
    names = (*_FIXED, *_MOVING, *_LOOSE, "search_attributes", *fields)
    columns = ", ".join(f'"{name}"' for name in names)
    return f"insert into shown ({columns}) values ({', '.join('?' * len(names))})"


def _update_statement(names: Sequence[str]) -> str:
    settings = ", ".join(f'"{name}" = ?' for name in names)
    return f"update shown set {settings} where run = ?"


_TOUCH = _update_statement(_LOOSE)
_MOVE = _update_statement((*_MOVING, *_LOOSE))
_FIELDS_OF = "select " + ", ".join(f'"{name}"' for name in FIELDS) + " from shown where run = ?"
