"""Further attempts of a workflow task: numbered on the wire, written only when they complete."""

import json

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from outlast.engine import triggers as t
from outlast.engine.draft import Draft
from outlast.engine.limits import SECOND
from outlast.engine.machines.workflow_task import virtual_events
from outlast.engine.refusals import InvalidArgument, NotFound
from outlast.engine.transition import OfferWorkflowTask
from tests.engine import ask
from tests.engine.given import (
    Given,
    attributes,
    complete,
    completion,
    context,
    fail_task,
    failing,
    given_attempt,
    given_started,
    last_event,
    name,
    news,
    poll,
    refused,
    signal,
    time_out_task,
    told,
    waiting,
    with_workflow_task_started,
)

Cause = WorkflowTaskFailedCause


def test_only_the_failure_of_the_first_attempt_is_written() -> None:
    given = with_workflow_task_started(given_attempt(2))
    assert news(given) == []

    given = fail_task(given)

    assert news(given) == []
    assert given.effects == [OfferWorkflowTask(5, 3, "orders", "")]


def test_only_the_timeout_of_the_first_attempt_is_written() -> None:
    given = time_out_task(with_workflow_task_started(given_attempt(2)))

    assert news(given) == []
    assert given.effects == [OfferWorkflowTask(5, 3, "orders", "")]


def test_a_further_attempt_that_completes_is_written_as_it_was() -> None:
    given = with_workflow_task_started(given_attempt(3), after=2)

    given = complete(given, ask.timer(), after=1)

    assert news(given) == ["WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED", "TIMER_STARTED"]
    assert attributes(given, "WORKFLOW_TASK_SCHEDULED").attempt == 3
    started = last_event(given, "WORKFLOW_TASK_STARTED")
    assert started.event_time.ToNanoseconds() == given.now - SECOND
    assert started.workflow_task_started_event_attributes.request_id == "poll"
    completed = attributes(given, "WORKFLOW_TASK_COMPLETED")
    assert (completed.scheduled_event_id, completed.started_event_id) == (5, 6)


def test_the_attempt_after_a_success_is_the_first() -> None:
    given = signal(complete(with_workflow_task_started(given_attempt(3))))

    assert given.task.attempt == 1


def test_a_worker_sees_the_events_that_are_not_written() -> None:
    given = with_workflow_task_started(given_attempt(2))

    virtual = virtual_events(Draft(given.execution, context()), given.task, "worker")

    assert [(event.event_id, name(event)) for event in virtual] == [(5, "WORKFLOW_TASK_SCHEDULED"), (6, "WORKFLOW_TASK_STARTED")]


def test_a_further_attempt_is_started_once() -> None:
    given = with_workflow_task_started(given_attempt(2))
    task = given.task

    again = told(given, t.StartWorkflowTask(5, 2, "poll", "worker", False))

    assert not again.last.changed
    assert isinstance(refused(given, t.StartWorkflowTask(5, 2, "another", "worker", False)), NotFound)
    assert again.task == task


def test_a_signal_before_a_further_attempt_starts_makes_it_a_first_attempt() -> None:
    given = signal(given_attempt(3))
    assert news(given) == ["WORKFLOW_EXECUTION_SIGNALED"]

    given = with_workflow_task_started(given, after=4)

    assert news(given) == ["WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED"]
    assert attributes(given, "WORKFLOW_TASK_SCHEDULED").attempt == 1
    assert last_event(given, "WORKFLOW_TASK_SCHEDULED").event_time.ToNanoseconds() == given.now
    assert given.last.durable
    assert news(complete(given)) == ["WORKFLOW_TASK_COMPLETED"]


def test_a_signal_during_a_further_attempt_waits_and_resets_the_attempt_when_that_fails() -> None:
    given = signal(with_workflow_task_started(given_attempt(2)))
    assert waiting(given) == ["WORKFLOW_EXECUTION_SIGNALED"]

    given = fail_task(given)

    assert news(given) == ["WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]
    assert given.task.attempt == 1


def test_a_signal_during_a_further_attempt_that_completes_follows_it() -> None:
    given = complete(signal(with_workflow_task_started(given_attempt(2))), ask.timer())

    assert news(given)[3:] == ["TIMER_STARTED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]


@pytest.mark.parametrize("attempt, least, most", [(3, 10, 10), (4, 14, 15), (5, 18, 20), (6, 26, 30), (11, 490, 610), (30, 490, 610)])
def test_from_the_fourth_attempt_on_a_task_has_more_time(attempt: int, least: int, most: int) -> None:
    given = given_attempt(attempt)

    assert least * SECOND <= given.task.timeout <= most * SECOND
    assert with_workflow_task_started(given).last.due_at == given.now + given.task.timeout


def test_the_written_task_says_how_much_time_it_had() -> None:
    given = given_attempt(5)
    timeout = given.task.timeout

    given = complete(with_workflow_task_started(given))

    assert attributes(given, "WORKFLOW_TASK_SCHEDULED").start_to_close_timeout.ToNanoseconds() == timeout


def test_a_bad_command_of_a_further_attempt_is_refused_and_leaves_nothing() -> None:
    given = with_workflow_task_started(given_attempt(2))

    refusal = refused(given, completion(given, [ask.timer("")]))

    assert isinstance(refusal, InvalidArgument)
    assert refusal.message == "BadStartTimerAttributes: TimerId is not set on StartTimerCommand."


def test_a_close_over_buffered_events_ends_even_a_further_attempt() -> None:
    given = complete(signal(with_workflow_task_started(given_attempt(3))), ask.completed())

    assert given.last.refusal is not None and given.last.refusal.message == "UnhandledCommand"
    assert news(given) == ["WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]
    assert given.task.attempt == 1


def test_a_further_attempt_is_forgotten_when_the_run_is_terminated() -> None:
    given = told(with_workflow_task_started(given_attempt(2)), t.Terminate("enough", "client"))

    assert news(given) == ["WORKFLOW_EXECUTION_TERMINATED"]


def test_a_further_attempt_is_not_sticky_and_waits_for_a_worker_for_ever() -> None:
    given = given_attempt(2)

    assert given.last.due_at is None
    assert poll(given).attempt == 2


def test_a_message_too_large_for_the_wire_terminates_the_run() -> None:
    given = with_workflow_task_started(given_started())

    given = told(given, failing(given, Cause.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_TERMINATED"]
    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND
    assert attributes(given, "WORKFLOW_EXECUTION_TERMINATED").reason == "GrpcMessageTooLarge"


def test_a_failure_report_for_a_closed_run_says_so() -> None:
    given = with_workflow_task_started(given_started())
    report = failing(given)

    assert refused(complete(given, ask.completed()), report).message == "workflow execution already completed"


# Reported problems


def problems(given: Given) -> list[str]:
    data = given.execution.search_attributes.get("TemporalReportedProblems")
    return json.loads(Payload.FromString(data).data) if data is not None else []


def test_a_row_of_failures_is_reported_until_a_task_is_completed() -> None:
    assert problems(given_attempt(5)) == []

    given = given_attempt(6)
    assert problems(given) == ["category=WorkflowTaskFailed", "cause=WorkflowTaskFailedCauseNonDeterministicError"]
    assert given.last.visible

    given = complete(with_workflow_task_started(given))
    assert problems(given) == []
    assert given.last.visible


def test_a_row_of_timeouts_is_reported() -> None:
    given = given_started()
    for _ in range(5):
        given = time_out_task(with_workflow_task_started(given), after=3600)

    assert problems(given) == ["category=WorkflowTaskTimedOut", "cause=WorkflowTaskTimedOutCauseStartToClose"]


def test_a_signal_in_between_does_not_end_the_row() -> None:
    given = signal(given_attempt(4))
    for _ in range(2):
        given = fail_task(with_workflow_task_started(given), cause=Cause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE)

    assert problems(given) == ["category=WorkflowTaskFailed", "cause=WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure"]
