"""The audit: what the ledger and the histories say about every order, compared with what its input demands."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from examples.orders.ledger import Entry, Step
from examples.orders.order import Catalogue, Order, flaws, will_ship
from examples.orders.workflows import Outcome

State = Literal["started", "checked", "reserved", "charged", "shipped", "rejected"]
STATE_AFTER: dict[Step, State] = {"check": "checked", "reserve": "reserved", "charge": "charged", "ship": "shipped"}
FINISHED: frozenset[State] = frozenset({"shipped", "rejected"})

STARTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
COMPLETED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED


@dataclass(frozen=True)
class Finished:
    """What a client sees of an order's workflow at the end."""

    outcome: Outcome
    events: Sequence[HistoryEvent]


def states(order_ids: Iterable[str], entries: Iterable[Entry]) -> dict[str, State]:
    """How far each started order has come, by the ledger."""
    reached: dict[str, State] = dict.fromkeys(order_ids, "started")
    for entry in entries:
        if entry.kind == "done":
            reached[entry.order_id] = "rejected" if entry.step == "check" and entry.detail else STATE_AFTER[entry.step]
        elif entry.kind == "failed" and entry.step == "reserve":
            reached[entry.order_id] = "rejected"
    return reached


def expected_steps(order: Order, catalogue: Catalogue) -> tuple[Step, ...]:
    """The effects that the order must have, once each."""
    return get_args(Step) if will_ship(order, catalogue) else ("check",)


def problems(orders: Iterable[Order], catalogue: Catalogue, entries: Sequence[Entry], finished: Mapping[str, Finished]) -> dict[str, str]:
    """What is wrong, by order; empty if every order was finished exactly once and as its input demands."""
    done: dict[str, Counter[Step]] = defaultdict(Counter)
    for entry in entries:
        if entry.kind == "done":
            done[entry.order_id][entry.step] += 1
    found = {}
    for order in orders:
        problem = _problem(order, catalogue, done[order.id], finished.get(order.id))
        if problem is not None:
            found[order.id] = problem
    return found


def _problem(order: Order, catalogue: Catalogue, done: Counter[Step], finished: Finished | None) -> str | None:
    if finished is None:
        return "not finished"
    expected = Counter(expected_steps(order, catalogue))
    if done != expected:
        return f"effects {dict(done)}, expected {dict(expected)}"
    if finished.outcome.shipped != will_ship(order, catalogue):
        return f"ended with {finished.outcome.detail!r}, its flaws are {flaws(order, catalogue)}"
    events = Counter(event.event_type for event in finished.events)
    if events[STARTED] != 1 or events[COMPLETED] != 1:
        return f"its history has {events[STARTED]} starts and {events[COMPLETED]} completions"
    return None


def lost_attempts(entries: Iterable[Entry]) -> list[Entry]:
    """The attempts that began and of which nothing more is written: they died with the process before their effect."""
    entries = list(entries)
    heard_of = {(entry.order_id, entry.step, entry.attempt) for entry in entries if entry.kind != "tried"}
    return [entry for entry in entries if entry.kind == "tried" and (entry.order_id, entry.step, entry.attempt) not in heard_of]


def summary(entries: Sequence[Entry]) -> str:
    """The ledger in numbers."""
    kinds = Counter(entry.kind for entry in entries)
    return (
        f"Ledger: {kinds['done']} effects from {kinds['tried']} attempts (failed: {kinds['failed']}; "
        f"killed before their effect: {len(lost_attempts(entries))}; "
        f"repeated because a kill swallowed the report, and without effect: {kinds['repeated']})."
    )
