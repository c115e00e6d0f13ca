"""Much of the platform at once, under many schedules: what is right stays right."""

import asyncio

import pytest

from outlast.client import WorkflowUpdateFailedError
from outlast.testing.explore import World, explore
from tests.testing.kitchen import Kitchen, Ledger, Part

WANTED = {"parallel": 6, "children": 3, "local": 7, "retried": 1, "cancelled": 1, "refused": 1, "patched": 1, "served": 3}


async def everything(world: World) -> None:
    ledger = Ledger()
    activities = [ledger.add, ledger.add_locally, ledger.takes_back, ledger.waits, ledger.refuses, ledger.fails_twice]
    async with world.worker(workflows=[Kitchen, Part], activities=activities):
        handle = await world.client.start_workflow(Kitchen.run, "k", id="k", task_queue=world.task_queue)
        orders = [handle.signal(Kitchen.order, what) for what in ("soup", "fish", "cake")]
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Kitchen.close, -1)
        await asyncio.gather(*orders, handle.query(Kitchen.open_orders))
        assert await handle.execute_update(Kitchen.close, 3) == 3

        assert await handle.result() == WANTED
    assert sum(ledger.done.values()) == 6 + 3 + 7 + 1 + 0 + 3


def test_whatever_goes_wrong_everything_is_done_once() -> None:
    explored = explore(everything, schedules=12)

    assert explored.histories == 12 * 7
