"""What runs in the kill loop: one workflow of each kind, and the worker process that runs them.

python -m tests.faults.kill_workflows <address> <ledger>
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "kill-loop"
ATTEMPT_S = timedelta(seconds=2)
"""How long a lost attempt of an activity is waited for."""
TASK_S = timedelta(seconds=2)
OFTEN = RetryPolicy(initial_interval=timedelta(milliseconds=20), backoff_coefficient=1.5, maximum_interval=timedelta(seconds=1))
STEPS, CHILDREN, CHAIN, SIGNALS_TO_CHILD = 3, 2, 3, 3


class Activities:
    """The activities, and the ledger: one line, on disk, for each execution of `once` that has begun."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    @activity.defn
    async def step(self, number: int) -> int:
        info = activity.info()
        if number % 2 == 1 and info.attempt == 1:
            raise ApplicationError("not at the first attempt")
        return number

    @activity.defn
    async def once(self, pause_s: float) -> str:
        info = activity.info()
        os.write(self._ledger, f"{info.workflow_id} {info.workflow_run_id} {info.activity_id} {info.attempt}\n".encode())
        os.fsync(self._ledger)
        await asyncio.sleep(pause_s)
        return "done"


def _step(number: int) -> "workflow.ActivityHandle[int]":
    return workflow.start_activity("step", number, start_to_close_timeout=ATTEMPT_S, retry_policy=OFTEN)


@workflow.defn
class Steps:
    """Activities one after the other; every second one fails at first."""

    @workflow.run
    async def run(self, _: int) -> list[int]:
        return [await _step(number) for number in range(STEPS)]


@workflow.defn
class Sleeps:
    """Two timers at once, then one more."""

    @workflow.run
    async def run(self, milliseconds: int) -> str:
        pause_s = milliseconds / 1000
        await asyncio.gather(workflow.sleep(pause_s), workflow.sleep(pause_s * 2))
        await workflow.sleep(pause_s)
        return "rested"


@workflow.defn
class Collects:
    """Keeps the numbers of its signals in the order in which they come, until there are enough and an end is signalled."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._ended = False

    @workflow.signal
    async def number(self, number: int) -> None:
        self._numbers.append(number)

    @workflow.signal
    async def end(self) -> None:
        self._ended = True

    @workflow.run
    async def run(self, _: int) -> list[int]:
        await workflow.wait_condition(lambda: self._ended)
        return self._numbers


@workflow.defn
class Child:
    """Waits for its parent's signals, then takes a step."""

    def __init__(self) -> None:
        self._numbers: list[int] = []

    @workflow.signal
    async def number(self, number: int) -> None:
        self._numbers.append(number)

    @workflow.run
    async def run(self, number: int) -> list[int]:
        await workflow.wait_condition(lambda: len(self._numbers) >= SIGNALS_TO_CHILD)
        await _step(number)
        return [number, *self._numbers]


@workflow.defn
class Parent:
    """Two children at once, each signalled a few times."""

    @workflow.run
    async def run(self, _: int) -> list[list[int]]:
        return list(await asyncio.gather(*(self._child(number) for number in range(CHILDREN))))

    async def _child(self, number: int) -> list[int]:
        child_id = f"{workflow.info().workflow_id}/child-{number}"
        child = await workflow.start_child_workflow(Child.run, number, id=child_id, task_timeout=TASK_S)
        for signal in range(SIGNALS_TO_CHILD):
            await child.signal(Child.number, signal)
        return await child


@workflow.defn
class Chain:
    """Continues as new a few times, with a step in each run."""

    @workflow.run
    async def run(self, done: int) -> int:
        await _step(done)
        if done + 1 < CHAIN:
            workflow.continue_as_new(done + 1, task_timeout=TASK_S)
        return done + 1


@workflow.defn
class Once:
    """An activity that may be tried once."""

    @workflow.run
    async def run(self, milliseconds: int) -> str:
        try:
            return str(
                await workflow.execute_activity(
                    "once", milliseconds / 1000, start_to_close_timeout=ATTEMPT_S, retry_policy=RetryPolicy(maximum_attempts=1)
                )
            )
        except ActivityError as error:
            assert isinstance(error.cause, TimeoutError), repr(error.cause)
            assert error.cause.type is not None
            return error.cause.type.name


KINDS = (Steps, Sleeps, Collects, Parent, Chain, Once)


async def main(address: str, ledger: Path) -> None:
    """Work until killed."""
    activities = Activities(ledger)
    while True:
        try:
            client = await Client.connect(address)
            worker = Worker(
                client,
                task_queue=QUEUE,
                workflows=[*KINDS, Child],
                activities=[activities.step, activities.once],
                workflow_runner=UnsandboxedWorkflowRunner(),
                sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
            )
            await worker.run()
        except RuntimeError as error:  # the server is not there just now
            print(f"worker starts again: {error!r}", file=sys.stderr, flush=True)
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
