"""Operators and activities: pause, unpause, reset, new options."""

import json

import pytest
from temporalio.api.common.v1 import ActivityType, Payload, Priority, RetryPolicy
from temporalio.api.enums.v1 import RetryState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import UpdateActivityOptionsRequest

from outlast.engine import triggers as t
from outlast.engine.limits import SECOND
from outlast.engine.refusals import FailedPrecondition, InvalidArgument, NotFound
from outlast.engine.transition import OfferActivity
from outlast.engine.work import pending_work
from tests.engine import ask
from tests.engine.given import (
    Given,
    activity_token,
    application_failure,
    attributes,
    complete_activity,
    do,
    fail_activity,
    given_started,
    news,
    payloads,
    refused,
    seconds,
    start_activity,
    told,
    wait,
)
from tests.engine.test_activity import given_activity, given_activity_started, given_cancel_requested

NO_SUCH = "Can't find pending activity with such ID. Invalid activityID or activity already completed"
SLOW = ask.retry_policy(initial_interval=60, backoff_coefficient=1, maximum_attempts=5)
EVERY = [
    ask.pause,
    ask.unpause,
    ask.reset,
    lambda **which: ask.new_options("heartbeat_timeout", heartbeat_timeout=3, **which),
]


def given_backing_off(**fields: object) -> Given:
    return fail_activity(given_activity_started(**({"retry_policy": SLOW} | fields)), application_failure("first"))


def beat(given: Given, details: str = "7") -> Given:
    return told(given, t.Heartbeat(activity_token(given), payloads(details), "worker"))


def flags(given: Given) -> tuple[bool, bool, bool]:
    """What the last heartbeat was answered: cancel, paused, reset."""
    return given.last.cancel_requested, given.last.activity_paused, given.last.activity_reset


def pause_info(given: Given) -> list[str]:
    data = given.execution.search_attributes.get("TemporalPauseInfo")
    return json.loads(Payload.FromString(data).data) if data else []


def offers(given: Given) -> list[int]:
    return [effect.scheduled_event_id for effect in given.effects if isinstance(effect, OfferActivity)]


# Which


@pytest.mark.parametrize("wish", EVERY)
@pytest.mark.parametrize("which", [{"id": "nobody"}, {"type": "Nothing"}, {"id": ""}])
def test_a_wish_about_an_activity_that_is_not_there_is_refused(wish, which) -> None:  # type: ignore[no-untyped-def]
    refusal = refused(given_activity(), wish(**which))

    assert (type(refusal), refusal.message) == (NotFound, NO_SUCH)


@pytest.mark.parametrize("wish", EVERY)
def test_a_wish_about_a_closed_run_is_refused(wish) -> None:  # type: ignore[no-untyped-def]
    closed = told(given_activity(), t.Terminate("enough", "client"))

    assert refused(closed, wish()).message == "workflow execution already completed"


@pytest.mark.parametrize("wish", [ask.unpause(unpause_all=True), ask.reset(match_all=True), ask.original_options(match_all=True)])
def test_all_of_no_activities_is_refused(wish: t.Trigger) -> None:
    assert refused(given_started(), wish).message == NO_SUCH


def test_a_type_names_every_activity_of_it() -> None:
    other = ActivityType(name="Refund")
    given = do(given_started(), ask.activity("a"), ask.activity("b"), ask.activity("c", activity_type=other))

    given = told(given, ask.pause(type="Charge"))
    assert [activity.paused for activity in given.execution.activities.values()] == [True, True, False]

    given = told(told(given, ask.pause(id="c")), ask.unpause(unpause_all=True))
    assert offers(given) == [5, 6, 7]


@pytest.mark.parametrize("wish", [*(wish() for wish in EVERY), ask.original_options()])
def test_no_wish_writes_an_event(wish: t.Trigger) -> None:
    assert news(told(told(given_activity(), ask.pause()), wish)) == []


# Pause


def test_a_paused_activity_is_not_handed_out() -> None:
    given = given_activity()
    paused = told(given, ask.pause(identity="operator", reason="look"))

    assert (paused.effects, paused.last.has_work, pending_work(paused.execution)) == ([], False, [])
    assert isinstance(refused(paused, t.StartActivity(5, 1, given.activity.stamp, "poll", "worker")), NotFound)
    assert isinstance(refused(paused, t.StartActivity(5, 1, paused.activity.stamp + 1, "poll", "worker")), NotFound)
    assert paused.activity.pause is not None
    assert (paused.activity.pause.time, paused.activity.pause.identity, paused.activity.pause.reason) == (paused.now, "operator", "look")


def test_a_pause_is_repeated_by_its_request_id_only() -> None:
    given = told(given_activity(), ask.pause(request_id="one"))

    assert not told(given, ask.pause(request_id="one")).last.changed
    refusal = refused(given, ask.pause(request_id="two"))
    assert (type(refusal), refusal.message) == (FailedPrecondition, "activity is already paused")


def test_a_pause_that_one_activity_refuses_pauses_none() -> None:
    given = told(do(given_started(), ask.activity("a"), ask.activity("b")), ask.pause(id="b", request_id="one"))

    refused(given, ask.pause(type="Charge", request_id="two"))

    assert [activity.paused for activity in given.execution.activities.values()] == [False, True]


def test_a_running_attempt_hears_of_the_pause_and_may_complete() -> None:
    given = told(given_activity_started(), ask.pause())

    assert flags(beat(given)) == (False, True, False)
    assert "ACTIVITY_TASK_COMPLETED" in news(complete_activity(given))


def test_the_timers_of_a_paused_activity_stand_still() -> None:
    waits = told(given_activity(schedule_to_start_timeout=3, schedule_to_close_timeout=9), ask.pause())
    runs = told(given_activity_started(start_to_close_timeout=4, heartbeat_timeout=2), ask.pause())

    assert (waits.last.due_at, runs.last.due_at) == (None, None)
    assert news(wait(runs, 30)) == []


def test_a_timer_that_was_missed_in_the_pause_fires_after_it() -> None:
    given = told(given_activity_started(start_to_close_timeout=4, retry_policy=ask.retry_policy(maximum_attempts=1)), ask.pause())

    given = wait(told(given, ask.unpause(), after=10), 0)

    assert "ACTIVITY_TASK_TIMED_OUT" in news(given)


@pytest.mark.parametrize("policy", [SLOW, ask.retry_policy(maximum_attempts=1)])
def test_an_attempt_that_fails_in_the_pause_is_followed_by_another(policy: RetryPolicy) -> None:
    given = fail_activity(told(given_activity_started(retry_policy=policy), ask.pause()))

    assert (news(given), given.effects, given.last.due_at) == ([], [], None)
    assert (given.activity.attempt, given.activity.paused) == (2, True)
    assert told(given, ask.unpause()).effects == [OfferActivity(5, 2, given.activity.stamp + 1, "payments")]


def test_a_failure_for_good_closes_a_paused_activity() -> None:
    given = fail_activity(told(given_activity_started(), ask.pause()), application_failure(non_retryable=True))

    assert attributes(given, "ACTIVITY_TASK_FAILED").retry_state == RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE


def test_a_failure_after_a_cancel_request_closes_a_paused_activity() -> None:
    given = told(given_cancel_requested(), ask.pause())
    assert flags(beat(given)) == (True, True, False)

    assert attributes(fail_activity(given), "ACTIVITY_TASK_FAILED").retry_state == RetryState.RETRY_STATE_CANCEL_REQUESTED


def test_an_attempt_whose_poller_is_gone_waits_when_it_is_paused_meanwhile() -> None:
    given = told(told(given_activity_started(), ask.pause()), t.ReleaseActivity(5, 1, "poll"))

    assert (given.activity.started, given.effects, given.last.has_work) == (False, [], False)


def test_paused_types_are_found_by_a_search_attribute() -> None:
    other = ActivityType(name="Refund")
    given = do(given_started(), ask.activity("a"), ask.activity("b"), ask.activity("c", activity_type=other))

    given = told(told(told(given, ask.pause(id="a")), ask.pause(id="b")), ask.pause(id="c"))
    assert pause_info(given) == ["property:activityType=Charge", "property:activityType=Refund"]
    assert given.last.visible

    given = told(told(given, ask.unpause(id="a")), ask.reset(id="c"))
    assert pause_info(given) == ["property:activityType=Charge"]
    assert pause_info(told(given, ask.unpause(id="b"))) == []


def test_a_workflow_that_is_held_says_so_beside_its_paused_activities() -> None:
    given = told(told(given_activity(), t.PauseWorkflow("operator", "look", "one")), ask.pause())
    assert pause_info(given) == ["Workflow:order", "Reason:look", "property:activityType=Charge"]

    assert pause_info(told(given, ask.unpause())) == ["Workflow:order", "Reason:look"]
    assert pause_info(told(given, t.UnpauseWorkflow("operator", "on", "two"))) == ["property:activityType=Charge"]


# Unpause


def test_an_unpaused_activity_is_offered_without_the_rest_of_its_backoff() -> None:
    given = told(told(given_backing_off(), ask.pause()), ask.unpause(), after=1)

    assert given.effects == [OfferActivity(5, 2, given.activity.stamp, "payments")]
    assert given.activity.attempt_scheduled_time == given.now
    assert given.activity.last_failure == b""


def test_an_activity_that_is_not_paused_is_left_alone_by_an_unpause() -> None:
    given = told(given_backing_off(), ask.unpause(reset_attempts=True, reset_heartbeat=True))

    assert not given.last.changed


def test_an_unpause_resets_what_it_is_asked_to() -> None:
    given = told(fail_activity(beat(given_activity_started(retry_policy=SLOW))), ask.pause())

    kept = told(given, ask.unpause()).activity
    assert (kept.attempt, kept.heartbeat_details) == (2, payloads("7").SerializeToString())
    assert told(given, ask.unpause(reset_attempts=True)).activity.attempt == 1
    assert told(given, ask.unpause(reset_heartbeat=True)).activity.heartbeat_details == b""


def test_a_running_attempt_that_is_unpaused_goes_on() -> None:
    given = told(told(given_activity_started(), ask.pause()), ask.unpause())

    assert given.effects == []
    assert flags(beat(given)) == (False, False, False)


@pytest.mark.parametrize("wish", [ask.unpause, ask.reset])
def test_with_a_jitter_the_attempts_wait_for_less_than_it_and_not_alike(wish) -> None:  # type: ignore[no-untyped-def]
    given = do(given_started(), ask.activity("a"), ask.activity("b"))

    given = told(told(given, ask.pause(type="Charge")), wish(type="Charge", jitter=seconds(10)))

    waits = [activity.attempt_scheduled_time - given.now for activity in given.execution.activities.values()]
    assert all(0 < span < 10 * SECOND for span in waits)
    assert waits[0] != waits[1]
    assert given.effects == []
    assert sorted(offers(wait(given, 10))) == [5, 6]


def test_a_negative_jitter_is_none() -> None:
    assert offers(told(given_activity(), ask.reset(jitter=seconds(-1)))) == [5]


# Reset


def test_a_reset_begins_with_the_first_attempt_at_once() -> None:
    given = told(given_backing_off(), ask.reset())

    assert given.effects == [OfferActivity(5, 1, given.activity.stamp, "payments")]
    assert flags(beat(start_activity(given))) == (False, False, False)


def test_a_running_attempt_hears_of_the_reset_until_it_ends() -> None:
    given = told(given_activity_started(retry_policy=SLOW), ask.reset())
    assert given.effects == []
    assert flags(beat(given)) == (False, False, True)

    again = start_activity(wait(fail_activity(given), 60))
    assert flags(beat(again)) == (False, False, False)


def test_the_worker_of_a_later_attempt_is_not_heard_after_a_reset() -> None:
    given = start_activity(wait(given_backing_off(), 60))
    token = activity_token(given)

    given = told(given, ask.reset())

    assert isinstance(refused(given, t.Heartbeat(token, None, "worker")), NotFound)
    assert isinstance(refused(given, t.CompleteActivity(token, None, "worker")), NotFound)


def test_details_are_wiped_for_the_next_attempt_when_a_reset_says_so() -> None:
    given = beat(told(beat(given_activity_started(retry_policy=SLOW)), ask.reset(reset_heartbeat=True)), "8")
    assert given.activity.heartbeat_details == payloads("8").SerializeToString()
    assert fail_activity(given).activity.heartbeat_details == b""

    waits = fail_activity(beat(given_activity_started(retry_policy=SLOW)))
    assert told(waits, ask.reset()).activity.heartbeat_details == payloads("7").SerializeToString()
    assert told(waits, ask.reset(reset_heartbeat=True)).activity.heartbeat_details == b""


def test_a_reset_ends_a_pause_unless_it_is_to_be_kept() -> None:
    given = told(given_backing_off(), ask.pause())

    kept = told(given, ask.reset(keep_paused=True))
    assert (kept.activity.attempt, kept.activity.paused, kept.effects) == (1, True, [])
    assert offers(told(kept, ask.unpause())) == [5]

    ended = told(given, ask.reset())
    assert (ended.activity.paused, offers(ended)) == (False, [5])


def test_a_reset_restores_all_options_but_the_priority() -> None:
    given = told(
        given_activity(heartbeat_timeout=2),
        ask.new_options("heartbeat_timeout priority", heartbeat_timeout=3, priority=Priority(priority_key=4)),
    )

    given = told(given, ask.reset(restore_original_options=True))

    assert given.activity.heartbeat == 2 * SECOND
    assert Priority.FromString(given.activity.priority).priority_key == 4


# Options


def test_only_what_the_mask_names_changes() -> None:
    given = given_activity(schedule_to_start_timeout=8, start_to_close_timeout=9)
    options = {"heartbeat_timeout": 3, "schedule_to_start_timeout": 1, "start_to_close_timeout": 7}

    given = told(given, ask.new_options("heartbeatTimeout start_to_close_timeout nonsense", **options))

    activity = given.activity
    assert (activity.heartbeat, activity.schedule_to_start, activity.start_to_close) == (3 * SECOND, 8 * SECOND, 7 * SECOND)
    assert given.last.activity_options is not None
    assert given.last.activity_options.heartbeat_timeout == seconds(3)


def test_a_waiting_attempt_is_offered_on_its_new_queue_and_nowhere_else() -> None:
    given = given_activity()

    moved = told(given, ask.new_options("task_queue.name", task_queue=TaskQueue(name="refunds")))

    assert moved.effects == [OfferActivity(5, 1, moved.activity.stamp, "refunds")]
    assert isinstance(refused(moved, t.StartActivity(5, 1, given.activity.stamp, "poll", "worker")), NotFound)


def test_a_backoff_is_reckoned_anew_from_the_end_of_the_last_attempt() -> None:
    given = given_backing_off()
    ended = given.now

    given = told(given, ask.new_options("retry_policy.initial_interval", retry_policy=ask.retry_policy(initial_interval=20)), after=5)

    assert given.last.due_at == ended + 20 * SECOND
    assert (given.effects, given.activity.retry_interval) == ([], 20 * SECOND)


def test_a_backoff_that_is_reckoned_anew_counts_the_attempt_that_waits() -> None:
    """One doubling more than when the attempt failed: so does the reference server."""
    given = given_backing_off()

    given = told(given, ask.new_options("retry_policy.backoff_coefficient", retry_policy=ask.retry_policy(backoff_coefficient=2)))

    assert given.activity.retry_interval == 120 * SECOND


def test_a_backoff_that_is_over_by_the_new_options_ends_at_once() -> None:
    wish = ask.new_options("retry_policy.initial_interval", retry_policy=ask.retry_policy(initial_interval=4))

    assert offers(told(given_backing_off(), wish, after=5)) == [5]


def test_a_backoff_after_a_timeout_is_reckoned_from_the_timeout() -> None:
    given = wait(given_activity_started(start_to_close_timeout=4, retry_policy=SLOW), 4)
    ended = given.now

    given = told(given, ask.new_options("retry_policy.initial_interval", retry_policy=ask.retry_policy(initial_interval=20)), after=5)

    assert given.last.due_at == ended + 20 * SECOND


def test_the_timers_of_a_running_attempt_follow_its_new_options() -> None:
    given = told(given_activity_started(), ask.new_options("start_to_close_timeout", start_to_close_timeout=3))

    assert given.last.due_at == given.activity.started_time + 3 * SECOND
    assert given.effects == []


def test_new_options_leave_a_paused_activity_paused() -> None:
    given = told(told(given_backing_off(), ask.pause()), ask.new_options("retry_policy", retry_policy=ask.retry_policy(initial_interval=1)))

    assert (given.activity.paused, given.effects, given.last.due_at) == (True, [], None)


def test_new_options_are_filled_and_capped_like_those_of_a_new_activity() -> None:
    wish = ask.new_options("schedule_to_close_timeout heartbeat_timeout", schedule_to_close_timeout=5, heartbeat_timeout=60)

    given = told(given_activity(), wish)

    activity = given.activity
    assert {activity.schedule_to_close, activity.schedule_to_start, activity.start_to_close, activity.heartbeat} == {5 * SECOND}


def test_the_deadline_of_retries_stays_where_the_workflow_put_it() -> None:
    given = given_activity_started(schedule_to_close_timeout=10, retry_policy=SLOW)

    given = fail_activity(told(given, ask.new_options("schedule_to_close_timeout", schedule_to_close_timeout=600)))

    assert attributes(given, "ACTIVITY_TASK_FAILED").retry_state == RetryState.RETRY_STATE_TIMEOUT


def test_which_errors_are_not_retried_is_not_an_option() -> None:
    given = given_activity_started(retry_policy=ask.retry_policy(non_retryable_error_types=["Bad"]))

    given = told(given, ask.new_options("retry_policy", retry_policy=RetryPolicy(non_retryable_error_types=["Worse"])))

    assert given.activity.retry_policy.non_retryable_error_types == ("Bad",)


def test_a_retry_without_a_backoff_counts_as_too_late() -> None:
    given = told(given_activity_started(), ask.new_options("retry_policy", retry_policy=RetryPolicy()))

    assert attributes(fail_activity(given), "ACTIVITY_TASK_FAILED").retry_state == RetryState.RETRY_STATE_TIMEOUT


@pytest.mark.parametrize(
    "wish, message",
    [
        (t.UpdateActivityOptions(UpdateActivityOptionsRequest(id="a")), "ActivityOptions are not provided"),
        (t.UpdateActivityOptions(UpdateActivityOptionsRequest(id="nobody", activity_options={})), "UpdateMask is not provided"),
        (
            t.UpdateActivityOptions(UpdateActivityOptionsRequest(id="a", restore_original=True, update_mask={"paths": ["x"]})),
            "Both UpdateMask and RestoreOriginal are provided",
        ),
        (ask.new_options("task_queue.name"), "TaskQueue is not provided"),
        (ask.new_options("task_queue.name", task_queue=TaskQueue()), "missing task queue name"),
        (ask.new_options("priority.fairness_key"), "Priority is not provided"),
        (ask.new_options("priority", priority=Priority(priority_key=-1)), "priority key can't be negative"),
        (ask.new_options("retry_policy.maximum_attempts"), "RetryPolicy is not provided"),
        (ask.new_options("retry_policy"), "RetryPolicy is not provided"),
        (
            ask.new_options("retry_policy.backoff_coefficient", retry_policy=RetryPolicy(backoff_coefficient=0.5)),
            "BackoffCoefficient cannot be less than 1 on retry policy.",
        ),
        (ask.new_options("heartbeat_timeout", heartbeat_timeout=-1), "invalid HeartbeatTimeout: negative duration"),
        (
            ask.new_options("start_to_close_timeout"),
            "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. ActivityId=a ActivityType=Charge",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(wish: t.Trigger, message: str) -> None:
    refusal = refused(given_activity(), wish)

    assert (type(refusal), refusal.message) == (InvalidArgument, message)


def test_options_are_restored_to_what_the_workflow_asked_for() -> None:
    given = given_activity(heartbeat_timeout=2, priority=Priority(priority_key=1), retry_policy=SLOW)
    options = {"task_queue": TaskQueue(name="refunds"), "heartbeat_timeout": 3, "priority": Priority(priority_key=4)}
    changed = told(given, ask.new_options("task_queue.name heartbeat_timeout priority", **options))
    changed = told(changed, ask.new_options("heartbeat_timeout", heartbeat_timeout=4))

    restored = told(changed, ask.original_options())

    was, now = given.activity, restored.activity
    assert (now.task_queue, now.heartbeat, now.priority) == (was.task_queue, was.heartbeat, was.priority)
    assert restored.effects == [OfferActivity(5, 1, now.stamp, "payments")]


def test_the_original_options_of_a_closed_run_can_still_be_asked_for() -> None:
    given = told(told(given_activity(), t.Terminate("enough", "client")), ask.original_options())

    assert not given.last.changed
    assert given.last.activity_options is not None
    assert given.last.activity_options.task_queue.name == "payments"
