"""The workflow: one order from its file to the carrier, written as if nothing could go wrong on the way."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from examples.orders.activities import OrderActivities, OrderKey
from examples.orders.limits import ACTIVITY_ATTEMPTS_MAX, ACTIVITY_TIMEOUT, APPROVAL_WAIT
from examples.orders.order import euros, needs_approval
from outlast import workflow
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError

PATIENT: dict[str, Any] = {
    "start_to_close_timeout": ACTIVITY_TIMEOUT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=0.3), maximum_interval=timedelta(seconds=2), maximum_attempts=ACTIVITY_ATTEMPTS_MAX
    ),
}


@dataclass(frozen=True)
class OrderInput:
    """What the workflow is started with."""

    key: OrderKey
    cool_down_s: float


@dataclass(frozen=True)
class Outcome:
    """How an order ended."""

    order_id: str
    shipped: bool
    detail: str
    """The parcel's number, or the reason why there is none."""


@workflow.defn
class OrderWorkflow:
    """Check, wait for approval if the total is high, reserve, charge, cool down, ship."""

    def __init__(self) -> None:
        self._status = "new"
        self._approved_by: str | None = None

    @workflow.run
    async def run(self, start: OrderInput) -> Outcome:
        self._status = "being checked"
        checked = await workflow.execute_activity_method(OrderActivities.check_order, start.key, **PATIENT)
        order = checked.order
        if checked.flaws:
            return self._rejected(order.id, "; ".join(checked.flaws))

        if needs_approval(order):
            self._status = f"waiting for approval of {euros(order.total_cents)}"
            try:
                await workflow.wait_condition(lambda: self._approved_by is not None, timeout=APPROVAL_WAIT)
            except TimeoutError:
                return self._rejected(order.id, "nobody approved it")

        self._status = "reserving stock"
        try:
            await workflow.execute_activity_method(OrderActivities.reserve_stock, order, **PATIENT)
        except ActivityError as error:
            return self._rejected(order.id, str(error.cause))

        self._status = "charging the card"
        await workflow.execute_activity_method(OrderActivities.charge, order, **PATIENT)

        self._status = "cooling down"
        await workflow.sleep(start.cool_down_s)

        self._status = "shipping"
        parcel = await workflow.execute_activity_method(OrderActivities.ship, order, **PATIENT)
        self._status = "shipped"
        return Outcome(order.id, True, parcel)

    def _rejected(self, order_id: str, reason: str) -> Outcome:
        self._status = f"rejected: {reason}"
        return Outcome(order_id, False, reason)

    @workflow.signal
    def approve(self, by: str) -> None:
        """A person agrees to a high total."""
        self._approved_by = by

    @workflow.query
    def status(self) -> str:
        """What the order is doing now."""
        return self._status
