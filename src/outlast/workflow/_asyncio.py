"""`asyncio.wait` and `asyncio.as_completed` in an order that is the same whenever the workflow is replayed: lists in place of sets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, TypeVar, overload

from outlast.types import AnyType

__all__ = ["as_completed", "wait"]

_FT = TypeVar("_FT", bound="asyncio.Future[Any]")
_RETURN_WHEN = (asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED)


@overload
async def wait(
    fs: Iterable[_FT], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[list[_FT], list[_FT]]: ...
@overload
async def wait(
    fs: Iterable[asyncio.Task[AnyType]], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[list[asyncio.Task[AnyType]], list[asyncio.Task[AnyType]]]: ...


async def wait(fs: Iterable[Any], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED) -> tuple[list[Any], list[Any]]:
    """Wait for futures or tasks; use it in place of `asyncio.wait`.

    Args:
        fs: The futures, at least one, and no coroutines.
        timeout: Seconds to wait at most. None of the futures is cancelled when they are over.
        return_when: One of asyncio's FIRST_COMPLETED, FIRST_EXCEPTION and ALL_COMPLETED.

    Returns:
        Those that are done and those that are not, each in the order they were given.
    """
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        raise TypeError(f"Expect an iterable of Tasks/Futures, not {type(fs).__name__}")
    if return_when not in _RETURN_WHEN:
        raise ValueError(f"Invalid return_when value: {return_when}")
    futures = list(fs)
    if not futures:
        raise ValueError("Sequence of Tasks/Futures must not be empty.")
    if any(asyncio.iscoroutine(future) for future in futures):
        raise TypeError("Passing coroutines is forbidden, use tasks explicitly.")
    await _wait(futures, timeout, return_when)
    return [future for future in futures if future.done()], [future for future in futures if not future.done()]


async def _wait(futures: list[asyncio.Future[Any]], timeout: float | None, return_when: str) -> None:
    loop = asyncio.get_running_loop()
    enough = loop.create_future()
    timer = None if timeout is None else loop.call_later(timeout, lambda: _release(enough))
    missing = len(futures)

    def on_done(future: asyncio.Future[Any]) -> None:
        nonlocal missing
        missing -= 1
        failed = not future.cancelled() and future.exception() is not None
        if missing <= 0 or return_when == asyncio.FIRST_COMPLETED or (failed and return_when == asyncio.FIRST_EXCEPTION):
            # The timer goes here and not only below: other code may run before the waiter does, and the order of commands counts.
            if timer is not None:
                timer.cancel()
            _release(enough)

    for future in futures:
        future.add_done_callback(on_done)
    try:
        await enough
    finally:
        if timer is not None:
            timer.cancel()
        for future in futures:
            future.remove_done_callback(on_done)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def as_completed(fs: Iterable[Awaitable[AnyType]], *, timeout: float | None = None) -> Iterator[Awaitable[AnyType]]:
    """Await several things in the order in which they end; use it in place of `asyncio.as_completed`.

    Args:
        fs: What to await.
        timeout: Seconds after which those that are left raise `TimeoutError`.

    Returns:
        As many awaitables as there were; the first gives the result of the first that ends, and so on.
    """
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        raise TypeError(f"expect an iterable of futures, not {type(fs).__name__}")
    loop = asyncio.get_event_loop()
    ended: asyncio.Queue[asyncio.Future[AnyType] | None] = asyncio.Queue()
    missing = [asyncio.ensure_future(awaitable, loop=loop) for awaitable in list(fs)]

    def on_done(future: asyncio.Future[AnyType]) -> None:
        if future not in missing:
            return
        missing.remove(future)
        ended.put_nowait(future)
        if not missing and timer is not None:
            timer.cancel()

    def on_timeout() -> None:
        for future in missing:
            future.remove_done_callback(on_done)
            ended.put_nowait(None)
        missing.clear()

    async def next_ended() -> AnyType:
        future = await ended.get()
        if future is None:
            raise TimeoutError
        return future.result()

    for future in missing:
        future.add_done_callback(on_done)
    timer = loop.call_later(timeout, on_timeout) if missing and timeout is not None else None
    for _ in range(len(missing)):
        yield next_ended()
