"""Histories from JSON, whatever wrote it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType, RetryState, TaskQueueKind, TimeoutType, WorkflowIdReusePolicy
from temporalio.api.history.v1 import HistoryEvent

from outlast.client import WorkflowHistory

SHORT: dict[str, Any] = {
    "events": [
        {"eventId": "1", "eventType": "WorkflowExecutionStarted", "workflowExecutionStartedEventAttributes": {
            "taskQueue": {"name": "q", "kind": "Normal"}, "originalExecutionRunId": "r", "future": 1,
            "continuedFailure": {"cause": {"timeoutFailureInfo": {"timeoutType": "StartToClose"}}},
        }},
        {"eventId": "2", "eventType": "ActivityTaskFailed", "activityTaskFailedEventAttributes": {
            "retryState": "MaximumAttemptsReached",
            "failure": {
                "activityFailureInfo": {"retryState": "NonRetryableFailure"},
                "cause": {"timeoutFailureInfo": {"timeoutType": "Heartbeat"}},
            },
        }},
        {"eventId": "3", "eventType": "StartChildWorkflowExecutionInitiated", "startChildWorkflowExecutionInitiatedEventAttributes": {
            "workflowIdReusePolicy": "RejectDuplicate", "parentClosePolicy": "Abandon",
        }},
        {"eventId": "4", "eventType": "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT", "workflowTaskTimedOutEventAttributes": {
            "timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE",
        }},
    ]
}  # fmt: skip


@pytest.mark.parametrize("given", [SHORT, json.dumps(SHORT)])
def test_short_names_of_older_tools_are_understood(given: str | dict[str, Any]) -> None:
    history = WorkflowHistory.from_json("w", given)

    started = history.events[0].workflow_execution_started_event_attributes
    failed = history.events[1].activity_task_failed_event_attributes
    child = history.events[2].start_child_workflow_execution_initiated_event_attributes
    assert [event.event_type for event in history.events] == [
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
        EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    ]
    assert started.task_queue.kind == TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    assert started.continued_failure.cause.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    assert failed.retry_state == RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    assert failed.failure.activity_failure_info.retry_state == RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
    assert failed.failure.cause.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    assert child.workflow_id_reuse_policy == WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    assert (history.workflow_id, history.run_id) == ("w", "r")


def test_what_was_given_is_not_changed() -> None:
    before = json.dumps(SHORT)

    WorkflowHistory.from_json("w", SHORT)

    assert json.dumps(SHORT) == before


@pytest.mark.parametrize("given", ["[]", {}, {"events": 1}, {"events": [1]}])
def test_what_is_no_history_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="not"):
        WorkflowHistory.from_json("w", given)


def test_a_history_without_its_first_event_has_no_run() -> None:
    for events in ([], [HistoryEvent(event_id=2)]):
        with pytest.raises(RuntimeError):
            _ = WorkflowHistory("w", events).run_id
