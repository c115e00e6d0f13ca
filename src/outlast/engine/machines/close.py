"""How a run ends, and what follows it (workflow-core.md 1.9-1.13, 1.19)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from temporalio.api.common.v1 import Link, Payloads, Priority
from temporalio.api.enums.v1 import (
    ContinueAsNewInitiator,
    EventType,
    ParentClosePolicy,
    RetryState,
    TimeoutType,
)
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionStartedEventAttributes,
)

from outlast.engine import state
from outlast.engine.cron import next_backoff
from outlast.engine.machines import callback, time_skipping, workflow_task
from outlast.engine.refusals import WORKFLOW_COMPLETED, NotFound
from outlast.engine.retry import decide_retry
from outlast.engine.transition import ApplyClosePolicy, NotifyParent
from outlast.engine.triggers import Start, Terminate
from outlast.engine.wire import set_duration, set_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlast.engine.draft import Draft

STATUSES = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: state.COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: state.FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: state.CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: state.TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: state.CONTINUED_AS_NEW,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: state.TIMED_OUT,
}


def evolve_closed(draft: Draft, event: HistoryEvent) -> None:
    """The run is over: its status, its pending workflow task, its ties to parent and children."""
    run = draft.run
    run.status = STATUSES[event.event_type]
    run.close_time = draft.now
    run.delete_at = draft.context.now + draft.context.namespace.retention
    run.workflow_task = None
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    run.new_run_id = getattr(attributes, "new_execution_run_id", "")
    workflow_task.clear_stickiness(run)
    draft.visible = True
    draft.drop_buffer()
    if draft.replaced:
        return
    callback.run_is_over(draft, event)
    for child in list(draft.children):
        abandoned = child.parent_close_policy == ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON
        # One without a run id may have been made all the same: word of it had not come.
        if not child.run_id or not abandoned or child.first_task_to_release:
            draft.children.edit(child.initiated_event_id).policy_to_apply = True
            draft.effects.append(ApplyClosePolicy(child.initiated_event_id))
    if run.parent is not None and not run.new_run_id:
        run.parent_to_notify = True
        draft.effects.append(NotifyParent())


def terminate(draft: Draft, request: Terminate) -> None:
    if not draft.run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    if request.first_execution_run_id and request.first_execution_run_id != draft.run.first_run_id:
        raise NotFound("workflow execution not found")
    draft.replaced = request.for_reset
    write_terminated(draft, request.reason, request.identity, request.details, request.links)


def write_terminated(draft: Draft, reason: str, identity: str, details: Payloads | None = None, links: Sequence[Link] = ()) -> None:
    workflow_task.force_fail(draft)
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED)
    attributes = event.workflow_execution_terminated_event_attributes
    attributes.reason = reason
    attributes.identity = identity
    if details is not None:
        attributes.details.CopyFrom(details)
    event.links.extend(links)
    draft.add(event)


def delete(draft: Draft) -> None:
    """The run's time is over: it will be forgotten as soon as nobody has to hear of it any more."""
    if draft.run.open:
        write_terminated(draft, "Delete workflow execution", workflow_task.SERVER_IDENTITY)
    if draft.run.delete_at > draft.context.now or not draft.run.delete_at:
        draft.run.delete_at = draft.context.now
        draft.changed = True


def time_out(draft: Draft) -> None:
    """The run's, or the whole execution's, time is over."""
    run = draft.run
    workflow_task.force_fail(draft)
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT)
    attributes = event.workflow_execution_timed_out_event_attributes
    if run.execution_expiration and draft.now >= run.execution_expiration:
        attributes.retry_state = RetryState.RETRY_STATE_TIMEOUT
        draft.add(event)
        return
    failure = Failure(message="workflow timeout", source="Server")
    failure.timeout_failure_info.timeout_type = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    following, attributes.retry_state = run_after_failure(draft, failure, keep_last_result=True)
    if following is not None:
        attributes.new_execution_run_id = draft.context.fresh_id
    draft.add(event)
    if following is not None:
        succeed(draft, following)


def run_after_failure(draft: Draft, failure: Failure, *, keep_last_result: bool = False) -> tuple[Start | None, RetryState.ValueType]:
    """The run that retries this one, or that the cron schedule asks for, if any; and the retry state."""
    run = draft.run
    retry = decide_retry(run.retry_policy, run.attempt, failure, draft.now, run.execution_expiration, of_workflow=True)
    if retry.state == RetryState.RETRY_STATE_IN_PROGRESS:
        attributes = _of_origin(draft, retry.backoff)
        attributes.attempt = run.attempt + 1
        attributes.initiator = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY
        attributes.continued_failure.CopyFrom(failure)
        callback.carry(draft, attributes)
        if not keep_last_result:
            attributes.ClearField("last_completion_result")
        return _following(draft, attributes), retry.state
    following = _cron_run(draft, failure=failure)
    return following, retry.state


def run_after_completion(draft: Draft, result: Payloads | None) -> Start | None:
    """The next run of a cron schedule, if there is one."""
    return _cron_run(draft, result=result, completed=True)


def _cron_run(draft: Draft, *, failure: Failure | None = None, result: Payloads | None = None, completed: bool = False) -> Start | None:
    run = draft.run
    if not run.cron_schedule:
        return None
    backoff = next_backoff(run.cron_schedule, run.execution_time, draft.now)
    if not backoff or (run.execution_expiration and draft.now + backoff > run.execution_expiration):
        return None
    attributes = _of_origin(draft, backoff)
    attributes.attempt = 1
    attributes.initiator = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
    attributes.ClearField("continued_failure")
    attributes.ClearField("completion_callbacks")
    if completed:
        attributes.ClearField("last_completion_result")
        if result is not None:
            attributes.last_completion_result.CopyFrom(result)
    elif failure is not None:
        attributes.continued_failure.CopyFrom(failure)
    return _following(draft, attributes)


def _of_origin(draft: Draft, backoff: int) -> WorkflowExecutionStartedEventAttributes:
    attributes = WorkflowExecutionStartedEventAttributes.FromString(draft.origin)
    attributes.continued_execution_run_id = draft.run.run_id
    attributes.ClearField("original_execution_run_id")
    attributes.ClearField("identity")
    attributes.first_execution_run_id = draft.run.first_run_id
    set_duration(attributes.first_workflow_task_backoff, backoff)
    return attributes


def _following(draft: Draft, attributes: WorkflowExecutionStartedEventAttributes) -> Start:
    run = draft.run
    if run.execution_expiration:
        set_time(attributes.workflow_execution_expiration_time, run.execution_expiration)
    time_skipping.hand_on(run, attributes)
    attributes.prev_auto_reset_points.SetInParent()
    if run.reset_points:
        attributes.prev_auto_reset_points.ParseFromString(run.reset_points)
        for point in attributes.prev_auto_reset_points.points:
            if point.run_id == run.run_id:
                set_time(point.expire_time, draft.now + draft.context.namespace.retention)
        run.reset_points = attributes.prev_auto_reset_points.SerializeToString()
    return Start(
        workflow_id=run.workflow_id,
        request_id=str(uuid5(UUID(draft.context.fresh_id), "start")),
        attributes=attributes,
        links=[Link.FromString(link) for link in run.started_links],
    )


def succeed(draft: Draft, following: Start) -> None:
    """Begin the run that follows, in the same commit."""
    from outlast.engine.begin import begin  # a run begins with a draft of its own

    draft.successor = begin(following, draft.context.fresh_id, draft.context)


def following_run(draft: Draft, attributes: WorkflowExecutionStartedEventAttributes) -> Start:
    """The run that continues this one with attributes of its own (continue-as-new)."""
    run = draft.run
    attributes.continued_execution_run_id = run.run_id
    attributes.first_execution_run_id = run.first_run_id
    if run.parent is not None:
        parent = run.parent
        attributes.parent_workflow_namespace = parent.namespace
        attributes.parent_workflow_namespace_id = parent.namespace_id
        attributes.parent_workflow_execution.workflow_id = parent.workflow_id
        attributes.parent_workflow_execution.run_id = parent.run_id
        attributes.parent_initiated_event_id = parent.initiated_event_id
        attributes.root_workflow_execution.workflow_id = run.root_workflow_id
        attributes.root_workflow_execution.run_id = run.root_run_id
    if run.priority is not None:
        attributes.priority.CopyFrom(Priority.FromString(run.priority))
    if run.execution_timeout is not None:
        set_duration(attributes.workflow_execution_timeout, run.execution_timeout)
    callback.carry(draft, attributes)
    return _following(draft, attributes)
