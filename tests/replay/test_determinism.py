"""Patches, and what an error about non-determinism shows."""

from __future__ import annotations

import asyncio
import inspect
import json
from datetime import timedelta
from typing import Any

import pytest

from outlast import workflow
from outlast.replay import kinds, markers
from outlast.replay.seed import seed_of
from outlast.workflow import NondeterminismError
from tests.replay.events import Told, kinds_of, payloads

SOON = timedelta(seconds=10)


@workflow.defn
class Changed:
    """The code as it is now; `how` chooses it."""

    @workflow.run
    async def run(self, how: str) -> Any:
        if how == "activity":
            return await workflow.execute_activity("work", start_to_close_timeout=SOON)
        if how == "other activity":
            return await workflow.execute_activity("other", start_to_close_timeout=SOON)
        if how == "other id":
            return await workflow.execute_activity("work", start_to_close_timeout=SOON, activity_id="mine")
        if how == "child":
            return await workflow.execute_child_workflow("Child", id="child")
        if how == "timer":
            await asyncio.sleep(1)
        return None


@workflow.defn
class Patched:
    @workflow.run
    async def run(self, how: str) -> list[bool]:
        seen = []
        if how in ("patched", "twice"):
            seen.append(workflow.patched("a"))
        if how == "deprecated":
            workflow.deprecate_patch("a")
        if how == "twice":
            seen += [workflow.patched("b"), workflow.patched("a")]
        await asyncio.sleep(1)
        return seen


@workflow.defn
class Draws:
    @workflow.run
    async def run(self) -> list[int]:
        seeds = [workflow.random_seed()]
        workflow.register_random_seed_callback(seeds.append)
        generator = workflow.new_random("mine")
        first = generator.random()
        await asyncio.sleep(1)
        assert generator.random() != first
        return [*seeds, workflow.random_seed()]


def schedule(told: Told, name: str = "work", id: str = "1") -> int:
    return told.add(kinds.ACTIVITY_SCHEDULED, activity_id=id, activity_type={"name": name})


def replay(how: str, *flags: int) -> Any:
    """Code that does `how` meets a history in which an activity was scheduled and had begun at the next task."""
    told = Told(Changed, how)
    told.start_task()
    told.completed(sdk_metadata={"core_used_flags": flags})
    scheduled = schedule(told)
    told.start_task()
    told.completed()
    told.add(kinds.ACTIVITY_STARTED, scheduled_event_id=scheduled)
    told._previous = 7
    told.start_task()
    return told.tell()


def test_the_same_program_goes_on() -> None:
    assert replay("activity", 1).failure is None


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("nothing", "the code: WorkflowExecutionCompleted wanted: completion of the workflow"),
        ("timer", "the code: TimerStarted wanted: timer '1'"),
        ("child", "the code: StartChildWorkflowExecutionInitiated wanted: child workflow 'Child' with id 'child'"),
        ("other activity", "the activity's type is 'work' in history, 'other' in the code"),
        ("other id", "the activity's id is '1' in history, 'mine' in the code"),
    ],
)
def test_another_program_fails_the_task_and_shows_both_sides(how: str, expected: str) -> None:
    step = replay(how, 1)

    assert step.failure is not None
    assert step.failure_cause == 24
    assert "history:  event 5: ActivityTaskScheduled 'work' activity_id '1'" in step.failure.message
    assert expected in step.failure.message


def test_the_error_names_the_line_of_the_workflow_that_asked() -> None:
    lines, start = inspect.getsourcelines(Changed.run)
    line = start + next(index for index, text in enumerate(lines) if "asyncio.sleep(1)" in text)

    message = replay("timer", 1).failure.message

    assert f"asked at: {__file__}:{line} in Changed.run" in message


def test_ids_and_types_are_compared_only_if_history_was_written_with_the_flag() -> None:
    assert replay("other activity").failure is None


def test_code_that_waits_where_history_goes_on_is_another_program() -> None:
    told = Told(Changed, "timer")
    told.start_task()
    told.completed()
    told.add(kinds.TIMER_STARTED, timer_id="1")
    schedule(told)
    told._previous = 3
    told.start_task()

    assert "the code: asks for nothing here" in told.tell().failure.message


def test_an_event_about_something_that_was_never_asked_for_is_another_program() -> None:
    told = Told(Changed, "timer")
    told.task()
    told.completed()
    told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.ACTIVITY_STARTED, scheduled_event_id=99)

    assert "never asked for" in told.task().failure.message


def test_a_worker_may_let_another_program_fail_the_workflow() -> None:
    told = Told(Changed, "timer", failure_exception_types=[NondeterminismError])
    told.start_task()
    told.completed()
    schedule(told)
    told._previous = 3
    told.start_task()

    step = told.tell()

    assert step.failure is None
    assert kinds_of(step) == [5]
    assert step.closed


def marked(told: Told, *patches: str, deprecated: bool = False, upsert: bool = True) -> None:
    """The markers of patches, as the server keeps them."""
    listed: list[str] = []
    for patch in patches:
        told.add(kinds.MARKER_RECORDED, marker_name="core_patch", details=markers.patch_details(patch, deprecated=deprecated))
        listed.append(patch)
        if upsert:
            fields = {"TemporalChangeVersion": payloads(listed)["payloads"][0]}
            told.add(kinds.SEARCH_ATTRIBUTES_UPSERTED, search_attributes={"indexed_fields": fields})


def past(how: str, *patches: str, deprecated: bool = False, flags: tuple[int, ...] = (1, 2, 3)) -> Any:
    """Code that does `how` meets a history with markers of these patches, and with a timer."""
    told = Told(Patched, how)
    told.start_task()
    told.completed(sdk_metadata={"core_used_flags": flags})
    marked(told, *patches, deprecated=deprecated, upsert=2 in flags)
    timer = told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.TIMER_FIRED, timer_id="1", started_event_id=timer)
    told._previous = 3
    return told.task()


def outcome(step: Any) -> Any:
    assert step.failure is None, step.failure.message
    return json.loads(step.commands[0].complete_workflow_execution_command_attributes.result.payloads[0].data)


def test_a_new_patch_is_taken_marked_and_listed() -> None:
    step = Told(Patched, "twice").task()

    assert kinds_of(step) == [9, 13, 9, 13, 3]
    [first, listed, _, both, _] = step.commands
    assert json.loads(first.record_marker_command_attributes.details["patch-data"].payloads[0].data) == {"id": "a", "deprecated": False}
    attribute = listed.upsert_workflow_search_attributes_command_attributes.search_attributes.indexed_fields["TemporalChangeVersion"]
    assert (json.loads(attribute.data), attribute.metadata["type"]) == (["a"], b"KeywordList")
    attribute = both.upsert_workflow_search_attributes_command_attributes.search_attributes.indexed_fields["TemporalChangeVersion"]
    assert json.loads(attribute.data) == ["a", "b"]


def test_a_marked_patch_is_taken_again() -> None:
    assert outcome(past("patched", "a")) == [True]
    assert outcome(past("twice", "a", "b")) == [True, True, True]


def test_a_run_from_before_the_patch_keeps_to_its_old_branch() -> None:
    assert outcome(past("patched")) == [False]


def test_a_patch_in_history_that_the_code_no_longer_knows_is_another_program() -> None:
    message = past("nothing", "a").failure.message

    assert "MarkerRecorded marker_name 'core_patch' patch 'a'" in message


def test_a_deprecated_patch_may_be_there_or_not_on_both_sides() -> None:
    assert outcome(past("deprecated", "a")) == []
    assert outcome(past("deprecated", "a", deprecated=True)) == []
    assert outcome(past("deprecated")) == []
    assert outcome(past("nothing", "a", deprecated=True)) == []
    assert outcome(past("patched", "a", deprecated=True)) == [True]


def test_a_history_from_before_patches_were_listed_has_no_list() -> None:
    assert outcome(past("patched", "a", flags=(1,))) == [True]


def test_a_worker_may_decide_not_to_take_a_patch_yet() -> None:
    asked: list[str] = []

    def decide(info: workflow.Info, patch_id: str) -> bool:
        asked.append(f"{info.workflow_id} {patch_id}")
        return patch_id == "b"

    step = Told(Patched, "twice", patch_activation=decide).task()

    assert kinds_of(step) == [9, 13, 3]
    assert asked == ["w a", "w b"]


def test_the_seed_is_that_of_the_official_core() -> None:
    # The official SDK's `workflow.random_seed()` in the run with this id.
    assert seed_of("01a214f2-3dec-78b4-b209-2fd273161bae") == 17735553249005682427


def test_a_reset_draws_new_numbers_from_the_new_run_on() -> None:
    told = Told(Draws, run_id="old")
    told.task()
    told.completed()
    timer = told.add(kinds.TIMER_STARTED, timer_id="1")
    scheduled = told.add(kinds.TASK_SCHEDULED)
    started = told.add(kinds.TASK_STARTED, scheduled_event_id=scheduled)
    told.add(kinds.TASK_FAILED, scheduled_event_id=scheduled, started_event_id=started, cause=20, new_run_id="new")
    told.add(kinds.TIMER_FIRED, timer_id="1", started_event_id=timer)

    step = told.task()

    assert outcome(step) == [seed_of("old"), seed_of("new"), seed_of("new")]


@workflow.defn
class EndsEarly:
    """Asks for a timer after the main function has returned."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.over = False

    @workflow.signal
    async def late(self) -> None:
        await workflow.wait_condition(lambda: self.over)
        await asyncio.sleep(1)

    @workflow.signal
    def note(self, value: str) -> None:
        self.log.append(value)

    @workflow.run
    async def run(self) -> list[str]:
        self.over = True
        return self.log


@pytest.mark.filterwarnings("ignore::outlast.workflow.UnfinishedSignalHandlersWarning")
@pytest.mark.parametrize(("flags", "fits"), [((1, 2, 3), False), ((1, 2), True)])
def test_what_comes_after_the_end_is_sent_before_it_but_was_dropped_by_old_workers(flags: tuple[int, ...], fits: bool) -> None:
    told = Told(EndsEarly)
    told.add(kinds.SIGNALED, signal_name="late")
    told.start_task()
    told.completed(sdk_metadata={"core_used_flags": flags})
    told.add(kinds.WORKFLOW_COMPLETED)

    step = told.tell(replay_only=True)

    assert (step.failure is None) == fits


@pytest.mark.filterwarnings("ignore::outlast.workflow.UnfinishedSignalHandlersWarning")
def test_now_what_comes_after_the_end_is_sent_before_it() -> None:
    told = Told(EndsEarly)
    told.add(kinds.SIGNALED, signal_name="late")

    assert kinds_of(told.task()) == [3, 4]


@pytest.mark.parametrize(("enabled", "used"), [((), []), ((2,), [2])])
def test_a_worker_may_begin_to_apply_what_came_as_one_batch(enabled: tuple[int, ...], used: list[int]) -> None:
    told = Told(EndsEarly, python_flags=frozenset(enabled))
    told.add(kinds.SIGNALED, signal_name="note", input=payloads("before"))

    step = told.task()

    assert list(step.metadata.lang_used_flags) == used
    assert outcome(step) == ["before"]
