"""Deleting runs, closed and running."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import EventType, ParentClosePolicy

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World

PAUSE = 2.0
"""The real server deletes a run that has closed this very moment much later than one that closed a while ago."""
UNKNOWN_RUN = "00000000-0000-4000-8000-000000000000"
SECONDS = 120.0


@scenario(seconds=SECONDS)
async def delete_errors(w: World) -> None:
    """Bad deletions."""
    await w.start()
    await w.delete("")
    await w.delete(workflow_execution=None)
    await w.delete(run_id="not a uuid")
    await w.delete(run_id=UNKNOWN_RUN)
    await w.delete(w.name("unknown"))
    await w.delete(w.name("unknown"), UNKNOWN_RUN)
    await w.delete(namespace="nope-ns")
    await w.delete(namespace="")
    await w.delete("i" * 1001)
    await w.history()


@scenario(seconds=SECONDS)
async def delete_closed(w: World) -> None:
    """A closed run is gone for every call; its id may be used again, whatever the reuse policy says."""
    run = await w.start()
    await w.step(v.complete())
    await asyncio.sleep(PAUSE)
    await w.delete()
    await w.until_gone(run.run_id)
    await w.describe(run_id=run.run_id)
    await w.describe()
    await w.history()
    await w.history(run_id=run.run_id)
    await w.signal()
    await w.cancel()
    await w.terminate()
    await w.query()
    await w.delete()
    await w.start(workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE")
    await w.describe()


@scenario(seconds=SECONDS)
async def delete_running(w: World) -> None:
    """A running run goes too; nothing of it is handed out any more."""
    run = await w.start()
    task = await w.poll()
    await w.delete()
    await w.until_gone(run.run_id)
    await w.complete(task, v.complete())
    await w.fail_task(task)
    await w.describe()
    await w.signal_with_start()
    await w.history()


@scenario(seconds=SECONDS)
async def delete_the_last_of_two(w: World) -> None:
    """The run before does not become the current one; it can be reached by its run id."""
    first = await w.start()
    await w.terminate()
    second = await w.start()
    await w.terminate()
    await asyncio.sleep(PAUSE)
    await w.delete(run_id=second.run_id)
    await w.until_gone(second.run_id)
    await w.describe()
    await w.terminate()
    await w.history(run_id=first.run_id)


@scenario(seconds=SECONDS)
async def delete_the_first_of_two(w: World) -> None:
    """The current run is not touched."""
    first = await w.start()
    await w.step(v.continue_as_new())
    await w.until(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
    await asyncio.sleep(PAUSE)
    await w.delete(run_id=first.run_id)
    await w.until_gone(first.run_id)
    await w.signal()
    await w.step(v.complete())
    await w.history()


@scenario(seconds=SECONDS)
async def delete_a_child(w: World) -> None:
    """The parent hears that its child was terminated, and the child is gone."""
    child = w.name("child")
    await w.start()
    await w.step(v.child(child))
    started = await w.until(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
    run_id = started.child_workflow_execution_started_event_attributes.workflow_execution.run_id
    await w.delete(child)
    closed = await w.until(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED)
    w.note("closed", closed.child_workflow_execution_terminated_event_attributes)
    await w.until_gone(run_id, child)
    await w.step(v.complete())


@scenario(seconds=SECONDS)
async def delete_a_parent(w: World) -> None:
    """Its children are treated as its close asks."""
    children = [w.name("terminated"), w.name("abandoned"), w.name("cancelled")]
    policies = [
        ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
        ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON,
        ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
    ]
    run = await w.start()
    await w.step(*(v.child(child, parent_close_policy=policy) for child, policy in zip(children, policies, strict=True)))
    await w.until(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, count=3)
    for child in children:
        await w.until(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, child)
    await w.delete()
    await w.until_gone(run.run_id)
    await w.until(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, children[0])
    await w.until(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, children[2])
    for child in children:
        await w.history(child)
    for _ in children[1:]:
        task = await w.step(v.complete(), queue=w.queue)
        w.remember(task.workflow_execution.workflow_id, task.workflow_execution.run_id)


@scenario(seconds=SECONDS)
async def a_deleted_target(w: World) -> None:
    """A workflow that was deleted cannot be signalled or cancelled by another."""
    target = w.name("target")
    run = await w.start(workflow_id=target)
    await w.delete(target)
    await w.until_gone(run.run_id, target)
    await w.start(task_queue={"name": w.name("other")})
    await w.step(v.signal_external(target), v.cancel_external(target), queue=w.name("other"))
    await w.until(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
    await w.until(EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
