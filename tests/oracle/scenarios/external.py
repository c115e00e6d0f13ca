"""Signals and cancel requests from one workflow to another."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World

SIGNALED = EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED
SIGNAL_FAILED = EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
CANCEL_REQUESTED = EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED
CANCEL_FAILED = EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED


async def other(w: World, name: str = "other") -> str:
    """Start another workflow, on a queue of its own; its id."""
    workflow_id = w.name(name)
    await w.start(workflow_id=workflow_id, task_queue=TaskQueue(name=workflow_id), record=False)
    return workflow_id


@scenario()
async def signalled(w: World) -> None:
    """A signal reaches an open workflow; both histories tell."""
    target = await other(w)
    await w.start()
    await w.step(v.signal_external(target, control="control"))
    await w.until(SIGNALED)
    await w.step(v.complete())
    await w.history()
    await w.history(target)


@scenario()
async def cancelled(w: World) -> None:
    """A cancel request reaches an open workflow, once."""
    target = await other(w)
    await w.start()
    await w.step(v.cancel_external(target))
    await w.until(CANCEL_REQUESTED)
    await w.step(v.cancel_external(target))
    await w.until(CANCEL_REQUESTED, count=2)
    await w.history()
    await w.history(target)


@scenario()
async def closed_targets(w: World) -> None:
    """Closed and unknown targets: a signal fails, a cancel request of a closed workflow succeeds."""
    target = await other(w)
    await w.terminate(target)
    await w.start()
    await w.step(v.signal_external(target))
    await w.until(SIGNAL_FAILED)
    await w.step(v.cancel_external(target))
    await w.until(CANCEL_REQUESTED)
    await w.step(v.signal_external(w.name("unknown")))
    await w.until(SIGNAL_FAILED, count=2)
    await w.step(v.cancel_external(w.name("unknown")))
    await w.until(CANCEL_FAILED)
    await w.history()


@scenario()
async def to_itself(w: World) -> None:
    """A workflow cannot signal or cancel itself by its id alone."""
    await w.start()
    await w.step(v.signal_external(w.wid))
    await w.until(SIGNAL_FAILED)
    await w.step(v.cancel_external(w.wid))
    await w.until(CANCEL_FAILED)
    await w.history()


@scenario()
async def only_children(w: World) -> None:
    """With child_workflow_only a stranger is out of reach."""
    target = await other(w)
    await w.start()
    await w.step(v.signal_external(target, child_workflow_only=True))
    await w.until(SIGNAL_FAILED)
    await w.step(v.cancel_external(target, child_workflow_only=True))
    await w.until(CANCEL_FAILED)
    await w.history()
    await w.history(target)


@scenario()
async def lost_with_a_close(w: World) -> None:
    """A message that is asked for together with a close is never sent."""
    target = await other(w)
    await w.start()
    await w.step(v.signal_external(target), v.cancel_external(target), v.complete())
    await w.history()
    await w.history(target)


@scenario()
async def signal_of_a_child(w: World) -> None:
    """A child may be signalled in the very task that starts it."""
    child = w.name("child")
    await w.start()
    await w.step(v.child(child, task_queue=TaskQueue(name=child)), v.timer("t", 60))
    await w.until(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
    await w.step(v.signal_external(child, child_workflow_only=True))
    await w.until(SIGNALED)
    await w.until(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, child)
    await w.history()
    await w.history(child)
