"""Lists and counts of runs as statements, and their rows as records."""

from collections.abc import Sequence
from typing import Any

import msgspec
from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.engine.search_attributes import Value
from outlast.server.store.filters import KINDS, OPEN_CLOSE_TIME, Filter, Order, VisibilityQuery
from outlast.server.store.positions import Key, Position
from outlast.server.store.protocol import VisibilityRecord
from outlast.server.store.sqlite.conditions import IN_COUNTS, Common, Sql, attributes_in, column, condition

_OF_NAMESPACE = "place = (select number from places where namespace_id = ?)"
_SHOWN = """select "WorkflowId", "RunId", "WorkflowType", "TaskQueue", "ExecutionStatus", "StartTime", "ExecutionTime", "CloseTime",
"HistoryLength", "HistorySizeBytes", "StateTransitionCount", memo, search_attributes,
"ParentWorkflowId", "ParentRunId", "RootWorkflowId", "RootRunId\""""
_USUAL_ORDER = '"CloseTime" desc, "StartTime" desc, "RunId" desc'
_SHOWN_COLUMNS = 17

_decode_list = msgspec.json.Decoder(list[str]).decode


def page_statement(query: VisibilityQuery, after: Position | None, size: int, common: Common = frozenset()) -> Sql:
    where = _where(query.namespace_id, query.where, common)
    if after is not None:
        beyond = _beyond(query.order, after)
        where = Sql(f"{where.text} and ({beyond.text})", where.values + beyond.values)
    keys = "".join(f", {column(each.attribute)}" for each in query.order)
    text = f"{_SHOWN}{keys} from shown where {where.text} order by {_order(query.order)} limit ?"
    return Sql(text, (*where.values, size))


def count_statement(namespace_id: str, wanted: Filter | None) -> Sql:
    where = _where(namespace_id, wanted)
    if attributes_in(wanted) <= IN_COUNTS:
        return Sql(f"select coalesce(sum(amount), 0) from counts where {where.text}", where.values)
    return Sql(f"select count(*) from shown where {where.text}", where.values)


def group_statement(namespace_id: str, wanted: Filter | None, attribute: str, limit: int) -> Sql:
    where = _where(namespace_id, wanted)
    counted = attributes_in(wanted) | {attribute} <= IN_COUNTS
    amount, table = ("sum(amount)", "counts") if counted else ("count(*)", "shown")
    text = f"select {column(attribute)}, {amount} from {table} where {where.text} group by 1 having {amount} > 0 order by 2 desc limit ?"
    return Sql(text, (*where.values, limit))


def record(namespace_id: str, row: Sequence[Any]) -> VisibilityRecord:
    """What a row of a page says, without the attributes that only conditions need."""
    workflow_id, run_id, workflow_type, task_queue, status, start_time, execution_time, close_time, *sizes = row[:_SHOWN_COLUMNS]
    length, size_bytes, transitions, memo, search_attributes, parent_id, parent_run_id, root_id, root_run_id = sizes
    closed_at = None if close_time == OPEN_CLOSE_TIME else close_time
    numbers = (status, start_time, execution_time, closed_at, length, size_bytes, transitions)
    family = (parent_id or "", parent_run_id or "", root_id, root_run_id)
    return VisibilityRecord(namespace_id, workflow_id, run_id, workflow_type, task_queue, *numbers, memo, search_attributes, *family)


def position(row: Sequence[Any]) -> Position:
    """Where a row of a page stands."""
    return Position(row[7], row[5], row[1], tuple(row[_SHOWN_COLUMNS:]))


def group_value(attribute: str, value: Any) -> Value | None:
    """What stands in a row of a grouping by this attribute."""
    if value is None:
        return None
    match KINDS[attribute]:
        case Kind.INDEXED_VALUE_TYPE_BOOL:
            return bool(value)
        case Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST:
            return _decode_list(value)
        case _:
            return value  # type: ignore[no-any-return]


def _where(namespace_id: str, wanted: Filter | None, common: Common = frozenset()) -> Sql:
    if wanted is None:
        return Sql(_OF_NAMESPACE, (namespace_id,))
    inner = condition(wanted, common)
    return Sql(f"{_OF_NAMESPACE} and ({inner.text})", (namespace_id, *inner.values))


def _order(order: Sequence[Order]) -> str:
    first = "".join(f"{column(each.attribute)} {'desc' if each.descending else 'asc'} nulls last, " for each in order)
    return first + _USUAL_ORDER


def _beyond(order: Sequence[Order], after: Position) -> Sql:
    """What comes after a position: behind it in the first key in which it differs."""
    beyond = Sql('("CloseTime", "StartTime", "RunId") < (?, ?, ?)', (after.close_time, after.start_time, after.run_id))
    for each, key in reversed(list(zip(order, after.keys, strict=True))):
        name = column(each.attribute)
        later = _later(name, each.descending, key)
        same = f"({name} is ? and ({beyond.text}))"
        beyond = Sql(f"{later.text} or {same}" if later.text else same, (*later.values, key, *beyond.values))
    return beyond


def _later(name: str, descending: bool, key: Key) -> Sql:
    if key is None:
        return Sql("")
    return Sql(f"{name} {'<' if descending else '>'} ? or {name} is null", (key,))
