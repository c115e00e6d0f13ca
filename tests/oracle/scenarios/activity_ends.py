"""Activities: cancellation, and answers by id."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import EventType

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World

UNKNOWN_RUN = "00000000-0000-4000-8000-000000000000"


async def scheduled(w: World, **fields: Any) -> None:
    """Start a workflow and schedule the activity `a`."""
    await w.start(record=False)
    await w.step(v.activity("a", w.queue, **fields))


@scenario()
async def cancel_before_start(w: World) -> None:
    """Cancelling an activity that waits closes it at once, after the other command events."""
    await scheduled(w)
    await w.signal()
    await w.step(v.cancel_activity(5), v.marker())
    await w.history()
    await w.poll_activity(seconds=3)
    await w.step(v.complete())
    await w.history()


@scenario()
async def cancel_in_the_same_task(w: World) -> None:
    """An activity scheduled and cancelled by one completion."""
    await w.start(record=False)
    await w.step(v.activity("a", w.queue), v.cancel_activity(5), v.marker())
    await w.history()


@scenario()
async def cancel_and_close(w: World) -> None:
    """The ACT_CANCELED of an unstarted activity vanishes when the same completion closes the workflow."""
    await scheduled(w)
    await w.signal()
    await w.step(v.cancel_activity(5), v.complete())
    await w.history()


@scenario()
async def cancel_while_backing_off(w: World) -> None:
    """Cancelling an activity between two attempts closes it at once."""
    await scheduled(w, retry_policy=v.retry(initial=60))
    await w.activity("Failed", await w.poll_activity())
    await w.signal()
    await w.step(v.cancel_activity(5))
    await w.history()


@scenario()
async def cancel_after_start(w: World) -> None:
    """A running activity learns of the cancellation by heartbeat, and may accept it."""
    await scheduled(w)
    task = await w.poll_activity()
    await w.activity("Canceled", task)
    await w.activity("Heartbeat", task)
    await w.signal()
    await w.step(v.cancel_activity(5))
    await w.describe()
    await w.activity("Heartbeat", task)
    await w.activity("Canceled", task, details=v.payloads("stopped"))
    await w.history()


@scenario()
async def cancel_twice(w: World) -> None:
    """A second request to cancel the same activity fails the workflow task."""
    await scheduled(w)
    await w.poll_activity(record=False)
    await w.signal()
    await w.step(v.cancel_activity(5))
    await w.signal()
    await w.step(v.cancel_activity(5))
    await w.history()


@scenario()
async def fails_after_cancel(w: World) -> None:
    """After the request a failure closes the activity without a retry, and a result is a result."""
    await w.start(record=False)
    await w.step(v.activity("fails", w.queue, retry_policy=v.retry()), v.activity("completes", w.queue))
    tasks = {}
    for _ in range(2):
        task = await w.poll_activity(record=False)
        tasks[task.activity_id] = task
    await w.signal()
    await w.step(v.cancel_activity(5), v.cancel_activity(6))
    await w.activity("Failed", tasks["fails"])
    await w.activity("Completed", tasks["completes"])
    await w.history()


@scenario()
async def times_out_after_cancel(w: World) -> None:
    """After the request a timeout closes the activity without a retry."""
    await scheduled(w, start_to_close_timeout=v.seconds(1), retry_policy=v.retry())
    await w.poll_activity(record=False)
    await w.signal()
    await w.step(v.cancel_activity(5))
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def schedule_to_close_after_cancel(w: World) -> None:
    """After the request schedule-to-close closes the activity in its own name."""
    await scheduled(w, start_to_close_timeout=None, schedule_to_close_timeout=v.seconds(3))
    await w.poll_activity(record=False)
    await w.signal()
    await w.step(v.cancel_activity(5))
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def cancel_of_buffered_completion(w: World) -> None:
    """A request to cancel an activity whose completion is buffered stands before it."""
    await w.start(record=False)
    await w.step(v.activity("a", w.queue), force_create_new_workflow_task=True)
    task = await w.poll(record=False)
    await w.activity("Completed", await w.poll_activity(record=False))
    await w.complete(task, v.cancel_activity(5), v.marker())
    await w.history()


@scenario()
async def by_id(w: World) -> None:
    """Each answer by id, to a running activity."""
    await w.start(record=False)
    await w.step(*(v.activity(name, w.queue, retry_policy=v.retry(attempts=1)) for name in ("completes", "fails", "cancels")))
    for _ in range(3):
        await w.poll_activity(record=False)
    await w.activity("Heartbeat", by_id="completes", details=v.payloads("beat"))
    await w.activity("Completed", by_id="completes")
    await w.activity("Failed", by_id="fails")
    await w.activity("Canceled", by_id="cancels")
    await w.step(v.cancel_activity(7))
    await w.activity("Canceled", by_id="cancels", details=v.payloads("stopped"))
    await w.activity("Completed", by_id="completes")
    await w.history()


@scenario()
async def by_id_before_start(w: World) -> None:
    """Only completion by id works on an activity that never started, or that backs off."""
    await w.start(record=False)
    await w.step(v.activity("a", w.queue))
    for what in ("Heartbeat", "Failed", "Canceled", "Completed"):
        await w.activity(what, by_id="a")
    await w.step(v.activity("b", w.queue, retry_policy=v.retry(initial=60)))
    await w.activity("Failed", await w.poll_activity(record=False))
    for what in ("Heartbeat", "Failed", "Canceled", "Completed"):
        await w.activity(what, by_id="b")
    await w.history()


@scenario()
async def by_id_errors(w: World) -> None:
    """Bad addresses of activities."""
    await scheduled(w)
    for what in ("Completed", "Failed", "Canceled", "Heartbeat"):
        await w.activity(what, by_id="")
        await w.activity(what, by_id="unknown")
        await w.activity(what, by_id="a", workflow_id=w.name("unknown"))
        await w.activity(what, by_id="a", run_id=UNKNOWN_RUN)
        await w.activity(what, by_id="a", namespace="nope-ns")
        await w.activity(what, by_id="a", namespace="")
    await w.history()


@scenario()
async def identity_errors(w: World) -> None:
    """An overlong identity in each answer."""
    await scheduled(w)
    task = await w.poll_activity(record=False)
    for what in ("Heartbeat", "Completed", "Failed", "Canceled"):
        await w.activity(what, task, identity="i" * 1001)
    await w.history()
