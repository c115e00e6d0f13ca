"""Timers."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import UserMetadata

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World


@scenario()
async def start_and_cancel(w: World) -> None:
    """A timer cancelled in the same task, in a later one, and its id used again."""
    await w.start()
    await w.step(v.timer("t", 60), v.cancel_timer("t"), v.timer("t", 60))
    await w.history()
    await w.signal()
    await w.step(v.cancel_timer("t"), v.timer("t", 1))
    await w.step(v.timer("t", 60))
    await w.history()
    await w.describe()


@scenario()
async def due_together(w: World) -> None:
    """Timers that are due together fire in due order, in one workflow task."""
    await w.start()
    await w.step(v.timer("later", 1.02), v.timer("sooner", 1), v.timer("third", 60), force_create_new_workflow_task=True)
    task = await w.poll(record=False)
    await asyncio.sleep(2.5)
    await w.history()
    await w.complete(task, v.marker())
    await w.history()


@scenario()
async def no_duration(w: World) -> None:
    """A timer of no duration fires at once."""
    await w.start()
    await w.step(v.of("START_TIMER", timer_id="t"), v.timer("u", 0))
    await w.until(EventType.EVENT_TYPE_TIMER_FIRED, count=2)
    await w.step(v.complete())
    events = await w.history(record=False)
    started = next(event for event in events if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED)
    w.note("the first has a duration", started.timer_started_event_attributes.HasField("start_to_fire_timeout"))
    w.note("timers fired", sum(event.event_type == EventType.EVENT_TYPE_TIMER_FIRED for event in events))


@scenario()
async def cancel_of_buffered_fire(w: World) -> None:
    """Cancelling a timer whose firing is only buffered takes the firing back, and a close is legal."""
    await w.start()
    await w.step(v.timer("t", 1), force_create_new_workflow_task=True)
    task = await w.poll(record=False)
    await asyncio.sleep(2.5)
    await w.complete(task, v.cancel_timer("t"), v.complete())
    await w.history()


@scenario()
async def buffered_fire_blocks_close(w: World) -> None:
    """A buffered firing blocks a close."""
    await w.start()
    await w.step(v.timer("t", 1), force_create_new_workflow_task=True)
    task = await w.poll(record=False)
    await asyncio.sleep(2.5)
    await w.complete(task, v.complete())
    await w.history()
    await w.step(v.complete())
    await w.history()


@scenario()
async def pending_at_close(w: World) -> None:
    """A pending timer is forgotten at the close, and its id can be used in the next run; commands keep their metadata."""
    await w.start()
    named = v.timer("t", 1)
    named.user_metadata.CopyFrom(UserMetadata(summary=v.payload("a nap")))
    await w.step(named)
    await w.signal()
    await w.step(v.complete())
    await asyncio.sleep(1.5)
    await w.history()


@scenario()
async def cancel_after_fire(w: World) -> None:
    """Cancelling a timer that has fired fails the workflow task."""
    await w.start()
    await w.step(v.timer("t", 1))
    await w.step(v.cancel_timer("t"))
    await w.history()
