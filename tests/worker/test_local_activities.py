"""Local activities end to end: attempts, time limits, cancellation, and keeping the workflow task alive."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError
from outlast.worker import Worker


class Stage:
    """Activities that a test looks at from outside."""

    def __init__(self) -> None:
        self.attempts = 0
        self.running = asyncio.Event()
        self.seen: list[Any] = []
        self.most = 0
        self.now = 0

    @activity.defn
    async def describe(self) -> list[Any]:
        info = activity.info()
        return [info.is_local, info.activity_type, info.attempt, info.workflow_type, info.heartbeat_timeout]

    @activity.defn
    async def third_time(self) -> int:
        self.attempts += 1
        if activity.info().attempt < 3:
            raise ApplicationError(f"attempt {activity.info().attempt}")
        return activity.info().attempt

    @activity.defn
    async def hopeless(self) -> None:
        self.attempts += 1
        raise ApplicationError("never", non_retryable=True)

    @activity.defn
    async def slow(self, seconds: float) -> str:
        self.running.set()
        self.attempts += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.seen.append(activity.cancellation_details())
            raise
        return "done"

    @activity.defn
    async def crowd(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1


@workflow.defn
class Local:
    @workflow.run
    async def run(self, activity_type: str, args: list[Any], options: dict[str, float]) -> Any:
        limits = {
            name: timedelta(seconds=options[name])
            for name in ("schedule_to_close_timeout", "start_to_close_timeout", "local_retry_threshold")
            if name in options
        }
        limits.setdefault("start_to_close_timeout", timedelta(seconds=30))
        policy = RetryPolicy(
            maximum_attempts=int(options.get("attempts", 0)),
            initial_interval=timedelta(seconds=options.get("interval", 0.001)),
            backoff_coefficient=1,
        )
        call = workflow.start_local_activity(activity_type, args=args, retry_policy=policy, **limits)  # type: ignore[arg-type]
        if "cancel_after" in options:
            await asyncio.sleep(options["cancel_after"])
            call.cancel()
        return await call


@workflow.defn
class Many:
    @workflow.run
    async def run(self, n: int) -> None:
        await asyncio.gather(*(workflow.execute_local_activity("crowd", start_to_close_timeout=timedelta(seconds=10)) for _ in range(n)))


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def call(client: Client, queue: str, function: Any, *args: Any, task_timeout: timedelta | None = None, **options: float) -> Any:
    name = activity._Definition.must_from_callable(function).name
    async with Worker(client, task_queue=queue, workflows=[Local], activities=[function]):
        return await client.execute_workflow(
            Local.run, args=[name, list(args), options], id="wf", task_queue=queue, task_timeout=task_timeout
        )


def reason(error: pytest.ExceptionInfo[WorkflowFailureError]) -> BaseException | None:
    assert isinstance(error.value.cause, ActivityError)
    return error.value.cause.cause


async def types(client: Client) -> list[str]:
    events = client.get_workflow_handle("wf").fetch_history_events()
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") async for event in events]


async def test_a_local_activity_runs_within_the_workflow_task(client: Client, queue: str, stage: Stage) -> None:
    assert await call(client, queue, stage.describe) == [True, "describe", 1, "Local", None]
    assert await types(client) == [
        "WORKFLOW_EXECUTION_STARTED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_COMPLETED",
        "MARKER_RECORDED",
        "WORKFLOW_EXECUTION_COMPLETED",
    ]


async def test_attempts_are_repeated_within_the_task(client: Client, queue: str, stage: Stage) -> None:
    assert await call(client, queue, stage.third_time) == 3
    assert (await types(client)).count("MARKER_RECORDED") == 1
    assert "TIMER_STARTED" not in await types(client)


async def test_a_long_pause_between_attempts_is_a_timer(client: Client, queue: str, stage: Stage) -> None:
    assert await call(client, queue, stage.third_time, interval=0.02, local_retry_threshold=0.01) == 3
    assert (await types(client)).count("TIMER_STARTED") == 2


async def test_a_failure_that_must_not_be_repeated_is_not(client: Client, queue: str, stage: Stage) -> None:
    with pytest.raises(WorkflowFailureError) as error:
        await call(client, queue, stage.hopeless)

    assert (str(error.value.cause), stage.attempts) == ("never", 1)


async def test_attempts_end_with_their_number(client: Client, queue: str, stage: Stage) -> None:
    with pytest.raises(WorkflowFailureError) as error:
        await call(client, queue, stage.third_time, attempts=2)

    assert (str(error.value.cause), stage.attempts) == ("attempt 2", 2)


async def test_an_attempt_that_takes_too_long_is_cancelled_and_repeated(client: Client, queue: str, stage: Stage) -> None:
    with pytest.raises(WorkflowFailureError) as error:
        await call(client, queue, stage.slow, 30, start_to_close_timeout=0.03, attempts=2)

    assert isinstance(reason(error), TimeoutError)
    assert stage.seen == [activity.ActivityCancellationDetails(timed_out=True)] * 2


async def test_the_whole_takes_no_longer_than_it_may(client: Client, queue: str, stage: Stage) -> None:
    with pytest.raises(WorkflowFailureError) as error:
        await call(client, queue, stage.slow, 30, schedule_to_close_timeout=0.05)

    assert isinstance(reason(error), TimeoutError)
    assert stage.attempts == 1


async def test_a_local_activity_that_is_cancelled_hears_of_it(client: Client, queue: str, stage: Stage) -> None:
    with pytest.raises(WorkflowFailureError) as error:
        await call(client, queue, stage.slow, 30, cancel_after=0.05, task_timeout=timedelta(seconds=1))

    assert isinstance(reason(error), CancelledError)
    assert stage.seen == [activity.ActivityCancellationDetails(cancel_requested=True)]


async def test_a_long_local_activity_keeps_its_workflow_task_alive(client: Client, queue: str, stage: Stage) -> None:
    assert await call(client, queue, stage.slow, 1.9, task_timeout=timedelta(seconds=1)) == "done"

    seen = await types(client)
    assert stage.attempts == 1
    assert "WORKFLOW_TASK_TIMED_OUT" not in seen
    assert seen.count("WORKFLOW_TASK_COMPLETED") >= 3


async def test_no_more_at_a_time_than_there_are_slots(client: Client, queue: str, stage: Stage) -> None:
    async with Worker(client, task_queue=queue, workflows=[Many], activities=[stage.crowd], max_concurrent_local_activities=3):
        await client.execute_workflow(Many.run, 12, id="wf", task_queue=queue)

    assert stage.most == 3


async def test_a_query_during_a_local_activity_is_answered(client: Client, queue: str, stage: Stage) -> None:
    async with Worker(client, task_queue=queue, workflows=[Local], activities=[stage.slow]):
        handle = await client.start_workflow(Local.run, args=["slow", [0.2], {}], id="wf", task_queue=queue)
        await stage.running.wait()

        assert await handle.query("__temporal_workflow_metadata") is not None
        assert await handle.result() == "done"


async def test_a_worker_that_shuts_down_lets_local_activities_finish(client: Client, queue: str, stage: Stage) -> None:
    async with Worker(client, task_queue=queue, workflows=[Local], activities=[stage.slow]):
        handle = await client.start_workflow(Local.run, args=["slow", [0.2], {}], id="wf", task_queue=queue)
        await stage.running.wait()

    assert await handle.result() == "done"
    assert stage.attempts == 1


async def test_a_local_activity_that_the_worker_does_not_have_fails_the_task(client: Client, queue: str, stage: Stage) -> None:
    async with Worker(client, task_queue=queue, workflows=[Local], activities=[stage.describe]):
        handle = await client.start_workflow(Local.run, args=["unheard", [], {}], id="wf", task_queue=queue)
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                break
        await handle.terminate()

    message = event.workflow_task_failed_event_attributes.failure.message
    assert message == "Activity function unheard is not registered on this worker, available activities: describe"
