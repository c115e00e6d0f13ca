"""Pollers: how many polls there are, and what becomes of those that fail."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from temporalio.api.taskqueue.v1 import PollerScalingDecision
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueResponse

from outlast.service import RPCError, RPCStatusCode
from outlast.worker import PollerBehavior, PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum
from outlast.worker import _poller as poller_module
from outlast.worker._poller import Backoff, Pace, Poller, Scaler
from outlast.worker._slots import FixedSlots, Permit, Slots
from tests.worker.fakes import failure

EMPTY = PollActivityTaskQueueResponse()
TASK = PollActivityTaskQueueResponse(task_token=b"task")


def advice(delta: int, token: bytes = b"") -> PollActivityTaskQueueResponse:
    return PollActivityTaskQueueResponse(
        task_token=token, poller_scaling_decision=PollerScalingDecision(poll_request_delta_suggestion=delta)
    )


class Server:
    """Answers polls one after another with what is in its list; then it lets them wait."""

    def __init__(self, *answers: PollActivityTaskQueueResponse | RPCError) -> None:
        self.answers = list(answers)
        self.polls = 0
        self.waiting = 0
        self.empty = asyncio.Event()

    async def poll(self, deadline_s: float) -> PollActivityTaskQueueResponse:
        self.polls += 1
        await asyncio.sleep(0)
        if not self.answers:
            self.waiting += 1
            self.empty.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.waiting -= 1
        answer = self.answers.pop(0)
        if isinstance(answer, RPCError):
            raise answer
        return answer


async def run(
    server: Server, behavior: PollerBehavior, slots: Slots | None = None, keep: bool = False
) -> list[PollActivityTaskQueueResponse]:
    """Poll until the server has nothing left to say; the tasks that came."""
    came: list[PollActivityTaskQueueResponse] = []

    def accept(task: PollActivityTaskQueueResponse, permit: Permit) -> None:
        came.append(task)
        if not keep:
            permit.release()

    poller = Poller("test", behavior, slots or FixedSlots(100), server.poll, accept)
    running = asyncio.create_task(poller.run())
    emptied = asyncio.create_task(server.empty.wait())
    await asyncio.wait([running, emptied], return_when=asyncio.FIRST_COMPLETED)
    await _until(lambda: server.waiting == poller.lanes or running.done())
    await poller.stop(grace_s=0)
    emptied.cancel()
    await running
    return came


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("never")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses take no time, and are noted."""
    pauses: list[float] = []
    real = asyncio.sleep

    def sleep(seconds: float) -> Awaitable[None]:
        if seconds:
            pauses.append(seconds)
        return real(0)

    monkeypatch.setattr(poller_module.asyncio, "sleep", sleep)
    return pauses


async def test_tasks_that_come_are_accepted_and_empty_replies_are_not() -> None:
    server = Server(TASK, EMPTY, TASK)

    assert len(await run(server, PollerBehaviorSimpleMaximum(2))) == 2


async def test_never_more_polls_than_the_maximum() -> None:
    server = Server()
    poller = Poller("test", PollerBehaviorSimpleMaximum(3), FixedSlots(100), server.poll, lambda _task, permit: permit.release())
    running = asyncio.create_task(poller.run())

    await _until(lambda: server.waiting == 3)
    await poller.stop(grace_s=0)
    await running

    assert server.polls == 3


async def test_no_poll_without_a_slot() -> None:
    server = Server(TASK, TASK, TASK)
    poller = Poller("test", PollerBehaviorSimpleMaximum(5), FixedSlots(2), server.poll, lambda _task, _permit: None)
    running = asyncio.create_task(poller.run())

    await _until(lambda: len(server.answers) == 1)
    for _ in range(20):
        await asyncio.sleep(0)
    await poller.stop(grace_s=0)
    await running

    assert server.polls == 2


async def test_a_passing_failure_is_polled_over_with_growing_pauses(no_pauses: list[float]) -> None:
    server = Server(failure(RPCStatusCode.UNAVAILABLE), failure(RPCStatusCode.UNAVAILABLE), TASK)

    came = await run(server, PollerBehaviorSimpleMaximum(1))

    assert len(came) == 1
    assert [0.16 <= no_pauses[0] <= 0.24, 0.32 <= no_pauses[1] <= 0.48] == [True, True]


async def test_a_failure_for_good_ends_the_poller_with_it() -> None:
    server = Server(TASK, failure(RPCStatusCode.PERMISSION_DENIED))
    poller = Poller("test", PollerBehaviorSimpleMaximum(1), FixedSlots(1), server.poll, lambda _task, permit: permit.release())

    with pytest.raises(RPCError, match="permission_denied"):
        await poller.run()


async def test_a_failed_poll_gives_its_slot_back(no_pauses: list[float]) -> None:
    slots = FixedSlots(1)
    server = Server(failure(RPCStatusCode.UNAVAILABLE), TASK)

    await run(server, PollerBehaviorSimpleMaximum(1), slots)

    assert slots.try_reserve() is not None


async def test_a_poll_that_comes_back_in_time_brings_its_task_though_the_poller_stops() -> None:
    release = asyncio.Event()
    came: list[bytes] = []

    async def poll(deadline_s: float) -> PollActivityTaskQueueResponse:
        await release.wait()
        return TASK

    def accept(task: PollActivityTaskQueueResponse, permit: Permit) -> None:
        came.append(task.task_token)

    poller = Poller("test", PollerBehaviorSimpleMaximum(1), FixedSlots(1), poll, accept)
    running = asyncio.create_task(poller.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    stopping = asyncio.create_task(poller.stop(grace_s=60))
    await asyncio.sleep(0)
    release.set()
    await stopping
    await running

    assert came == [b"task"]


async def test_the_server_scales_the_polls_up_and_down() -> None:
    server = Server(advice(+2, b"a"), TASK)
    poller = Poller("test", PollerBehaviorAutoscaling(1, 4, 1), FixedSlots(100), server.poll, lambda _task, permit: permit.release())
    running = asyncio.create_task(poller.run())
    await _until(lambda: server.waiting == 3)

    await poller.stop(grace_s=0)
    await running

    assert server.polls == 5


def test_advice_keeps_within_the_bounds() -> None:
    scaler = Scaler(PollerBehaviorAutoscaling(minimum=2, maximum=10, initial=5))

    scaler.replied(advice(+20, b"a"), 0)
    up = scaler.target
    scaler.replied(advice(-20), 0)

    assert (up, scaler.target) == (10, 2)


def test_empty_polls_scale_down_only_where_the_server_gives_advice() -> None:
    silent, advising = (Scaler(PollerBehaviorAutoscaling(1, 10, 5)) for _ in range(2))
    advising.replied(advice(0), 0)

    for scaler in (silent, advising):
        scaler.replied(EMPTY, 0)

    assert (silent.target, advising.target) == (5, 4)


def test_no_more_polls_where_they_bring_no_more_tasks() -> None:
    scaler = Scaler(PollerBehaviorAutoscaling(1, 100, 5))
    for _ in range(20):
        scaler.replied(TASK, 0.0)

    scaler.replied(advice(+1, b"a"), 0.11)

    assert scaler.target == 5


def test_a_server_that_is_overloaded_halves_the_polls() -> None:
    scaler = Scaler(PollerBehaviorAutoscaling(1, 100, 20))
    scaler.replied(advice(0), 0)

    scaler.failed(RPCStatusCode.RESOURCE_EXHAUSTED)
    halved = scaler.target
    scaler.failed(RPCStatusCode.UNAVAILABLE)

    assert (halved, scaler.target) == (10, 9)


def test_pauses_grow_up_to_ten_seconds_and_start_again_after_a_success() -> None:
    backoff = Backoff()
    pauses = [backoff.pause_s(RPCStatusCode.UNAVAILABLE) for _ in range(10)]

    backoff.reset()

    assert 8 <= pauses[-1] <= 12
    assert backoff.pause_s(RPCStatusCode.RESOURCE_EXHAUSTED) >= 0.8
    assert backoff.failures == 1


async def test_a_pace_spreads_polls_evenly(no_pauses: list[float]) -> None:
    pace = Pace(per_second=4)

    for _ in range(3):
        await pace()

    assert [round(pause, 1) for pause in no_pauses] == [0.2, 0.5]
