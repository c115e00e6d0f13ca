"""How much one run may have at once, and in all. The texts are those of the real server with lowered limits."""

from collections.abc import Callable

import pytest
from temporalio.api.command.v1 import Command

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.refusals import FailedPrecondition, InvalidArgument
from tests.limits.commands import CONTINUE, activity, cancel_external, child, signal_external
from tests.limits.runs import Story, news


@pytest.mark.parametrize(
    ("limit", "command", "text"),
    [
        ("PENDING_ACTIVITIES_MAX", activity, "PendingActivitiesLimitExceeded: the number of pending activities, 2,"),
        ("PENDING_CHILDREN_MAX", child, "PendingChildWorkflowsLimitExceeded: the number of pending child workflow executions, 2,"),
        ("PENDING_EXTERNALS_MAX", signal_external, "PendingSignalsLimitExceeded: the number of pending signals to external workflows, 2,"),
        (
            "PENDING_EXTERNALS_MAX",
            cancel_external,
            "PendingRequestCancelLimitExceeded: the number of pending requests to cancel external workflows, 2,",
        ),
    ],
)
def test_one_too_many_fails_the_workflow_task(
    monkeypatch: pytest.MonkeyPatch, limit: str, command: Callable[[str], Command], text: str
) -> None:
    monkeypatch.setattr(limits, limit, 2)
    story = Story()
    story.start_task()

    refused = story.answer(command("a"), command("b"), command("c"))

    assert refused.refusal is not None
    assert refused.refusal.message == f"{text} has reached the per-workflow limit of 2"
    assert news(refused) == ["WORKFLOW_TASK_FAILED"]
    failed = story.history[-1].workflow_task_failed_event_attributes
    assert failed.failure.message == refused.refusal.message
    assert refused.after.run.workflow_task_attempt == 2


def test_signals_and_cancel_requests_to_others_are_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_EXTERNALS_MAX", 2)
    story = Story()

    done = story.do(signal_external("a"), cancel_external("a"), signal_external("b"), cancel_external("b"))

    assert done.refusal is None


def test_a_run_takes_so_many_signals_buffered_or_not_and_its_successor_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SIGNALS_MAX", 5)
    story = Story()
    for _ in range(3):
        story.signal()
    story.start_task()
    for _ in range(2):
        story.signal()

    with pytest.raises(InvalidArgument, match=r"^exceeded workflow execution limit for signal events$"):
        story.signal()
    story.answer()
    successor = story.do(CONTINUE).successor

    assert successor is not None
    assert successor.after.run.signal_count == 0


def test_a_repeated_signal_is_no_further_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SIGNALS_MAX", 1)
    story = Story()
    story.signal("one")

    assert not story.signal("one").changed


def test_a_run_takes_so_many_updates_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPDATES_MAX", 2)
    story = Story()
    story.tell(t.AdmitUpdate(1))

    with pytest.raises(
        FailedPrecondition, match=r"^The limit on the total number of distinct updates in this workflow has been reached \(2\)"
    ):
        story.tell(t.AdmitUpdate(2))


@pytest.mark.parametrize("count", [500])
def test_many_activities_in_one_task_get_ids_of_their_own(count: int) -> None:
    story = Story()

    done = story.do(*(activity(str(number)) for number in range(count)))

    assert len(done.after.activities) == done.after.activities.waiting == count


def test_an_activity_id_may_be_used_again_when_its_activity_is_over_but_not_before() -> None:
    story = Story()
    story.start_task()
    refused = story.answer(activity("a"), activity("b"), activity("a"))

    assert refused.refusal is not None
    assert refused.refusal.message.startswith("ScheduleActivityDuplicateId: ")
    story.do(activity("a"))
    story.tell(t.CompleteActivity(t.ActivityToken(activity_id="a"), None, "worker"))
    assert story.do(activity("a")).refusal is None
