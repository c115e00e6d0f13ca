"""The numbers of the demo: amounts, lengths of waits, and bounds of everything that could go on for ever."""

from datetime import timedelta

TASK_QUEUE = "orders"

APPROVAL_LIMIT_CENTS = 1_000_00
"""An order above this total waits for a person."""
APPROVAL_WAIT = timedelta(days=1)
"""How long it waits."""
BANK_FAILURES_MAX = 2
"""The bank fails the first 0 to 2 attempts at a card, depending on the card."""

ACTIVITY_TIMEOUT = timedelta(seconds=3)
"""How long an attempt may take: what is lost in a killed process is tried again after this time."""
ACTIVITY_ATTEMPTS_MAX = 20
WORKFLOW_TASK_TIMEOUT = timedelta(seconds=3)
STICKY_TIMEOUT = timedelta(seconds=1)
"""How long a workflow task waits for the worker that knows the workflow before any worker may have it."""
ACTIVITIES_AT_ONCE_MAX = 4

COOL_DOWN_S = 1.0
"""The timer between the charge and the shipment."""
START_PAUSE_S = 0.2
"""Between two starts, so that orders are in different states when the process is killed."""
OUTAGE_S = 2.0
"""How long nothing runs."""
TICK_S = 0.2
"""How often the conductor looks at the ledger."""

QUICK_ORDERS_PER_FILE = 4
QUICK_COOL_DOWN_S = 0.2
QUICK_START_PAUSE_S = 0.05
QUICK_OUTAGE_S = 0.5

START_S_MAX = 20.0
DEMO_S_MAX = 180.0
RPC_S_MAX = 10.0
LEDGER_LOCK_S_MAX = 10.0
