"""Workflows as the tests' official worker runs them, and the same as our client knows them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

import outlast.workflow


@dataclass
class Order:
    """What is ordered."""

    item: str
    pieces: int = 1


@workflow.defn(name="greet")
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"hello {name}"


@workflow.defn(name="sum")
class Sum:
    @workflow.run
    async def run(self, a: int, b: int) -> int:
        return a + b


@workflow.defn(name="fail")
class Fail:
    @workflow.run
    async def run(self, message: str) -> None:
        raise ApplicationError(message, {"more": 1}, type="Sad", non_retryable=True)


@workflow.defn(name="counter")
class Counter:
    """Ends when it is told to; adds up what it is sent."""

    def __init__(self) -> None:
        self.total = 0
        self.ends = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.ends)
        return self.total

    @workflow.signal
    def add(self, number: int) -> None:
        self.total += number

    @workflow.signal
    def add_two(self, first: int, second: int) -> None:
        self.total += first + second

    @workflow.signal
    def end(self) -> None:
        self.ends = True

    @workflow.query
    def so_far(self) -> int:
        return self.total

    @workflow.query
    def order(self, item: str, pieces: int) -> Order:
        return Order(item, pieces)

    @workflow.query
    def broken(self) -> int:
        raise ApplicationError("cannot say")

    @workflow.update
    async def add_and_tell(self, number: int) -> int:
        self.total += number
        return self.total

    @add_and_tell.validator
    def not_negative(self, number: int) -> None:
        if number < 0:
            raise ApplicationError("negative")

    @workflow.update
    async def wait_for_end(self) -> int:
        await workflow.wait_condition(lambda: self.ends)
        return self.total


@workflow.defn(name="again")
class Again:
    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            workflow.continue_as_new(left - 1)
        return "done"


@workflow.defn(name="with-activity")
class WithActivity:
    @workflow.run
    async def run(self) -> str:
        result: str = await workflow.execute_activity(
            "later",
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(minutes=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        return result


@workflow.defn(name="header")
class Header:
    @workflow.run
    async def run(self) -> Sequence[str]:
        return sorted(workflow.info().headers)


class Later:
    """An activity that someone else completes."""

    def __init__(self) -> None:
        self.tokens: asyncio.Queue[bytes] = asyncio.Queue()

    @activity.defn
    async def later(self) -> str:
        await self.tokens.put(activity.info().task_token)
        activity.raise_complete_async()


WORKFLOWS = [Greet, Sum, Fail, Counter, Again, WithActivity, Header]


@outlast.workflow.defn(name="greet")
class KnownGreet:
    @outlast.workflow.run
    async def run(self, name: str) -> str: ...


@outlast.workflow.defn(name="counter")
class KnownCounter:
    """What our client knows of the counter."""

    @outlast.workflow.run
    async def run(self) -> int: ...

    @outlast.workflow.signal
    def add(self, number: int) -> None: ...

    @outlast.workflow.signal
    def add_two(self, first: int, second: int) -> None: ...

    @outlast.workflow.signal
    def end(self) -> None: ...

    @outlast.workflow.query
    def so_far(self) -> int: ...

    @outlast.workflow.query
    def order(self, item: str, pieces: int) -> Order: ...

    @outlast.workflow.update
    async def add_and_tell(self, number: int) -> int: ...

    @outlast.workflow.update
    async def wait_for_end(self) -> int: ...
