"""A state, or events written together, that become too large end the run, or are refused."""

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload, Payloads

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.refusals import HistoryTooLarge, InvalidArgument
from tests.limits.commands import COMPLETE, activity, markers, timer
from tests.limits.runs import Story, news


def blob(size: int) -> Payloads:
    return Payloads(payloads=[Payload(data=b"x" * size)])


@pytest.fixture
def little_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRANSACTION_BYTES_MAX", 3000)


@pytest.fixture
def little_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRANSACTION_BYTES_MAX", 3000)
    monkeypatch.setattr(limits, "STATE_BYTES_MAX", 5000)


def heartbeat(story: Story, size: int):  # type: ignore[no-untyped-def]
    """The activity that waits longest is started, and beats with details of this size."""
    pending = next(pending for pending in story.execution.activities.values() if not pending.started)
    story.tell(t.StartActivity(pending.scheduled_event_id, 1, pending.stamp, f"poll {pending.activity_id}", "w"))
    return story.tell(t.Heartbeat(t.ActivityToken(pending.scheduled_event_id, 1), blob(size), "w"))


@pytest.mark.usefixtures("little_state")
def test_heartbeats_that_make_the_state_too_large_end_the_run() -> None:
    story = Story()
    story.do(*(activity(f"a{number}") for number in range(3)))

    assert heartbeat(story, 1900).refusal is None
    assert heartbeat(story, 1900).refusal is None
    ended = heartbeat(story, 1900)

    assert isinstance(ended.refusal, HistoryTooLarge)
    assert ended.refusal.message == "Workflow mutable state size exceeds limit."
    assert news(ended) == ["WORKFLOW_EXECUTION_TERMINATED"]
    terminated = story.history[-1].workflow_execution_terminated_event_attributes
    assert (terminated.reason, terminated.identity) == ("Workflow mutable state size exceeds limit.", "history-service")


@pytest.mark.usefixtures("little_state")
def test_what_a_new_heartbeat_replaces_counts_no_more() -> None:
    story = Story()
    story.do(activity("a"))
    heartbeat(story, 1900)
    token = t.ActivityToken(next(iter(story.execution.activities)), 1)

    for _ in range(5):
        assert story.tell(t.Heartbeat(token, blob(1900), "w")).refusal is None

    before = story.execution.run.state_bytes
    story.tell(t.CompleteActivity(token, None, "w"))
    assert story.execution.run.state_bytes < before - 1900


@pytest.mark.usefixtures("little_at_once")
def test_a_completion_that_writes_too_much_at_once_ends_the_run() -> None:
    story = Story()
    story.start_task()
    story.tell(t.Signal("s", blob(2930)))

    ended = story.answer(timer("t"), timer("u"), timer("v"))

    assert isinstance(ended.refusal, HistoryTooLarge)
    assert ended.refusal.message.startswith("transaction size of 3")
    assert ended.refusal.message.endswith(" bytes exceeds limit of 3000 bytes")
    assert news(ended) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_EXECUTION_TERMINATED"]
    terminated = story.history[-1].workflow_execution_terminated_event_attributes
    assert terminated.reason == "Transaction size exceeds limit."
    assert ended.refusal.message.encode() in terminated.details.payloads[0].data


@pytest.mark.usefixtures("little_at_once")
def test_what_the_next_run_begins_with_counts_as_well() -> None:
    story = Story(cron_schedule="@every 1s", input=blob(2500))
    story.now += limits.SECOND
    story.tell(t.TimersDue())
    complete = Command.FromString(COMPLETE.SerializeToString())
    complete.complete_workflow_execution_command_attributes.result.CopyFrom(blob(500))

    ended = story.do(complete)

    assert isinstance(ended.refusal, HistoryTooLarge)
    assert ended.successor is None
    assert not story.execution.run.open


@pytest.mark.usefixtures("little_at_once")
def test_a_call_that_would_write_too_much_at_once_is_refused_and_nothing_happens() -> None:
    story = Story()

    with pytest.raises(InvalidArgument, match="bytes exceeds limit of 3000 bytes"):
        story.tell(t.Signal("s", blob(3000)))
    assert story.execution.run.open


@pytest.mark.usefixtures("little_at_once")
def test_news_that_nobody_could_send_smaller_end_the_run() -> None:
    story = Story()
    story.do(*markers(1))
    story.tell(t.Signal("s"))
    story.start_task()
    story.tell(t.Signal("s", blob(2945)))
    story.now += 11 * limits.SECOND

    ended = story.tell(t.TimersDue())  # the workflow task times out, and what was buffered is written with it

    assert isinstance(ended.refusal, HistoryTooLarge)
    assert news(ended)[-1] == "WORKFLOW_EXECUTION_TERMINATED"
