"""Signals and cancel requests: recorded once, and they wake the workflow."""

import pytest
from temporalio.api.common.v1 import Link, WorkflowExecution

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.limits import SECOND
from outlast.engine.refusals import InvalidArgument, NotFound
from tests.engine import ask
from tests.engine.given import (
    attributes,
    complete,
    do,
    given_started,
    history_names,
    last_event,
    news,
    payloads,
    refused,
    signal,
    told,
    wait,
    waiting,
    with_workflow_task_started,
)


def test_a_signal_is_recorded_and_wakes_the_workflow() -> None:
    link = Link(batch_job=Link.BatchJob(job_id="j"))
    given = signal(do(given_started()), "pay", "r1", input=payloads("1"), links=[link])

    assert news(given) == ["WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]
    written = attributes(given, "WORKFLOW_EXECUTION_SIGNALED")
    assert (written.signal_name, written.request_id, written.identity, written.input) == ("pay", "r1", "client", payloads("1"))
    assert list(last_event(given, "WORKFLOW_EXECUTION_SIGNALED").links) == [link]


def test_a_signal_with_the_same_request_id_is_recorded_once() -> None:
    given = signal(do(given_started()), request_id="r1")

    assert not signal(given, request_id="r1").last.changed
    assert news(signal(given, request_id="r2")) == ["WORKFLOW_EXECUTION_SIGNALED"]


def test_signals_without_a_request_id_are_all_recorded() -> None:
    assert history_names(signal(signal(given_started()))).count("WORKFLOW_EXECUTION_SIGNALED") == 2


def test_a_repeat_of_a_buffered_signal_is_known_before_and_after_the_flush() -> None:
    given = signal(with_workflow_task_started(given_started()), request_id="r1")

    assert waiting(signal(given, request_id="r1")) == ["WORKFLOW_EXECUTION_SIGNALED"]
    assert not signal(complete(given), request_id="r1").last.changed


def test_a_repeat_succeeds_even_after_the_close_and_a_new_signal_does_not() -> None:
    given = do(signal(given_started(), request_id="r1"), ask.completed())

    assert not signal(given, request_id="r1").last.changed
    assert refused(given, t.Signal("hello", request_id="r2")).message == "workflow execution already completed"


def test_there_is_an_end_to_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SIGNALS_MAX", 2)
    given = signal(with_workflow_task_started(signal(given_started())))

    refusal = refused(given, t.Signal("hello"))

    assert isinstance(refusal, InvalidArgument)
    assert refusal.message == "exceeded workflow execution limit for signal events"


def test_a_signal_does_not_cut_a_start_delay_short_but_signal_with_start_does() -> None:
    given = given_started(workflow_start_delay=60)
    assert news(given) == ["WORKFLOW_EXECUTION_STARTED"]

    assert news(signal(given)) == ["WORKFLOW_EXECUTION_SIGNALED"]
    assert news(signal(given, even_in_backoff=True)) == ["WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]


def test_a_start_delay_ends_by_itself() -> None:
    given = signal(given_started(workflow_start_delay=60))
    assert given.last.due_at == given.now + 60 * SECOND
    assert news(wait(given, 59)) == []

    assert news(wait(given, 60)) == ["WORKFLOW_TASK_SCHEDULED"]


def test_a_signal_from_another_workflow_says_which_and_may_be_for_children_only() -> None:
    sender = WorkflowExecution(workflow_id="neighbour", run_id="r")
    given = signal(given_started(), external=sender)
    assert attributes(given, "WORKFLOW_EXECUTION_SIGNALED").external_workflow_execution == sender

    refusal = refused(given, t.Signal("hello", external=sender, only_child_of="r"))
    assert (type(refusal), refusal.message) == (NotFound, "workflow execution not found")


# Cancel requests


def test_a_cancel_request_is_recorded_once_and_wakes_the_workflow() -> None:
    given = told(do(given_started()), t.RequestCancel("stop", "client", "r1"))

    assert news(given) == ["WORKFLOW_EXECUTION_CANCEL_REQUESTED", "WORKFLOW_TASK_SCHEDULED"]
    written = attributes(given, "WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    assert (written.cause, written.identity) == ("stop", "client")
    assert not told(given, t.RequestCancel("again")).last.changed


def test_a_buffered_cancel_request_counts() -> None:
    given = told(with_workflow_task_started(given_started()), t.RequestCancel("stop"))

    assert not told(given, t.RequestCancel("again")).last.changed


def test_a_cancel_request_cuts_a_start_delay_short() -> None:
    given = told(given_started(workflow_start_delay=60), t.RequestCancel("stop"))

    assert news(given) == ["WORKFLOW_EXECUTION_CANCEL_REQUESTED", "WORKFLOW_TASK_SCHEDULED"]
    assert news(wait(given, 60)) == []


def test_a_cancel_request_for_another_chain_is_refused_unless_the_run_is_closed() -> None:
    wrong = t.RequestCancel("stop", first_execution_run_id="another")
    assert refused(given_started(), wrong).message == "workflow execution not found"

    closed = do(given_started(), ask.completed())
    assert not told(closed, wrong).last.changed


def test_a_cancel_request_from_another_workflow_says_which() -> None:
    sender = WorkflowExecution(workflow_id="parent", run_id="r")
    given = told(given_started(), t.RequestCancel("stop", external=sender, external_initiated_event_id=7))

    written = attributes(given, "WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    assert (written.external_workflow_execution, written.external_initiated_event_id) == (sender, 7)


def test_a_workflow_may_cancel_itself_unasked() -> None:
    assert news(do(given_started(), ask.canceled())) == ["WORKFLOW_TASK_COMPLETED", "WORKFLOW_EXECUTION_CANCELED"]
