"""Search attributes: the server's own data, the only payloads that a server opens (platform.md 4.3, 10.5)."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import msgspec
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.engine.moments import moment_of
from outlast.engine.refusals import InvalidArgument
from outlast.engine.triggers import NamespaceView
from outlast.engine.wire import is_nil

KEYS_MAX = 100
VALUE_BYTES_MAX = 2048
TOTAL_BYTES_MAX = 40 * 1024
_INT64 = 1 << 63
_TRAILING_ZEROS = re.compile(rb"(?:(\.\d*[1-9])|\.)0+(?=[Z+-])")

SYSTEM: dict[str, int] = {
    "CloseTime": Kind.INDEXED_VALUE_TYPE_DATETIME,
    "ExecutionDuration": Kind.INDEXED_VALUE_TYPE_INT,
    "ExecutionStatus": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "ExecutionTime": Kind.INDEXED_VALUE_TYPE_DATETIME,
    "HistoryLength": Kind.INDEXED_VALUE_TYPE_INT,
    "HistorySizeBytes": Kind.INDEXED_VALUE_TYPE_INT,
    "ParentRunId": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "ParentWorkflowId": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "RootRunId": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "RootWorkflowId": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "RunId": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "StartTime": Kind.INDEXED_VALUE_TYPE_DATETIME,
    "StateTransitionCount": Kind.INDEXED_VALUE_TYPE_INT,
    "TaskQueue": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalExternalPayloadCount": Kind.INDEXED_VALUE_TYPE_INT,
    "TemporalExternalPayloadSizeBytes": Kind.INDEXED_VALUE_TYPE_INT,
    "TemporalUsedWorkerDeploymentVersions": Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "TemporalWorkerDeployment": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalWorkerDeploymentVersion": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalWorkflowVersioningBehavior": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "WorkflowId": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "WorkflowType": Kind.INDEXED_VALUE_TYPE_KEYWORD,
}
"""Kept by the server; nobody may set them."""

PREDEFINED: dict[str, int] = {
    "BatcherUser": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "BatcherNamespace": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "BinaryChecksums": Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "BuildIds": Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "TemporalChangeVersion": Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "TemporalNamespaceDivision": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalPauseInfo": Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "TemporalReportedProblems": Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "TemporalScheduledById": Kind.INDEXED_VALUE_TYPE_KEYWORD,
    "TemporalScheduledStartTime": Kind.INDEXED_VALUE_TYPE_DATETIME,
    "TemporalSchedulePaused": Kind.INDEXED_VALUE_TYPE_BOOL,
}
"""Known in every namespace, and set by clients as well as by the server."""

RESERVED_PREFIX = "Temporal"
"""No namespace may have a search attribute of its own whose name begins so."""

TYPE_NAMES: dict[int, str] = {
    Kind.INDEXED_VALUE_TYPE_TEXT: "Text",
    Kind.INDEXED_VALUE_TYPE_KEYWORD: "Keyword",
    Kind.INDEXED_VALUE_TYPE_INT: "Int",
    Kind.INDEXED_VALUE_TYPE_DOUBLE: "Double",
    Kind.INDEXED_VALUE_TYPE_BOOL: "Bool",
    Kind.INDEXED_VALUE_TYPE_DATETIME: "Datetime",
    Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST: "KeywordList",
}

COLUMNS_OF_KIND: dict[int, int] = {
    Kind.INDEXED_VALUE_TYPE_BOOL: 3,
    Kind.INDEXED_VALUE_TYPE_DATETIME: 3,
    Kind.INDEXED_VALUE_TYPE_DOUBLE: 3,
    Kind.INDEXED_VALUE_TYPE_INT: 3,
    Kind.INDEXED_VALUE_TYPE_KEYWORD: 10,
    Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST: 3,
    Kind.INDEXED_VALUE_TYPE_TEXT: 3,
}
"""How many search attributes of its own, of each type, a namespace may have."""

COLUMNS: dict[str, int] = {
    f"{TYPE_NAMES[kind]}{number:02}": kind for kind, count in COLUMNS_OF_KIND.items() for number in range(1, count + 1)
}
"""Where stores keep a namespace's own search attributes: the column's name to its type. A namespace maps its names to these."""

Value = str | int | float | bool | list[str]
"""A search attribute as stores keep it; a Datetime in nanoseconds since the epoch."""


def keyword_list(words: Iterable[str]) -> bytes:
    """A serialized payload that the server itself sets."""
    return _keyword_list(tuple(words))


@lru_cache(maxsize=64)  # nearly always the same few: one of them is set for every run
def _keyword_list(words: tuple[str, ...]) -> bytes:
    payload = Payload(metadata={"encoding": b"json/plain", "type": b"KeywordList"}, data=msgspec.json.encode(words))
    return payload.SerializeToString()


def kind_of(name: str, namespace: NamespaceView) -> int | None:
    """The `IndexedValueType` of a search attribute that may be set; None for an unknown one."""
    return namespace.search_attributes.get(name) or PREDEFINED.get(name)


class TooLarge(InvalidArgument):
    """More, or larger, search attributes than a run may have."""


def admit(attributes: SearchAttributes, namespace: NamespaceView) -> SearchAttributes:
    """The attributes with each value's type in its metadata. Raises InvalidArgument, or TooLarge, for what cannot be indexed."""
    admitted = SearchAttributes()
    admitted.CopyFrom(attributes)
    fields = admitted.indexed_fields
    if len(fields) > KEYS_MAX:
        raise TooLarge(f"number of search attributes {len(fields)} exceeds limit {KEYS_MAX}")
    total = 0
    for name, payload in fields.items():
        if name in SYSTEM:
            raise InvalidArgument(f"{name} attribute can't be set in SearchAttributes")
        kind = kind_of(name, namespace)
        if kind is None:
            raise InvalidArgument(f"Namespace {namespace.name} has no mapping defined for search attribute {name}")
        size = len(payload.data)
        total += len(name) + size
        if size > VALUE_BYTES_MAX:
            raise TooLarge(f"search attribute {name} value size {size} exceeds size limit {VALUE_BYTES_MAX}")
        _check_value(name, kind, payload)
        payload.metadata["type"] = TYPE_NAMES[kind].encode()
    if total > TOTAL_BYTES_MAX:
        raise TooLarge(f"total size of search attributes {total} exceeds size limit {TOTAL_BYTES_MAX}")
    return admitted


@lru_cache(maxsize=1024)  # of many runs the same few values are written again and again
def value_of(kind: int, payload: bytes) -> Value | None:
    """What a serialized payload says, as this type; None when it says nothing, or what is not of this type."""
    data = Payload.FromString(payload).data
    try:
        value = msgspec.json.decode(data) if data else None
    except (msgspec.DecodeError, RecursionError):
        return None
    if kind == Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST:
        return value if value and _FITS[kind](value) else None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or not _FITS[kind](value):
        return None
    return _CONVERTED[kind](value) if kind in _CONVERTED else value


def canonical(kind: int, payload: Payload) -> bytes | None:
    """The JSON that lists show for a payload; None when it has no value of this type."""
    value = value_of(kind, payload.SerializeToString())
    if value is None:
        return None
    if kind == Kind.INDEXED_VALUE_TYPE_DATETIME:
        return _TRAILING_ZEROS.sub(rb"\1", payload.data.strip(b"[] "))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    return msgspec.json.encode(value)


def _check_value(name: str, kind: int, payload: Payload) -> None:
    if is_nil(payload):
        return
    try:
        value = msgspec.json.decode(payload.data)
    except (msgspec.DecodeError, RecursionError):
        shown: object = payload.data.decode(errors="replace")
        raise InvalidArgument(_ill_typed(name, kind, shown)) from None
    fits = _FITS[kind]
    single = value[0] if isinstance(value, list) and len(value) == 1 and kind != Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST else value
    if not fits(single):
        raise InvalidArgument(_ill_typed(name, kind, value))


def _ill_typed(name: str, kind: int, value: object) -> str:
    shown = f"[{' '.join(_shown(item) for item in value)}]" if isinstance(value, list) else _shown(value)
    return f"invalid value for search attribute {name} of type {TYPE_NAMES[kind]}: {shown}"


def _shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_moment(value: object) -> bool:
    return isinstance(value, str) and moment_of(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_int64(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_FITS: dict[int, Callable[[object], bool]] = {
    Kind.INDEXED_VALUE_TYPE_TEXT: _is_text,
    Kind.INDEXED_VALUE_TYPE_KEYWORD: _is_text,
    Kind.INDEXED_VALUE_TYPE_INT: _is_int64,
    Kind.INDEXED_VALUE_TYPE_DOUBLE: _is_number,
    Kind.INDEXED_VALUE_TYPE_BOOL: lambda value: isinstance(value, bool),
    Kind.INDEXED_VALUE_TYPE_DATETIME: _is_moment,
    Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST: lambda value: isinstance(value, list) and all(_is_text(item) for item in value),
}

_CONVERTED: dict[int, Callable[[Any], Value | None]] = {
    Kind.INDEXED_VALUE_TYPE_DOUBLE: float,
    Kind.INDEXED_VALUE_TYPE_DATETIME: moment_of,
}
"""How JSON becomes what stores keep, where the two are not the same."""
