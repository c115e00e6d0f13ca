"""Environments for tests of workflows, with Outlast's own client and worker, in the test's process."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import temporalio.testing

from outlast import workflow
from outlast.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from outlast.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from outlast.embedded import OpenError
from outlast.exceptions import ApplicationError
from outlast.testing import ActivityEnvironment, TimeSkipper, TimeSkippingConfig, WorkflowEnvironment
from outlast.testing._timeskipping import FastForwardConfig
from outlast.worker import Worker

QUEUE = "queue"
DAY = timedelta(days=1)
COLOUR = SearchAttributeKey.for_keyword("Colour")


@workflow.defn
class Sleeps:
    def __init__(self) -> None:
        self.told: list[str] = []

    @workflow.run
    async def run(self, days: int) -> float:
        before = workflow.now()
        await asyncio.sleep(days * DAY.total_seconds())
        return (workflow.now() - before).total_seconds()

    @workflow.signal
    def tell(self, what: str) -> None:
        assert what != "nonsense", "that is nonsense"
        self.told.append(what)

    @workflow.query
    def heard(self) -> list[str]:
        return self.told


@workflow.defn
class Asserts:
    @workflow.run
    async def run(self) -> None:
        assert 1 + 1 == 3, "two is not three"


WORKFLOWS = [Sleeps, Asserts]


def options() -> dict[str, Any]:
    return {"id": f"wf-{uuid4()}", "task_queue": QUEUE}


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as env, Worker(env.client, task_queue=QUEUE, workflows=WORKFLOWS):
        yield env


async def test_awaiting_a_result_lets_a_hundred_days_go_by(env: WorkflowEnvironment) -> None:
    began = await env.get_current_time()

    async with asyncio.timeout(10):
        assert await env.client.execute_workflow(Sleeps.run, 100, **options()) == pytest.approx(100 * DAY.total_seconds(), abs=1)

    assert await env.get_current_time() - began >= 100 * DAY
    assert env.supports_time_skipping
    assert env.supports_time_skipping_v1
    assert not env.supports_time_skipping_v2


async def test_time_stands_still_between_the_steps_of_a_test(env: WorkflowEnvironment) -> None:
    handle = await env.client.start_workflow(Sleeps.run, 10, **options())
    await env.sleep(9 * DAY)
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await handle.signal(Sleeps.tell, "news")
    assert await handle.query(Sleeps.heard) == ["news"]

    await env.sleep(DAY.total_seconds() + 1)

    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_skipping_can_be_switched_off_for_a_while(env: WorkflowEnvironment) -> None:
    handle = await env.client.start_workflow(Sleeps.run, 10, **options())
    with env.auto_time_skipping_disabled():
        with env.auto_time_skipping_disabled():
            pass
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await handle.result()

    assert await handle.result() >= 10 * DAY.total_seconds()


async def test_an_assertion_that_fails_fails_the_workflow(env: WorkflowEnvironment) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await env.client.execute_workflow(Asserts.run, **options())
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.non_retryable) == ("AssertionError", True)
    assert "two is not three" in str(cause)

    handle = await env.client.start_workflow(Sleeps.run, 10, **options())
    await handle.signal(Sleeps.tell, "nonsense")
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "that is nonsense" in str(failed.value.cause)


async def test_a_wait_for_a_result_that_is_given_up_locks_the_time_again(env: WorkflowEnvironment) -> None:
    handle = await env.client.start_workflow(Sleeps.run, 10, **options())
    other = await env.client.start_workflow("Nobody", id="nobody", task_queue="nobody")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await other.result()

    began = await env.get_current_time()
    await asyncio.sleep(0.05)

    assert await env.get_current_time() - began < timedelta(minutes=1)
    await other.terminate()
    assert await handle.result() >= 10 * DAY.total_seconds()


async def test_further_clients_are_of_the_same_server(env: WorkflowEnvironment) -> None:
    client = await env.connect_client(identity="me")
    handle = await env.client.start_workflow(Sleeps.run, 10, **options())

    assert client.identity == "me"
    assert (await client.get_workflow_handle(handle.id).describe()).status is WorkflowExecutionStatus.RUNNING


async def test_others_can_connect_to_its_address(env: WorkflowEnvironment) -> None:
    elsewhere = await Client.connect(env.client.service_client.config.target_host)
    handle = await env.client.start_workflow(Sleeps.run, 10, **options())

    assert (await elsewhere.get_workflow_handle(handle.id).describe()).status is WorkflowExecutionStatus.RUNNING
    assert WorkflowEnvironment.from_client(elsewhere).supports_time_skipping is False


async def test_a_local_server_has_the_real_time_and_what_its_flags_say() -> None:
    flags = ["--search-attribute", "Size=Int", "--namespace=elsewhere", "--dynamic-config-value", "frontend.WorkflowPauseEnabled=false"]
    async with (
        await WorkflowEnvironment.start_local(search_attributes=[COLOUR], dev_server_extra_args=flags, ui=True) as env,
        Worker(env.client, task_queue=QUEUE, workflows=WORKFLOWS),
    ):
        attributes = TypedSearchAttributes([SearchAttributePair(COLOUR, "red"), SearchAttributePair(SearchAttributeKey.for_int("Size"), 3)])
        await env.client.execute_workflow(Sleeps.run, 0, search_attributes=attributes, **options())
        with pytest.raises(WorkflowFailureError):
            await env.client.execute_workflow(Asserts.run, **options())
        elsewhere = await env.connect_client(namespace="elsewhere")
        await elsewhere.start_workflow("Nobody", id="nobody", task_queue=QUEUE)
        await env.sleep(0.01)

        assert abs(datetime.now(UTC) - await env.get_current_time()) < timedelta(minutes=1)
        assert not env.supports_time_skipping


@pytest.mark.parametrize("flags", [["--namespace"], ["--dynamic-config-value", "x"], ["--search-attribute", "Size=Huge"]])
async def test_flags_that_make_no_sense_are_refused(flags: list[str]) -> None:
    with pytest.raises(ValueError, match="dev_server_extra_args"):
        await WorkflowEnvironment.start_local(dev_server_extra_args=flags)


async def test_a_port_that_is_taken_is_told() -> None:
    async with await WorkflowEnvironment.start_local() as env:
        port = int(env.client.service_client.config.target_host.rpartition(":")[2])
        with pytest.raises(OpenError, match="port"):
            await WorkflowEnvironment.start_local(port=port)


@pytest.mark.parametrize(
    "name",
    [
        "from_client",
        "start_local",
        "start_time_skipping",
        "start_time_skipping_v2",
        "sleep",
        "fast_forward",
        "get_current_time",
        "connect_client",
    ],
)
def test_the_signatures_are_the_official_ones(name: str) -> None:
    assert _shape(getattr(WorkflowEnvironment, name)) == _shape(getattr(temporalio.testing.WorkflowEnvironment, name))


@pytest.mark.parametrize("name", ["__init__", "cancel", "worker_shutdown", "run", "default_info"])
def test_the_signatures_of_the_activity_environment_are_the_official_ones(name: str) -> None:
    assert list(_shape(getattr(ActivityEnvironment, name))) == list(_shape(getattr(temporalio.testing.ActivityEnvironment, name)))


def _shape(function: Any) -> Mapping[str, tuple[Any, str]]:
    """Names, kinds and plain defaults."""
    parameters = inspect.signature(function).parameters.values()
    return {
        each.name: (each.kind, repr(each.default) if isinstance(each.default, str | int | bool | None) else "...") for each in parameters
    }


@pytest.fixture
async def v2() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping_v2() as env, Worker(env.client, task_queue=QUEUE, workflows=WORKFLOWS):
        yield env


async def test_each_workflow_has_a_time_of_its_own(v2: WorkflowEnvironment) -> None:
    async with asyncio.timeout(10):
        slept = await v2.client.execute_workflow(Sleeps.run, 100, **options())
    with v2.with_time_skipping_disabled():
        waits = await v2.client.start_workflow(Sleeps.run, 100, **options())

    assert slept == pytest.approx(100 * DAY.total_seconds(), abs=1)
    assert v2.supports_time_skipping_v2
    assert await v2.get_time_skipping_info(waits) is None
    assert abs(await v2.get_current_time(waits) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_fast_forward_moves_one_workflow_and_says_how_it_ended(v2: WorkflowEnvironment) -> None:
    with v2.with_time_skipping_disabled():
        one, other, third = [await v2.client.start_workflow(Sleeps.run, 10, **options()) for _ in range(3)]

    async with asyncio.timeout(20):
        assert await v2.fast_forward(one, 9 * DAY) is True
        assert (await one.describe()).status is WorkflowExecutionStatus.RUNNING
        assert await v2.fast_forward(other, 11 * DAY.total_seconds()) is False
        assert await v2.fast_forward(third) is False

    info = await v2.get_time_skipping_info(one)
    assert info is not None
    assert not info.effective_config.enabled
    assert await v2.get_current_time(one) - datetime.now(UTC) > 8 * DAY
    assert (await third.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_what_makes_no_sense_where_each_has_a_time_of_its_own_is_refused(v2: WorkflowEnvironment, env: WorkflowEnvironment) -> None:
    with pytest.raises(RuntimeError):
        await v2.sleep(1)
    with pytest.raises(RuntimeError):
        await v2.get_current_time()
    with pytest.raises(RuntimeError), v2.auto_time_skipping_disabled():
        pass
    handle = await env.client.start_workflow(Sleeps.run, 10, **options())
    with pytest.raises(RuntimeError, match="start_time_skipping_v2"):
        await env.fast_forward(handle)
    with pytest.raises(RuntimeError, match="start_time_skipping_v2"):
        await env.get_time_skipping_info(handle)
    with env.with_time_skipping_disabled():
        pass


async def test_a_configuration_for_all_workflows_goes_with_their_start(v2: WorkflowEnvironment) -> None:
    skipper = TimeSkipper(v2.client, config=TimeSkippingConfig(max_session_skip_count=1))
    handle = await skipper.client.start_workflow(Sleeps.run, 1, **options())
    skipper.config = TimeSkippingConfig(enabled=False)
    waits = await skipper.client.start_workflow(Sleeps.run, 1, **options())

    assert await handle.result() >= DAY.total_seconds()
    assert (await waits.describe()).status is WorkflowExecutionStatus.RUNNING
    assert skipper.config.enabled is False
    with pytest.raises(ValueError, match="fast_forward_config"):
        TimeSkippingConfig(enabled=False, fast_forward_config=FastForwardConfig("id", DAY))
