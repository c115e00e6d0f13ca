"""Failures: what is kept of large ones, and which are worth another try."""

import pytest
from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.failure.v1 import Failure, ServerFailureInfo, TimeoutFailureInfo

from outlast.engine import limits, retry
from outlast.engine.failures import TOO_LARGE, accepted, retained
from outlast.engine.limits import SECOND
from outlast.engine.refusals import InvalidArgument
from outlast.engine.state import RetryPolicy
from tests.engine import ask
from tests.engine.given import application_failure, attributes, fail_activity, fail_task, given_started, start_activity, wait
from tests.engine.given import with_workflow_task_started as started
from tests.engine.test_activity import given_activity_started

LARGE = limits.BLOB_BYTES_MAX + 1


def test_a_failure_that_fits_is_taken_as_it_is() -> None:
    failure = application_failure("x" * 3000)

    assert accepted(failure, limits.BLOB_BYTES_MAX) == retained(failure) == failure


def test_a_failure_that_is_too_large_becomes_the_cause_of_a_note() -> None:
    failure = application_failure("m" * LARGE, "Kind", non_retryable=True)
    failure.stack_trace = "s" * LARGE

    note = accepted(failure, limits.BLOB_BYTES_MAX)

    assert note.message == TOO_LARGE
    assert note.server_failure_info.non_retryable
    assert note.ByteSize() <= limits.CUT_FAILURE_BYTES + 100
    assert note.cause.message.startswith("mmm")
    assert note.cause.application_failure_info.type == "Kind"


def test_what_is_kept_between_attempts_is_small_and_may_be_retried() -> None:
    note = retained(application_failure("m" * 5000))

    assert not note.server_failure_info.non_retryable
    assert note.ByteSize() <= limits.RETAINED_FAILURE_BYTES_MAX + 100
    assert note.cause.message.startswith("mmm")


def test_message_then_stack_then_causes_are_kept_as_far_as_they_fit() -> None:
    failure = Failure(message="m" * 1000, stack_trace="s" * 2000)
    failure.cause.CopyFrom(Failure(message="c" * 3000, cause=Failure(message="never")))

    cut = retained(failure).cause

    assert (len(cut.message), len(cut.stack_trace)) == (1000, 2000)
    assert 0 < len(cut.cause.message) < 1100
    assert not cut.cause.HasField("cause")


@pytest.mark.parametrize("before", ["", "x"])
def test_a_cut_leaves_whole_characters(before: str) -> None:
    note = retained(Failure(message=before + "é" * 4000))

    assert set(note.cause.message) == {*before, "é"}


def test_a_chain_of_causes_without_end_is_cut() -> None:
    failure = Failure(message="x" * 5000)
    for _ in range(60):
        failure = Failure(message="", cause=failure)

    cut, depth = retained(failure).cause, 0
    while cut.HasField("cause"):
        cut, depth = cut.cause, depth + 1
    assert depth == 20


def test_the_failure_of_a_workflow_task_is_cut() -> None:
    given = fail_task(started(given_started()), failure=application_failure("m" * LARGE))

    assert attributes(given, "WORKFLOW_TASK_FAILED").failure.message == TOO_LARGE


def test_the_failure_of_an_activity_is_cut_and_then_not_retried() -> None:
    given = fail_activity(given_activity_started(), application_failure("m" * LARGE))

    assert attributes(given, "ACTIVITY_TASK_FAILED").failure.message == TOO_LARGE


def test_the_failure_of_an_earlier_attempt_is_cut_but_retried() -> None:
    given = start_activity(wait(fail_activity(given_activity_started(), application_failure("m" * 5000)), 1))

    assert Failure.FromString(given.activity.last_failure).message == TOO_LARGE


def timeout(kind: int) -> Failure:
    return Failure(timeout_failure_info=TimeoutFailureInfo(timeout_type=kind))


def of_kind(info: str) -> Failure:
    failure = Failure()
    getattr(failure, info).SetInParent()
    return failure


@pytest.mark.parametrize(
    "failure, retried",
    [
        (None, True),
        (Failure(), True),
        (application_failure(), True),
        (application_failure(non_retryable=True), False),
        (application_failure(kind="Listed"), False),
        (Failure(server_failure_info=ServerFailureInfo(non_retryable=True)), False),
        (of_kind("server_failure_info"), True),
        (of_kind("canceled_failure_info"), False),
        (of_kind("terminated_failure_info"), False),
        (of_kind("child_workflow_execution_failure_info"), True),
        (timeout(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE), True),
        (timeout(TimeoutType.TIMEOUT_TYPE_HEARTBEAT), False),
        (timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START), False),
        (timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE), False),
    ],
)
def test_which_failures_are_worth_another_try(failure: Failure | None, retried: bool) -> None:
    assert retry.retryable(failure, ("Listed", "TemporalTimeout:Heartbeat")) == retried


@pytest.mark.parametrize("attempt, backoff", [(1, 1), (2, 2), (3, 4), (4, 5), (2000, 5)])
def test_the_interval_grows_up_to_its_maximum(attempt: int, backoff: int) -> None:
    policy = RetryPolicy(SECOND, 2.0, 5 * SECOND, 0)

    assert retry.interval(policy, attempt) == backoff * SECOND


@pytest.mark.parametrize(
    "policy, text",
    [
        ({"initial_interval": -1}, "invalid InitialInterval set on retry policy: negative duration"),
        ({"backoff_coefficient": 0.9}, "BackoffCoefficient cannot be less than 1 on retry policy."),
        ({"maximum_interval": -1}, "invalid MaximumInterval set on retry policy: negative duration"),
        ({"initial_interval": 2, "maximum_interval": 1}, "MaximumInterval cannot be less than InitialInterval on retry policy."),
        ({"maximum_attempts": -1}, "MaximumAttempts cannot be negative on retry policy."),
        ({"non_retryable_error_types": ["TemporalTimeout:Foo"]}, "Invalid timeout type value: Foo."),
    ],
)
def test_a_bad_policy_is_refused_unless_there_is_only_one_attempt(policy: dict[str, object], text: str) -> None:
    filled = retry.filled(ask.retry_policy(**policy))

    with pytest.raises(InvalidArgument) as refusal:
        retry.check_retry_policy(filled)
    assert refusal.value.message == text

    filled.maximum_attempts = 1
    retry.check_retry_policy(filled)


def test_a_policy_is_filled_in() -> None:
    filled = retry.filled(ask.retry_policy(initial_interval=3))

    assert retry.from_wire(filled) == RetryPolicy(3 * SECOND, 2.0, 300 * SECOND, 0)
    assert retry.to_wire(retry.from_wire(filled)) == filled
