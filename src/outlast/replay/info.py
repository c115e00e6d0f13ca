"""What a workflow can learn about itself, from the event that started it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from outlast import common, workflow
from outlast.converter import decode_search_attributes, decode_typed_search_attributes
from outlast.replay.wire import to_datetime, to_timedelta

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes

    from outlast.replay.protocol import RunSettings, WorkflowTask


def make_info(settings: RunSettings, task: WorkflowTask, event: HistoryEvent, now_ns: int) -> workflow.Info:
    """The info of a run. `now_ns` is the time of its first task."""
    started = event.workflow_execution_started_event_attributes
    has_attributes = bool(started.search_attributes.indexed_fields)
    return workflow.Info(
        attempt=started.attempt,
        continued_run_id=started.continued_execution_run_id or None,
        cron_schedule=started.cron_schedule or None,
        execution_timeout=_timeout(started, "workflow_execution_timeout"),
        first_execution_run_id=started.first_execution_run_id,
        headers=dict(started.header.fields),
        namespace=settings.namespace,
        original_execution_run_id=started.original_execution_run_id or task.run_id,
        parent=_parent(started),
        root=_root(started),
        priority=common.Priority._from_proto(started.priority) if started.HasField("priority") else common.Priority.default,
        raw_memo=dict(started.memo.fields),
        retry_policy=common.RetryPolicy.from_proto(started.retry_policy) if started.HasField("retry_policy") else None,
        run_id=task.run_id,
        run_timeout=_timeout(started, "workflow_run_timeout"),
        search_attributes=decode_search_attributes(started.search_attributes) if has_attributes else {},
        start_time=datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).replace(microsecond=now_ns // 1000 % 1_000_000),
        task_queue=settings.task_queue,
        task_timeout=to_timedelta(started.workflow_task_timeout),
        typed_search_attributes=decode_typed_search_attributes(started.search_attributes)
        if has_attributes
        else common.TypedSearchAttributes([]),
        workflow_id=task.workflow_id,
        workflow_start_time=to_datetime(event.event_time),
        workflow_type=started.workflow_type.name,
    )


def _timeout(started: WorkflowExecutionStartedEventAttributes, field: str) -> timedelta | None:
    return to_timedelta(getattr(started, field)) if started.HasField(field) else None  # type: ignore[arg-type]


def _parent(started: WorkflowExecutionStartedEventAttributes) -> workflow.ParentInfo | None:
    if not started.HasField("parent_workflow_execution"):
        return None
    parent = started.parent_workflow_execution
    return workflow.ParentInfo(namespace=started.parent_workflow_namespace, run_id=parent.run_id, workflow_id=parent.workflow_id)


def _root(started: WorkflowExecutionStartedEventAttributes) -> workflow.RootInfo | None:
    if not started.HasField("root_workflow_execution"):
        return None
    root = started.root_workflow_execution
    return workflow.RootInfo(run_id=root.run_id, workflow_id=root.workflow_id)
