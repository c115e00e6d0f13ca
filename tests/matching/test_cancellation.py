"""A poll whose client has gone never takes work along, wherever it was when the client went."""

import asyncio

import pytest

from tests.matching.fakes import LONG_S, QUEUE, Clock, FakeMatching, FakeOwner, poller, settle, with_matching


def test_a_poll_that_is_cancelled_while_it_waits_leaves_the_line() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        poll = asyncio.create_task(matching.poll(QUEUE, poller(), LONG_S))
        await settle()

        poll.cancel()
        matching.offer(QUEUE, "a")
        await settle()

        assert poll.cancelled()
        assert matching.backlog_count(QUEUE) == 1
        assert owner.claims_begun == []

    with_matching(scenario)


def test_work_assigned_to_a_poll_that_is_cancelled_before_it_claims_is_the_next_in_line() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        poll = asyncio.create_task(matching.poll(QUEUE, poller(), LONG_S))
        await settle()

        matching.offer(QUEUE, "a")
        matching.offer(QUEUE, "b")
        poll.cancel()
        await settle()

        assert owner.claims_begun == []
        assert await matching.poll(QUEUE, poller(), LONG_S) == "task a"

    with_matching(scenario)


def test_a_claim_runs_to_its_end_when_its_poll_is_cancelled_and_is_then_released() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        owner.matching = None
        matching.offer(QUEUE, "a")
        poll = asyncio.create_task(matching.poll(QUEUE, poller(), LONG_S))
        await settle(3)
        assert owner.claims_begun == ["a"]
        assert owner.claims_ended == []

        poll.cancel()
        await settle(2)
        await matching.close()

        assert poll.cancelled()
        assert owner.claims_ended == ["a"]
        assert owner.released == ["a"]
        assert owner.holders == {}

    with_matching(scenario, claim_turns=5)


def test_work_whose_claim_fails_after_its_poll_was_cancelled_goes_back() -> None:
    async def scenario(matching: FakeMatching, owner: FakeOwner, clock: Clock) -> None:
        owner.failures_left = 1
        matching.offer(QUEUE, "a")
        poll = asyncio.create_task(matching.poll(QUEUE, poller(), LONG_S))
        await asyncio.sleep(0)

        poll.cancel()
        await settle()

        assert owner.released == []
        assert await matching.poll(QUEUE, poller(), LONG_S) == "task a"

    with_matching(scenario, claim_turns=3)


def test_a_release_that_fails_is_logged_and_does_not_stop_the_close(caplog: pytest.LogCaptureFixture) -> None:
    class Sulking(FakeOwner):
        async def release(self, *_: object) -> None:
            raise OSError("the store is down")

    async def scenario() -> None:
        matching = FakeMatching(Clock())
        matching.bind(Sulking(turns=2))
        matching.offer(QUEUE, "a")
        poll = asyncio.create_task(matching.poll(QUEUE, poller(), LONG_S))
        await settle(3)
        poll.cancel()
        await settle(2)

        await matching.close()

    asyncio.run(scenario())
    assert "cannot release 'a'" in caplog.text


STEPS = 24


@pytest.mark.parametrize("claim_turns", [0, 1, 2, 5])
@pytest.mark.parametrize("offered_first", [True, False])
@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("also_waiting", [True, False])
def test_wherever_a_poll_is_cancelled_its_work_is_claimed_once_by_a_living_poller_or_is_back(
    claim_turns: int, offered_first: bool, failing: int, also_waiting: bool
) -> None:
    """Cancel after k turns of the loop, for every k until the poll ends by itself."""

    async def scenario(cancel_after: int) -> bool:
        owner, clock = FakeOwner(turns=claim_turns), Clock()
        owner.failures_left = failing
        matching = owner.matching = FakeMatching(clock)
        matching.bind(owner)
        if offered_first:
            matching.offer(QUEUE, "a")
        doomed = asyncio.create_task(matching.poll(QUEUE, poller("doomed"), LONG_S))
        other = asyncio.create_task(_polls_until_served(matching)) if also_waiting else None
        for step in range(cancel_after):
            await asyncio.sleep(0)
            if step == 1 and not offered_first:
                matching.offer(QUEUE, "a")
        cancelled = doomed.cancel()
        if cancel_after <= 1 and not offered_first:
            matching.offer(QUEUE, "a")
        ended = (await asyncio.gather(doomed, return_exceptions=True))[0]
        await settle(40)

        got = [ended] if isinstance(ended, str) else []
        if other is not None and other.done():
            got.append(other.result())
        in_queue = matching.backlog_count(QUEUE)
        assert len(got) + in_queue == 1, (cancel_after, got, in_queue)
        assert len(owner.holders) == len(got), (cancel_after, owner.holders)
        assert owner.claims_begun == owner.claims_ended
        if other is not None:
            other.cancel()
        await matching.close()
        return cancelled

    assert asyncio.run(scenario(0))
    assert [asyncio.run(scenario(k)) for k in range(1, STEPS)][-1] is False, "the last step must be past the end of the poll"


async def _polls_until_served(matching: FakeMatching) -> str | None:
    """A living worker: polls again when a poll fails."""
    while True:
        try:
            return await matching.poll(QUEUE, poller("other"), LONG_S)
        except Exception:
            await asyncio.sleep(0)
