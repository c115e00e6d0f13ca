"""Completion callbacks: who may attach them, where they are shown, and what they deliver."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.common.v1 import Callback, Link, Payload, Payloads
from temporalio.api.enums.v1 import CallbackState, EventType, WorkflowIdConflictPolicy
from temporalio.api.workflow.v1 import OnConflictOptions
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.receiver import WAIT_SECONDS, Answer, Receiver
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import STEP_SECONDS, World

USE_EXISTING = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
ATTACH = OnConflictOptions(attach_request_id=True, attach_completion_callbacks=True, attach_links=True)


def nexus(url: str, **header: str) -> Callback:
    return Callback(nexus=Callback.Nexus(url=url, header=header))


async def until_state(w: World, state: str, run_id: str = "", count: int = 1) -> None:
    """Wait until so many callbacks are in a state, and record the description then."""
    wanted = CallbackState.Value(f"CALLBACK_STATE_{state}")
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            described = await w.describe(run_id=run_id, record=False)
            if sum(info.state == wanted for info in described.callbacks) >= count:
                break
            await asyncio.sleep(STEP_SECONDS)
    await w.describe(run_id=run_id)


async def deliver(w: World, *commands: Any, callbacks: int = 1, **fields: Any) -> Receiver:
    """Run a workflow with a callback to its end, and record what is delivered."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await w.start(completion_callbacks=[receiver.callback(Token="secret", Other="x")], **fields)
        if commands:
            await w.step(*commands)
        else:
            await w.terminate()
        w.note("delivered", (await receiver.delivered()).shown())
        await until_state(w, "SUCCEEDED")
    return receiver


@scenario()
async def a_result(w: World) -> None:
    """Standing by while the workflow runs; its result is delivered when it completes."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await w.start(completion_callbacks=[receiver.callback(Token="secret")])
        await w.describe()
        await w.step(v.complete())
        w.note("delivered", (await receiver.delivered()).shown())
        await until_state(w, "SUCCEEDED")
    await w.history()


@scenario()
async def no_result(w: World) -> None:
    """A workflow that completes with nothing."""
    await deliver(w, v.of("COMPLETE_WORKFLOW_EXECUTION"))


@scenario()
async def results_of_several_kinds(w: World) -> None:
    """How payloads become HTTP contents; of several only the first."""
    kinds = (
        Payload(metadata={"encoding": b"binary/plain"}, data=b"raw"),
        Payload(metadata={"encoding": b"binary/null"}),
        Payload(metadata={"encoding": b"json/protobuf", "messageType": b"a.B"}, data=b"{}"),
        Payload(metadata={"encoding": b"binary/protobuf", "messageType": b"a.B"}, data=b"x"),
        Payload(metadata={"encoding": b"json/plain", "other": b"o"}, data=b"1"),
        Payload(metadata={"encoding": b"unknown/nexus-content", "type": b"text/plain", "language": b"en"}, data=b"hi"),
        Payload(data=b"bare"),
    )
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        for number, kind in enumerate(kinds, 1):
            await w.start(record=False, completion_callbacks=[receiver.callback(f"/{number}")])
            await w.step(v.of("COMPLETE_WORKFLOW_EXECUTION", result=Payloads(payloads=[kind, v.payload("second")])))
            w.note("delivered", (await receiver.delivered(number)).shown())


@scenario()
async def a_failure(w: World) -> None:
    """The whole failure, with its cause."""
    failure = v.failure("broken", details=v.payloads("d"))
    failure.cause.CopyFrom(v.failure("deeper"))
    failure.stack_trace = "trace"
    await deliver(w, v.of("FAIL_WORKFLOW_EXECUTION", failure=failure))


@scenario()
async def a_cancellation(w: World) -> None:
    """With the details of the workflow."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await w.start(completion_callbacks=[receiver.callback()])
        await w.cancel()
        await w.step(v.of("CANCEL_WORKFLOW_EXECUTION", details=v.payloads("why")))
        w.note("delivered", (await receiver.delivered()).shown())


@scenario(
    Difference(
        "3 DescribeWorkflowExecution.reply.pending_workflow_task",
        "the workflow task of a run that was terminated before a worker took it is forgotten, not pending for ever",
    )
)
async def a_termination(w: World) -> None:
    """Reason and details stay inside."""
    await deliver(w)


@scenario()
async def a_timeout(w: World) -> None:
    """Of the run."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await w.start(completion_callbacks=[receiver.callback()], workflow_run_timeout=v.seconds(1))
        w.note("delivered", (await receiver.delivered()).shown())


@scenario()
async def attached_on_conflict(w: World) -> None:
    """A second start leaves its callback with the run that is there, once."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await w.start(completion_callbacks=[receiver.callback("/first")])
        request = w.request_id()
        second: dict[str, Any] = {
            "request_id": request,
            "completion_callbacks": [receiver.callback("/second")],
            "workflow_id_conflict_policy": USE_EXISTING,
            "on_conflict_options": ATTACH,
        }
        await w.start(**second)
        await w.start(**second)
        await w.start(completion_callbacks=[receiver.callback("/third")], workflow_id_conflict_policy=USE_EXISTING)
        await w.describe()
        await w.step(v.complete())
        await receiver.delivered(2)
        for delivery in sorted(receiver.deliveries, key=lambda delivery: delivery.path):
            w.note("delivered", delivery.shown())
        await until_state(w, "SUCCEEDED", count=2)
        await w.history()


@scenario()
async def attached_while_a_task_runs(w: World) -> None:
    """The event waits until the task ends; the callback is there at once."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await w.start()
        task = await w.poll(record=False)
        await w.start(
            completion_callbacks=[receiver.callback("/second")], workflow_id_conflict_policy=USE_EXISTING, on_conflict_options=ATTACH
        )
        await w.describe()
        await w.complete(task, v.timer("t", 60))
        await w.describe()
        await w.step(v.complete())
        w.note("delivered", (await receiver.delivered()).shown())
        await w.history()


@scenario()
async def answers_that_are_tried_again(w: World) -> None:
    """An error of the receiver's, then an unknown one, then success."""
    answers = (
        Answer("500 Internal Server Error"),
        Answer("400 Bad Request", {"nexus-request-retryable": "true", "Content-Type": "application/json"}, b'{"message": "not now"}'),
    )
    async with Receiver(*answers) as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await w.start(completion_callbacks=[receiver.callback()])
        await w.step(v.complete())
        await receiver.delivered(1)
        await until_state(w, "BACKING_OFF")
        await receiver.delivered(2)
        await until_state(w, "BACKING_OFF")
        await receiver.delivered(3)
        await until_state(w, "SUCCEEDED")


async def _refused(w: World, answer: Answer, state: str) -> None:
    async with Receiver(answer) as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        await w.start(record=False, workflow_id=w.wid, completion_callbacks=[receiver.callback()])
        await w.step(v.complete())
        await until_state(w, state)


@scenario()
async def answers_that_end_it(w: World) -> None:
    """What the receiver will never take is not sent again."""
    for status in ("400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "501 Not Implemented", "409 Conflict"):
        await _refused(w, Answer(status), "FAILED")
    said = b'{"message": "no", "metadata": {"type": "nexus.HandlerError"}, "details": {"type": "BAD_REQUEST"}}'
    await _refused(w, Answer("400 Bad Request", {"Content-Type": "application/json"}, said), "FAILED")
    await _refused(w, Answer("404 Not Found", {"Content-Type": "application/json"}, b'{"message": "gone"}'), "FAILED")
    await _refused(w, Answer("500 Internal Server Error", {"nexus-request-retryable": "false"}), "FAILED")


@scenario()
async def answers_that_leave_hope(w: World) -> None:
    """What may be different next time is tried again."""
    for status in ("408 Request Timeout", "429 Too Many Requests", "503 Service Unavailable", "520 Upstream Timeout", "418 I'm a teapot"):
        await _refused(w, Answer(status), "BACKING_OFF")
    said = b'{"message": "no", "metadata": {"type": "nexus.HandlerError"}, "details": {"type": "BAD_REQUEST", "retryableOverride": true}}'
    await _refused(w, Answer("400 Bad Request", {"Content-Type": "application/json"}, said), "BACKING_OFF")
    await _refused(w, Answer("302 Found", {"Location": "/there"}), "SUCCEEDED")


@scenario()
async def carried_on_continue_as_new(w: World) -> None:
    """They stand by until the last run of the chain is over."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        first = await w.start(completion_callbacks=[receiver.callback()])
        await w.step(v.continue_as_new())
        await w.describe(run_id=first.run_id)
        await w.until(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
        await w.describe()
        await w.step(v.complete())
        w.note("delivered", (await receiver.delivered()).shown())
        await w.history(run_id=first.run_id)
        await w.history()


@scenario()
async def carried_on_retry(w: World) -> None:
    """A failed attempt delivers nothing; one attached later comes along too."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        first = await w.start(completion_callbacks=[receiver.callback()], retry_policy=v.retry(attempts=2))
        await w.step(v.fail())
        await w.step(v.fail())
        w.note("delivered", (await receiver.delivered()).shown())
        await w.describe(run_id=first.run_id)
        await w.history()


@scenario()
async def cron_delivers_after_each_completion(w: World) -> None:
    """The next run of a schedule has none."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        first = await w.start(completion_callbacks=[receiver.callback()], cron_schedule="@every 1s")
        await w.step(v.complete())
        w.note("delivered", (await receiver.delivered()).shown())
        await until_state(w, "SUCCEEDED", run_id=first.run_id)
        await w.history(run_id=first.run_id)
        await w.terminate()


@scenario()
async def a_reset_keeps_them_waiting(w: World) -> None:
    """The run that was reset delivers nothing; the new one does."""
    async with Receiver() as receiver:
        w.hide(f"127.0.0.1:{receiver.port}", "<receiver>")
        first = await w.start(completion_callbacks=[receiver.callback()])
        await w.step(v.timer("t", 60))
        await w.start(
            completion_callbacks=[receiver.callback("/later")], workflow_id_conflict_policy=USE_EXISTING, on_conflict_options=ATTACH
        )
        request = api.ResetWorkflowExecutionRequest(
            namespace=w.namespace,
            workflow_execution=w.execution(run_id=first.run_id),
            reason="again",
            workflow_task_finish_event_id=4,
            request_id=w.request_id(),
        )
        await w.call("ResetWorkflowExecution", request)
        await w.describe(run_id=first.run_id)
        await w.describe()
        await w.step(v.complete())
        await receiver.delivered(2)
        for delivery in sorted(receiver.deliveries, key=lambda delivery: delivery.path):
            w.note("delivered", delivery.shown())
        await w.history()


@scenario()
async def refused_at_start(w: World) -> None:
    """Addresses, headers and numbers that are not allowed."""
    link = Link(workflow_event=Link.WorkflowEvent(namespace="n", workflow_id="w"))
    for callback in (
        nexus("http://elsewhere.example/x"),
        nexus("https://127.0.0.1/x"),
        nexus("ftp://127.0.0.1:1/x"),
        nexus("127.0.0.1:1"),
        nexus(""),
        nexus("http:///x"),
        nexus("http://127.0.0.1:1/\x7f"),
        nexus("http://127.0.0.1:1/" + "x" * 1000),
        nexus("http://127.0.0.1:1/x", big="x" * 8200),
        nexus("temporal://system/x"),
        Callback(),
        Callback(nexus=Callback.Nexus(url="http://127.0.0.1:1/x"), links=[link]),
    ):
        await w.start(completion_callbacks=[callback])
    await w.start(completion_callbacks=[nexus("http://127.0.0.1:1/x")] * 33)
    await w.start(
        completion_callbacks=[nexus("http://127.0.0.1:1/x")], on_conflict_options=OnConflictOptions(attach_completion_callbacks=True)
    )


@scenario()
async def links_of_callbacks(w: World) -> None:
    """A link of the request that a callback has too is left out."""
    link = Link(workflow_event=Link.WorkflowEvent(namespace="n", workflow_id="w", run_id="r"))
    other = Link(workflow_event=Link.WorkflowEvent(namespace="n", workflow_id="w", run_id="s"))
    callback = Callback(nexus=Callback.Nexus(url="http://127.0.0.1:1/x", header={"KEY": "Value"}), links=[link])
    await w.start(completion_callbacks=[callback], links=[link, other])
    await w.history()
    await w.describe()
    await w.start(completion_callbacks=[callback] * 11, workflow_id=w.name("many"))


@scenario()
async def the_most_of_them(w: World) -> None:
    """Thirty-two with a start; more may be attached later."""
    callback = nexus("http://127.0.0.1:1/x")
    await w.start(completion_callbacks=[callback] * 32)
    await w.start(completion_callbacks=[callback] * 32, workflow_id_conflict_policy=USE_EXISTING, on_conflict_options=ATTACH)
    described = await w.describe(record=False)
    w.note("callbacks", len(described.callbacks))


@scenario()
async def addresses_of_the_server_itself(w: World) -> None:
    """Always accepted. Where no operation waits they lead nowhere."""
    await w.start(completion_callbacks=[nexus("temporal://system")])
    await w.step(v.complete())
    await until_state(w, "FAILED")
