"""Completion callbacks of updates."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.receiver import Receiver
from tests.oracle.registry import Difference, scenario
from tests.oracle.scenarios.callbacks import nexus, until_state
from tests.oracle.scenarios.updates import ACCEPTED, accept, idle, reject, respond, speak
from tests.oracle.world import World


async def update(w: World, receiver: Receiver, path: str, request_id: str | None = None, **fields: Any) -> Any:
    """Update the workflow and wait until it is accepted; `path` is where the callback goes."""
    request = Request(
        meta=Meta(update_id="u", identity="updater"),
        input=Input(name="change"),
        request_id=w.request_id() if request_id is None else request_id,
        completion_callbacks=[receiver.callback(path)],
        **fields,
    )
    wait = WaitPolicy(lifecycle_stage=ACCEPTED)
    whole = api.UpdateWorkflowExecutionRequest(namespace=w.namespace, workflow_execution=w.execution(), request=request, wait_policy=wait)
    return await w.call("UpdateWorkflowExecution", whole)


async def accepted(w: World, receiver: Receiver) -> None:
    """A workflow with an update that it has accepted and not answered, and its callback."""
    await idle(w)
    waiting = asyncio.create_task(update(w, receiver, "/update"))
    task = await w.poll(record=False)
    await w.complete(task, speak(accept(task)), messages=[accept(task)])
    await waiting


async def answer(w: World, *commands: Any) -> None:
    """Answer the update in the next task."""
    await w.signal()
    await w.step(speak(respond()), *commands, messages=[respond()])


@scenario()
async def of_an_update(w: World) -> None:
    """Its outcome is delivered, not the workflow's."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await accepted(w, receiver)
        await w.describe()
        await answer(w)
        w.note("delivered", (await receiver.delivered()).shown())
        await until_state(w, "SUCCEEDED")
        await w.history()


@scenario(
    Difference(
        "*.request_id_infos.request-3.*",
        "the reference server never notes where the event of a repeated update is, and calls it buffered for ever",
    )
)
async def of_an_update_that_is_repeated(w: World) -> None:
    """Each request leaves its own; the same request only once."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await accepted(w, receiver)
        again = w.request_id()
        await update(w, receiver, "/second", again)
        await update(w, receiver, "/second", again)
        await w.describe()
        await answer(w)
        await receiver.delivered(2)
        for delivery in sorted(receiver.deliveries, key=lambda delivery: delivery.path):
            w.note("delivered", delivery.shown())
        await update(w, receiver, "/late")
        await w.history()
        await w.describe()


@scenario()
async def of_an_update_that_never_ends(w: World) -> None:
    """The workflow completes first."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await accepted(w, receiver)
        await w.signal()
        await w.step(v.complete())
        w.note("delivered", (await receiver.delivered()).shown())
        await until_state(w, "SUCCEEDED")


@scenario()
async def of_an_update_when_continued_as_new(w: World) -> None:
    """Told at once; the next run knows nothing of the update."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await accepted(w, receiver)
        first = await w.describe(record=False)
        await w.signal()
        await w.step(v.continue_as_new())
        w.note("delivered", (await receiver.delivered()).shown())
        await until_state(w, "SUCCEEDED", run_id=first.workflow_execution_info.execution.run_id)
        await w.until(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
        await w.describe()


@scenario()
async def of_an_update_that_is_rejected(w: World) -> None:
    """Nothing is kept, nothing is told."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await idle(w)
        waiting = asyncio.create_task(update(w, receiver, "/update"))
        task = await w.poll(record=False)
        await w.complete(task, messages=[reject(task)])
        await waiting
        await w.describe()
        await w.terminate()
        w.note("deliveries", len(receiver.deliveries))


@scenario(
    Difference(
        "3 UpdateWorkflowExecution.error.*",
        "the reference server waits for the update and does not look at the address; we let callbacks go nowhere that is not allowed",
    )
)
async def of_an_update_that_is_refused(w: World) -> None:
    """Without a request id, or to an address that is not allowed."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await idle(w)
        await update(w, receiver, "/update", "")
        elsewhere = Request(
            meta=Meta(update_id="u"), input=Input(name="change"), request_id="r", completion_callbacks=[nexus("http://elsewhere.example/x")]
        )
        await w.call(
            "UpdateWorkflowExecution",
            api.UpdateWorkflowExecutionRequest(namespace=w.namespace, workflow_execution=w.execution(), request=elsewhere),
            seconds=2,
        )
