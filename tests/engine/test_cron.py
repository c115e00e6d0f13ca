"""Cron schedules: when the next slot is, and the chain of runs that they make."""

from datetime import datetime

import pytest
from temporalio.api.common.v1 import Memo
from temporalio.api.enums.v1 import ContinueAsNewInitiator, RetryState

from outlast.engine import triggers as t
from outlast.engine.cron import check_cron, next_backoff
from outlast.engine.limits import SECOND
from outlast.engine.refusals import InvalidArgument
from tests.engine import ask
from tests.engine.given import NOON, Given, attributes, do, given_started, news, payload, payloads, taken, told, wait


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * SECOND


def next_slot(schedule: str, now: str) -> int:
    return moment(now) + next_backoff(schedule, moment(now), moment(now))


@pytest.mark.parametrize(
    "schedule, now, slot",
    [
        ("0 13 * * *", "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"),
        ("0 12 * * *", "2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z"),  # strictly later
        ("*/15 * * * *", "2026-01-01T12:14:59Z", "2026-01-01T12:15:00Z"),
        ("0 0 29 2 *", "2026-01-01T12:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 * * 1-5", "2026-01-02T12:00:00Z", "2026-01-05T00:00:00Z"),
        ("0 0 1 JAN *", "2026-01-02T12:00:00Z", "2027-01-01T00:00:00Z"),
        ("@hourly", "2026-01-01T12:30:00Z", "2026-01-01T13:00:00Z"),
        ("@daily", "2026-01-01T12:30:00Z", "2026-01-02T00:00:00Z"),
        ("@weekly", "2026-01-01T12:30:00Z", "2026-01-04T00:00:00Z"),
        ("@monthly", "2026-01-01T12:30:00Z", "2026-02-01T00:00:00Z"),
        ("@yearly", "2026-01-01T12:30:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_the_next_slot_is_found(schedule: str, now: str, slot: str) -> None:
    assert next_slot(schedule, now) == moment(slot)


@pytest.mark.parametrize(
    "schedule",
    [
        "@every 9999999999999h",
        "* * * * 7",
        "0 0 L * *",
        "* * * * 1#2",
        "* * * * * *",
        "60 * * * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "*-5 * * * *",
        "CRON_TZ=Nowhere * * * * *",
    ],
)
def test_what_the_reference_server_refuses_is_refused(schedule: str) -> None:
    with pytest.raises(InvalidArgument):
        check_cron(schedule)


@pytest.mark.parametrize("schedule", ["0 0 31 2,4 *", "0 0 30 FEB *", "0 0 31 11 ?"])
def test_a_day_that_no_month_has_never_comes(schedule: str) -> None:
    with pytest.raises(InvalidArgument, match="no time can be found"):
        check_cron(schedule)


def test_the_odd_forms_that_the_reference_server_takes_are_taken() -> None:
    assert next_slot("? * * * *", "2026-01-01T12:00:00Z") == moment("2026-01-01T12:01:00Z")
    assert next_slot("1,,2 * * * *", "2026-01-01T12:00:00Z") == moment("2026-01-01T12:01:00Z")
    assert next_slot("50/5 * * * *", "2026-01-01T12:51:00Z") == moment("2026-01-01T12:55:00Z")


def test_day_and_weekday_are_alternatives_unless_one_is_a_bare_star() -> None:
    assert next_slot("0 0 */2 * 1", "2026-11-25T18:00:00Z") == moment("2026-11-27T00:00:00Z")
    assert next_slot("0 0 13 * 5", "2026-11-07T00:00:00Z") == moment("2026-11-13T00:00:00Z")
    assert next_slot("0 0 * * 1", "2026-11-25T18:00:00Z") == moment("2026-11-30T00:00:00Z")


def test_a_time_that_daylight_saving_leaves_out_does_not_come() -> None:
    schedule = "CRON_TZ=America/New_York 30 2 14 3 *"

    assert next_slot(schedule, "2026-11-25T18:00:00Z") == moment("2028-03-14T06:30:00Z")


def test_a_time_that_daylight_saving_repeats_comes_twice() -> None:
    schedule = "CRON_TZ=Europe/Berlin 30 2 * * *"
    first = moment("2026-10-25T02:30:00+02:00")

    assert next_slot(schedule, "2026-10-24T12:00:00+02:00") == first
    assert next_slot(schedule, "2026-10-25T02:30:00+02:00") == first + 3600 * SECOND


def test_a_nanosecond_before_the_slot_is_before_the_slot() -> None:
    noon = moment("2026-01-01T12:00:00Z")

    assert next_backoff("0 12 * * *", noon - 1, noon - 1) == SECOND


@pytest.mark.parametrize("prefix", ["CRON_TZ=", "TZ="])
def test_a_schedule_may_be_in_a_time_zone(prefix: str) -> None:
    assert next_slot(f"{prefix}Europe/Berlin 0 8 * * *", "2026-01-01T12:00:00Z") == moment("2026-01-02T08:00:00+01:00")
    assert next_slot(f"{prefix}Europe/Berlin 0 8 * * *", "2026-07-01T12:00:00Z") == moment("2026-07-02T08:00:00+02:00")


@pytest.mark.parametrize(
    "now, slot",
    [
        ("2026-03-28T09:00:00+01:00", "2026-03-29T08:00:00+02:00"),  # 23 hours later
        ("2026-10-24T09:00:00+02:00", "2026-10-25T08:00:00+01:00"),  # 24 hours later
    ],
)
def test_the_clock_of_the_zone_counts_across_a_change_of_time(now: str, slot: str) -> None:
    assert next_slot("CRON_TZ=Europe/Berlin 0 8 * * *", now) == moment(slot)


def test_an_hourly_schedule_fires_in_both_of_two_equal_hours() -> None:
    first = moment("2026-10-25T02:30:00+02:00")

    assert next_slot("CRON_TZ=Europe/Berlin 30 * * * *", "2026-10-25T02:30:00+02:00") == first + 3600 * SECOND


def test_the_backoff_is_rounded_up_to_whole_seconds() -> None:
    assert next_backoff("* * * * *", NOON, NOON + SECOND // 4) == 60 * SECOND


@pytest.mark.parametrize(
    "schedule, now, backoff",
    [
        ("@every 5s", 0, 5),
        ("@every 5s", 12, 3),
        ("@every 5s", 10, 5),
        ("@every 1h30m", 60, 5340),
        ("@every 1ms", 0, 1),
        ("@every 90m", 0, 5400),
    ],
)
def test_an_interval_counts_from_its_start(schedule: str, now: float, backoff: int) -> None:
    assert next_backoff(schedule, NOON, NOON + round(now * SECOND)) == backoff * SECOND


@pytest.mark.parametrize(
    "schedule",
    [
        "never",
        "60 * * * *",
        "* * * *",
        "@every",
        "@every x",
        "@every 5",
        "@every 1d",
        "@reboot",
        "CRON_TZ=Nowhere * * * * *",
        "5-1 * * * *",
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused(schedule: str) -> None:
    with pytest.raises(InvalidArgument, match=r"invalid CronSchedule\."):
        check_cron(schedule)


@pytest.mark.parametrize("schedule", ["0 0 30 2 *", "0 0 31 4 *"])
def test_a_schedule_that_never_fires_is_refused(schedule: str) -> None:
    with pytest.raises(InvalidArgument, match="no time can be found to satisfy the schedule"):
        check_cron(schedule)


def test_no_schedule_is_fine() -> None:
    check_cron("")


# The chain


def given_cron(**fields: object) -> Given:
    """The first run of `0 * * * *`, whose first workflow task is scheduled: it is one o'clock."""
    memo = Memo(fields={"k": payload("1")})
    given = given_started(cron_schedule="0 * * * *", input=payloads("1"), memo=memo, **fields)
    assert news(given) == ["WORKFLOW_EXECUTION_STARTED"]
    return wait(given, 3600)


def following(given: Given) -> Given:
    return taken(given.successor, given.now)


def started(given: Given):  # type: ignore[no-untyped-def]
    return attributes(given, "WORKFLOW_EXECUTION_STARTED")


def test_the_first_run_waits_for_its_slot() -> None:
    given = given_cron()

    assert news(given) == ["WORKFLOW_TASK_SCHEDULED"]
    assert given.run.execution_time == NOON + 3600 * SECOND
    assert started(given).initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE


def test_a_run_that_completes_is_followed_in_the_next_slot_and_hands_its_result_on() -> None:
    given = do(given_cron(), ask.completed("7"), after=600)
    new = following(given)

    assert attributes(given, "WORKFLOW_EXECUTION_COMPLETED").new_execution_run_id == new.run.run_id
    first = started(new)
    assert (first.initiator, first.attempt) == (ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE, 1)
    assert (first.input, first.last_completion_result, first.memo.fields["k"].data) == (payloads("1"), payloads("7"), b"1")
    assert new.last.due_at == NOON + 7200 * SECOND


def test_a_run_that_misses_slots_is_followed_in_the_next_one() -> None:
    new = following(do(given_cron(), ask.completed(), after=5000))

    assert new.last.due_at == NOON + 3 * 3600 * SECOND


def test_a_run_that_fails_is_followed_and_the_last_result_is_kept() -> None:
    second = wait(following(do(given_cron(), ask.completed("7"))), 3600)

    given = do(second, ask.failed())
    third = started(following(given))

    assert attributes(given, "WORKFLOW_EXECUTION_FAILED").retry_state == RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET
    assert third.last_completion_result == payloads("7")
    assert third.continued_failure.message == "boom"


def test_retries_come_before_the_next_slot() -> None:
    given = do(given_cron(retry_policy=ask.retry_policy(maximum_attempts=2)), ask.failed())
    retried = following(given)
    assert started(retried).initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY

    given = do(wait(retried, 1), ask.failed())
    next_slot_run = started(following(given))
    assert next_slot_run.initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
    assert next_slot_run.attempt == 1
    assert attributes(given, "WORKFLOW_EXECUTION_FAILED").retry_state == RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED


def test_a_run_that_times_out_is_followed() -> None:
    given = wait(given_cron(workflow_run_timeout=60), 60)

    assert started(following(given)).continued_failure.message == "workflow timeout"


def test_a_canceled_or_terminated_run_ends_the_chain() -> None:
    assert do(given_cron(), ask.canceled()).last.successor is None
    assert told(given_cron(), t.Terminate("enough", "client")).last.successor is None


def test_the_end_of_the_execution_ends_the_chain() -> None:
    given = do(given_cron(workflow_execution_timeout=7199), ask.completed())

    assert given.last.successor is None
    assert not attributes(given, "WORKFLOW_EXECUTION_COMPLETED").new_execution_run_id


def test_an_interval_schedule_counts_from_the_run_before() -> None:
    given = wait(given_started(cron_schedule="@every 10s"), 10)

    new = following(do(given, ask.completed(), after=13))

    assert new.last.due_at == NOON + 30 * SECOND
