"""`workflow.wait` and `workflow.as_completed` keep an order that asyncio's own lose."""

import asyncio

import pytest

from outlast import workflow


def _futures(count: int) -> list[asyncio.Future[int]]:
    loop = asyncio.get_running_loop()
    return [loop.create_future() for _ in range(count)]


async def _settle() -> None:
    """Let everything run that is ready to."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_done_and_what_is_not_keep_the_order_they_were_given_in() -> None:
    first, second, third = _futures(3)
    waiting = asyncio.create_task(workflow.wait([third, first, second], return_when=asyncio.FIRST_COMPLETED))
    await _settle()
    assert not waiting.done()

    second.set_result(2)
    third.set_result(3)

    assert await waiting == ([third, second], [first])


async def test_all_completed_waits_for_the_last() -> None:
    first, second = _futures(2)
    waiting = asyncio.create_task(workflow.wait([first, second]))

    first.set_exception(KeyError())
    await _settle()
    assert not waiting.done()
    second.set_result(2)

    assert await waiting == ([first, second], [])
    assert isinstance(first.exception(), KeyError)


async def test_first_exception_waits_for_a_failure_but_not_for_a_cancellation() -> None:
    first, second, third = _futures(3)
    waiting = asyncio.create_task(workflow.wait([first, second, third], return_when=asyncio.FIRST_EXCEPTION))

    first.cancel()
    await _settle()
    assert not waiting.done()
    second.set_exception(KeyError())

    assert await waiting == ([first, second], [third])
    assert isinstance(second.exception(), KeyError)


async def test_a_wait_that_times_out_leaves_the_rest_alone() -> None:
    first, second = _futures(2)
    first.set_result(1)

    assert await workflow.wait([first, second], timeout=0) == ([first], [second])
    assert not second.cancelled()


async def test_what_cannot_be_waited_for_is_refused() -> None:
    [future] = _futures(1)
    coroutine = _settle()

    with pytest.raises(TypeError, match="Expect an iterable of Tasks/Futures"):
        await workflow.wait(future)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="Passing coroutines is forbidden"):
        await workflow.wait([coroutine])  # type: ignore[type-var]
    with pytest.raises(ValueError, match="must not be empty"):
        await workflow.wait([])
    with pytest.raises(ValueError, match="Invalid return_when value: soon"):
        await workflow.wait([future], return_when="soon")
    with pytest.raises(TypeError, match="expect an iterable of futures"):
        next(workflow.as_completed(future))  # type: ignore[arg-type]
    coroutine.close()


async def test_results_come_in_the_order_in_which_things_end() -> None:
    first, second, third = _futures(3)
    awaitables = list(workflow.as_completed([first, second, third]))
    third.set_result(3)
    await _settle()
    first.set_exception(KeyError("first"))
    second.set_result(2)

    assert await awaitables[0] == 3
    with pytest.raises(KeyError, match="first"):
        await awaitables[1]
    assert await awaitables[2] == 2


async def test_what_has_not_ended_in_time_times_out() -> None:
    first, second = _futures(2)
    first.set_result(1)
    [one, other] = workflow.as_completed([first, second], timeout=0)

    assert await one == 1
    with pytest.raises(TimeoutError):
        await other
    second.set_result(2)
    await _settle()


async def test_the_timer_of_a_wait_is_cancelled_before_other_code_runs() -> None:
    """The order of commands counts: what another task does after the last future ended comes after the timer was cancelled."""
    order: list[str] = []

    class Timer:
        def cancel(self) -> None:
            order.append("timer cancelled")

    asyncio.get_running_loop().call_later = lambda *args: Timer()  # type: ignore
    [future] = _futures(1)
    waiting = asyncio.create_task(workflow.wait([future], timeout=3600))
    await _settle()
    future.add_done_callback(lambda _: order.append("other code"))
    future.set_result(1)
    await waiting

    assert order[:2] == ["timer cancelled", "other code"]
