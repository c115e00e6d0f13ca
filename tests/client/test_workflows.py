"""Starting workflows, talking to them and waiting for them."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from typing import Any

import pytest

from outlast.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistory,
    WorkflowHistoryEventFilterType,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from outlast.common import (
    Priority,
    QueryRejectCondition,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from outlast.exceptions import (
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)
from outlast.service import RPCError, RPCStatusCode, WorkflowService
from tests.client.workflows import KnownCounter, KnownGreet, Order

COLOUR = SearchAttributeKey.for_keyword("Colour")


async def test_a_workflow_gives_its_result(client: Client, worker: str) -> None:
    handle = await client.start_workflow(KnownGreet.run, "you", id="w", task_queue=worker)

    assert await handle.result() == "hello you"
    assert (handle.id, handle.run_id) == ("w", None)
    assert handle.result_run_id == handle.first_execution_run_id != None  # noqa: E711
    assert await client.execute_workflow("sum", args=[1, 2], id="s", task_queue=worker) == 3


async def test_a_handle_by_id_gives_the_result_in_its_type(client: Client, worker: str) -> None:
    await client.execute_workflow("greet", "you", id="w", task_queue=worker)

    assert await client.get_workflow_handle("w").result() == "hello you"
    assert await client.get_workflow_handle_for(KnownGreet.run, "w").result() == "hello you"


async def test_signals_queries_and_their_arguments_arrive(client: Client, worker: str) -> None:
    handle = await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)

    await handle.signal(KnownCounter.add, 1)
    await handle.signal(KnownCounter.add_two, args=[2, 3])
    await handle.signal("add", 4)
    assert await handle.query(KnownCounter.so_far) == 10
    assert await handle.query(KnownCounter.order, args=["tea", 2]) == Order("tea", 2)
    assert await handle.query("order", args=["tea", 2]) == {"item": "tea", "pieces": 2}
    assert await handle.query("order", args=["tea", 2], result_type=Order) == Order("tea", 2)
    await handle.signal(KnownCounter.end)
    assert await handle.result() == 10


async def test_a_query_that_fails_or_is_ruled_out_says_so(client: Client, worker: str) -> None:
    handle = await client.start_workflow("counter", id="c", task_queue=worker)

    with pytest.raises(WorkflowQueryFailedError, match="cannot say"):
        await handle.query("broken")
    await handle.signal("end")
    await handle.result()
    with pytest.raises(WorkflowQueryRejectedError) as rejected:
        await handle.query("so_far", reject_condition=QueryRejectCondition.NOT_OPEN)
    assert rejected.value.status is WorkflowExecutionStatus.COMPLETED
    strict = Client(client.service_client, default_workflow_query_reject_condition=QueryRejectCondition.NOT_OPEN)
    with pytest.raises(WorkflowQueryRejectedError):
        await strict.get_workflow_handle("c").query("so_far")


async def test_updates_give_their_results(client: Client, worker: str) -> None:
    handle = await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)

    assert await handle.execute_update(KnownCounter.add_and_tell, 5, id="u") == 5
    update = await handle.start_update(KnownCounter.wait_for_end, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    assert (update.workflow_id, update.workflow_run_id) == ("c", handle.result_run_id)
    await handle.signal(KnownCounter.end)
    assert await update.result() == 5
    assert await handle.get_update_handle("u").result() == 5
    assert await handle.get_update_handle_for(KnownCounter.add_and_tell, "u").result() == 5


async def test_an_update_that_is_rejected_says_so_and_one_cannot_wait_for_admission(client: Client, worker: str) -> None:
    handle = await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)

    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await handle.execute_update(KnownCounter.add_and_tell, -1)
    assert isinstance(failed.value.cause, ApplicationError)
    with pytest.raises(ValueError, match="ADMITTED"):
        await handle.start_update(KnownCounter.add_and_tell, 1, wait_for_stage=WorkflowUpdateStage.ADMITTED)


async def test_a_wait_for_an_update_ends_with_its_call(client: Client, worker: str) -> None:
    handle = await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)
    update = await handle.start_update(KnownCounter.wait_for_end, wait_for_stage=WorkflowUpdateStage.ACCEPTED)

    waiting = asyncio.create_task(update.result())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
        await waiting


def _starting(worker: str, policy: WorkflowIDConflictPolicy) -> WithStartWorkflowOperation[KnownCounter, int]:
    return WithStartWorkflowOperation(KnownCounter.run, id="c", task_queue=worker, id_conflict_policy=policy)


async def test_an_update_starts_its_workflow_once(client: Client, worker: str) -> None:
    first = _starting(worker, WorkflowIDConflictPolicy.USE_EXISTING)
    second = _starting(worker, WorkflowIDConflictPolicy.USE_EXISTING)

    assert await client.execute_update_with_start_workflow(KnownCounter.add_and_tell, 1, start_workflow_operation=first) == 1
    update = await client.start_update_with_start_workflow(
        "add_and_tell", 2, start_workflow_operation=second, wait_for_stage=WorkflowUpdateStage.COMPLETED
    )
    assert await update.result() == 3
    handle = await first.workflow_handle()
    assert handle.result_run_id == (await second.workflow_handle()).result_run_id
    with pytest.raises(RuntimeError, match="cannot be reused"):
        await client.execute_update_with_start_workflow(KnownCounter.add_and_tell, 1, start_workflow_operation=first)
    await handle.signal(KnownCounter.end)
    assert await handle.result() == 3


class NotYet(WorkflowService):
    """Says of the first update-with-start that its update is not accepted yet."""

    sent = 0

    async def execute_multi_operation(self, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        reply = await WorkflowService(self._client).execute_multi_operation(*args, **options)
        self.sent += 1
        if self.sent == 1:
            reply.responses[1].update_workflow.ClearField("stage")
        return reply


async def test_an_update_with_start_is_sent_until_it_is_accepted(client: Client, worker: str) -> None:
    client.service_client.workflow_service = service = NotYet(client.service_client)
    start = _starting(worker, WorkflowIDConflictPolicy.USE_EXISTING)

    assert await client.execute_update_with_start_workflow(KnownCounter.add_and_tell, 1, start_workflow_operation=start) == 1
    assert service.sent == 2
    assert await (await start.workflow_handle()).query(KnownCounter.so_far) == 1


async def test_an_update_with_a_start_that_is_ruled_out_says_so(client: Client, worker: str) -> None:
    running = await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)
    start = _starting(worker, WorkflowIDConflictPolicy.FAIL)

    with pytest.raises(WorkflowAlreadyStartedError) as started:
        await client.execute_update_with_start_workflow(KnownCounter.add_and_tell, 1, start_workflow_operation=start)
    assert started.value.run_id == running.result_run_id
    with pytest.raises(WorkflowAlreadyStartedError):
        await start.workflow_handle()
    with pytest.raises(ValueError, match="required"):
        _starting(worker, WorkflowIDConflictPolicy.UNSPECIFIED)


async def test_a_failure_that_was_raised_is_not_reported_again(client: Client, worker: str, caplog: pytest.LogCaptureFixture) -> None:
    await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)
    start = _starting(worker, WorkflowIDConflictPolicy.FAIL)

    with pytest.raises(WorkflowAlreadyStartedError):
        await client.execute_update_with_start_workflow(KnownCounter.add_and_tell, 1, start_workflow_operation=start)
    del start
    gc.collect()

    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


async def test_a_start_with_a_signal_starts_or_signals(client: Client, worker: str) -> None:
    for _ in range(2):
        handle = await client.start_workflow(KnownCounter.run, id="c", task_queue=worker, start_signal="add", start_signal_args=[7])

    assert await handle.query(KnownCounter.so_far) == 14


async def test_a_second_start_is_refused_or_joins(client: Client, worker: str) -> None:
    first = await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)

    with pytest.raises(WorkflowAlreadyStartedError) as started:
        await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)
    assert (started.value.workflow_id, started.value.workflow_type, started.value.run_id) == ("c", "counter", first.result_run_id)
    joined = await client.start_workflow(
        KnownCounter.run, id="c", task_queue=worker, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    assert joined.result_run_id == first.result_run_id


async def test_a_failure_is_the_cause(client: Client, worker: str) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await client.execute_workflow("fail", "oh", id="f", task_queue=worker)

    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.non_retryable, list(cause.details)) == ("oh", "Sad", True, [{"more": 1}])


async def test_cancel_terminate_and_timeout_are_causes(client: Client, worker: str) -> None:
    cancelled = await client.start_workflow("counter", id="a", task_queue=worker)
    await cancelled.cancel(reason="enough")
    terminated = await client.start_workflow("counter", id="b", task_queue=worker)
    await terminated.terminate("why", reason="because")
    late = await client.start_workflow("counter", id="c", task_queue="nobody", run_timeout=timedelta(milliseconds=100))

    causes = []
    for handle in (cancelled, terminated, late):
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        causes.append(failed.value.cause)

    assert isinstance(causes[0], CancelledError)
    assert isinstance(causes[1], TerminatedError)
    assert (causes[1].message, list(causes[1].details)) == ("because", ["why"])
    assert isinstance(causes[2], TimeoutError)
    assert causes[2].type is TimeoutType.START_TO_CLOSE


async def test_a_result_is_that_of_the_last_run_unless_asked_otherwise(client: Client, worker: str) -> None:
    handle = await client.start_workflow("again", 2, id="a", task_queue=worker)

    assert await handle.result() == "done"
    with pytest.raises(WorkflowContinuedAsNewError) as continued:
        await handle.result(follow_runs=False)
    next_run = client.get_workflow_handle("a", run_id=continued.value.new_execution_run_id)
    assert next_run.first_execution_run_id is None
    assert await next_run.result() == "done"


async def test_a_handle_of_one_line_of_runs_does_not_touch_another(client: Client, worker: str) -> None:
    old = await client.start_workflow("greet", "you", id="w", task_queue=worker)
    await old.result()
    await client.start_workflow("counter", id="w", task_queue=worker, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE)

    for call in (old.terminate, old.cancel):
        with pytest.raises(RPCError) as refused:
            await call()
        assert refused.value.status is RPCStatusCode.NOT_FOUND


async def test_a_start_passes_all_its_options_on(client: Client, worker: str) -> None:
    handle = await client.start_workflow(
        "counter",
        id="c",
        task_queue=worker,
        execution_timeout=timedelta(hours=3),
        run_timeout=timedelta(hours=2),
        task_timeout=timedelta(seconds=9),
        retry_policy=RetryPolicy(maximum_attempts=5),
        memo={"order": Order("tea"), "n": 1},
        search_attributes=TypedSearchAttributes([SearchAttributePair(COLOUR, "red")]),
        static_summary="sum",
        static_details="det",
        priority=Priority(priority_key=2),
    )

    description = await handle.describe()
    event = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert (description.id, description.workflow_type, description.task_queue) == ("c", "counter", worker)
    assert description.run_id == handle.result_run_id
    assert description.status is WorkflowExecutionStatus.RUNNING
    assert (description.parent_id, description.close_time) == (None, None)
    assert await description.memo() == {"order": {"item": "tea", "pieces": 1}, "n": 1}
    assert await description.memo_value("order", type_hint=Order) == Order("tea")
    assert await description.memo_value("none", 3) == 3
    with pytest.raises(KeyError):
        await description.memo_value("none")
    assert description.typed_search_attributes[COLOUR] == "red"
    assert (await description.static_summary(), await description.static_details()) == ("sum", "det")
    assert [span.ToTimedelta() for span in (event.workflow_execution_timeout, event.workflow_run_timeout, event.workflow_task_timeout)] == [
        timedelta(hours=3),
        timedelta(hours=2),
        timedelta(seconds=9),
    ]
    assert (event.retry_policy.maximum_attempts, event.priority.priority_key) == (5, 2)
    assert event.identity == client.identity


async def test_a_delayed_start_and_a_cron_schedule_are_kept(client: Client) -> None:
    delayed = await client.start_workflow("greet", "you", id="d", task_queue="q", start_delay=timedelta(hours=1))
    cron = await client.start_workflow("greet", "you", id="c", task_queue="q", cron_schedule="0 0 1 1 *")

    attributes = [(await handle.fetch_history()).events[0].workflow_execution_started_event_attributes for handle in (delayed, cron)]
    assert attributes[0].first_workflow_task_backoff.ToTimedelta() == timedelta(hours=1)
    assert attributes[1].cron_schedule == "0 0 1 1 *"


async def test_histories_are_read_page_by_page_waited_for_and_written_as_json(client: Client, worker: str) -> None:
    handle = await client.start_workflow("counter", id="c", task_queue=worker)
    waited = handle.fetch_history_events(wait_new_event=True, page_size=2)
    first = await anext(waited)
    await handle.signal("end")

    events = [first, *[event async for event in waited]]
    history = await handle.fetch_history()
    last = await handle.fetch_history(event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT)
    assert [event.event_id for event in events] == list(range(1, len(events) + 1))
    assert list(history.events) == events
    assert list(last.events) == events[-1:]
    assert history.run_id == handle.result_run_id
    assert WorkflowHistory.from_json("c", history.to_json()) == WorkflowHistory("c", history.events)
    assert WorkflowHistory.from_json("c", history.to_json_dict()).events == history.events


async def test_the_server_can_be_told_apart_from_the_workflow(client: Client) -> None:
    with pytest.raises(RPCError) as missing:
        await client.get_workflow_handle("nobody").result()

    assert missing.value.status is RPCStatusCode.NOT_FOUND
