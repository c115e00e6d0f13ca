"""The frontend's bounds."""

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
QUERY_CHARACTERS_AT_ONCE = 4000
"""A list filter as long as this takes some five milliseconds to read."""
ERROR_BYTES_MAX = 4000
NAMESPACE_RETENTION_S_MIN = 3600
"""Shorter retentions are refused."""
SESSION_SKIPS_DEFAULT = 200
"""How often a run may skip time until it is configured anew."""
