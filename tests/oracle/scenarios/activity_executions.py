"""The newer calls of operators about activities, on those of a workflow."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.scenarios.activity_operations import SLOW, UNKNOWN_RUN, backing_off, pauses, running, scheduled, until
from tests.oracle.world import World

CALLS = ("PauseActivityExecution", "UnpauseActivityExecution", "ResetActivityExecution", "UpdateActivityExecutionOptions")
MASK = FieldMask(paths=["heartbeat_timeout"])
OPTIONS = ActivityOptions(heartbeat_timeout=v.seconds(7))


async def operate(w: World, method: str, **fields: Any) -> Any:
    """Operate on the activity `a` of the scenario's own workflow."""
    usual: dict[str, Any] = {"namespace": w.namespace, "workflow_id": w.wid, "activity_id": "a", "identity": "operator"}
    if method == "UpdateActivityExecutionOptions" and "restore_original" not in fields:
        usual |= {"activity_options": OPTIONS, "update_mask": MASK}
    whole = {name: value for name, value in (usual | fields).items() if value is not None}
    return await w.call(method, getattr(api, f"{method}Request")(**whole))


@scenario()
async def paused_and_unpaused(w: World) -> None:
    """As by the older calls; the same request twice is one."""
    await scheduled(w)
    request_id = w.request_id()
    await operate(w, "PauseActivityExecution", reason="look", request_id=request_id)
    await operate(w, "PauseActivityExecution", reason="look", request_id=request_id)
    await operate(w, "PauseActivityExecution", reason="again")
    await w.describe()
    await pauses(w)
    await operate(w, "UnpauseActivityExecution", jitter=v.seconds(0))
    await operate(w, "UnpauseActivityExecution")
    await w.poll_activity()
    await w.describe()


@scenario()
async def paused_while_it_runs(w: World) -> None:
    """The worker hears of it."""
    task = await running(w, heartbeat_timeout=v.seconds(30))
    await operate(w, "PauseActivityExecution", reason="look")
    await w.activity("Heartbeat", task)
    await w.describe()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def reset_while_it_backs_off(w: World) -> None:
    """Handed out at once, as the first attempt."""
    await backing_off(w, retry_policy=SLOW)
    await until(w, lambda pending: pending.attempt == 2, "backing off")
    await operate(w, "ResetActivityExecution", reset_heartbeat=True)
    await w.poll_activity()
    await w.describe()


@scenario()
async def reset_and_kept_paused(w: World) -> None:
    """With the options that it had at first."""
    await scheduled(w, heartbeat_timeout=v.seconds(30))
    await operate(w, "PauseActivityExecution")
    await operate(w, "UpdateActivityExecutionOptions")
    await operate(w, "ResetActivityExecution", keep_paused=True)
    await w.describe()
    await operate(w, "ResetActivityExecution", restore_original_options=True)
    await w.describe()


@scenario()
async def given_other_options(w: World) -> None:
    """And the old ones again."""
    await scheduled(w, heartbeat_timeout=v.seconds(30))
    await operate(w, "UpdateActivityExecutionOptions")
    await w.describe()
    await operate(w, "UpdateActivityExecutionOptions", update_mask=FieldMask(paths=["heartbeatTimeout", "retry_policy.maximum_attempts"]))
    await operate(w, "UpdateActivityExecutionOptions", restore_original=True)
    await w.describe()


@scenario()
async def refused(w: World) -> None:
    """Who or what is missing."""
    await scheduled(w)
    for method in CALLS:
        await operate(w, method, activity_id="")
        await operate(w, method, activity_id="b")
        await operate(w, method, activity_id="x" * 1001)
        await operate(w, method, identity="x" * 1001)
        await operate(w, method, run_id="nonsense")
        await operate(w, method, run_id=UNKNOWN_RUN)
        await operate(w, method, workflow_id=w.name("unknown"))
        await operate(w, method, namespace="nowhere")
        await operate(w, method, request_id="x" * 1001)
    for method in CALLS[1:3]:
        await operate(w, method, jitter=v.seconds(-1))
    await operate(w, "UpdateActivityExecutionOptions", activity_options=None)
    await operate(w, "UpdateActivityExecutionOptions", update_mask=None)
    await operate(w, "UpdateActivityExecutionOptions", restore_original=True, update_mask=MASK)
    await operate(w, "UpdateActivityExecutionOptions", update_mask=FieldMask(paths=["nonsense"]))
    await operate(w, "UpdateActivityExecutionOptions", activity_options=ActivityOptions(heartbeat_timeout=v.seconds(-1)))
    await w.terminate()
    for method in CALLS:
        await operate(w, method)


@scenario(Difference("*", "standalone activities are not built yet, and say so"))
async def without_a_workflow(w: World) -> None:
    """Standalone activities."""
    for method in CALLS:
        await operate(w, method, workflow_id="")
