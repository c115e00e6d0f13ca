"""What our server does not have yet, on the real dev server: activities without a workflow, sets of compatible builds."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
import temporalio.activity
import temporalio.client
import temporalio.worker
from temporalio.exceptions import ApplicationError as OfficialApplicationError

from outlast.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityOptionsKeys,
    AsyncActivityCancelledError,
    BuildIdOpAddNewCompatible,
    BuildIdOpAddNewDefault,
    BuildIdOpMergeSets,
    BuildIdOpPromoteBuildIdWithinSet,
    BuildIdOpPromoteSetByBuildId,
    Client,
    PendingActivityState,
    TaskReachabilityType,
)
from outlast.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from outlast.exceptions import ActivityAlreadyStartedError, ApplicationError, CancelledError, TerminatedError
from tests.client.waiting import eventually
from tests.client.workflows import Later, Order

pytestmark = pytest.mark.xdist_group("client-reference")

QUEUE = "reference-activities"
LONG = timedelta(minutes=1)
COLOUR = SearchAttributeKey.for_keyword("Colour")


@temporalio.activity.defn(name="double")
async def double(order: Order) -> Order:
    return Order(order.item, 2 * order.pieces)


@temporalio.activity.defn(name="fail")
async def fail() -> None:
    raise OfficialApplicationError("oh", type="Sad", non_retryable=True)


@pytest_asyncio.fixture
async def activities(reference: Client, reference_address: str, later: Later) -> AsyncIterator[Client]:
    """A client, while a worker runs activities."""
    official = await temporalio.client.Client.connect(reference_address)
    async with temporalio.worker.Worker(official, task_queue=QUEUE, activities=[double, fail, later.later]):
        yield reference


def _id() -> str:
    return str(uuid.uuid4())


async def test_an_activity_runs_without_a_workflow(activities: Client) -> None:
    handle = await activities.start_activity(
        "double", Order("tea", 2), id=_id(), task_queue=QUEUE, start_to_close_timeout=LONG, result_type=Order, summary="sum"
    )

    assert await handle.result() == await handle.result() == Order("tea", 4)
    assert await activities.get_activity_handle(handle.id, result_type=Order).result() == Order("tea", 4)
    described = await handle.describe(include_input=True, include_outcome=True)
    assert (described.activity_id, described.activity_run_id, described.activity_type) == (handle.id, handle.run_id, "double")
    assert (described.status, described.attempt, described.task_queue) == (ActivityExecutionStatus.COMPLETED, 1, QUEUE)
    assert (described.has_input(), described.has_result(), described.has_outcome_failure()) == (True, True, False)
    assert await described.input([Order]) == [Order("tea", 2)]
    assert await described.result(Order) == Order("tea", 4)
    assert described.start_to_close_timeout == LONG


async def test_an_activitys_failure_is_the_cause(activities: Client) -> None:
    with pytest.raises(ActivityFailureError) as failed:
        await activities.execute_activity("fail", id=_id(), task_queue=QUEUE, start_to_close_timeout=LONG)

    assert isinstance(failed.value.cause, ApplicationError)
    assert (failed.value.cause.message, failed.value.cause.type) == ("oh", "Sad")


async def test_an_activity_needs_a_timeout_and_an_id_of_its_own(reference: Client) -> None:
    with pytest.raises(ValueError, match="must have start_to_close_timeout"):
        await reference.start_activity("double", id=_id(), task_queue="nobody")
    with pytest.raises(ValueError, match="non-negative"):
        await reference.start_activity("a", id=_id(), task_queue="nobody", start_to_close_timeout=LONG, start_delay=timedelta(seconds=-1))

    first = await reference.start_activity("double", id=_id(), task_queue="nobody", start_to_close_timeout=LONG)
    with pytest.raises(ActivityAlreadyStartedError) as started:
        await reference.start_activity("double", id=first.id, task_queue="nobody", start_to_close_timeout=LONG)
    assert (started.value.activity_id, started.value.activity_type, started.value.run_id) == (first.id, "double", first.run_id)


async def test_an_activity_is_completed_by_someone_else(activities: Client, later: Later) -> None:
    handle = await activities.start_activity("later", id=_id(), task_queue=QUEUE, start_to_close_timeout=LONG, heartbeat_timeout=LONG)
    outside = activities.get_async_activity_handle(task_token=await later.tokens.get())

    await outside.heartbeat("half")
    described = await handle.describe(include_heartbeat_details=True)
    assert described.run_state is PendingActivityState.STARTED
    assert await described.heartbeat_details() == ["half"]
    await outside.complete("done")
    assert await handle.result() == "done"


async def test_an_activity_is_failed_and_cancelled_by_someone_else(activities: Client, later: Later) -> None:
    options = {"task_queue": QUEUE, "start_to_close_timeout": LONG, "retry_policy": RetryPolicy(maximum_attempts=1)}
    failing = await activities.start_activity("later", id=_id(), **options)  # type: ignore[call-overload]
    await later.tokens.get()
    await activities.get_async_activity_handle(activity_id=failing.id).fail(RuntimeError("bad"), last_heartbeat_details=[1])
    cancelling = await activities.start_activity("later", id=_id(), **options)  # type: ignore[call-overload]
    outside = activities.get_async_activity_handle(task_token=await later.tokens.get())
    await cancelling.cancel(reason="enough")
    with pytest.raises(AsyncActivityCancelledError) as asked:
        await outside.heartbeat()
    await outside.report_cancellation("bye")

    causes = []
    for handle in (failing, cancelling):
        with pytest.raises(ActivityFailureError) as failed:
            await handle.result()
        causes.append(failed.value.cause)

    assert asked.value.details is not None
    assert asked.value.details.cancel_requested
    assert isinstance(causes[0], ApplicationError)
    assert (causes[0].message, causes[0].type) == ("bad", "RuntimeError")
    assert isinstance(causes[1], CancelledError)
    assert list(causes[1].details) == ["bye"]


async def test_an_activitys_options_are_changed_and_restored_and_it_is_terminated(reference: Client) -> None:
    handle = await reference.start_activity("double", id=_id(), task_queue="nobody", start_to_close_timeout=LONG)
    keys = ActivityOptionsKeys

    changed = await handle.update_options(
        [
            keys.heartbeat_timeout.value_set(timedelta(seconds=5)),
            keys.task_queue.value_set("another"),
            keys.retry_policy.value_set(RetryPolicy(maximum_attempts=7)),
        ]
    )
    restored = await handle.restore_original_options()
    with pytest.raises(ValueError, match="more than one update"):
        await handle.update_options([keys.task_queue.value_set("a"), keys.task_queue.value_set("b")])
    with pytest.raises(ValueError, match="at least one"):
        await handle.update_options([])
    await handle.terminate(reason="because")
    with pytest.raises(ActivityFailureError) as failed:
        await handle.result()

    assert (changed.heartbeat_timeout, changed.task_queue) == (timedelta(seconds=5), "another")
    assert changed.retry_policy is not None
    assert changed.retry_policy.maximum_attempts == 7
    assert (restored.heartbeat_timeout or timedelta(0), restored.task_queue) == (timedelta(0), "nobody")
    assert isinstance(failed.value.cause, TerminatedError)


async def test_an_activity_is_paused_and_goes_on(reference: Client) -> None:
    handle = await reference.start_activity("double", id=_id(), task_queue="nobody", start_to_close_timeout=LONG)

    await handle.pause(reason="wait")
    paused = await handle.describe()
    await handle.unpause(jitter=timedelta(0))
    going_on = await handle.describe()

    assert PendingActivityState.PAUSED in (
        paused.run_state,
        PendingActivityState.PAUSED if paused.status == ActivityExecutionStatus.PAUSED else None,
    )
    assert going_on.status is ActivityExecutionStatus.RUNNING
    await handle.terminate()


async def test_activities_are_listed_and_counted(reference: Client) -> None:
    kind = f"kind-{_id()}"
    red = TypedSearchAttributes([SearchAttributePair(COLOUR, "red")])
    for _ in range(3):
        await reference.start_activity(kind, id=_id(), task_queue="nobody", start_to_close_timeout=LONG, search_attributes=red)
    query = f"ActivityType = '{kind}'"

    async def listed() -> list[object]:
        return [each async for each in reference.list_activities(query, page_size=2)]

    found = await eventually(listed, lambda activities: len(activities) == 3)
    assert {each.status for each in found} == {ActivityExecutionStatus.RUNNING}  # type: ignore[attr-defined]
    assert {each.typed_search_attributes[COLOUR] for each in found} == {"red"}  # type: ignore[attr-defined]
    assert len([each async for each in reference.list_activities(query, limit=2)]) == 2
    assert (await reference.count_activities(query)).count == 3
    grouped = await reference.count_activities(f"{query} GROUP BY ExecutionStatus")
    assert [(group.group_values, group.count) for group in grouped.groups] == [(["Running"], 3)]


async def test_workflows_are_listed_and_counted(reference: Client) -> None:
    kind = f"kind-{_id()}"
    for i in range(3):
        await reference.start_workflow(kind, id=f"{kind}-{i}", task_queue="nobody", memo={"i": i})
    query = f"WorkflowType = '{kind}'"

    async def listed() -> list[object]:
        return [each async for each in reference.list_workflows(query, page_size=2)]

    found = await eventually(listed, lambda workflows: len(workflows) == 3)
    assert sorted([await each.memo_value("i") for each in found]) == [0, 1, 2]  # type: ignore[attr-defined]
    assert len([each async for each in reference.list_workflows(query, limit=2, page_size=1)]) == 2
    histories = [history async for history in reference.list_workflows(query).map_histories()]
    assert {history.workflow_id for history in histories} == {f"{kind}-{i}" for i in range(3)}
    assert all(history.events[0].event_id == 1 for history in histories)
    assert (await reference.count_workflows(query)).count == 3
    grouped = await reference.count_workflows(f"{query} GROUP BY ExecutionStatus")
    assert [(group.group_values, group.count) for group in grouped.groups] == [(["Running"], 3)]


async def test_pages_can_be_fetched_by_hand(reference: Client) -> None:
    kind = f"kind-{_id()}"
    for i in range(3):
        await reference.start_workflow(kind, id=f"{kind}-{i}", task_queue="nobody")
    query = f"WorkflowType = '{kind}'"
    await eventually(lambda: reference.count_workflows(query), lambda count: count.count == 3)
    pages = reference.list_workflows(query, page_size=2)

    assert (pages.current_page, pages.current_page_index, pages.next_page_token) == (None, 0, None)
    await pages.fetch_next_page()
    assert len(pages.current_page or ()) == 2
    await anext(pages)
    assert pages.current_page_index == 1
    rest = reference.list_workflows(query, next_page_token=pages.next_page_token)
    assert len([each async for each in rest]) == 1


async def test_sets_of_compatible_builds_are_kept(reference: Client) -> None:
    queue = _id()
    update = reference.update_worker_build_id_compatibility

    async def default() -> str:
        return (await reference.get_worker_build_id_compatibility(queue)).default_build_id()

    seen = []
    for operation in (
        BuildIdOpAddNewDefault("1.0"),
        BuildIdOpAddNewCompatible("1.1", "1.0"),
        BuildIdOpPromoteBuildIdWithinSet("1.0"),
        BuildIdOpAddNewDefault("2.0"),
        BuildIdOpPromoteSetByBuildId("1.0"),
        BuildIdOpMergeSets(primary_build_id="2.0", secondary_build_id="1.0"),
    ):
        await update(queue, operation)
        seen.append(await default())
    reach = await reference.get_worker_task_reachability(["2.0", "1.1"])

    assert seen == ["1.0", "1.1", "1.0", "2.0", "1.0", "2.0"]
    assert reach.build_id_reachability["2.0"].task_queue_reachability[queue] == [TaskReachabilityType.NEW_WORKFLOWS]
    assert reach.build_id_reachability["1.1"].task_queue_reachability[queue] == []
