"""Search attributes: the server's own data, the only payloads that a server opens (platform.md 4.3, 10.5)."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache

import msgspec
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.engine.refusals import InvalidArgument
from outlast.engine.triggers import NamespaceView
from outlast.engine.wire import is_nil

KEYS_MAX = 100
VALUE_BYTES_MAX = 2048
TOTAL_BYTES_MAX = 40 * 1024
_INT64 = 1 << 63

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
    "TemporalPauseInfo": Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}
"""Known in every namespace."""

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
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_int64(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer() and abs(value) < float(_INT64)
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
    Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST: lambda value: (
        _is_text(value) or (isinstance(value, list) and all(_is_text(item) for item in value))
    ),
}
