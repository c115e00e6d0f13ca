"""What a workflow says about itself: its search attributes and its memo (workflow-core.md 3.1, commands 13 and 16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.command.v1 import (
    ModifyWorkflowPropertiesCommandAttributes,
    UpsertWorkflowSearchAttributesCommandAttributes,
)
from temporalio.api.common.v1 import Memo, Payload, SearchAttributes
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import limits, search_attributes
from outlast.engine.refusals import BadCommand, InvalidArgument
from outlast.engine.wire import is_nil

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outlast.engine.draft import Changing, Draft

BAD_ATTRIBUTES = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES
BAD_PROPERTIES = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES


def admit_search_attributes(
    draft: Draft, attributes: SearchAttributes, too_large: WorkflowTaskFailedCause.ValueType = BAD_ATTRIBUTES
) -> SearchAttributes:
    """The attributes with their types; what cannot be indexed is a flaw of the command that brings it.

    What is too large ends the workflow, as `too_large`.
    """
    try:
        return search_attributes.admit(attributes, draft.context.namespace)
    except search_attributes.TooLarge as refusal:
        raise BadCommand(too_large, refusal.message, terminates=True) from None
    except InvalidArgument as refusal:
        raise BadCommand(BAD_ATTRIBUTES, refusal.message) from None


def upsert(draft: Draft, command: UpsertWorkflowSearchAttributesCommandAttributes, event: HistoryEvent) -> None:
    name = "UpsertWorkflowSearchAttributesCommand"
    if not command.HasField("search_attributes"):
        raise BadCommand(BAD_ATTRIBUTES, f"SearchAttributes is not set on {name}.")
    if not command.search_attributes.indexed_fields:
        raise BadCommand(BAD_ATTRIBUTES, f"IndexedFields is not set on {name}.")
    admitted = admit_search_attributes(draft, command.search_attributes)
    event.upsert_workflow_search_attributes_event_attributes.search_attributes.CopyFrom(admitted)
    draft.add(event)


def evolve_upserted(draft: Draft, event: HistoryEvent) -> None:
    _merge(draft.search_attributes, event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields)
    draft.visible = True


def modify(draft: Draft, command: ModifyWorkflowPropertiesCommandAttributes, event: HistoryEvent) -> None:
    name = "ModifyWorkflowPropertiesCommand"
    if not command.HasField("upserted_memo"):
        raise BadCommand(BAD_PROPERTIES, f"UpsertedMemo is not set on {name}.")
    if not command.upserted_memo.fields:
        raise BadCommand(BAD_PROPERTIES, f"UpsertedMemo.Fields is not set on {name}.")
    if command.upserted_memo.ByteSize() > limits.MEMO_BYTES_MAX:
        raise BadCommand(BAD_PROPERTIES, f"{name}Attributes exceeds size limit.", terminates=True)
    if _grown(draft.memo, command.upserted_memo.fields) > limits.MEMO_BYTES_MAX:
        raise BadCommand(BAD_PROPERTIES, f"{name}Attributes. Memo exceeds size limit.", terminates=True)
    event.workflow_properties_modified_event_attributes.upserted_memo.CopyFrom(command.upserted_memo)
    draft.add(event)


def evolve_modified(draft: Draft, event: HistoryEvent) -> None:
    _merge(draft.memo, event.workflow_properties_modified_event_attributes.upserted_memo.fields)
    draft.visible = True


def _grown(memo: Changing[str, bytes], news: Mapping[str, Payload]) -> int:
    """The size of the memo with what is new."""
    kept = Memo(fields={name: Payload.FromString(data) for name, data in memo.entries() if name not in news})
    for name, payload in news.items():
        if not is_nil(payload):
            kept.fields[name].CopyFrom(payload)
    return kept.ByteSize()


def _merge(values: Changing[str, bytes], news: Mapping[str, Payload]) -> None:
    """Put what is new, drop what is set to nothing."""
    for name, payload in news.items():
        if is_nil(payload):
            values.drop(name)
        else:
            values.put(name, payload.SerializeToString())
