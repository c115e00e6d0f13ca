"""When a run is forgotten: by request, or when its retention is over, but never before all who must be told know."""

from outlast.engine import triggers as t
from outlast.engine.transition import NotifyParent
from outlast.engine.work import expired, has_work
from tests.limits.commands import COMPLETE
from tests.limits.runs import NOON, RETENTION, Story, news


def test_a_closed_run_is_due_when_its_retention_is_over() -> None:
    story = Story()

    closed = story.do(COMPLETE)

    assert closed.due_at == NOON + RETENTION
    assert not expired(closed.after, NOON + RETENTION - 1)
    assert expired(closed.after, NOON + RETENTION)


def test_an_open_run_never_expires() -> None:
    assert not expired(Story().execution, NOON + 1000 * RETENTION)


def test_deleting_a_running_run_terminates_it_and_makes_it_due_at_once() -> None:
    story = Story()
    story.start_task()
    story.signal()

    deleted = story.tell(t.Delete())

    assert news(deleted) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_EXECUTION_TERMINATED"]
    terminated = story.history[-1].workflow_execution_terminated_event_attributes
    assert (terminated.reason, terminated.identity) == ("Delete workflow execution", "history-service")
    assert deleted.due_at == NOON
    assert expired(deleted.after, NOON)


def test_deleting_a_closed_run_writes_no_event_and_makes_it_due_at_once() -> None:
    story = Story()
    story.do(COMPLETE)

    deleted = story.tell(t.Delete())

    assert deleted.changed
    assert news(deleted) == []
    assert deleted.due_at == NOON


def test_a_second_deletion_changes_nothing() -> None:
    story = Story()
    story.tell(t.Delete())

    assert not story.tell(t.Delete()).changed


def test_a_child_is_not_due_before_its_parent_knows_that_it_has_ended() -> None:
    story = Story(child=True)

    deleted = story.tell(t.Delete())
    told = story.tell(t.ParentNotified())

    assert deleted.effects == [NotifyParent()]
    assert deleted.due_at is None
    assert has_work(deleted.after)
    assert told.due_at == NOON


def test_the_clock_changes_nothing_in_a_closed_run() -> None:
    story = Story()
    story.do(COMPLETE)
    story.now += 2 * RETENTION

    assert not story.tell(t.TimersDue()).changed
