"""Activities in time: the four timeouts, and attempts with a backoff between them."""

import pytest
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import Failure

from outlast.engine import triggers as t
from outlast.engine.limits import SECOND
from outlast.engine.transition import OfferActivity
from tests.engine import ask
from tests.engine.given import (
    Given,
    activity_token,
    application_failure,
    attributes,
    complete_activity,
    do,
    fail_activity,
    news,
    payloads,
    start_activity,
    told,
    wait,
)
from tests.engine.test_activity import given_activity, given_activity_started, given_cancel_requested

ONCE = ask.retry_policy(maximum_attempts=1)
NO_TIME = "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"


def timed_out(given: Given) -> tuple[int, int, str]:
    """What the last ACTIVITY_TASK_TIMED_OUT says: which timeout, the retry state, the message."""
    written = attributes(given, "ACTIVITY_TASK_TIMED_OUT")
    assert written.failure.source == "Server"
    return written.failure.timeout_failure_info.timeout_type, written.retry_state, written.failure.message


def test_an_activity_that_nobody_starts_in_time_times_out_without_a_start() -> None:
    given = wait(given_activity(schedule_to_start_timeout=3), 3)

    assert news(given) == ["ACTIVITY_TASK_TIMED_OUT", "WORKFLOW_TASK_SCHEDULED"]
    kind = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
    assert timed_out(given) == (kind, RetryState.RETRY_STATE_TIMEOUT, "activity ScheduleToStart timeout")
    assert attributes(given, "ACTIVITY_TASK_TIMED_OUT").started_event_id == 0


def test_an_activity_that_starts_in_time_does_not_time_out_for_its_start() -> None:
    given = start_activity(given_activity(schedule_to_start_timeout=3), after=2.9)

    assert news(wait(given, 1)) == []


def test_an_attempt_that_lasts_too_long_times_out() -> None:
    given = wait(given_activity_started(start_to_close_timeout=4, retry_policy=ONCE), 4)

    assert news(given) == ["ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_TIMED_OUT", "WORKFLOW_TASK_SCHEDULED"]
    kind = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    assert timed_out(given) == (kind, RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, "activity StartToClose timeout")


def test_an_activity_that_lasts_too_long_times_out_over_all_its_attempts() -> None:
    given = fail_activity(given_activity_started(schedule_to_close_timeout=20, retry_policy=ask.retry_policy(initial_interval=8)))
    given = start_activity(wait(given, 8))

    given = wait(given, 12)

    kind = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    assert timed_out(given) == (kind, RetryState.RETRY_STATE_TIMEOUT, NO_TIME)
    assert attributes(given, "ACTIVITY_TASK_TIMED_OUT").failure.cause.message == "boom"


def test_an_activity_times_out_even_in_its_backoff() -> None:
    policy = ask.retry_policy(initial_interval=5)
    given = fail_activity(given_activity_started(schedule_to_close_timeout=10, retry_policy=policy), after=4.9)
    assert given.activity.attempt == 2

    given = wait(given, 6)

    assert news(given)[0] == "ACTIVITY_TASK_TIMED_OUT"


def test_an_activity_that_is_silent_times_out_and_keeps_its_last_details() -> None:
    given = given_activity_started(heartbeat_timeout=2, retry_policy=ONCE)
    beat = told(given, t.Heartbeat(activity_token(given), payloads("7"), "worker"), after=1.5)
    assert news(wait(beat, 1.9)) == []

    given = wait(beat, 2)

    kind = TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    assert timed_out(given) == (kind, RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, "activity Heartbeat timeout")
    info = attributes(given, "ACTIVITY_TASK_TIMED_OUT").failure.timeout_failure_info
    assert info.last_heartbeat_details == payloads("7")


def test_of_schedule_to_start_and_schedule_to_close_the_first_is_reported() -> None:
    given = wait(given_activity(schedule_to_close_timeout=5), 5)

    assert timed_out(given)[0] == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START


@pytest.mark.parametrize("fields, span", [({"start_to_close_timeout": 4}, 4), ({"heartbeat_timeout": 2}, 2)])
def test_attempts_that_time_out_are_retried(fields: dict[str, object], span: float) -> None:
    given = wait(given_activity_started(**fields), span)

    assert news(given) == []
    assert (given.activity.attempt, given.activity.started, given.effects) == (2, False, [])
    assert wait(given, 1).effects == [OfferActivity(5, 2, 0, "payments")]


def test_a_timeout_after_a_cancel_request_is_not_retried() -> None:
    given = wait(given_cancel_requested(start_to_close_timeout=4), 4)

    assert timed_out(given)[1] == RetryState.RETRY_STATE_CANCEL_REQUESTED


def test_schedule_to_close_after_a_cancel_request_is_reported_in_its_own_name() -> None:
    given = start_activity(given_activity(schedule_to_close_timeout=4), after=1)
    given = do(told(given, t.Signal("go")), ask.cancel_activity(5))

    given = wait(given, 3)

    kind = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
    assert timed_out(given) == (kind, RetryState.RETRY_STATE_CANCEL_REQUESTED, "activity ScheduleToClose timeout")


def test_a_timeout_that_leaves_no_time_for_a_retry_is_one_of_the_whole_activity() -> None:
    policy = ask.retry_policy(initial_interval=7)
    given = wait(given_activity_started(schedule_to_close_timeout=10, start_to_close_timeout=4, retry_policy=policy), 4)

    kind, state, message = timed_out(given)
    assert (kind, state) == (TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, RetryState.RETRY_STATE_TIMEOUT)
    assert message == NO_TIME


# Retries


def test_a_failed_attempt_backs_off_and_is_offered_again() -> None:
    given = fail_activity(given_activity_started())
    assert news(given) == []
    assert given.effects == []
    assert not given.last.has_work
    assert given.last.due_at == given.now + SECOND

    assert news(wait(given, 0.999)) == []
    given = wait(given, 1)

    assert given.effects == [OfferActivity(5, 2, 0, "payments")]
    assert given.last.has_work


def test_the_backoff_grows_to_its_maximum() -> None:
    policy = ask.retry_policy(initial_interval=1, backoff_coefficient=3, maximum_interval=10)
    given = given_activity_started(retry_policy=policy)
    backoffs = []
    for _ in range(4):
        given = fail_activity(given)
        assert given.last.due_at is not None
        backoffs.append((given.last.due_at - given.now) / SECOND)
        given = start_activity(wait(given, backoffs[-1]))

    assert backoffs == [1, 3, 9, 10]


def test_a_backoff_beyond_all_numbers_is_the_maximum() -> None:
    policy = ask.retry_policy(initial_interval=1, backoff_coefficient=1e300, maximum_interval=10)
    given = given_activity_started(retry_policy=policy)
    for _ in range(3):
        given = fail_activity(given)
        given = start_activity(wait(given, 10))

    assert given.activity.retry_interval == 10 * SECOND


def test_the_delay_that_a_failure_asks_for_replaces_the_backoff_and_its_maximum() -> None:
    given = given_activity_started(retry_policy=ask.retry_policy(initial_interval=1, maximum_interval=2))

    given = fail_activity(given, application_failure(next_retry_delay=30))

    assert given.last.due_at == given.now + 30 * SECOND


def test_a_failure_that_asks_for_no_delay_is_not_retried() -> None:
    given = fail_activity(given_activity_started(), application_failure(next_retry_delay=0))

    assert attributes(given, "ACTIVITY_TASK_FAILED").retry_state == RetryState.RETRY_STATE_TIMEOUT


def test_the_attempt_that_closes_is_the_one_that_is_written() -> None:
    given = start_activity(wait(fail_activity(given_activity_started(), application_failure("first")), 1))

    given = complete_activity(given)

    started = attributes(given, "ACTIVITY_TASK_STARTED")
    assert (started.attempt, started.last_failure.message) == (2, "first")


@pytest.mark.parametrize(
    "policy, failure, state",
    [
        ({"maximum_attempts": 1}, application_failure(), RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED),
        ({}, application_failure(non_retryable=True), RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE),
        ({"non_retryable_error_types": ["Bad"]}, application_failure(kind="Bad"), RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE),
    ],
)
def test_a_failure_that_may_not_be_retried_closes_the_activity(policy: dict[str, object], failure: Failure, state: int) -> None:
    given = fail_activity(given_activity_started(retry_policy=ask.retry_policy(**policy)), failure)

    assert news(given) == ["ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_FAILED", "WORKFLOW_TASK_SCHEDULED"]
    failed = attributes(given, "ACTIVITY_TASK_FAILED")
    assert failed.retry_state == state
    assert failed.failure == failure


def test_a_failure_whose_retry_comes_too_late_stays_a_failure() -> None:
    given = given_activity_started(schedule_to_close_timeout=10, retry_policy=ask.retry_policy(initial_interval=9))

    given = fail_activity(given, after=1.001)

    assert attributes(given, "ACTIVITY_TASK_FAILED").retry_state == RetryState.RETRY_STATE_TIMEOUT


def test_a_retry_may_come_at_the_very_end() -> None:
    given = given_activity_started(schedule_to_close_timeout=10, retry_policy=ask.retry_policy(initial_interval=9))

    assert news(fail_activity(given, after=1)) == []


def test_attempts_are_counted_up_to_the_maximum() -> None:
    given = given_activity_started(retry_policy=ask.retry_policy(maximum_attempts=2))
    given = fail_activity(given)
    assert news(given) == []

    given = fail_activity(start_activity(wait(given, 1)))

    assert attributes(given, "ACTIVITY_TASK_STARTED").attempt == 2
    assert attributes(given, "ACTIVITY_TASK_FAILED").retry_state == RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED


@pytest.mark.parametrize("listed, retried", [("TemporalTimeout:StartToClose", False), ("TemporalTimeout:Heartbeat", True)])
def test_a_timeout_can_be_listed_as_not_to_be_retried(listed: str, retried: bool) -> None:
    policy = ask.retry_policy(non_retryable_error_types=[listed])

    given = wait(given_activity_started(start_to_close_timeout=4, retry_policy=policy), 4)

    assert ("ACTIVITY_TASK_TIMED_OUT" not in news(given)) == retried


def test_details_of_a_failed_attempt_are_there_for_the_next() -> None:
    given = given_activity_started()
    given = told(given, t.Heartbeat(activity_token(given), payloads("7"), "worker"))

    given = start_activity(wait(fail_activity(given), 1))
    assert given.activity.heartbeat_details == payloads("7").SerializeToString()

    last_words = t.FailActivity(activity_token(given), application_failure(), "worker", last_heartbeat_details=payloads("8"))
    assert told(given, last_words).activity.heartbeat_details == payloads("8").SerializeToString()


def test_each_attempt_has_its_own_time_to_start_and_to_close() -> None:
    given = given_activity_started(start_to_close_timeout=4, schedule_to_start_timeout=3)
    given = wait(fail_activity(given, after=3.5), 1)

    assert given.last.due_at == given.now + 3 * SECOND
    assert start_activity(given, after=2).last.due_at == given.now + 6 * SECOND
