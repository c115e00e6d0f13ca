"""The steps of an order: each does one thing to the world and may be attempted more than once."""

import json
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from examples.orders.ledger import Entry, Ledger, Step
from examples.orders.limits import BANK_FAILURES_MAX
from examples.orders.order import ORDERS, Order, flaws, read_catalogue, read_orders, shortage, wanted
from outlast import activity
from outlast.exceptions import ApplicationError

BEFORE_S = {"check": 0.05, "reserve": 0.2, "charge": 0.2, "ship": 0.4}
"""How long a step works before its effect."""
AFTER_S = {"check": 0.05, "reserve": 0.2, "charge": 0.4, "ship": 0.4}
"""And how long until it has reported: a kill in here loses the report, but not the effect."""


@dataclass(frozen=True)
class OrderKey:
    """Where an order is found."""

    file: str
    order_id: str


@dataclass(frozen=True)
class CheckedOrder:
    """An order and what is wrong with it."""

    order: Order
    flaws: list[str]


class OrderActivities:
    """The activities, on one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._catalogue = read_catalogue()

    @activity.defn
    def check_order(self, key: OrderKey) -> CheckedOrder:
        """Read the order from its file and compare it with the catalogue."""
        order = next(order for order in read_orders(ORDERS / key.file) if order.id == key.order_id)
        found = flaws(order, self._catalogue)
        self._once("check", order.id, lambda _: "; ".join(found))
        return CheckedOrder(order, found)

    @activity.defn
    def reserve_stock(self, order: Order) -> str:
        """Put the products aside; the reservation's number. Fails for good if there are too few."""

        def reserve(reservations: list[Entry]) -> str:
            reserved: Counter[str] = Counter()
            for entry in reservations:
                reserved.update(json.loads(entry.detail))
            missing = shortage(order, reserved, self._catalogue)
            if missing is not None:
                raise ApplicationError(missing, type="OutOfStock", non_retryable=True)
            return json.dumps(wanted(order))

        self._once("reserve", order.id, reserve)
        return f"reservation-{order.id}"

    @activity.defn
    def charge(self, order: Order) -> str:
        """Charge the card; the receipt's number. The bank does not answer the first attempts at some cards."""

        def charge(_: list[Entry]) -> str:
            if activity.info().attempt <= zlib.crc32(order.card.encode()) % (BANK_FAILURES_MAX + 1):
                raise ApplicationError("the bank does not answer", type="BankDown")
            return f"receipt-{order.id}"

        return self._once("charge", order.id, charge)

    @activity.defn
    def ship(self, order: Order) -> str:
        """Hand the parcel to the carrier; its tracking number."""
        return self._once("ship", order.id, lambda _: f"parcel-{order.id}")

    def _once(self, step: Step, order_id: str, effect: Callable[[list[Entry]], str]) -> str:
        attempt = activity.info().attempt
        self._ledger.append(Entry(order_id, step, attempt, "tried", ""))
        time.sleep(BEFORE_S[step])
        try:
            detail = self._ledger.do_once(order_id, step, attempt, effect)
        except ApplicationError as error:
            self._ledger.append(Entry(order_id, step, attempt, "failed", error.message))
            raise
        time.sleep(AFTER_S[step])
        return detail
