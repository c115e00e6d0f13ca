"""Activities: an operator pauses, unpauses and resets them, and changes their options."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.common.v1 import ActivityType, Priority, RetryPolicy, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import STEP_SECONDS, WAIT_SECONDS, World

CALLS = ("PauseActivity", "UnpauseActivity", "ResetActivity", "UpdateActivityOptions")
UNKNOWN_RUN = "00000000-0000-4000-8000-000000000000"
SLOW = v.retry(initial=60, attempts=9)


async def scheduled(w: World, **fields: Any) -> None:
    """Start a workflow and schedule the activity `a`."""
    await w.start(record=False)
    await w.step(v.activity("a", w.queue, **fields))


async def running(w: World, **fields: Any) -> Any:
    """The task of the activity `a`, which has started."""
    await scheduled(w, **fields)
    return await w.poll_activity(record=False)


async def backing_off(w: World, **fields: Any) -> None:
    """The activity `a` has failed once and waits for a minute."""
    task = await running(w, **({"retry_policy": SLOW} | fields))
    await w.activity("Failed", task, last_heartbeat_details=v.payloads("half way"))


async def until(w: World, wanted: Callable[[PendingActivityInfo], bool], title: str) -> None:
    """Wait until the only activity is as wanted, and show it."""
    end = asyncio.get_running_loop().time() + WAIT_SECONDS
    while asyncio.get_running_loop().time() < end:
        described = await w.describe(record=False)
        if described.pending_activities and wanted(described.pending_activities[0]):
            w.note(title, described.pending_activities[0])
            return
        await asyncio.sleep(STEP_SECONDS)
    w.note("waited in vain", title)


async def pauses(w: World) -> None:
    """Show which activities are paused, in an order that does not change."""
    described = await w.describe(record=False)
    w.note("paused", sorted(pending.activity_id for pending in described.pending_activities if pending.paused))
    attributes = described.workflow_execution_info.search_attributes.indexed_fields
    w.note("search attribute", sorted(json.loads(attributes["TemporalPauseInfo"].data)))


async def no_task(w: World, queue: str | None = None) -> None:
    """No activity task is handed out."""
    await w.poll_activity(queue, seconds=2.6)


async def update(w: World, paths: str, **fields: Any) -> Any:
    """Change the options of `a` that `paths` names."""
    options = fields.pop("activity_options", None) or ActivityOptions(**fields)
    return await w.operate("UpdateActivityOptions", id="a", activity_options=options, update_mask=FieldMask(paths=paths.split()))


# Pause


@scenario()
async def pause_waiting(w: World) -> None:
    """A paused activity is handed out to nobody, until it is unpaused."""
    await scheduled(w)
    await w.operate("PauseActivity", id="a", reason="to look at it", request_id="p1")
    await w.describe()
    await no_task(w)
    await w.operate("UnpauseActivity", id="a")
    await w.describe()
    task = await w.poll_activity()
    await w.describe()
    await w.activity("Heartbeat", task)
    await w.activity("Completed", task)
    await w.describe()
    await w.history()


@scenario()
async def pause_running(w: World) -> None:
    """A running activity learns by heartbeat that it should pause, and may complete all the same."""
    task = await running(w)
    await w.activity("Heartbeat", task)
    await w.operate("PauseActivity", id="a", reason="to look at it")
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("half way"))
    await w.activity("Heartbeat", by_id="a", details=v.payloads("nearly done"))
    await w.activity("Completed", task)
    await w.describe()
    await w.history()


@scenario()
async def fails_while_paused(w: World) -> None:
    """The attempt that fails is counted, and the next one waits to be unpaused, however long the backoff."""
    task = await running(w, retry_policy=v.retry(initial=1, attempts=3))
    await w.operate("PauseActivity", id="a")
    await w.activity("Failed", task, last_heartbeat_details=v.payloads("half way"))
    await w.describe()
    await no_task(w)
    await w.describe()
    await w.operate("UnpauseActivity", id="a")
    await w.describe()
    task = await w.poll_activity()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def last_attempt_fails_while_paused(w: World) -> None:
    """A failure of the last attempt, and one that may not be retried."""
    await w.start(record=False)
    await w.step(v.activity("last", w.queue, retry_policy=v.retry(attempts=1)))
    task = await w.poll_activity(record=False)
    await w.operate("PauseActivity", id="last")
    await w.activity("Failed", task)
    await w.describe()
    await w.operate("UnpauseActivity", id="last")
    task = await w.poll_activity()
    await w.activity("Failed", task)
    await w.step(v.activity("flag", w.queue))
    task = await w.poll_activity(record=False)
    await w.operate("PauseActivity", id="flag")
    await w.activity("Failed", task, failure=v.failure(non_retryable=True))
    await w.describe()
    await w.history()


@scenario()
async def start_to_close_stands_still(w: World) -> None:
    """A running attempt does not time out while it should pause; it does when it is unpaused too late."""
    await running(w, start_to_close_timeout=v.seconds(1), retry_policy=v.retry(attempts=1))
    await w.operate("PauseActivity", id="a")
    await asyncio.sleep(2.2)
    await w.describe()
    await w.operate("UnpauseActivity", id="a")
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def heartbeat_timeout_stands_still(w: World) -> None:
    """A running attempt that should pause may be silent."""
    await running(w, heartbeat_timeout=v.seconds(1), retry_policy=v.retry(attempts=1))
    await w.operate("PauseActivity", id="a")
    await asyncio.sleep(2.2)
    await w.describe()
    await w.operate("UnpauseActivity", id="a")
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def pause_backing_off(w: World) -> None:
    """A pause ends the backoff; unpaused, the activity is handed out at once."""
    await backing_off(w)
    await w.describe()
    await w.operate("PauseActivity", id="a")
    await w.describe()
    await w.operate("UnpauseActivity", id="a")
    task = await w.poll_activity()
    await w.describe()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def pause_twice(w: World) -> None:
    """A pause is repeated with the same request id, and refused with another."""
    await scheduled(w)
    await w.operate("PauseActivity", id="a", request_id="p1", reason="one")
    await w.operate("PauseActivity", id="a", request_id="p1", reason="two")
    await w.operate("PauseActivity", id="a", request_id="p2")
    await w.operate("PauseActivity", id="a")
    await w.describe()
    await w.operate("UnpauseActivity", id="a")
    await w.operate("PauseActivity", id="a")
    await w.operate("PauseActivity", id="a")
    await w.describe()


@scenario()
async def many(w: World) -> None:
    """By type, and all at once."""
    await w.start(record=False)
    other = ActivityType(name="other")
    await w.step(v.activity("a", w.queue), v.activity("b", w.queue), v.activity("c", w.queue, activity_type=other))
    await w.operate("PauseActivity", type="at", request_id="p1")
    await w.describe()
    await w.operate("PauseActivity", type="at", request_id="p2")
    await w.operate("PauseActivity", id="c", request_id="p3")
    await pauses(w)
    await w.operate("UnpauseActivity", id="a")
    await pauses(w)
    await w.operate("UnpauseActivity", type="at")
    await w.describe()
    await w.operate("PauseActivity", type="at", request_id="p1")
    await w.operate("UnpauseActivity", unpause_all=True)
    await w.describe()
    for _ in range(3):
        await w.poll_activity(record=False)
    await w.operate("ResetActivity", match_all=True)
    await w.operate("ResetActivity", type="at")
    await w.describe()
    options = ActivityOptions(heartbeat_timeout=v.seconds(7))
    mask = FieldMask(paths=["heartbeat_timeout"])
    await w.operate("UpdateActivityOptions", match_all=True, activity_options=options, update_mask=mask)
    await w.operate("UpdateActivityOptions", type="other", restore_original=True)
    await w.describe()
    await w.history()


@scenario()
async def errors(w: World) -> None:
    """Bad addresses, of each call."""
    await scheduled(w)
    options = {"activity_options": ActivityOptions(heartbeat_timeout=v.seconds(3)), "update_mask": FieldMask(paths=["heartbeat_timeout"])}
    for call in CALLS:
        more = options if call == "UpdateActivityOptions" else {}
        await w.operate(call, **more)
        await w.operate(call, id="", **more)
        await w.operate(call, type="", **more)
        await w.operate(call, id="unknown", **more)
        await w.operate(call, type="unknown", **more)
        await w.operate(call, id="a", execution=None, **more)
        await w.operate(call, id="a", execution=WorkflowExecution(), **more)
        await w.operate(call, id="a", execution=w.execution(w.name("unknown")), **more)
        await w.operate(call, id="a", run_id=UNKNOWN_RUN, **more)
        await w.operate(call, id="a", run_id="bad", **more)
        await w.operate(call, id="a", namespace="", **more)
        await w.operate(call, id="a", namespace="nope-ns", **more)
        await w.operate(call, id="i" * 1001, **more)
        await w.operate(call, id="a", identity="i" * 1001, **more)
    await w.operate("PauseActivity", id="a", request_id="i" * 1001)
    await w.operate("PauseActivity", id="a", reason="i" * 1001)
    await w.operate("UnpauseActivity", unpause_all=False)
    await w.operate("ResetActivity", match_all=False)
    await w.operate("UpdateActivityOptions", match_all=False, **options)
    await w.describe()
    await w.history()


@scenario()
async def order_of_checks(w: World) -> None:
    """Which of several faults is named."""
    await scheduled(w)
    for call in CALLS:
        await w.operate(call, execution=None)
        await w.operate(call, run_id="bad")
        await w.operate(call, execution=w.execution(w.name("unknown")))
        await w.operate(call, execution=None, namespace="nope")
        await w.operate(call, execution=w.execution("i" * 1001), id="a")
    both = {"restore_original": True, "update_mask": FieldMask(paths=["x"])}
    await w.operate("UpdateActivityOptions", execution=None, id="a", **both)
    await w.operate("UpdateActivityOptions", id="unknown", **both)
    await w.operate("UpdateActivityOptions", **both)


@scenario(
    Difference("*ResetActivity.*", "the real server panics"),
    Difference("*TemporalPauseInfo", "the real server breaks off before it takes the activity out of the search attribute"),
)
async def negative_jitter(w: World) -> None:
    """It is none."""
    await scheduled(w)
    await w.operate("PauseActivity", id="a")
    await w.operate("UnpauseActivity", id="a", jitter=v.seconds(-1))
    await w.describe()
    await w.operate("ResetActivity", id="a", jitter=v.seconds(-1))


@scenario()
async def errors_of_all(w: World) -> None:
    """All activities of a workflow that has none."""
    await w.start(record=False)
    await w.operate("UnpauseActivity", unpause_all=True)
    await w.operate("ResetActivity", match_all=True)
    options = ActivityOptions(heartbeat_timeout=v.seconds(7))
    await w.operate("UpdateActivityOptions", match_all=True, activity_options=options, update_mask=FieldMask(paths=["heartbeat_timeout"]))
    await w.operate("UpdateActivityOptions", match_all=True, restore_original=True)


@scenario()
async def closed_workflow(w: World) -> None:
    """Nothing can be done to an activity whose workflow has closed; a paused one does not hold the workflow up."""
    await scheduled(w)
    await w.signal()
    await w.operate("PauseActivity", id="a")
    await w.step(v.complete())
    await w.describe()
    for call in CALLS:
        await w.operate(call, id="a")
        await w.operate(call, id="unknown")
    await update(w, "heartbeat_timeout", heartbeat_timeout=v.seconds(7))
    await w.operate("UpdateActivityOptions", id="a", restore_original=True)
    await w.history()


@scenario()
async def closed_activity(w: World) -> None:
    """An activity that has closed is not there any more."""
    task = await running(w)
    await w.activity("Completed", task)
    for call in CALLS:
        await w.operate(call, id="a")


@scenario()
async def cancel_paused(w: World) -> None:
    """A paused activity that is cancelled closes at once; a running one hears of both."""
    await w.start(record=False)
    await w.step(v.activity("waits", w.queue))
    await w.operate("PauseActivity", id="waits")
    await w.signal()
    await w.step(v.cancel_activity(5))
    await w.step(v.activity("runs", w.queue))
    task = await w.poll_activity(record=False)
    await w.operate("PauseActivity", id="runs")
    await w.signal()
    await w.step(v.cancel_activity(task_id(await w.history(record=False))))
    await w.describe()
    await w.activity("Heartbeat", task)
    await w.operate("UnpauseActivity", id="runs")
    await w.activity("Heartbeat", task)
    await w.operate("PauseActivity", id="runs")
    await w.operate("ResetActivity", id="runs", keep_paused=True)
    await w.describe()
    await w.activity("Heartbeat", task)
    await w.activity("Failed", task)
    await w.describe()
    await w.history()


def task_id(events: list[Any]) -> int:
    """The id of the last ACTIVITY_TASK_SCHEDULED."""
    return next(e.event_id for e in reversed(events) if e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)


@scenario()
async def completes_by_id_while_paused(w: World) -> None:
    """A paused activity can be completed from outside."""
    await scheduled(w)
    await w.operate("PauseActivity", id="a")
    await w.activity("Heartbeat", by_id="a")
    await w.activity("Failed", by_id="a")
    await w.activity("Completed", by_id="a")
    await w.describe()
    await w.history()


@scenario()
async def schedule_to_start_stands_still(w: World) -> None:
    """Schedule-to-start does not run while the activity is paused, and begins anew."""
    await scheduled(w, schedule_to_start_timeout=v.seconds(1.5))
    await w.operate("PauseActivity", id="a")
    await asyncio.sleep(2.5)
    await w.describe()
    await w.operate("UnpauseActivity", id="a")
    await asyncio.sleep(0.5)
    await w.describe()
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def schedule_to_close_stands_still(w: World) -> None:
    """Schedule-to-close does not close a paused activity; it does when the activity is unpaused too late."""
    await scheduled(w, schedule_to_close_timeout=v.seconds(1.5))
    await w.operate("PauseActivity", id="a")
    await asyncio.sleep(2.5)
    await w.describe()
    await w.operate("UnpauseActivity", id="a")
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def schedule_to_close_while_pause_is_requested(w: World) -> None:
    """What becomes of a running activity whose whole time is over while it should pause."""
    task = await running(w, schedule_to_close_timeout=v.seconds(3), start_to_close_timeout=v.seconds(9))
    await w.operate("PauseActivity", id="a")
    await asyncio.sleep(4)
    await w.describe()
    await w.history()
    await w.activity("Completed", task)


@scenario()
async def of_a_paused_workflow(w: World) -> None:
    """A workflow that is held, and its activity that is paused."""
    await scheduled(w)
    await of_workflow(w, "PauseWorkflowExecution")
    await w.operate("PauseActivity", id="a")
    await w.describe()
    await w.operate("UnpauseActivity", id="a")
    await w.describe()
    await w.operate("PauseActivity", id="a")
    await of_workflow(w, "UnpauseWorkflowExecution")
    await w.describe()
    await of_workflow(w, "PauseWorkflowExecution")
    await w.describe()
    await w.operate("ResetActivity", id="a")
    await w.describe()
    await of_workflow(w, "UnpauseWorkflowExecution")
    await w.history()


async def of_workflow(w: World, method: str) -> None:
    """Pause or unpause the workflow."""
    request = getattr(api, f"{method}Request")
    await w.call(method, request(namespace=w.namespace, workflow_id=w.wid, identity="operator", reason="r", request_id=w.request_id()))


# Unpause


@scenario()
async def unpause_resets(w: World) -> None:
    """An unpause may set the attempts and the heartbeat back."""
    await backing_off(w)
    await w.operate("PauseActivity", id="a")
    await w.operate("UnpauseActivity", id="a", reset_attempts=True)
    await w.describe()
    task = await w.poll_activity()
    await w.activity("Failed", task, last_heartbeat_details=v.payloads("further"))
    await w.operate("PauseActivity", id="a")
    await w.operate("UnpauseActivity", id="a", reset_heartbeat=True)
    await w.describe()
    task = await w.poll_activity()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def unpause_running(w: World) -> None:
    """A running activity that is unpaused runs on, and its failure is retried as usual."""
    task = await running(w, retry_policy=SLOW)
    await w.operate("PauseActivity", id="a")
    await w.operate("UnpauseActivity", id="a")
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("half way"))
    await w.activity("Failed", task)
    await w.describe()


@scenario()
async def unpause_running_resets(w: World) -> None:
    """Attempts and heartbeat of a running attempt are set back at once."""
    await backing_off(w, retry_policy=v.retry(initial=1))
    task = await w.poll_activity()
    await w.activity("Heartbeat", task, details=v.payloads("further"))
    await w.operate("PauseActivity", id="a")
    await w.operate("UnpauseActivity", id="a", reset_attempts=True, reset_heartbeat=True)
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("on"))
    await w.describe()
    await w.activity("Failed", task)
    await w.describe()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def unpause_what_is_not_paused(w: World) -> None:
    """Nothing happens, whatever else is asked for."""
    await backing_off(w)
    await w.operate("UnpauseActivity", id="a", reset_attempts=True, reset_heartbeat=True)
    await w.operate("UnpauseActivity", unpause_all=True)
    await w.describe()


@scenario()
async def jitter(w: World) -> None:
    """With a jitter the next attempt waits, for less than the jitter."""
    await scheduled(w)
    await w.operate("PauseActivity", id="a")
    await w.operate("UnpauseActivity", id="a", jitter=v.seconds(1000))
    pending = (await w.describe(record=False)).pending_activities[0]
    w.note("waits", [pending.state, pending.HasField("next_attempt_schedule_time"), pending.HasField("last_attempt_complete_time")])
    await w.operate("PauseActivity", id="a")
    await w.operate("ResetActivity", id="a", jitter=v.seconds(1000))
    pending = (await w.describe(record=False)).pending_activities[0]
    w.note("waits", [pending.state, pending.HasField("next_attempt_schedule_time"), pending.HasField("current_retry_interval")])
    await no_task(w)
    await w.operate("ResetActivity", id="a", jitter=v.seconds(0.3))
    await w.poll_activity()


# Reset


@scenario()
async def reset_waiting(w: World) -> None:
    """A reset of an activity that waits for its first attempt."""
    await scheduled(w)
    await w.operate("ResetActivity", id="a")
    await w.describe()
    task = await w.poll_activity()
    await w.describe()
    await w.activity("Heartbeat", task)
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def reset_backing_off(w: World) -> None:
    """A reset begins with the first attempt again, at once; details stay unless they are to be reset."""
    await backing_off(w)
    await w.operate("ResetActivity", id="a")
    await w.describe()
    task = await w.poll_activity()
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("again"))
    await w.activity("Failed", task)
    await w.describe()
    await w.operate("ResetActivity", id="a", reset_heartbeat=True)
    await w.describe()
    task = await w.poll_activity()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def reset_running(w: World) -> None:
    """A running attempt goes on, hears of the reset by heartbeat, and its failure is followed by a first attempt."""
    await backing_off(w, retry_policy=v.retry(initial=1, attempts=3))
    task = await w.poll_activity()
    await w.operate("ResetActivity", id="a")
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("on"))
    await w.activity("Heartbeat", by_id="a", details=v.payloads("on"))
    await w.activity("Failed", task)
    await w.describe()
    task = await w.poll_activity()
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("on"))
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def reset_first_attempt(w: World) -> None:
    """A reset of a running first attempt."""
    task = await running(w, retry_policy=v.retry(initial=1, attempts=3))
    await w.operate("ResetActivity", id="a")
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("on"))
    await w.activity("Failed", task)
    await w.describe()
    task = await w.poll_activity()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def reset_running_completes(w: World) -> None:
    """An attempt that was reset may complete."""
    await backing_off(w, retry_policy=v.retry(initial=1, attempts=3))
    task = await w.poll_activity(record=False)
    await w.operate("ResetActivity", id="a")
    await w.activity("Completed", task)
    await w.describe()
    await w.history()


@scenario()
async def reset_running_heartbeat(w: World) -> None:
    """Details of a running attempt are kept until it ends, and then dropped."""
    task = await running(w, retry_policy=v.retry(initial=1, attempts=3))
    await w.activity("Heartbeat", task, details=v.payloads("half way"))
    await w.operate("ResetActivity", id="a", reset_heartbeat=True)
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("further"))
    await w.describe()
    await w.activity("Failed", task)
    await w.describe()
    await w.poll_activity()


@scenario(
    Difference("*current_retry_interval", "the real server counts from 1970 when no attempt has ended but by a timeout"),
)
async def reset_running_times_out(w: World) -> None:
    """A reset attempt that takes too long."""
    await running(w, start_to_close_timeout=v.seconds(1.5), retry_policy=v.retry(initial=60, attempts=3))
    await w.operate("ResetActivity", id="a", reset_heartbeat=True)
    await until(w, lambda pending: pending.HasField("last_failure"), "timed out")
    await w.describe()


@scenario()
async def reset_last_attempt(w: World) -> None:
    """A reset gives an activity all its attempts again."""
    await backing_off(w, retry_policy=v.retry(initial=1, attempts=2))
    task = await w.poll_activity(record=False)
    await w.operate("ResetActivity", id="a")
    await w.activity("Failed", task)
    await w.describe()
    await w.history()


@scenario()
async def reset_paused(w: World) -> None:
    """A reset unpauses, unless the pause is to be kept."""
    await backing_off(w)
    await w.operate("PauseActivity", id="a", request_id="p1")
    await w.operate("ResetActivity", id="a", keep_paused=True, reset_heartbeat=True)
    await w.describe()
    await no_task(w)
    await w.operate("UnpauseActivity", id="a")
    task = await w.poll_activity()
    await w.activity("Heartbeat", task, details=v.payloads("again"))
    await w.activity("Failed", task)
    await w.operate("PauseActivity", id="a", request_id="p2")
    await w.operate("ResetActivity", id="a")
    await w.describe()
    await w.poll_activity()
    await w.describe()


@scenario()
async def reset_pause_requested(w: World) -> None:
    """A reset of a running attempt that should pause."""
    task = await running(w, retry_policy=SLOW)
    await w.operate("PauseActivity", id="a")
    await w.operate("ResetActivity", id="a")
    await w.describe()
    await w.activity("Heartbeat", task)
    await w.activity("Failed", task)
    await w.describe()


@scenario()
async def reset_restores(w: World) -> None:
    """A reset may put the options back to what the workflow asked for."""
    await backing_off(w, priority=Priority(priority_key=2))
    await update(
        w,
        "heartbeat_timeout start_to_close_timeout retry_policy.maximum_attempts priority",
        heartbeat_timeout=v.seconds(5),
        start_to_close_timeout=v.seconds(6),
        retry_policy=RetryPolicy(maximum_attempts=7),
        priority=Priority(priority_key=4),
    )
    await w.describe()
    await w.operate("ResetActivity", id="a", restore_original_options=True)
    await w.describe()
    await w.poll_activity()


# Options


@scenario()
async def update_waiting(w: World) -> None:
    """New options of an activity that waits: it is offered anew, with them."""
    await scheduled(w)
    everything = (
        "task_queue.name schedule_to_close_timeout schedule_to_start_timeout start_to_close_timeout heartbeat_timeout retry_policy priority"
    )
    await update(
        w,
        everything,
        task_queue=TaskQueue(name=w.name("other")),
        schedule_to_close_timeout=v.seconds(100),
        schedule_to_start_timeout=v.seconds(50),
        start_to_close_timeout=v.seconds(40),
        heartbeat_timeout=v.seconds(20),
        retry_policy=v.retry(initial=3, attempts=4, coefficient=1.5, maximum_interval=v.seconds(30)),
        priority=Priority(priority_key=3, fairness_key="f", fairness_weight=2),
    )
    await w.describe()
    await no_task(w)
    task = await w.poll_activity(w.name("other"))
    await w.describe()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def update_parts(w: World) -> None:
    """Single fields, in both spellings; unknown ones are ignored."""
    await scheduled(w, retry_policy=v.retry(initial=2, attempts=5), priority=Priority(priority_key=2, fairness_key="f"))
    policy = v.retry(initial=3, attempts=4, coefficient=1.5, maximum_interval=v.seconds(30))
    for path in (
        "retry_policy.initial_interval",
        "retryPolicy.backoffCoefficient",
        "retry_policy.maximum_interval",
        "retry_policy.maximum_attempts",
        "retry_policy.non_retryable_error_types",
    ):
        await update(w, path, retry_policy=policy)
    priority = Priority(priority_key=3, fairness_key="g", fairness_weight=2)
    for path in ("priority.priority_key", "priority.fairnessKey", "priority.fairness_weight"):
        await update(w, path, priority=priority)
    for path in ("heartbeatTimeout", "scheduleToStartTimeout", "unknown", "task_queue", "start_delay", "heartbeat_timeout.seconds", ""):
        await update(w, path, heartbeat_timeout=v.seconds(4), schedule_to_start_timeout=v.seconds(9))
    await update(w, "priority heartbeat_timeout scheduleToStartTimeout")
    await w.describe()
    await w.history()


@scenario()
async def update_errors(w: World) -> None:
    """Options that cannot be."""
    await scheduled(w, retry_policy=v.retry(initial=2, attempts=5))
    some = ActivityOptions(heartbeat_timeout=v.seconds(4))
    mask = FieldMask(paths=["heartbeat_timeout"])
    await w.operate("UpdateActivityOptions", id="a")
    await w.operate("UpdateActivityOptions", id="a", update_mask=mask)
    await w.operate("UpdateActivityOptions", id="a", activity_options=some)
    await w.operate("UpdateActivityOptions", id="unknown", activity_options=some)
    await w.operate("UpdateActivityOptions", id="a", activity_options=some, update_mask=FieldMask())
    await w.operate("UpdateActivityOptions", id="a", activity_options=some, update_mask=mask, restore_original=True)
    await w.operate("UpdateActivityOptions", id="a", update_mask=mask, restore_original=True)
    await w.operate("UpdateActivityOptions", id="a", activity_options=some, update_mask=FieldMask(), restore_original=True)
    await w.operate("UpdateActivityOptions", id="a", activity_options=some, restore_original=True)
    for path in ("task_queue.name", "priority.priority_key", "priority.fairness_key", "priority.fairness_weight"):
        await update(w, path)
    for path in ("initial_interval", "backoff_coefficient", "maximum_interval", "maximum_attempts"):
        await update(w, f"retry_policy.{path}")
    await update(w, "task_queue.name", task_queue=TaskQueue())
    await update(w, "task_queue.name", task_queue=TaskQueue(name="q" * 1001))
    await update(w, "task_queue.name", task_queue=TaskQueue(name="/_sys/x"))
    await update(w, "start_to_close_timeout")
    for name in ("schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout", "heartbeat_timeout"):
        await update(w, name, **{name: v.seconds(-1)})
    await w.describe()


@scenario()
async def update_odd_policies(w: World) -> None:
    """Policies and priorities that a workflow could not ask for."""
    await scheduled(w, retry_policy=v.retry(initial=2, attempts=5))
    await update(w, "priority", priority=Priority(priority_key=-1))
    await update(w, "priority", priority=Priority(fairness_key="f" * 65))
    await update(w, "priority", priority=Priority(fairness_weight=-1))
    await update(w, "retry_policy.backoff_coefficient", retry_policy=RetryPolicy(backoff_coefficient=0.5))
    await update(w, "retry_policy.maximum_attempts", retry_policy=RetryPolicy(maximum_attempts=-1))
    await update(w, "retry_policy.initial_interval", retry_policy=RetryPolicy(initial_interval=v.seconds(-1)))
    await update(w, "retry_policy.maximum_interval", retry_policy=RetryPolicy(maximum_interval=v.seconds(1)))
    await update(w, "retry_policy", retry_policy=RetryPolicy(maximum_attempts=3))
    await update(w, "retry_policy", retry_policy=RetryPolicy())
    await w.describe()


@scenario()
async def update_clips(w: World) -> None:
    """Timeouts are filled and capped as those of a new activity; the run's timeout does not count."""
    await w.start(record=False, workflow_run_timeout=v.seconds(300))
    await w.step(v.activity("a", w.queue, schedule_to_close_timeout=v.seconds(100)))
    await w.describe()
    await update(w, "heartbeat_timeout", heartbeat_timeout=v.seconds(500))
    await update(w, "start_to_close_timeout", start_to_close_timeout=v.seconds(500))
    await update(w, "schedule_to_start_timeout", schedule_to_start_timeout=v.seconds(500))
    await update(w, "schedule_to_close_timeout", schedule_to_close_timeout=v.seconds(50))
    await update(w, "schedule_to_close_timeout", schedule_to_close_timeout=v.seconds(600))
    await update(w, "schedule_to_close_timeout")
    await update(w, "start_to_close_timeout schedule_to_close_timeout", schedule_to_close_timeout=v.seconds(20))
    await update(w, "schedule_to_start_timeout")
    await w.describe()
    task = await w.poll_activity()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def update_backing_off(w: World) -> None:
    """A backoff is reckoned anew from the end of the last attempt."""
    await backing_off(w)
    await update(w, "retry_policy.initial_interval", retry_policy=RetryPolicy(initial_interval=v.seconds(20)))
    await w.describe()
    await update(w, "retry_policy.maximum_interval", retry_policy=RetryPolicy(maximum_interval=v.seconds(10)))
    await update(w, "heartbeat_timeout", heartbeat_timeout=v.seconds(7))
    await w.describe()
    await update(w, "retry_policy.initial_interval", retry_policy=RetryPolicy(initial_interval=v.seconds(0.1)))
    await w.poll_activity()
    await w.describe()


@scenario()
async def update_backing_off_attempts(w: World) -> None:
    """Fewer attempts than there were, and a coefficient, while a later attempt backs off: it counts once more than it should."""
    task = await running(w, retry_policy=v.retry(initial=0.5, attempts=9))
    await w.activity("Failed", task)
    task = await w.poll_activity(record=False)
    await w.activity("Failed", task, failure=v.failure(next_retry_delay=v.seconds(100)))
    await w.describe()
    await update(w, "retry_policy.backoff_coefficient", retry_policy=RetryPolicy(backoff_coefficient=8))
    await w.describe()
    await update(w, "retry_policy.maximum_attempts", retry_policy=RetryPolicy(maximum_attempts=2))
    await w.describe()
    await update(w, "retry_policy.backoff_coefficient", retry_policy=RetryPolicy(backoff_coefficient=1))
    task = await w.poll_activity()
    await w.activity("Failed", task)
    await w.history()


@scenario()
async def update_later_attempt(w: World) -> None:
    """A later attempt that waits for a worker backs off again when its options change."""
    task = await running(w, retry_policy=v.retry(initial=1, coefficient=9))
    await w.activity("Failed", task)
    await until(w, lambda pending: not pending.HasField("next_attempt_schedule_time"), "waits")
    await update(w, "heartbeat_timeout", heartbeat_timeout=v.seconds(30))
    await w.describe()


@scenario(
    Difference("*timed out.value.current_retry_interval", "the real server counts from 1970 when no attempt has ended but by a timeout"),
    Difference("*PollActivityTaskQueue.reply.*", "the real server reckons that backoff from 1970, so it is over"),
    Difference("*PollActivityTaskQueue.reply*", "the real server reckons that backoff from 1970, so it is over"),
    Difference("*DescribeWorkflowExecution*", "the real server reckons that backoff from 1970, so it is over"),
)
async def update_after_timeout(w: World) -> None:
    """A backoff that follows a timeout."""
    await running(w, start_to_close_timeout=v.seconds(1), retry_policy=SLOW)
    await until(w, lambda pending: pending.attempt == 2, "timed out")
    await update(w, "retry_policy.initial_interval", retry_policy=RetryPolicy(initial_interval=v.seconds(50)))
    await w.describe()
    await w.poll_activity(seconds=3)


@scenario()
async def update_empty_policies(w: World) -> None:
    """What a policy leaves out is not filled in; a failure that would be retried without a backoff is not."""
    await w.start(record=False)
    empty = RetryPolicy(non_retryable_error_types=["T"])
    await w.step(v.activity("a", w.queue))
    task = await w.poll_activity(record=False)
    await update(w, "retry_policy", retry_policy=empty)
    await update(w, "retry_policy")
    await w.describe()
    await w.activity("Failed", task)
    await w.step(v.activity("a", w.queue))
    task = await w.poll_activity(record=False)
    await update(w, "retry_policy", retry_policy=RetryPolicy(initial_interval=v.seconds(1)))
    await w.activity("Failed", task)
    await w.describe()
    task = await w.poll_activity()
    await w.activity("Failed", task)
    await w.step(v.activity("a", w.queue, retry_policy=SLOW))
    task = await w.poll_activity(record=False)
    await w.activity("Failed", task)
    await update(w, "retry_policy", retry_policy=RetryPolicy(maximum_attempts=3))
    await w.describe()
    await w.history()


@scenario()
async def update_deadline(w: World) -> None:
    """The moment after which nothing is retried stays, whatever schedule-to-close becomes."""
    task = await running(w, schedule_to_close_timeout=v.seconds(10), retry_policy=v.retry(initial=60))
    await update(w, "schedule_to_close_timeout", schedule_to_close_timeout=v.seconds(100))
    await w.activity("Failed", task)
    await w.step(v.activity("a", w.queue, retry_policy=v.retry(initial=60)))
    task = await w.poll_activity(record=False)
    await update(w, "schedule_to_close_timeout", schedule_to_close_timeout=v.seconds(10))
    await w.activity("Failed", task)
    await w.describe()
    await w.history()


@scenario()
async def update_running(w: World) -> None:
    """The timers of a running attempt follow its new options, and so do its retries."""
    task = await running(w, retry_policy=SLOW)
    once = v.retry(attempts=1)
    await update(w, "start_to_close_timeout retry_policy.maximum_attempts", start_to_close_timeout=v.seconds(1), retry_policy=once)
    await w.describe()
    await w.activity("Heartbeat", task, details=v.payloads("half way"))
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario(
    Difference("*current_retry_interval", "the real server counts from 1970 when no attempt has ended but by a timeout"),
)
async def update_running_heartbeat(w: World) -> None:
    """A heartbeat timeout for a running attempt that had none."""
    task = await running(w, retry_policy=SLOW)
    await update(w, "heartbeat_timeout task_queue.name", heartbeat_timeout=v.seconds(1), task_queue=TaskQueue(name=w.name("other")))
    await w.describe()
    await until(w, lambda pending: pending.attempt == 2, "timed out")
    await w.activity("Completed", task)
    await w.operate("ResetActivity", id="a")
    await w.poll_activity(w.name("other"))


@scenario()
async def update_schedule_to_start(w: World) -> None:
    """An activity that waits gets a schedule-to-start timeout."""
    await scheduled(w)
    await update(w, "schedule_to_start_timeout", schedule_to_start_timeout=v.seconds(1))
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def update_schedule_to_close(w: World) -> None:
    """An activity that backs off gets a schedule-to-close timeout."""
    await backing_off(w)
    await update(w, "schedule_to_close_timeout", schedule_to_close_timeout=v.seconds(1.5))
    await w.describe()
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def update_paused(w: World) -> None:
    """New options leave a paused activity paused."""
    await backing_off(w)
    await w.operate("PauseActivity", id="a")
    await update(w, "retry_policy.initial_interval heartbeat_timeout", retry_policy=v.retry(initial=1), heartbeat_timeout=v.seconds(9))
    await w.describe()
    await no_task(w)
    await w.operate("UnpauseActivity", id="a")
    await w.poll_activity()


@scenario()
async def restore(w: World) -> None:
    """The options as the workflow asked for them, as the scheduled event has them."""
    await scheduled(w, priority=Priority(priority_key=2), retry_policy=v.retry(initial=2, attempts=5, non_retryable_error_types=["Bad"]))
    options = ActivityOptions(
        task_queue=TaskQueue(name=w.name("other")),
        heartbeat_timeout=v.seconds(5),
        retry_policy=RetryPolicy(maximum_attempts=7),
        priority=Priority(priority_key=4),
    )
    await update(w, "task_queue.name heartbeat_timeout retry_policy.maximum_attempts priority", activity_options=options)
    await w.operate("UpdateActivityOptions", id="a", restore_original=True)
    await w.describe()
    task = await w.poll_activity()
    await w.activity("Failed", task, failure=v.failure(kind="Bad"))
    await w.history()


@scenario()
async def reset_restores_running(w: World) -> None:
    """The options of a running attempt are put back by a reset, and by a restore."""
    task = await running(w, retry_policy=v.retry(attempts=1))
    await update(w, "start_to_close_timeout task_queue.name", start_to_close_timeout=v.seconds(20), task_queue=TaskQueue(name="x"))
    await w.operate("ResetActivity", id="a", restore_original_options=True)
    await w.describe()
    await update(w, "heartbeat_timeout", heartbeat_timeout=v.seconds(20))
    await w.operate("UpdateActivityOptions", id="a", restore_original=True)
    await w.describe()
    await w.activity("Completed", task)
    await w.history()
