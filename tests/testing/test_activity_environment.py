"""Activities run without a server: their context, heartbeats, cancellation in tasks and in threads."""

import asyncio
import dataclasses
import threading
import time
from typing import Any

import pytest

from outlast import activity
from outlast.exceptions import CancelledError
from outlast.testing import ActivityEnvironment


@activity.defn
async def waits(started: asyncio.Event) -> str:
    started.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return f"cancelled: {activity.cancellation_details()}"
    return "never"


def test_a_function_gets_what_the_environment_says_and_returns_as_it_would() -> None:
    def act(what: str, *, times: int) -> str:
        activity.heartbeat(what, times)
        return f"{activity.info().activity_type}: {what * times}"

    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, activity_type="acts")
    heard: list[Any] = []
    env.on_heartbeat = lambda *details: heard.append(details)

    assert env.run(act, "a", times=3) == "acts: aaa"
    assert heard == [("a", 3)]
    with pytest.raises(RuntimeError):
        activity.info()


async def test_an_async_activity_is_cancelled_with_its_reason() -> None:
    env, started = ActivityEnvironment(), asyncio.Event()
    running = asyncio.create_task(env.run(waits, started))
    await started.wait()
    reason = activity.ActivityCancellationDetails(timed_out=True)

    env.cancel(reason)
    env.cancel(activity.ActivityCancellationDetails(paused=True))

    assert await running == f"cancelled: {reason}"


async def test_what_is_run_after_the_cancellation_is_cancelled_too() -> None:
    async def act() -> bool:
        await asyncio.sleep(0)
        return activity.is_cancelled()

    env = ActivityEnvironment()
    env.cancel()

    with pytest.raises(asyncio.CancelledError):
        await env.run(act)


@pytest.mark.parametrize("shields", [False, True])
async def test_a_thread_is_interrupted_but_not_behind_its_shield(shields: bool) -> None:
    started, seen = threading.Event(), []

    def spin() -> None:
        started.set()
        while not activity.is_cancelled():
            time.sleep(0.001)
        seen.append("finished")

    @activity.defn
    def act() -> None:
        if shields:
            with activity.shield_thread_cancel_exception():
                spin()
        started.set()
        while True:
            time.sleep(0.001)

    env = ActivityEnvironment()
    running = asyncio.create_task(asyncio.to_thread(env.run, act))
    await asyncio.to_thread(started.wait, 10)
    env.cancel()

    with pytest.raises(CancelledError):
        await running
    assert seen == (["finished"] if shields else [])


async def test_an_activity_that_wants_no_exception_looks_for_itself() -> None:
    started = threading.Event()

    @activity.defn(no_thread_cancel_exception=True)
    def act() -> bool:
        started.set()
        activity.wait_for_cancelled_sync()
        return activity.is_cancelled()

    env = ActivityEnvironment()
    running = asyncio.create_task(asyncio.to_thread(env.run, act))
    await asyncio.to_thread(started.wait, 10)
    env.cancel()

    assert await running is True


async def test_the_end_of_the_worker_is_told() -> None:
    async def act() -> bool:
        await activity.wait_for_worker_shutdown()
        return activity.is_worker_shutdown()

    env = ActivityEnvironment()
    running = asyncio.ensure_future(env.run(act))
    await asyncio.sleep(0)
    env.worker_shutdown()

    assert await running is True
    assert await env.run(act) is True


async def test_a_client_is_for_async_activities_that_were_given_one() -> None:
    async def act() -> Any:
        return activity.client()

    client: Any = object()

    assert await ActivityEnvironment(client).run(act) is client
    with pytest.raises(RuntimeError):
        await ActivityEnvironment().run(act)
