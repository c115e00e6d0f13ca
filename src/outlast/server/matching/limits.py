"""Matching's bounds (../shared/spec/platform.md, section 2)."""

SECOND = 1_000_000_000
MINUTE = 60 * SECOND

OFFERS_MAX = 100_000
"""Offers held by one queue. Past it the queue says no, and asks for more when it has fallen below half."""
QUERIES_MAX = 10_000
"""Queries that wait in one queue for a poller."""
POLLERS_MAX = 10_000
"""Poller identities remembered by one queue; the one seen longest ago goes first."""

STOPPED_WORKERS_MAX = 10_000
"""Workers that have said goodbye and whose polls end at once; the one that went longest ago is forgotten first."""

POLLER_RECENT = 10 * SECOND
"""A worker that has not polled its sticky queue for so long is taken for gone."""
POLLER_REMEMBERED = 5 * MINUTE
QUEUE_IDLE = 5 * MINUTE
"""A queue without offers and pollers that nobody used for so long is unloaded."""
QUEUES_LOOKED_AT = 16
"""Queues examined for idleness whenever a new one is loaded."""

RATE_BUCKET = 5 * SECOND
RATE_BUCKETS = 6

STALE_CLAIMS_PER_TURN = 100
"""Offers in a row that a poll may find already taken before it lets the others on the event loop run."""
