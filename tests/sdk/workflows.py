"""Workflows that use what the official SDK offers."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, ChildWorkflowError

QUICK = timedelta(milliseconds=10)
LONG = timedelta(seconds=30)
COLOUR = SearchAttributeKey.for_keyword("Colour")


@dataclass
class Order:
    name: str
    items: list[int]


@activity.defn
async def total(order: Order) -> int:
    return sum(order.items)


@activity.defn
async def fails_twice(what: str) -> str:
    attempt = activity.info().attempt
    if attempt < 3:
        raise ApplicationError(f"attempt {attempt} of {what}", type="NotYet")
    return f"{what} at attempt {attempt}"


@activity.defn
async def counts_on(_: str) -> int:
    """Goes on where the heartbeat of the attempt before left it."""
    details = activity.info().heartbeat_details
    count = int(details[0]) if details else 0
    activity.heartbeat(count + 1)
    if count < 2:
        raise ApplicationError("not far enough")
    return count


@activity.defn
async def waits_for_cancel() -> str:
    try:
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        return "let go"


@workflow.defn
class Everything:
    """An activity, a timer, a signal, a query, a side by side of three."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @workflow.run
    async def run(self, order: Order) -> list[Any]:
        sum_of_items = await workflow.execute_activity(total, order, start_to_close_timeout=LONG)
        await workflow.sleep(QUICK)
        await workflow.wait_condition(lambda: len(self.names) >= 2)
        several = await asyncio.gather(
            *(workflow.execute_activity(total, Order("part", [i]), start_to_close_timeout=LONG) for i in range(3))
        )
        return [sum_of_items, self.names, several]

    @workflow.signal
    def name(self, name: str) -> None:
        self.names.append(name)

    @workflow.query
    def seen(self) -> list[str]:
        return self.names


@workflow.defn
class Retries:
    @workflow.run
    async def run(self) -> list[Any]:
        policy = RetryPolicy(initial_interval=QUICK)
        return [
            await workflow.execute_activity(fails_twice, "it", start_to_close_timeout=LONG, retry_policy=policy),
            await workflow.execute_activity(counts_on, "", start_to_close_timeout=LONG, retry_policy=policy),
            await workflow.execute_local_activity(fails_twice, "locally", start_to_close_timeout=LONG, retry_policy=policy),
        ]


@workflow.defn
class GivesUp:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.execute_activity(
                fails_twice, "it", start_to_close_timeout=LONG, retry_policy=RetryPolicy(initial_interval=QUICK, maximum_attempts=2)
            )
        except ActivityError as error:
            assert isinstance(error.cause, ApplicationError)
            raise ApplicationError(f"gave up: {error.cause.message}", non_retryable=True) from error
        return "never"


@workflow.defn
class Cancellable:
    @workflow.run
    async def run(self) -> str:
        try:
            return await workflow.execute_activity(
                waits_for_cancel,
                start_to_close_timeout=LONG,
                heartbeat_timeout=timedelta(seconds=5),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except ActivityError as error:
            assert isinstance(error.cause, CancelledError)
            raise


@workflow.defn
class Child:
    @workflow.run
    async def run(self, number: int) -> int:
        if number < 0:
            raise ApplicationError("negative", type="Negative", non_retryable=True)
        await workflow.sleep(QUICK)
        return number * 2


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> list[Any]:
        doubled = await asyncio.gather(*(workflow.execute_child_workflow(Child.run, i) for i in range(4)))
        try:
            await workflow.execute_child_workflow(Child.run, -1)
        except ChildWorkflowError as error:
            return [doubled, str(error.cause)]
        return [doubled]


@workflow.defn
class Countdown:
    """Continues as new until it reaches zero."""

    @workflow.run
    async def run(self, left: int, so_far: list[int]) -> list[int]:
        if left:
            workflow.continue_as_new(args=[left - 1, [*so_far, left]])
        return so_far


@workflow.defn
class Colours:
    @workflow.run
    async def run(self) -> str:
        workflow.upsert_search_attributes([COLOUR.value_set("blue")])
        workflow.upsert_memo({"shade": "dark"})
        await workflow.sleep(QUICK)
        return str(workflow.memo_value("shade"))


@workflow.defn
class Tells:
    """Signals another workflow and cancels a third."""

    @workflow.run
    async def run(self, to: str, cancels: str) -> None:
        await workflow.get_external_workflow_handle(to).signal("name", "from outside")
        await workflow.get_external_workflow_handle(cancels).cancel()


@workflow.defn
class Account:
    """Takes updates until it is closed."""

    def __init__(self) -> None:
        self.balance = 0
        self.closed = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.closed)
        return self.balance

    @workflow.update
    async def deposit(self, amount: int) -> int:
        await workflow.sleep(QUICK)
        counted = await workflow.execute_activity(total, Order("deposit", [amount]), start_to_close_timeout=LONG)
        self.balance += counted
        return self.balance

    @deposit.validator
    def only_positive(self, amount: int) -> None:
        if amount <= 0:
            raise ApplicationError("not positive")

    @workflow.update
    def close(self) -> str:
        self.closed = True
        return "closed"


@workflow.defn
class Patched:
    @workflow.run
    async def run(self) -> str:
        return "new" if workflow.patched("better") else "old"


WORKFLOWS = [Everything, Retries, GivesUp, Cancellable, Child, Parent, Countdown, Colours, Tells, Account, Patched]
ACTIVITIES = [total, fails_twice, counts_on, waits_for_cancel]
