"""Child workflows: how they start, how they end, and what a parent's close does to them."""

from __future__ import annotations

from temporalio.api.common.v1 import RetryPolicy
from temporalio.api.enums.v1 import EventType, ParentClosePolicy
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World

STARTED = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
POLICIES = ("TERMINATE", "ABANDON", "REQUEST_CANCEL")


async def parent_of(w: World, **fields: object) -> str:
    """Start a parent whose child runs on a queue of its own; the child's id, once it has started."""
    child = w.name("child")
    await w.start(record=False)
    await w.step(v.child(child, task_queue=TaskQueue(name=child), **fields))
    await w.until(STARTED)
    return child


async def ended(w: World, kind: str) -> None:
    """Wait until the parent knows of the end of its child, and record what both know."""
    await w.until(EventType.Value(f"EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_{kind}"))
    await w.step(v.complete())
    await w.history()
    await w.history(w.name("child"))


@scenario()
async def completes(w: World) -> None:
    """A child completes."""
    child = await parent_of(w)
    await w.describe()
    await w.describe(child)
    await w.step(v.complete("child result"), queue=child)
    await ended(w, "COMPLETED")


@scenario()
async def fails(w: World) -> None:
    """A child fails."""
    child = await parent_of(w)
    await w.step(v.fail(), queue=child)
    await ended(w, "FAILED")


@scenario()
async def is_cancelled(w: World) -> None:
    """A parent cancels its child, which agrees."""
    child = await parent_of(w)
    await w.step(v.cancel_external(child, child_workflow_only=True))
    await w.until(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, child)
    await w.until(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    await w.step(v.timer("t", 60))
    await w.step(v.cancel(), queue=child)
    await ended(w, "CANCELED")


@scenario()
async def is_terminated(w: World) -> None:
    """Somebody terminates a child."""
    child = await parent_of(w)
    await w.terminate(child)
    await ended(w, "TERMINATED")


@scenario()
async def times_out(w: World) -> None:
    """A child's time is over."""
    await parent_of(w, workflow_run_timeout=v.seconds(1))
    await ended(w, "TIMED_OUT")


@scenario()
async def continues_as_new(w: World) -> None:
    """A parent hears of the last run of its child only."""
    child = await parent_of(w)
    await w.step(v.continue_as_new(), queue=child)
    await w.step(v.complete("of the second run"), queue=child)
    await ended(w, "COMPLETED")


@scenario()
async def is_retried(w: World) -> None:
    """A child with a retry policy fails for its parent once its attempts are used up."""
    child = await parent_of(w, retry_policy=v.retry(initial=1, attempts=2))
    await w.step(v.fail(), queue=child)
    await w.step(v.fail(), queue=child)
    await ended(w, "FAILED")


@scenario()
async def already_exists(w: World) -> None:
    """The id of an open workflow is taken."""
    taken = w.name("taken")
    await w.start(workflow_id=taken, task_queue=TaskQueue(name=taken), record=False)
    await w.start(record=False)
    await w.step(v.child(taken, control="control"))
    await w.until(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
    await w.step(v.complete())
    await w.history()


@scenario()
async def all_options(w: World) -> None:
    """What a start of a child hands on."""
    child = await parent_of(
        w,
        workflow_execution_timeout=v.seconds(60),
        workflow_run_timeout=v.seconds(50),
        workflow_task_timeout=v.seconds(7),
        retry_policy=RetryPolicy(maximum_attempts=3),
        memo=v.memo(m=1),
        search_attributes=v.search_attributes(OracleKeyword="gold"),
        control="control",
        priority={"priority_key": 2},
    )
    await w.history()
    await w.history(child)
    await w.describe(child)


@scenario()
async def close_policies(w: World) -> None:
    """What a parent's end does to its children, by each policy."""
    await w.start(record=False)
    names = {policy: w.name(policy) for policy in POLICIES}
    await w.step(
        *(
            v.child(
                name,
                task_queue=TaskQueue(name=name),
                parent_close_policy=ParentClosePolicy.Value(f"PARENT_CLOSE_POLICY_{policy}"),
            )
            for policy, name in names.items()
        )
    )
    await w.until(STARTED, count=3)
    await w.terminate()
    await w.until(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, names["TERMINATE"])
    await w.until(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, names["REQUEST_CANCEL"])
    for name in names.values():
        await w.history(name)


@scenario()
async def close_in_the_same_task(w: World) -> None:
    """A parent that closes in the task that asks for a child never gets it, whatever the policy."""
    await w.start(record=False)
    child = w.name("child")
    await w.step(v.child(child, parent_close_policy=ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON), v.complete())
    await w.history()
    await w.describe(child)


@scenario()
async def grandchildren(w: World) -> None:
    """A grandchild knows the root of its family."""
    child = await parent_of(w)
    grandchild = w.name("grandchild")
    await w.step(v.child(grandchild, task_queue=TaskQueue(name=grandchild)), queue=child)
    await w.until(STARTED, child)
    await w.history(grandchild)
    await w.describe(grandchild)
