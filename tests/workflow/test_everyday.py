"""What the functions of the workflow module do, with a worker and a server, whether runs are kept in memory or replayed at every task."""

import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from outlast import Outlast
from outlast.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from outlast.exceptions import ApplicationError
from outlast.worker import Worker
from tests.workflow import everyday
from tests.workflow.everyday import CITY, Activities, Anything, Cancels, Chance, Groups, Hasty, Order, Parent, Properties, Ring, Shop

QUEUE = "everyday"
WORKFLOWS = [Activities, Anything, Cancels, Chance, Groups, Hasty, Order, Parent, Properties]


@pytest.fixture(params=[100, 0], ids=["cached", "replayed"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client with a worker beside it."""
    activities: list[Any] = [everyday.say, everyday.add, everyday.wait_for_cancel, Shop().sell, Ring()]
    with ThreadPoolExecutor(1) as executor:
        async with (
            Outlast.open(None, search_attributes=[CITY]) as client,
            Worker(
                client,
                task_queue=QUEUE,
                workflows=WORKFLOWS,
                activities=activities,
                activity_executor=executor,
                max_cached_workflows=request.param,
                max_heartbeat_throttle_interval=timedelta(milliseconds=10),
            ),
        ):
            yield client


async def test_activities_are_started_by_function_name_method_and_class(client: Client) -> None:
    result = await client.execute_workflow(Activities.run, id="activities", task_queue=QUEUE)

    assert result == ["said hello", 3, "sold tea", "ringring", 7, "sold milk", "ring", "said later"]


async def test_an_activity_that_is_cancelled_ends_as_cancelled(client: Client) -> None:
    assert await client.execute_workflow(Cancels.run, id="cancels", task_queue=QUEUE) == "cancelled"


async def test_an_activity_without_a_timeout_is_refused(client: Client) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await client.execute_workflow(Hasty.run, id="hasty", task_queue=QUEUE)

    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message) == ("ValueError", "Activity must have start_to_close_timeout or schedule_to_close_timeout")


async def test_signals_queries_and_updates_reach_the_handlers_that_are_set(client: Client) -> None:
    handle = await client.start_workflow(Order.run, "tea", id="order", task_queue=QUEUE)
    await handle.signal("pay", args=["5", "coins"])
    assert await handle.query(Order.last) == "pay 5 coins"
    assert await handle.query("whatever", args=[1, 2]) == "whatever with 2"
    assert await handle.execute_update("late", "text", id="u1") == "TEXT"
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("late", "")
    await handle.signal(Order.end)

    assert "no text" in str(refused.value.cause)
    assert await handle.result() == ["init tea", "pay 5 coins", "update late u1 text", "end"]


async def test_properties_go_on_to_the_next_run(client: Client) -> None:
    handle = await client.start_workflow(Properties.run, True, id="properties", task_queue=QUEUE, memo={"gone": 1, "old": "x"})

    assert await handle.result() == {
        "memo": {"kept": 1, "old": "x", "new": [1, 2]},
        "new": [1, 2],
        "missing": "default",
        "city": "Lisbon",
        "continued": True,
        "id": "properties",
        "type": "Properties",
        "queue": QUEUE,
        "attempt": 1,
        "parent": None,
        "length": 3,
    }


async def test_chance_comes_out_the_same_and_is_logged_once(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "outlast.workflow"):
        handle = await client.start_workflow(Chance.run, id="chance", task_queue=QUEUE)
        drawn = await handle.result()
        assert await handle.query(Chance.anything)

    assert len(set(drawn)) == len(drawn) == 15
    ids = [drawn[index + 1] for index in range(0, 15, 5)]
    assert ids == sorted(ids)
    assert [record.args for record in caplog.records if record.name == "outlast.workflow"] == [(5,), (10,), (15,)]
    assert caplog.records[0].temporal_workflow["workflow_id"] == "chance"  # type: ignore[attr-defined]


async def test_events_bear_their_groups(client: Client) -> None:
    handle = await client.start_workflow(Groups.run, id="groups", task_queue=QUEUE)
    await handle.result()
    history = await handle.fetch_history()

    groups = {event.event_type: [marker.label.id for marker in event.event_group_markers] for event in history.events}
    assert groups[EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED] == ["outer", "own"]
    assert groups[EventType.EVENT_TYPE_TIMER_STARTED] == []


async def test_children_are_signalled_and_awaited(client: Client) -> None:
    result = await client.execute_workflow(Parent.run, id="parent", task_queue=QUEUE)

    assert result == ["init child", "from-parent x", "end", "Whatever of name"]
