"""Workers that say goodbye: their polls end with nothing."""

import asyncio

import pytest

from outlast.server.handover import Poller, QueueKind, QueueName
from outlast.server.matching import matching as matching_module
from tests.matching.fakes import LONG_S, QUEUE, STICKY, Clock, FakeMatching, FakeOwner, settle, with_matching

NAMESPACE = QUEUE.namespace_id
ELSEWHERE = QueueName("another namespace", QUEUE.name, QUEUE.kind)
OTHER = QueueName(NAMESPACE, "other", QueueKind.WORKFLOW)


def of_worker(key: str) -> Poller:
    return Poller("me", f"request of {key}", key)


def test_its_polls_end_on_every_queue_and_nobody_elses() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        mine = [asyncio.create_task(matching.poll(queue, of_worker("mine"), LONG_S)) for queue in (QUEUE, STICKY, OTHER)]
        others = [asyncio.create_task(matching.poll(QUEUE, of_worker(key), LONG_S)) for key in ("yours", "")]
        others.append(asyncio.create_task(matching.poll(ELSEWHERE, of_worker("mine"), LONG_S)))
        await settle()

        matching.stop_polls(NAMESPACE, "mine")

        assert await asyncio.gather(*mine) == [None, None, None]
        assert not any(poll.done() for poll in others)
        for work, queue in (("a", QUEUE), ("b", QUEUE), ("c", ELSEWHERE)):
            matching.offer(queue, work)
        assert await asyncio.gather(*others) == ["task a", "task b", "task c"]

    with_matching(scenario)


def test_a_poll_that_comes_later_ends_at_once_and_takes_no_work() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        matching.stop_polls(NAMESPACE, "mine")
        matching.offer(QUEUE, "a")

        assert await matching.poll(QUEUE, of_worker("mine"), LONG_S) is None
        assert await matching.poll(QUEUE, of_worker("yours"), LONG_S) == "task a"

    with_matching(scenario)


def test_a_poll_that_has_its_work_already_brings_it_home() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        poll = asyncio.create_task(matching.poll(QUEUE, of_worker("mine"), LONG_S))
        await settle()
        matching.offer(QUEUE, "a")

        matching.stop_polls(NAMESPACE, "mine")

        assert await poll == "task a"

    with_matching(scenario, claim_turns=3)


def test_the_worker_that_went_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_module, "STOPPED_WORKERS_MAX", 2)

    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        for key in ("first", "second", "third"):
            matching.stop_polls(NAMESPACE, key)
        matching.offer(QUEUE, "a")

        assert await matching.poll(QUEUE, of_worker("third"), LONG_S) is None
        assert await matching.poll(QUEUE, of_worker("first"), LONG_S) == "task a"

    with_matching(scenario)
