"""Signals and cancel requests from one workflow to another (workflow-core.md 5.4).

initiated ──the other side took it──► delivered (forgotten)
    └──it is not there──────────────► failed (forgotten)

A run that closes before its message has left takes it along: nothing is delivered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.command.v1 import (
    RequestCancelExternalWorkflowExecutionCommandAttributes,
    SignalExternalWorkflowExecutionCommandAttributes,
)
from temporalio.api.enums.v1 import CancelExternalWorkflowExecutionFailedCause as CancelCause
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.enums.v1 import SignalExternalWorkflowExecutionFailedCause as SignalCause
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import limits
from outlast.engine.checks import is_run_id, size_bytes, too_long
from outlast.engine.machines import workflow_task
from outlast.engine.refusals import BadCommand, NamespaceNotFound
from outlast.engine.state import External
from outlast.engine.transition import TellExternal
from outlast.engine.triggers import ExternalTold

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

Cause = WorkflowTaskFailedCause
BAD_SIGNAL = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES
BAD_CANCEL = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES


def signal(draft: Draft, command: SignalExternalWorkflowExecutionCommandAttributes, event: HistoryEvent) -> None:
    name = "SignalExternalWorkflowExecutionCommand"
    namespace, namespace_id = _namespace(draft, command.namespace)
    if not command.HasField("execution"):
        raise BadCommand(BAD_SIGNAL, f"Execution is not set on {name}.")
    target = command.execution
    at = f"Namespace={command.namespace} RunId={target.run_id}"
    if not target.workflow_id:
        raise BadCommand(BAD_SIGNAL, f"WorkflowId is not set on {name}. {at} SignalName={command.signal_name}")
    if size_bytes(target.workflow_id) > limits.ID_BYTES_MAX:
        long = too_long("WorkflowId", target.workflow_id)
        raise BadCommand(BAD_SIGNAL, f"WorkflowId on {name} exceeds length limit. {long} {at} SignalName={command.signal_name}")
    if target.run_id and not is_run_id(target.run_id):
        text = f"Invalid RunId set on {name}. WorkflowId={target.workflow_id} {at} SignalName={command.signal_name}"
        raise BadCommand(BAD_SIGNAL, text)
    if not command.signal_name:
        raise BadCommand(BAD_SIGNAL, f"SignalName is not set on {name}. WorkflowId={target.workflow_id} {at}")
    if command.input.ByteSize() > draft.context.namespace.blob_bytes_max:
        raise BadCommand(BAD_SIGNAL, f"{name}Attributes.Input exceeds size limit.", terminates=True)
    _check_room(draft, signals=True)
    attributes = event.signal_external_workflow_execution_initiated_event_attributes
    attributes.namespace = namespace
    attributes.namespace_id = namespace_id
    attributes.workflow_execution.CopyFrom(target)
    attributes.signal_name = command.signal_name
    attributes.control = command.control
    attributes.child_workflow_only = command.child_workflow_only
    if command.HasField("input"):
        attributes.input.CopyFrom(command.input)
    if command.HasField("header"):
        attributes.header.CopyFrom(command.header)
    draft.add(event)
    draft.effects.append(TellExternal(event.event_id))


def request_cancel(
    draft: Draft,
    command: RequestCancelExternalWorkflowExecutionCommandAttributes,
    event: HistoryEvent,
    completed_event_id: int,
) -> None:
    name = "RequestCancelExternalWorkflowExecutionCommand"
    namespace, namespace_id = _namespace(draft, command.namespace)
    at = f"RunId={command.run_id} Namespace={command.namespace}"
    if not command.workflow_id:
        raise BadCommand(BAD_CANCEL, f"WorkflowId is not set on {name}. Namespace={command.namespace} RunId={command.run_id}")
    if size_bytes(command.workflow_id) > limits.ID_BYTES_MAX:
        raise BadCommand(BAD_CANCEL, f"WorkflowId on {name} exceeds length limit. {too_long('WorkflowId', command.workflow_id)} {at}")
    if command.run_id and not is_run_id(command.run_id):
        raise BadCommand(BAD_CANCEL, f"Invalid RunId set on {name}. WorkflowId={command.workflow_id} {at}")
    started_now = any(
        child.workflow_id == command.workflow_id and child.initiated_event_id > completed_event_id for child in draft.children
    )
    if started_now and not command.run_id:
        text = f"Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId={command.workflow_id} {at}"
        raise BadCommand(BAD_CANCEL, text)
    _check_room(draft, signals=False)
    attributes = event.request_cancel_external_workflow_execution_initiated_event_attributes
    attributes.namespace = namespace
    attributes.namespace_id = namespace_id
    attributes.workflow_execution.workflow_id = command.workflow_id
    attributes.workflow_execution.run_id = command.run_id
    attributes.control = command.control
    attributes.child_workflow_only = command.child_workflow_only
    attributes.reason = command.reason
    draft.add(event)
    draft.effects.append(TellExternal(event.event_id))


def _namespace(draft: Draft, name: str) -> tuple[str, str]:
    """The namespace that the command addresses, as it names it, and its id; an empty name is the run's own."""
    context = draft.context
    if not name:
        return "", draft.run.namespace_id
    if name not in context.namespace_ids:
        raise NamespaceNotFound(name)
    return name, context.namespace_ids[name]


def _check_room(draft: Draft, *, signals: bool) -> None:
    if len(draft.externals) < limits.PENDING_EXTERNALS_MAX:
        return
    pending = sum(1 for message in draft.externals if message.signals == signals)
    if pending < limits.PENDING_EXTERNALS_MAX:
        return
    if signals:
        cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED
        what = "signals to external workflows"
    else:
        cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED
        what = "requests to cancel external workflows"
    text = f"the number of pending {what}, {pending}, has reached the per-workflow limit of {limits.PENDING_EXTERNALS_MAX}"
    raise BadCommand(cause, text)


def evolve_initiated(draft: Draft, event: HistoryEvent) -> None:
    signals = event.event_type == EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
    draft.externals.put(event.event_id, External(event.event_id, signals))


def evolve_ended(draft: Draft, event: HistoryEvent) -> None:
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    draft.externals.drop(attributes.initiated_event_id)


def told(draft: Draft, answer: ExternalTold) -> None:
    """The message was taken, or could not be. A repeat, or news for a closed run, changes nothing."""
    message = draft.externals.get(answer.initiated.event_id)
    if message is None or not draft.run.open:
        return
    if message.signals:
        _write_signaled(draft, answer)
    else:
        _write_cancel_requested(draft, answer)
    workflow_task.schedule(draft)


def _write_signaled(draft: Draft, answer: ExternalTold) -> None:
    asked = answer.initiated.signal_external_workflow_execution_initiated_event_attributes
    if answer.failure:
        event = draft.event(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
        failed = event.signal_external_workflow_execution_failed_event_attributes
        failed.cause = SignalCause.Value(f"SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_{answer.failure}")
        failed.namespace = asked.namespace or draft.run.namespace
        failed.namespace_id = asked.namespace_id
        failed.workflow_execution.CopyFrom(asked.workflow_execution)
        failed.initiated_event_id = answer.initiated.event_id
        failed.control = asked.control
    else:
        event = draft.event(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
        signaled = event.external_workflow_execution_signaled_event_attributes
        signaled.namespace = asked.namespace or draft.run.namespace
        signaled.namespace_id = asked.namespace_id
        signaled.workflow_execution.CopyFrom(asked.workflow_execution)
        signaled.initiated_event_id = answer.initiated.event_id
        signaled.control = asked.control
    draft.add(event)


def _write_cancel_requested(draft: Draft, answer: ExternalTold) -> None:
    asked = answer.initiated.request_cancel_external_workflow_execution_initiated_event_attributes
    if answer.failure:
        event = draft.event(EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
        failed = event.request_cancel_external_workflow_execution_failed_event_attributes
        failed.cause = CancelCause.Value(f"CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_{answer.failure}")
        failed.namespace = asked.namespace or draft.run.namespace
        failed.namespace_id = asked.namespace_id
        failed.workflow_execution.CopyFrom(asked.workflow_execution)
        failed.initiated_event_id = answer.initiated.event_id
        failed.control = asked.control
    else:
        event = draft.event(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
        requested = event.external_workflow_execution_cancel_requested_event_attributes
        requested.namespace = asked.namespace or draft.run.namespace
        requested.namespace_id = asked.namespace_id
        requested.workflow_execution.CopyFrom(asked.workflow_execution)
        requested.initiated_event_id = answer.initiated.event_id
    draft.add(event)
