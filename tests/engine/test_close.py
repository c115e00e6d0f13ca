"""How a run ends: by its own command, terminated, or because its time is over."""

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType, RetryState, WorkflowTaskFailedCause

from outlast.engine import limits, state
from outlast.engine import triggers as t
from outlast.engine.limits import SECOND
from outlast.engine.refusals import InvalidArgument
from tests.engine import ask
from tests.engine.given import (
    NAMESPACE,
    NOON,
    application_failure,
    attributes,
    completion,
    do,
    given_started,
    news,
    payloads,
    refused,
    signal,
    start_activity,
    told,
    wait,
    with_workflow_task_started,
)

Cause = WorkflowTaskFailedCause


@pytest.mark.parametrize(
    "command, status",
    [
        (ask.completed("1"), state.COMPLETED),
        (ask.failed(), state.FAILED),
        (ask.canceled(), state.CANCELED),
        (ask.continued_as_new(), state.CONTINUED_AS_NEW),
    ],
)
def test_a_closing_command_closes_the_run_and_asks_for_nothing_more(command: Command, status: int) -> None:
    given = do(given_started(), ask.activity(), ask.timer(), command)

    assert given.run.status == status
    assert given.run.close_time == given.now
    assert (given.effects, given.last.due_at, given.last.has_work) == ([], given.now + NAMESPACE.retention, False)
    assert given.last.visible


def test_a_failure_without_a_retry_policy_says_so() -> None:
    given = do(given_started(), ask.failed(application_failure("out of stock")))

    failed = attributes(given, "WORKFLOW_EXECUTION_FAILED")
    assert failed.failure.message == "out of stock"
    assert failed.retry_state == RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET
    assert not failed.new_execution_run_id


def test_a_closing_command_must_be_the_last() -> None:
    given = with_workflow_task_started(given_started())

    refusal = refused(given, completion(given, [ask.completed(), ask.timer()]))

    assert isinstance(refusal, InvalidArgument)
    sequence = "[CompleteWorkflowExecution, StartTimer]"
    assert refusal.message == f"invalid command sequence: {sequence}, command CompleteWorkflowExecution must be the last command."


@pytest.mark.parametrize("kind, shown", [(0, "Unspecified"), (15, "15")])
def test_an_unknown_command_is_refused(kind: int, shown: str) -> None:
    given = with_workflow_task_started(given_started())

    refusal = refused(given, completion(given, [Command(command_type=kind)]))

    assert refusal.message == f"unknown command type: {shown}"


def test_a_nexus_command_fails_the_task_as_on_a_server_without_endpoints() -> None:
    given = do(given_started(), Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION))

    assert news(given)[0] == "WORKFLOW_TASK_FAILED"


BUILT = [kind for kind in CommandType.values() if kind and not CommandType.Name(kind).endswith("NEXUS_OPERATION")]


@pytest.mark.parametrize("kind", BUILT)
def test_a_command_without_attributes_fails_the_task(kind: int) -> None:
    given = do(given_started(), Command(command_type=kind))

    assert news(given) == ["WORKFLOW_TASK_FAILED"]
    assert given.last.refusal is not None
    assert " is not set on " in given.last.refusal.message


def test_a_failure_command_needs_a_failure() -> None:
    command = ask.failed()
    command.fail_workflow_execution_command_attributes.ClearField("failure")

    given = do(given_started(), command)

    assert "Failure is not set on FailWorkflowExecutionCommand." in attributes(given, "WORKFLOW_TASK_FAILED").failure.message


def test_a_result_that_is_too_large_terminates_the_run() -> None:
    given = do(given_started(), ask.completed("x" * limits.BLOB_BYTES_MAX))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_TERMINATED"]
    terminated = attributes(given, "WORKFLOW_EXECUTION_TERMINATED")
    assert terminated.identity == "history-service"
    assert "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit." in terminated.reason
    assert given.run.status == state.TERMINATED


def test_user_metadata_of_a_command_is_on_its_event() -> None:
    command = ask.timer()
    command.user_metadata.summary.data = b'"a nap"'

    given = do(given_started(), command)

    assert given.history[-1].user_metadata == command.user_metadata


# Terminate


def test_terminate_ends_a_run_whatever_it_does() -> None:
    given = told(start_activity(do(given_started(), ask.activity())), t.Terminate("enough", "client", payloads("1")))

    assert news(given) == ["WORKFLOW_EXECUTION_TERMINATED"]
    terminated = attributes(given, "WORKFLOW_EXECUTION_TERMINATED")
    assert (terminated.reason, terminated.identity, terminated.details) == ("enough", "client", payloads("1"))
    assert given.run.status == state.TERMINATED


def test_terminate_forgets_a_workflow_task_that_nobody_has_started() -> None:
    given = told(given_started(), t.Terminate("enough", "client"))

    assert news(given) == ["WORKFLOW_EXECUTION_TERMINATED"]
    assert given.run.workflow_task is None


def test_a_closed_run_cannot_be_terminated() -> None:
    given = do(given_started(), ask.completed())

    assert refused(given, t.Terminate("enough", "client")).message == "workflow execution already completed"


def test_terminate_may_name_the_chain() -> None:
    given = given_started()

    refusal = refused(given, t.Terminate("enough", "client", first_execution_run_id="another"))
    assert refusal.message == "workflow execution not found"
    assert not told(given, t.Terminate("enough", "client", first_execution_run_id=given.run.first_run_id)).run.open


# Run and execution timeouts


def test_a_run_times_out_and_says_that_nothing_follows() -> None:
    given = given_started(workflow_run_timeout=60)
    assert given.last.due_at == NOON + 60 * SECOND
    assert news(wait(given, 59.999)) == []

    given = wait(given, 60)

    assert news(given) == ["WORKFLOW_EXECUTION_TIMED_OUT"]
    assert attributes(given, "WORKFLOW_EXECUTION_TIMED_OUT").retry_state == RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET
    assert given.run.status == state.TIMED_OUT


def test_a_timeout_during_a_workflow_task_fails_it_and_writes_what_waited() -> None:
    given = with_workflow_task_started(given_started(workflow_run_timeout=10), after=5)

    given = wait(signal(given), 5)

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_EXECUTION_TIMED_OUT"]
    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert (failed.cause, failed.identity) == (Cause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, "history-service")
    assert not failed.HasField("failure")


def test_a_timer_that_is_due_before_the_run_ends_still_fires() -> None:
    given = wait(do(given_started(workflow_run_timeout=60), ask.timer("before", 60), ask.timer("after", 61)), 100)

    assert news(given) == ["TIMER_FIRED", "WORKFLOW_EXECUTION_TIMED_OUT"]
    assert given.effects == []


def test_the_run_timeout_counts_from_the_end_of_the_delay() -> None:
    given = given_started(workflow_run_timeout=60, workflow_start_delay=30)

    assert given.run.run_expiration == NOON + 90 * SECOND


def test_the_execution_timeout_caps_the_run_timeout_and_ends_the_chain() -> None:
    policy = ask.retry_policy(initial_interval=1)
    given = given_started(workflow_run_timeout=60, workflow_execution_timeout=80, workflow_start_delay=30, retry_policy=policy)
    assert given.run.run_expiration == given.run.execution_expiration == NOON + 80 * SECOND

    given = wait(given, 80)

    assert news(given)[-1] == "WORKFLOW_EXECUTION_TIMED_OUT"
    assert attributes(given, "WORKFLOW_EXECUTION_TIMED_OUT").retry_state == RetryState.RETRY_STATE_TIMEOUT
    assert given.last.successor is None


def test_nothing_happens_to_a_closed_run_in_time() -> None:
    given = do(given_started(workflow_run_timeout=60), ask.activity(), ask.completed())

    assert given.last.due_at == given.now + NAMESPACE.retention
    assert not wait(given, 100).last.changed
