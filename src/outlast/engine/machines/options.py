"""What may be changed about a run from outside, and who has attached to it (workflow-core.md 1.6, 1.15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from temporalio.api.common.v1 import Priority
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions

from outlast.engine import wire
from outlast.engine.machines import callback, time_skipping
from outlast.engine.refusals import WORKFLOW_COMPLETED, NotFound
from outlast.engine.state import Attached, Run
from outlast.engine.triggers import Attach, AttachToUpdate, UpdateOptions
from outlast.engine.wire import moment
from outlast.engine.work import offer_workflow_task

if TYPE_CHECKING:
    from outlast.engine.draft import Draft


def attach(draft: Draft, attached: Attach) -> None:
    """Record that another start was answered with this run. It is no news for the worker: no workflow task."""
    if attached.request_id in draft.attached or not draft.run.open:
        return
    callback.check_number(draft, len(attached.callbacks))
    event = _event(draft)
    attributes = event.workflow_execution_options_updated_event_attributes
    attributes.attached_request_id = attached.request_id
    attributes.attached_completion_callbacks.extend(attached.callbacks)
    event.links.extend(attached.links)
    draft.add(event)


def attach_to_update(draft: Draft, attached: AttachToUpdate) -> None:
    """Have more callbacks told the outcome of an accepted update."""
    known = draft.updates.get(attached.update_id)
    if attached.request_id in draft.attached or not draft.run.open or known is None or known.completed_event_id:
        return
    callback.check_number(draft, len(attached.callbacks), attached.update_id)
    event = _event(draft)
    added = event.workflow_execution_options_updated_event_attributes.workflow_update_options.add()
    added.update_id = attached.update_id
    added.attached_request_id = attached.request_id
    added.attached_completion_callbacks.extend(attached.callbacks)
    draft.add(event)


def options_of(run: Run) -> WorkflowExecutionOptions:
    """The options as they are."""
    options = WorkflowExecutionOptions()
    if run.versioning_override:
        options.versioning_override.ParseFromString(run.versioning_override)
    if run.priority is not None:
        options.priority.CopyFrom(Priority.FromString(run.priority))
    config = time_skipping.config_of(run.time_skipping)
    if config is not None:
        options.time_skipping_config.CopyFrom(config)
    return options


def mask_flaw(mask: FieldMask) -> str:
    """What is wrong with a mask of options; empty when nothing is."""
    for path in mask.paths:
        if not FieldMask(paths=[path]).IsValidForDescriptor(WorkflowExecutionOptions.DESCRIPTOR):
            return f'proto: invalid path "{path}" for message "{WorkflowExecutionOptions.DESCRIPTOR.full_name}"'
    return ""


def partial_flaw(mask: FieldMask) -> str:
    """What may only be changed as a whole; empty when nothing is."""
    partial = any(path.startswith("time_skipping_config.") for path in mask.paths)
    return "time_skipping_config doesn't support partial update" if partial else ""


def update(draft: Draft, wanted: UpdateOptions) -> None:
    """Let the options be these; nothing is written when they are already."""
    run = draft.run
    if not run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    merged = options_of(run)
    for path in wanted.paths:
        _copy(wanted.given, merged, path.split("."))
    before = options_of(run)
    forwards = "time_skipping_config" in wanted.paths and merged.time_skipping_config.HasField("fast_forward_config")
    if merged == before and not forwards:  # the same fast-forward again is another one, from now on
        return
    event = _event(draft)
    attributes = event.workflow_execution_options_updated_event_attributes
    attributes.identity = wanted.identity
    if merged.HasField("versioning_override"):
        attributes.versioning_override.CopyFrom(merged.versioning_override)
    else:
        attributes.unset_versioning_override = True
    if merged.HasField("priority"):
        attributes.priority.CopyFrom(merged.priority)
    if merged.HasField("time_skipping_config"):
        attributes.time_skipping_config.CopyFrom(merged.time_skipping_config)
    given, had = merged.HasField("time_skipping_config"), before.HasField("time_skipping_config")
    attributes.time_skipping_config_updated = forwards or given != had or merged.time_skipping_config != before.time_skipping_config
    draft.add(event)
    task = run.workflow_task
    if task is not None and not task.started:
        draft.effects.append(offer_workflow_task(run, task))


def _copy(given: Message, to: Message, path: Sequence[str]) -> None:
    """Let one field be as in `given`, set or not."""
    field = path[0]
    if len(path) > 1:
        _copy(getattr(given, field), getattr(to, field), path[1:])
    elif given.DESCRIPTOR.fields_by_name[field].message_type is None:
        setattr(to, field, getattr(given, field))
    elif wire.has(given, field):
        getattr(to, field).CopyFrom(getattr(given, field))
    else:
        to.ClearField(field)


def _event(draft: Draft) -> HistoryEvent:
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED)
    event.worker_may_ignore = True
    return event


def evolve_updated(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_options_updated_event_attributes
    if attributes.attached_request_id:
        draft.attached.put(attributes.attached_request_id, Attached(event.event_id, event.event_type))
    callback.attach(draft, attributes.attached_completion_callbacks, attributes.attached_request_id, event)
    for of_update in attributes.workflow_update_options:
        if of_update.attached_request_id:
            draft.attached.put(of_update.attached_request_id, Attached(event.event_id, event.event_type))
        callback.attach(draft, of_update.attached_completion_callbacks, of_update.attached_request_id, event, of_update.update_id)
    if attributes.HasField("versioning_override"):
        draft.run.versioning_override = _bytes(attributes.versioning_override)
    elif attributes.unset_versioning_override:
        draft.run.versioning_override = b""
    if attributes.HasField("priority"):
        draft.run.priority = _bytes(attributes.priority)
    if attributes.time_skipping_config_updated:
        config = attributes.time_skipping_config if attributes.HasField("time_skipping_config") else None
        time_skipping.evolve_configured(draft, config, moment(event.event_time))


def _bytes(message: VersioningOverride | Priority) -> bytes:
    return message.SerializeToString()
