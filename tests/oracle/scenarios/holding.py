"""Workflows that are held, let go on, and changed."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api import workflowservice
from temporalio.api.workflow.v1 import WorkflowExecutionOptions

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

api = workflowservice.v1


async def pause(w: World, **fields: Any) -> Any:
    usual = {"namespace": w.namespace, "workflow_id": w.wid, "identity": "pauser", "reason": "look", "request_id": w.request_id()}
    return await w.call("PauseWorkflowExecution", api.PauseWorkflowExecutionRequest(**(usual | fields)))


async def unpause(w: World, **fields: Any) -> Any:
    usual = {"namespace": w.namespace, "workflow_id": w.wid, "identity": "pauser", "reason": "seen", "request_id": w.request_id()}
    return await w.call("UnpauseWorkflowExecution", api.UnpauseWorkflowExecutionRequest(**(usual | fields)))


@scenario()
async def before_the_first_task(w: World) -> None:
    """A task that nobody has taken is taken back; there is a new one after the unpause."""
    await w.start()
    await pause(w)
    await w.describe()
    await w.history()
    await w.signal()
    await w.history()
    await unpause(w)
    await w.describe()
    await w.step(v.complete())
    await w.history()


@scenario()
async def with_a_started_task(w: World) -> None:
    """A started task goes on to its end."""
    await w.start()
    task = await w.poll()
    await pause(w)
    await w.describe()
    await w.history()
    await w.complete(task, v.timer("t", 60), force_create_new_workflow_task=True)
    await w.complete(task, v.timer("t", 60))
    await w.history()
    await unpause(w)
    await w.step(v.complete())
    await w.history()


@scenario()
async def activities_wait(w: World) -> None:
    """Activities are handed out after the unpause only; one that runs may complete."""
    await w.start()
    await w.step(v.activity("a", w.queue), v.activity("b", w.name("other")))
    task = await w.poll_activity(record=False)
    await pause(w)
    await w.poll_activity(queue=w.name("other"), seconds=3)
    await w.activity("Completed", task)
    await w.history()
    await unpause(w)
    await w.poll_activity(queue=w.name("other"), record=False)
    await w.history()


@scenario()
async def timers_fire(w: World) -> None:
    """Timers fire while a workflow is held, unseen."""
    await w.start()
    await w.step(v.timer("t", 1))
    await pause(w)
    await asyncio.sleep(2.5)
    await w.history()
    await unpause(w)
    await w.step(v.complete())
    await w.history()


@scenario()
async def twice(w: World) -> None:
    """A second pause is refused, unless it is the same request; an unpause of a running workflow too."""
    await w.start()
    await unpause(w)
    await pause(w, request_id=w.name("same"))
    await pause(w, request_id=w.name("same"))
    await pause(w)
    await w.cancel()
    await w.history()
    await w.terminate()
    await pause(w)
    await unpause(w)
    await w.history()


@scenario()
async def queries_and_updates(w: World) -> None:
    """A held workflow answers no query and takes no update."""
    await w.start()
    await w.step(v.timer("t", 60))
    await pause(w)
    await w.query()
    update = {"meta": {"update_id": "u"}, "input": {"name": "change"}}
    request = api.UpdateWorkflowExecutionRequest(namespace=w.namespace, workflow_execution=w.execution(), request=update)
    await w.call("UpdateWorkflowExecution", request, seconds=5)


@scenario()
async def errors(w: World) -> None:
    """Bad pauses."""
    await w.start()
    for fields in (
        {"workflow_id": ""},
        {"workflow_id": w.name("unknown")},
        {"run_id": "not a uuid"},
        {"reason": "r" * 1001},
        {"request_id": "r" * 1001},
        {"identity": "i" * 1001},
        {"namespace": "nope-ns"},
        {"namespace": ""},
    ):
        await pause(w, **fields)
        await unpause(w, **fields)


async def change(w: World, paths: list[str] | None, options: Any, **fields: Any) -> Any:
    usual = {
        "namespace": w.namespace,
        "workflow_execution": w.execution(),
        "workflow_execution_options": options,
        "update_mask": FieldMask(paths=paths) if paths is not None else None,
        "identity": "changer",
    }
    request = api.UpdateWorkflowExecutionOptionsRequest(**{key: value for key, value in (usual | fields).items() if value is not None})
    return await w.call("UpdateWorkflowExecutionOptions", request)


@scenario(
    Difference(
        "* UpdateWorkflowExecutionOptions.reply.workflow_execution_options.priority",
        "the real server answers as if the priority were cleared, but its event cannot say so; here the answer is what holds",
    )
)
async def options(w: World) -> None:
    """Options are changed as the mask says; what stays as it was leaves no event."""
    await w.start(priority={"priority_key": 2})
    given = WorkflowExecutionOptions(priority={"priority_key": 4, "fairness_key": "f"})
    await change(w, ["priority.priority_key"], given)
    await change(w, ["priority.priority_key"], given)
    await change(w, ["priority"], given)
    await change(w, ["priority"], WorkflowExecutionOptions())
    await change(w, [], given)
    await w.describe()
    await w.history()
    await w.terminate()
    await change(w, ["priority"], given)


@scenario()
async def options_errors(w: World) -> None:
    """Bad changes of options."""
    await w.start()
    given = WorkflowExecutionOptions(priority={"priority_key": 4})
    await change(w, None, given)
    await change(w, ["priority"], None)
    await change(w, ["bogus"], given)
    await change(w, ["priority.bogus"], given)
    await change(w, ["priority"], WorkflowExecutionOptions(priority={"priority_key": -1}))
    await change(w, ["priority"], given, workflow_execution=w.execution(w.name("unknown")))
    await change(w, ["priority"], given, workflow_execution=None)
    await change(w, ["priority"], given, namespace="nope-ns")
