"""A history that would become too large ends its run. Every case was seen on the real server, with a limit of 40 events."""

import msgspec
import pytest
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskFailedRequest

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.refusals import HistoryTooLarge
from outlast.engine.transition import Transition
from tests.limits import runs
from tests.limits.commands import COMPLETE, activity, markers, timer
from tests.limits.runs import Story, news

TOO_MANY = "Workflow history count exceeds limit."


@pytest.fixture(autouse=True)
def lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HISTORY_EVENTS_MAX", 40)
    monkeypatch.setattr(runs, "NAMESPACE", msgspec.structs.replace(runs.NAMESPACE, events_suggested=20))
    monkeypatch.setattr(limits, "SUGGEST_CONTINUE_AS_NEW_UPDATES", 0x7FFFFFFF)


def with_events(count: int) -> Story:
    """A run with so many events, the last of them of a completed workflow task."""
    story = Story()
    story.do(*markers(count - 4))
    assert len(story.history) == count
    return story


def assert_terminated(story: Story, transition: Transition, *events: str, text: str = TOO_MANY) -> None:
    assert isinstance(transition.refusal, HistoryTooLarge)
    assert transition.refusal.message == text
    assert news(transition) == [*events, "WORKFLOW_EXECUTION_TERMINATED"]
    terminated = story.history[-1].workflow_execution_terminated_event_attributes
    assert (terminated.reason, terminated.identity) == (text, "history-service")
    assert not transition.after.run.open
    assert story.events()


def test_a_completion_that_writes_too_much_is_not_done_and_the_run_is_terminated() -> None:
    story = Story()
    story.start_task()

    refused = story.answer(*markers(38))

    assert_terminated(story, refused, "WORKFLOW_TASK_FAILED")
    assert story.history[-2].workflow_task_failed_event_attributes.identity == "history-service"


def test_a_completion_that_ends_the_run_may_write_more() -> None:
    story = Story()

    done = story.do(*markers(38), COMPLETE)

    assert done.refusal is None
    assert story.events()[-1] == "WORKFLOW_EXECUTION_COMPLETED"


def test_what_was_buffered_is_written_before_the_end() -> None:
    story = with_events(37)
    story.signal()
    story.start_task()
    assert len(story.history) == 40
    story.signal()

    refused = story.answer(timer("t"))

    assert_terminated(story, refused, "WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_SIGNALED")


def test_a_poll_that_would_write_too_much_gets_nothing() -> None:
    story = with_events(38)
    story.signal()
    assert len(story.history) == 40

    assert_terminated(story, story.start_task())


def test_an_event_that_might_be_buffered_goes_in_and_the_next_change_ends_the_run() -> None:
    story = with_events(38)
    story.signal()

    canceled = story.tell(t.RequestCancel("enough", "client"))

    assert canceled.refusal is None
    assert len(story.history) == 41
    assert_terminated(story, story.signal())


def test_a_heartbeat_ends_a_run_that_is_too_long_already() -> None:
    story = Story()
    story.do(*markers(33), activity("a"))
    story.signal()
    (pending,) = story.execution.activities.values()
    story.tell(t.StartActivity(pending.scheduled_event_id, 1, 0, "poll", "worker"))
    story.tell(t.RequestCancel("enough", "client"))
    assert len(story.history) == 41

    assert_terminated(story, story.tell(t.Heartbeat(t.ActivityToken(pending.scheduled_event_id, 1), None, "worker")))


def test_an_activity_that_ends_too_late_ends_the_run() -> None:
    story = Story()
    story.do(*markers(34), activity("a"))
    (pending,) = story.execution.activities.values()
    story.tell(t.StartActivity(pending.scheduled_event_id, 1, 0, "poll", "worker"))

    assert_terminated(story, story.tell(t.CompleteActivity(t.ActivityToken(pending.scheduled_event_id, 1), None, "worker")))


def test_a_timer_that_fires_too_late_ends_the_run() -> None:
    story = Story()
    story.do(*markers(35), timer("t", 1))
    story.now += limits.SECOND

    assert_terminated(story, story.tell(t.TimersDue()))


def test_a_run_that_is_too_long_can_be_terminated_and_deleted_by_request() -> None:
    for request in (t.Terminate("enough", "client"), t.Delete()):
        story = with_events(40)

        assert story.tell(request).refusal is None
        assert story.events()[-1] == "WORKFLOW_EXECUTION_TERMINATED"


def test_a_repeated_signal_to_a_run_that_is_too_long_changes_nothing() -> None:
    story = with_events(38)
    story.signal("first")
    story.tell(t.RequestCancel("enough", "client"))

    assert not story.signal("first").changed


def test_a_rejected_completion_of_a_run_that_is_too_long_ends_it_as_well() -> None:
    story = with_events(38)
    story.signal()
    story.tell(t.RequestCancel("enough", "client"))
    assert_terminated(story, story.start_task())


def test_bytes_count_as_they_were_before_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    monkeypatch.setattr(limits, "HISTORY_BYTES_MAX", story.execution.run.history_size_bytes)

    first, size = story.signal(), story.execution.run.history_size_bytes

    assert first.refusal is None
    assert size > limits.HISTORY_BYTES_MAX
    assert_terminated(story, story.signal(), text="Workflow history size exceeds limit.")


@pytest.mark.parametrize(("signals", "started"), [(0, 21), (1, 22), (2, 20)])
def test_from_a_number_of_events_on_the_worker_is_asked_to_continue_as_new(signals: int, started: int) -> None:
    story = Story()
    for _ in range(signals):
        story.signal()
    asked = {}
    for _ in range(8):
        story.do(force_create_new_workflow_task=True)
        event = story.history[story.execution.run.last_started_event_id - 1]
        attributes = event.workflow_task_started_event_attributes
        assert bool(attributes.suggest_continue_as_new_reasons) == attributes.suggest_continue_as_new
        asked[event.event_id] = attributes.suggest_continue_as_new

    assert asked == {event_id: event_id >= started for event_id in asked}
    assert started in asked


def test_a_further_attempt_is_asked_as_well() -> None:
    story = Story()
    for _ in range(5):
        story.do(force_create_new_workflow_task=True)
    story.start_task()
    task = story.task
    token = t.WorkflowTaskToken(task.scheduled_event_id, task.started_event_id, task.started_time, task.attempt)
    story.tell(t.FailWorkflowTask(token, RespondWorkflowTaskFailedRequest()))

    story.start_task()

    assert (story.task.started_event_id, story.task.suggestions) == (21, (2,))


def test_many_updates_are_a_reason_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SUGGEST_CONTINUE_AS_NEW_UPDATES", 0)
    story = Story()

    story.start_task()

    assert list(story.history[-1].workflow_task_started_event_attributes.suggest_continue_as_new_reasons) == [3]
