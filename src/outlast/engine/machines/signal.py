"""Signals and cancel requests: what others tell a run (workflow-core.md 1.13, 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import limits
from outlast.engine.machines import workflow_task
from outlast.engine.refusals import WORKFLOW_COMPLETED, Busy, InvalidArgument, NotFound
from outlast.engine.triggers import RequestCancel, Signal

if TYPE_CHECKING:
    from outlast.engine.draft import Draft


def receive(draft: Draft, signal: Signal) -> None:
    """Record a signal once for each request id, and wake the workflow unless its start is delayed."""
    run = draft.run
    if signal.request_id and (signal.request_id in draft.request_ids):
        return
    if not run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    _check_parent(draft, signal.only_child_of)
    if run.close_attempted and run.workflow_task is not None and run.workflow_task.started:
        raise Busy("workflow operation can not be applied because workflow is closing")
    if run.signal_count >= limits.SIGNALS_MAX:
        raise InvalidArgument("exceeded workflow execution limit for signal events")
    write(draft, signal)
    if signal.even_in_backoff or not run.first_task_pending:
        workflow_task.schedule(draft)


def write(draft: Draft, signal: Signal) -> None:
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    attributes = event.workflow_execution_signaled_event_attributes
    attributes.signal_name = signal.name
    attributes.identity = signal.identity
    attributes.request_id = signal.request_id
    if signal.input is not None:
        attributes.input.CopyFrom(signal.input)
    if signal.header is not None:
        attributes.header.CopyFrom(signal.header)
    if signal.external is not None:
        attributes.external_workflow_execution.CopyFrom(signal.external)
    event.links.extend(signal.links)
    draft.add(event)


def _check_parent(draft: Draft, only_child_of: str) -> None:
    parent = draft.run.parent
    if only_child_of and (parent is None or parent.run_id != only_child_of):
        raise NotFound("workflow execution not found")


def evolve_signaled(draft: Draft, event: HistoryEvent) -> None:
    draft.run.signal_count += 1
    request_id = event.workflow_execution_signaled_event_attributes.request_id
    if request_id:
        draft.request_ids.put(request_id, event.event_id)


def request_cancel(draft: Draft, request: RequestCancel) -> None:
    """Record that somebody wants the run to stop; a repeat, or one for a closed run, changes nothing."""
    run = draft.run
    _check_parent(draft, request.only_child_of)
    if not run.open or run.cancel_requested:
        return
    if request.first_execution_run_id and request.first_execution_run_id != run.first_run_id:
        raise NotFound("workflow execution not found")
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    attributes = event.workflow_execution_cancel_requested_event_attributes
    attributes.cause = request.reason
    attributes.identity = request.identity
    if request.external is not None:
        attributes.external_workflow_execution.CopyFrom(request.external)
        attributes.external_initiated_event_id = request.external_initiated_event_id
    event.links.extend(request.links)
    run.cancel_request_id = request.request_id
    draft.add(event)
    workflow_task.schedule(draft)


def evolve_cancel_requested(draft: Draft, event: HistoryEvent) -> None:
    draft.run.cancel_requested = True
