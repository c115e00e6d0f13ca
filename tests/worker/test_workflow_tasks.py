"""Workflow tasks end to end: what runs do, what is cached, what fails and what is broken off."""

import asyncio
import contextlib
import threading
import time
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from outlast.exceptions import ActivityError, ApplicationError
from outlast.worker import Worker
from outlast.worker import _eviction as eviction_module
from outlast.worker import _workflow_worker as workflow_worker_module
from outlast.worker._watchdog import Watchdog


@activity.defn
async def double(x: int) -> int:
    return 2 * x


@workflow.defn
class Doubling:
    @workflow.run
    async def run(self, x: int) -> int:
        for _ in range(3):
            x = await workflow.execute_activity(double, x, start_to_close_timeout=timedelta(seconds=10))
        return x


@workflow.defn
class Counter:
    """Counts until it is told to stop."""

    def __init__(self) -> None:
        self.count = 0
        self.stopped = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.stopped)
        return self.count

    @workflow.signal
    def add(self, n: int) -> None:
        self.count += n

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True

    @workflow.query
    def current(self) -> int:
        return self.count

    @workflow.query
    def broken(self) -> int:
        raise ValueError("no answer")

    @workflow.update
    def set(self, n: int) -> int:
        self.count, before = n, self.count
        return before


@workflow.defn(sandboxed=False)
class Spinner:
    """Hangs in its first attempt."""

    attempts = 0

    @workflow.run
    async def run(self, seconds: float) -> str:
        Spinner.attempts += 1
        if Spinner.attempts == 1:
            spin(seconds)
        return "done"


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


async def history(client: Client, workflow_id: str) -> list[HistoryEvent]:
    return [event async for event in client.get_workflow_handle(workflow_id).fetch_history_events()]


def types(events: list[HistoryEvent]) -> list[str]:
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events]


async def test_a_workflow_runs_its_activities_and_returns(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Doubling], activities=[double]):
        assert await client.execute_workflow(Doubling.run, 5, id="wf", task_queue=queue) == 40


@pytest.mark.parametrize("cached", [0, 1, 1000])
async def test_workflows_come_through_whatever_is_cached(client: Client, queue: str, cached: int) -> None:
    async with Worker(client, task_queue=queue, workflows=[Doubling, Counter], activities=[double], max_cached_workflows=cached) as worker:
        handles = [await client.start_workflow(Counter.run, id=f"counter-{i}", task_queue=queue) for i in range(4)]
        for round in range(3):
            for handle in handles:
                await handle.signal(Counter.add, 1)
                assert await handle.query(Counter.current) == round + 1
        for handle in handles:
            await handle.signal(Counter.stop)
        results = [await handle.result() for handle in handles]
        doubled = await client.execute_workflow(Doubling.run, 1, id="doubling", task_queue=queue)
        assert worker._parts.workflows is not None
        kept = [run for run in worker._parts.workflows.cache.runs.values() if not run.users]

    assert (results, doubled) == ([3, 3, 3, 3], 8)
    assert len(kept) <= cached


async def test_without_a_cache_there_is_no_queue_of_the_workers_own(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Doubling], activities=[double], max_cached_workflows=0):
        await client.execute_workflow(Doubling.run, 1, id="wf", task_queue=queue)
    async with Worker(client, task_queue=queue, workflows=[Doubling], activities=[double]):
        await client.execute_workflow(Doubling.run, 1, id="cached", task_queue=queue)

    def queues(events: list[HistoryEvent]) -> set[str]:
        return {
            event.workflow_task_scheduled_event_attributes.task_queue.name
            for event in events
            if event.HasField("workflow_task_scheduled_event_attributes")
        }

    assert queues(await history(client, "wf")) == {queue}
    assert len(queues(await history(client, "cached"))) == 2


async def test_a_run_that_another_worker_knew_is_replayed(client: Client, queue: str) -> None:
    handle = await client.start_workflow(Counter.run, id="wf", task_queue=queue)
    for n in (1, 2):
        async with Worker(client, task_queue=queue, workflows=[Counter]):
            await handle.signal(Counter.add, n)
            await handle.query(Counter.current)
    async with Worker(client, task_queue=queue, workflows=[Counter]):
        await handle.signal(Counter.stop)

        assert await handle.result() == 3


async def test_queries_are_answered_before_and_after_the_end_and_when_they_fail(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Counter]):
        handle = await client.start_workflow(Counter.run, id="wf", task_queue=queue)
        await handle.signal(Counter.add, 7)
        assert await handle.query(Counter.current) == 7
        with pytest.raises(WorkflowQueryFailedError, match="no answer"):
            await handle.query(Counter.broken)
        await handle.signal(Counter.stop)
        await handle.result()
        assert await handle.query(Counter.current) == 7
    async with Worker(client, task_queue=queue, workflows=[Counter]):
        assert [await handle.query(Counter.current) for _ in range(2)] == [7, 7]


async def test_updates_are_answered(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Counter]):
        handle = await client.start_workflow(Counter.run, id="wf", task_queue=queue)

        assert [await handle.execute_update(Counter.set, 3), await handle.execute_update(Counter.set, 4)] == [0, 3]


async def test_a_workflow_that_nobody_knows_fails_its_task_and_names_those_that_are_known(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Counter]):
        handle = await client.start_workflow("Unheard", id="wf", task_queue=queue)
        failed = await event(client, "wf", EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        await handle.terminate()

    failure = failed.workflow_task_failed_event_attributes.failure
    assert failure.message == "Workflow class Unheard is not registered on this worker, available workflows: Counter"
    assert failure.application_failure_info.type == "NotFoundError"


async def event(client: Client, workflow_id: str, kind: EventType.ValueType) -> HistoryEvent:
    """The first such event, when it comes."""
    events = client.get_workflow_handle(workflow_id).fetch_history_events(wait_new_event=True)
    async for each in events:
        if each.event_type == kind:
            return each
    raise AssertionError("the workflow ended")


@pytest.fixture
def quick_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_worker_module, "WATCHDOG", Watchdog(limit_s=0.1, look_s=0.02))
    Spinner.attempts = 0


async def test_a_workflow_that_hangs_fails_its_task_with_where_it_hung(client: Client, queue: str, quick_watchdog: None) -> None:
    async with Worker(client, task_queue=queue, workflows=[Spinner]):
        assert await client.execute_workflow(Spinner.run, 60, id="wf", task_queue=queue) == "done"

    [failed] = [each for each in await history(client, "wf") if each.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]
    failure = failed.workflow_task_failed_event_attributes.failure
    assert failure.message == "[TMPRL1101] Potential deadlock detected: workflow didn't yield within 0.1 second(s)."
    assert "in spin" in failure.stack_trace


async def test_in_debug_mode_a_workflow_may_take_as_long_as_it_likes(client: Client, queue: str, quick_watchdog: None) -> None:
    async with Worker(client, task_queue=queue, workflows=[Spinner], debug_mode=True):
        assert await client.execute_workflow(Spinner.run, 0.3, id="wf", task_queue=queue) == "done"

    assert Spinner.attempts == 1


@workflow.defn(sandboxed=False)
class WaitsInC:
    """Its first task waits for what only other threads could bring."""

    attempts = 0

    @workflow.run
    async def run(self) -> str:
        WaitsInC.attempts += 1
        if WaitsInC.attempts == 1:
            threading.Event().wait(60)
        return "done"


async def test_a_workflow_that_waits_in_c_fails_its_task_and_holds_up_nobody(client: Client, queue: str, quick_watchdog: None) -> None:
    async with Worker(client, task_queue=queue, workflows=[WaitsInC]):
        assert await client.execute_workflow(WaitsInC.run, id="wf", task_queue=queue) == "done"

    [failed] = [each for each in await history(client, "wf") if each.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]
    assert "threading.py" in failed.workflow_task_failed_event_attributes.failure.stack_trace


@workflow.defn
class CannotBeEvicted:
    """Leaves code behind that swallows whatever is raised."""

    @workflow.run
    async def run(self) -> str:
        self.left = asyncio.create_task(self.go_on())
        return "done"

    async def go_on(self) -> None:
        while True:
            with contextlib.suppress(BaseException):
                await workflow.wait_condition(lambda: False)


async def test_code_that_cannot_be_evicted_is_logged_and_holds_up_nobody(
    client: Client, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Worker(client, task_queue=queue, workflows=[CannotBeEvicted]):
        handle = await client.start_workflow(CannotBeEvicted.run, id="wf", task_queue=queue)
        assert await handle.result() == "done"

    [record] = [each for each in caplog.records if each.getMessage() == f"Run {handle.first_execution_run_id} could not be evicted"]
    assert "swallow their cancellation" in str(record.exc_info)


@workflow.defn
class SpinsWhenEvicted:
    """Leaves code behind that does not yield any more once it is cancelled."""

    @workflow.run
    async def run(self) -> str:
        self.left = asyncio.create_task(self.spin())
        await asyncio.sleep(0)
        return "done"

    async def spin(self) -> None:
        try:
            await workflow.wait_condition(lambda: False)
        finally:
            while True:
                pass


async def test_code_that_does_not_yield_when_it_is_evicted_is_broken_off(
    client: Client, queue: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watchdog = Watchdog(limit_s=0.1, look_s=0.02)
    monkeypatch.setattr(workflow_worker_module, "WATCHDOG", watchdog)
    monkeypatch.setattr(eviction_module, "WATCHDOG", watchdog)
    async with Worker(client, task_queue=queue, workflows=[SpinsWhenEvicted]):
        assert await client.execute_workflow(SpinsWhenEvicted.run, id="wf", task_queue=queue) == "done"

    assert any("could not be evicted" in each.getMessage() for each in caplog.records)


@workflow.defn
class FailsOnce:
    """Its first task fails: an error that is no failure of the workflow."""

    attempts = 0

    @workflow.run
    async def run(self) -> int:
        FailsOnce.attempts += 1
        if FailsOnce.attempts == 1:
            raise KeyError("a bug")
        return FailsOnce.attempts


async def test_a_bug_fails_the_task_and_not_the_workflow(client: Client, queue: str) -> None:
    FailsOnce.attempts = 0
    async with Worker(client, task_queue=queue, workflows=[FailsOnce]):
        assert await client.execute_workflow(FailsOnce.run, id="wf", task_queue=queue) == 2


async def test_a_bug_fails_the_workflow_where_that_is_wanted(client: Client, queue: str) -> None:
    FailsOnce.attempts = 0
    async with Worker(client, task_queue=queue, workflows=[FailsOnce], workflow_failure_exception_types=[KeyError]):
        with pytest.raises(WorkflowFailureError) as error:
            await client.execute_workflow(FailsOnce.run, id="wf", task_queue=queue)

    assert isinstance(error.value.cause, ApplicationError)


@workflow.defn
class Fanout:
    @workflow.run
    async def run(self, n: int) -> int:
        calls = [workflow.execute_activity(double, i, start_to_close_timeout=timedelta(seconds=10), activity_id=f"a{i}") for i in range(n)]
        return sum(await asyncio.gather(*calls))


async def test_many_activities_of_one_task_all_come_back(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Fanout], activities=[double], max_concurrent_activities=2):
        assert await client.execute_workflow(Fanout.run, 40, id="wf", task_queue=queue) == 1560


@workflow.defn
class Lost:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            "unheard", start_to_close_timeout=timedelta(seconds=10), schedule_to_close_timeout=timedelta(seconds=0.2)
        )


async def test_activities_of_which_no_worker_knows_fail_and_name_those_that_are_known(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Lost], activities=[double]):
        with pytest.raises(WorkflowFailureError) as error:
            await client.execute_workflow(Lost.run, id="wf", task_queue=queue)

    assert isinstance(error.value.cause, ActivityError)
    assert "Activity function unheard for workflow wf is not registered on this worker, available activities: double" in str(
        error.value.cause.cause
    )


async def test_a_history_of_many_pages_is_replayed(client: Client, queue: str) -> None:
    handle = await client.start_workflow(Counter.run, id="wf", task_queue=queue)
    for _ in range(300):
        await handle.signal(Counter.add, 1)
    async with Worker(client, task_queue=queue, workflows=[Counter]):
        await handle.query(Counter.current)
    async with Worker(client, task_queue=queue, workflows=[Counter]):
        assert await handle.query(Counter.current) == 300
        await handle.signal(Counter.stop)
        assert await handle.result() == 300
