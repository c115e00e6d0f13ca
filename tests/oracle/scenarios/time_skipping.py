"""Time skipping of workflows: when a run skips, how far, who inherits it, and waiting for a fast-forward."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

TRANSITIONED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED
FIRED = EventType.EVENT_TYPE_TIMER_FIRED
DAY = 86400
COARSE_S = 60
OVERWRITTEN = "the reference server writes the event after the skip that follows it has already switched the configuration off"


def config(enabled: bool = True, forward: float | None = None, forward_id: str = "ff", **fields: Any) -> TimeSkippingConfig:
    """A configuration, perhaps with a fast-forward of so many seconds."""
    made = TimeSkippingConfig(enabled=enabled, **fields)
    if forward is not None:
        made.fast_forward_config.id = forward_id
        made.fast_forward_config.duration.CopyFrom(v.seconds(forward))
    return made


async def times(w: World, workflow_id: str | None = None, run_id: str = "") -> None:
    """Record the history, and when each event was, in coarse steps from the first."""
    events = await w.history(workflow_id, run_id)
    w.note("times", [f"{event.event_id} +{_steps(event, events[0])}" for event in events])


def _steps(event: HistoryEvent, first: HistoryEvent) -> int:
    return round((event.event_time.ToNanoseconds() - first.event_time.ToNanoseconds()) / 1e9 / COARSE_S)


def ahead(moment: Timestamp, of: Timestamp) -> int:
    return round((moment.ToNanoseconds() - of.ToNanoseconds()) / 1e9 / COARSE_S)


async def configure(w: World, made: TimeSkippingConfig | None, paths: str = "time_skipping_config") -> Any:
    options = WorkflowExecutionOptions(time_skipping_config=made) if made is not None else WorkflowExecutionOptions()
    request = api.UpdateWorkflowExecutionOptionsRequest(
        namespace=w.namespace,
        workflow_execution=w.execution(),
        workflow_execution_options=options,
        update_mask=FieldMask(paths=paths.split(",")),
        identity="operator",
    )
    return await w.call("UpdateWorkflowExecutionOptions", request)


async def poll_forward(w: World, forward_id: str = "ff", seconds: float = 8, run_id: str = "") -> Any:
    request = api.PollWorkflowExecutionTimeSkippingRequest(
        namespace=w.namespace, workflow_execution=w.execution(run_id=run_id), fast_forward_id=forward_id
    )
    return await w.call("PollWorkflowExecutionTimeSkipping", request, seconds)


async def describe(w: World, workflow_id: str | None = None, run_id: str = "") -> None:
    """Record the description, and how far the run's clock is ahead of its start."""
    described = await w.describe(workflow_id, run_id)
    info = described.workflow_extended_info.time_skipping_info
    if info.HasField("current_time"):
        w.note("clock", ahead(info.current_time, described.workflow_execution_info.start_time))


@scenario()
async def a_timer(w: World) -> None:
    """Fires at once, a day later in the run's time."""
    await w.start(time_skipping_config=config())
    await describe(w)
    await w.step(v.timer("t", DAY))
    await w.until(FIRED)
    await describe(w)
    await w.step(v.complete())
    await times(w)
    await describe(w)


@scenario()
async def several_timers(w: World) -> None:
    """The soonest first; a cancelled one does not count."""
    await w.start(time_skipping_config=config())
    await w.step(v.timer("a", 2 * DAY), v.timer("b", DAY), v.timer("c", DAY / 2))
    await w.until(FIRED)
    await w.step(v.cancel_timer("b"))
    await w.until(FIRED, count=2)
    await w.step(v.complete())
    await times(w)


@scenario(
    Difference(
        "*.pending_activities[0].*",
        "the reference server takes a retry to be in the future by the world's clock, though in the run's time it is due",
    )
)
async def not_while_an_activity_runs(w: World) -> None:
    """Not for a pending activity, but over the backoff of a failed one."""
    await w.start(time_skipping_config=config())
    await w.step(v.timer("t", 3 * DAY), v.activity("a", w.queue, retry_policy=v.retry(initial=DAY, attempts=2, coefficient=1)))
    task = await w.poll_activity(record=False)
    await w.history()
    await w.activity("Failed", task)
    await w.until(TRANSITIONED)
    await describe(w)
    task = await w.poll_activity()
    await w.activity("Completed", task)
    await w.step()
    await w.until(FIRED)
    await w.step(v.complete())
    await times(w)


@scenario()
async def a_start_delay(w: World) -> None:
    """Is over at once."""
    await w.start(time_skipping_config=config(), workflow_start_delay=v.seconds(DAY))
    await w.step(v.complete())
    await times(w)
    await describe(w)


@scenario()
async def a_run_timeout(w: World) -> None:
    """An idle workflow skips to its end."""
    await w.start(time_skipping_config=config(), workflow_run_timeout=v.seconds(DAY))
    await w.step()
    await w.until(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT)
    await times(w)
    await describe(w)


@scenario()
async def nothing_to_wait_for(w: World) -> None:
    """Without a moment to go to, time does not move."""
    await w.start(time_skipping_config=config())
    await w.step()
    await w.signal()
    await w.step()
    await times(w)
    await describe(w)


@scenario()
async def configured_later(w: World) -> None:
    """An idle workflow skips at once; without a configuration it keeps its time."""
    await w.start()
    await w.step(v.timer("a", DAY))
    await configure(w, config())
    await w.until(FIRED)
    await configure(w, config())
    await configure(w, None)
    await w.step(v.timer("b", DAY))
    await describe(w)
    await w.terminate()
    await times(w)


@scenario()
async def switched_off_and_on(w: World) -> None:
    """A new configuration takes the old one's place."""
    await w.start(time_skipping_config=config(enabled=False))
    await w.step(v.timer("a", DAY))
    await describe(w)
    await configure(w, config(max_session_skip_count=7, disable_propagation=True))
    await w.until(FIRED)
    await describe(w)
    await configure(w, config(enabled=False))
    await describe(w)
    await w.terminate()
    await times(w)


@scenario(Difference("9 history.events[11].*.enabled", OVERWRITTEN))
async def only_so_many_skips(w: World) -> None:
    """Then it is switched off until it is configured again."""
    await w.start(time_skipping_config=config(max_session_skip_count=1))
    await w.step(v.timer("a", DAY))
    await w.until(FIRED)
    await w.step(v.timer("b", DAY))
    await describe(w)
    await configure(w, config(max_session_skip_count=1))
    await w.until(FIRED, count=2)
    await describe(w)
    await w.terminate()
    await times(w)


@scenario()
async def a_fast_forward(w: World) -> None:
    """Goes no further than its target, and is over there."""
    await w.start(time_skipping_config=config(forward=DAY))
    await describe(w)
    polling = asyncio.create_task(poll_forward(w))
    await w.step(v.timer("a", DAY / 2), v.timer("b", 3 * DAY))
    await w.until(FIRED)
    await w.step()
    await polling
    await poll_forward(w)
    await poll_forward(w, "other")
    await describe(w)
    await w.terminate()
    await times(w)


@scenario(Difference("9 history.events[5].*.enabled", OVERWRITTEN))
async def a_fast_forward_to_a_timer_itself(w: World) -> None:
    """With nothing else to wait for, and set again."""
    await w.start(time_skipping_config=config(forward=DAY))
    await w.step()
    await w.until(TRANSITIONED)
    await describe(w)
    await configure(w, config(forward=DAY, forward_id="again"))
    await w.until(TRANSITIONED, count=2)
    await poll_forward(w, "again")
    await describe(w)
    await w.terminate()
    await times(w)


@scenario()
async def a_fast_forward_while_busy(w: World) -> None:
    """The target comes by itself."""
    await w.start(time_skipping_config=config(forward=3))
    await w.step(v.activity("a", w.queue))
    await poll_forward(w)
    await w.until(TRANSITIONED)
    await describe(w)
    await w.terminate()
    await times(w)


@scenario()
async def a_fast_forward_while_a_workflow_task_runs(w: World) -> None:
    """The news waits until the task is done, and asks for another."""
    await w.start(time_skipping_config=config(forward=1))
    task = await w.poll(record=False)
    await poll_forward(w)
    await w.complete(task)
    await w.until(TRANSITIONED)
    await w.terminate()
    await times(w)


@scenario()
async def a_fast_forward_that_fails(w: World) -> None:
    """Replaced, switched off, the workflow over, never there."""
    await w.start(time_skipping_config=config(forward=DAY))
    await w.step(v.activity("a", w.queue))
    polling = asyncio.create_task(poll_forward(w))
    await asyncio.sleep(0.3)
    await configure(w, config(forward=2 * DAY))
    await polling
    polling = asyncio.create_task(poll_forward(w))
    await asyncio.sleep(0.3)
    await configure(w, config(enabled=False))
    await polling
    await configure(w, config(forward=2 * DAY, forward_id="third"))
    polling = asyncio.create_task(poll_forward(w, "third"))
    await asyncio.sleep(0.3)
    await w.terminate()
    await polling
    await poll_forward(w, "third")
    await poll_forward(w, "")
    await w.start(workflow_id=w.name("plain"))
    request = api.PollWorkflowExecutionTimeSkippingRequest(
        namespace=w.namespace, workflow_execution=w.execution(w.name("plain")), fast_forward_id="ff"
    )
    await w.call("PollWorkflowExecutionTimeSkipping", request)


@scenario()
async def a_fast_forward_that_nobody_reaches(w: World) -> None:
    """The poll ends and may be repeated."""
    await w.start(time_skipping_config=config(forward=DAY))
    await w.step(v.activity("a", w.queue))
    await poll_forward(w, seconds=23)


@scenario()
async def continued_as_new(w: World) -> None:
    """The next run goes on in the same time, with the same target."""
    await w.start(time_skipping_config=config(forward=3 * DAY))
    await w.step(v.timer("a", DAY))
    await w.until(FIRED)
    first = await w.describe(record=False)
    polling = asyncio.create_task(poll_forward(w))
    await asyncio.sleep(0.2)
    await w.step(v.continue_as_new())
    await w.step(v.timer("b", DAY))
    await w.until(FIRED)
    await w.describe()  # the reference server adds what was skipped to the start of this run a second time
    await w.step()
    await polling
    await times(w)
    await times(w, run_id=first.workflow_execution_info.execution.run_id)
    await w.terminate()


@scenario()
async def retried(w: World) -> None:
    """The backoff is skipped."""
    await w.start(time_skipping_config=config(), retry_policy=v.retry(initial=DAY, attempts=2))
    await w.step(v.fail())
    await w.step(v.complete())
    await times(w)
    await describe(w)


@scenario()
async def children(w: World) -> None:
    """Live in their parent's time, and skip unless that is not wanted; no parent skips while it has a child."""
    for number, made in enumerate((config(forward=9 * DAY), config(disable_propagation=True))):
        w.wid = w.name(f"parent-{number}")
        await w.start(time_skipping_config=made)
        await w.step(v.timer("a", DAY))
        await w.until(FIRED)
        child = w.name(f"child-{number}")
        await w.step(v.child(child, task_queue=TaskQueue(name=child)), v.timer("b", 2 * DAY))
        await w.until(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
        await w.step()
        await w.step(v.timer("c", DAY), queue=child)
        if number == 0:
            await w.until(FIRED, workflow_id=child)
            await w.step(v.complete(), queue=child)
        else:
            await w.terminate(child)
        await w.describe(child)
        await w.history(child)  # on the reference server the first event of a child is in the world's time
        await w.step()
        await w.until(FIRED, count=2)
        await times(w)
        await w.terminate()


@scenario()
async def reset(w: World) -> None:
    """The new run begins in the time that the kept history has skipped."""
    first = await w.start(time_skipping_config=config())
    await w.step(v.timer("a", DAY))
    await w.until(FIRED)
    await w.step(v.timer("b", DAY))
    await w.until(FIRED, count=2)
    events = await w.history(record=False)
    completed = [event for event in events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED][1]
    request = api.ResetWorkflowExecutionRequest(
        namespace=w.namespace,
        workflow_execution=w.execution(run_id=first.run_id),
        reason="again",
        workflow_task_finish_event_id=completed.event_id + 1,
        request_id=w.request_id(),
    )
    await w.call("ResetWorkflowExecution", request)
    await w.step(v.complete())
    await times(w)
    await w.describe()  # on the reference server the start of this run is in the world's time


@scenario()
async def paused(w: World) -> None:
    """A workflow that is held does not skip."""
    await w.start()
    await w.step(v.timer("a", DAY))
    request: dict[str, Any] = {"namespace": w.namespace, "workflow_id": w.wid, "identity": "operator", "reason": "r"}
    await w.call("PauseWorkflowExecution", api.PauseWorkflowExecutionRequest(**request, request_id=w.request_id()))
    await configure(w, config())
    await w.history()
    await w.call("UnpauseWorkflowExecution", api.UnpauseWorkflowExecutionRequest(**request, request_id=w.request_id()))
    await w.step()
    await w.until(FIRED)
    await w.terminate()
    await times(w)


@scenario()
async def a_cron_schedule(w: World) -> None:
    """The wait for the next run is skipped."""
    first = await w.start(time_skipping_config=config(), cron_schedule="@every 48h")
    await w.step(v.complete())
    await times(w, run_id=first.run_id)
    task = await w.poll(record=False)
    await w.complete(task, v.complete())
    await w.history(run_id=task.workflow_execution.run_id)
    await w.terminate()


@scenario()
async def by_signal_with_start(w: World) -> None:
    """Starts with it as well."""
    await w.signal_with_start(time_skipping_config=config())
    await w.step(v.timer("a", DAY))
    await w.until(FIRED)
    await w.terminate()
    await times(w)


@scenario()
async def by_update_with_start(w: World) -> None:
    """Starts with it as well; not while the update is in flight."""
    start = w.start_request(time_skipping_config=config(), workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING")
    update = api.UpdateWorkflowExecutionRequest(
        namespace=w.namespace,
        workflow_execution=w.execution(),
        request=Request(meta=Meta(update_id="u"), input=Input(name="change")),
    )
    request = api.ExecuteMultiOperationRequest(namespace=w.namespace)
    request.operations.add().start_workflow.CopyFrom(start)
    request.operations.add().update_workflow.CopyFrom(update)
    calling = asyncio.create_task(w.call("ExecuteMultiOperation", request))
    task = await w.poll(record=False)
    w.remember(task.workflow_execution.workflow_id, task.workflow_execution.run_id)
    await w.complete(task, v.timer("a", DAY))
    await calling
    await w.until(FIRED)
    await w.terminate()
    await times(w)


@scenario()
async def refused(w: World) -> None:
    """Configurations that make no sense."""
    empty = config()
    empty.fast_forward_config.duration.CopyFrom(v.seconds(1))
    for made in (config(enabled=False, forward=1), empty, config(forward=0), config(forward=-1), config(forward=1, forward_id=" ")):
        await w.start(time_skipping_config=made)
    await w.start()
    await configure(w, config(enabled=False, forward=1))
    await configure(w, config(), "time_skipping_config.enabled")
    await configure(w, config(), "priority")
    await w.signal_with_start(workflow_id=w.name("other"), time_skipping_config=empty)
