"""The values in a list filter: what each may be beside an attribute of each type."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import IndexedValueType as Kind
from temporalio.api.enums.v1 import WorkflowExecutionStatus as Status

from outlast.engine.moments import clamped, moment_of
from outlast.server.visibility.grammar import subtrees
from outlast.server.visibility.refusal import InvalidQuery, invalid, unsupported

if TYPE_CHECKING:
    from outlast.server.store.filters import Literal_
    from outlast.server.visibility.grammar import Node
    from outlast.server.visibility.names import Named

GO_TYPES = {
    **dict.fromkeys(("string", "number", "signed number"), "*sqlparser.SQLVal"),
    "boolean": "sqlparser.BoolVal",
    "null": "*sqlparser.NullVal",
    "column": "*sqlparser.ColName",
    "function": "*sqlparser.FuncExpr",
    "binary": "*sqlparser.BinaryExpr",
    "signed": "*sqlparser.UnaryExpr",
    "unary": "*sqlparser.UnaryExpr",
    "collate": "*sqlparser.CollateExpr",
    "parentheses": "*sqlparser.ParenExpr",
    "tuple": "sqlparser.ValTuple",
    **dict.fromkeys(("comparison", "not_comparison", "one_of", "none_of"), "*sqlparser.ComparisonExpr"),
    **dict.fromkeys(("between", "not_between"), "*sqlparser.RangeCond"),
    **dict.fromkeys(("is_null", "is_not_null", "is_true"), "*sqlparser.IsExpr"),
    "negation": "*sqlparser.NotExpr",
    "and_": "*sqlparser.AndExpr",
    "or_": "*sqlparser.OrExpr",
}
"""What the reference server's refusals call each rule of the grammar."""
_INT64 = 1 << 63
_UNIT_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86_400 * 10**9,
}
_DURATION = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d)(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))*", re.ASCII)
_DURATION_PART = re.compile(r"([\d.]+)(ns|us|µs|μs|ms|s|m|h|d)", re.ASCII)
_CLOCK = re.compile(r"(\d+):([0-5]\d):([0-5]\d)", re.ASCII)
_STATUS_NAMES = {
    0: "Unspecified",
    1: "Running",
    2: "Completed",
    3: "Failed",
    4: "Canceled",
    5: "Terminated",
    6: "ContinuedAsNew",
    7: "TimedOut",
    8: "Paused",
}
STATUS_NUMBERS = {name: number for number, name in _STATUS_NAMES.items()} | dict(Status.items())
"""What ExecutionStatus may be compared with: the names of clients, and those of the protocol."""


def status_name(number: int) -> str:
    """A status as clients call it."""
    return _STATUS_NAMES.get(number, str(number))


def type_of(node: Node) -> str:
    """What the reference server calls this part of a filter."""
    if node.data == "parentheses" and len(node.children) > 3:
        return GO_TYPES["tuple"]
    return GO_TYPES["signed number" if node.data == "signed" and _is_integer(node) else str(node.data)]


def literal(node: Node, named: Named) -> Literal_:
    """A value to compare the attribute with. Raises InvalidQuery."""
    match str(node.data):
        case "boolean":
            return _typed(node.children[0].upper() == "TRUE", named)  # type: ignore[union-attr]
        case "string":
            return _valued(str(node.children[0]), named)
        case "number":
            return _valued(_number(str(node.children[0])), named)
        case "signed" if _is_integer(node):
            return _valued(_number(_signed(node)), named)
        case "function":
            raise unsupported("nested func")
        case "column":
            text = _quoted(name_of(node))
            raise unsupported(f"column name on the right side of comparison expression (did you forget to quote {text}?)")
        case _:
            raise invalid(f"unexpected value type {type_of(node)}")


def name_of(column: Node) -> str:
    """A name as it was written, with its parts joined."""
    return "".join(map(str, column.children))


def _is_integer(signed: Node) -> bool:
    """Whether a sign stands before a whole number: the two are one value."""
    (inner,) = subtrees(signed)
    return str(inner.children[0]).isdigit() if inner.data == "number" else inner.data == "signed" and _is_integer(inner)


def _signed(node: Node) -> str:
    (inner,) = subtrees(node)
    text = str(inner.children[0]) if inner.data == "number" else _signed(inner)
    if node.children[0] == "+":
        return text
    return text[1:] if text.startswith("-") else f"-{text}"


def _number(text: str) -> int | float:
    try:
        if -_INT64 <= (whole := int(text)) < _INT64 and "_" not in text:
            return whole
        return float(whole)
    except (ValueError, OverflowError):
        pass
    try:
        value = float(text)
    except ValueError:
        value = float("inf")
    if value in (float("inf"), float("-inf")):
        raise invalid(f"unable to parse value {_quoted(text)}")
    return value


def _valued(value: str | int | float, named: Named) -> Literal_:
    match named.attribute:
        case "ExecutionStatus":
            return _status(value)
        case "ExecutionDuration":
            return _duration(value)
        case _:
            return _typed(value, named)


def _typed(value: Literal_, named: Named) -> Literal_:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match named.kind:
        case Kind.INDEXED_VALUE_TYPE_INT | Kind.INDEXED_VALUE_TYPE_DOUBLE:
            fits = is_number
        case Kind.INDEXED_VALUE_TYPE_BOOL:
            fits = isinstance(value, bool)
        case Kind.INDEXED_VALUE_TYPE_DATETIME:
            if isinstance(value, str):
                return _moment(value)
            fits = is_number and isinstance(value, int)
            value = clamped(value) if fits and isinstance(value, int) else value
        case _:
            fits = isinstance(value, str)
    if not fits:
        shown = f"{_go_value(value)} (type: {_go_type(value)})"
        raise invalid(f"invalid value type for search attribute {named.alias} of type {named.kind_name}: {shown}")
    return value


def _moment(text: str) -> int:
    moment = moment_of(text)
    if moment is None:
        raise invalid(f"unable to parse datetime '{text}'")
    return moment


def _status(value: str | int | float) -> int:
    if isinstance(value, float):
        raise invalid("unexpected value type float64 for search attribute ExecutionStatus")
    if isinstance(value, str):
        if value not in STATUS_NUMBERS:
            raise invalid(f"invalid ExecutionStatus value '{value}'")
        return STATUS_NUMBERS[value]
    if value not in _STATUS_NAMES:
        raise invalid(f"invalid ExecutionStatus value {value}")
    return value


def _duration(value: str | int | float) -> int:
    """In nanoseconds: a number of them, as Go writes durations, with days, or as hours, minutes and seconds."""
    if isinstance(value, float):
        raise invalid("unexpected value type float64 for search attribute ExecutionDuration")
    if isinstance(value, int):
        return value
    if re.fullmatch(r"[-+]?\d{1,19}", value, re.ASCII):
        span = int(value)
    elif _DURATION.fullmatch(value):
        parts = sum(float(number) * _UNIT_NANOSECONDS[unit] for number, unit in _DURATION_PART.findall(value))
        span = int(-parts if value.startswith("-") else parts)
    elif (clock := _CLOCK.fullmatch(value)) is not None:
        hours, minutes, seconds = map(int, clock.groups())
        span = (hours * 3600 + minutes * 60 + seconds) * 10**9
    else:
        raise _no_duration(value)
    if not -_INT64 <= span < _INT64:
        raise _no_duration(value)
    return span


def _no_duration(value: str) -> InvalidQuery:
    return invalid(f"invalid duration value for search attribute ExecutionDuration: {value}")


def _go_type(value: Literal_) -> str:
    return {bool: "bool", int: "int64", float: "float64"}.get(type(value), "string")


def _go_value(value: Literal_) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    return str(value) if isinstance(value, int) else f"{value!r}".removesuffix(".0")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
