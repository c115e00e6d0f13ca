"""Workflows and activities of the official SDK for the tests of time skipping."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

DAY = timedelta(days=1)


@activity.defn
async def fails_until(attempt: int) -> int:
    if activity.info().attempt < attempt:
        raise ApplicationError("not yet")
    return activity.info().attempt


@activity.defn
async def takes_real_time(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self, days: int) -> float:
        before = workflow.now()
        await asyncio.sleep(days * DAY.total_seconds())
        return (workflow.now() - before).total_seconds()


@workflow.defn
class Retries:
    @workflow.run
    async def run(self) -> tuple[int, float]:
        before = workflow.now()
        attempts = await workflow.execute_activity(
            fails_until,
            4,
            schedule_to_close_timeout=30 * DAY,
            retry_policy=RetryPolicy(initial_interval=DAY, backoff_coefficient=1),
        )
        return attempts, (workflow.now() - before).total_seconds()


@workflow.defn
class Races:
    """A timer of a day against an activity that takes real time."""

    @workflow.run
    async def run(self) -> str:
        work = asyncio.create_task(workflow.execute_activity(takes_real_time, 0.3, start_to_close_timeout=DAY))
        try:
            return await asyncio.wait_for(asyncio.shield(work), DAY.total_seconds())
        except TimeoutError:
            return "timer"


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.approved = False

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: self.approved, timeout=timedelta(days=30))
        except TimeoutError:
            return "forgotten"
        return "approved"

    @workflow.signal
    def approve(self) -> None:
        self.approved = True

    @workflow.query
    def state(self) -> bool:
        return self.approved


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> float:
        return await workflow.execute_child_workflow(Sleeps.run, 3, id=f"{workflow.info().workflow_id}-child")


@workflow.defn
class Counts:
    """Continues as new after each day."""

    @workflow.run
    async def run(self, left: int) -> str:
        await asyncio.sleep(DAY.total_seconds())
        if left:
            workflow.continue_as_new(left - 1)
        return "all days"


WORKFLOWS = [Sleeps, Retries, Races, Waits, Parent, Counts]
ACTIVITIES = [fails_until, takes_real_time]
