"""Workflow tasks: tokens, failures, attempts, timeouts, heartbeats."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure, ServerFailureInfo
from temporalio.api.sdk.v1 import WorkflowTaskCompletedMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World


@scenario()
async def poll_errors(w: World) -> None:
    """Polls that cannot be served."""
    await w.poll(task_queue=None)
    await w.poll(task_queue=TaskQueue())
    await w.poll(task_queue=TaskQueue(name="q" * 1001))
    await w.poll(namespace="nope-ns")
    await w.poll(namespace="")
    await w.poll(identity="i" * 1001)
    await w.poll(seconds=1)
    await w.poll_activity(seconds=1)
    await w.poll_activity(task_queue=None)
    await w.poll_activity(task_queue=TaskQueue())
    await w.poll_activity(namespace="nope-ns")


@scenario()
async def poll_without_deadline(w: World) -> None:
    """A poll must have a deadline."""
    await w.call("PollWorkflowTaskQueue", api.PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=w.queue)), None)
    await w.call("PollActivityTaskQueue", api.PollActivityTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=w.queue)), None)


@scenario()
async def empty_poll(w: World) -> None:
    """A poll with nothing to do answers before the client's deadline, with nothing."""
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(w.poll(seconds=3), w.poll_activity(seconds=3))
    w.note("seconds", round(asyncio.get_running_loop().time() - begun))


@scenario()
async def token_errors(w: World) -> None:
    """Empty, garbage and foreign task tokens."""
    await w.start()
    task = await w.poll(record=False)
    for token in (b"", b"garbage"):
        await w.complete(token, v.complete())
        await w.fail_task(token)
        for what in ("Completed", "Failed", "Canceled", "Heartbeat"):
            await w.activity(what, token)
    await w.complete(task, v.complete(), namespace="temporal-system")
    await w.complete(task, v.complete(), namespace="nope-ns")
    await w.fail_task(task, namespace="temporal-system")
    await w.activity("Completed", task.task_token, namespace="temporal-system")
    await w.complete(task, v.complete(), identity="i" * 1001)
    await w.complete(task, v.complete(), namespace="")
    await w.history()


@scenario()
async def answered_twice(w: World) -> None:
    """A workflow task completed twice, failed after completion, and answered after the workflow closed."""
    await w.start()
    task = await w.poll()
    await w.complete(task, v.timer("t", 60))
    await w.complete(task, v.complete())
    await w.fail_task(task)
    await w.signal()
    task = await w.poll()
    await w.terminate()
    await w.complete(task, v.complete())
    await w.fail_task(task)
    await w.history()


@scenario()
async def completion_metadata(w: World) -> None:
    """What the completion says about the worker is written as it is."""
    await w.start()
    metadata = WorkflowTaskCompletedMetadata(core_used_flags=[1, 2], lang_used_flags=[3], sdk_name="x", sdk_version="1.0")
    await w.step(
        v.marker(), sdk_metadata=metadata, binary_checksum="checksum", metering_metadata={"nonfirst_local_activity_execution_attempts": 2}
    )
    await w.describe()
    await w.history()


@scenario()
async def failed_once(w: World) -> None:
    """A failed workflow task is written, and the next attempt is shown in the poll before it is written."""
    await w.start()
    task = await w.poll()
    await w.fail_task(task)
    await w.fail_task(task)
    await w.describe()
    await w.history()
    task = await w.poll()
    await w.describe()
    await w.history()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def failed_three_times(w: World) -> None:
    """Later failures write nothing; the attempt that succeeds is written with its number."""
    await w.start()
    for _ in range(3):
        task = await w.poll()
        await w.fail_task(task, cause="WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR")
    await w.history()
    task = await w.poll()
    await w.complete(task, v.timer("t", 60))
    await w.history()


@scenario()
async def signal_between_attempts(w: World) -> None:
    """A signal before a transient attempt starts makes it an ordinary first attempt again."""
    await w.start()
    await w.fail_task(await w.poll())
    await w.signal()
    await w.history()
    task = await w.poll()
    await w.history()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def signal_during_attempt(w: World) -> None:
    """A signal during a transient attempt is buffered; the failure writes it and attempts begin anew."""
    await w.start()
    await w.fail_task(await w.poll())
    task = await w.poll()
    await w.signal()
    await w.history()
    await w.fail_task(task)
    await w.history()
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def signal_during_attempt_that_completes(w: World) -> None:
    """A signal during a transient attempt comes after its completion."""
    await w.start()
    await w.fail_task(await w.poll())
    task = await w.poll()
    await w.signal()
    await w.complete(task, v.timer("t", 60))
    await w.history()
    await w.step(v.complete())
    await w.history()


@scenario()
async def terminate_transient(w: World) -> None:
    """Termination while a transient attempt runs, and while one waits."""
    await w.start()
    await w.fail_task(await w.poll())
    await w.poll()
    await w.terminate()
    await w.history()
    name = w.name("waiting")
    await w.start(workflow_id=name)
    await w.fail_task(await w.poll())
    await w.terminate(name)
    await w.history(name)


@scenario()
async def failure_too_large(w: World) -> None:
    """A failure above the limit is replaced; GRPC_MESSAGE_TOO_LARGE terminates the workflow."""
    await w.start()
    task = await w.poll()
    huge = Failure(message="m" * (v.BLOB_LIMIT + 1), server_failure_info=ServerFailureInfo())
    await w.fail_task(task, failure=huge)
    await w.history()
    task = await w.poll()
    await w.fail_task(task, cause="WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE")
    await w.history()
    await w.describe()


@scenario()
async def timed_out(w: World) -> None:
    """A workflow task that is not answered times out; the late answer is refused."""
    await w.start(workflow_task_timeout=v.seconds(1))
    task = await w.poll()
    await w.until(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
    await w.complete(task, v.complete())
    await w.history()
    again = await w.poll()
    await w.complete(task, v.complete())
    await w.complete(again, v.complete())
    await w.history()


@scenario()
async def timed_out_with_buffer(w: World) -> None:
    """A timeout writes what was buffered."""
    await w.start(workflow_task_timeout=v.seconds(1))
    await w.poll()
    await w.signal()
    await w.until(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
    await w.until(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, count=2)
    await w.history()
    await w.step(v.complete())
    await w.history()


@scenario()
async def forced_heartbeat(w: World) -> None:
    """force_create_new_workflow_task makes a new task, for this worker if it asks."""
    await w.start()
    task = await w.poll()
    await w.complete(task, force_create_new_workflow_task=True)
    task = await w.poll()
    reply = await w.complete(task, force_create_new_workflow_task=True, return_new_workflow_task=True)
    await w.describe()
    reply = await w.complete(reply.workflow_task, v.marker(), force_create_new_workflow_task=True, return_new_workflow_task=True)
    await w.complete(reply.workflow_task, v.complete(), return_new_workflow_task=True)
    await w.history()


@scenario()
async def forced_with_close(w: World) -> None:
    """A close wins over force_create_new_workflow_task."""
    await w.start()
    await w.step(v.complete(), force_create_new_workflow_task=True, return_new_workflow_task=True)
    await w.history()


@scenario()
async def returned_task(w: World) -> None:
    """return_new_workflow_task hands over the task that buffered events made; without need it is unset."""
    await w.start()
    task = await w.poll()
    await w.complete(task, v.timer("t", 60), return_new_workflow_task=True)
    await w.signal()
    task = await w.poll()
    await w.signal("two")
    reply = await w.complete(task, v.marker(), return_new_workflow_task=True)
    await w.complete(reply.workflow_task, v.complete(), return_new_workflow_task=True)
    await w.history()


@scenario()
async def sticky(w: World) -> None:
    """A sticky worker gets its next task on its own queue, with the new events only."""
    await w.start()
    own = w.name("sticky")
    await w.step(sticky=own)
    waiting = asyncio.create_task(w.poll(own))
    await asyncio.sleep(0.3)
    await w.signal()
    task = await waiting
    await w.history()
    await w.complete(task, v.timer("t", 1), sticky=own)
    task = await w.poll(own)
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def sticky_failure(w: World) -> None:
    """A failure while sticky clears stickiness, and is written without counting as an attempt."""
    await w.start()
    own = w.name("sticky")
    await w.step(sticky=own)
    waiting = asyncio.create_task(w.poll(own))
    await asyncio.sleep(0.3)
    await w.signal()
    await w.fail_task(await waiting)
    await w.history()
    task = await w.poll()
    await w.fail_task(task)
    await w.history()
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def sticky_timeout(w: World) -> None:
    """A sticky task that nobody takes goes to the normal queue after its timeout."""
    await w.start()
    own = w.name("sticky")
    task = await w.poll()
    attributes = api.RespondWorkflowTaskCompletedRequest().sticky_attributes
    attributes.worker_task_queue.name = own
    attributes.schedule_to_start_timeout.FromSeconds(1)
    await asyncio.gather(w.poll(own, seconds=3, record=False), w.complete(task, sticky_attributes=attributes))
    await w.signal()
    await w.history()
    await w.until(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def sticky_cleared(w: World) -> None:
    """A completion without sticky attributes, and ResetStickyTaskQueue, send the next task to the normal queue."""
    await w.start()
    await w.step(sticky=w.name("sticky"))
    request = api.ResetStickyTaskQueueRequest(namespace=w.namespace, execution=w.execution())
    await w.call("ResetStickyTaskQueue", request)
    await w.signal()
    await w.step(v.timer("t", 60), sticky=w.name("sticky"), force_create_new_workflow_task=True)
    await w.history()
    await w.terminate()
    await w.call("ResetStickyTaskQueue", request)
    for execution in (None, w.execution(""), w.execution(w.name("unknown"))):
        await w.call("ResetStickyTaskQueue", api.ResetStickyTaskQueueRequest(namespace=w.namespace, execution=execution))


@scenario()
async def shut_down(w: World) -> None:
    """ShutdownWorker answers, whatever it is told."""
    await w.start()
    await w.step(sticky=w.name("sticky"))
    fields = {"namespace": w.namespace, "sticky_task_queue": w.name("sticky"), "identity": "worker", "reason": "enough"}
    await w.call("ShutdownWorker", api.ShutdownWorkerRequest(**fields))
    await w.call("ShutdownWorker", api.ShutdownWorkerRequest(namespace="nope-ns", sticky_task_queue="s"))
    await w.call("ShutdownWorker", api.ShutdownWorkerRequest(namespace=w.namespace))


@scenario()
async def reported_problems(w: World) -> None:
    """After five failures in a row a search attribute says so, until a task is completed."""
    await w.start()
    causes = ("WORKFLOW_WORKER_UNHANDLED_FAILURE", "NON_DETERMINISTIC_ERROR")
    for number in range(6):
        task = await w.poll(record=False)
        await w.fail_task(task, cause=f"WORKFLOW_TASK_FAILED_CAUSE_{causes[number % 2]}")
        described = await w.describe(record=False)
        attributes = described.workflow_execution_info.search_attributes.indexed_fields
        w.note("problems", attributes.get("TemporalReportedProblems", None))
    await w.step()
    await w.describe()


@scenario()
async def reported_problems_of_another_kind(w: World) -> None:
    """What is reported is the last failure that history knows; signals in between do not end the row."""
    await w.start()
    for cause in ("NON_DETERMINISTIC_ERROR", "WORKFLOW_WORKER_UNHANDLED_FAILURE"):
        for _ in range(3):
            task = await w.poll(record=False)
            await w.fail_task(task, cause=f"WORKFLOW_TASK_FAILED_CAUSE_{cause}")
        await w.signal()
    await w.describe()
