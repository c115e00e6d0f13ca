"""Workflow ids: what happens when one is used again."""

from __future__ import annotations

from temporalio.api.workflow.v1 import OnConflictOptions

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World

CONFLICTS = ("UNSPECIFIED", "FAIL", "USE_EXISTING", "TERMINATE_EXISTING")
REUSES = ("ALLOW_DUPLICATE", "ALLOW_DUPLICATE_FAILED_ONLY", "REJECT_DUPLICATE", "TERMINATE_IF_RUNNING")


def conflict(policy: str) -> dict[str, str]:
    """Return the conflict policy as a field of a start."""
    return {"workflow_id_conflict_policy": f"WORKFLOW_ID_CONFLICT_POLICY_{policy}"}


def reuse(policy: str) -> dict[str, str]:
    """Return the reuse policy as a field of a start."""
    return {"workflow_id_reuse_policy": f"WORKFLOW_ID_REUSE_POLICY_{policy}"}


@scenario()
async def conflict_policies(w: World) -> None:
    """Each conflict policy against an open run."""
    for policy in CONFLICTS:
        name = w.name(policy)
        first = await w.start(workflow_id=name)
        await w.start(workflow_id=name, **conflict(policy))
        await w.describe(name)
        await w.history(name, first.run_id)


@scenario()
async def terminate_existing_with_started_task(w: World) -> None:
    """Replacing an open run whose workflow task is started fails that task first."""
    first = await w.start()
    task = await w.poll()
    await w.signal()
    await w.start(**conflict("TERMINATE_EXISTING"))
    await w.history(run_id=first.run_id)
    await w.history()
    await w.complete(task, v.complete())


@scenario()
async def reuse_policies_while_open(w: World) -> None:
    """Each reuse policy against an open run."""
    for policy in REUSES:
        name = w.name(policy)
        await w.start(workflow_id=name)
        await w.start(workflow_id=name, **reuse(policy))


@scenario()
async def reuse_after_completion(w: World) -> None:
    """Each reuse policy after a run that completed."""
    for policy in REUSES:
        name = w.name(policy)
        await w.start(workflow_id=name)
        await w.step(v.complete())
        await w.start(workflow_id=name, **reuse(policy))
        await w.terminate(name)


@scenario()
async def reuse_after_failure(w: World) -> None:
    """Each reuse policy after a run that failed, was cancelled or terminated."""
    for policy in REUSES:
        for ending in (v.fail(), v.cancel(), None):
            name = w.name(f"{policy}-{ending.command_type if ending else 0}")
            await w.start(workflow_id=name, record=False)
            await (w.step(ending) if ending else w.terminate(name))
            await w.start(workflow_id=name, **reuse(policy))
            await w.terminate(name)


@scenario()
async def request_id_dedup(w: World) -> None:
    """A repeated request id is the same start, open or closed, but not once another run has the id."""
    request = w.start_request()
    reply = await w.call("StartWorkflowExecution", request)
    await w.call("StartWorkflowExecution", request)
    await w.history()
    await w.step(v.complete())
    await w.call("StartWorkflowExecution", request)
    await w.start()
    await w.call("StartWorkflowExecution", request)
    await w.describe(run_id=reply.run_id)


@scenario()
async def attach_on_conflict(w: World) -> None:
    """USE_EXISTING with attach_request_id writes an event, once per request id."""
    await w.start()
    options = OnConflictOptions(attach_request_id=True, attach_links=True)
    request = w.start_request(**conflict("USE_EXISTING"), on_conflict_options=options, request_id=w.name("attached"))
    await w.call("StartWorkflowExecution", request)
    await w.call("StartWorkflowExecution", request)
    await w.describe()
    await w.history()


@scenario()
async def signal_with_start(w: World) -> None:
    """SignalWithStart starts, then signals the open run; a repeated request id does neither."""
    first = await w.signal_with_start(request_id=w.name("same"))
    await w.signal_with_start(request_id=w.name("same"))
    await w.signal_with_start(signal_name="second")
    await w.history()
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.signal_with_start(signal_name="third", **reuse("REJECT_DUPLICATE"))
    await w.signal_with_start(signal_name="fourth")
    await w.history()
    await w.history(run_id=first.run_id)


@scenario()
async def signal_with_start_conflicts(w: World) -> None:
    """The conflict policies of SignalWithStart."""
    for policy in CONFLICTS:
        name = w.name(policy)
        first = await w.start(workflow_id=name)
        await w.signal_with_start(workflow_id=name, **conflict(policy))
        await w.history(name, first.run_id)
    name = w.name("terminate")
    await w.start(workflow_id=name)
    await w.signal_with_start(workflow_id=name, **reuse("TERMINATE_IF_RUNNING"))
    await w.history(name)


@scenario()
async def signal_with_start_errors(w: World) -> None:
    """SignalWithStart checks what Start checks, and the signal's name."""
    await w.signal_with_start(signal_name="")
    await w.signal_with_start(signal_name="s" * 1001)
    await w.signal_with_start(workflow_id="")
    await w.signal_with_start(workflow_type=None)
    await w.signal_with_start(task_queue=None)
    await w.signal_with_start(namespace="nope-ns")
    await w.signal_with_start(cron_schedule="nonsense")
    await w.signal_with_start(workflow_run_timeout=v.seconds(-1))
    await w.signal_with_start(retry_policy=v.retry(coefficient=0.1))
    await w.signal_with_start(signal_input=v.oversized())
    await w.signal_with_start(input=v.oversized())


@scenario()
async def signal_with_start_delay(w: World) -> None:
    """A delayed SignalWithStart waits; a second one against the open run schedules its workflow task."""
    await w.signal_with_start(workflow_start_delay=v.seconds(60))
    await w.history()
    await w.signal_with_start(workflow_start_delay=v.seconds(60), signal_name="second")
    await w.history()
