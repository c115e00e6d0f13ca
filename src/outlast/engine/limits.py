"""The engine's bounds, with the reference server's defaults (../shared/spec/workflow-core.md, section 6)."""

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HUNDRED_YEARS = 36525 * 24 * 3600 * SECOND

ID_BYTES_MAX = 1000
FAIRNESS_KEY_BYTES_MAX = 64
BLOB_BYTES_MAX = 2 * 1024 * 1024
MEMO_BYTES_MAX = 2 * 1024 * 1024
TASK_COMPLETION_BYTES_MAX = 40 * 1024 * 1024
"""Told to clients, which may split what is larger; no request over 4 MiB comes in anyway."""
RETAINED_FAILURE_BYTES_MAX = 4 * 1024
CUT_FAILURE_BYTES = 512 * 1024
"""What is left of a failure that is too large."""
BUFFERED_EVENTS_MAX = 100
BUFFERED_BYTES_MAX = 2 * 1024 * 1024
SIGNALS_MAX = 10_000
UPDATES_MAX = 2000
"""Distinct updates of one run."""
UPDATES_IN_FLIGHT_MAX = 10
UPDATES_IN_FLIGHT_BYTES_MAX = 20 * 1024 * 1024
PROBLEM_REPORTED_FROM_FAILURES = 5
"""Workflow tasks in a row that fail or time out before the run's search attributes say so."""
UPDATE_REFUSED_FROM_ATTEMPT = 3
"""A workflow task that failed so often takes no more updates."""
SPECULATIVE_SCHEDULE_TO_START = 5 * SECOND
DISCARDED_EVENTS_MAX = 10
"""Events since the last task, up to which a worker can do without a speculative task that left nothing."""
PENDING_ACTIVITIES_MAX = 2000
PENDING_CHILDREN_MAX = 2000
PENDING_EXTERNALS_MAX = 2000
HISTORY_EVENTS_MAX = 51_200
HISTORY_BYTES_MAX = 50 * 1024 * 1024
"""A run whose history becomes larger is terminated."""
STATE_BYTES_MAX = 8 * 1024 * 1024
"""A run whose state becomes larger is terminated."""
TRANSACTION_BYTES_MAX = 4 * 1024 * 1024
"""Of the events that are written together."""
SUGGEST_CONTINUE_AS_NEW_EVENTS = 4096
SUGGEST_CONTINUE_AS_NEW_BYTES = 4 * 1024 * 1024
SUGGEST_CONTINUE_AS_NEW_UPDATES = UPDATES_MAX * 9 // 10
RESET_POINTS_MAX = 20
LINKS_MAX = 10
CALLBACKS_MAX = 2000
"""Of one run, those of its updates among them."""
CALLBACKS_OF_UPDATE_MAX = 32
CALLBACKS_WITH_UPDATES_MAX = 32
"""Of one run, when another is attached to an update."""
CALLBACK_URL_BYTES_MAX = 1000
CALLBACK_HEADER_BYTES_MAX = 8 * 1024
CALLBACK_BACKOFF_FIRST = SECOND
CALLBACK_BACKOFF_MAX = 3600 * SECOND

WORKFLOW_TASK_TIMEOUT_DEFAULT = 10 * SECOND
WORKFLOW_TASK_TIMEOUT_MAX = 120 * SECOND
WORKFLOW_TASK_HEARTBEAT_MAX = 30 * MINUTE
WORKFLOW_TASK_BACKOFF_FROM_ATTEMPT = 4
WORKFLOW_TASK_BACKOFF_FIRST = 5 * SECOND
WORKFLOW_TASK_BACKOFF_MAX = 10 * MINUTE
RUN_LIFETIME_MIN = SECOND
"""A run that continues as new sooner than this is held back for the rest of it."""

RETRY_INITIAL_DEFAULT = SECOND
RETRY_COEFFICIENT_DEFAULT = 2.0
RETRY_MAXIMUM_FACTOR = 100
