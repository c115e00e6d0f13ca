"""The official SDK's time-skipping environment on this server's command: what it asks of the test server, and what it may rely on."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.api.testservice.v1 import SleepRequest, SleepUntilRequest, UnlockTimeSkippingRequest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import TimeoutError as WorkflowTimeoutError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from outlast.cli.test_server import USAGE, run
from tests.testing.official import ACTIVITIES, DAY, WORKFLOWS, Counts, Parent, Races, Retries, Sleeps, Waits

QUEUE = "queue"


@pytest_asyncio.fixture
async def env(test_server: str) -> AsyncIterator[WorkflowEnvironment]:
    async with (
        await WorkflowEnvironment.start_time_skipping(test_server_existing_path=test_server) as env,
        Worker(env.client, task_queue=QUEUE, workflows=WORKFLOWS, activities=ACTIVITIES),
    ):
        yield env


def options() -> dict[str, Any]:
    return {"id": f"wf-{uuid4()}", "task_queue": QUEUE}


async def test_a_result_that_is_waited_for_lets_the_days_go_by(env: WorkflowEnvironment) -> None:
    began = await env.get_current_time()

    async with asyncio.timeout(10):
        slept = await env.client.execute_workflow(Sleeps.run, 100, **options())

    assert slept == pytest.approx(100 * DAY.total_seconds(), abs=1)
    assert await env.get_current_time() - began >= 100 * DAY


async def test_retries_children_and_new_runs_take_no_real_time(env: WorkflowEnvironment) -> None:
    async with asyncio.timeout(20):
        attempts, took = await env.client.execute_workflow(Retries.run, **options())
        slept = await env.client.execute_workflow(Parent.run, **options())
        counted = await env.client.execute_workflow(Counts.run, 5, **options())

    assert attempts == 4
    assert took == pytest.approx(3 * DAY.total_seconds(), abs=2)
    assert slept == pytest.approx(3 * DAY.total_seconds(), abs=1)
    assert counted == "all days"


async def test_a_running_activity_holds_the_time(env: WorkflowEnvironment) -> None:
    assert await env.client.execute_workflow(Races.run, **options()) == "done"


async def test_time_stands_still_until_a_test_sleeps(env: WorkflowEnvironment) -> None:
    handle = await env.client.start_workflow(Waits.run, **options())
    assert await handle.query(Waits.state) is False

    await env.sleep(timedelta(days=29))
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    await handle.signal(Waits.approve)

    assert await handle.result() == "approved"


async def test_a_wait_that_ends_with_nobody_ends_by_its_timer(env: WorkflowEnvironment) -> None:
    assert await env.client.execute_workflow(Waits.run, **options()) == "forgotten"


async def test_timeouts_delays_and_cron_are_jumped_to(env: WorkflowEnvironment) -> None:
    began = await env.get_current_time()
    with pytest.raises(WorkflowFailureError) as error:
        await env.client.execute_workflow(Waits.run, run_timeout=timedelta(days=2), **options())
    assert isinstance(error.value.cause, WorkflowTimeoutError)

    slept = await env.client.execute_workflow(Sleeps.run, 0, start_delay=timedelta(days=3), **options())

    assert slept == 0
    assert await env.get_current_time() - began >= timedelta(days=5)


async def test_what_has_ended_is_still_there_a_year_later(env: WorkflowEnvironment) -> None:
    handle = await env.client.start_workflow(Sleeps.run, 1, **options())
    slept = await handle.result()
    await env.sleep(timedelta(days=365))

    assert await handle.result() == slept


async def test_every_name_is_a_namespace(env: WorkflowEnvironment) -> None:
    client = await env.connect_client(namespace="elsewhere")

    handle = await client.start_workflow("Sleeps", 1, **options())

    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING


async def test_without_skipping_a_result_waits_in_real_time(env: WorkflowEnvironment) -> None:
    with env.auto_time_skipping_disabled():
        handle = await env.client.start_workflow(Sleeps.run, 1, **options())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await handle.result()

    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING


async def test_a_failed_attempt_of_a_workflow_is_tried_again_a_day_later(env: WorkflowEnvironment) -> None:
    retry = RetryPolicy(initial_interval=DAY, maximum_attempts=3)
    began = await env.get_current_time()
    with pytest.raises(WorkflowFailureError):
        await env.client.execute_workflow(Waits.run, run_timeout=DAY, retry_policy=retry, **options())

    # Three runs of a day each, and pauses of one and two days between them.
    assert await env.get_current_time() - began >= timedelta(days=6)


async def test_a_server_that_is_told_to_skips_from_the_start(test_server: str) -> None:
    start = WorkflowEnvironment.start_time_skipping
    async with (
        await start(test_server_existing_path=test_server, test_server_extra_args=["--enable-time-skipping"]) as env,
        Worker(env.client, task_queue=QUEUE, workflows=WORKFLOWS, activities=ACTIVITIES),
        asyncio.timeout(10),
    ):
        with env.auto_time_skipping_disabled():
            assert await env.client.execute_workflow(Sleeps.run, 1, **options()) == pytest.approx(DAY.total_seconds(), abs=1)


def test_a_command_line_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert [run(line) for line in ([], ["x"], ["1", "2"], ["1", "--fast"])] == [2, 2, 2, 2]
    assert capsys.readouterr().err.count(USAGE) == 4


async def test_sleeps_of_others_end_when_somebody_lets_the_time_go_by(env: WorkflowEnvironment) -> None:
    service = env.client.test_service
    now = await env.get_current_time()
    past, later, hour = SleepUntilRequest(), SleepUntilRequest(), SleepRequest()
    past.timestamp.FromDatetime(now - DAY)
    later.timestamp.FromDatetime(now + DAY)
    hour.duration.FromTimedelta(timedelta(hours=1))

    await service.sleep_until(past)
    sleeping = [asyncio.ensure_future(call) for call in (service.sleep_until(later), service.sleep(hour))]
    _, still = await asyncio.wait(sleeping, timeout=0.1)
    assert len(still) == 2
    await service.unlock_time_skipping(UnlockTimeSkippingRequest())

    async with asyncio.timeout(10):
        await asyncio.gather(*sleeping)
    assert now + DAY <= await env.get_current_time() < now + 2 * DAY


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        assert run([str(taken.getsockname()[1])]) == 1
    assert capsys.readouterr().err.count("\n") == 1


async def test_locks_are_counted_and_must_balance(env: WorkflowEnvironment) -> None:
    service = env.client.test_service
    await service.unlock_time_skipping(UnlockTimeSkippingRequest())
    with pytest.raises(RPCError) as error:
        await service.unlock_time_skipping(UnlockTimeSkippingRequest())
    with pytest.raises(RPCError) as sleeping:
        await env.sleep(1)

    assert error.value.status == sleeping.value.status == RPCStatusCode.FAILED_PRECONDITION
