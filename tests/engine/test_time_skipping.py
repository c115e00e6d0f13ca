"""A run that skips the time in which it has nothing to do."""

from typing import Any

import pytest
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionOptions

from outlast.engine import triggers as t
from outlast.engine.keys import PartKey
from outlast.engine.limits import SECOND
from outlast.engine.machines.child_workflow import start_of_child
from outlast.engine.machines.options import options_of
from outlast.engine.state import TimeSkipping
from outlast.engine.stored import decode_execution, encode_core
from outlast.engine.work import expired, next_due
from tests.engine import ask
from tests.engine.given import (
    NOON,
    Given,
    application_failure,
    attributes,
    complete,
    do,
    fail_activity,
    given_started,
    last_event,
    news,
    seconds,
    start_activity,
    taken,
    told,
    waiting,
    with_workflow_task_started,
)

DAY = 24 * 3600
TRANSITIONED = "WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED"


def config(*, enabled: bool = True, forward: float | None = None, skips: int = 200, **fields: Any) -> TimeSkippingConfig:
    made = TimeSkippingConfig(enabled=enabled, max_session_skip_count=skips, **fields)
    if forward is not None:
        made.fast_forward_config.id = "ff"
        made.fast_forward_config.duration.CopyFrom(seconds(forward))
    return made


def skipping(given: Given) -> TimeSkipping:
    assert given.run.time_skipping is not None
    return given.run.time_skipping


def ahead(given: Given) -> float:
    """How far the run's time is ahead, in seconds."""
    return skipping(given).skipped / SECOND


def given_skipping(made: TimeSkippingConfig | None = None, **fields: Any) -> Given:
    return given_started(time_skipping_config=made or config(), **fields)


def given_asleep(span: float = DAY, made: TimeSkippingConfig | None = None, **fields: Any) -> Given:
    """A run that has started a timer and skipped to it."""
    return do(given_skipping(made, **fields), ask.timer("nap", span))


def due(given: Given) -> Given:
    return told(given, t.TimersDue())


def moment(event: HistoryEvent) -> int:
    return event.event_time.ToNanoseconds()


# When


def test_an_idle_run_goes_to_its_next_timer_at_once() -> None:
    given = given_asleep()

    assert news(given)[-2:] == ["TIMER_STARTED", TRANSITIONED]
    event = last_event(given, TRANSITIONED)
    assert event.worker_may_ignore
    assert moment(event) == given.now
    skip = attributes(given, TRANSITIONED)
    assert skip.target_time.ToNanoseconds() == given.now + DAY * SECOND
    assert skip.wall_clock_time.ToNanoseconds() == given.now
    assert not skip.disabled_after_fast_forward
    assert ahead(given) == DAY


def test_what_was_skipped_to_happens_now_by_the_worlds_clock() -> None:
    given = given_asleep()
    assert next_due(given.execution) == given.now

    given = due(given)
    assert news(given) == ["TIMER_FIRED", "WORKFLOW_TASK_SCHEDULED"]
    assert moment(last_event(given, "TIMER_FIRED")) == given.now + DAY * SECOND
    assert given.task.scheduled_time == given.now + DAY * SECOND


def test_a_run_with_a_workflow_task_does_not_skip() -> None:
    given = with_workflow_task_started(told(given_skipping(), t.Signal("go")))

    assert TRANSITIONED not in news(given)
    assert ahead(given) == 0


def test_a_run_without_a_configuration_does_not_skip() -> None:
    assert news(do(given_started(), ask.timer("nap", DAY)))[-1] == "TIMER_STARTED"
    assert news(given_asleep(made=config(enabled=False)))[-1] == "TIMER_STARTED"


@pytest.mark.parametrize("pending", [ask.activity(), ask.child(), ask.signal_external(), ask.cancel_external()])
def test_what_somebody_else_has_to_do_is_waited_for(pending: Any) -> None:
    given = do(given_skipping(), ask.timer("nap", DAY), pending)

    assert TRANSITIONED not in news(given)


def test_the_backoff_of_an_activity_is_skipped() -> None:
    policy = ask.retry_policy(initial_interval=DAY, maximum_attempts=3)
    given = do(given_skipping(), ask.activity(retry_policy=policy), ask.timer("nap", 3 * DAY))
    given = fail_activity(start_activity(given), application_failure())

    assert news(given) == [TRANSITIONED]
    assert ahead(given) == DAY
    assert given.activity.attempt_scheduled_time == given.now + DAY * SECOND

    given = due(given)
    assert given.activity.waits
    assert TRANSITIONED not in news(given)


def test_a_paused_run_does_not_skip() -> None:
    given = told(given_started(), t.PauseWorkflow("me", "r", "p"))
    given = told(given, t.UpdateOptions(WorkflowExecutionOptions(time_skipping_config=config()), ("time_skipping_config",), "me"))

    assert news(given) == ["WORKFLOW_EXECUTION_OPTIONS_UPDATED"]


def test_a_start_delay_is_skipped() -> None:
    given = given_skipping(workflow_start_delay=DAY)

    assert news(given) == ["WORKFLOW_EXECUTION_STARTED", TRANSITIONED]
    assert news(due(given)) == ["WORKFLOW_TASK_SCHEDULED"]


def test_a_run_timeout_is_skipped_to_only_by_a_run_that_has_begun() -> None:
    given = given_skipping(workflow_run_timeout=DAY, workflow_start_delay=3600)
    assert ahead(given) == 3600

    given = do(due(given))
    assert ahead(given) == DAY + 3600
    assert news(due(given)) == ["WORKFLOW_EXECUTION_TIMED_OUT"]


def test_without_a_moment_to_go_to_time_stands_still() -> None:
    assert ahead(do(given_skipping())) == 0


def test_there_are_only_so_many_skips() -> None:
    given = given_asleep(made=config(skips=1))
    assert not skipping(given).enabled

    given = do(due(given), ask.timer("again", DAY))
    assert news(given)[-1] == "TIMER_STARTED"
    assert options_of(given.run).time_skipping_config == config(enabled=False, skips=1)


# Its time and the world's


def test_everything_that_follows_is_in_the_runs_time() -> None:
    given = do(due(given_asleep()), ask.activity("later"))

    assert given.activity.scheduled_time == given.now + DAY * SECOND
    assert next_due(given.execution) is None or next_due(given.execution) > given.now


def test_a_closed_run_is_kept_for_its_retention_by_the_worlds_clock() -> None:
    given = do(due(given_asleep()), ask.completed("1"))

    assert given.run.close_time == given.now + DAY * SECOND
    assert not expired(given.execution, given.now + DAY * SECOND - 1)
    assert expired(given.execution, given.now + DAY * SECOND)


def test_the_clock_survives_being_stored() -> None:
    given = given_asleep(made=config(forward=2 * DAY))
    stored: dict[PartKey, bytes] = {}

    assert decode_execution(encode_core(given.run), stored).run.time_skipping == given.run.time_skipping


# Fast-forward


def test_a_fast_forward_is_not_passed() -> None:
    given = given_asleep(3 * DAY, config(forward=DAY))

    assert ahead(given) == DAY
    assert attributes(given, TRANSITIONED).disabled_after_fast_forward
    assert (skipping(given).reached, skipping(given).enabled) == (True, False)
    assert next_due(given.execution) == given.now + 2 * DAY * SECOND


def test_a_timer_before_the_target_comes_first() -> None:
    given = given_asleep(DAY, config(forward=3 * DAY))
    assert not skipping(given).reached

    given = do(due(given))
    assert (ahead(given), skipping(given).reached) == (3 * DAY, True)


def test_a_fast_forward_needs_no_other_moment() -> None:
    given = do(given_skipping(config(forward=DAY)))

    assert (ahead(given), skipping(given).reached) == (DAY, True)


def test_the_target_comes_by_itself_while_the_run_is_busy() -> None:
    given = do(given_skipping(config(forward=60)), ask.activity())
    assert next_due(given.execution) == NOON + 60 * SECOND

    given = told(given, t.TimersDue(), after=60)
    assert news(given) == [TRANSITIONED]
    assert not attributes(given, TRANSITIONED).HasField("target_time")
    assert (ahead(given), skipping(given).reached, skipping(given).enabled) == (0, True, False)
    assert next_due(given.execution) != NOON + 60 * SECOND


def test_the_news_of_the_target_waits_for_the_workflow_task() -> None:
    given = with_workflow_task_started(given_skipping(config(forward=5)))
    given = told(given, t.TimersDue(), after=5)

    assert waiting(given) == [TRANSITIONED]
    assert (skipping(given).reached, skipping(given).enabled) == (True, False)
    assert news(complete(given))[:2] == ["WORKFLOW_TASK_COMPLETED", TRANSITIONED]


# Configured later


def configured(given: Given, made: TimeSkippingConfig | None) -> Given:
    options = WorkflowExecutionOptions(time_skipping_config=made)
    return told(given, t.UpdateOptions(options, ("time_skipping_config",), "me"))


def test_an_idle_run_that_is_configured_skips_at_once() -> None:
    given = configured(do(given_started(), ask.timer("nap", DAY)), config())

    assert news(given) == ["WORKFLOW_EXECUTION_OPTIONS_UPDATED", TRANSITIONED]
    assert attributes(given, "WORKFLOW_EXECUTION_OPTIONS_UPDATED").time_skipping_config_updated
    assert not configured(due(given), config()).last.changed


def test_without_a_configuration_the_run_keeps_its_time() -> None:
    given = configured(due(given_asleep()), None)

    assert ahead(given) == DAY
    assert not options_of(given.run).HasField("time_skipping_config")
    assert news(do(given, ask.timer("again", DAY)))[-1] == "TIMER_STARTED"


def test_the_same_fast_forward_again_is_another_one() -> None:
    given = do(given_skipping(config(forward=DAY)), ask.activity())
    given = configured(told(given, t.ResetSticky(), after=60), config(forward=DAY))

    assert news(given) == ["WORKFLOW_EXECUTION_OPTIONS_UPDATED"]
    assert skipping(given).target == given.now + DAY * SECOND


def test_a_new_configuration_counts_its_skips_anew() -> None:
    given = configured(due(given_asleep()), config(skips=5))

    assert skipping(given).skips == 0


def test_other_options_leave_it_alone() -> None:
    options = WorkflowExecutionOptions()
    options.priority.priority_key = 3
    given = told(given_skipping(config(forward=DAY)), t.UpdateOptions(options, ("priority",), "me"))

    event = attributes(given, "WORKFLOW_EXECUTION_OPTIONS_UPDATED")
    assert event.time_skipping_config == config(forward=DAY)
    assert not event.time_skipping_config_updated
    assert skipping(given).target == NOON + DAY * SECOND


# Those that follow


def test_the_next_run_goes_on_in_the_same_time() -> None:
    given = do(due(given_asleep(DAY, config(forward=3 * DAY))), ask.continued_as_new())
    new = taken(given.successor, given.now)

    first = attributes(new, "WORKFLOW_EXECUTION_STARTED")
    assert first.time_skipping_config == config(forward=3 * DAY)
    assert first.time_skipping_state_propagation.initial_skip_count == 1
    assert new.run.start_time == given.now + DAY * SECOND
    assert (ahead(new), skipping(new).target) == (DAY, NOON + 3 * DAY * SECOND)


def test_a_retry_skips_its_backoff() -> None:
    policy = ask.retry_policy(initial_interval=DAY, maximum_attempts=2)
    given = do(given_skipping(retry_policy=policy), ask.failed(application_failure()))
    second = taken(given.successor, given.now)

    assert news(second) == ["WORKFLOW_EXECUTION_STARTED", TRANSITIONED]
    assert ahead(second) == DAY


def started_child(given: Given) -> t.Start:
    return start_of_child(given.run, last_event(given, "START_CHILD_WORKFLOW_EXECUTION_INITIATED"), given.now)


def test_a_child_lives_in_its_parents_time_and_skips_too() -> None:
    first = started_child(do(due(given_asleep(DAY, config(forward=9 * DAY))), ask.child()))
    child = taken_child(first)

    assert first.attributes.time_skipping_config == config()
    assert child.run.start_time == NOON + DAY * SECOND
    assert (ahead(child), skipping(child).enabled, skipping(child).target) == (DAY, True, 0)


def test_a_child_does_not_skip_when_that_is_not_wanted() -> None:
    child = taken_child(started_child(do(due(given_asleep(made=config(disable_propagation=True))), ask.child())))

    assert (ahead(child), skipping(child).enabled) == (DAY, False)


def taken_child(first: t.Start) -> Given:
    return given_started(first=first)


def test_a_fast_forward_that_is_handed_on_too_late_is_over() -> None:
    first = t.Start("order", "r", given_started().history[0].workflow_execution_started_event_attributes)
    first.attributes.time_skipping_config.CopyFrom(config(forward=DAY))
    inherited = first.attributes.time_skipping_state_propagation
    inherited.initial_skipped_duration.CopyFrom(seconds(DAY))
    inherited.fast_forward_target_time.FromNanoseconds(NOON + DAY * SECOND)
    given = given_started(first=first)

    assert (skipping(given).reached, skipping(given).enabled) == (True, False)
