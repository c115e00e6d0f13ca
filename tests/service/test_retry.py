"""Which failures are worth another attempt, and for how long."""

import asyncio

import pytest

from outlast.service import RetryConfig, RPCError, RPCStatusCode
from outlast.service import _retry as retry
from outlast.service._retry import CallKind, with_retries

FAST = RetryConfig(initial_interval_millis=1, max_interval_millis=1, max_retries=4)


class Server:
    """Fails with these codes, one after the other, and then answers."""

    def __init__(self, *codes: RPCStatusCode, message: str = "no") -> None:
        self.codes = list(codes)
        self.calls = 0
        self.message = message

    async def __call__(self) -> str:
        self.calls += 1
        if self.codes:
            raise RPCError(self.message, self.codes.pop(0), b"")
        return "yes"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        made.append(seconds)
        await sleep(0)

    monkeypatch.setattr(retry.asyncio, "sleep", note)
    return made


@pytest.mark.parametrize("code", ["DATA_LOSS", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE"])
async def test_what_may_pass_is_tried_again(code: str, pauses: list[float]) -> None:
    server = Server(RPCStatusCode[code])

    assert await with_retries("a", FAST, CallKind.NORMAL, server) == "yes"
    assert server.calls == 2


@pytest.mark.parametrize("code", ["CANCELLED", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED"])
async def test_what_will_not_pass_is_raised_at_once(code: str, pauses: list[float]) -> None:
    server = Server(RPCStatusCode[code])

    with pytest.raises(RPCError) as raised:
        await with_retries("a", FAST, CallKind.LONG_POLL, server)
    assert raised.value.status is RPCStatusCode[code]
    assert server.calls == 1


async def test_the_last_error_is_raised_when_attempts_are_used_up(pauses: list[float]) -> None:
    server = Server(*[RPCStatusCode.UNAVAILABLE] * 9)

    with pytest.raises(RPCError):
        await with_retries("a", FAST, CallKind.NORMAL, server)
    assert server.calls == FAST.max_retries


async def test_the_last_error_is_raised_when_time_is_up(pauses: list[float]) -> None:
    config = RetryConfig(initial_interval_millis=60_000, max_interval_millis=60_000, max_elapsed_time_millis=10_000)
    server = Server(RPCStatusCode.UNAVAILABLE)

    with pytest.raises(RPCError):
        await with_retries("a", config, CallKind.NORMAL, server)
    assert server.calls == 1


async def test_pauses_grow_up_to_the_longest(pauses: list[float]) -> None:
    config = RetryConfig(
        initial_interval_millis=100,
        multiplier=2,
        randomization_factor=0,
        max_interval_millis=350,
        max_elapsed_time_millis=None,
        max_retries=0,
    )

    await with_retries("a", config, CallKind.NORMAL, Server(*[RPCStatusCode.UNAVAILABLE] * 4))

    assert pauses == [0.1, 0.2, 0.35, 0.35]


async def test_a_server_that_is_overloaded_gets_more_time(pauses: list[float]) -> None:
    await with_retries("a", FAST, CallKind.NORMAL, Server(RPCStatusCode.RESOURCE_EXHAUSTED))

    assert 0.8 <= pauses[0] <= 1.2


async def test_a_message_that_is_too_large_is_not_sent_again(pauses: list[float]) -> None:
    server = Server(RPCStatusCode.RESOURCE_EXHAUSTED, message="grpc: received message larger than max (5 vs. 4)")

    with pytest.raises(RPCError):
        await with_retries("a", FAST, CallKind.NORMAL, server)
    assert server.calls == 1


async def test_a_worker_polls_for_ever_and_bears_with_a_proxy_that_starts_up(pauses: list[float]) -> None:
    codes = [RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.UNAVAILABLE, RPCStatusCode.UNIMPLEMENTED] * 6
    server = Server(*codes)

    assert await with_retries("a", FAST, CallKind.TASK_POLL, server) == "yes"
    assert server.calls == len(codes) + 1
    assert [pause < 1 for pause in pauses[:4]] == [True, True, True, False]
