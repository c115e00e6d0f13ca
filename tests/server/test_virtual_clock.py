"""A clock that jumps: only while nobody holds it and nothing runs, never back, and never past what is due."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from outlast.server.clock import SECOND, NotLocked, VirtualClock, real_time

HOUR = 3600 * SECOND


class World:
    """Something is due at `moments`; `tasks` are in the hands of workers; `runs` says whether something else runs."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.moments: list[int] = []
        self.runs = False
        self.tasks = 0
        self.jumps = 0

    async def settle(self) -> None:
        await asyncio.sleep(0)

    def holds(self) -> int:
        return self.tasks

    def still(self) -> bool:
        return not self.runs and all(moment > self.clock() for moment in self.moments)

    def next_moment(self) -> int | None:
        return min(self.moments, default=None)

    def time_jumped(self) -> None:
        self.jumps += 1
        self.moments = [moment for moment in self.moments if moment > self.clock()]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(VirtualClock())
    running = asyncio.create_task(world.clock.run(world))
    yield world
    running.cancel()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_it_starts_as_the_real_time_and_goes_as_fast(world: World) -> None:
    before = real_time()
    assert before <= world.clock() <= real_time()


async def test_unlocked_it_jumps_from_one_moment_to_the_next(world: World) -> None:
    began = world.clock()
    world.moments = [began + HOUR, began + 3 * HOUR]
    await turns()
    assert world.jumps == 0

    world.clock.unlock()
    await turns()

    assert world.jumps == 2
    assert began + 3 * HOUR <= world.clock() < began + 3 * HOUR + 60 * SECOND


async def test_it_does_not_move_when_nothing_is_due(world: World) -> None:
    world.clock.unlock()
    began = world.clock()
    await turns()

    assert world.clock() < began + 60 * SECOND


async def test_what_runs_holds_it_until_it_says_that_it_has_changed(world: World) -> None:
    began = world.clock()
    world.moments, world.runs = [began + HOUR], True
    world.clock.unlock()
    await turns()
    assert world.clock() < began + HOUR

    world.runs = False
    world.clock.reconsider()
    await turns()

    assert world.clock() >= began + HOUR


async def test_each_lock_must_be_taken_off(world: World) -> None:
    began = world.clock()
    world.moments = [began + HOUR]
    world.clock.lock()
    world.clock.unlock()
    await turns()
    assert world.clock() < began + HOUR

    world.clock.unlock()
    await turns()
    assert world.clock() >= began + HOUR
    with pytest.raises(NotLocked):
        world.clock.unlock()


async def test_a_task_is_a_lock_that_its_own_worker_can_take_off(world: World) -> None:
    began = world.clock()
    world.moments, world.tasks = [began + HOUR], 1
    world.clock.unlock()
    await turns()
    assert world.clock() < began + HOUR

    await world.clock.sleep_unlocked(2 * HOUR)

    assert world.clock() >= began + 2 * HOUR
    world.moments = [world.clock() + HOUR]
    world.clock.reconsider()
    await turns()
    assert world.clock() < began + 3 * HOUR


async def test_with_two_tasks_a_sleep_of_one_of_them_takes_real_time(world: World) -> None:
    world.tasks = 2
    world.clock.unlock()
    began = real_time()
    await world.clock.sleep_unlocked(SECOND // 50)

    assert real_time() >= began + SECOND // 50


async def test_a_sleep_ends_at_its_moment_and_not_later(world: World) -> None:
    began = world.clock()
    world.moments = [began + 9 * HOUR]
    sleeping = asyncio.create_task(world.clock.sleep(5 * HOUR))
    await turns()
    assert not sleeping.done()

    await world.clock.sleep_unlocked(7 * HOUR)

    assert sleeping.done()
    assert began + 7 * HOUR <= world.clock() < began + 9 * HOUR


async def test_a_sleep_that_takes_off_a_lock_puts_it_back_even_when_it_is_cancelled(world: World) -> None:
    world.runs = True
    sleeping = asyncio.create_task(world.clock.sleep_unlocked(HOUR))
    await turns()
    sleeping.cancel()
    await turns()
    world.clock.unlock()

    with pytest.raises(NotLocked):
        world.clock.unlock()


async def test_a_moment_that_has_passed_is_not_waited_for(world: World) -> None:
    await world.clock.sleep_until(world.clock() - HOUR)


async def test_locked_a_sleep_takes_real_time(world: World) -> None:
    began = real_time()
    await world.clock.sleep(SECOND // 50)

    assert real_time() >= began + SECOND // 50
