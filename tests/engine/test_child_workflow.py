"""Child workflows: asked for, started, closed, and what becomes of them when the parent closes first."""

import pytest
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import ParentClosePolicy, RetryState, StartChildWorkflowExecutionFailedCause, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.begin import begin
from outlast.engine.machines.child_workflow import start_of_child
from outlast.engine.refusals import NamespaceNotFound, NotFound
from outlast.engine.transition import ApplyClosePolicy, NotifyParent, ReleaseChild, StartChild
from tests.engine import ask
from tests.engine.given import (
    Given,
    attributes,
    complete,
    completion,
    context,
    do,
    given_started,
    last_event,
    news,
    refused,
    seconds,
    signal,
    taken,
    told,
    wait,
    waiting,
    with_workflow_task_started,
)

Cause = WorkflowTaskFailedCause
Policy = ParentClosePolicy
CHILD_RUN = "33333333-3333-4333-8333-333333333333"
LAST_RUN = "44444444-4444-4444-8444-444444444444"
INITIATED = 5


def given_initiated(**fields: object) -> Given:
    return do(given_started(), ask.child(**fields))


def given_child_started(**fields: object) -> Given:
    return told(given_initiated(**fields), t.ChildStarted(INITIATED, CHILD_RUN))


def given_child(given: Given | None = None, now: int | None = None) -> Given:
    """The child's own run, as its parent asks for it."""
    parent = given or given_initiated()
    first = start_of_child(parent.run, last_event(parent, "START_CHILD_WORKFLOW_EXECUTION_INITIATED"), parent.now)
    return taken(begin(first, CHILD_RUN, context(parent.now)), parent.now)


def closed_by(command) -> HistoryEvent:  # type: ignore[no-untyped-def]
    """The close event of some run that ended with this command."""
    return do(given_started(), command).history[-1]


def news_of_close(event: HistoryEvent) -> t.ChildClosed:
    return t.ChildClosed(INITIATED, CHILD_RUN, LAST_RUN, event)


# Asking for a child


def test_a_child_is_asked_for_with_everything_filled_in() -> None:
    given = given_initiated(workflow_execution_timeout=60, workflow_run_timeout=100, workflow_task_timeout=300)

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "START_CHILD_WORKFLOW_EXECUTION_INITIATED"]
    assert given.effects == [StartChild(INITIATED)]
    asked = attributes(given, "START_CHILD_WORKFLOW_EXECUTION_INITIATED")
    assert (asked.namespace, asked.task_queue.name, asked.parent_close_policy) == (
        "default",
        "orders",
        Policy.PARENT_CLOSE_POLICY_TERMINATE,
    )
    assert asked.workflow_run_timeout == seconds(60)
    assert asked.workflow_task_timeout == seconds(60)


@pytest.mark.parametrize(
    "fields, text",
    [
        ({"workflow_id": ""}, "Required field WorkflowId is not set on StartChildWorkflowExecutionCommand. WorkflowType=Parcel"),
        ({"workflow_type": WorkflowType()}, "Required field WorkflowType is not set on StartChildWorkflowExecutionCommand."),
        ({"workflow_id": "x" * 1001}, "WorkflowId on StartChildWorkflowExecutionCommand exceeds length limit."),
        ({"namespace": "other"}, "cross namespace commands are not allowed"),
        ({"workflow_run_timeout": -1}, "Invalid WorkflowRunTimeout on StartChildWorkflowExecutionCommand: negative duration."),
        ({"cron_schedule": "never"}, "invalid CronSchedule on StartChildWorkflowExecutionCommand:"),
        ({"retry_policy": ask.retry_policy(backoff_coefficient=0.5)}, "invalid WorkflowRetryPolicy on StartChildWorkflowExecutionCommand:"),
    ],
)
def test_a_bad_child_fails_the_task(fields: dict[str, object], text: str) -> None:
    given = given_initiated(**fields)

    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert failed.cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES
    assert failed.failure.message.startswith(f"BadStartChildExecutionAttributes: {text}")


def test_a_child_in_an_unknown_namespace_is_refused_and_the_task_goes_on() -> None:
    given = with_workflow_task_started(given_started())

    assert isinstance(refused(given, completion(given, [ask.child(namespace="nowhere")])), NamespaceNotFound)


def test_no_more_children_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_CHILDREN_MAX", 1)

    given = do(given_started(), ask.child("a"), ask.child("b"))

    assert attributes(given, "WORKFLOW_TASK_FAILED").cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED


# Its life


def test_a_child_that_exists_is_recorded_and_told_to_go_on() -> None:
    given = given_child_started()

    assert news(given) == ["CHILD_WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_SCHEDULED"]
    assert ReleaseChild(INITIATED) in given.effects
    assert attributes(given, "CHILD_WORKFLOW_EXECUTION_STARTED").workflow_execution.run_id == CHILD_RUN

    released = told(do(given), t.ChildFirstTaskReleased(INITIATED))
    assert not released.last.has_work


def test_a_child_that_is_reported_twice_is_recorded_once() -> None:
    given = given_child_started()

    again = told(given, t.ChildStarted(INITIATED, CHILD_RUN))

    assert not again.last.changed
    assert again.effects == [ReleaseChild(INITIATED)]


def test_a_child_that_nobody_asked_for_is_not_recorded() -> None:
    assert isinstance(refused(given_started(), t.ChildStarted(9, CHILD_RUN)), NotFound)


def test_a_child_that_cannot_be_started_is_forgotten() -> None:
    cause = StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS
    given = told(given_initiated(control="c"), t.ChildStartFailed(INITIATED, cause))

    assert news(given) == ["START_CHILD_WORKFLOW_EXECUTION_FAILED", "WORKFLOW_TASK_SCHEDULED"]
    failed = attributes(given, "START_CHILD_WORKFLOW_EXECUTION_FAILED")
    assert (failed.initiated_event_id, failed.cause, failed.control, failed.workflow_id) == (INITIATED, cause, "c", "parcel")
    assert not told(given, t.ChildStartFailed(INITIATED, cause)).last.changed


def test_a_child_that_has_started_cannot_fail_to_start() -> None:
    assert not told(given_child_started(), t.ChildStartFailed(INITIATED, 1)).last.changed


@pytest.mark.parametrize(
    "command, kind",
    [
        (ask.completed("1"), "CHILD_WORKFLOW_EXECUTION_COMPLETED"),
        (ask.failed(), "CHILD_WORKFLOW_EXECUTION_FAILED"),
        (ask.canceled(), "CHILD_WORKFLOW_EXECUTION_CANCELED"),
    ],
)
def test_the_close_of_a_child_is_recorded_with_its_outcome_and_its_last_run(command, kind: str) -> None:  # type: ignore[no-untyped-def]
    close = closed_by(command)
    given = told(do(given_child_started()), news_of_close(close))

    assert news(given) == [kind, "WORKFLOW_TASK_SCHEDULED"]
    written = attributes(given, kind)
    assert (written.initiated_event_id, written.started_event_id, written.workflow_execution.run_id) == (INITIATED, 6, LAST_RUN)
    outcome = getattr(close, close.WhichOneof("attributes") or "")
    for field in ("result", "failure", "details"):
        if field in written.DESCRIPTOR.fields_by_name:
            assert getattr(written, field) == getattr(outcome, field)


def test_a_child_that_is_terminated_or_times_out_is_recorded() -> None:
    terminated = told(given_started(), t.Terminate("enough", "client")).history[-1]
    assert "CHILD_WORKFLOW_EXECUTION_TERMINATED" in news(told(do(given_child_started()), news_of_close(terminated)))

    timed_out = wait(given_started(workflow_run_timeout=1), 1).history[-1]
    given = told(do(given_child_started()), news_of_close(timed_out))
    assert attributes(given, "CHILD_WORKFLOW_EXECUTION_TIMED_OUT").retry_state == RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET


def test_a_close_is_recorded_once() -> None:
    news_of = news_of_close(closed_by(ask.completed()))
    given = told(do(given_child_started()), news_of)

    assert not told(given, news_of).last.changed


def test_a_close_that_comes_before_the_start_is_known_records_both() -> None:
    given = told(given_initiated(), news_of_close(closed_by(ask.completed())))

    assert news(given) == ["CHILD_WORKFLOW_EXECUTION_STARTED", "CHILD_WORKFLOW_EXECUTION_COMPLETED", "WORKFLOW_TASK_SCHEDULED"]
    assert attributes(given, "CHILD_WORKFLOW_EXECUTION_STARTED").workflow_execution.run_id == CHILD_RUN
    assert attributes(given, "CHILD_WORKFLOW_EXECUTION_COMPLETED").started_event_id == 6
    assert not given.execution.children


def test_start_and_close_that_wait_in_the_buffer_know_each_other() -> None:
    given = with_workflow_task_started(signal(given_initiated()))
    given = signal(told(given, t.ChildStarted(INITIATED, CHILD_RUN)))

    given = complete(told(given, news_of_close(closed_by(ask.completed()))))

    expected = ["CHILD_WORKFLOW_EXECUTION_STARTED", "WORKFLOW_EXECUTION_SIGNALED", "CHILD_WORKFLOW_EXECUTION_COMPLETED"]
    assert news(given)[1:4] == expected
    assert attributes(given, "CHILD_WORKFLOW_EXECUTION_COMPLETED").started_event_id == given.last.batches[0].events[1].event_id


def test_a_start_that_waited_has_its_id_when_the_close_comes_later() -> None:
    given = with_workflow_task_started(signal(given_initiated()))
    given = complete(told(given, t.ChildStarted(INITIATED, CHILD_RUN)))
    assert waiting(given) == []

    given = told(given, news_of_close(closed_by(ask.completed())))

    started = last_event(given, "CHILD_WORKFLOW_EXECUTION_STARTED")
    assert attributes(given, "CHILD_WORKFLOW_EXECUTION_COMPLETED").started_event_id == started.event_id


# Close policies


@pytest.mark.parametrize("policy, told_of_it", [("TERMINATE", True), ("REQUEST_CANCEL", True), ("ABANDON", False)])
@pytest.mark.parametrize("close", [ask.completed, ask.continued_as_new])
def test_when_the_parent_closes_its_policy_is_applied(policy: str, told_of_it: bool, close) -> None:  # type: ignore[no-untyped-def]
    given = given_child_started(parent_close_policy=f"PARENT_CLOSE_POLICY_{policy}")
    given = told(given, t.ChildFirstTaskReleased(INITIATED))

    given = do(given, close())

    assert given.effects == ([ApplyClosePolicy(INITIATED)] if told_of_it else [])
    assert given.last.has_work == told_of_it
    applied = told(given, t.ChildPolicyApplied(INITIATED))
    assert not applied.last.has_work


def test_an_abandoned_child_is_still_told_to_go_on() -> None:
    given = do(given_child_started(parent_close_policy="PARENT_CLOSE_POLICY_ABANDON"), ask.completed())

    assert given.effects == [ApplyClosePolicy(INITIATED)]


@pytest.mark.parametrize("policy", ["TERMINATE", "ABANDON"])
def test_a_child_that_was_asked_for_in_the_closing_task_is_never_started(policy: str) -> None:
    given = do(given_started(), ask.child(parent_close_policy=f"PARENT_CLOSE_POLICY_{policy}"), ask.completed())

    # Nobody starts it; but it may have been made by a start whose word had not come, and then its close policy applies.
    assert given.effects == [ApplyClosePolicy(INITIATED)]
    assert refused(given, t.ChildStarted(INITIATED, CHILD_RUN)).message == "workflow execution already completed"
    assert not told(given, t.ChildPolicyApplied(INITIATED)).last.has_work


def test_news_of_a_child_for_a_closed_parent_changes_nothing() -> None:
    given = do(given_child_started(), ask.completed())

    assert not told(given, news_of_close(closed_by(ask.completed()))).last.changed


# The child's side


def test_a_child_waits_for_word_from_its_parent() -> None:
    child = given_child()
    assert news(child) == ["WORKFLOW_EXECUTION_STARTED"]
    assert child.last.due_at is None

    released = told(child, t.ReleaseFirstTask())
    assert news(released) == ["WORKFLOW_TASK_SCHEDULED"]
    assert not told(do(released), t.ReleaseFirstTask()).last.changed


def test_a_child_knows_its_parent_and_its_root() -> None:
    grandchild = given_child(do(told(given_child(), t.ReleaseFirstTask()), ask.child("box")))

    started = attributes(grandchild, "WORKFLOW_EXECUTION_STARTED")
    assert started.parent_workflow_execution.workflow_id == "parcel"
    assert started.root_workflow_execution.workflow_id == "order"
    assert grandchild.run.parent is not None and grandchild.run.parent.initiated_event_id == 5


def test_a_child_with_a_cron_schedule_waits_for_its_slot_too() -> None:
    child = told(given_child(given_initiated(cron_schedule="0 13 * * *")), t.ReleaseFirstTask())
    assert news(child) == []

    assert news(wait(child, 3600)) == ["WORKFLOW_TASK_SCHEDULED"]


def test_a_child_that_closes_tells_its_parent_until_that_has_heard() -> None:
    child = do(told(given_child(), t.ReleaseFirstTask()), ask.completed())
    assert child.effects == [NotifyParent()]
    assert child.last.has_work

    assert not told(child, t.ParentNotified()).last.has_work


def test_a_child_that_goes_on_in_another_run_does_not_tell_its_parent() -> None:
    child = do(told(given_child(), t.ReleaseFirstTask()), ask.continued_as_new())

    assert child.effects == []
    following = child.successor.after.run
    assert following.parent == child.run.parent
    assert following.root_workflow_id == child.run.root_workflow_id


def test_only_the_parent_may_speak_to_a_child_as_its_parent() -> None:
    child = given_child()
    assert child.run.parent is not None

    assert news(told(child, t.Signal("hello", only_child_of=child.run.parent.run_id))) == ["WORKFLOW_EXECUTION_SIGNALED"]
    assert refused(child, t.Signal("hello", only_child_of="another")).message == "workflow execution not found"
    assert refused(child, t.RequestCancel(only_child_of="another")).message == "workflow execution not found"
