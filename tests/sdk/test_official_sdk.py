"""The official Python SDK, client and worker, on a node of ours."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError, CancelledError, TerminatedError, TimeoutError, WorkflowAlreadyStartedError
from temporalio.service import RPCError
from temporalio.worker import Worker

from tests.history_checker import check_history
from tests.sdk import workflows as w

QUEUE = "sdk"


@asynccontextmanager
async def a_worker(client: Client, cached: int = 100) -> AsyncIterator[None]:
    """A worker; without a cache each workflow task replays the whole history."""
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=w.WORKFLOWS,
        activities=w.ACTIVITIES,
        max_cached_workflows=cached,
        max_heartbeat_throttle_interval=timedelta(milliseconds=20),
        default_heartbeat_throttle_interval=timedelta(milliseconds=20),
    ):
        yield


def an_id() -> str:
    return f"wf-{uuid.uuid4()}"


async def assert_good_history(client: Client, workflow_id: str) -> None:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    assert check_history(history.events) == []


@pytest.mark.parametrize("cached", [100, 0])
async def test_activity_timer_signal_and_query(client: Client, cached: int) -> None:
    async with a_worker(client, cached):
        handle = await client.start_workflow(w.Everything.run, w.Order("o", [1, 2, 3]), id=an_id(), task_queue=QUEUE)
        await handle.signal(w.Everything.name, "first")
        while await handle.query(w.Everything.seen) != ["first"]:
            await asyncio.sleep(0.01)
        await handle.signal(w.Everything.name, "second")

        assert await handle.result() == [6, ["first", "second"], [0, 1, 2]]
        assert await handle.query(w.Everything.seen) == ["first", "second"]
        await assert_good_history(client, handle.id)


async def test_retries_heartbeats_and_local_activities(client: Client) -> None:
    async with a_worker(client):
        result = await client.execute_workflow(w.Retries.run, id=an_id(), task_queue=QUEUE)

    assert result == ["it at attempt 3", 2, "locally at attempt 3"]


async def test_a_failure_reaches_the_client_with_its_cause(client: Client) -> None:
    async with a_worker(client):
        with pytest.raises(WorkflowFailureError) as caught:
            await client.execute_workflow(w.GivesUp.run, id=an_id(), task_queue=QUEUE)

    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.message == "gave up: attempt 2 of it"


async def test_cancellation_reaches_a_running_activity(client: Client) -> None:
    async with a_worker(client):
        handle = await client.start_workflow(w.Cancellable.run, id=an_id(), task_queue=QUEUE)
        while not (await handle.describe()).raw_description.pending_activities:
            await asyncio.sleep(0.01)
        await handle.cancel()

        assert await handle.result() == "let go"
        await assert_good_history(client, handle.id)


async def test_terminate_and_run_timeout(client: Client) -> None:
    async with a_worker(client):
        order = w.Order("o", [])
        ended = await client.start_workflow(w.Everything.run, order, id=an_id(), task_queue=QUEUE)
        await ended.terminate("enough")
        with pytest.raises(WorkflowFailureError) as terminated:
            await ended.result()
        with pytest.raises(WorkflowFailureError) as timed_out:
            await client.execute_workflow(w.Everything.run, order, id=an_id(), task_queue=QUEUE, run_timeout=timedelta(milliseconds=200))

    assert isinstance(terminated.value.cause, TerminatedError)
    assert isinstance(timed_out.value.cause, TimeoutError)


async def test_children(client: Client) -> None:
    async with a_worker(client):
        workflow_id = an_id()
        assert await client.execute_workflow(w.Parent.run, id=workflow_id, task_queue=QUEUE) == [[0, 2, 4, 6], "Negative: negative"]
        await assert_good_history(client, workflow_id)


async def test_continue_as_new_and_following_runs(client: Client) -> None:
    async with a_worker(client):
        handle = await client.start_workflow(w.Countdown.run, args=[2, []], id=an_id(), task_queue=QUEUE)

        assert await handle.result() == [2, 1]
        first = await client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).describe()
        assert first.status == WorkflowExecutionStatus.CONTINUED_AS_NEW


async def test_search_attributes_and_memo(client: Client) -> None:
    async with a_worker(client):
        handle = await client.start_workflow(w.Colours.run, id=an_id(), task_queue=QUEUE, memo={"kept": 1})

        assert await handle.result() == "dark"
        described = await handle.describe()
        assert described.typed_search_attributes[w.COLOUR] == "blue"
        assert await described.memo() == {"kept": 1, "shade": "dark"}


async def test_signals_and_cancels_between_workflows(client: Client) -> None:
    async with a_worker(client):
        listening = await client.start_workflow(w.Everything.run, w.Order("o", [1]), id=an_id(), task_queue=QUEUE)
        cancelled = await client.start_workflow(w.Everything.run, w.Order("o", [1]), id=an_id(), task_queue=QUEUE)
        await client.execute_workflow(w.Tells.run, args=[listening.id, cancelled.id], id=an_id(), task_queue=QUEUE)

        assert await listening.query(w.Everything.seen) == ["from outside"]
        with pytest.raises(WorkflowFailureError) as caught:
            await cancelled.result()
        assert isinstance(caught.value.cause, CancelledError)


async def test_start_policies_as_the_client_sees_them(client: Client) -> None:
    async with a_worker(client):
        order, workflow_id = w.Order("o", [1]), an_id()
        first = await client.start_workflow(w.Everything.run, order, id=workflow_id, task_queue=QUEUE)
        with pytest.raises(WorkflowAlreadyStartedError):
            await client.start_workflow(w.Everything.run, order, id=workflow_id, task_queue=QUEUE)
        same = await client.start_workflow(
            w.Everything.run, order, id=workflow_id, task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
        )
        signalled = await client.start_workflow(
            w.Everything.run, order, id=workflow_id, task_queue=QUEUE, start_signal="name", start_signal_args=["with start"]
        )

        assert same.result_run_id == first.result_run_id or same.first_execution_run_id is None
        assert await signalled.query(w.Everything.seen) == ["with start"]


async def test_workflow_retries_and_cron(client: Client) -> None:
    async with a_worker(client):
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(
                w.Child.run,
                -1,
                id=an_id(),
                task_queue=QUEUE,
                retry_policy=RetryPolicy(initial_interval=w.QUICK, non_retryable_error_types=["Negative"]),
            )
        handle = await client.start_workflow(w.Child.run, 21, id=an_id(), task_queue=QUEUE, cron_schedule="@every 1s")
        first = (await handle.describe()).run_id
        while (await handle.describe()).run_id == first:
            await asyncio.sleep(0.05)
        with pytest.raises(WorkflowContinuedAsNewError):  # so this SDK sees every run that is followed by another
            await client.get_workflow_handle(handle.id, run_id=first).result(follow_runs=False)
        await handle.terminate()


async def test_updates(client: Client) -> None:
    async with a_worker(client):
        handle = await client.start_workflow(w.Account.run, id=an_id(), task_queue=QUEUE)
        balances = await asyncio.gather(*(handle.execute_update(w.Account.deposit, amount) for amount in (1, 2, 3)))
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(w.Account.deposit, -1)
        accepted = await handle.start_update(w.Account.deposit, 10, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        assert await accepted.result() == 16
        assert await handle.execute_update(w.Account.close) == "closed"

        assert max(balances) == 6
        assert await handle.result() == 16
        await assert_good_history(client, handle.id)


async def test_update_with_start(client: Client) -> None:
    async with a_worker(client):
        start = WithStartWorkflowOperation(
            w.Account.run, id=an_id(), task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
        )
        assert await client.execute_update_with_start_workflow(w.Account.deposit, 5, start_workflow_operation=start) == 5
        handle = await start.workflow_handle()
        await handle.execute_update(w.Account.close)

        assert await handle.result() == 5


async def test_eager_start_and_patches(client: Client) -> None:
    async with a_worker(client):
        handle = await client.start_workflow(w.Patched.run, id=an_id(), task_queue=QUEUE, request_eager_start=True)

        assert await handle.result() == "new"


async def test_lists_and_counts(client: Client) -> None:
    async with a_worker(client):
        for _ in range(3):
            await client.execute_workflow(w.Patched.run, id=an_id(), task_queue=QUEUE)

    assert (await client.count_workflows()).count == 3
    assert [execution.status async for execution in client.list_workflows()] == [WorkflowExecutionStatus.COMPLETED] * 3


async def test_what_is_not_built_says_so(client: Client) -> None:
    with pytest.raises(RPCError, match="not built"):
        _ = [schedule async for schedule in await client.list_schedules()]
