"""Child workflows (workflow-core.md 3.3, 5.5).

initiated ──created──► started ──closed──► forgotten
    └──could not be created──► forgotten

The child is made without a workflow task; when CHILD_STARTED is recorded here, the child is told to go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.command.v1 import StartChildWorkflowExecutionCommandAttributes
from temporalio.api.common.v1 import Priority
from temporalio.api.enums.v1 import (
    ContinueAsNewInitiator,
    EventType,
    ParentClosePolicy,
    TaskQueueKind,
    WorkflowIdReusePolicy,
    WorkflowTaskFailedCause,
)
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionStartedEventAttributes,
)

from outlast.engine import limits, wire
from outlast.engine.checks import duration_flaw, queue_name_flaw, shown, size_bytes, too_long
from outlast.engine.cron import check_cron, next_backoff
from outlast.engine.machines import start as first_event
from outlast.engine.machines import time_skipping, workflow_task
from outlast.engine.machines.properties import admit_search_attributes
from outlast.engine.refusals import (
    WORKFLOW_COMPLETED,
    BadCommand,
    InvalidArgument,
    NamespaceNotFound,
    NotFound,
)
from outlast.engine.retry import check_retry_policy, filled
from outlast.engine.state import Child, Run
from outlast.engine.transition import ReleaseChild, StartChild
from outlast.engine.triggers import (
    ChildClosed,
    ChildPolicyApplied,
    ChildStarted,
    ChildStartFailed,
    Start,
)
from outlast.engine.wire import nanoseconds, set_duration

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

BAD_CHILD = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES
TOO_MANY = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED


def check_initiate(draft: Draft, command: StartChildWorkflowExecutionCommandAttributes) -> None:
    """Refuse what the reference server refuses, with its texts."""
    context = draft.context
    namespace = command.namespace or draft.run.namespace
    if namespace != draft.run.namespace:
        if namespace not in context.namespace_ids:
            raise NamespaceNotFound(namespace)
        raise BadCommand(BAD_CHILD, "cross namespace commands are not allowed")
    kind = "StartChildWorkflowExecutionCommand"
    type_name = command.workflow_type.name
    if not command.workflow_id:
        raise BadCommand(BAD_CHILD, f"Required field WorkflowId is not set on {kind}. WorkflowType={type_name} Namespace={namespace}")
    if size_bytes(command.workflow_id) > limits.ID_BYTES_MAX:
        long = too_long("WorkflowId", command.workflow_id)
        text = f"WorkflowId on {kind} exceeds length limit. {long} WorkflowType={type_name} Namespace={namespace}"
        raise BadCommand(BAD_CHILD, text)
    if not type_name:
        text = f"Required field WorkflowType is not set on {kind}. WorkflowId={command.workflow_id} Namespace={namespace}"
        raise BadCommand(BAD_CHILD, text)
    if size_bytes(type_name) > limits.ID_BYTES_MAX:
        long = f"WorkflowId={command.workflow_id} {too_long('WorkflowType', type_name)} Namespace={namespace}"
        raise BadCommand(BAD_CHILD, f"WorkflowType on {kind} exceeds length limit. {long}")
    suffix = f"WorkflowId={command.workflow_id} WorkflowType={type_name} Namespace={namespace}"
    if command.task_queue.name and (flaw := queue_name_flaw(command.task_queue.name)):
        queue = shown(command.task_queue, draft.run.task_queue)
        raise BadCommand(BAD_CHILD, f"invalid TaskQueue on {kind}: {flaw}. {suffix} TaskQueue={queue}")
    for name, span in (
        ("WorkflowExecutionTimeout", command.workflow_execution_timeout),
        ("WorkflowRunTimeout", command.workflow_run_timeout),
        ("WorkflowTaskTimeout", command.workflow_task_timeout),
    ):
        if flaw := duration_flaw(span):
            raise BadCommand(BAD_CHILD, f"Invalid {name} on {kind}: {flaw}. {suffix}")
    _check_policies(draft, command, suffix)


def _check_policies(draft: Draft, command: StartChildWorkflowExecutionCommandAttributes, suffix: str) -> None:
    try:
        if command.HasField("retry_policy"):
            check_retry_policy(filled(command.retry_policy))
    except InvalidArgument as refusal:
        text = f"invalid WorkflowRetryPolicy on StartChildWorkflowExecutionCommand: {refusal.message}. {suffix}"
        raise BadCommand(BAD_CHILD, text) from None
    try:
        check_cron(command.cron_schedule)
    except InvalidArgument as refusal:
        text = f"invalid CronSchedule on StartChildWorkflowExecutionCommand: {refusal.message}. {suffix}"
        raise BadCommand(BAD_CHILD, text) from None
    admit_search_attributes(draft, command.search_attributes, BAD_CHILD)
    if command.input.ByteSize() > draft.context.namespace.blob_bytes_max:
        raise BadCommand(BAD_CHILD, "StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.", terminates=True)
    if command.memo.ByteSize() > limits.MEMO_BYTES_MAX:
        raise BadCommand(BAD_CHILD, "StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.", terminates=True)
    if len(draft.children) >= limits.PENDING_CHILDREN_MAX:
        count, most = len(draft.children), limits.PENDING_CHILDREN_MAX
        raise BadCommand(
            TOO_MANY, f"the number of pending child workflow executions, {count}, has reached the per-workflow limit of {most}"
        )


def initiate(draft: Draft, command: StartChildWorkflowExecutionCommandAttributes, event: HistoryEvent) -> None:
    check_initiate(draft, command)
    run = draft.run
    attributes = event.start_child_workflow_execution_initiated_event_attributes
    attributes.namespace = run.namespace
    attributes.namespace_id = run.namespace_id
    attributes.workflow_id = command.workflow_id
    attributes.workflow_type.name = command.workflow_type.name
    attributes.task_queue.name = command.task_queue.name or run.task_queue
    attributes.task_queue.kind = command.task_queue.kind or TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    for name in ("input", "header", "memo", "search_attributes", "retry_policy", "priority", "versioning_override"):
        if wire.has(command, name):
            getattr(attributes, name).CopyFrom(getattr(command, name))
    if command.HasField("retry_policy"):
        attributes.retry_policy.CopyFrom(filled(command.retry_policy))
    if command.HasField("search_attributes"):
        attributes.search_attributes.CopyFrom(admit_search_attributes(draft, command.search_attributes))
    timeouts = WorkflowExecutionStartedEventAttributes()
    first_event.set_timeouts(
        timeouts,
        nanoseconds(command.workflow_execution_timeout),
        nanoseconds(command.workflow_run_timeout),
        nanoseconds(command.workflow_task_timeout),
    )
    if command.HasField("workflow_execution_timeout"):
        attributes.workflow_execution_timeout.CopyFrom(timeouts.workflow_execution_timeout)
    attributes.workflow_run_timeout.CopyFrom(timeouts.workflow_run_timeout)
    attributes.workflow_task_timeout.CopyFrom(timeouts.workflow_task_timeout)
    attributes.parent_close_policy = command.parent_close_policy or ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE
    attributes.workflow_id_reuse_policy = command.workflow_id_reuse_policy or WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    attributes.control = command.control
    attributes.cron_schedule = command.cron_schedule
    attributes.inherit_build_id = command.inherit_build_id
    time_skipping.hand_to_child(run, attributes)
    draft.add(event)
    draft.effects.append(StartChild(event.event_id))


def evolve_initiated(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.start_child_workflow_execution_initiated_event_attributes
    child = Child(
        initiated_event_id=event.event_id,
        workflow_id=attributes.workflow_id,
        workflow_type=attributes.workflow_type.name,
        namespace=attributes.namespace,
        namespace_id=attributes.namespace_id,
        parent_close_policy=attributes.parent_close_policy,
        control=attributes.control,
    )
    draft.children.put(event.event_id, child)


def start_of_child(parent: Run, initiated: HistoryEvent, now: int) -> Start:
    """What begins the child that INITIATED asks for."""
    asked = initiated.start_child_workflow_execution_initiated_event_attributes
    now += nanoseconds(asked.time_skipping_state_propagation.initial_skipped_duration)
    attributes = WorkflowExecutionStartedEventAttributes(workflow_id=asked.workflow_id, cron_schedule=asked.cron_schedule, attempt=1)
    attributes.workflow_type.CopyFrom(asked.workflow_type)
    attributes.task_queue.CopyFrom(asked.task_queue)
    for name in (
        "input",
        "header",
        "memo",
        "search_attributes",
        "retry_policy",
        "priority",
        "versioning_override",
        "workflow_execution_timeout",
        "workflow_run_timeout",
        "workflow_task_timeout",
        "time_skipping_config",
        "time_skipping_state_propagation",
    ):
        if wire.has(asked, name):
            getattr(attributes, name).CopyFrom(getattr(asked, name))
    if not attributes.HasField("priority") and parent.priority is not None:
        attributes.priority.CopyFrom(Priority.FromString(parent.priority))
    attributes.parent_workflow_namespace = parent.namespace
    attributes.parent_workflow_namespace_id = parent.namespace_id
    attributes.parent_workflow_execution.workflow_id = parent.workflow_id
    attributes.parent_workflow_execution.run_id = parent.run_id
    attributes.parent_initiated_event_id = initiated.event_id
    attributes.root_workflow_execution.workflow_id = parent.root_workflow_id or parent.workflow_id
    attributes.root_workflow_execution.run_id = parent.root_run_id or parent.run_id
    backoff = 0
    if asked.cron_schedule:
        attributes.initiator = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
        backoff = next_backoff(asked.cron_schedule, now, now)
    set_duration(attributes.first_workflow_task_backoff, backoff)
    first_event.set_expiration(attributes, now)
    return Start(
        workflow_id=asked.workflow_id,
        request_id=f"{parent.run_id}:{initiated.event_id}:0",
        attributes=attributes,
        user_metadata=initiated.user_metadata if initiated.HasField("user_metadata") else None,
        parent_holds_first_task=True,
    )


def started(draft: Draft, answer: ChildStarted) -> None:
    """The child exists: record it, and let it go on."""
    if not draft.run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    child = draft.children.get(answer.initiated_event_id)
    if child is None:
        raise NotFound(f"no pending child workflow with initiated event id {answer.initiated_event_id}")
    if child.run_id:
        if child.first_task_to_release:
            draft.effects.append(ReleaseChild(answer.initiated_event_id))
        return
    _write_started(draft, child, answer)
    draft.effects.append(ReleaseChild(answer.initiated_event_id))
    workflow_task.schedule(draft)


def _write_started(draft: Draft, child: Child, answer: ChildStarted) -> None:
    event = draft.event(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
    attributes = event.child_workflow_execution_started_event_attributes
    attributes.namespace = child.namespace
    attributes.namespace_id = child.namespace_id
    attributes.initiated_event_id = child.initiated_event_id
    attributes.workflow_execution.workflow_id = child.workflow_id
    attributes.workflow_execution.run_id = answer.run_id
    attributes.workflow_type.name = child.workflow_type
    if answer.header is not None:
        attributes.header.CopyFrom(answer.header)
    draft.add(event)
    draft.children.edit(child.initiated_event_id).first_task_to_release = True


def evolve_started(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.child_workflow_execution_started_event_attributes
    if attributes.initiated_event_id in draft.children:
        child = draft.children.edit(attributes.initiated_event_id)
        child.run_id = attributes.workflow_execution.run_id
        child.started_event_id = event.event_id or -1


def start_failed(draft: Draft, answer: ChildStartFailed) -> None:
    child = draft.children.get(answer.initiated_event_id)
    if child is None or not draft.run.open or child.run_id:
        return
    event = draft.event(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
    attributes = event.start_child_workflow_execution_failed_event_attributes
    attributes.namespace = child.namespace
    attributes.namespace_id = child.namespace_id
    attributes.workflow_id = child.workflow_id
    attributes.workflow_type.name = child.workflow_type
    attributes.cause = answer.cause
    attributes.control = child.control
    attributes.initiated_event_id = child.initiated_event_id
    draft.add(event)
    workflow_task.schedule(draft)


def evolve_start_failed(draft: Draft, event: HistoryEvent) -> None:
    draft.children.drop(event.start_child_workflow_execution_failed_event_attributes.initiated_event_id)


_OUTCOMES = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: (EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, ("result",)),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: (
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
        ("failure", "retry_state"),
    ),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: (EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, ("details",)),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: (
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
        ("retry_state",),
    ),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: (EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, ()),
}
"""A child's close event: the parent's event for it, and the fields that are carried over."""


def closed(draft: Draft, answer: ChildClosed) -> None:
    """The child's last run has closed. A repeat, or news for a closed parent, changes nothing."""
    child = draft.children.get(answer.initiated_event_id)
    if child is None or not draft.run.open:
        return
    if not child.run_id:
        _write_started(draft, child, ChildStarted(answer.initiated_event_id, answer.first_run_id))
        child = draft.children.edit(answer.initiated_event_id)
    kind, carried = _OUTCOMES[answer.close_event.event_type]
    outcome = getattr(answer.close_event, answer.close_event.WhichOneof("attributes") or "")
    event = draft.event(kind)
    name = EventType.Name(kind).removeprefix("EVENT_TYPE_").lower() + "_event_attributes"
    attributes = getattr(event, name)
    attributes.namespace = child.namespace
    attributes.namespace_id = child.namespace_id
    attributes.workflow_execution.workflow_id = child.workflow_id
    attributes.workflow_execution.run_id = answer.run_id
    attributes.workflow_type.name = child.workflow_type
    attributes.initiated_event_id = child.initiated_event_id
    attributes.started_event_id = max(child.started_event_id, 0)
    for field in carried:
        if field == "retry_state":
            attributes.retry_state = outcome.retry_state
        elif outcome.HasField(field):
            getattr(attributes, field).CopyFrom(getattr(outcome, field))
    draft.add(event)
    workflow_task.schedule(draft)


def evolve_closed(draft: Draft, event: HistoryEvent) -> None:
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    draft.children.drop(attributes.initiated_event_id)


def first_task_released(draft: Draft, initiated_event_id: int) -> None:
    child = draft.children.get(initiated_event_id)
    if child is not None and child.first_task_to_release:
        draft.children.edit(initiated_event_id).first_task_to_release = False
        draft.changed = True


def policy_applied(draft: Draft, answer: ChildPolicyApplied) -> None:
    child = draft.children.get(answer.initiated_event_id)
    if child is not None and child.policy_to_apply:
        draft.children.edit(answer.initiated_event_id).policy_to_apply = False
        draft.changed = True
