"""A run that is followed by another: continue-as-new and workflow retries."""

import pytest
from temporalio.api.common.v1 import Memo, Priority, WorkflowType
from temporalio.api.enums.v1 import ContinueAsNewInitiator, RetryState, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.taskqueue.v1 import TaskQueue

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.limits import SECOND
from tests.engine import ask
from tests.engine.given import (
    NOON,
    Given,
    application_failure,
    attributes,
    do,
    given_started,
    name,
    news,
    payload,
    payloads,
    seconds,
    taken,
    told,
    wait,
)

Cause = WorkflowTaskFailedCause
Initiator = ContinueAsNewInitiator


def following(given: Given) -> Given:
    """The run that follows."""
    return taken(given.successor, given.now)


def started(given: Given):  # type: ignore[no-untyped-def]
    return attributes(given, "WORKFLOW_EXECUTION_STARTED")


# Continue as new


def test_the_next_run_begins_in_the_same_commit() -> None:
    given = do(wait(given_started(), 5), ask.continued_as_new(input=payloads("2")))
    new = following(given)

    assert news(given)[-1] == "WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert news(new) == ["WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_SCHEDULED"]
    assert attributes(given, "WORKFLOW_EXECUTION_CONTINUED_AS_NEW").new_execution_run_id == new.run.run_id == given.run.new_run_id
    first = started(new)
    assert (first.continued_execution_run_id, first.first_execution_run_id) == (given.run.run_id, given.run.run_id)
    assert first.original_execution_run_id == new.run.run_id
    assert (first.initiator, first.attempt, first.input) == (Initiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW, 1, payloads("2"))
    assert new.run.workflow_id == given.run.workflow_id


def test_the_chain_knows_its_first_run() -> None:
    second = following(do(wait(given_started(), 5), ask.continued_as_new()))
    third = following(do(wait(second, 5), ask.continued_as_new()))

    assert third.run.first_run_id == given_started().run.run_id
    assert third.run.continued_from == second.run.run_id


def test_type_queue_and_timeouts_are_the_old_ones_unless_the_command_says_otherwise() -> None:
    given = wait(given_started(workflow_run_timeout=30, workflow_task_timeout=7), 5)

    same = started(following(do(given, ask.continued_as_new())))
    assert (same.workflow_type.name, same.task_queue.name) == ("Order", "orders")
    assert (same.workflow_run_timeout, same.workflow_task_timeout) == (seconds(30), seconds(7))

    other = ask.continued_as_new(workflow_type=WorkflowType(name="T"), task_queue=TaskQueue(name="q"), workflow_task_timeout=500)
    other = started(following(do(given, other)))
    assert (other.workflow_type.name, other.task_queue.name, other.workflow_task_timeout) == ("T", "q", seconds(30))


def test_what_the_command_leaves_out_is_not_inherited() -> None:
    memo = Memo(fields={"k": payload("1")})
    given = given_started(memo=memo, retry_policy=ask.retry_policy(), input=payloads("1"))

    new = following(do(wait(given, 5), ask.continued_as_new()))

    assert not new.execution.memo
    assert new.run.retry_policy is None
    assert not started(new).HasField("input")


def test_priority_and_the_end_of_the_execution_are_inherited() -> None:
    given = wait(given_started(workflow_execution_timeout=60, priority=Priority(priority_key=2)), 20)

    new = following(do(given, ask.continued_as_new()))

    assert started(new).priority.priority_key == 2
    assert new.run.execution_expiration == NOON + 60 * SECOND
    assert new.run.run_expiration == NOON + 60 * SECOND


def test_a_run_that_lived_too_short_holds_the_next_one_back() -> None:
    given = do(given_started(), ask.continued_as_new(), after=0.25)
    new = following(given)

    assert news(new) == ["WORKFLOW_EXECUTION_STARTED"]
    assert new.last.due_at == NOON + SECOND
    assert news(wait(new, 0.75)) == ["WORKFLOW_TASK_SCHEDULED"]


@pytest.mark.parametrize("lived, asked, backoff", [(1, 0, 0), (0.5, 0.25, 0.5), (0.5, 0.5, 0.5), (0.5, 7, 7), (5, 3, 3)])
def test_the_backoff_is_what_was_asked_but_a_second_between_starts_is_kept(lived: float, asked: float, backoff: float) -> None:
    given = do(given_started(), ask.continued_as_new(backoff_start_interval=asked), after=lived)

    assert started(following(given)).first_workflow_task_backoff == seconds(backoff)
    assert attributes(given, "WORKFLOW_EXECUTION_CONTINUED_AS_NEW").backoff_start_interval == seconds(asked)


def test_a_command_that_retries_counts_the_attempt() -> None:
    command = ask.continued_as_new(initiator="CONTINUE_AS_NEW_INITIATOR_RETRY", failure=application_failure())

    first = started(following(do(wait(given_started(), 5), command)))

    assert (first.attempt, first.initiator) == (2, Initiator.CONTINUE_AS_NEW_INITIATOR_RETRY)
    assert first.continued_failure.message == "boom"


@pytest.mark.parametrize(
    "fields, text",
    [
        ({"workflow_run_timeout": -1}, "Invalid WorkflowRunTimeout on ContinueAsNewWorkflowExecutionCommand: negative duration."),
        ({"backoff_start_interval": -1}, "Invalid BackoffStartInterval on"),
        ({"workflow_type": WorkflowType(name="x" * 1001)}, "WorkflowType on ContinueAsNewWorkflowExecutionCommand exceeds length limit."),
        ({"task_queue": TaskQueue(name="/_sys/q")}, "error validating ContinueAsNewWorkflowExecutionCommand TaskQueue:"),
        ({"retry_policy": ask.retry_policy(backoff_coefficient=0.5)}, "invalid WorkflowRetryPolicy on ContinueAsNew"),
    ],
)
def test_a_bad_continue_as_new_fails_the_task(fields: dict[str, object], text: str) -> None:
    given = do(given_started(), ask.continued_as_new(**fields))

    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert failed.cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES
    assert failed.failure.message.startswith(f"BadContinueAsNewAttributes: {text}")
    assert given.last.successor is None


def test_the_reset_points_of_the_old_run_go_along_with_a_date() -> None:
    given = do(wait(given_started(), 5), ask.continued_as_new(), binary_checksum="one")

    (point,) = started(following(given)).prev_auto_reset_points.points

    assert point.run_id == given.run.run_id
    assert point.expire_time.ToNanoseconds() == given.now + 24 * 3600 * SECOND


# Retries


def given_retried(**policy: object) -> Given:
    return given_started(retry_policy=ask.retry_policy(**policy), input=payloads("1"), memo=Memo(fields={"k": payload("1")}))


def test_a_failure_is_retried_by_a_run_like_the_first_after_a_backoff() -> None:
    given = do(given_retried(initial_interval=3), ask.memo(k="2"), ask.failed())
    new = following(given)

    failed = attributes(given, "WORKFLOW_EXECUTION_FAILED")
    assert (failed.retry_state, failed.new_execution_run_id) == (RetryState.RETRY_STATE_IN_PROGRESS, new.run.run_id)
    first = started(new)
    assert (first.attempt, first.initiator, first.continued_failure.message) == (2, Initiator.CONTINUE_AS_NEW_INITIATOR_RETRY, "boom")
    assert first.input == payloads("1")
    assert first.memo.fields["k"].data == b"1"
    assert news(new) == ["WORKFLOW_EXECUTION_STARTED"]
    assert news(wait(new, 3)) == ["WORKFLOW_TASK_SCHEDULED"]


def test_the_backoff_of_retries_grows() -> None:
    given = given_retried(initial_interval=1, backoff_coefficient=2)
    backoffs = []
    for _ in range(3):
        given = following(do(given, ask.failed()))
        backoffs.append(started(given).first_workflow_task_backoff.seconds)
        given = wait(given, backoffs[-1])

    assert backoffs == [1, 2, 4]


@pytest.mark.parametrize(
    "policy, failure, state",
    [
        ({"maximum_attempts": 1}, application_failure(), RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED),
        ({}, application_failure(non_retryable=True), RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE),
        ({"non_retryable_error_types": ["Bad"]}, application_failure(kind="Bad"), RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE),
    ],
)
def test_retries_end(policy: dict[str, object], failure: Failure, state: int) -> None:
    given = do(given_retried(**policy), ask.failed(failure))

    assert attributes(given, "WORKFLOW_EXECUTION_FAILED").retry_state == state
    assert given.last.successor is None


def test_no_retry_begins_after_the_execution_has_expired() -> None:
    given = given_started(retry_policy=ask.retry_policy(initial_interval=10), workflow_execution_timeout=15)

    assert attributes(do(given, ask.failed(), after=5), "WORKFLOW_EXECUTION_FAILED").retry_state == RetryState.RETRY_STATE_IN_PROGRESS
    late = do(given, ask.failed(), after=6)
    assert attributes(late, "WORKFLOW_EXECUTION_FAILED").retry_state == RetryState.RETRY_STATE_TIMEOUT


def test_the_delay_that_a_failure_asks_for_is_capped_for_workflows() -> None:
    given = do(given_retried(initial_interval=1, maximum_interval=2), ask.failed(application_failure(next_retry_delay=7)))

    assert started(following(given)).first_workflow_task_backoff == seconds(2)


def test_a_run_that_times_out_is_retried() -> None:
    given = wait(given_started(workflow_run_timeout=60, retry_policy=ask.retry_policy()), 60)

    timed_out = attributes(given, "WORKFLOW_EXECUTION_TIMED_OUT")
    assert timed_out.retry_state == RetryState.RETRY_STATE_IN_PROGRESS
    failure = started(following(given)).continued_failure
    assert (failure.message, failure.source) == ("workflow timeout", "Server")


@pytest.mark.parametrize("command", [ask.completed(), ask.canceled()])
def test_only_failures_are_retried(command) -> None:  # type: ignore[no-untyped-def]
    assert do(given_retried(), command).last.successor is None


def test_a_terminated_run_is_not_retried() -> None:
    assert told(given_retried(), t.Terminate("enough", "client")).last.successor is None


def test_a_failure_that_is_too_large_terminates_the_run() -> None:
    given = do(given_retried(), ask.failed(application_failure("x" * limits.BLOB_BYTES_MAX)))

    assert [name(event) for event in given.history[-2:]] == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_TERMINATED"]
    assert given.last.successor is None
