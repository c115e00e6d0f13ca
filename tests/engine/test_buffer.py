"""What happens while a workflow task is started waits for its end."""

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.refusals import Busy, InvalidArgument
from tests.engine import ask
from tests.engine.given import (
    Given,
    attributes,
    complete,
    complete_activity,
    do,
    fail_task,
    failing,
    given_started,
    last_event,
    news,
    payloads,
    refused,
    signal,
    start_activity,
    time_out_task,
    told,
    wait,
    waiting,
    with_workflow_task_started,
)

Cause = WorkflowTaskFailedCause


def given_busy() -> Given:
    """A run with a started activity, a timer and a started workflow task."""
    given = do(given_started(), ask.activity(start_to_close_timeout=100), ask.timer(span=3))
    return with_workflow_task_started(signal(start_activity(given)))


def test_events_wait_without_ids_and_follow_the_completion_and_its_commands() -> None:
    given = signal(with_workflow_task_started(given_started()), "one")
    given = told(given, t.RequestCancel("stop"))
    assert news(given) == []
    assert waiting(given) == ["WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_EXECUTION_CANCEL_REQUESTED"]

    given = complete(given, ask.timer())

    assert news(given) == [
        "WORKFLOW_TASK_COMPLETED",
        "TIMER_STARTED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
        "WORKFLOW_TASK_SCHEDULED",
    ]
    assert waiting(given) == []


def test_completions_come_last_and_know_their_started_events() -> None:
    given = wait(signal(complete_activity(given_busy())), 3)
    assert waiting(given) == [
        "ACTIVITY_TASK_STARTED",
        "ACTIVITY_TASK_COMPLETED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "TIMER_FIRED",
    ]

    given = complete(given)

    assert news(given)[1:] == [
        "ACTIVITY_TASK_STARTED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "TIMER_FIRED",
        "ACTIVITY_TASK_COMPLETED",
        "WORKFLOW_TASK_SCHEDULED",
    ]
    started = last_event(given, "ACTIVITY_TASK_STARTED")
    assert attributes(given, "ACTIVITY_TASK_COMPLETED").started_event_id == started.event_id


@pytest.mark.parametrize("end", [fail_task, time_out_task])
def test_a_failed_task_lets_go_what_waited_and_the_next_is_a_first_attempt(end) -> None:  # type: ignore[no-untyped-def]
    given = end(signal(with_workflow_task_started(given_started())))

    assert news(given)[1:] == ["WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]
    assert given.task.attempt == 1
    assert given.run.buffered_bytes == 0


def test_flushed_events_call_for_a_task_that_may_be_returned_at_once() -> None:
    given = complete(signal(with_workflow_task_started(given_started())), return_new_workflow_task=True)

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED"]


@pytest.mark.parametrize("close", [ask.completed, ask.failed, ask.canceled, ask.continued_as_new])
def test_a_run_cannot_close_over_buffered_events(close) -> None:  # type: ignore[no-untyped-def]
    given = complete(signal(with_workflow_task_started(given_started())), ask.timer(), close())

    assert isinstance(given.last.refusal, InvalidArgument)
    assert given.last.refusal.message == "UnhandledCommand"
    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]
    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    assert given.task.attempt == 1
    assert given.run.open
    assert given.last.successor is None


def given_closing() -> Given:
    return with_workflow_task_started(complete(signal(with_workflow_task_started(given_started())), ask.completed()))


def test_while_the_next_task_tries_to_close_signals_are_refused() -> None:
    refusal = refused(given_closing(), t.Signal("late"))

    assert isinstance(refusal, Busy)
    assert refusal.message == "workflow operation can not be applied because workflow is closing"


def test_a_run_that_was_closing_takes_signals_again_before_and_after_the_next_task() -> None:
    before = complete(signal(with_workflow_task_started(given_started())), ask.completed())
    assert news(signal(before)) == ["WORKFLOW_EXECUTION_SIGNALED"]

    after = with_workflow_task_started(complete(given_closing(), force_create_new_workflow_task=True))
    assert waiting(signal(after)) == ["WORKFLOW_EXECUTION_SIGNALED"]


def test_a_worker_that_reports_an_unhandled_command_closes_next_time() -> None:
    given = with_workflow_task_started(given_started())
    given = told(given, failing(given, Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND))

    assert isinstance(refused(with_workflow_task_started(given), t.Signal("late")), Busy)


def test_a_run_closes_in_spite_of_what_its_own_commands_brought_about() -> None:
    given = do(given_started(), ask.activity())

    given = do(signal(given), ask.cancel_activity(5), ask.completed())

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "ACTIVITY_TASK_CANCEL_REQUESTED", "WORKFLOW_EXECUTION_COMPLETED"]
    assert waiting(given) == []


def test_terminate_writes_what_waited_before_the_end() -> None:
    given = told(signal(with_workflow_task_started(given_started())), t.Terminate("enough", "client"))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_EXECUTION_TERMINATED"]
    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND
    assert attributes(given, "WORKFLOW_TASK_FAILED").identity == "history-service"


def test_one_event_too_many_ends_the_task() -> None:
    given = with_workflow_task_started(given_started())
    for number in range(limits.BUFFERED_EVENTS_MAX):
        given = signal(given, f"s{number}")
    assert len(waiting(given)) == limits.BUFFERED_EVENTS_MAX

    given = signal(given, "one too many")

    assert news(given) == ["WORKFLOW_TASK_FAILED", *["WORKFLOW_EXECUTION_SIGNALED"] * 101, "WORKFLOW_TASK_SCHEDULED"]
    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND
    assert attributes(given, "WORKFLOW_EXECUTION_SIGNALED").signal_name == "one too many"
    assert waiting(given) == []


def test_one_byte_too_many_ends_the_task() -> None:
    given = with_workflow_task_started(given_started())
    given = signal(given, input=payloads("x" * (limits.BUFFERED_BYTES_MAX - 1000)))
    assert news(given) == []

    given = signal(given, input=payloads("x" * 1000))

    assert news(given)[0] == "WORKFLOW_TASK_FAILED"
    assert given.run.buffered_bytes == 0


def test_a_bad_command_undoes_the_whole_completion_and_fails_the_task() -> None:
    given = complete(signal(with_workflow_task_started(given_started())), ask.timer("a"), ask.timer("a"))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]
    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert failed.cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID
    assert failed.failure.message.startswith("StartTimerDuplicateId: ")
    assert failed.failure.HasField("server_failure_info")
    assert failed.identity == "worker"
    assert not given.execution.timers


def test_attached_starts_wait_like_everything_else() -> None:
    given = told(with_workflow_task_started(given_started()), t.Attach("again"))
    assert waiting(given) == ["WORKFLOW_EXECUTION_OPTIONS_UPDATED"]

    assert not told(given, t.Attach("again")).last.changed
    assert last_event(complete(given), "WORKFLOW_EXECUTION_OPTIONS_UPDATED").worker_may_ignore


def test_an_attached_start_is_no_news_for_the_worker() -> None:
    given = told(do(given_started()), t.Attach("again"))

    assert news(given) == ["WORKFLOW_EXECUTION_OPTIONS_UPDATED"]
    assert given.run.workflow_task is None
