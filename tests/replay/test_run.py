"""A run is told events and answers with commands: the order of things, failures, cancellation, eviction."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import warnings
import weakref
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from outlast import activity, workflow
from outlast.exceptions import ApplicationError
from outlast.replay import kinds
from outlast.replay.flags import SDK_NAME
from tests.replay.events import CONVERTER, START, Told, kinds_of, payloads

SOON = timedelta(seconds=10)
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
tears: list[str] = []


@activity.defn
async def work(value: Any) -> Any:
    return value


@workflow.defn
class Greets:
    @workflow.run
    async def run(self, name: str) -> str:
        greeting = await workflow.execute_activity(work, name, start_to_close_timeout=SOON)
        await asyncio.sleep(3)
        return f"{greeting}!"


@workflow.defn
class Logs:
    """Writes down what happens, in order."""

    def __init__(self) -> None:
        self.log = [f"init {workflow.info().workflow_id}"]

    @workflow.signal
    def note(self, value: str) -> None:
        self.log.append(value)

    @workflow.signal
    async def wait(self, value: str) -> None:
        await asyncio.sleep(0)
        self.log.append(value)

    @workflow.query
    def seen(self) -> list[str]:
        return self.log

    @workflow.query
    def touch(self) -> None:
        workflow.random()

    @workflow.run
    async def run(self) -> list[str]:
        self.log.append("run")
        await workflow.wait_condition(lambda: "stop" in self.log)
        return self.log


@workflow.defn
class Raises:
    @workflow.run
    async def run(self, how: str) -> None:
        if how == "application":
            raise ApplicationError("no", type="No")
        if how == "timeout":
            raise TimeoutError
        raise KeyError(how)


@workflow.defn
class Cleans:
    @workflow.run
    async def run(self, swallow: bool) -> str:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await workflow.execute_activity(work, workflow.cancellation_reason(), start_to_close_timeout=SOON)
            if not swallow:
                raise
        return "clean"


@workflow.defn
class Lingers:
    """Code that makes it hard to be torn down."""

    @workflow.run
    async def run(self, how: str) -> None:
        try:
            if how == "generator":
                async for _ in self.numbers():
                    await asyncio.sleep(100)
            elif how == "stubborn":
                while True:
                    try:
                        await asyncio.sleep(100)
                    except asyncio.CancelledError:
                        tears.append("stubborn")
                        if len(tears) > 3:
                            raise
            else:
                await asyncio.gather(*(asyncio.sleep(100) for _ in range(3)))
        finally:
            tears.append("finally")
            await workflow.execute_activity(work, 1, start_to_close_timeout=SOON)

    async def numbers(self) -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            tears.append("generator")


@workflow.defn
class NeverEnds:
    @workflow.run
    async def run(self) -> None:
        while "enough" not in tears:
            try:
                await asyncio.Event().wait()
            except BaseException:
                continue


@workflow.defn
class NeverWaits:
    @workflow.run
    async def run(self) -> None:
        while "enough" not in tears:
            try:
                await workflow.wait_condition(lambda: False)
            except BaseException as error:
                tears.append(type(error).__name__)


@workflow.defn
class Notices:
    @workflow.run
    async def run(self) -> None:
        try:
            await asyncio.sleep(1)
        except BaseException as err:
            tears.append(f"{type(err).__name__} {workflow.unsafe.is_replaying()}")


@workflow.defn
class Primitives:
    @workflow.run
    async def run(self) -> list[Any]:
        variable.set("inside")
        queue: asyncio.Queue[int] = asyncio.Queue()
        event, lock, semaphore = asyncio.Event(), asyncio.Lock(), asyncio.Semaphore(1)

        async def produce() -> str:
            for number in range(3):
                async with lock, semaphore:
                    await queue.put(number)
            event.set()
            return variable.get()

        async with asyncio.TaskGroup() as group:
            producer = group.create_task(produce())
        await event.wait()
        return [producer.result(), [queue.get_nowait() for _ in range(3)], asyncio.get_running_loop().time()]


@workflow.defn
class Impossible:
    @workflow.run
    async def run(self, what: str) -> None:
        loop = asyncio.get_running_loop()
        if what == "thread":
            await asyncio.to_thread(print)
        elif what == "connection":
            await asyncio.open_connection("localhost", 1)
        elif what == "subprocess":
            await asyncio.create_subprocess_exec("true")
        elif what == "threadsafe":
            loop.call_soon_threadsafe(print)


@workflow.defn
class Asks:
    @workflow.run
    async def run(self) -> dict[str, Any]:
        info = workflow.info()
        return {
            "length": info.get_current_history_length(),
            "bytes": info.get_current_history_size(),
            "suggested": info.is_continue_as_new_suggested(),
            "time": workflow.time(),
            "build": info.get_current_build_id(),
            "last": workflow.get_last_completion_result(str),
            "failure": str(workflow.get_last_failure()),
            "attempt": info.attempt,
            "replaying": workflow.unsafe.is_replaying(),
        }


@workflow.defn
class Builds:
    @workflow.run
    async def run(self) -> list[str]:
        builds = [workflow.info().get_current_build_id()]
        for _ in range(2):
            await asyncio.sleep(1)
            builds.append(workflow.info().get_current_build_id())
        return builds


@workflow.defn
class Unfinished:
    def __init__(self) -> None:
        self.begun = False

    @workflow.signal
    async def slow(self) -> None:
        self.begun = True
        await asyncio.sleep(100)

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.begun)


def signal(told: Told, name: str, *args: Any) -> int:
    return told.add(kinds.SIGNALED, signal_name=name, input=payloads(*args))


def result(step: Any) -> Any:
    [command] = step.commands
    attributes = command.complete_workflow_execution_command_attributes
    return CONVERTER.payload_converter.from_payloads(attributes.result.payloads)[0]


def test_a_workflow_goes_from_activity_to_timer_to_its_end() -> None:
    told = Told(Greets, "Ann")

    first = told.task()
    told.completed()
    scheduled = told.add(kinds.ACTIVITY_SCHEDULED, activity_id="1", activity_type={"name": "work"})
    told.add(kinds.ACTIVITY_STARTED, scheduled_event_id=scheduled)
    told.add(kinds.ACTIVITY_COMPLETED, scheduled_event_id=scheduled, result=payloads("Hello Ann"))
    second = told.task()
    told.completed()
    started = told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.TIMER_FIRED, timer_id="1", started_event_id=started)
    third = told.task()

    assert [kinds_of(step) for step in (first, second, third)] == [[1], [3], [4]]
    assert result(third) == "Hello Ann!"
    assert [first.closed, second.closed, third.closed] == [False, False, True]


def test_the_first_answer_names_the_sdk_and_its_flags_and_the_next_ones_only_what_is_new() -> None:
    told = Told(Greets, "Ann", sdk_version="1.2")

    first = told.task()
    told.completed(sdk_metadata=first.metadata)
    told.add(kinds.ACTIVITY_SCHEDULED, activity_id="1", activity_type={"name": "work"})
    second = told.task()

    assert (list(first.metadata.core_used_flags), first.metadata.sdk_name, first.metadata.sdk_version) == ([1, 2, 3], SDK_NAME, "1.2")
    assert second.metadata.ByteSize() == 0


def test_signals_are_handled_before_the_main_function_begins_and_in_their_order() -> None:
    told = Told(Logs)
    signal(told, "wait", "first")
    signal(told, "note", "second")
    signal(told, "note", "stop")

    assert result(told.task()) == ["init w", "second", "stop", "first", "run"]


def test_a_signal_wakes_a_condition_in_its_own_task() -> None:
    told = Told(Logs)
    told.task()
    told.completed()
    signal(told, "note", "a")
    assert kinds_of(told.task()) == []
    told.completed()
    signal(told, "note", "stop")

    assert result(told.task()) == ["init w", "run", "a", "stop"]


@pytest.mark.parametrize(("how", "kind"), [("application", 5), ("timeout", 5)])
def test_failures_fail_the_workflow(how: str, kind: int) -> None:
    assert kinds_of(Told(Raises, how).task()) == [kind]


def test_other_errors_fail_the_task_so_that_code_can_be_mended() -> None:
    step = Told(Raises, "key").task()

    assert step.failure is not None
    assert step.failure.application_failure_info.type == "KeyError"
    assert not step.commands


def test_a_worker_may_let_other_errors_fail_the_workflow() -> None:
    assert kinds_of(Told(Raises, "key", failure_exception_types=[LookupError]).task()) == [5]


def test_an_unknown_workflow_type_fails_the_task() -> None:
    told = Told(Greets, "Ann")
    told.events[0].workflow_execution_started_event_attributes.workflow_type.name = "Other"

    step = told.task()

    assert step.failure is not None
    assert "Other is not registered" in step.failure.message
    assert "Greets" in step.failure.message


@pytest.mark.parametrize(("swallow", "end"), [(False, 7), (True, 4)])
def test_a_cancellation_reaches_the_main_function_which_may_clean_up(swallow: bool, end: int) -> None:
    told = Told(Cleans, swallow)
    told.task()
    told.completed()
    timer = told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.CANCEL_REQUESTED, cause="enough")
    cleaning = told.task()
    told.completed()
    told.add(kinds.TIMER_CANCELED, timer_id="1", started_event_id=timer)
    scheduled = told.add(kinds.ACTIVITY_SCHEDULED, activity_id="1", activity_type={"name": "work"})
    told.add(kinds.ACTIVITY_STARTED, scheduled_event_id=scheduled)
    told.add(kinds.ACTIVITY_COMPLETED, scheduled_event_id=scheduled)

    assert kinds_of(cleaning) == [6, 1]
    assert cleaning.commands[1].schedule_activity_task_command_attributes.input.payloads[0].data == b'"enough"'
    assert kinds_of(told.task()) == [end]


def test_a_cancellation_before_the_first_task_reaches_code_that_has_begun() -> None:
    told = Told(Cleans, False)
    told.add(kinds.CANCEL_REQUESTED, cause="early")

    assert kinds_of(told.task()) == [1]


@pytest.mark.parametrize("how", ["generator", "stubborn", "tasks"])
def test_eviction_leaves_nothing_running_and_no_command_behind(how: str) -> None:
    tears.clear()
    told = Told(Lingers, how)
    told.task()
    assert told.run._instance is not None
    loop = told.run._instance.loop
    tasks = loop.pending()

    told.run.evict()
    told.run.evict()
    gc.collect()

    assert "finally" in tears
    assert tasks
    assert all(task.done() for task in tasks)


def test_a_run_that_is_gone_leaves_nothing_for_the_garbage_collector() -> None:
    told = Told(Primitives)
    told.task()
    assert told.run._instance is not None
    loop = weakref.ref(told.run._instance.loop)
    gc.collect()
    gc.disable()
    try:
        told.run.evict()

        assert loop() is None
    finally:
        gc.enable()


def test_a_timer_of_a_run_that_is_evicted_raises_no_cancellation() -> None:
    tears.clear()
    told = Told(Notices)
    told.task()

    told.run.evict()

    assert tears == ["_WorkflowBeingEvictedError True"]


def test_code_that_never_ends_is_reported_when_it_is_evicted() -> None:
    tears.clear()
    told = Told(NeverEnds)
    told.task()

    with pytest.raises(RuntimeError, match="swallow their cancellation"):
        told.run.evict()
    tears.append("enough")
    told.run.evict()


def test_code_that_swallows_every_refusal_at_once_is_left_to_wait_when_it_is_evicted() -> None:
    tears.clear()
    told = Told(NeverWaits)
    told.task()

    with pytest.raises(RuntimeError, match="swallow their cancellation"):
        told.run.evict()
    assert "_WorkflowBeingEvictedError" in tears
    assert tears[-1] == "CancelledError"
    tears.append("enough")
    told.run.evict()


def test_what_asyncio_offers_works_and_the_clock_is_that_of_the_task() -> None:
    outside = contextvars.copy_context()
    variable.set("outside")

    assert result(Told(Primitives).task(at=7)) == ["inside", [0, 1, 2], START + 7.0]
    assert variable.get() == "outside"
    outside.run(variable.set, "unset")


@pytest.mark.parametrize("what", ["thread", "connection", "subprocess", "threadsafe"])
def test_what_a_workflow_cannot_do_raises_a_clear_error(what: str) -> None:
    step = Told(Impossible, what).task()

    assert step.failure is not None
    assert "not possible inside of a workflow" in step.failure.message


async def test_a_run_inside_of_a_running_loop_leaves_that_loop_as_it_was() -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    step = Told(Primitives).task()

    assert step.closed
    assert (asyncio.get_running_loop(), asyncio.current_task()) == (loop, task)
    await asyncio.sleep(0)


def test_a_workflow_knows_its_history_its_time_and_what_came_before_it() -> None:
    told = Told(
        Asks,
        started={"last_completion_result": payloads("before"), "continued_failure": {"message": "boom", "application_failure_info": {}}},
        build_id="b1",
    )

    assert result(told.task(at=5.5, history_size_bytes=123, suggest_continue_as_new=True)) == {
        "length": 3,
        "bytes": 123,
        "suggested": True,
        "time": START + 5.5,
        "build": "b1",
        "last": "before",
        "failure": "boom",
        "attempt": 1,
        "replaying": False,
    }


def test_the_build_is_that_of_the_worker_that_completed_each_task_and_then_of_this_one() -> None:
    told = Told(Builds, build_id="3")
    for number in (1, 2):
        told.start_task()
        told.completed(worker_version={"build_id": str(number)})
        timer = told.add(kinds.TIMER_STARTED, timer_id=str(number))
        told.add(kinds.TIMER_FIRED, timer_id=str(number), started_event_id=timer)
    told._previous = 7

    assert result(told.task()) == ["1", "2", "3"]


def test_a_task_that_failed_is_played_again_as_if_it_had_not_been() -> None:
    told = Told(Greets, "Ann")
    told.start_task()
    told.add(kinds.TASK_FAILED, scheduled_event_id=2, started_event_id=3)

    step = told.task()

    assert kinds_of(step) == [1]


def test_the_end_of_a_workflow_warns_of_handlers_that_it_cuts_off() -> None:
    told = Told(Unfinished)
    signal(told, "slow")

    with pytest.warns(workflow.UnfinishedSignalHandlersWarning, match=r'\[\{"name": "slow", "count": 1\}\]'):
        assert told.task().closed


def test_a_replay_does_not_warn_again() -> None:
    told = Told(Unfinished)
    signal(told, "slow")
    told.start_task()
    told.completed()
    told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.WORKFLOW_COMPLETED)
    told._previous = 4

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step = told.tell(replay_only=True)

    assert step.failure is None, step.failure.message
    assert step.closed


def test_a_gap_in_history_fails_the_task() -> None:
    told = Told(Greets, "Ann")
    told.start_task()
    del told.events[1]

    step = told.tell()

    assert step.failure is not None
    assert "gap" in step.failure.message


def test_an_event_that_this_worker_does_not_know_is_ignored_if_the_server_allows_it() -> None:
    told = Told(Greets, "Ann")
    told.add(55)
    assert "does not know" in told.task().failure.message

    told.from_scratch()
    told._previous = 0
    told.events[1].worker_may_ignore = True

    assert kinds_of(told.tell()) == [1]
