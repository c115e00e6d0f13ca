"""Updates: accepted, rejected, answered late, sent again, aborted; and together with a start."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message as ProtoMessage
from temporalio.api import workflowservice
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Input, Meta, Outcome, Rejection, Request, Response, UpdateRef, WaitPolicy

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

api = workflowservice.v1
ACCEPTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
COMPLETED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
SETTLE = 0.3


def request(w: World, update_id: str = "u", stage: int = COMPLETED, workflow_id: str | None = None, **fields: Any) -> Any:
    """An update, to be waited for up to `stage`."""
    usual: dict[str, Any] = {
        "namespace": w.namespace,
        "workflow_execution": w.execution(workflow_id),
        "wait_policy": WaitPolicy(lifecycle_stage=stage),  # type: ignore[arg-type]
        "request": Request(meta=Meta(update_id=update_id, identity="updater"), input=Input(name="change", args=v.payloads("to"))),
    }
    return api.UpdateWorkflowExecutionRequest(**{key: value for key, value in (usual | fields).items() if value is not None})


async def asked(w: World, update_id: str = "u", stage: int = COMPLETED, **fields: Any) -> asyncio.Task[Any]:
    """Begin an update and let the server see it; what comes back is recorded."""
    task = asyncio.create_task(w.call("UpdateWorkflowExecution", request(w, update_id, stage, **fields), seconds=8))
    await asyncio.sleep(SETTLE)
    return task


def said(update_id: str, body: ProtoMessage, name: str) -> Message:
    packed = AnyMessage()
    packed.Pack(body)
    message = Message(id=f"{update_id}/{name}", protocol_instance_id=update_id)
    message.body.CopyFrom(packed)
    return message


def accept(task: Any, update_id: str = "u") -> Message:
    """The worker accepts the update that a task brought."""
    brought = next((message for message in task.messages if message.protocol_instance_id == update_id), Message())
    asked_for = Request()
    brought.body.Unpack(asked_for)
    body = Acceptance(
        accepted_request_message_id=brought.id,
        accepted_request_sequencing_event_id=brought.event_id,
        accepted_request=asked_for,
    )
    return said(update_id, body, "accept")


def respond(update_id: str = "u", outcome: Outcome | None = None) -> Message:
    """The worker answers an update."""
    body = Response(meta=Meta(update_id=update_id, identity="updater"), outcome=outcome or Outcome(success=v.payloads("changed")))
    return said(update_id, body, "complete")


def reject(task: Any, update_id: str = "u") -> Message:
    """The worker rejects an update."""
    brought = next(message for message in task.messages if message.protocol_instance_id == update_id)
    body = Rejection(
        rejected_request_message_id=brought.id,
        rejected_request_sequencing_event_id=brought.event_id,
        failure=v.failure("no such change"),
    )
    return said(update_id, body, "reject")


def speak(message: Message) -> Command:
    """The command that says where a message belongs."""
    return v.of("PROTOCOL_MESSAGE", message_id=message.id)


async def idle(w: World) -> None:
    """A workflow that waits for nothing in particular."""
    await w.start()
    await w.step(v.timer("t", 60))


async def poll_update(w: World, update_id: str = "u", stage: int = COMPLETED, seconds: float = 8) -> Any:
    reference = UpdateRef(workflow_execution=w.execution(), update_id=update_id)
    poll = api.PollWorkflowExecutionUpdateRequest(
        namespace=w.namespace,
        update_ref=reference,
        wait_policy=WaitPolicy(lifecycle_stage=stage),  # type: ignore[arg-type]
    )
    return await w.call("PollWorkflowExecutionUpdate", poll, seconds)


@scenario()
async def completed_at_once(w: World) -> None:
    """Accepted and answered in one task."""
    await idle(w)
    update = await asked(w)
    await w.describe()
    task = await w.poll()
    await w.complete(task, speak(accept(task)), speak(respond()), messages=[accept(task), respond()])
    await update
    await w.call("UpdateWorkflowExecution", request(w))
    await poll_update(w)
    await w.history()


@scenario()
async def of_a_worker_with_a_build_id(w: World) -> None:
    """The task that an update asked for is, when it is written, that of the worker that took it."""
    await idle(w)
    update = await asked(w)
    task = await w.poll(worker_version_capabilities={"build_id": "1.0"})
    done = {"messages": [accept(task), respond()], "worker_version_stamp": {"build_id": "1.0"}}
    await w.complete(task, speak(accept(task)), speak(respond()), **done)
    await update
    await w.history()


@scenario()
async def answered_later(w: World) -> None:
    """Accepted in one task, answered in another; waited for at each stage."""
    await idle(w)
    update = await asked(w, stage=ACCEPTED)
    task = await w.poll()
    await w.complete(task, speak(accept(task)), messages=[accept(task)])
    await update
    await poll_update(w, stage=ACCEPTED)
    await poll_update(w, stage=0)
    waiting = asyncio.create_task(poll_update(w))
    await w.signal()
    await w.step(speak(respond()), messages=[respond()])
    await waiting
    await w.call("UpdateWorkflowExecution", request(w, stage=ACCEPTED))
    await w.history()


@scenario()
async def fails(w: World) -> None:
    """The answer may be a failure."""
    await idle(w)
    update = await asked(w)
    task = await w.poll()
    answer = respond(outcome=Outcome(failure=v.failure("could not")))
    await w.complete(task, speak(accept(task)), speak(answer), messages=[accept(task), answer])
    await update
    await poll_update(w)
    await w.history()


@scenario()
async def rejected(w: World) -> None:
    """A rejection leaves no trace."""
    await idle(w)
    update = await asked(w)
    task = await w.poll()
    await w.complete(task, messages=[reject(task)])
    await update
    await poll_update(w)
    await w.history()
    await w.signal()
    await w.poll()
    await w.history()


@scenario()
async def rejected_in_a_normal_task(w: World) -> None:
    """A rejection in a task that history knows anyway."""
    await idle(w)
    await w.signal()
    update = await asked(w)
    task = await w.poll()
    await w.complete(task, messages=[reject(task)])
    await update
    await w.history()


@scenario()
async def unprocessed(w: World) -> None:
    """A worker that does not know updates says nothing."""
    await idle(w)
    update = await asked(w)
    task = await w.poll()
    await w.complete(task)
    await update
    await w.history()


@scenario()
async def in_the_first_task(w: World) -> None:
    """An update before any worker has seen the workflow rides on the first task."""
    await w.start()
    update = await asked(w)
    task = await w.poll()
    await w.complete(task, speak(accept(task)), speak(respond()), v.complete(), messages=[accept(task), respond()])
    await update
    await w.history()


@scenario()
async def while_a_task_is_started(w: World) -> None:
    """An update waits for the next task; with return_new_workflow_task that comes at once."""
    await w.start()
    task = await w.poll()
    update = await asked(w)
    reply = await w.complete(task, v.timer("t", 60), return_new_workflow_task=True)
    task = reply.workflow_task
    await w.complete(task, speak(accept(task)), speak(respond()), messages=[accept(task), respond()])
    await update
    await w.history()


@scenario()
async def next_task_by_matching(w: World) -> None:
    """Without return_new_workflow_task a normal task follows."""
    await w.start()
    task = await w.poll()
    update = await asked(w)
    await w.complete(task, v.timer("t", 60))
    await w.history()
    task = await w.poll()
    await w.complete(task, speak(accept(task)), speak(respond()), messages=[accept(task), respond()])
    await update
    await w.history()


@scenario()
async def made_real_by_a_signal(w: World) -> None:
    """A speculative task that is scheduled, or started, becomes real when something happens."""
    await idle(w)
    update = await asked(w)
    await w.signal()
    await w.history()
    task = await w.poll()
    await w.complete(task, messages=[reject(task)])
    await update
    update = await asked(w, "second")
    task = await w.poll()
    await w.signal()
    await w.history()
    await w.complete(task, messages=[reject(task, "second")])
    await update
    await w.history()


@scenario()
async def sent_again_after_a_failure(w: World) -> None:
    """A worker that fails the task gets the update again."""
    await idle(w)
    update = await asked(w)
    await w.fail_task(await w.poll())
    await w.history()
    task = await w.poll()
    await w.complete(task, speak(accept(task)), speak(respond()), messages=[accept(task), respond()])
    await update
    await w.history()


@scenario()
async def without_commands(w: World) -> None:
    """Messages that no command refers to are taken at the end."""
    await idle(w)
    update = await asked(w)
    task = await w.poll()
    await w.complete(task, v.marker(), messages=[accept(task), respond()])
    await update
    await w.history()


@scenario()
async def bad_messages(w: World) -> None:
    """Messages that make no sense fail the task, and the update with it."""
    for number, messages in enumerate(
        (
            lambda task: [respond()],
            lambda task: [accept(task), accept(task)],
            lambda task: [said("u", Meta(), "odd")],
            lambda task: [said("unknown", Acceptance(), "accept")],
        )
    ):
        name, queue = w.name(f"wf-{number}"), w.name(f"queue-{number}")
        await w.start(workflow_id=name, task_queue={"name": queue}, record=False)
        await w.step(v.timer("t", 60), queue=queue)
        update = await asked(w, workflow_id=name)
        task = await w.poll(queue=queue, record=False)
        reply = await w.complete(task, messages=messages(task))
        w.note("refused", not reply)
        await update
        w.note("events", [event.event_type for event in await w.history(name, record=False)])


@scenario()
async def absent_message(w: World) -> None:
    """A command refers to a message that did not come."""
    await idle(w)
    update = await asked(w)
    task = await w.poll()
    await w.complete(task, v.of("PROTOCOL_MESSAGE", message_id="absent"))
    await update
    await w.history()


@scenario()
async def aborted_by_close(w: World) -> None:
    """What was not accepted when the workflow closes is aborted; what was accepted fails."""
    await idle(w)
    accepted = await asked(w, "accepted")
    task = await w.poll()
    await w.complete(task, speak(accept(task, "accepted")), messages=[accept(task, "accepted")])
    admitted = await asked(w, "admitted")
    await w.terminate()
    await accepted
    await admitted
    await w.call("UpdateWorkflowExecution", request(w, "late"))
    await w.call("UpdateWorkflowExecution", request(w, "accepted"))
    await poll_update(w, "accepted")
    await w.history()


@scenario()
async def aborted_by_continue_as_new(w: World) -> None:
    """A run that continues as new asks the callers to come again."""
    await idle(w)
    update = await asked(w)
    task = await w.poll()
    await w.complete(task, v.continue_as_new())
    await update


@scenario()
async def at_failing_tasks(w: World) -> None:
    """From the third attempt of a workflow task on, no update is taken."""
    await w.start()
    for _ in range(2):
        await w.fail_task(await w.poll(record=False))
    await w.poll(record=False)
    await w.call("UpdateWorkflowExecution", request(w))


@scenario()
async def too_many(w: World) -> None:
    """Ten updates may be in flight."""
    await idle(w)
    updates = [await asked(w, f"u{number}", stage=ACCEPTED) for number in range(3)]
    updates += [
        asyncio.create_task(w.call("UpdateWorkflowExecution", request(w, f"more{number}"), seconds=8, record=False)) for number in range(7)
    ]
    await asyncio.sleep(SETTLE)
    await w.call("UpdateWorkflowExecution", request(w, "one too many"))
    await w.terminate()
    await asyncio.gather(*updates)


@scenario()
async def errors(w: World) -> None:
    """Bad updates and polls."""
    await w.start()
    meta, change = Meta(update_id="u"), Input(name="change")
    for fields in (
        {"workflow_execution": None},
        {"workflow_execution": w.execution("")},
        {"workflow_execution": w.execution(w.name("unknown"))},
        {"workflow_execution": w.execution(run_id="not a uuid")},
        {"request": None},
        {"request": Request(input=change)},
        {"request": Request(meta=meta)},
        {"request": Request(meta=meta, input=Input())},
        {"first_execution_run_id": "018f0000-0000-7000-8000-000000000000"},
        {"namespace": "nope-ns"},
        {"wait_policy": WaitPolicy(lifecycle_stage=Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED)},
    ):
        await w.call("UpdateWorkflowExecution", request(w, **fields))
    await poll_update(w, "unknown")
    await poll_update(w, "")
    await w.call("PollWorkflowExecutionUpdate", api.PollWorkflowExecutionUpdateRequest(namespace=w.namespace))


@scenario()
async def of_a_delayed_start(w: World) -> None:
    """An update of a workflow whose first task is held back."""
    await w.start(workflow_start_delay=v.seconds(2))
    update = await asked(w)
    await w.describe()
    await w.history()
    task = await w.poll()
    await w.complete(task, speak(accept(task)), speak(respond()), messages=[accept(task), respond()])
    await update
    await w.history()


# Update with start


def pair(w: World, update: Any = None, **fields: Any) -> Any:
    start = w.start_request(**fields)
    operation = api.ExecuteMultiOperationRequest.Operation
    return api.ExecuteMultiOperationRequest(
        namespace=w.namespace, operations=[operation(start_workflow=start), operation(update_workflow=update or request(w))]
    )


LINK_OF_KNOWN = Difference(
    "* ExecuteMultiOperation.reply.responses[1].update_workflow.link",
    "the real server leaves the link out when the update is known already; UpdateWorkflowExecution gives it, on both",
)


@scenario(LINK_OF_KNOWN)
async def with_start(w: World) -> None:
    """A workflow is started, and updated in its first task."""
    both = asyncio.create_task(w.call("ExecuteMultiOperation", pair(w), seconds=8))
    task = await w.poll()
    await w.complete(task, speak(accept(task)), speak(respond()), v.timer("t", 60), messages=[accept(task), respond()])
    reply = await both
    w.remember(w.wid, reply.responses[0].start_workflow.run_id)
    await w.call("ExecuteMultiOperation", pair(w))
    await w.call("ExecuteMultiOperation", pair(w, update=request(w, "second")))
    await w.history()


@scenario()
async def with_start_of_an_open_workflow(w: World) -> None:
    """With USE_EXISTING the open workflow is updated."""
    await idle(w)
    both = asyncio.create_task(
        w.call("ExecuteMultiOperation", pair(w, workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"), seconds=8)
    )
    task = await w.poll()
    await w.complete(task, messages=[reject(task)])
    await both
    await w.history()


@scenario(LINK_OF_KNOWN)
async def with_start_of_a_closed_workflow(w: World) -> None:
    """An update that the last run has answered is not asked again, whatever the policies say."""
    both = asyncio.create_task(w.call("ExecuteMultiOperation", pair(w), seconds=8))
    task = await w.poll(record=False)
    await w.complete(task, speak(accept(task)), speak(respond()), v.complete(), messages=[accept(task), respond()])
    await both
    for policy in ("ALLOW_DUPLICATE", "REJECT_DUPLICATE"):
        await w.call("ExecuteMultiOperation", pair(w, workflow_id_reuse_policy=f"WORKFLOW_ID_REUSE_POLICY_{policy}"))
    another = pair(w, request(w, "another"), workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE")
    await w.call("ExecuteMultiOperation", another)


@scenario()
async def with_start_of_a_workflow_that_closed_without_an_answer(w: World) -> None:
    """An update that was accepted and never answered belongs to its run: the next start is a start like any other."""
    both = asyncio.create_task(w.call("ExecuteMultiOperation", pair(w, request(w, stage=ACCEPTED)), seconds=8))
    task = await w.poll(record=False)
    await w.complete(task, speak(accept(task)), v.complete(), messages=[accept(task)])
    await both
    await w.call("ExecuteMultiOperation", pair(w, workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"))
    again = asyncio.create_task(w.call("ExecuteMultiOperation", pair(w), seconds=8))
    task = await w.poll(record=False)
    await w.complete(task, speak(accept(task)), speak(respond()), v.complete(), messages=[accept(task), respond()])
    await again
    await w.history()


@scenario()
async def with_start_errors(w: World) -> None:
    """Bad pairs."""
    operation = api.ExecuteMultiOperationRequest.Operation
    await w.call("ExecuteMultiOperation", api.ExecuteMultiOperationRequest(namespace=w.namespace))
    backwards = [operation(update_workflow=request(w)), operation(start_workflow=w.start_request())]
    await w.call("ExecuteMultiOperation", api.ExecuteMultiOperationRequest(namespace=w.namespace, operations=backwards))
    await w.call("ExecuteMultiOperation", pair(w, cron_schedule="* * * * *"))
    await w.call("ExecuteMultiOperation", pair(w, request_eager_execution=True))
    await w.call("ExecuteMultiOperation", pair(w, workflow_start_delay=v.seconds(1)))
    await w.call("ExecuteMultiOperation", pair(w, update=request(w, workflow_id=w.name("another"))))
    await w.call("ExecuteMultiOperation", pair(w, update=request(w, request=Request(meta=Meta(update_id="u")))))
    run_id = "018f0000-0000-7000-8000-000000000000"
    await w.call("ExecuteMultiOperation", pair(w, update=request(w, workflow_execution=w.execution(run_id=run_id))))
    await w.call("ExecuteMultiOperation", pair(w, update=request(w, first_execution_run_id=run_id)))
