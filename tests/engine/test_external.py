"""Messages from this workflow to another: initiated, then delivered or failed."""

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CancelExternalWorkflowExecutionFailedCause as CancelCause
from temporalio.api.enums.v1 import SignalExternalWorkflowExecutionFailedCause as SignalCause
from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.refusals import NamespaceNotFound
from outlast.engine.transition import TellExternal
from tests.engine import ask
from tests.engine.given import (
    Given,
    attributes,
    complete,
    completion,
    do,
    given_started,
    news,
    payloads,
    refused,
    signal,
    told,
    waiting,
    with_workflow_task_started,
)

Cause = WorkflowTaskFailedCause
MESSAGES = [(ask.signal_external, "SIGNALED"), (ask.cancel_external, "CANCEL_REQUESTED")]


def answer(given: Given, failure: str = "") -> t.ExternalTold:
    """What comes back for the message that event 5 began."""
    return t.ExternalTold(given.history[4], failure)


@pytest.mark.parametrize("command, delivered", MESSAGES)
def test_a_message_is_told_until_it_is_answered(command, delivered: str) -> None:  # type: ignore[no-untyped-def]
    given = do(given_started(), command())
    assert given.effects == [TellExternal(5)]
    assert given.last.has_work

    given = told(given, answer(given))

    assert news(given) == [f"EXTERNAL_WORKFLOW_EXECUTION_{delivered}", "WORKFLOW_TASK_SCHEDULED"]
    written = attributes(given, f"EXTERNAL_WORKFLOW_EXECUTION_{delivered}")
    assert (written.initiated_event_id, written.workflow_execution.workflow_id, written.namespace) == (5, "neighbour", "default")
    assert not given.execution.externals
    assert not told(given, answer(given)).last.changed


def test_a_signal_that_cannot_be_delivered_says_why() -> None:
    given = do(given_started(), ask.signal_external(control="c"))

    given = told(given, answer(given, "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"))

    assert news(given) == ["SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED", "WORKFLOW_TASK_SCHEDULED"]
    failed = attributes(given, "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED")
    cause = SignalCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
    assert (failed.cause, failed.control, failed.initiated_event_id, failed.workflow_task_completed_event_id) == (cause, "c", 5, 0)


def test_a_cancel_request_that_cannot_be_delivered_says_why() -> None:
    given = do(given_started(), ask.cancel_external())

    given = told(given, answer(given, "NAMESPACE_NOT_FOUND"))

    failed = attributes(given, "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED")
    assert failed.cause == CancelCause.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND


def test_an_answer_waits_while_a_workflow_task_is_started() -> None:
    given = with_workflow_task_started(signal(do(given_started(), ask.signal_external())))

    given = told(given, answer(given))

    assert waiting(given) == ["EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"]
    assert not given.last.has_work
    assert "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED" in news(complete(given))


@pytest.mark.parametrize("command, _", MESSAGES)
def test_a_message_that_leaves_with_the_closing_task_is_never_delivered(command, _: str) -> None:  # type: ignore[no-untyped-def]
    given = do(given_started(), command(), ask.completed())

    assert given.effects == []
    assert not given.last.has_work
    assert not told(given, answer(given)).last.changed


def test_a_message_may_go_to_another_namespace_but_not_to_an_unknown_one() -> None:
    given = do(given_started(), ask.signal_external(namespace="other"))
    assert attributes(given, "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED").namespace_id == "other-id"

    given = with_workflow_task_started(given_started())
    assert isinstance(refused(given, completion(given, [ask.cancel_external(namespace="nowhere")])), NamespaceNotFound)


def test_a_child_may_be_signaled_but_not_canceled_in_the_task_that_starts_it() -> None:
    given = do(given_started(), ask.child("parcel"), ask.signal_external("parcel"))
    assert news(given)[1:] == ["START_CHILD_WORKFLOW_EXECUTION_INITIATED", "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED"]

    given = do(given_started(), ask.child("parcel"), ask.cancel_external("parcel"))
    text = "Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId=parcel RunId= Namespace="
    assert attributes(given, "WORKFLOW_TASK_FAILED").failure.message.endswith(text)


def test_a_child_may_be_canceled_in_a_later_task() -> None:
    given = do(signal(do(given_started(), ask.child("parcel"))), ask.cancel_external("parcel"))

    assert news(given)[1:] == ["REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED"]


@pytest.mark.parametrize(
    "command, cause, text",
    [
        (ask.signal_external(execution=None), "BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "Execution is not set on"),
        (ask.signal_external(""), "BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "WorkflowId is not set on"),
        (ask.signal_external("x" * 1001), "BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "exceeds length limit"),
        (ask.signal_external(signal_name=""), "BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "SignalName is not set on"),
        (
            ask.signal_external(execution=WorkflowExecution(workflow_id="a", run_id="zz"), signal_name="a"),
            "BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES",
            "Invalid RunId set on SignalExternalWorkflowExecutionCommand. WorkflowId=a Namespace= RunId=zz SignalName=a",
        ),
        (ask.cancel_external(""), "BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "WorkflowId is not set on"),
        (ask.cancel_external("a", run_id="zz"), "BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "Invalid RunId set on"),
    ],
)
def test_a_bad_message_fails_the_task(command, cause: str, text: str) -> None:  # type: ignore[no-untyped-def]
    given = do(given_started(), command)

    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert failed.cause == Cause.Value(f"WORKFLOW_TASK_FAILED_CAUSE_{cause}")
    assert text in failed.failure.message


@pytest.mark.parametrize(
    "command, cause",
    [(ask.signal_external, "PENDING_SIGNALS_LIMIT_EXCEEDED"), (ask.cancel_external, "PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED")],
)
def test_no_more_messages_of_a_kind_than_the_limit(command, cause: str, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(limits, "PENDING_EXTERNALS_MAX", 1)
    assert news(do(given_started(), ask.signal_external(), ask.cancel_external()))[0] == "WORKFLOW_TASK_COMPLETED"

    given = do(given_started(), command("a"), command("b"))

    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.Value(f"WORKFLOW_TASK_FAILED_CAUSE_{cause}")


def test_an_input_that_is_too_large_terminates_the_run() -> None:
    given = do(given_started(), ask.signal_external(input=payloads("x" * limits.BLOB_BYTES_MAX)))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_TERMINATED"]
