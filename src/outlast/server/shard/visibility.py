"""What lists show of a run, made from its state."""

from collections.abc import Mapping

from temporalio.api.common.v1 import Memo, Payload, SearchAttributes

from outlast.engine.search_attributes import PREDEFINED, Value, kind_of, value_of
from outlast.engine.state import Execution
from outlast.engine.triggers import NamespaceView
from outlast.engine.wire import framed
from outlast.server.store.protocol import VisibilityRecord


def memo(execution: Execution) -> Memo:
    return Memo(fields={key: Payload.FromString(data) for key, data in execution.memo.items()})


def search_attributes(execution: Execution) -> SearchAttributes:
    return SearchAttributes(indexed_fields={key: Payload.FromString(data) for key, data in execution.search_attributes.items()})


def _serialized_fields(payloads: Mapping[str, bytes]) -> bytes:
    """A Memo or SearchAttributes with these serialized payloads, joined and not parsed: both have one map, in field 1."""
    return b"".join([framed(1, framed(1, key.encode()) + framed(2, data)) for key, data in payloads.items()])


def _attributes(execution: Execution, namespace: NamespaceView) -> dict[str, Value]:
    """The search attributes by the columns that they are kept in; those that the namespace does not know any more are left out."""
    found: dict[str, Value] = {}
    for name, data in execution.search_attributes.items():
        kind = kind_of(name, namespace)
        column = namespace.columns.get(name) or (name if name in PREDEFINED else None)
        value = value_of(kind, data) if kind is not None and column is not None else None
        if value is not None and column is not None:
            found[column] = value
    return found


def visibility_record(execution: Execution, namespace: NamespaceView) -> VisibilityRecord:
    """The record as of this state. A run that began a tree of its own is its root."""
    run = execution.run
    return VisibilityRecord(
        namespace_id=run.namespace_id,
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        workflow_type=run.workflow_type,
        task_queue=run.task_queue,
        status=run.shown_status,
        start_time=run.start_time,
        execution_time=run.execution_time,
        close_time=None if run.open else run.close_time,
        history_length=run.next_event_id - 1,
        history_size_bytes=run.history_size_bytes,
        state_transition_count=run.transition_count,
        memo=_serialized_fields(execution.memo),
        search_attributes=_serialized_fields(execution.search_attributes),
        parent_workflow_id=run.parent.workflow_id if run.parent else "",
        parent_run_id=run.parent.run_id if run.parent else "",
        root_workflow_id=run.root_workflow_id or run.workflow_id,
        root_run_id=run.root_run_id or run.run_id,
        attributes=_attributes(execution, namespace),
    )
