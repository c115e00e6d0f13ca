"""Workflows that use everything, to make histories from and to replay them.

`make_histories` runs this module a second time with the official SDK in place of ours, so that only names may be used that both have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from outlast import activity, workflow
from outlast.common import RawValue, RetryPolicy, SearchAttributeKey, TypedSearchAttributes
from outlast.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    TemporalError,
)

SOON = timedelta(milliseconds=20)
LONG = timedelta(seconds=60)
COLOUR = SearchAttributeKey.for_keyword("Colour")
ONCE = RetryPolicy(maximum_attempts=1)


def chain(err: BaseException | None) -> list[str]:
    """The kinds of an error and of its causes."""
    kinds: list[str] = []
    while err is not None:
        kinds.append(f"{type(err).__name__}:{err.type}" if isinstance(err, ApplicationError) else type(err).__name__)
        err = err.__cause__
    return kinds


@activity.defn
async def echo(value: Any) -> Any:
    return value


@activity.defn
async def fail(kind: str) -> None:
    raise ApplicationError("as told", type=kind, non_retryable=True)


@activity.defn
async def fail_until(attempt: int) -> int:
    if activity.info().attempt < attempt:
        raise ApplicationError("not yet", type="NotYet")
    return activity.info().attempt


@activity.defn
async def linger(seconds: float) -> str:
    """Heartbeats until it is cancelled or the time is up."""
    for _ in range(int(seconds * 50)):
        await asyncio.sleep(0.02)
        if not activity.info().is_local:
            activity.heartbeat()
    return "done"


@workflow.defn
class Numbers:
    @workflow.run
    async def run(self) -> list[Any]:
        first = [workflow.random_seed(), workflow.random().random(), str(workflow.uuid4())]
        await asyncio.sleep(0.01)
        return [*first, workflow.random_seed(), workflow.random().randint(1, 1000)]


@workflow.defn
class Activities:
    @workflow.run
    async def run(self, count: int) -> list[Any]:
        results = [await workflow.execute_activity(echo, number, start_to_close_timeout=LONG) for number in range(count)]
        handles = [workflow.start_activity(echo, number, schedule_to_close_timeout=LONG) for number in range(count)]
        results += await asyncio.gather(*handles)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(workflow.execute_activity("echo", str(number), result_type=str, start_to_close_timeout=LONG))
                for number in range(count)
            ]
        return results + [task.result() for task in tasks]


@workflow.defn
class ActivityTroubles:
    @workflow.run
    async def run(self) -> list[list[str]]:
        troubles: list[list[str]] = []
        for call in (
            lambda: workflow.execute_activity(fail, "Boom", start_to_close_timeout=LONG),
            lambda: workflow.execute_activity(linger, 5.0, start_to_close_timeout=timedelta(milliseconds=200), retry_policy=ONCE),
            lambda: workflow.execute_activity(echo, 1, task_queue="nobody", schedule_to_start_timeout=SOON, start_to_close_timeout=LONG),
        ):
            try:
                await call()
            except ActivityError as err:
                troubles.append(chain(err))
        return troubles


@workflow.defn
class ActivityCancellations:
    @workflow.run
    async def run(self, kind: int, before_sent: bool) -> list[str]:
        handle = workflow.start_activity(
            linger,
            5.0,
            start_to_close_timeout=LONG,
            heartbeat_timeout=timedelta(seconds=2),
            cancellation_type=workflow.ActivityCancellationType(kind),
        )
        if not before_sent:
            await workflow.sleep(0.1)
        handle.cancel()
        try:
            return [str(await handle)]
        except ActivityError as err:
            return chain(err)
        finally:
            await workflow.execute_activity(echo, "after", start_to_close_timeout=LONG)


@workflow.defn
class Timers:
    @workflow.run
    async def run(self) -> list[str]:
        seen: list[str] = []
        await workflow.sleep(0.02, summary="a nap")
        await asyncio.sleep(0.02)
        await asyncio.gather(asyncio.sleep(0.03), asyncio.sleep(0.01), workflow.sleep(SOON))
        task = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(0)
        task.cancel()
        started = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(0.02)
        started.cancel()
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.02)
        except TimeoutError:
            seen.append("wait_for")
        try:
            async with asyncio.timeout(0.02):
                await asyncio.Event().wait()
        except TimeoutError:
            seen.append("timeout")
        try:
            await workflow.wait_condition(lambda: False, timeout=0.02, timeout_summary="in vain")
        except TimeoutError:
            seen.append("condition")
        done, pending = await workflow.wait([asyncio.create_task(asyncio.sleep(delay)) for delay in (0.01, 90)], timeout=0.05)
        seen.append(f"{len(done)} {len(pending)}")
        for task in pending:
            task.cancel()
        for_all = [item async for item in _numbered()]
        return [*seen, *for_all]


async def _numbered() -> Any:
    for number in range(2):
        await asyncio.sleep(0.01)
        yield str(number)


@workflow.defn
class LocalActivities:
    def __init__(self) -> None:
        self.pokes = 0

    @workflow.signal
    def poke(self) -> None:
        self.pokes += 1

    @workflow.run
    async def run(self) -> list[Any]:
        seen: list[Any] = [await workflow.execute_local_activity(echo, "first", start_to_close_timeout=LONG)]
        seen += await asyncio.gather(
            *(workflow.execute_local_activity(echo, number, schedule_to_close_timeout=LONG) for number in range(3))
        )
        seen.append(
            await workflow.execute_local_activity(
                fail_until, 3, start_to_close_timeout=LONG, retry_policy=RetryPolicy(initial_interval=SOON)
            )
        )
        seen.append(
            await workflow.execute_local_activity(
                fail_until,
                3,
                start_to_close_timeout=LONG,
                local_retry_threshold=timedelta(milliseconds=1),
                retry_policy=RetryPolicy(initial_interval=SOON),
            )
        )
        await workflow.wait_condition(lambda: self.pokes > 0)
        return seen


@workflow.defn
class LocalActivityTroubles:
    @workflow.run
    async def run(self) -> list[list[str]]:
        troubles: list[list[str]] = []
        for call in (
            lambda: workflow.execute_local_activity(fail, "Boom", start_to_close_timeout=LONG),
            lambda: workflow.execute_local_activity(fail_until, 9, start_to_close_timeout=LONG, retry_policy=ONCE),
            lambda: workflow.execute_local_activity(linger, 5.0, start_to_close_timeout=timedelta(milliseconds=100), retry_policy=ONCE),
            lambda: workflow.execute_local_activity(linger, 5.0, schedule_to_close_timeout=timedelta(milliseconds=100)),
        ):
            try:
                await call()
            except FailureError as err:
                troubles.append(chain(err))
        return troubles


@workflow.defn
class LocalActivityCancellations:
    @workflow.run
    async def run(self, kind: int, before_sent: bool) -> list[str]:
        handle = workflow.start_local_activity(
            linger, 1.0, start_to_close_timeout=LONG, cancellation_type=workflow.ActivityCancellationType(kind)
        )
        if not before_sent:
            await workflow.sleep(0.05)
        handle.cancel()
        try:
            return [str(await handle)]
        except ActivityError as err:
            return chain(err)
        finally:
            await workflow.execute_local_activity(echo, "after", start_to_close_timeout=LONG)


@workflow.defn
class LongLocalActivity:
    """Takes longer than the workflow task, which is kept alive by heartbeats."""

    @workflow.run
    async def run(self) -> str:
        result = await workflow.execute_local_activity(linger, 2.5, start_to_close_timeout=LONG)
        await asyncio.sleep(0.01)
        return str(result)


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.values: list[str] = []

    @workflow.signal
    async def put(self, value: str) -> None:
        self.values.append(value)

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "fail":
            raise ApplicationError("child fails", type="ChildBoom")
        if how == "wait":
            await workflow.wait_condition(lambda: len(self.values) > 0)
        if how == "linger":
            await asyncio.sleep(3)
        return how + "".join(self.values)


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> list[Any]:
        own = workflow.info().workflow_id
        seen: list[Any] = [await workflow.execute_child_workflow(Child.run, "plain", id=f"{own}-plain")]
        child = await workflow.start_child_workflow(Child.run, "wait", id=f"{own}-wait", static_summary="waits")
        await child.signal(Child.put, "!")
        seen.append(await child)
        for how, id in (("fail", f"{own}-fail"), ("plain", f"{own}-taken")):
            blocker = await workflow.start_child_workflow(Child.run, "wait", id=f"{own}-taken-{how}")
            try:
                await workflow.execute_child_workflow(Child.run, how, id=id if how == "fail" else blocker.id)
            except TemporalError as err:
                seen.append(chain(err))
            await workflow.get_external_workflow_handle(blocker.id).signal("put", "?")
            seen.append(await blocker)
        return seen


@workflow.defn
class ChildCancellations:
    @workflow.run
    async def run(self, kind: int, when: str) -> list[str]:
        child = asyncio.create_task(
            workflow.execute_child_workflow(
                Child.run,
                "linger",
                id=f"{workflow.info().workflow_id}-child",
                cancellation_type=workflow.ChildWorkflowCancellationType(kind),
            )
        )
        await asyncio.sleep(0)
        if when == "started":
            await asyncio.sleep(0.1)
        child.cancel()
        try:
            return [await child]
        except ChildWorkflowError as err:
            return chain(err)


@workflow.defn
class Externals:
    @workflow.run
    async def run(self, target: str) -> list[Any]:
        seen: list[Any] = []
        for id in ("nobody-there", target):
            handle = workflow.get_external_workflow_handle(id)
            for call, args, named in ((handle.signal, ["put", "x"], {}), (handle.cancel, [], {"reason": "enough"})):
                try:
                    await call(*args, **named)  # type: ignore[operator]
                    seen.append("ok")
                except FailureError as err:
                    seen.append(chain(err))
        task = asyncio.create_task(workflow.get_external_workflow_handle(target).signal("put", "never"))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except CancelledError as err:
            seen.append(chain(err))
        return seen


@workflow.defn
class Signals:
    def __init__(self) -> None:
        self.log: list[str] = []

    @workflow.signal
    async def work(self, name: str) -> None:
        self.log.append(f"{name} begins")
        await workflow.execute_activity(echo, name, start_to_close_timeout=LONG)
        self.log.append(f"{name} ends")

    @workflow.signal
    def note(self, name: str) -> None:
        self.log.append(name)

    @workflow.query
    def seen(self) -> list[str]:
        return self.log

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.log) >= 3)

        def late(name: str, values: Sequence[RawValue]) -> None:
            self.log.append(f"late {name} {workflow.payload_converter().from_payload(values[0].payload, str)}")

        workflow.set_dynamic_signal_handler(late)
        await workflow.wait_condition(lambda: "last" in self.log and workflow.all_handlers_finished(), timeout=30)
        return self.log


@workflow.defn
class Updates:
    def __init__(self) -> None:
        self.total = 0
        self.over = False

    @workflow.update
    async def add(self, value: int) -> int:
        self.total += value
        if value % 2:
            self.total = await workflow.execute_activity(echo, self.total, start_to_close_timeout=LONG)
        return self.total

    @add.validator
    def check(self, value: int) -> None:
        if value < 0:
            raise ValueError("negative")

    @workflow.update
    async def add_locally(self, value: int) -> int:
        self.total += await workflow.execute_local_activity(echo, value, start_to_close_timeout=LONG)
        return self.total

    @workflow.update
    def refuse(self) -> None:
        raise ApplicationError("no", type="No")

    @workflow.signal
    def finish(self) -> None:
        self.over = True

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.over)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.total


@workflow.defn
class Patches:
    @workflow.run
    async def run(self) -> list[bool]:
        seen = [workflow.patched("first")]
        await asyncio.sleep(0.01)
        seen += [workflow.patched("second"), workflow.patched("first")]
        await workflow.execute_activity(echo, 1, start_to_close_timeout=LONG)
        workflow.deprecate_patch("third")
        await asyncio.sleep(0.01)
        return seen


@workflow.defn
class Properties:
    @workflow.run
    async def run(self) -> dict[str, Any]:
        workflow.upsert_memo({"mood": "good", "gone": None})
        workflow.upsert_search_attributes([COLOUR.value_set("red")])
        await asyncio.sleep(0.01)
        workflow.upsert_search_attributes([COLOUR.value_unset()])
        return {
            "memo": workflow.memo_value("mood"),
            "colour": workflow.info().typed_search_attributes.get(COLOUR),
            "attempt": workflow.info().attempt,
        }


@workflow.defn
class Continues:
    @workflow.run
    async def run(self, left: int) -> str:
        workflow.upsert_search_attributes([COLOUR.value_set(f"colour-{left}")])
        await asyncio.sleep(0.01)
        if left:
            workflow.continue_as_new(left - 1, memo={"left": left}, search_attributes=TypedSearchAttributes([]) if left == 1 else None)
        return str(workflow.info().typed_search_attributes.get(COLOUR))


@workflow.defn
class Cancelled:
    @workflow.run
    async def run(self, how: str) -> str:
        try:
            if how == "activity":
                await workflow.execute_activity(linger, 9.0, start_to_close_timeout=LONG, heartbeat_timeout=timedelta(seconds=2))
            elif how == "child":
                await workflow.execute_child_workflow(Child.run, "linger", id=f"{workflow.info().workflow_id}-child")
            elif how == "condition":
                await workflow.wait_condition(lambda: False)
            else:
                await asyncio.sleep(100)
        except (asyncio.CancelledError, FailureError):
            await workflow.execute_activity(echo, workflow.cancellation_reason(), start_to_close_timeout=LONG)
            if how != "ignored":
                raise
        return "went on"


@workflow.defn
class Races:
    """Several things come due in one workflow task, and each chain goes on to ask for more: the order of commands is delicate."""

    def __init__(self) -> None:
        self.signals = 0

    @workflow.signal
    async def go(self) -> None:
        self.signals += 1
        await asyncio.sleep(0.01)
        await workflow.execute_activity(echo, "signal", start_to_close_timeout=LONG)

    @workflow.run
    async def run(self) -> list[Any]:
        async def after_activity(name: str) -> Any:
            await workflow.execute_activity(echo, name, start_to_close_timeout=LONG)
            return await workflow.execute_activity(echo, name + "2", start_to_close_timeout=LONG)

        async def after_timer(name: str) -> Any:
            await asyncio.sleep(0.01)
            return await workflow.execute_activity(echo, name, start_to_close_timeout=LONG)

        async def after_condition(name: str) -> Any:
            await workflow.wait_condition(lambda: self.signals > 1, timeout=20)
            return await workflow.execute_activity(echo, name, start_to_close_timeout=LONG)

        async def after_child(name: str) -> Any:
            await workflow.execute_child_workflow(Child.run, "plain", id=f"{workflow.info().workflow_id}-{name}")
            return await workflow.execute_activity(echo, name, start_to_close_timeout=LONG)

        async def after_local(name: str) -> Any:
            await workflow.execute_local_activity(echo, name, start_to_close_timeout=LONG)
            return await workflow.execute_activity(echo, name, start_to_close_timeout=LONG)

        async def hurried(name: str) -> Any:
            try:
                return await asyncio.wait_for(after_activity(name), 0.5)
            except TimeoutError:
                return "late"

        calls = (after_activity, after_timer, after_condition, after_child, after_local, hurried)
        results = await asyncio.gather(*(call(f"{call.__name__}-{turn}") for turn in range(3) for call in calls))
        ended = [await item for item in workflow.as_completed([after_timer("x"), after_activity("y"), after_local("z")])]
        return [*results, *ended]


@workflow.defn(dynamic=True)
class Anything:
    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> str:
        await asyncio.sleep(0.01)
        return f"{workflow.info().workflow_type} {len(args)}"


@workflow.defn(failure_exception_types=[KeyError])
class Failing:
    @workflow.run
    async def run(self, how: str) -> None:
        await asyncio.sleep(0.01)
        if how == "application":
            raise ApplicationError("failed", 1, type="Broken") from ValueError("inner")
        if how == "key":
            raise KeyError("missing")
        raise TimeoutError("too long")


WORKFLOWS = [
    Numbers,
    Activities,
    ActivityTroubles,
    ActivityCancellations,
    Timers,
    LocalActivities,
    LocalActivityTroubles,
    LocalActivityCancellations,
    LongLocalActivity,
    Child,
    Parent,
    ChildCancellations,
    Externals,
    Signals,
    Updates,
    Patches,
    Properties,
    Continues,
    Cancelled,
    Races,
    Anything,
    Failing,
]
ACTIVITIES = [echo, fail, fail_until, linger]
