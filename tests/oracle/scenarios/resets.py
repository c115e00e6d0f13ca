"""Resets: a new run with the start of an old one's history."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api import workflowservice
from temporalio.api.common.v1 import Priority, TimeSkippingConfig
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Acceptance
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.scenarios.updates import accept, asked, respond, said, speak
from tests.oracle.world import World

api = workflowservice.v1
GHOST = Difference(
    "* DescribeWorkflowExecution.reply.pending_workflow_task",
    "the real server goes on to show a workflow task that nobody can take any more; a closed workflow has none",
)
STARTED = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED


async def reset(w: World, finish_id: int, **fields: Any) -> Any:
    """Reset the scenario's workflow; the reply."""
    usual = {
        "namespace": w.namespace,
        "workflow_execution": w.execution(),
        "reason": "another way",
        "workflow_task_finish_event_id": finish_id,
        "request_id": w.request_id(),
        "identity": "resetter",
    }
    request = api.ResetWorkflowExecutionRequest(**{key: value for key, value in (usual | fields).items() if value is not None})
    reply = await w.call("ResetWorkflowExecution", request)
    if reply:
        w.remember(request.workflow_execution.workflow_id, reply.run_id)
    return reply


async def both(w: World, first: Any) -> None:
    """Record the old and the new run."""
    await w.history(run_id=first.run_id)
    await w.history()
    await w.describe(run_id=first.run_id)
    await w.describe()


@scenario(GHOST)
async def open_workflow(w: World) -> None:
    """An open workflow is reset to its first task's completion; signals come along."""
    first = await w.start(input=v.payloads("input"), memo=v.memo(m=1))
    await w.step(v.timer("t", 60), v.marker())
    await w.signal("before")
    await reset(w, 4)
    await both(w, first)
    await w.step(v.complete())
    await w.history()


@scenario()
async def at_the_started_event(w: World) -> None:
    """The started event's id is as good: the server starts the task by itself."""
    first = await w.start()
    await w.step(v.timer("t", 60))
    await reset(w, 3)
    await both(w, first)


@scenario()
async def closed_workflow(w: World) -> None:
    """A closed workflow is reset."""
    first = await w.start()
    await w.step(v.marker(), force_create_new_workflow_task=True)
    await w.step(v.complete())
    await reset(w, 8)
    await both(w, first)
    await w.step(v.complete("this time"))
    await w.history()


@scenario(GHOST)
async def of_a_failed_task(w: World) -> None:
    """To the id of a failed workflow task."""
    first = await w.start()
    await w.fail_task(await w.poll())
    await reset(w, 4)
    await both(w, first)


@scenario()
async def with_a_started_task(w: World) -> None:
    """The worker's task is lost with the run; what was buffered is applied again."""
    first = await w.start()
    await w.step(v.timer("t", 60))
    await w.signal("first")
    task = await w.poll()
    await w.signal("second")
    await reset(w, 4)
    await w.complete(task, v.complete())
    await both(w, first)


@scenario()
async def activities_again(w: World) -> None:
    """Activities that were pending in the kept history are handed out again."""
    first = await w.start()
    await w.step(v.activity("a", w.queue), v.activity("b", w.name("other")), force_create_new_workflow_task=True)
    task = await w.poll_activity()
    await w.step(v.marker())
    await reset(w, 9)
    await w.activity("Completed", task)
    await w.poll_activity()
    await both(w, first)


@scenario()
async def timers_again(w: World) -> None:
    """A timer of the kept history fires in the new run."""
    first = await w.start()
    await w.step(v.timer("t", 2), force_create_new_workflow_task=True)
    await w.step(v.marker())
    await reset(w, 8)
    await w.until(EventType.EVENT_TYPE_TIMER_FIRED)
    await w.history()
    await w.history(run_id=first.run_id)


@scenario()
async def without_signals(w: World) -> None:
    """What is to come along can be excluded, in the new way and in the old one."""
    for number, fields in enumerate(
        (
            {"reset_reapply_exclude_types": ["RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL"]},
            {"reset_reapply_exclude_types": ["RESET_REAPPLY_EXCLUDE_TYPE_UPDATE"]},
            {"reset_reapply_type": "RESET_REAPPLY_TYPE_NONE"},
            {"reset_reapply_type": "RESET_REAPPLY_TYPE_SIGNAL"},
        )
    ):
        name, queue = w.name(f"wf-{number}"), w.name(f"queue-{number}")
        await w.start(workflow_id=name, task_queue=TaskQueue(name=queue), record=False)
        await w.step(v.timer("t", 60), queue=queue)
        await w.signal(workflow_id=name)
        await reset(w, 4, workflow_execution=w.execution(name), **fields)
        await w.history(name)


@scenario()
async def updates_again(w: World) -> None:
    """An update that was accepted is admitted again, and answered by the new run."""
    first = await w.start()
    await w.step(v.timer("t", 60))
    update = await asked(w)
    task = await w.poll()
    await w.complete(task, speak(accept(task)), speak(respond()), messages=[accept(task), respond()])
    await update
    await reset(w, 4)
    await both(w, first)
    task = await w.poll()
    await w.complete(task, speak(accept(task)), messages=[accept(task)])
    task = await w.poll()
    body = Acceptance(accepted_request_message_id="u/request", accepted_request_sequencing_event_id=5)
    accepted = said("u", body, "accept")
    await w.complete(task, speak(accepted), speak(respond()), messages=[accepted, respond()])
    await w.history()


@scenario()
async def along_a_chain(w: World) -> None:
    """Signals of later runs come along when an earlier one is reset."""
    first = await w.start()
    await w.step(v.marker(), force_create_new_workflow_task=True)
    await w.signal("to the first")
    await w.step(v.continue_as_new(backoff_start_interval=v.seconds(1)))
    await w.signal("to the second")
    await reset(w, 4, workflow_execution=w.execution(run_id=first.run_id))
    await w.history()
    await w.describe()


@scenario()
async def children_before(w: World) -> None:
    """A child of the kept history lives on, and its end reaches the new run."""
    child = w.name("child")
    first = await w.start(record=False)
    await w.step(v.child(child, task_queue=TaskQueue(name=child)))
    await w.until(STARTED)
    await w.step(v.marker())
    await reset(w, 9)
    await both(w, first)
    await w.step(v.complete("of the child"), queue=child)
    await w.until(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
    await w.history()


@scenario(GHOST)
async def children_after(w: World) -> None:
    """A child that the kept history did not ask for goes on alone."""
    child = w.name("child")
    first = await w.start(record=False)
    await w.step(v.marker(), force_create_new_workflow_task=True)
    await w.step(v.child(child, task_queue=TaskQueue(name=child)))
    await w.until(STARTED)
    await reset(w, 8)
    await w.step(v.child(child, task_queue=TaskQueue(name=child)))
    await w.until(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
    await both(w, first)
    await w.history(child)


@scenario()
async def child_started_later(w: World) -> None:
    """A child that was asked for in the kept history and started after it is not started twice."""
    child = w.name("child")
    first = await w.start(record=False)
    await w.step(v.child(child, task_queue=TaskQueue(name=child)), force_create_new_workflow_task=True)
    await w.until(STARTED)
    await w.step(v.marker())
    await reset(w, 4)
    await asyncio.sleep(0.5)
    await w.history()
    await w.history(run_id=first.run_id)


@scenario()
async def a_child_is_reset(w: World) -> None:
    """A parent hears of the end of the run that took its child's place, not of the reset."""
    child = w.name("child")
    await w.start(record=False)
    await w.step(v.child(child, task_queue=TaskQueue(name=child)))
    await w.until(STARTED)
    await w.step(v.marker())
    await w.step(v.marker(), queue=child, force_create_new_workflow_task=True)
    await reset(w, 4, workflow_execution=w.execution(child))
    await w.step(v.complete("at last"), queue=child)
    await w.until(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
    await w.history()
    await w.history(child)


@scenario()
async def twice(w: World) -> None:
    """A reset run is reset; the same request id makes another reset."""
    await w.start()
    await w.step(v.timer("t", 60))
    await reset(w, 4, request_id=w.name("same"))
    await w.step(v.timer("u", 60))
    await reset(w, 4, request_id=w.name("same"))
    await w.history()
    await w.describe()


@scenario()
async def timeouts(w: World) -> None:
    """The new run has its whole time before it."""
    await w.start(workflow_run_timeout=v.seconds(50), workflow_execution_timeout=v.seconds(100))
    await w.step(v.timer("t", 60))
    await asyncio.sleep(1.2)
    await reset(w, 4)
    described = await w.describe()
    info, extended = described.workflow_execution_info, described.workflow_extended_info
    start = info.start_time.ToNanoseconds()
    for name in ("run_expiration_time", "execution_expiration_time", "last_reset_time"):
        w.note(name, round((getattr(extended, name).ToNanoseconds() - start) / 1e9))
    w.note("started before", extended.original_start_time.ToNanoseconds() < start - 1e9)
    w.note("execution time", round((info.execution_time.ToNanoseconds() - start) / 1e9))


@scenario()
async def errors(w: World) -> None:
    """Bad resets."""
    await w.start()
    await w.step(v.timer("t", 60), v.marker())
    for finish_id in (0, 1, 2, 5, 6, 7, 99):
        await reset(w, finish_id)
    await reset(w, 4, request_id=None)
    await reset(w, 4, workflow_execution=None)
    await reset(w, 4, workflow_execution=w.execution(w.name("unknown")))
    await reset(w, 4, workflow_execution=w.execution(run_id="not a uuid"))
    await reset(w, 4, namespace="nope-ns")


def changes(options: WorkflowExecutionOptions, *paths: str) -> PostResetOperation:
    """New options for the new run."""
    made = PostResetOperation()
    made.update_workflow_options.workflow_execution_options.CopyFrom(options)
    if paths:
        made.update_workflow_options.update_mask.paths.extend(paths)
    return made


@scenario()
async def with_new_options(w: World) -> None:
    """Changed after everything is applied again, in order; what changes nothing is not written."""
    first = await w.start(priority=Priority(priority_key=2))
    await w.step(v.timer("t", 60))
    await w.signal()
    await w.step()
    important = changes(WorkflowExecutionOptions(priority=Priority(priority_key=5)), "priority")
    fair = changes(WorkflowExecutionOptions(priority=Priority(fairness_key="f")), "priority.fairness_key")
    skipping = changes(WorkflowExecutionOptions(time_skipping_config=TimeSkippingConfig(enabled=True)), "time_skipping_config")
    await reset(w, 4, post_reset_operations=[important, fair, important, fair, skipping])
    await w.step()
    await w.history()
    await w.describe()
    await w.history(run_id=first.run_id)


@scenario()
async def with_impossible_operations(w: World) -> None:
    """Other operations, and options that cannot be."""
    await w.start()
    await w.step(v.timer("t", 60))
    skipping = TimeSkippingConfig(enabled=False)
    skipping.fast_forward_config.id = "ff"
    skipping.fast_forward_config.duration.seconds = 1
    for operation in (
        PostResetOperation(),
        PostResetOperation(signal_workflow=PostResetOperation.SignalWorkflow(signal_name="sig", input=v.payloads("x"))),
        changes(WorkflowExecutionOptions(priority=Priority(priority_key=-1)), "priority"),
        changes(WorkflowExecutionOptions(priority=Priority(priority_key=1)), "nonsense"),
        changes(WorkflowExecutionOptions(time_skipping_config=skipping), "time_skipping_config"),
        changes(WorkflowExecutionOptions(time_skipping_config=TimeSkippingConfig(enabled=True)), "time_skipping_config.enabled"),
    ):
        await reset(w, 4, post_reset_operations=[operation])
    await reset(w, 99, post_reset_operations=[PostResetOperation()])
    await w.history()
