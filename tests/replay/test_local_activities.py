"""Local activities: who waits for whom, retries, markers, cancellation."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure

from outlast import workflow
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, FailureError
from outlast.replay import kinds, markers
from outlast.replay.machines.local_activity import next_pause
from outlast.replay.protocol import LocalActivityOutcome, Step
from tests.replay.events import START, Told, kinds_of, payloads

SOON = timedelta(seconds=10)
ACTIVITIES = ("echo", "fail")


@workflow.defn
class Local:
    @workflow.run
    async def run(self, how: str) -> Any:
        if how == "two":
            handles = [workflow.start_local_activity("echo", number, result_type=int, start_to_close_timeout=SOON) for number in range(2)]
            return await asyncio.gather(*handles)
        if how == "beside a timer":
            handle = workflow.start_local_activity("echo", 1, start_to_close_timeout=SOON)
            await asyncio.sleep(5)
            return await handle
        policy = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=3)
        threshold = timedelta(seconds=1) if how == "timer" else None
        try:
            await workflow.execute_local_activity("fail", start_to_close_timeout=SOON, retry_policy=policy, local_retry_threshold=threshold)
        except FailureError as err:
            return type(err).__name__
        return workflow.time()


@workflow.defn
class CancelsLocal:
    @workflow.run
    async def run(self, kind: int) -> str:
        cancellation = workflow.ActivityCancellationType(kind)
        task = asyncio.create_task(workflow.execute_local_activity("echo", 1, start_to_close_timeout=SOON, cancellation_type=cancellation))
        await workflow.execute_local_activity("echo", 2, start_to_close_timeout=SOON)
        task.cancel()
        try:
            return str(await task)
        except ActivityError as err:
            return type(err.cause).__name__


def ended(seq: int, value: Any = None, **how: Any) -> LocalActivityOutcome:
    return LocalActivityOutcome(seq, result=None if how else Payloads(**payloads(value)), **how)


def failed(seq: int, **info: Any) -> LocalActivityOutcome:
    return LocalActivityOutcome(seq, failure=Failure(message="no", application_failure_info=info))  # type: ignore[arg-type]


def marks(step: Step) -> list[markers.LocalActivityMark]:
    return [
        markers.read_local_activity(command.record_marker_command_attributes)  # type: ignore[arg-type]
        for command in step.commands
        if command.command_type == 9
    ]


def outcome(step: Step) -> Any:
    assert step.failure is None, step.failure.message
    return json.loads(step.commands[-1].complete_workflow_execution_command_attributes.result.payloads[0].data)


def record(told: Told, step: Step) -> None:
    """The server writes the markers of a step into history."""
    for command in step.commands:
        if command.command_type == 9:
            attributes = command.record_marker_command_attributes
            failure = attributes.failure if attributes.HasField("failure") else None
            told.add(kinds.MARKER_RECORDED, marker_name=attributes.marker_name, details=dict(attributes.details), failure=failure)


def test_the_task_stays_open_until_the_last_one_has_ended() -> None:
    told = Told(Local, "two")

    first = told.task()
    second = told.run.resolve_local_activity(ended(2, 22))
    third = told.run.resolve_local_activity(ended(1, 11))

    assert [(local.seq, local.activity_type, local.attempt) for local in first.local_activities] == [(1, "echo", 1), (2, "echo", 1)]
    assert (first.waiting, first.commands) == (True, ())
    assert (second.waiting, second.commands, second.local_activities) == (True, (), [])
    assert kinds_of(third) == [9, 9, 4]
    assert [mark.seq for mark in marks(third)] == [2, 1]
    assert outcome(third) == [11, 22]


def test_an_attempt_that_fails_is_followed_by_another_and_the_clock_moves_on() -> None:
    told = Told(Local, "here")
    told.task(at=100)

    second = told.run.resolve_local_activity(failed(1))
    third = told.run.resolve_local_activity(failed(1))
    last = told.run.resolve_local_activity(LocalActivityOutcome(1, result=Payloads(), runtime=timedelta(seconds=7)))

    attempts = [step.local_activities[0] for step in (second, third)]
    assert [(attempt.attempt, attempt.start_after.total_seconds()) for attempt in attempts] == [(2, 2.0), (3, 4.0)]
    assert outcome(last) == START + 107.0
    assert marks(last)[0].attempt == 3


def test_the_last_attempt_fails_the_activity() -> None:
    told = Told(Local, "here")
    told.task()
    told.run.resolve_local_activity(failed(1))
    told.run.resolve_local_activity(failed(1))

    assert outcome(told.run.resolve_local_activity(failed(1, type="Bad"))) == "ApplicationError"


@pytest.mark.parametrize("timeout", [1, 3])
def test_a_timeout_is_tried_again_if_it_was_that_of_an_attempt(timeout: int) -> None:
    told = Told(Local, "here")
    told.task()

    step = told.run.resolve_local_activity(LocalActivityOutcome(1, timed_out=timeout))

    assert step.waiting == (timeout == 1)
    if not step.waiting:
        assert outcome(step) == "ActivityError"


def test_a_long_pause_is_a_marker_and_a_timer_and_then_another_activity() -> None:
    told = Told(Local, "timer")
    told.task()
    pausing = told.run.resolve_local_activity(failed(1))
    told.completed()
    record(told, pausing)
    timer = told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.TIMER_FIRED, timer_id="1", started_event_id=timer)

    again = told.task()

    assert kinds_of(pausing) == [9, 3]
    assert marks(pausing)[0].backoff_ns == 2_000_000_000
    assert [(local.seq, local.attempt) for local in again.local_activities] == [(2, 2)]
    assert outcome(told.run.resolve_local_activity(failed(2, non_retryable=True))) == "ApplicationError"


def test_on_replay_the_marker_gives_the_result_and_nothing_is_run() -> None:
    told = Told(Local, "two")
    told.task()
    told.run.resolve_local_activity(ended(2, 22))
    done = told.run.resolve_local_activity(ended(1, 11))
    told.completed()
    record(told, done)
    told.from_scratch()
    told.add(kinds.WORKFLOW_COMPLETED)

    step = told.tell(replay_only=True)

    assert step.failure is None, step.failure.message
    assert step.closed


def test_if_history_ends_without_the_marker_it_is_run_again() -> None:
    told = Told(Local, "two")
    told.task()
    told.run.resolve_local_activity(ended(1, 11))
    heartbeat = told.run.heartbeat()
    told.completed()
    record(told, heartbeat)
    told.from_scratch()

    step = told.task()

    assert kinds_of(heartbeat) == [9]
    assert [local.seq for local in step.local_activities] == [2]
    assert outcome(told.run.resolve_local_activity(ended(2, 22))) == [11, 22]


def test_what_ends_between_two_tasks_is_heard_in_the_next() -> None:
    told = Told(Local, "two")
    told.task()
    told.run.heartbeat()
    told.completed()

    between = [told.run.resolve_local_activity(ended(seq, seq)) for seq in (1, 2)]
    step = told.task()

    assert [(step.waiting, step.commands) for step in between] == [(True, ()), (False, ())]
    assert outcome(step) == [1, 2]


def test_a_timer_beside_it_is_sent_with_the_heartbeat_and_once() -> None:
    told = Told(Local, "beside a timer")
    told.task()
    heartbeat = told.run.heartbeat()
    told.completed()
    timer = told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.TIMER_FIRED, timer_id="1", started_event_id=timer)
    fired = told.task()

    assert kinds_of(heartbeat) == [3]
    assert (fired.waiting, fired.local_activities) == (True, [])
    assert outcome(told.run.resolve_local_activity(ended(1, 7))) == 7


def test_an_attempt_that_fails_between_two_tasks_is_followed_by_another() -> None:
    told = Told(Local, "here")
    told.task()
    told.run.heartbeat()
    told.completed()

    again = told.run.resolve_local_activity(failed(1))

    assert [local.attempt for local in again.local_activities] == [2]
    assert told.task().local_activities == []


def test_one_that_ends_after_its_cancellation_was_written_down_no_longer_holds_the_task() -> None:
    told = Told(CancelsLocal, 0)
    told.task()
    told.run.resolve_local_activity(ended(1, 2))
    heartbeat = told.run.heartbeat()
    told.completed()
    record(told, heartbeat)

    late = told.run.resolve_local_activity(LocalActivityOutcome(2, cancelled=True))

    assert not late.waiting


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_cancellation_is_asked_for_waited_for_or_neither(kind: int) -> None:
    told = Told(CancelsLocal, kind)
    told.task()

    cancelled = told.run.resolve_local_activity(ended(1, 2))  # the second to be asked for: the first is a task of its own

    assert cancelled.cancel_local_activities == ([2] if kind < 2 else [])
    if kind < 2:
        assert cancelled.waiting == (kind == 1)
    if cancelled.waiting:
        cancelled = told.run.resolve_local_activity(LocalActivityOutcome(2, cancelled=True))
    assert outcome(cancelled) == "CancelledError"


def test_pauses_grow_up_to_a_limit_and_some_failures_end_it() -> None:
    failure = Failure(application_failure_info={"type": "Some"})  # type: ignore[arg-type]
    policy = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=3, maximum_interval=timedelta(seconds=20))

    assert [next_pause(policy, attempt, failure) for attempt in (1, 2, 3, 4, 999_999)] == [
        timedelta(seconds=pause) for pause in (1, 3, 9, 20, 20)
    ]
    assert next_pause(None, 3, failure) == timedelta(seconds=4)
    assert next_pause(RetryPolicy(maximum_attempts=2), 2, failure) is None
    assert next_pause(RetryPolicy(non_retryable_error_types=["some"]), 1, failure) is None
    assert next_pause(None, 1, Failure(application_failure_info={"non_retryable": True})) is None  # type: ignore[arg-type]
    assert next_pause(None, 1, Failure(application_failure_info={"next_retry_delay": {"seconds": 42}})) == timedelta(seconds=42)  # type: ignore[arg-type]


def test_the_result_of_another_program_is_noticed() -> None:
    told = Told(Local, "here")
    told.start_task()
    told.completed(sdk_metadata={"core_used_flags": [1]})
    mark = markers.LocalActivityMark(1, 1, "1", "echo", None, None, None)
    told.add(kinds.MARKER_RECORDED, marker_name=markers.LOCAL_ACTIVITY, details=markers.local_activity_details(mark))
    told._previous = 3
    told.start_task()

    step = told.tell()

    assert step.failure is not None
    assert "the local activity's type is 'echo' in history, 'fail' in the code" in step.failure.message


def test_a_name_that_the_worker_does_not_know_is_refused_where_it_is_asked_for() -> None:
    def check(name: str) -> None:
        if name not in ACTIVITIES:
            raise ValueError(f"Activity {name} is not registered")

    step = Told(CancelsLocal, 0, check_local_activity=lambda name: check("nobody")).task()

    assert step.failure is not None
    assert "nobody is not registered" in step.failure.message
