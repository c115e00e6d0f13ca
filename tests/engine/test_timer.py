"""Timers: each fires once, in due order, or is canceled, even when it has fired and nobody knows."""

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from outlast.engine import triggers as t
from outlast.engine.limits import HUNDRED_YEARS, SECOND
from tests.engine import ask
from tests.engine.given import (
    NAMESPACE,
    attributes,
    complete,
    do,
    given_started,
    history_names,
    last_event,
    name,
    news,
    signal,
    told,
    wait,
    waiting,
    with_workflow_task_started,
)

Cause = WorkflowTaskFailedCause


def test_a_timer_fires_when_it_is_due_and_not_before() -> None:
    given = do(given_started(), ask.timer(span=60))
    assert given.last.due_at == given.now + 60 * SECOND
    assert news(wait(given, 59.999)) == []

    given = wait(given, 60)

    assert news(given) == ["TIMER_FIRED", "WORKFLOW_TASK_SCHEDULED"]
    fired = attributes(given, "TIMER_FIRED")
    assert (fired.timer_id, fired.started_event_id) == ("nap", 5)


def test_a_timer_that_comes_due_twice_fires_once() -> None:
    given = wait(do(given_started(), ask.timer(span=60)), 60)

    assert not wait(given, 0).last.changed


def test_timers_fire_in_due_order_and_those_of_one_moment_as_they_were_started() -> None:
    given = do(given_started(), ask.timer("third", 7), ask.timer("first", 5), ask.timer("second", 5))

    given = wait(given, 60)

    assert len(given.last.batches) == 1
    assert news(given).count("WORKFLOW_TASK_SCHEDULED") == 1
    fired = [event.timer_fired_event_attributes.timer_id for event in given.history if name(event) == "TIMER_FIRED"]
    assert fired == ["first", "second", "third"]


@pytest.mark.parametrize("span", [None, 0])
def test_a_timer_without_a_span_is_due_at_once(span: float | None) -> None:
    given = do(given_started(), ask.timer(span=span))

    assert given.last.due_at == given.now
    assert news(wait(given, 0))[0] == "TIMER_FIRED"


def test_a_span_is_capped_at_a_hundred_years() -> None:
    given = do(given_started(), ask.timer(span=200 * 366 * 24 * 3600))

    assert given.last.due_at == given.now + HUNDRED_YEARS


def test_a_canceled_timer_does_not_fire() -> None:
    given = do(signal(do(given_started(), ask.timer(span=60))), ask.cancel_timer())

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "TIMER_CANCELED"]
    canceled = attributes(given, "TIMER_CANCELED")
    assert (canceled.timer_id, canceled.started_event_id, canceled.identity) == ("nap", 5, "worker")
    assert news(wait(given, 60)) == []


def test_a_timer_may_be_started_and_canceled_and_its_id_used_again_in_one_task() -> None:
    given = do(given_started(), ask.timer(), ask.cancel_timer(), ask.timer(span=5))

    assert news(given)[1:] == ["TIMER_STARTED", "TIMER_CANCELED", "TIMER_STARTED"]
    assert given.execution.timers["nap"].started_event_id == 7


def test_an_id_is_free_once_the_timer_has_fired() -> None:
    given = do(wait(do(given_started(), ask.timer(span=1)), 1), ask.timer())

    assert news(given)[1:] == ["TIMER_STARTED"]


def test_cancelling_a_timer_that_has_fired_unseen_takes_the_firing_back() -> None:
    given = with_workflow_task_started(signal(do(given_started(), ask.timer(span=1))))
    given = wait(given, 1)
    assert waiting(given) == ["TIMER_FIRED"]

    given = complete(given, ask.cancel_timer(), ask.completed())

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "TIMER_CANCELED", "WORKFLOW_EXECUTION_COMPLETED"]
    assert attributes(given, "TIMER_CANCELED").started_event_id == 5
    assert "TIMER_FIRED" not in history_names(given)


def test_a_firing_that_is_taken_back_makes_room_in_the_buffer() -> None:
    given = wait(with_workflow_task_started(signal(do(given_started(), ask.timer(span=1)))), 1)
    assert given.run.buffered_bytes > 0

    given = complete(given, ask.cancel_timer())

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "TIMER_CANCELED"]
    assert given.run.buffered_bytes == 0


def test_taking_back_one_firing_leaves_the_others() -> None:
    given = do(given_started(), ask.timer("a", 1), ask.timer("b", 1))
    given = wait(with_workflow_task_started(signal(given)), 1)

    given = complete(given, ask.cancel_timer("a"))

    assert news(given)[1:] == ["TIMER_CANCELED", "TIMER_FIRED", "WORKFLOW_TASK_SCHEDULED"]
    assert attributes(given, "TIMER_FIRED").timer_id == "b"


def test_a_timer_that_is_due_together_with_the_task_that_waits_for_it_fires_into_history() -> None:
    given = with_workflow_task_started(signal(do(given_started(), ask.timer(span=10))))

    given = wait(given, 10)

    assert news(given) == ["WORKFLOW_TASK_TIMED_OUT", "TIMER_FIRED", "WORKFLOW_TASK_SCHEDULED"]
    assert given.task.attempt == 1


@pytest.mark.parametrize(
    "command, cause, text",
    [
        (ask.timer(""), Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES, "TimerId is not set on StartTimerCommand."),
        (ask.timer("x" * 1001), Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES, "exceeds length limit"),
        (ask.timer("a", -1), Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES, "negative duration. TimerId=a"),
        (ask.cancel_timer(""), Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES, "TimerId is not set on CancelTimerCommand."),
        (
            ask.cancel_timer("zz"),
            Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES,
            "invalid history builder state for action: add-timer-canceled-event, TimerID: zz",
        ),
    ],
)
def test_a_bad_timer_command_fails_the_task(command, cause: int, text: str) -> None:  # type: ignore[no-untyped-def]
    given = do(given_started(), command)

    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert failed.cause == cause
    assert text in failed.failure.message


def test_a_timer_of_a_closed_run_is_forgotten() -> None:
    given = do(signal(do(given_started(), ask.timer())), ask.completed())

    assert given.last.due_at == given.now + NAMESPACE.retention
    assert not told(given, t.TimersDue(), after=60).last.changed


def test_a_timer_that_fires_late_says_when_it_did() -> None:
    given = wait(do(given_started(), ask.timer(span=1)), 100)

    assert last_event(given, "TIMER_FIRED").event_time.ToNanoseconds() == given.now


def test_all_that_is_due_stands_before_the_task() -> None:
    given = wait(do(given_started(), ask.timer("a", 5), ask.timer("b", 5)), 5)

    assert news(given) == ["TIMER_FIRED", "TIMER_FIRED", "WORKFLOW_TASK_SCHEDULED"]
