"""Explore a test of workflows: run it under many schedules, each of which goes wrong somewhere else.

A test is an async function that starts workflows, tells them things, and asserts what must be true in the end::

    from outlast.testing.explore import World, explore

    async def no_money_is_lost(world: World) -> None:
        bank = Bank(ann=100, bob=0)
        async with world.worker(workflows=[Transfer], activities=[bank.withdraw, bank.deposit]):
            await world.client.execute_workflow(Transfer.run, 60, id="transfer", task_queue=world.task_queue)
        assert bank.balances == {"ann": 40, "bob": 60}

    def test_no_money_is_lost() -> None:
        explore(no_money_is_lost, schedules=200)

Each schedule is played in a world of its own: server, workers and test in one event loop whose time is virtual, so that days take
no time; on its own thread of chance, so that the same schedule is the same again. In it workers die in the middle of their work,
attempts of activities fail or are done twice, requests arrive late or twice (:class:`Disturbance`): all of which a workflow should
get over. When the test has ended, each history is replayed with another clock and another order of tasks in sets, and must come
out as it was.

The first schedule that breaks the test is made as short as can be, and told in a :class:`Broken`: what went wrong, the few
disturbances that it takes, and the text that plays it again, ``explore(test, schedule="0/17:crash_task@transfer#2")``.

What a test must keep to: state that activities work on is made inside of the test (each schedule needs it fresh); activities do
without sockets, subprocesses and threads of their own (the time is virtual: give them fakes, or a library that runs in memory).
Activities that are not async are run in the event loop.

In the end some histories are replayed in another process as well, where strings hash differently, so that sets of strings come in
another order: if the workflows are found there under their modules' names, and what the worker was given can be pickled
(:attr:`Explored.elsewhere` says so).
"""

from outlast.testing.explore._network import WorkflowTaskFailed
from outlast.testing.explore._schedule import Disturbance
from outlast.testing.explore._search import Broken, Explored, explore
from outlast.testing.explore._world import ReplayFailed, World

__all__ = ["Broken", "Disturbance", "Explored", "ReplayFailed", "WorkflowTaskFailed", "World", "explore"]
