"""The plain life of a workflow."""

from __future__ import annotations

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World


@scenario()
async def noop(w: World) -> None:
    """Start, one workflow task, complete."""
    await w.start(input=v.payloads("input"))
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.describe()
    await w.history()


@scenario()
async def fail_command(w: World) -> None:
    """A workflow fails by command."""
    await w.start()
    await w.step(v.fail(v.failure("broken", details=v.payloads("why"))))
    await w.describe()
    await w.history()


@scenario()
async def cancel_command(w: World) -> None:
    """A workflow closes as cancelled, though nobody asked."""
    await w.start()
    await w.step(v.cancel())
    await w.describe()
    await w.history()


@scenario()
async def marker_and_timer(w: World) -> None:
    """A marker, then a timer that fires."""
    await w.start()
    await w.step(v.marker(), v.timer("t", 1))
    await w.describe()
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def one_activity(w: World) -> None:
    """One activity completes."""
    await w.start()
    await w.step(v.activity("a", w.queue))
    task = await w.poll_activity()
    await w.describe()
    await w.activity("Completed", task)
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def signal_wakes(w: World) -> None:
    """A signal to an idle workflow schedules a workflow task."""
    await w.start()
    await w.step()
    await w.signal("hello")
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def nothing_to_do(w: World) -> None:
    """A completion without commands leaves the workflow idle."""
    await w.start()
    await w.step()
    await w.describe()
    await w.history()
