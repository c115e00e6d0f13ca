"""Build ids: which version of the worker's code did what, without routing by it."""

from __future__ import annotations

from temporalio.api.common.v1 import WorkerVersionCapabilities, WorkerVersionStamp

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World


def polled_by(build_id: str) -> WorkerVersionCapabilities:
    """What a poll says of its worker."""
    return WorkerVersionCapabilities(build_id=build_id)


def done_by(build_id: str) -> WorkerVersionStamp:
    """What an answer says of its worker."""
    return WorkerVersionStamp(build_id=build_id)


@scenario()
async def noted(w: World) -> None:
    """Each event of a task, each reset point and the description name the build id of the worker."""
    await w.start()
    first = await w.poll(worker_version_capabilities=polled_by("1.0"))
    await w.complete(first, v.timer("t", 60), worker_version_stamp=done_by("1.0"))
    await w.signal()
    await w.step(worker_version_stamp=done_by("1.0"))
    await w.describe()
    await w.signal()
    failing = await w.poll(worker_version_capabilities=polled_by("1.1"))
    await w.fail_task(failing, worker_version=done_by("1.1"))
    again = await w.poll(worker_version_capabilities=polled_by("1.2"))
    await w.complete(again, v.marker(), worker_version_stamp=done_by("1.2"))
    await w.signal()
    unnamed = await w.poll()
    await w.complete(unnamed, v.complete())
    await w.history()
    await w.describe()


@scenario()
async def of_refused_commands(w: World) -> None:
    """A completion that cannot be accepted is the failure of that worker's task."""
    await w.start()
    task = await w.poll(worker_version_capabilities=polled_by("1.0"))
    await w.complete(task, v.timer("", 60), worker_version_stamp=done_by("1.0"))
    await w.history()
    await w.describe()


@scenario()
async def of_tasks_that_come_back_at_once(w: World) -> None:
    """The next workflow task, taken with the completion of the last one, is that worker's."""
    await w.start()
    task = await w.poll(worker_version_capabilities=polled_by("1.0"))
    await w.complete(
        task,
        sticky=w.name("sticky"),
        worker_version_stamp=done_by("1.0"),
        force_create_new_workflow_task=True,
        return_new_workflow_task=True,
    )
    await w.history()


@scenario()
async def of_activities(w: World) -> None:
    """An activity's events name the build id of the worker that ran it, but not if it came with the completion."""
    await w.start()
    task = await w.poll(worker_version_capabilities=polled_by("1.0"))
    await w.complete(
        task,
        v.activity("a", w.queue),
        v.activity("eager", w.queue, request_eager_execution=True),
        v.activity("pending", w.name("other"), retry_policy=v.retry(initial=60)),
        worker_version_stamp=done_by("1.0"),
    )
    started = await w.poll_activity(worker_version_capabilities=polled_by("2.0"))
    await w.activity("Completed", started, worker_version=done_by("2.0"))
    failing = await w.poll_activity(w.name("other"), worker_version_capabilities=polled_by("2.1"))
    await w.activity("Failed", failing, worker_version=done_by("2.1"))
    await w.activity("Completed", by_id="eager")
    await w.describe()
    await w.history()


@scenario()
async def of_a_chain(w: World) -> None:
    """What a run has seen of build ids goes on to its successor, or does not."""
    first = await w.start()
    task = await w.poll(worker_version_capabilities=polled_by("1.0"))
    await w.complete(task, v.continue_as_new(), worker_version_stamp=done_by("1.0"))
    await w.describe()
    second = await w.poll(worker_version_capabilities=polled_by("1.1"))
    await w.complete(second, v.complete(), worker_version_stamp=done_by("1.1"))
    await w.describe()
    await w.history(run_id=first.run_id)
    await w.history()
