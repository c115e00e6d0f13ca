import asyncio

import pytest

from outlast.server.handover import QueueKind, QueueName
from outlast.server.matching import limits, queue
from tests.matching.fakes import LONG_S, QUEUE, Clock, FakeMatching, FakeOwner, StoreIsDown, poller, settle, with_matching


def test_offers_are_handed_out_in_order_of_arrival() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        for work in "abc":
            assert matching.offer(QUEUE, work)

        tasks = [await matching.poll(QUEUE, poller(), LONG_S) for _ in range(3)]

        assert tasks == ["task a", "task b", "task c"]

    with_matching(scenario)


@pytest.mark.parametrize("claim_turns", [0, 3])
def test_the_poller_that_waits_longest_gets_the_next_offer(claim_turns: int) -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        polls = [asyncio.create_task(matching.poll(QUEUE, poller(str(n)), LONG_S)) for n in range(3)]
        await settle()

        for work in "abc":
            matching.offer(QUEUE, work)

        assert await asyncio.gather(*polls) == ["task a", "task b", "task c"]
        assert matching.backlog_count(QUEUE) == 0

    with_matching(scenario, claim_turns=claim_turns)


def test_work_that_is_offered_twice_is_in_the_queue_once() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        assert matching.offer(QUEUE, "a")
        assert matching.offer(QUEUE, "b")
        assert matching.offer(QUEUE, "a")

        assert matching.backlog_count(QUEUE) == 2
        assert await matching.poll(QUEUE, poller(), LONG_S) == "task a"

    with_matching(scenario)


def test_work_that_is_withdrawn_is_not_handed_out() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        matching.offer(QUEUE, "a")
        matching.offer(QUEUE, "b")

        matching.withdraw(QUEUE, "a")
        matching.withdraw(QUEUE, "never offered")

        assert await matching.poll(QUEUE, poller(), LONG_S) == "task b"
        assert owner.claims_begun == ["b"]

    with_matching(scenario)


def test_queues_do_not_share_work() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        matching.offer(QueueName("namespace", "orders", QueueKind.WORKFLOW), "a")

        assert await matching.poll(QUEUE, poller(), 0) is None

    with_matching(scenario)


def test_a_poll_passes_over_work_that_is_gone() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        owner.gone = set(range(250))
        for work in range(251):
            matching.offer(QUEUE, work)

        assert await matching.poll(QUEUE, poller(), LONG_S) == "task 250"

    with_matching(scenario)


def test_a_poll_that_was_handed_work_that_is_gone_keeps_its_place_in_line() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        owner.gone = {"a"}
        first = asyncio.create_task(matching.poll(QUEUE, poller("first"), LONG_S))
        await settle()
        second = asyncio.create_task(matching.poll(QUEUE, poller("second"), LONG_S))
        await settle()

        matching.offer(QUEUE, "a")
        await settle()
        matching.offer(QUEUE, "b")

        assert await first == "task b"
        assert not second.done()
        second.cancel()

    with_matching(scenario)


def test_a_poll_ends_with_nothing_at_its_deadline() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        assert await matching.poll(QUEUE, poller(), 0.001) is None

        matching.offer(QUEUE, "a")
        assert matching.backlog_count(QUEUE) == 1

    with_matching(scenario)


def test_stale_offers_do_not_hold_a_poll_past_its_deadline() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        owner.gone = {"a"}
        matching.offer(QUEUE, "a")
        matching.offer(QUEUE, "b")

        assert await matching.poll(QUEUE, poller(), 0) is None
        assert matching.backlog_count(QUEUE) == 1

    with_matching(scenario)


@pytest.mark.parametrize("claim_turns", [0, 1, 3])
def test_work_whose_claim_fails_is_the_next_in_line_again(claim_turns: int) -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        owner.failures_left = 1
        matching.offer(QUEUE, "a")
        matching.offer(QUEUE, "b")

        with pytest.raises(StoreIsDown):
            await matching.poll(QUEUE, poller(), LONG_S)

        assert await matching.poll(QUEUE, poller(), LONG_S) == "task a"

    with_matching(scenario, claim_turns=claim_turns)


def test_a_full_queue_says_no_and_asks_for_more_once_when_it_is_less_than_half_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "OFFERS_MAX", 4)

    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        assert [matching.offer(QUEUE, work) for work in "abcdef"] == [True] * 4 + [False] * 2

        asked = []
        for _ in range(4):
            await matching.poll(QUEUE, poller(), LONG_S)
            asked.append(len(owner.asked_for_more))

        assert asked == [0, 0, 1, 1]
        assert owner.asked_for_more == [QUEUE]

    with_matching(scenario)


def test_a_queue_that_never_refused_does_not_ask_for_more() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        matching.offer(QUEUE, "a")
        await matching.poll(QUEUE, poller(), LONG_S)
        matching.offer(QUEUE, "b")
        matching.withdraw(QUEUE, "b")

        assert owner.asked_for_more == []

    with_matching(scenario)


def test_a_queue_holds_a_hundred_thousand_offers() -> None:
    assert limits.OFFERS_MAX == 100_000

    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        assert all(matching.offer(QUEUE, work) for work in range(limits.OFFERS_MAX))
        assert not matching.offer(QUEUE, "one more")

    with_matching(scenario)


def test_release_polls_ends_waiting_and_later_polls_at_once() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        waiting = asyncio.create_task(matching.poll(QUEUE, poller(), LONG_S))
        await settle()

        matching.release_polls()

        assert await waiting is None
        matching.offer(QUEUE, "a")
        assert await matching.poll(QUEUE, poller(), LONG_S) is None
        assert matching.backlog_count(QUEUE) == 1

    with_matching(scenario)
