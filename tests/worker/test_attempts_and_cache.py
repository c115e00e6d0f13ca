"""What holds in moments that are hard to meet: cancellations that come late, answers that are refused, runs that must be kept."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
)

from outlast import activity, workflow
from outlast.activity import ActivityCancellationDetails
from outlast.client import Client, WorkflowUpdateFailedError
from outlast.replay.protocol import Step
from outlast.service import RPCStatusCode
from outlast.worker import Plugin, Replayer, ReplayerConfig, Worker, WorkerConfig
from outlast.worker._attempt import Attempt
from outlast.worker._cache import RunCache
from outlast.worker._gathered import Gathered
from tests.worker.fakes import failure


class Watched:
    """The server, with what is called written down, and calls that a test replaces."""

    def __init__(self, worker: Worker) -> None:
        self.called: list[str] = []
        self.instead: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        self._calls = worker._server.calls
        worker._server.calls = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        async def call(request: Any, **options: Any) -> Any:
            self.called.append(name)
            if name in self.instead:
                return await self.instead[name](request)
            return await getattr(self._calls, name)(request, **options)

        return call

    async def ask(self, name: str, request: Any) -> Any:
        return await getattr(self._calls, name)(request)


@workflow.defn
class Calling:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity("act", start_to_close_timeout=timedelta(seconds=30))


@workflow.defn
class Account:
    """Has a balance, and refuses to owe."""

    def __init__(self) -> None:
        self.balance = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.balance >= 100)
        return self.balance

    @workflow.signal
    def add(self, amount: int) -> None:
        self.balance += amount

    @workflow.update
    def set(self, amount: int) -> None:
        self.balance = amount

    @set.validator
    def check(self, amount: int) -> None:
        if amount < 0:
            raise ValueError("no credit")


def test_a_cancellation_has_one_reason_the_first() -> None:
    attempt = Attempt(PollActivityTaskQueueResponse())

    attempt.cancel(ActivityCancellationDetails(paused=True))
    attempt.cancel(ActivityCancellationDetails(worker_shutdown=True))
    attempt.fail_heartbeat(ValueError())

    assert (attempt.details.details, attempt.heartbeat_error) == (ActivityCancellationDetails(paused=True), None)


async def test_a_cancellation_that_comes_as_the_code_returns_does_not_lose_its_result(client: Client, queue: str) -> None:
    @activity.defn(name="act")
    async def act() -> str:
        assert worker._parts.activities is not None
        [attempt] = worker._parts.activities._attempts.values()
        attempt.cancel(ActivityCancellationDetails(cancel_requested=True))
        return "in time"

    worker = Worker(client, task_queue=queue, workflows=[Calling], activities=[act])
    watched = Watched(worker)

    async def respond(request: Any) -> Any:
        await asyncio.sleep(0)
        return await watched.ask("respond_activity_task_completed", request)

    watched.instead["respond_activity_task_completed"] = respond
    async with worker:
        handle = await client.start_workflow(Calling.run, id="wf", task_queue=queue, run_timeout=timedelta(seconds=10))
        assert await handle.result() == "in time"


async def test_an_activity_that_the_server_does_not_know_is_not_reported(client: Client, queue: str) -> None:
    running = asyncio.Event()
    ended = asyncio.Event()

    @activity.defn(name="act")
    async def act() -> str:
        running.set()
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    worker = Worker(
        client, task_queue=queue, workflows=[Calling], activities=[act], max_heartbeat_throttle_interval=timedelta(milliseconds=1)
    )
    watched = Watched(worker)
    async with worker:
        handle = await client.start_workflow(Calling.run, id="wf", task_queue=queue)
        await running.wait()
        await handle.terminate()
        await ended.wait()

    assert not [call for call in watched.called if call.startswith("respond_activity")]


async def test_a_run_that_has_ended_is_forgotten(client: Client, queue: str) -> None:
    worker = Worker(client, task_queue=queue, workflows=[Account])
    async with worker:
        handle = await client.start_workflow(Account.run, id="wf", task_queue=queue)
        await handle.signal(Account.add, 100)
        await handle.result()
        assert worker._parts.workflows is not None
        while any(cached.users for cached in worker._parts.workflows.cache.runs.values()):
            await asyncio.sleep(0.001)

        assert list(worker._parts.workflows.cache.runs) == []


async def test_a_run_whose_answer_was_refused_is_replayed(client: Client, queue: str) -> None:
    @activity.defn(name="act")
    async def act() -> str:
        return "after all"

    worker = Worker(client, task_queue=queue, workflows=[Calling], activities=[act])
    watched = Watched(worker)

    async def refuse(request: RespondWorkflowTaskCompletedRequest) -> Any:
        del watched.instead["respond_workflow_task_completed"]
        raise failure(RPCStatusCode.NOT_FOUND)

    watched.instead["respond_workflow_task_completed"] = refuse
    async with worker:
        timeouts = {"task_timeout": timedelta(seconds=1), "run_timeout": timedelta(seconds=10)}
        handle = await client.start_workflow(Calling.run, id="wf", task_queue=queue, **timeouts)  # type: ignore[call-overload]

        assert await handle.result() == "after all"


async def test_after_a_task_that_the_server_dropped_no_event_is_missed(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Account]):
        handle = await client.start_workflow(Account.run, id="wf", task_queue=queue)
        await handle.execute_update(Account.set, 1)
        for _ in range(3):
            with pytest.raises(WorkflowUpdateFailedError):
                await handle.execute_update(Account.set, -1)
            await handle.signal(Account.add, 33)

        assert await handle.result() == 100


def test_a_run_that_is_worked_on_stays_in_the_cache_and_of_the_others_the_last() -> None:
    cache = RunCache(1)
    busy, first, second = (cache.claim(name) for name in ("busy", "first", "second"))
    for cached in (busy, first, second):
        cached.run = Idle()
    cache.release(first)
    cache.release(second)
    kept = list(cache.runs)
    cache.release(busy)

    assert kept == ["busy"]
    assert list(cache.runs) == ["busy"]


class Idle:
    """A run that nobody asks anything."""

    run_id = ""

    def evict(self) -> None:
        return

    activate = resolve_local_activity = heartbeat = forget_task = None  # type: ignore[assignment]


def test_the_steps_of_one_task_add_up() -> None:
    gathered = Gathered(Step(commands=["a"], messages=["m"], waiting=True, versioning_behavior=1))  # type: ignore[list-item]

    whole = gathered.add(Step(commands=["b", "c"], messages=["n"]))  # type: ignore[list-item]

    assert (whole.commands, whole.messages, whole.waiting, whole.versioning_behavior) == (["a", "b", "c"], ["m", "n"], False, 1)


async def test_once_the_server_is_told_that_the_worker_ends_nothing_is_polled_for(client: Client, queue: str) -> None:
    worker = Worker(client, task_queue=queue, workflows=[Account], activities=[])
    watched = Watched(worker)
    goodbye = asyncio.Event()

    async def poll(request: Any) -> Any:
        await goodbye.wait()
        return PollWorkflowTaskQueueResponse()

    async def shutdown(request: Any) -> Any:
        reply = await watched.ask("shutdown_worker", request)
        goodbye.set()
        await asyncio.sleep(0.01)
        return reply

    watched.instead.update(poll_workflow_task_queue=poll, shutdown_worker=shutdown)
    async with worker:
        while "poll_workflow_task_queue" not in watched.called:
            await asyncio.sleep(0)

    assert "poll_workflow_task_queue" not in watched.called[watched.called.index("shutdown_worker") :]


class Untidy(Plugin):
    """Fails in its clean-up."""

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        await next(worker)
        await asyncio.sleep(0.01)
        raise ValueError("untidy")

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        return config

    def run_replayer(self, replayer: Replayer, histories: Any, next: Any) -> Any:
        return next(replayer, histories)


async def test_a_plugin_that_fails_in_its_clean_up_does_not_cancel_the_code_after_the_worker(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Account], plugins=[Untidy()]):
        pass

    await asyncio.sleep(0.03)
