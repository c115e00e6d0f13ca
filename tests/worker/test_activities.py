"""Activities end to end: where they run, how they are cancelled, what they see of themselves, and how they end."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import PauseActivityRequest, ResetActivityRequest

from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError, WorkflowHandle
from outlast.common import RawValue, RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError
from outlast.worker import SharedStateManager, Worker
from outlast.worker import _activity_worker as activity_worker_module
from tests.worker import elsewhere

OPTIONS: dict[str, Any] = {"start_to_close_timeout": timedelta(seconds=30)}


@workflow.defn
class Calls:
    """Calls one activity by its name, as it is told."""

    def __init__(self) -> None:
        self.cancelled = False

    @workflow.run
    async def run(self, activity_type: str, args: list[Any], options: dict[str, float]) -> Any:
        call = workflow.start_activity(
            activity_type,
            args=args,
            start_to_close_timeout=timedelta(seconds=options.get("start_to_close", 30)),
            heartbeat_timeout=timedelta(seconds=options["heartbeat"]) if "heartbeat" in options else None,
            retry_policy=RetryPolicy(maximum_attempts=int(options.get("attempts", 1)), initial_interval=timedelta(milliseconds=1)),
            activity_id="the-activity",
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        while True:
            await workflow.wait_condition(lambda: self.cancelled or call.done())
            if call.done():
                return await call
            self.cancelled = False
            call.cancel()

    @workflow.signal
    def cancel(self) -> None:
        self.cancelled = True


async def start(client: Client, queue: str, activity_type: str, *args: Any, **options: float) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(Calls.run, args=[activity_type, list(args), options], id=f"wf-{queue}", task_queue=queue)


async def call(client: Client, queue: str, activity_type: str, *args: Any, **options: float) -> Any:
    return await (await start(client, queue, activity_type, *args, **options)).result()


def reason(error: pytest.ExceptionInfo[WorkflowFailureError]) -> BaseException | None:
    assert isinstance(error.value.cause, ActivityError)
    return error.value.cause.cause


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as executor:
        yield executor


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as executor:
        yield executor


@pytest.fixture(scope="module")
def shared_state() -> Iterator[SharedStateManager]:
    with get_context("forkserver").Manager() as manager, ThreadPoolExecutor(1) as executor:
        yield SharedStateManager.create_from_multiprocessing(manager, executor)


class Stage:
    """Activities that a test looks at from outside."""

    def __init__(self) -> None:
        self.running = asyncio.Event()
        self.seen: list[Any] = []
        self.thread_running = threading.Event()

    @activity.defn
    async def describe(self) -> dict[str, Any]:
        info = activity.info()
        return {
            "id": info.activity_id,
            "type": info.activity_type,
            "attempt": info.attempt,
            "workflow": info.workflow_id,
            "workflow_type": info.workflow_type,
            "queue": info.task_queue,
            "local": info.is_local,
            "timeout": info.start_to_close_timeout.total_seconds() if info.start_to_close_timeout else None,
            "in_order": info.scheduled_time <= info.started_time,
        }

    @activity.defn
    async def wait(self) -> str:
        self.running.set()
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.005)
        finally:
            self.seen.append(activity.cancellation_details())

    @activity.defn
    async def stubborn(self) -> str:
        self.running.set()
        while not activity.is_cancelled():
            activity.heartbeat()
            try:
                await asyncio.sleep(0.005)
            except asyncio.CancelledError:
                break
        return "finished all the same"

    @activity.defn
    def wait_in_thread(self) -> str:
        self.thread_running.set()
        while True:
            activity.heartbeat()
            time.sleep(0.005)

    @activity.defn(no_thread_cancel_exception=True)
    def look_in_thread(self) -> str:
        while not activity.is_cancelled():
            activity.heartbeat()
            activity.wait_for_cancelled_sync(0.01)
        return "saw it"

    @activity.defn
    async def resume(self) -> list[Any]:
        details = list(activity.info().heartbeat_details)
        if activity.info().attempt == 1:
            for i in range(5):
                activity.heartbeat("step", i)
            raise ApplicationError("again")
        return details

    @activity.defn
    async def later(self) -> None:
        self.seen.append(activity.info().task_token)
        activity.raise_complete_async()

    @activity.defn
    async def bad_heartbeat(self) -> None:
        activity.heartbeat(object())
        await asyncio.sleep(30)

    @activity.defn
    async def shutting_down(self) -> str:
        self.running.set()
        await activity.wait_for_worker_shutdown()
        return "said goodbye"

    @activity.defn(dynamic=True)
    async def anything(self, args: Sequence[RawValue]) -> str:
        values = [activity.payload_converter().from_payload(arg.payload) for arg in args]
        return f"{activity.info().activity_type}{values}"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@asynccontextmanager
async def working(client: Client, queue: str, *activities: Any, **settings: Any) -> AsyncIterator[Worker]:
    settings.setdefault("max_heartbeat_throttle_interval", timedelta(milliseconds=10))
    async with Worker(client, task_queue=queue, workflows=[Calls], activities=activities, **settings) as worker:
        yield worker


async def test_an_activity_sees_what_it_is(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.describe):
        seen = await call(client, queue, "describe")

    assert seen == {
        "id": "the-activity",
        "type": "describe",
        "attempt": 1,
        "workflow": f"wf-{queue}",
        "workflow_type": "Calls",
        "queue": queue,
        "local": False,
        "timeout": 30,
        "in_order": True,
    }


async def test_an_activity_runs_in_a_thread(client: Client, queue: str, threads: ThreadPoolExecutor) -> None:
    async with working(client, queue, elsewhere.thread_name, activity_executor=threads):
        assert (await call(client, queue, "thread_name")).startswith("ThreadPoolExecutor")


async def test_an_activity_runs_in_another_process_and_heartbeats_from_there(
    client: Client, queue: str, processes: ProcessPoolExecutor, shared_state: SharedStateManager
) -> None:
    async with working(
        client, queue, elsewhere.process_id, elsewhere.fails_after_heartbeat, activity_executor=processes, shared_state_manager=shared_state
    ):
        other = await call(client, queue, "process_id")
        handle = await client.start_workflow(
            Calls.run, args=["fails_after_heartbeat", [], {"attempts": 2}], id=f"second-{queue}", task_queue=queue
        )

        assert other != threading.get_native_id()
        assert await handle.result() == ["half way"]


async def test_an_activity_in_another_process_sees_that_it_is_cancelled(
    client: Client, queue: str, processes: ProcessPoolExecutor, shared_state: SharedStateManager
) -> None:
    async with working(client, queue, elsewhere.until_cancelled, activity_executor=processes, shared_state_manager=shared_state):
        handle = await start(client, queue, "until_cancelled")
        await heartbeat_of(handle)
        await handle.signal(Calls.cancel)

        assert await handle.result() == "saw it"


async def heartbeat_of(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the server has a heartbeat of the activity."""
    while not any(each.HasField("last_heartbeat_time") for each in (await handle.describe()).raw_description.pending_activities):
        await asyncio.sleep(0.01)


async def test_cancelling_an_activity_raises_in_it_and_says_why(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.wait):
        handle = await start(client, queue, "wait")
        await stage.running.wait()
        await handle.signal(Calls.cancel)
        with pytest.raises(WorkflowFailureError) as error:
            await handle.result()

    assert isinstance(reason(error), CancelledError)
    assert stage.seen == [activity.ActivityCancellationDetails(cancel_requested=True)]


async def test_an_activity_that_does_not_heed_its_cancellation_completes(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.stubborn):
        handle = await start(client, queue, "stubborn")
        await stage.running.wait()
        await handle.signal(Calls.cancel)

        assert await handle.result() == "finished all the same"


async def test_cancelling_raises_in_the_thread_of_an_activity(
    client: Client, queue: str, stage: Stage, threads: ThreadPoolExecutor
) -> None:
    async with working(client, queue, stage.wait_in_thread, activity_executor=threads):
        handle = await start(client, queue, "wait_in_thread")
        await asyncio.to_thread(stage.thread_running.wait, 10)
        await handle.signal(Calls.cancel)
        with pytest.raises(WorkflowFailureError) as error:
            await handle.result()

    assert isinstance(reason(error), CancelledError)


async def test_where_that_is_not_wanted_the_thread_only_sees_it(
    client: Client, queue: str, stage: Stage, threads: ThreadPoolExecutor
) -> None:
    async with working(client, queue, stage.look_in_thread, activity_executor=threads):
        handle = await start(client, queue, "look_in_thread")
        await heartbeat_of(handle)
        await handle.signal(Calls.cancel)

        assert await handle.result() == "saw it"


async def test_the_next_attempt_finds_the_last_heartbeat_of_one_that_failed(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.resume, max_heartbeat_throttle_interval=timedelta(seconds=60)):
        assert await call(client, queue, "resume", attempts=2) == ["step", 4]


async def test_an_activity_is_completed_by_somebody_else(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.later):
        handle = await start(client, queue, "later")
        while not stage.seen:
            await asyncio.sleep(0.01)
        await client.get_async_activity_handle(task_token=stage.seen[0]).complete("by hand")

        assert await handle.result() == "by hand"


async def test_a_heartbeat_that_cannot_be_encoded_fails_the_activity(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.bad_heartbeat):
        with pytest.raises(WorkflowFailureError) as error:
            await call(client, queue, "bad_heartbeat")

    assert "not JSON serializable" in str(reason(error))


async def test_a_dynamic_activity_runs_what_has_no_function_of_its_own(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.anything):
        assert await call(client, queue, "whatever", 1, "two") == "whatever[1, 'two']"


async def test_arguments_of_the_wrong_type_fail_the_activity(client: Client, queue: str) -> None:
    async with working(client, queue, elsewhere.add_one):
        with pytest.raises(WorkflowFailureError) as error:
            await call(client, queue, "add_one", "not a number")

    assert str(reason(error)) == "Failed decoding arguments"


async def test_a_worker_that_shuts_down_cancels_its_activities_and_they_fail_so_that_they_can_be_tried_again(
    client: Client, queue: str, stage: Stage
) -> None:
    async with working(client, queue, stage.wait):
        handle = await start(client, queue, "wait", attempts=1)
        await stage.running.wait()
    async with working(client, queue):
        with pytest.raises(WorkflowFailureError) as error:
            await handle.result()

    assert stage.seen == [activity.ActivityCancellationDetails(worker_shutdown=True)]
    cause = reason(error)
    assert isinstance(cause, ApplicationError)
    assert cause.type == "WorkerShutdown"


async def test_a_graceful_shutdown_lets_activities_finish(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.shutting_down, graceful_shutdown_timeout=timedelta(seconds=30)):
        handle = await start(client, queue, "shutting_down")
        await stage.running.wait()
    async with working(client, queue, stage.describe):
        assert await handle.result() == "said goodbye"


async def test_a_worker_of_activities_only_and_one_of_workflows_only_work_together(client: Client, queue: str, stage: Stage) -> None:
    async with (
        Worker(client, task_queue=queue, activities=[stage.describe]),
        Worker(client, task_queue=queue, workflows=[Calls]),
    ):
        assert (await call(client, queue, "describe"))["id"] == "the-activity"


async def test_a_broken_executor_ends_the_worker(client: Client, queue: str, shared_state: SharedStateManager) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as executor:
        worker = Worker(
            client,
            task_queue=queue,
            workflows=[Calls],
            activities=[elsewhere.dies],
            activity_executor=executor,
            shared_state_manager=shared_state,
        )
        running = asyncio.create_task(worker.run())
        await start(client, queue, "dies")
        with pytest.raises(RuntimeError, match="Activity worker failed"):
            await running


async def test_pausing_an_activity_cancels_it_with_that_reason(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.wait):
        handle = await start(client, queue, "wait", attempts=2)
        await stage.running.wait()
        request = PauseActivityRequest(namespace=client.namespace, id="the-activity")
        request.execution.workflow_id = handle.id
        await client.workflow_service.pause_activity(request)
        failure = await last_failure_of(handle)
        await handle.terminate()

    assert stage.seen == [activity.ActivityCancellationDetails(paused=True)]
    assert failure.application_failure_info.type == "ActivityPause"
    assert failure.message == "Unhandled activity cancel error produced by activity pause"


async def last_failure_of(handle: WorkflowHandle[Any, Any]) -> Failure:
    """Why the activity's last attempt failed, once one has."""
    while True:
        for each in (await handle.describe()).raw_description.pending_activities:
            if each.HasField("last_failure"):
                return each.last_failure
        await asyncio.sleep(0.01)


async def test_resetting_an_activity_cancels_it_with_that_reason(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.wait):
        handle = await start(client, queue, "wait", attempts=2)
        await stage.running.wait()
        request = ResetActivityRequest(namespace=client.namespace, id="the-activity")
        request.execution.workflow_id = handle.id
        await client.workflow_service.reset_activity(request)
        while not stage.seen:
            await asyncio.sleep(0.01)
        await handle.terminate()

    assert stage.seen[0] == activity.ActivityCancellationDetails(reset=True)


async def test_an_activity_whose_workflow_is_gone_is_cancelled_and_not_reported(client: Client, queue: str, stage: Stage) -> None:
    async with working(client, queue, stage.wait):
        handle = await start(client, queue, "wait")
        await stage.running.wait()
        await handle.terminate()
        while not stage.seen:
            await asyncio.sleep(0.01)

    assert stage.seen == [activity.ActivityCancellationDetails(not_found=True)]


async def test_an_activity_that_outlives_its_time_without_a_heartbeat_is_cancelled(
    client: Client, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    @activity.defn(name="silent")
    async def silent() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            seen.append(activity.cancellation_details())

    monkeypatch.setattr(activity_worker_module, "LOCAL_TIMEOUT_MARGIN_S", 0.05)
    async with working(client, queue, silent):
        with pytest.raises(WorkflowFailureError) as error:
            await call(client, queue, "silent", start_to_close=0.1)
        while not seen:
            await asyncio.sleep(0.01)

    assert isinstance(reason(error), TimeoutError)
    assert seen == [activity.ActivityCancellationDetails(not_found=True, timed_out=True)]
