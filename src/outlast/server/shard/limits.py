"""The shard's bounds."""

CACHED_RUNS_MAX = 2_000
"""Runs kept in memory beyond those that are being written."""
TAIL_BATCHES_MAX = 64
TAIL_BYTES_MAX = 256 * 1024
"""How much of a run's history stays in memory, from its end."""
COMMIT_WRITES_MAX = 500
"""Transitions that share one store transaction."""
DELETED_RUNS_MAX = 100
"""Runs that are deleted in one store transaction."""
DELETION_RETRY_NS = 10 * 1_000_000_000
DUE_AT_ONCE = 100
"""Runs that have come due are looked at in groups of this size; in between, calls have their turn."""
TIMER_HORIZON_NS = 120 * 1_000_000_000
"""Timers due within this are kept in memory; later ones are read from the store in time."""
DUE_PAGE = 1_000
WORK_PAGE = 1_000
HISTORY_PAGE_BATCHES = 256
RESET_ATTEMPTS = 20
"""How often a reset begins anew because the workflow has changed while its history was read."""
BUFFERED_QUERIES_MAX = 1
DELIVERIES_AT_ONCE = 32
"""Callbacks under way to one address."""
DELIVERY_TIMEOUT_S = 10.0
"""How long the address of a callback may take to answer."""
DELIVERY_BACKOFF_S = 0.1
DELIVERY_BACKOFF_MAX_S = 10.0
QUERY_FIRST_TASK_WAIT_S = 5.0
"""How long a query waits for the first workflow task of a run to be scheduled."""
QUERY_TIMEOUT_MAX_S = 60.0
