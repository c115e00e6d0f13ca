"""The frontend's bounds."""

from temporalio.api.enums.v1 import IndexedValueType

POLL_S_MAX = 60.0
"""How long a worker's poll waits for a task."""
POLL_DEADLINE_S_MIN = 1.9
"""The reference server's two seconds, less what a request may spend on its way."""
LONG_POLL_S_MAX = 20.0
"""How long a read of a history waits for a new event."""
ANSWER_BEFORE_DEADLINE_S = 1.0
"""A long poll is answered this long before its caller's deadline."""
QUERY_S_MAX = 30.0
MESSAGE_BYTES_MAX = 4 * 1024 * 1024
PAGE_SIZE_MAX = 1000
ERROR_BYTES_MAX = 4000
SEARCH_ATTRIBUTES_MAX: dict[int, int] = {
    IndexedValueType.INDEXED_VALUE_TYPE_TEXT: 3,
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD: 10,
    IndexedValueType.INDEXED_VALUE_TYPE_INT: 3,
    IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE: 3,
    IndexedValueType.INDEXED_VALUE_TYPE_BOOL: 3,
    IndexedValueType.INDEXED_VALUE_TYPE_DATETIME: 3,
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST: 3,
}
"""How many of each type a namespace may have: what the reference server has columns for."""
NAMESPACE_RETENTION_S_MIN = 3600
"""Shorter retentions are refused."""
SESSION_SKIPS_DEFAULT = 200
"""How often a run may skip time until it is configured anew."""
