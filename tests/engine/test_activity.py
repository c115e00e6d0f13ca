"""Activities: scheduled with every timeout filled in, started at most once, answered, forgotten."""

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Priority
from temporalio.api.enums.v1 import CommandType, RetryState, WorkflowTaskFailedCause
from temporalio.api.taskqueue.v1 import TaskQueue

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.limits import SECOND
from outlast.engine.refusals import InvalidArgument, NotFound
from outlast.engine.transition import OfferActivity
from tests.engine import ask
from tests.engine.given import (
    Given,
    activity_token,
    attributes,
    complete,
    complete_activity,
    do,
    fail_activity,
    given_started,
    last_event,
    news,
    payloads,
    refused,
    start_activity,
    told,
    with_workflow_task_started,
)

Cause = WorkflowTaskFailedCause
GONE = "invalid activityID or activity already timed out or invoking workflow is completed"


def given_activity(**fields: object) -> Given:
    """A run with one activity, scheduled by event 5."""
    return do(given_started(), ask.activity(**fields))


def given_activity_started(**fields: object) -> Given:
    return start_activity(given_activity(**fields))


def test_an_activity_is_offered_on_its_queue_with_the_default_retry_policy() -> None:
    given = given_activity()

    assert given.effects == [OfferActivity(5, 1, 0, "payments")]
    policy = attributes(given, "ACTIVITY_TASK_SCHEDULED").retry_policy
    assert (policy.initial_interval.seconds, policy.backoff_coefficient, policy.maximum_interval.seconds) == (1, 2.0, 100)
    assert policy.maximum_attempts == 0


@pytest.mark.parametrize(
    "run_timeout, asked, filled",  # filled: schedule to close, schedule to start, start to close, heartbeat
    [
        (0, {"start_to_close_timeout": 10}, (0, 0, 10, 0)),
        (60, {"start_to_close_timeout": 10}, (60, 60, 10, 0)),
        (60, {"start_to_close_timeout": 100}, (60, 60, 60, 0)),
        (0, {"schedule_to_close_timeout": 30}, (30, 30, 30, 0)),
        (20, {"schedule_to_close_timeout": 30}, (20, 20, 20, 0)),
        (0, {"schedule_to_close_timeout": 30, "start_to_close_timeout": 50, "schedule_to_start_timeout": 40}, (30, 30, 30, 0)),
        (0, {"schedule_to_close_timeout": 30, "start_to_close_timeout": 5, "schedule_to_start_timeout": 4}, (30, 4, 5, 0)),
        (0, {"start_to_close_timeout": 10, "heartbeat_timeout": 3}, (0, 0, 10, 3)),
        (0, {"start_to_close_timeout": 10, "heartbeat_timeout": 30}, (0, 0, 10, 10)),
    ],
)
def test_timeouts_are_filled_in_and_capped(run_timeout: int, asked: dict[str, object], filled: tuple[int, ...]) -> None:
    started = given_started(workflow_run_timeout=run_timeout)

    scheduled = attributes(do(started, ask.activity(**asked)), "ACTIVITY_TASK_SCHEDULED")

    spans = ("schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout", "heartbeat_timeout")
    assert tuple(getattr(scheduled, span).seconds for span in spans) == filled
    assert all(scheduled.HasField(span) for span in spans)


@pytest.mark.parametrize(
    "fields, text",
    [
        ({"task_queue": None}, "taskQueue is not set"),
        ({"task_queue": TaskQueue()}, "missing task queue name"),
        ({"activity_id": ""}, "activityId is not set"),
        ({"activity_type": None}, "activityType is not set"),
        ({"start_to_close_timeout": 0}, "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity."),
        ({"start_to_close_timeout": -1}, "invalid StartToCloseTimeout: negative duration"),
        ({"heartbeat_timeout": -1}, "invalid HeartbeatTimeout: negative duration"),
        ({"activity_id": "a" * 1001}, "activityId exceeds length limit. Length=1001 Limit=1000"),
        ({"priority": Priority(priority_key=-1)}, "invalid priorities: priority key can't be negative"),
        ({"priority": Priority(fairness_key="k" * 65)}, "invalid priorities: fairness key length exceeds limit"),
        ({"retry_policy": ask.retry_policy(backoff_coefficient=0.5)}, "BackoffCoefficient cannot be less than 1 on retry policy."),
    ],
)
def test_a_bad_schedule_fails_the_workflow_task(fields: dict[str, object], text: str) -> None:
    given = do(given_started(), ask.activity(**fields))

    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert failed.cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES
    assert failed.failure.message.startswith(f"BadScheduleActivityAttributes: {text}")
    assert not given.execution.activities


def test_a_command_without_attributes_fails_the_workflow_task() -> None:
    given = do(given_started(), Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK))

    assert "is not set on ScheduleActivityTaskCommand." in attributes(given, "WORKFLOW_TASK_FAILED").failure.message


def test_an_activity_id_is_free_again_once_the_activity_has_closed() -> None:
    given = do(given_started(), ask.activity("a"), ask.activity("a"))
    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID

    again = do(complete_activity(given_activity_started()), ask.activity("a"))
    assert news(again) == ["WORKFLOW_TASK_COMPLETED", "ACTIVITY_TASK_SCHEDULED"]


def test_no_more_activities_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_ACTIVITIES_MAX", 2)
    assert len(do(given_started(), ask.activity("a"), ask.activity("b")).execution.activities) == 2

    given = do(given_started(), ask.activity("a"), ask.activity("b"), ask.activity("c"))

    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED


def test_an_input_that_is_too_large_terminates_the_run() -> None:
    given = given_activity(input=payloads("x" * limits.BLOB_BYTES_MAX))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_TERMINATED"]
    assert "Input exceeds size limit." in attributes(given, "WORKFLOW_EXECUTION_TERMINATED").reason
    assert given.effects == []


# Starting


def test_an_attempt_is_given_to_one_poller_and_writes_nothing() -> None:
    given = start_activity(given_activity(), after=2)

    assert news(given) == []
    assert given.last.changed
    assert given.activity.started_time == given.now
    assert not given.last.has_work


def test_the_same_poll_starts_an_attempt_once() -> None:
    given = start_activity(given_activity())

    again = start_activity(given, after=2)

    assert not again.last.changed
    assert again.activity.started_time == given.now


@pytest.mark.parametrize("field, value", [("scheduled_event_id", 4), ("attempt", 2), ("stamp", 1), ("request_id", "another")])
def test_a_poll_for_another_attempt_is_refused(field: str, value: object) -> None:
    fields = {"scheduled_event_id": 5, "attempt": 1, "stamp": 0, "request_id": "poll", "identity": "worker"}

    refusal = refused(given_activity_started(), t.StartActivity(**{**fields, field: value}))

    assert (type(refusal), refusal.message) == (NotFound, GONE)


def test_an_attempt_whose_poller_is_gone_is_offered_again() -> None:
    given = told(given_activity_started(), t.ReleaseActivity(5, 1, "poll"))

    assert given.effects == [OfferActivity(5, 1, 0, "payments")]
    assert not given.activity.started
    assert start_activity(given, request_id="another").activity.request_id == "another"


@pytest.mark.parametrize("release", [t.ReleaseActivity(5, 1, "another"), t.ReleaseActivity(5, 2, "poll"), t.ReleaseActivity(4, 1, "poll")])
def test_only_the_poller_that_has_an_attempt_gives_it_back(release: t.ReleaseActivity) -> None:
    given = told(given_activity_started(), release)

    assert not given.last.changed
    assert given.activity.started


def test_an_activity_of_a_closed_run_cannot_be_started() -> None:
    given = do(given_started(), ask.activity(), ask.timer(span=0))
    given = do(told(given, t.TimersDue()), ask.completed())

    assert refused(given, t.StartActivity(5, 1, 0, "poll", "worker")).message == GONE


def test_an_eager_activity_is_started_for_the_worker_on_the_line_and_offered_to_nobody() -> None:
    given = do(given_started(), ask.activity("a", request_eager_execution=True), ask.activity("b"))

    assert given.last.eager_activities == [5]
    assert given.effects == [OfferActivity(6, 1, 0, "payments")]
    eager = given.execution.activities[5]
    assert (eager.started, eager.identity, eager.request_id) == (True, "worker", "completion-request")
    assert news(complete_activity(given, eager))[1] == "ACTIVITY_TASK_COMPLETED"


def test_an_eager_activity_of_a_workflow_that_is_held_waits_like_all_others() -> None:
    given = told(with_workflow_task_started(given_started()), t.PauseWorkflow("operator", "look", "one"))

    given = complete(given, ask.activity(request_eager_execution=True))
    assert (given.last.eager_activities, given.activity.started, given.effects) == ([], False, [])

    assert told(given, t.UnpauseWorkflow("operator", "on", "two")).effects[0] == OfferActivity(5, 1, 0, "payments")


def test_an_eager_activity_that_is_canceled_at_once_is_not_started() -> None:
    given = do(given_started(), ask.activity(request_eager_execution=True), ask.cancel_activity(5))

    assert given.last.eager_activities == []


# Answers


def test_a_completion_writes_the_start_of_the_attempt_and_its_end() -> None:
    given = start_activity(given_activity(), after=2)
    started_at = given.now

    given = complete_activity(given, after=3)

    assert news(given) == ["ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED", "WORKFLOW_TASK_SCHEDULED"]
    started = last_event(given, "ACTIVITY_TASK_STARTED")
    assert started.event_time.ToNanoseconds() == started_at
    assert started.activity_task_started_event_attributes.identity == "activity worker"
    assert attributes(given, "ACTIVITY_TASK_COMPLETED").started_event_id == started.event_id
    assert not given.execution.activities


def answers(token: t.ActivityToken) -> list[t.Trigger]:
    return [
        t.CompleteActivity(token, None, "worker"),
        t.FailActivity(token, None, "worker"),
        t.CancelActivity(token, None, "worker"),
        t.Heartbeat(token, None, "worker"),
    ]


@pytest.mark.parametrize("kind", range(4))
def test_an_answer_for_an_attempt_that_is_over_is_refused(kind: int) -> None:
    given = given_activity_started()
    stale = answers(activity_token(given))[kind]

    assert refused(complete_activity(given), stale).message == GONE
    assert refused(fail_activity(given), stale).message == GONE
    assert refused(given_activity(), stale).message == GONE


@pytest.mark.parametrize("kind", range(4))
def test_an_answer_for_a_closed_run_is_refused(kind: int) -> None:
    given = given_activity_started()
    closed = told(given, t.Terminate("enough", "client"))

    assert refused(closed, answers(activity_token(given))[kind]).message == "workflow execution already completed"


def test_an_answer_by_id_needs_no_token() -> None:
    given = told(given_activity_started(), t.CompleteActivity(t.ActivityToken(activity_id="a"), None, "client"))

    assert news(given)[:2] == ["ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED"]


def test_a_completion_by_id_works_before_any_worker_has_started() -> None:
    given = told(given_activity(), t.CompleteActivity(t.ActivityToken(activity_id="a"), None, "client"))

    assert attributes(given, "ACTIVITY_TASK_STARTED").identity == "client"


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_other_answers_by_id_need_a_started_attempt(kind: int) -> None:
    assert refused(given_activity(), answers(t.ActivityToken(activity_id="a"))[kind]).message == GONE


@pytest.mark.parametrize("kind", range(4))
def test_an_answer_by_an_unknown_id_says_which(kind: int) -> None:
    refusal = refused(given_activity_started(), answers(t.ActivityToken(activity_id="zzz"))[kind])

    assert refusal.message == "cannot find pending activity with ActivityID zzz, check workflow execution history for more details"


def test_a_result_that_is_too_large_fails_the_activity_for_good() -> None:
    given = given_activity_started()

    given = told(given, t.CompleteActivity(activity_token(given), payloads("x" * limits.BLOB_BYTES_MAX), "worker"))

    failed = attributes(given, "ACTIVITY_TASK_FAILED")
    assert failed.failure.message == "Complete result exceeds size limit."
    assert failed.retry_state == RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE


# Cancelling


def test_cancelling_an_activity_that_has_not_started_closes_it_after_all_other_commands() -> None:
    given = do(told(given_activity(), t.Signal("go")), ask.cancel_activity(5), ask.timer())

    assert news(given) == [
        "WORKFLOW_TASK_COMPLETED",
        "ACTIVITY_TASK_CANCEL_REQUESTED",
        "TIMER_STARTED",
        "ACTIVITY_TASK_CANCELED",
        "WORKFLOW_TASK_SCHEDULED",
    ]
    canceled = attributes(given, "ACTIVITY_TASK_CANCELED")
    assert canceled.details.payloads[0].data == b'"ACTIVITY_ID_NOT_STARTED"'
    assert (canceled.started_event_id, canceled.latest_cancel_requested_event_id, canceled.identity) == (0, 10, "worker")


def test_cancelling_an_activity_that_backs_off_closes_it() -> None:
    given = do(told(fail_activity(given_activity_started()), t.Signal("go")), ask.cancel_activity(5))

    assert "ACTIVITY_TASK_CANCELED" in news(given)


def given_cancel_requested(**fields: object) -> Given:
    return do(told(given_activity_started(**fields), t.Signal("go")), ask.cancel_activity(5))


def test_a_started_activity_learns_of_its_cancellation_by_heartbeat_and_may_agree() -> None:
    given = given_cancel_requested()
    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "ACTIVITY_TASK_CANCEL_REQUESTED"]

    beat = told(given, t.Heartbeat(activity_token(given), None, "worker"))
    assert beat.last.cancel_requested

    given = told(beat, t.CancelActivity(activity_token(given), payloads("1"), "worker"))
    assert news(given) == ["ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_CANCELED", "WORKFLOW_TASK_SCHEDULED"]
    assert attributes(given, "ACTIVITY_TASK_CANCELED").latest_cancel_requested_event_id == 10


def test_a_started_activity_may_complete_in_spite_of_its_cancellation() -> None:
    assert "ACTIVITY_TASK_COMPLETED" in news(complete_activity(given_cancel_requested()))


def test_a_failure_after_a_cancel_request_is_not_retried() -> None:
    given = fail_activity(given_cancel_requested())

    assert attributes(given, "ACTIVITY_TASK_FAILED").retry_state == RetryState.RETRY_STATE_CANCEL_REQUESTED


def test_an_activity_that_was_not_asked_to_stop_cannot_report_that_it_was_canceled() -> None:
    given = given_activity_started()

    refusal = refused(given, t.CancelActivity(activity_token(given), None, "worker"))

    assert isinstance(refusal, InvalidArgument)


@pytest.mark.parametrize("scheduled_event_id", [5, 99, 0])
def test_a_cancel_of_an_unknown_or_canceled_activity_fails_the_workflow_task(scheduled_event_id: int) -> None:
    given = do(told(given_cancel_requested(), t.Signal("go")), ask.cancel_activity(scheduled_event_id))

    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES


def test_a_cancel_that_crosses_a_buffered_completion_stands_before_it() -> None:
    given = with_workflow_task_started(told(given_activity_started(), t.Signal("go")))

    given = complete(complete_activity(given), ask.cancel_activity(5))

    assert news(given)[1:4] == ["ACTIVITY_TASK_CANCEL_REQUESTED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED"]


# Heartbeats


def test_a_heartbeat_is_kept_and_one_without_details_wipes_the_details() -> None:
    given = given_activity_started()
    beat = told(given, t.Heartbeat(activity_token(given), payloads("7"), "worker"), after=2)
    assert beat.activity.last_heartbeat_time == given.now + 2 * SECOND
    assert beat.activity.heartbeat_details == payloads("7").SerializeToString()
    assert not beat.last.cancel_requested

    wiped = told(beat, t.Heartbeat(activity_token(given), None, "worker"))
    assert wiped.activity.heartbeat_details == b""


def test_heartbeat_details_that_are_too_large_fail_the_activity() -> None:
    given = given_activity_started()

    given = told(given, t.Heartbeat(activity_token(given), payloads("x" * limits.BLOB_BYTES_MAX), "worker"))

    assert given.last.cancel_requested
    failed = attributes(given, "ACTIVITY_TASK_FAILED")
    assert failed.failure.message == "Heartbeat details exceed size limit."
    assert failed.failure.server_failure_info.non_retryable
