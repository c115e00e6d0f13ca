"""Workflows that use much of the platform, and are right: no schedule may break them."""

import asyncio
from datetime import timedelta

from outlast import activity, workflow
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, CancelledError, is_cancelled_exception

SOON = timedelta(seconds=30)


class Ledger:
    """What the activities work on. Each is idempotent by its key."""

    def __init__(self) -> None:
        self.done: dict[str, int] = {}

    @activity.defn
    async def add(self, key: str, amount: int) -> int:
        await asyncio.sleep(0.5)
        self.done[key] = amount
        return amount

    @activity.defn
    async def add_locally(self, key: str, amount: int) -> int:
        self.done[key] = amount
        return amount

    @activity.defn
    async def takes_back(self, key: str) -> None:
        self.done[key] = 0

    @activity.defn
    async def waits(self) -> None:
        while True:
            await asyncio.sleep(1)
            activity.heartbeat()

    @activity.defn
    async def refuses(self) -> None:
        raise ApplicationError("never", non_retryable=True)

    @activity.defn
    async def fails_twice(self, key: str) -> int:
        if activity.info().attempt < 3:
            raise ApplicationError("not yet")
        self.done[key] = 1
        return 1


@workflow.defn
class Part:
    """A child: adds, in two runs."""

    @workflow.run
    async def run(self, key: str, amount: int, again: bool = True) -> int:
        await asyncio.sleep(3600)
        if again:
            workflow.continue_as_new(args=[key, amount, False])
        return await workflow.execute_activity_method(Ledger.add, args=[key, amount], start_to_close_timeout=SOON)


@workflow.defn
class Kitchen:
    def __init__(self) -> None:
        self.orders: list[str] = []
        self.served: list[str] = []
        self.closed = False

    @workflow.run
    async def run(self, name: str) -> dict[str, int]:
        totals = {"parallel": sum(await asyncio.gather(*[self.add(f"{name}/a{n}", n) for n in range(4)]))}
        totals["children"] = sum(
            await asyncio.gather(
                *[workflow.execute_child_workflow(Part.run, args=[f"{name}/c{n}", n], id=f"{name}-c{n}") for n in range(3)]
            )
        )
        totals["local"] = await workflow.execute_local_activity_method(
            Ledger.add_locally, args=[f"{name}/l", 7], start_to_close_timeout=SOON
        )
        totals["retried"] = await workflow.execute_activity_method(
            Ledger.fails_twice, f"{name}/r", start_to_close_timeout=SOON, retry_policy=RetryPolicy(maximum_attempts=0)
        )
        totals["cancelled"] = await self.cancel_one()
        totals["refused"] = await self.compensate(name)
        if workflow.patched("a patch"):
            totals["patched"] = 1
        await workflow.wait_condition(lambda: self.closed and not self.orders)
        await workflow.wait_condition(workflow.all_handlers_finished)
        totals["served"] = len(self.served)
        return totals

    async def add(self, key: str, amount: int) -> int:
        return await workflow.execute_activity_method(Ledger.add, args=[key, amount], start_to_close_timeout=SOON)

    async def cancel_one(self) -> int:
        handle = workflow.start_activity_method(
            Ledger.waits, start_to_close_timeout=timedelta(days=1), heartbeat_timeout=SOON, retry_policy=RetryPolicy(maximum_attempts=0)
        )
        await asyncio.sleep(5)
        handle.cancel()
        try:
            await handle
        except (ActivityError, CancelledError) as error:
            assert is_cancelled_exception(error)
            return 1
        return 0

    async def compensate(self, name: str) -> int:
        await self.add(f"{name}/t", 5)
        try:
            await workflow.execute_activity_method(Ledger.refuses, start_to_close_timeout=SOON)
        except ActivityError:
            await workflow.execute_activity_method(Ledger.takes_back, f"{name}/t", start_to_close_timeout=SOON)
            return 1
        return 0

    @workflow.signal
    async def order(self, what: str) -> None:
        self.orders.append(what)
        async with asyncio.timeout(86_400):
            await self.add(f"order/{what}", 1)
        self.orders.remove(what)
        self.served.append(what)

    @workflow.update
    async def close(self, expected: int) -> int:
        await workflow.wait_condition(lambda: len(self.served) == expected)
        self.closed = True
        return len(self.served)

    @close.validator
    def check(self, expected: int) -> None:
        if expected < 0:
            raise ValueError("nobody serves less than nothing")

    @workflow.query
    def open_orders(self) -> int:
        return len(self.orders)
