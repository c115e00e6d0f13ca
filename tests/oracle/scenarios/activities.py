"""Activities: results, retries, timeouts."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.common.v1 import Header, Priority
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import CanceledFailureInfo, Failure, ServerFailureInfo, TimeoutFailureInfo
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World


async def scheduled(w: World, **fields: Any) -> None:
    """Start a workflow and schedule the activity `a`."""
    await w.start(record=False)
    await w.step(v.activity("a", w.queue, **fields))


@scenario()
async def everything_in_the_task(w: World) -> None:
    """What an activity task carries."""
    await scheduled(
        w,
        header=Header(fields={"h": v.payload("x")}),
        schedule_to_close_timeout=v.seconds(100),
        schedule_to_start_timeout=v.seconds(50),
        heartbeat_timeout=v.seconds(20),
        priority=Priority(priority_key=2),
        retry_policy=v.retry(initial=2, attempts=5, coefficient=3),
    )
    await w.describe()
    task = await w.poll_activity()
    await w.describe()
    await w.activity("Completed", task, result=None)
    await w.history()
    await w.activity("Completed", task)
    await w.activity("Failed", task)
    await w.activity("Heartbeat", task)


@scenario()
async def timeout_filling(w: World) -> None:
    """How the timeouts of an activity are filled, with and without a run timeout."""
    for run_timeout in (0, 20):
        name = w.name(f"wf-{run_timeout}")
        await w.start(workflow_id=name, workflow_run_timeout=v.seconds(run_timeout), record=False)
        s = v.seconds
        await w.step(
            v.activity("1", w.queue, start_to_close_timeout=s(5)),
            v.activity("2", w.queue, start_to_close_timeout=None, schedule_to_close_timeout=s(5)),
            v.activity("3", w.queue, start_to_close_timeout=s(50), schedule_to_close_timeout=s(30)),
            v.activity("4", w.queue, start_to_close_timeout=s(5), schedule_to_start_timeout=s(3)),
            v.activity("5", w.queue, start_to_close_timeout=s(5), schedule_to_start_timeout=s(60), schedule_to_close_timeout=s(40)),
            v.activity("6", w.queue, start_to_close_timeout=s(5), heartbeat_timeout=s(9)),
            v.activity("7", w.queue, start_to_close_timeout=s(0), schedule_to_close_timeout=s(5), heartbeat_timeout=s(9)),
            v.activity("8", w.queue, retry_policy=v.RetryPolicy(initial_interval=s(2))),
            v.activity("9", w.queue, retry_policy=v.RetryPolicy(maximum_attempts=1)),
        )
        await w.history(name)
        await w.terminate(name)


@scenario()
async def fails_for_good(w: World) -> None:
    """An activity fails: one attempt allowed, a non-retryable failure, a listed type, and no failure at all."""
    await w.start(record=False)
    policies = [
        ("one", v.retry(attempts=1), v.failure()),
        ("flag", v.retry(), v.failure(non_retryable=True, details=v.payloads("d"))),
        ("listed", v.retry(non_retryable_error_types=["T"]), v.failure()),
        ("cancelled", v.retry(), Failure(message="c", canceled_failure_info=CanceledFailureInfo())),
        ("nothing", v.retry(attempts=1), None),
        ("server", v.retry(attempts=1), Failure(message="s", server_failure_info=ServerFailureInfo(non_retryable=True))),
        (
            "timeout",
            v.retry(attempts=1),
            Failure(message="t", timeout_failure_info=TimeoutFailureInfo(timeout_type="TIMEOUT_TYPE_HEARTBEAT")),
        ),
    ]
    for name, policy, failure in policies:
        await w.step(v.activity(name, w.queue, retry_policy=policy))
        task = await w.poll_activity()
        reply = await w.activity("Failed", task, failure=failure)
        if not reply:
            await w.activity("Failed", task, failure=v.failure(non_retryable=True))
    await w.history()


@scenario()
async def retried(w: World) -> None:
    """Two failures and a success: one started event, with the last failure."""
    await scheduled(w, retry_policy=v.retry(initial=1, attempts=3))
    for number in (1, 2):
        task = await w.poll_activity()
        await w.activity("Failed", task, failure=v.failure(f"failure {number}"), last_heartbeat_details=v.payloads(number))
        await w.describe()
    await w.history()
    stale, task = task, await w.poll_activity()
    await w.describe()
    await w.activity("Completed", stale)
    await w.activity("Heartbeat", stale)
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def attempts_used_up(w: World) -> None:
    """The last attempt's failure closes the activity."""
    await scheduled(w, retry_policy=v.retry(initial=1, attempts=2))
    for number in (1, 2):
        await w.activity("Failed", await w.poll_activity(), failure=v.failure(f"failure {number}"))
    await w.history()


@scenario()
async def next_retry_delay(w: World) -> None:
    """A failure may name the delay, above the maximum interval too."""
    await scheduled(w, retry_policy=v.retry(initial=1, attempts=3, maximum_interval=v.seconds(1)))
    await w.activity("Failed", await w.poll_activity(), failure=v.failure(next_retry_delay=v.seconds(3)))
    described = await w.describe()
    w.note("interval", described.pending_activities[0].current_retry_interval.seconds)


@scenario()
async def no_retry_delay(w: World) -> None:
    """A failure that asks to be retried in the past is retried at once; one without a delay is not."""
    await scheduled(w, retry_policy=v.retry(initial=60))
    await w.activity("Failed", await w.poll_activity(record=False), failure=v.failure(next_retry_delay=v.seconds(-5)))
    await w.activity("Failed", await w.poll_activity(), failure=v.failure(next_retry_delay=v.seconds(0)))
    await w.history()


@scenario()
async def schedule_to_close_of_later_attempts(w: World) -> None:
    """Schedule-to-close counts over all attempts, whether the last one waits or runs."""
    await w.start(record=False)
    for name in ("waits", "runs"):
        await w.step(v.activity(name, w.queue, schedule_to_close_timeout=v.seconds(3), retry_policy=v.retry(initial=0.5)))
        await w.activity("Failed", await w.poll_activity(record=False), last_heartbeat_details=v.payloads("half way"))
        if name == "runs":
            await w.poll_activity(record=False)
        await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, count=1 if name == "waits" else 2)
    await w.history()


@scenario()
async def no_time_to_retry(w: World) -> None:
    """A failure whose retry would come after schedule-to-close closes the activity."""
    await scheduled(w, schedule_to_close_timeout=v.seconds(10), retry_policy=v.retry(initial=60))
    await w.activity("Failed", await w.poll_activity())
    await w.history()


@scenario()
async def schedule_to_start(w: World) -> None:
    """An activity that nobody takes."""
    await scheduled(w, schedule_to_start_timeout=v.seconds(1))
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def schedule_to_close(w: World) -> None:
    """An activity whose whole time is over while it runs, and while it waits."""
    await scheduled(w, start_to_close_timeout=None, schedule_to_close_timeout=v.seconds(1))
    task = await w.poll_activity()
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.activity("Completed", task)
    await w.step(v.activity("b", w.queue, start_to_close_timeout=None, schedule_to_close_timeout=v.seconds(1)))
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, count=2)
    await w.history()


@scenario()
async def start_to_close(w: World) -> None:
    """Start-to-close is retried, and the last one closes the activity."""
    await scheduled(w, start_to_close_timeout=v.seconds(1), retry_policy=v.retry(initial=1, attempts=2))
    first = await w.poll_activity()
    await w.poll_activity()
    await w.describe()
    await w.activity("Completed", first)
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def start_to_close_not_retried(w: World) -> None:
    """A policy may exclude start-to-close timeouts, or leave no time for a retry."""
    policy = v.retry(non_retryable_error_types=["TemporalTimeout:StartToClose"])
    await scheduled(w, start_to_close_timeout=v.seconds(1), retry_policy=policy)
    await w.poll_activity()
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    late = v.activity(
        "b", w.queue, start_to_close_timeout=v.seconds(1), schedule_to_close_timeout=v.seconds(5), retry_policy=v.retry(initial=60)
    )
    await w.step(late)
    await w.poll_activity()
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, count=2)
    await w.history()


@scenario()
async def heartbeat_timeout(w: World) -> None:
    """A missing heartbeat; details survive to the next attempt and to the failure."""
    await scheduled(w, heartbeat_timeout=v.seconds(1), retry_policy=v.retry(initial=1, attempts=2))
    task = await w.poll_activity()
    await w.activity("Heartbeat", task, details=v.payloads("half way"))
    await w.describe()
    await w.poll_activity()
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def heartbeats(w: World) -> None:
    """Heartbeats keep an activity alive, replace and clear its details."""
    await scheduled(w, heartbeat_timeout=v.seconds(2), retry_policy=v.retry(initial=1, attempts=2))
    task = await w.poll_activity()
    for details in ("one", "two", None, "three"):
        await w.activity("Heartbeat", task, details=v.payloads(details) if details else None)
        described = await w.describe(record=False)
        w.note("details", described.pending_activities[0].heartbeat_details)
        await asyncio.sleep(0.7)
    await w.activity("Failed", task)
    task = await w.poll_activity()
    await w.activity("Completed", task)
    await w.history()


@scenario()
async def oversized_answers(w: World) -> None:
    """Results, heartbeats and failures above the limit."""
    await w.start(record=False)
    await w.step(v.activity("result", w.queue), v.timer("t", 60))
    await w.activity("Completed", await w.poll_activity(), result=v.oversized())
    await w.step(v.activity("heartbeat", w.queue))
    task = await w.poll_activity()
    await w.activity("Heartbeat", task, details=v.oversized())
    await w.step(v.activity("failure", w.queue, retry_policy=v.retry(attempts=1)))
    await w.activity("Failed", await w.poll_activity(), failure=v.failure("m" * (v.BLOB_LIMIT + 1)))
    await w.step(v.activity("kept", w.queue, retry_policy=v.retry(initial=60)))
    await w.activity("Failed", await w.poll_activity(), failure=v.failure("m" * 5000))
    await w.describe()
    await w.history()


@scenario()
async def buffered_completion(w: World) -> None:
    """A completion during a workflow task comes after a later signal when both are written."""
    await w.start(record=False)
    await w.step(v.activity("a", w.queue), force_create_new_workflow_task=True)
    task = await w.poll(record=False)
    await w.activity("Completed", await w.poll_activity())
    await w.signal()
    await w.describe()
    await w.complete(task, v.marker())
    await w.history()


@scenario()
async def pending_at_close(w: World) -> None:
    """Answers to an activity whose workflow has closed."""
    await w.start(record=False)
    other = w.name("other")
    await w.step(v.activity("a", w.queue), v.activity("b", other), force_create_new_workflow_task=True)
    task = await w.poll_activity(record=False)
    await w.step(v.complete())
    for what in ("Heartbeat", "Completed", "Failed", "Canceled"):
        await w.activity(what, task)
    await w.describe()
    await w.history()
    await w.poll_activity(seconds=3)


@scenario()
async def eager(w: World) -> None:
    """Activities asked for eagerly come with the completion, already started."""
    await w.start(record=False)
    task = await w.poll(record=False)
    reply = await w.complete(
        task,
        v.activity("a", w.queue, request_eager_execution=True),
        v.activity("b", w.queue),
        v.activity("c", w.queue, request_eager_execution=True),
    )
    await w.describe()
    await w.activity("Completed", reply.activity_tasks[0])
    await w.history()


@scenario()
async def id_used_again(w: World) -> None:
    """An activity id is free again once the activity has closed."""
    await scheduled(w)
    await w.activity("Completed", await w.poll_activity(record=False))
    await w.step(v.activity("a", w.queue))
    await w.history()


@scenario()
async def other_queue(w: World) -> None:
    """An activity on a queue of its own."""
    own = w.name("activities")
    await w.start(record=False)
    await w.step(v.activity("a", own))
    await w.activity("Completed", await w.poll_activity(own))
    await w.step(v.complete())
    await w.history()


@scenario()
async def backoffs(w: World) -> None:
    """The backoff grows by the coefficient up to the maximum."""
    await scheduled(w, retry_policy=v.retry(initial=0.2, coefficient=3, maximum_interval=v.seconds(1)))
    for _ in range(4):
        await w.activity("Failed", await w.poll_activity(record=False))
        described = await w.describe(record=False)
        w.note("backoff", round(described.pending_activities[0].current_retry_interval.ToTimedelta().total_seconds(), 2))


@scenario()
async def heartbeat_timeout_not_retried(w: World) -> None:
    """A policy may exclude heartbeat timeouts."""
    policy = v.retry(non_retryable_error_types=["TemporalTimeout:Heartbeat"])
    await scheduled(w, heartbeat_timeout=v.seconds(1), retry_policy=policy)
    await w.poll_activity(record=False)
    await w.until(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await w.history()


@scenario()
async def priorities(w: World) -> None:
    """A task carries the activity's priority over the workflow's, field by field."""
    await w.start(record=False, priority=Priority(priority_key=3, fairness_key="of the workflow", fairness_weight=2))
    own = [None, Priority(), Priority(priority_key=1), Priority(fairness_key="own"), Priority(priority_key=5, fairness_weight=0.5)]
    await w.step(*(v.activity(f"a{number}", w.name(f"queue-{number}"), priority=priority) for number, priority in enumerate(own)))
    for number in range(len(own)):
        await w.poll_activity(w.name(f"queue-{number}"))
    await w.describe()
    await w.history()


@scenario()
async def eager_elsewhere(w: World) -> None:
    """An activity may be asked for eagerly although it belongs to another queue, and be cancelled at once."""
    await w.start(record=False)
    task = await w.poll(record=False)
    elsewhere = v.activity("a", w.name("other"), request_eager_execution=True)
    await w.complete(task, elsewhere, v.activity("b", w.queue, request_eager_execution=True), v.cancel_activity(6))
    await w.describe()
    await w.history()


@scenario()
async def eager_while_held(w: World) -> None:
    """A workflow that is held hands out no activity, not even eagerly."""
    await w.start(record=False)
    task = await w.poll(record=False)
    held = {"namespace": w.namespace, "workflow_id": w.wid, "identity": "operator", "reason": "r"}
    await w.call("PauseWorkflowExecution", api.PauseWorkflowExecutionRequest(**held, request_id=w.request_id()))
    await w.complete(task, v.activity("a", w.queue, request_eager_execution=True))
    await w.describe()
    await w.call("UnpauseWorkflowExecution", api.UnpauseWorkflowExecutionRequest(**held, request_id=w.request_id()))
    await w.poll_activity()
    await w.history()
