"""What becomes of a workflow task that was made for an update which the worker rejects."""

import pytest
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Input, Meta, Rejection, Request

from outlast.engine import triggers as t
from tests.engine.given import Given, completion, do, given_started, news, told, with_workflow_task_started

REQUEST = Request(meta=Meta(update_id="u"), input=Input(name="change"))


def given_rejected(*, updates_wait: bool, return_new_workflow_task: bool) -> Given:
    """A speculative workflow task has been completed: its update is rejected, and perhaps another waits."""
    given = with_workflow_task_started(told(do(given_started()), t.AdmitUpdate()))
    rejection = Message(id="u/reject", protocol_instance_id="u")
    rejection.body.Pack(Rejection(rejected_request_message_id="u/request"))
    done = completion(given, [], messages=[rejection], return_new_workflow_task=return_new_workflow_task)
    return told(given, t.CompleteWorkflowTask(done.token, done.request, done.request_id, {"u": REQUEST}, updates_wait=updates_wait))


def test_a_rejected_update_leaves_no_trace_and_nothing_to_write() -> None:
    given = given_rejected(updates_wait=False, return_new_workflow_task=False)

    assert (news(given), given.last.durable) == ([], False)


@pytest.mark.parametrize(("returned", "written"), [(False, ["WORKFLOW_TASK_SCHEDULED"]), (True, [])])
def test_an_event_for_the_update_that_waits_is_written_before_anybody_reads_it(returned: bool, written: list[str]) -> None:
    given = given_rejected(updates_wait=True, return_new_workflow_task=returned)

    assert (news(given), given.last.durable) == (written, bool(written))
