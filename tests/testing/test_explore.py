"""Explorations find the bugs that are planted, tell them by the fewest disturbances, and find none where none is."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from outlast import activity
from outlast.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from outlast.testing.explore import Broken, Disturbance, ReplayFailed, WorkflowTaskFailed, World, explore
from outlast.worker import Interceptor
from tests.testing.planted import (
    GuardedClock,
    KeepsItems,
    ListOfTasks,
    LosesItems,
    NeverEnds,
    Order,
    Raises,
    SetOfHandles,
    SetOfStrings,
    SetOfTasks,
    Shop,
    WallClock,
    WallDate,
)

ITEMS = ["a", "b", "c", "d"]


def orders(charge: str) -> Callable[[World], Awaitable[None]]:
    async def one_charge(world: World) -> None:
        shop = Shop()
        async with world.worker(workflows=[Order], activities=[shop.charge, shop.charge_once, shop.ship]):
            await world.client.execute_workflow(Order.run, charge, id="order", task_queue=world.task_queue)
        assert shop.charged == ["order"], f"charged {len(shop.charged)} times"

    return one_charge


def works_on_items(workflow_class: Any) -> Callable[[World], Awaitable[None]]:
    async def all_shipped(world: World) -> None:
        shop = Shop()
        async with world.worker(workflows=[workflow_class], activities=[shop.charge_once, shop.ship]):
            await world.client.execute_workflow(workflow_class.run, ITEMS, id="items", task_queue=world.task_queue)
        assert sorted(shop.shipped) == ITEMS

    return all_shipped


def adds_items(workflow_class: Any) -> Callable[[World], Awaitable[None]]:
    async def none_lost(world: World) -> None:
        shop = Shop()
        async with world.worker(workflows=[workflow_class], activities=[shop.ship]):
            handle = await world.client.start_workflow(workflow_class.run, id="cart", task_queue=world.task_queue)
            await asyncio.gather(*[handle.signal(workflow_class.add, item) for item in ITEMS])
            await handle.signal(workflow_class.close)
            await handle.result()
        assert sorted(shop.shipped) == ITEMS

    return none_lost


def test_an_activity_that_is_not_idempotent_is_found_by_the_one_disturbance_that_it_takes() -> None:
    with pytest.raises(Broken) as broken:
        explore(orders("charge"))

    assert isinstance(broken.value.__cause__, AssertionError)
    assert "charged 2 times" in str(broken.value)
    assert len(broken.value.disturbances) == 1
    assert "'charge'" in broken.value.disturbances[0]


def test_an_idempotent_one_gets_over_everything() -> None:
    explored = explore(orders("charge_once"), schedules=40)

    assert explored.schedules == 40
    assert explored.disturbances > 100


@pytest.mark.parametrize("workflow_class", [SetOfTasks, SetOfHandles])
def test_a_workflow_that_goes_through_a_set_of_tasks_is_found_without_any_disturbance(workflow_class: Any) -> None:
    with pytest.raises(Broken) as broken:
        explore(works_on_items(workflow_class))

    assert isinstance(broken.value.__cause__, ReplayFailed)
    assert broken.value.disturbances == []
    assert "charge_once" in str(broken.value)


def test_a_list_of_tasks_is_in_order() -> None:
    explored = explore(works_on_items(ListOfTasks), schedules=20)

    assert explored.histories == 20
    assert explored.elsewhere


def test_a_set_of_strings_is_found_where_strings_hash_differently() -> None:
    with pytest.raises(Broken) as broken:
        explore(works_on_items(SetOfStrings), schedules=1)

    assert "hash" in str(broken.value)
    assert "ship" in str(broken.value)


def test_what_cannot_be_taken_to_another_process_is_not_looked_at_there() -> None:
    class Unpicklable(Interceptor):
        def __init__(self) -> None:
            self.nothing = lambda: None

    async def all_shipped(world: World) -> None:
        shop = Shop()
        async with world.worker(workflows=[ListOfTasks], activities=[shop.charge_once, shop.ship], interceptors=[Unpicklable()]):
            await world.client.execute_workflow(ListOfTasks.run, ITEMS, id="items", task_queue=world.task_queue)

    assert not explore(all_shipped, schedules=1).elsewhere


def test_a_workflow_that_looks_at_the_clock_of_its_machine_is_found() -> None:
    with pytest.raises(Broken) as broken:
        explore(works_on_items(WallClock))

    assert isinstance(broken.value.__cause__, ReplayFailed)
    assert "timer" in str(broken.value)


def test_a_date_of_its_machine_is_found_too() -> None:
    with pytest.raises(Broken) as broken:
        explore(works_on_items(WallDate))

    assert isinstance(broken.value.__cause__, ReplayFailed)


@pytest.mark.parametrize("how", ["time", "date", "chance"])
def test_the_guard_stands_where_time_is_virtual(how: str) -> None:
    async def looks(world: World) -> None:
        async with world.worker(workflows=[GuardedClock]):
            await world.client.execute_workflow(GuardedClock.run, how, id="guarded", task_queue=world.task_queue)

    with pytest.raises(Broken, match="from inside a workflow") as broken:
        explore(looks)
    assert isinstance(broken.value.__cause__, WorkflowTaskFailed)


def test_clocks_and_chance_are_the_worlds_own_and_everybody_elses_again_afterwards() -> None:
    before = (time.time, time.monotonic_ns, os.urandom, datetime.now)
    seen: list[Any] = []

    async def looks(world: World) -> None:
        await asyncio.sleep(100)
        seen.append((time.time(), datetime.now(UTC).timestamp(), world.now(), str(uuid4()), random.random()))

    explore(looks, schedules=1)
    explore(looks, schedules=1)

    assert seen[0] == seen[1]
    assert seen[0][0] == seen[0][1] == seen[0][2] == 1_767_225_700
    assert (time.time, time.monotonic_ns, os.urandom, datetime.now) == before
    assert abs(datetime.now().timestamp() - time.time()) < 60


def test_a_signal_that_is_lost_in_a_race_is_found() -> None:
    with pytest.raises(Broken) as broken:
        explore(adds_items(LosesItems))

    assert isinstance(broken.value.__cause__, AssertionError)
    assert 1 <= len(broken.value.disturbances) <= 3
    assert "signal" in broken.value.disturbances[0]


def test_one_that_keeps_them_gets_over_everything() -> None:
    explore(adds_items(KeepsItems), schedules=40)


def test_a_bug_in_workflow_code_is_told_at_once() -> None:
    async def runs(world: World) -> None:
        async with world.worker(workflows=[Raises], activities=[Shop().ship]):
            await world.client.execute_workflow(Raises.run, id="raises", task_queue=world.task_queue)

    with pytest.raises(Broken, match="a bug") as broken:
        explore(runs)
    assert isinstance(broken.value.__cause__, WorkflowTaskFailed)


def test_a_test_that_never_ends_is_told() -> None:
    async def waits(world: World) -> None:
        async with world.worker(workflows=[NeverEnds]):
            await world.client.execute_workflow(NeverEnds.run, id="never", task_queue=world.task_queue)

    with pytest.raises(Broken):
        explore(waits)


def test_a_schedule_is_the_same_when_it_is_played_again() -> None:
    with pytest.raises(Broken) as first:
        explore(orders("charge"), seed=7)
    with pytest.raises(Broken) as again:
        explore(orders("charge"), schedule=first.value.schedule)

    assert again.value.disturbances == first.value.disturbances
    assert explore(orders("charge_once"), seed=7, schedules=10) == explore(orders("charge_once"), seed=7, schedules=10)


def test_only_the_disturbances_that_are_asked_for_happen() -> None:
    explore(orders("charge"), schedules=40, disturbances=[Disturbance.CRASH, Disturbance.DOUBLE, Disturbance.FORGET])
    assert explore(orders("charge"), schedules=5, disturbances=[]).disturbances == 0


async def test_it_says_that_it_cannot_run_inside_of_another_loop() -> None:
    with pytest.raises(RuntimeError, match="plain function"):
        explore(orders("charge"))


def test_activities_that_are_not_async_are_done_in_no_time() -> None:
    @activity.defn(name="ship")
    def ship(item: str) -> str:
        activity.heartbeat(item)
        time.sleep(0)
        return item

    async def all_shipped(world: World) -> None:
        with ThreadPoolExecutor(1) as executor:
            async with world.worker(workflows=[ListOfTasks], activities=[Shop().charge_once, ship], activity_executor=executor):
                shipped = await world.client.execute_workflow(ListOfTasks.run, ITEMS, id="items", task_queue=world.task_queue)
        assert shipped == ITEMS

    explore(all_shipped, schedules=8)


def test_a_worker_that_cannot_be_is_told_and_not_waited_for() -> None:
    async def waits(world: World) -> None:
        async with world.worker(workflows=[NeverEnds], max_cached_workflows=-1, activities=[len]):
            await asyncio.sleep(1e6)

    with pytest.raises(Broken, match=r"@activity\.defn"):
        explore(waits, schedules=1)


def test_custom_search_attributes_are_there_when_they_are_named() -> None:
    colour = SearchAttributeKey.for_keyword("Colour")

    async def starts(world: World) -> None:
        attributes = TypedSearchAttributes([SearchAttributePair(colour, "red")])
        await world.client.start_workflow("Any", id="wf", task_queue=world.task_queue, search_attributes=attributes)

    assert explore(starts, schedules=1, search_attributes=[colour]).histories == 0
    with pytest.raises(Broken, match="Colour"):
        explore(starts, schedules=1)


def test_what_is_no_schedule_is_refused() -> None:
    for text in ("x:crash", "0", "a/1", "1/b:crash"):
        with pytest.raises(ValueError, match="no schedule"):
            explore(orders("charge"), schedule=text)
