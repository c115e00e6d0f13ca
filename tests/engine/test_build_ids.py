"""Build ids: which version of a worker's code did what."""

import msgspec
from temporalio.api.common.v1 import WorkerVersionStamp

from outlast.engine import triggers as t
from outlast.engine.draft import Draft
from outlast.engine.machines.workflow_task import virtual_events
from tests.engine import ask
from tests.engine.given import (
    Given,
    attributes,
    complete,
    complete_activity,
    context,
    do,
    fail_task,
    given_attempt,
    given_started,
    poll,
    start_activity,
    told,
)

NEW = WorkerVersionStamp(build_id="2.0")


def taken_by_new(given: Given) -> Given:
    return told(given, msgspec.structs.replace(poll(given), worker_version=NEW.SerializeToString()))


def test_a_started_workflow_task_names_the_build_of_its_worker() -> None:
    given = taken_by_new(given_started())

    assert attributes(given, "WORKFLOW_TASK_STARTED").worker_version == NEW


def test_a_further_attempt_names_it_only_when_it_is_written() -> None:
    given = taken_by_new(given_attempt(2))

    _, started = virtual_events(Draft(given.execution, context()), given.task, "worker")
    assert not started.workflow_task_started_event_attributes.HasField("worker_version")
    assert attributes(complete(given), "WORKFLOW_TASK_STARTED").worker_version == NEW


def test_the_next_attempt_is_not_said_to_be_taken_by_the_last_ones_worker() -> None:
    given = do(fail_task(taken_by_new(given_started())))

    assert not attributes(given, "WORKFLOW_TASK_STARTED").HasField("worker_version")


def test_a_task_that_comes_back_at_once_is_taken_by_the_worker_that_completed_the_last() -> None:
    given = do(given_started(), worker_version_stamp=NEW, force_create_new_workflow_task=True, return_new_workflow_task=True)

    assert attributes(given, "WORKFLOW_TASK_STARTED").worker_version == NEW


def test_the_run_knows_who_completed_its_last_task() -> None:
    given = do(given_started(), ask.timer(), worker_version_stamp=NEW)
    assert given.run.worker_version == NEW.SerializeToString()

    assert do(told(given, t.Signal("hello"))).run.worker_version == b""


def test_an_activity_names_the_build_of_the_worker_that_ran_it() -> None:
    given = do(given_started(), ask.activity())
    trigger = t.StartActivity(given.activity.scheduled_event_id, 1, 0, "poll", "activity worker", NEW.SerializeToString())

    given = complete_activity(told(given, trigger))

    assert attributes(given, "ACTIVITY_TASK_STARTED").worker_version == NEW


def test_an_attempt_that_was_given_back_is_said_to_be_its_next_workers() -> None:
    given = do(given_started(), ask.activity())
    trigger = t.StartActivity(given.activity.scheduled_event_id, 1, 0, "lost poll", "activity worker", NEW.SerializeToString())
    given = told(told(given, trigger), t.ReleaseActivity(given.activity.scheduled_event_id, 1, "lost poll"))

    given = complete_activity(start_activity(given))

    assert not attributes(given, "ACTIVITY_TASK_STARTED").HasField("worker_version")
