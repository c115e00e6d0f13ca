"""How a run begins: the first event, its normalisation, and the state that follows from it (workflow-core.md 1.2-1.4)."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import ContinueAsNewInitiator, EventType, TaskQueueKind
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionStartedEventAttributes,
)
from temporalio.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

from outlast.engine import limits, wire
from outlast.engine.cron import next_backoff
from outlast.engine.machines import callback, time_skipping
from outlast.engine.retry import filled, from_wire
from outlast.engine.state import Parent, Run
from outlast.engine.triggers import NamespaceView
from outlast.engine.wire import is_nil, moment, nanoseconds, set_duration, set_time

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

_COPIED = ("input", "header", "memo", "search_attributes", "retry_policy", "last_completion_result", "continued_failure")


def attributes_of_request(
    request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest, now: int
) -> WorkflowExecutionStartedEventAttributes:
    """The first event's attributes for a client's start: timeouts normalised, defaults filled, nil values dropped."""
    attributes = WorkflowExecutionStartedEventAttributes(
        workflow_id=request.workflow_id, identity=request.identity, cron_schedule=request.cron_schedule, attempt=1
    )
    attributes.workflow_type.name = request.workflow_type.name
    attributes.task_queue.name = request.task_queue.name
    attributes.task_queue.kind = request.task_queue.kind or TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    for name in _COPIED:
        if wire.has(request, name):
            getattr(attributes, name).CopyFrom(getattr(request, name))
    for name in ("priority", "versioning_override"):
        if wire.has(request, name):
            getattr(attributes, name).CopyFrom(getattr(request, name))
    if isinstance(request, StartWorkflowExecutionRequest) and request.completion_callbacks:
        attributes.completion_callbacks.extend(request.completion_callbacks)
    if request.HasField("time_skipping_config"):
        attributes.time_skipping_config.CopyFrom(request.time_skipping_config)
    _drop_nil_values(attributes)
    if attributes.HasField("retry_policy"):
        attributes.retry_policy.CopyFrom(filled(attributes.retry_policy))
    set_timeouts(
        attributes,
        nanoseconds(request.workflow_execution_timeout),
        nanoseconds(request.workflow_run_timeout),
        nanoseconds(request.workflow_task_timeout),
    )
    for name in ("workflow_execution_timeout", "workflow_run_timeout"):
        if wire.has(request, name):
            getattr(attributes, name).SetInParent()
    if attributes.cron_schedule:
        attributes.initiator = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
        set_duration(attributes.first_workflow_task_backoff, next_backoff(attributes.cron_schedule, now, now))
    else:
        set_duration(attributes.first_workflow_task_backoff, nanoseconds(request.workflow_start_delay))
    set_expiration(attributes, now)
    return attributes


def _drop_nil_values(attributes: WorkflowExecutionStartedEventAttributes) -> None:
    if attributes.HasField("memo"):
        _drop_nils(attributes.memo.fields)
        if not attributes.memo.fields:
            attributes.ClearField("memo")
    if attributes.HasField("search_attributes"):
        _drop_nils(attributes.search_attributes.indexed_fields)
        if not attributes.search_attributes.indexed_fields:
            attributes.ClearField("search_attributes")


def _drop_nils(fields: MutableMapping[str, Payload]) -> None:
    for key in [key for key, payload in fields.items() if is_nil(payload)]:
        del fields[key]


def set_timeouts(attributes: WorkflowExecutionStartedEventAttributes, execution: int, run: int, task: int) -> None:
    """The three timeouts in nanoseconds, each capped by the wider one (workflow-core.md 1.3)."""
    run = min(run, execution) if run and execution else run or execution
    task = min(task or limits.WORKFLOW_TASK_TIMEOUT_DEFAULT, limits.WORKFLOW_TASK_TIMEOUT_MAX)
    if run:
        task = min(task, run)
    if execution:
        set_duration(attributes.workflow_execution_timeout, execution)
    if run:
        set_duration(attributes.workflow_run_timeout, run)
    set_duration(attributes.workflow_task_timeout, task)


def set_expiration(attributes: WorkflowExecutionStartedEventAttributes, now: int) -> None:
    execution = nanoseconds(attributes.workflow_execution_timeout)
    if execution:
        millisecond = limits.SECOND // 1000
        set_time(attributes.workflow_execution_expiration_time, (now + execution) // millisecond * millisecond)


def born(namespace: NamespaceView, request_id: str, event: HistoryEvent) -> Run:
    """The core of a run whose first event this is."""
    attributes = event.workflow_execution_started_event_attributes
    start_time = moment(event.event_time)
    backoff = nanoseconds(attributes.first_workflow_task_backoff)
    execution_expiration = moment(attributes.workflow_execution_expiration_time)
    run_timeout = nanoseconds(attributes.workflow_run_timeout)
    run_expiration = start_time + run_timeout + backoff if run_timeout else 0
    if execution_expiration and run_expiration:
        run_expiration = min(run_expiration, execution_expiration)
    return Run(
        namespace=namespace.name,
        namespace_id=namespace.id,
        workflow_id=attributes.workflow_id,
        run_id=attributes.original_execution_run_id,
        workflow_type=attributes.workflow_type.name,
        task_queue=attributes.task_queue.name,
        first_run_id=attributes.first_execution_run_id,
        original_run_id=attributes.original_execution_run_id,
        create_request_id=request_id,
        start_time=start_time,
        execution_time=start_time + backoff,
        execution_timeout=(
            nanoseconds(attributes.workflow_execution_timeout) if attributes.HasField("workflow_execution_timeout") else None
        ),
        run_timeout=run_timeout if attributes.HasField("workflow_run_timeout") else None,
        task_timeout=nanoseconds(attributes.workflow_task_timeout),
        execution_expiration=execution_expiration,
        run_expiration=run_expiration,
        attempt=attributes.attempt,
        cron_schedule=attributes.cron_schedule,
        retry_policy=from_wire(attributes.retry_policy) if attributes.HasField("retry_policy") else None,
        parent=_parent(attributes),
        root_workflow_id=attributes.root_workflow_execution.workflow_id,
        root_run_id=attributes.root_workflow_execution.run_id,
        user_metadata=event.user_metadata.SerializeToString() if event.HasField("user_metadata") else b"",
        priority=attributes.priority.SerializeToString() if attributes.HasField("priority") else None,
        versioning_override=(attributes.versioning_override.SerializeToString() if attributes.HasField("versioning_override") else b""),
        started_links=tuple(link.SerializeToString() for link in event.links),
        continued_from=attributes.continued_execution_run_id,
        first_task_pending=True,
        time_skipping=time_skipping.born(attributes, start_time),
        reset_points=attributes.prev_auto_reset_points.SerializeToString(),
    )


def _parent(attributes: WorkflowExecutionStartedEventAttributes) -> Parent | None:
    if not attributes.HasField("parent_workflow_execution"):
        return None
    return Parent(
        attributes.parent_workflow_namespace,
        attributes.parent_workflow_namespace_id,
        attributes.parent_workflow_execution.workflow_id,
        attributes.parent_workflow_execution.run_id,
        attributes.parent_initiated_event_id,
    )


def evolve_started(draft: Draft, event: HistoryEvent) -> None:
    """The parts that the first event brings; the core is made by `born`."""
    attributes = event.workflow_execution_started_event_attributes
    if attributes.HasField("memo"):
        for key, payload in attributes.memo.fields.items():
            draft.memo.put(key, payload.SerializeToString())
    if attributes.HasField("search_attributes"):
        for key, payload in attributes.search_attributes.indexed_fields.items():
            draft.search_attributes.put(key, payload.SerializeToString())
    if attributes.HasField("retry_policy") or attributes.cron_schedule:
        draft.origin = attributes.SerializeToString()
        draft.origin_changed = True
    callback.attach(draft, attributes.completion_callbacks, draft.run.create_request_id, event)
    draft.visible = True


EVENT_TYPE = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
