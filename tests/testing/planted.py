"""Workflows with bugs that come out only when things go wrong, and the same without the bug."""

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from outlast import activity, workflow

SOON = timedelta(seconds=10)
DAY_S = 86_400.0


class Shop:
    """What the activities work on."""

    def __init__(self) -> None:
        self.charged: list[str] = []
        self.shipped: list[str] = []

    @activity.defn
    async def charge(self, order: str) -> str:
        self.charged.append(order)
        return order

    @activity.defn
    async def charge_once(self, order: str) -> str:
        if order not in self.charged:
            self.charged.append(order)
        return order

    @activity.defn
    async def ship(self, item: str) -> str:
        await asyncio.sleep(1.0)
        if item not in self.shipped:
            self.shipped.append(item)
        return item


async def act(name: str, argument: str) -> str:
    result: str = await workflow.execute_activity(name, argument, start_to_close_timeout=SOON, result_type=str)
    return result


@workflow.defn
class Order:
    """Right, if the activity is idempotent."""

    @workflow.run
    async def run(self, charge: str) -> str:
        await act(charge, "order")
        await asyncio.sleep(DAY_S)
        return await act("ship", "order")


@workflow.defn
class SetOfTasks:
    """Goes through a set of tasks: their order in it is chance."""

    @workflow.run
    async def run(self, items: Sequence[str]) -> list[str]:
        tasks = {asyncio.create_task(act("ship", item)) for item in items}
        return [await act("charge_once", await task) for task in tasks]


@workflow.defn
class SetOfHandles:
    """The same with the handles of activities."""

    @workflow.run
    async def run(self, items: Sequence[str]) -> list[str]:
        handles = {workflow.start_activity("ship", item, start_to_close_timeout=SOON, result_type=str) for item in items}
        return [await act("charge_once", await handle) for handle in handles]


@workflow.defn
class SetOfStrings:
    """Python draws anew for each process in which order it goes through such a set."""

    @workflow.run
    async def run(self, items: Sequence[str]) -> list[str]:
        return [await act("ship", item) for item in set(items)]


@workflow.defn
class ListOfTasks:
    @workflow.run
    async def run(self, items: Sequence[str]) -> list[str]:
        tasks = [asyncio.create_task(act("ship", item)) for item in items]
        return [await act("charge_once", await task) for task in tasks]


@workflow.defn(sandboxed=False)
class WallClock:
    """Sleeps until a moment that it takes from the machine's clock."""

    @workflow.run
    async def run(self, items: Sequence[str]) -> list[str]:
        until = (time.time() // DAY_S + 1) * DAY_S
        await asyncio.sleep(until - time.time())
        return [await act("ship", item) for item in items]


@workflow.defn(sandboxed=False)
class WallDate:
    """The same with a date."""

    @workflow.run
    async def run(self, items: Sequence[str]) -> list[str]:
        first = datetime.now().day % len(items)
        return [await act("ship", item) for item in [*items[first:], *items[:first]]]


@workflow.defn
class GuardedClock:
    @workflow.run
    async def run(self, how: str) -> float:
        if how == "time":
            return time.time()
        if how == "chance":
            return float(os.urandom(1)[0])
        return datetime.now().timestamp()


@workflow.defn
class LosesItems:
    """Forgets what came while it was busy."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.closed = False

    @workflow.run
    async def run(self) -> None:
        while not (self.closed and not self.items):
            await workflow.wait_condition(lambda: bool(self.items) or self.closed)
            for item in list(self.items):
                await act("ship", item)
            self.items = []

    @workflow.signal
    def add(self, item: str) -> None:
        self.items.append(item)

    @workflow.signal
    def close(self) -> None:
        self.closed = True


@workflow.defn
class KeepsItems:
    def __init__(self) -> None:
        self.items: list[str] = []
        self.closed = False

    @workflow.run
    async def run(self) -> None:
        while self.items or not self.closed:
            await workflow.wait_condition(lambda: bool(self.items) or self.closed)
            while self.items:
                await act("ship", self.items.pop(0))

    @workflow.signal
    def add(self, item: str) -> None:
        self.items.append(item)

    @workflow.signal
    def close(self) -> None:
        self.closed = True


@workflow.defn
class Raises:
    """Fails its workflow task when the clock of an activity says so: it would be tried for ever."""

    @workflow.run
    async def run(self) -> None:
        await act("ship", "item")
        raise RuntimeError("a bug")


@workflow.defn
class NeverEnds:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)
