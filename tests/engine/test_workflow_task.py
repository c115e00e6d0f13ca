"""The first attempt of a workflow task: scheduled, started once, completed or timed out; stickiness and heartbeats."""

import msgspec
import pytest
from temporalio.api.enums.v1 import TaskQueueKind, TimeoutType
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.limits import MINUTE, SECOND
from outlast.engine.refusals import NotFound
from outlast.engine.transition import OfferWorkflowTask
from tests.engine import ask
from tests.engine import given as given_module
from tests.engine.given import (
    NOON,
    Given,
    attributes,
    complete,
    completion,
    do,
    fail_task,
    given_attempt,
    given_started,
    last_event,
    name,
    news,
    payloads,
    poll,
    refused,
    seconds,
    signal,
    time_out_task,
    told,
    wait,
    with_workflow_task_started,
)

STICKY = StickyExecutionAttributes(worker_task_queue=TaskQueue(name="worker-1"), schedule_to_start_timeout=seconds(5))


def given_sticky() -> Given:
    """A run whose next workflow task is scheduled on the sticky queue."""
    return signal(do(given_started(), sticky_attributes=STICKY))


def test_a_run_begins_with_a_workflow_task_that_is_offered() -> None:
    given = given_started()

    assert news(given) == ["WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_SCHEDULED"]
    assert len(given.last.batches) == 1
    assert given.effects == [OfferWorkflowTask(2, 1, "orders", "")]
    assert attributes(given, "WORKFLOW_TASK_SCHEDULED").start_to_close_timeout == seconds(10)


def test_a_poll_starts_the_task_and_ends_the_batch_without_waiting_for_the_disk() -> None:
    given = with_workflow_task_started(given_started(), after=3)

    assert news(given) == ["WORKFLOW_TASK_STARTED"]
    started = attributes(given, "WORKFLOW_TASK_STARTED")
    assert (started.scheduled_event_id, started.request_id, started.identity) == (2, "poll", "worker")
    assert started.history_size_bytes == sum(len(batch.data) for batch in given_started().last.batches)
    assert not given.last.durable
    assert given.last.due_at == NOON + 13 * SECOND


def test_the_same_poll_starts_the_task_once() -> None:
    given = given_started()
    polled = poll(given)

    again = told(told(given, polled), polled)

    assert news(again) == []
    assert not again.last.changed


@pytest.mark.parametrize("field, value", [("scheduled_event_id", 3), ("attempt", 2), ("request_id", "another")])
def test_a_poll_for_another_task_is_refused(field: str, value: object) -> None:
    given = with_workflow_task_started(given_started())
    fields = {"scheduled_event_id": 2, "attempt": 1, "request_id": "poll", "identity": "worker", "sticky": False}

    refusal = refused(given, t.StartWorkflowTask(**{**fields, field: value}))

    assert refusal.message == "Workflow task not found."


def test_a_completion_writes_the_task_and_its_commands_in_one_batch() -> None:
    given = complete(with_workflow_task_started(given_started()), ask.timer(), ask.marker())

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "TIMER_STARTED", "MARKER_RECORDED"]
    assert len(given.last.batches) == 1
    assert given.run.workflow_task is None
    assert (given.run.last_started_event_id, given.run.last_completed_event_id) == (3, 4)


@pytest.mark.parametrize("field, value", [("scheduled_event_id", 1), ("started_event_id", 9), ("started_time", 9), ("attempt", 2)])
def test_an_answer_with_another_tasks_token_is_refused(field: str, value: int) -> None:
    given = with_workflow_task_started(given_started())
    done = completion(given)
    fields = {"scheduled_event_id": 2, "started_event_id": 3, "started_time": given.now, "attempt": 1}

    wrong = t.CompleteWorkflowTask(t.WorkflowTaskToken(**{**fields, field: value}), done.request)

    assert isinstance(refused(given, wrong), NotFound)


def test_an_answer_counts_once() -> None:
    given = with_workflow_task_started(given_started())
    done = completion(given)

    refusal = refused(told(given, done), done)

    assert refusal.message == "Workflow task not found."


def test_an_answer_for_a_task_that_timed_out_is_refused() -> None:
    given = with_workflow_task_started(given_started())
    done = completion(given)

    assert refused(time_out_task(given), done).message == "Workflow task not found."


def test_a_started_task_times_out_and_the_next_attempt_is_offered() -> None:
    given = time_out_task(with_workflow_task_started(given_started()))

    assert news(given) == ["WORKFLOW_TASK_TIMED_OUT"]
    timed_out = attributes(given, "WORKFLOW_TASK_TIMED_OUT")
    assert timed_out.timeout_type == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    assert (timed_out.scheduled_event_id, timed_out.started_event_id) == (2, 3)
    assert given.effects == [OfferWorkflowTask(5, 2, "orders", "")]


def test_a_task_does_not_time_out_before_its_time_nor_before_its_start() -> None:
    assert news(wait(given_started(), 1000)) == []
    assert news(wait(with_workflow_task_started(given_started()), 9.999)) == []


def test_a_failed_task_says_why_and_another_is_offered() -> None:
    given = fail_task(with_workflow_task_started(given_started()), binary_checksum="abc")

    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert news(given) == ["WORKFLOW_TASK_FAILED"]
    assert (failed.scheduled_event_id, failed.started_event_id, failed.binary_checksum) == (2, 3, "abc")
    assert given.effects == [OfferWorkflowTask(5, 2, "orders", "")]


def test_at_most_one_task_is_pending() -> None:
    given = signal(signal(do(given_started())))

    assert news(given) == ["WORKFLOW_EXECUTION_SIGNALED"]


# Stickiness


def test_a_completion_with_sticky_attributes_puts_the_next_task_on_the_sticky_queue() -> None:
    given = given_sticky()

    queue = attributes(given, "WORKFLOW_TASK_SCHEDULED").task_queue
    assert (queue.name, queue.kind, queue.normal_name) == ("worker-1", TaskQueueKind.TASK_QUEUE_KIND_STICKY, "orders")
    assert given.effects == [OfferWorkflowTask(6, 1, "orders", "worker-1")]


def test_a_completion_without_sticky_attributes_ends_stickiness() -> None:
    given = signal(complete(with_workflow_task_started(given_sticky(), sticky=True)))

    assert attributes(given, "WORKFLOW_TASK_SCHEDULED").task_queue.name == "orders"


def test_a_sticky_task_that_nobody_takes_times_out_and_goes_to_the_normal_queue_as_a_first_attempt() -> None:
    given = wait(given_sticky(), 5)

    assert news(given) == ["WORKFLOW_TASK_TIMED_OUT", "WORKFLOW_TASK_SCHEDULED"]
    timed_out = attributes(given, "WORKFLOW_TASK_TIMED_OUT")
    assert timed_out.timeout_type == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
    assert (timed_out.scheduled_event_id, timed_out.started_event_id) == (6, 0)
    assert given.effects == [OfferWorkflowTask(8, 1, "orders", "")]


def test_a_sticky_task_waits_its_whole_schedule_to_start_timeout() -> None:
    assert news(wait(given_sticky(), 4.999)) == []


def test_a_failure_while_sticky_does_not_count_as_an_attempt() -> None:
    given = fail_task(with_workflow_task_started(given_sticky(), sticky=True))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_TASK_SCHEDULED"]
    assert given.effects == [OfferWorkflowTask(9, 1, "orders", "")]

    second = fail_task(with_workflow_task_started(given))
    assert second.task.attempt == 2


def test_a_timeout_while_sticky_does_not_count_as_an_attempt() -> None:
    given = time_out_task(with_workflow_task_started(given_sticky(), sticky=True))

    assert news(given) == ["WORKFLOW_TASK_TIMED_OUT", "WORKFLOW_TASK_SCHEDULED"]
    assert given.task.attempt == 1


def test_a_poll_of_the_normal_queue_ends_stickiness() -> None:
    given = fail_task(with_workflow_task_started(given_sticky(), sticky=False))

    assert given.task.attempt == 2


def test_reset_sticky_ends_stickiness_and_changes_nothing_when_there_is_none() -> None:
    sticky = do(given_started(), sticky_attributes=STICKY)

    reset = told(sticky, t.ResetSticky())

    assert reset.last.changed
    assert signal(reset).effects == [OfferWorkflowTask(6, 1, "orders", "")]
    assert not told(reset, t.ResetSticky()).last.changed


def test_reset_sticky_of_a_closed_run_is_refused() -> None:
    assert refused(do(given_started(), ask.completed()), t.ResetSticky()).message == "workflow execution already completed"


# Heartbeats, forced and returned tasks


def test_a_forced_task_is_scheduled_though_nothing_happened() -> None:
    given = do(given_started(), force_create_new_workflow_task=True)

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "WORKFLOW_TASK_SCHEDULED"]


def test_without_news_a_completion_schedules_no_task() -> None:
    given = do(given_started(), ask.timer(), return_new_workflow_task=True)

    assert given.run.workflow_task is None
    assert not given.last.new_workflow_task


def test_a_returned_task_is_started_for_the_worker_on_the_line_and_offered_to_nobody() -> None:
    given = do(given_started(), force_create_new_workflow_task=True, return_new_workflow_task=True)

    assert [[name(event) for event in batch.events] for batch in given.last.batches] == [
        ["WORKFLOW_TASK_COMPLETED", "WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED"]
    ]
    started = attributes(given, "WORKFLOW_TASK_STARTED")
    assert (started.request_id, started.identity) == ("request-from-RespondWorkflowTaskCompleted", "worker")
    assert given.last.new_workflow_task
    assert given.effects == []
    assert given.task.started


def heartbeat(given: Given, after: float, *commands: object) -> Given:
    return complete(given, *commands, after=after, force_create_new_workflow_task=True, return_new_workflow_task=True)


def test_heartbeats_may_go_on_for_half_an_hour_and_no_longer() -> None:
    given = with_workflow_task_started(given_started(workflow_task_timeout=120))
    for _ in range(20):
        given = heartbeat(given, 90)
    assert given.now == NOON + 30 * MINUTE
    assert given.last.refusal is None

    late = heartbeat(given, 0.001)

    assert late.last.refusal is not None
    assert late.last.refusal.message == "workflow task heartbeat timeout"
    assert news(late) == ["WORKFLOW_TASK_TIMED_OUT"]
    assert len(late.effects) == 1


def test_a_command_restarts_the_half_hour_of_heartbeats() -> None:
    given = with_workflow_task_started(given_started(workflow_task_timeout=120))
    for _ in range(20):
        given = heartbeat(given, 90)

    given = heartbeat(given, 60, ask.marker())

    assert given.last.refusal is None
    assert heartbeat(given, 100).last.refusal is None


# What a completion leaves in the state


def test_the_first_task_of_each_build_is_a_reset_point_and_searchable() -> None:
    given = do(given_started(), binary_checksum="one", force_create_new_workflow_task=True)
    given = do(given, binary_checksum="one", force_create_new_workflow_task=True)
    given = do(given, binary_checksum="two")

    assert b'["one","two"]' in given.execution.search_attributes["BinaryChecksums"]
    assert b'["unversioned"]' in given.execution.search_attributes["BuildIds"]


def test_only_the_last_twenty_reset_points_are_kept() -> None:
    given = given_started()
    for number in range(limits.RESET_POINTS_MAX + 1):
        given = do(given, binary_checksum=f"b{number}", force_create_new_workflow_task=True)

    checksums = given.execution.search_attributes["BinaryChecksums"]
    assert b'"b0"' not in checksums
    assert b'"b1"' in checksums and b'"b20"' in checksums


@pytest.mark.parametrize("counted", ["events", "bytes"])
def test_a_long_history_suggests_to_continue_as_new(counted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = signal(do(given_started()), input=payloads("1"))

    def limit_to(more: int) -> None:
        if counted == "bytes":
            monkeypatch.setattr(limits, "SUGGEST_CONTINUE_AS_NEW_BYTES", given.run.history_size_bytes + more)
        else:
            view = msgspec.structs.replace(given_module.NAMESPACE, events_suggested=len(given.history) + 1 + more)
            monkeypatch.setattr(given_module, "NAMESPACE", view)

    limit_to(1)
    assert not attributes(with_workflow_task_started(given), "WORKFLOW_TASK_STARTED").suggest_continue_as_new

    limit_to(0)
    started = attributes(with_workflow_task_started(given), "WORKFLOW_TASK_STARTED")
    assert started.suggest_continue_as_new
    assert len(started.suggest_continue_as_new_reasons) == 1


def test_events_bear_the_time_of_the_decision() -> None:
    given = with_workflow_task_started(given_started(), after=1.5)

    assert last_event(given, "WORKFLOW_TASK_STARTED").event_time.ToNanoseconds() == NOON + 1_500_000_000


def test_the_heartbeat_limit_leaves_no_orphan_of_a_further_attempt() -> None:
    given = given_attempt(2)

    given = complete(told(given, poll(given), after=31 * 60), force_create_new_workflow_task=True)

    assert news(given) == []


def test_a_reset_is_not_an_attempt() -> None:
    assert fail_task(with_workflow_task_started(given_started()), cause=20).task.attempt == 1
