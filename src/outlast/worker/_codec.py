"""Applies the payload codec to what comes for workflows and what goes out from them. Without a codec none of this is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from outlast.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.converter._visitor import Slots

PLAIN_MARKER_DETAILS = frozenset({"data", "patch-data"})
"""What the SDK writes into markers for itself: never encoded, so that a history can be replayed by any SDK."""


class WorkflowCodec:
    """The codec of one worker, for the tasks of workflows."""

    def __init__(self, converter: DataConverter, namespace: str, headers: bool) -> None:
        """`headers` says whether headers are encoded, too. The converter must have a codec."""
        assert converter.payload_codec is not None
        self._codec = converter.payload_codec
        self._namespace = namespace
        self._headers = headers
        self._contextual = isinstance(self._codec, WithSerializationContext)

    async def decode(self, workflow_id: str, events: Iterable[HistoryEvent], others: Iterable[Message]) -> None:
        """Decode events, messages and queries of a task in place."""
        slots = Slots()
        for event in events:
            if event.HasField("marker_recorded_event_attributes"):
                marker = event.marker_recorded_event_attributes
                _find_in_marker(slots, marker.details.items(), marker.failure if marker.HasField("failure") else None)
            else:
                slots.find(event, headers=self._headers)
        for message in others:
            slots.find(message, headers=self._headers)
        await slots.fill(self._for(WorkflowSerializationContext(self._namespace, workflow_id)).decode)

    async def encode(self, workflow_id: str, commands: Iterable[Command], others: Iterable[Message]) -> None:
        """Encode commands, messages and query results of a completion in place."""
        rest = Slots()
        own = WorkflowSerializationContext(self._namespace, workflow_id)
        for command in commands:
            context = self._context(command, own) if self._contextual else own
            slots = rest if context is own else Slots()
            if command.HasField("record_marker_command_attributes"):
                marker = command.record_marker_command_attributes
                _find_in_marker(slots, marker.details.items(), marker.failure if marker.HasField("failure") else None)
            else:
                slots.find(command, headers=self._headers)
            if slots is not rest:
                await slots.fill(self._for(context).encode)
        for message in others:
            rest.find(message, headers=self._headers)
        await rest.fill(self._for(own).encode)

    async def encode_failure(self, workflow_id: str, failure: Failure) -> None:
        """Encode the failure of a workflow task in place."""
        slots = Slots()
        slots.find(failure)
        await slots.fill(self._for(WorkflowSerializationContext(self._namespace, workflow_id)).encode)

    def _for(self, context: SerializationContext) -> PayloadCodec:
        return self._codec.with_context(context) if isinstance(self._codec, WithSerializationContext) else self._codec

    def _context(self, command: Command, own: WorkflowSerializationContext) -> SerializationContext:
        if command.HasField("schedule_activity_task_command_attributes"):
            activity = command.schedule_activity_task_command_attributes
            return ActivitySerializationContext(
                namespace=self._namespace,
                activity_id=activity.activity_id,
                activity_type=activity.activity_type.name,
                activity_task_queue=activity.task_queue.name,
                workflow_id=own.workflow_id,
                workflow_type=None,
                is_local=False,
            )
        if command.HasField("start_child_workflow_execution_command_attributes"):
            return WorkflowSerializationContext(self._namespace, command.start_child_workflow_execution_command_attributes.workflow_id)
        if command.HasField("signal_external_workflow_execution_command_attributes"):
            target = command.signal_external_workflow_execution_command_attributes.execution
            return WorkflowSerializationContext(self._namespace, target.workflow_id)
        return own


def _find_in_marker(slots: Slots, details: Iterable[tuple[str, Payloads]], failure: Failure | None) -> None:
    for key, payloads in details:
        if key not in PLAIN_MARKER_DETAILS:
            slots.lists.append(payloads.payloads)
    if failure is not None:
        slots.find(failure)


async def through_codec(codec: PayloadCodec | None, payloads: Sequence[Payload], *, encode: bool) -> Sequence[Payload]:
    """The payloads after the codec; as they are, if there is none."""
    if codec is None or not payloads:
        return payloads
    return await codec.encode(payloads) if encode else await codec.decode(payloads)
