"""Conditions on plain records: the meaning of every filter, one record at a time."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.engine.search_attributes import Value
from outlast.server.store.filters import (
    KINDS,
    ONLY_WHEN_CLOSED,
    And,
    Between,
    Compare,
    Filter,
    IsNull,
    Not,
    OneOf,
    Or,
    StartsWith,
    has_words,
    words_of,
)
from outlast.server.store.protocol import VisibilityRecord

_FIELDS: Mapping[str, Callable[[VisibilityRecord], Value | None]] = {
    "CloseTime": lambda record: record.close_time,
    "ExecutionDuration": lambda record: max((record.close_time or 0) - record.execution_time, 0),
    "ExecutionStatus": lambda record: record.status,
    "ExecutionTime": lambda record: record.execution_time,
    "HistoryLength": lambda record: record.history_length,
    "HistorySizeBytes": lambda record: record.history_size_bytes,
    "ParentRunId": lambda record: record.parent_run_id or None,
    "ParentWorkflowId": lambda record: record.parent_workflow_id or None,
    "RootRunId": lambda record: record.root_run_id,
    "RootWorkflowId": lambda record: record.root_workflow_id,
    "RunId": lambda record: record.run_id,
    "StartTime": lambda record: record.start_time,
    "StateTransitionCount": lambda record: record.state_transition_count,
    "TaskQueue": lambda record: record.task_queue,
    "WorkflowId": lambda record: record.workflow_id,
    "WorkflowType": lambda record: record.workflow_type,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def attribute(record: VisibilityRecord, name: str) -> Value | None:
    """What a list shows of this attribute; None for nothing."""
    if name in ONLY_WHEN_CLOSED and record.close_time is None:
        return None
    if name in _FIELDS:
        return _FIELDS[name](record)
    return record.attributes.get(name)


def holds(record: VisibilityRecord, condition: Filter) -> bool | None:
    """None: unknown."""
    match condition:
        case And(conditions):
            return _all([holds(record, each) for each in conditions])
        case Or(conditions):
            return _negated(_all([_negated(holds(record, each)) for each in conditions]))
        case Not(negated):
            return _negated(holds(record, negated))
        case IsNull(name):
            return attribute(record, name) is None
        case Compare() | OneOf() | Between() | StartsWith():
            return _compared(record, condition)
        case _:
            assert_never(condition)


def _compared(record: VisibilityRecord, condition: Compare | OneOf | Between | StartsWith) -> bool | None:
    value = attribute(record, condition.attribute)
    if has_words(condition.attribute):
        return _has_word(condition, value)
    if value is None:
        return None
    match condition:
        case Compare():
            return _COMPARISONS[condition.operator](value, condition.value)
        case OneOf():
            return value in condition.values
        case Between():
            low: Any = condition.low
            high: Any = condition.high
            return bool(low <= value <= high)
        case StartsWith():
            return str(value).startswith(condition.prefix)


def _has_word(condition: Compare | OneOf | Between | StartsWith, value: Value | None) -> bool:
    match condition:
        case Compare(operator="=" | "!=" as comparison):
            found = condition.value in words(condition.attribute, value)
            return found if comparison == "=" else not found
        case OneOf():
            there = words(condition.attribute, value)
            return any(wanted in there for wanted in condition.values)
        case _:
            raise AssertionError(f"{condition} looks for no word")


def words(name: str, value: Value | None) -> Sequence[str]:
    if isinstance(value, list):
        return value
    return words_of(value) if isinstance(value, str) and KINDS[name] == Kind.INDEXED_VALUE_TYPE_TEXT else ()


def _all(found: Sequence[bool | None]) -> bool | None:
    if False in found:
        return False
    return None if None in found else True


def _negated(found: bool | None) -> bool | None:
    return None if found is None else not found
