"""Cancellations that meet the end of what they cancel in the same task."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from outlast import workflow
from outlast.exceptions import ActivityError
from outlast.replay import kinds
from tests.replay.events import Told, kinds_of, payloads

SOON = timedelta(seconds=10)


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None

    @workflow.signal
    def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "timer":
            self.task = asyncio.create_task(asyncio.sleep(1))
        elif how == "child":
            self.task = asyncio.create_task(workflow.execute_child_workflow("Child", id="child"))
        else:
            self.task = asyncio.create_task(workflow.execute_activity("work", start_to_close_timeout=SOON))
        try:
            return f"done {await self.task}"
        except asyncio.CancelledError:
            return "cancelled"
        except ActivityError as err:
            return type(err.cause).__name__


def begin(how: str) -> tuple[Told, int]:
    """A workflow that waits, and the event of what it waits for."""
    told = Told(Waits, how)
    told.task()
    told.completed()
    if how == "timer":
        return told, told.add(kinds.TIMER_STARTED, timer_id="1")
    if how == "child":
        initiated = told.add(kinds.CHILD_INITIATED, workflow_id="child", workflow_type={"name": "Child"})
        told.add(kinds.CHILD_STARTED, initiated_event_id=initiated, workflow_execution={"workflow_id": "child", "run_id": "c"})
        return told, initiated
    return told, told.add(kinds.ACTIVITY_SCHEDULED, activity_id="1", activity_type={"name": "work"})


def end(told: Told, how: str, first: int) -> None:
    """What it waits for ends."""
    if how == "timer":
        told.add(kinds.TIMER_FIRED, timer_id="1", started_event_id=first)
    elif how == "child":
        told.add(kinds.CHILD_COMPLETED, initiated_event_id=first, result=payloads(1))
    else:
        told.add(kinds.ACTIVITY_STARTED, scheduled_event_id=first)
        told.add(kinds.ACTIVITY_COMPLETED, scheduled_event_id=first, result=payloads(1))


@pytest.mark.parametrize("how", ["timer", "activity", "child"])
@pytest.mark.parametrize("signal_first", [True, False])
def test_what_has_ended_is_not_asked_to_stop(how: str, signal_first: bool) -> None:
    told, first = begin(how)
    if signal_first:
        told.add(kinds.SIGNALED, signal_name="stop")
    end(told, how, first)
    if not signal_first:
        told.add(kinds.SIGNALED, signal_name="stop")

    step = told.task()

    assert step.failure is None, step.failure.message
    assert kinds_of(step) == [4]


@pytest.mark.parametrize(("how", "commands"), [("timer", [6, 4]), ("activity", [2, 4]), ("child", [8])])
def test_what_goes_on_is_asked_to_stop(how: str, commands: list[int]) -> None:
    told, _ = begin(how)
    told.add(kinds.SIGNALED, signal_name="stop")

    assert kinds_of(told.task()) == commands


def test_an_activity_that_ends_after_its_cancellation_was_reported_is_ignored() -> None:
    told, first = begin("activity")
    told.add(kinds.SIGNALED, signal_name="stop")
    cancelled = told.task()
    told.completed()
    told.add(kinds.ACTIVITY_CANCEL_REQUESTED, scheduled_event_id=first)
    end(told, "activity", first)

    assert kinds_of(cancelled) == [2, 4]
    assert told.task().failure is None
