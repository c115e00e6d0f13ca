"""Applies the payload codec to what comes for workflows and what goes out from them. Without a codec none of this is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from google.protobuf.message import Message
from temporalio.api.command.v1 import Command, RecordMarkerCommandAttributes, ScheduleActivityTaskCommandAttributes
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes, HistoryEvent, MarkerRecordedEventAttributes

from outlast.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.converter._context import asks_for_context
from outlast.converter._visitor import Slots, Transform
from outlast.replay.markers import LOCAL_ACTIVITY, activity_of_marker

_Marker: TypeAlias = RecordMarkerCommandAttributes | MarkerRecordedEventAttributes
_Scheduled: TypeAlias = ScheduleActivityTaskCommandAttributes | ActivityTaskScheduledEventAttributes
_Transformer: TypeAlias = Callable[[SerializationContext], Transform]

PLAIN_MARKER_DETAILS = frozenset({"data", "patch-data"})
"""What the SDK writes into markers for itself: never encoded, so that a history can be replayed by any SDK."""


_READ = frozenset(
    {
        "workflow_execution_started_event_attributes",
        "workflow_execution_signaled_event_attributes",
        "workflow_execution_update_accepted_event_attributes",
        "workflow_execution_update_admitted_event_attributes",
    }
)
"""Events with payloads of the workflow itself, of which its code learns."""
_OF_ACTIVITIES = frozenset(f"activity_task_{end}_event_attributes" for end in ("completed", "failed", "timed_out", "canceled"))
_OF_CHILDREN = frozenset(
    f"child_workflow_execution_{end}_event_attributes" for end in ("completed", "failed", "timed_out", "canceled", "terminated")
)
Activities: TypeAlias = dict[int, ActivitySerializationContext]
"""The contexts of a run's activities, by the event that scheduled them."""


class _Of(NamedTuple):
    """Whose payloads they are."""

    workflow_id: str
    workflow_type: str
    task_queue: str


class WorkflowCodec:
    """The codec of one worker, for the tasks of workflows."""

    def __init__(self, converter: DataConverter, namespace: str, task_queue: str, headers: bool) -> None:
        """`headers` says whether headers are encoded, too. The converter must have a codec."""
        assert converter.payload_codec is not None
        self._codec = converter.payload_codec
        self._namespace = namespace
        self._task_queue = task_queue
        self._headers = headers
        self._contextual = asks_for_context(self._codec)

    async def decode(
        self, workflow_id: str, workflow_type: str, events: Iterable[HistoryEvent], others: Iterable[Message], activities: Activities
    ) -> None:
        """Decode, in place, what code learns from the events, messages and queries of a task.

        `activities` is kept from task to task of a run, and with the run.
        """
        whose = _Of(workflow_id, workflow_type, self._task_queue)
        own = WorkflowSerializationContext(self._namespace, workflow_id)
        rest = Slots()
        for event in events:
            kind = event.WhichOneof("attributes")
            if kind in _READ:
                rest.find(event, headers=self._headers)
            elif kind == "activity_task_scheduled_event_attributes":
                if self._contextual:
                    activities[event.event_id] = self._of_activity(whose, event.activity_task_scheduled_event_attributes)
            elif kind in _OF_ACTIVITIES:
                scheduled = getattr(event, kind).scheduled_event_id
                await self._fill(rest, event, activities.get(scheduled) or own, own, self._decode)
            elif kind in _OF_CHILDREN:
                child = getattr(event, kind).workflow_execution.workflow_id
                await self._fill(rest, event, WorkflowSerializationContext(self._namespace, child), own, self._decode)
            elif kind == "marker_recorded_event_attributes":
                await self._fill_marker(rest, event.marker_recorded_event_attributes, whose, self._decode)
        for message in others:
            rest.find(message, headers=self._headers)
        await rest.fill(self._decode(own))

    async def encode(self, workflow_id: str, workflow_type: str, commands: Iterable[Command], others: Iterable[Message]) -> None:
        """Encode commands, messages and query results of a completion in place."""
        whose = _Of(workflow_id, workflow_type, self._task_queue)
        own = WorkflowSerializationContext(self._namespace, workflow_id)
        rest = Slots()
        for command in commands:
            if command.HasField("record_marker_command_attributes"):
                await self._fill_marker(rest, command.record_marker_command_attributes, whose, self._encode)
                rest.find(command.user_metadata)
            else:
                context = self._context(command, whose, own) if self._contextual else own
                await self._fill(rest, command, context, own, self._encode)
        for message in others:
            rest.find(message, headers=self._headers)
        await rest.fill(self._encode(own))

    async def encode_failure(self, workflow_id: str, failure: Failure) -> None:
        """Encode the failure of a workflow task in place."""
        slots = Slots()
        slots.find(failure)
        await slots.fill(self._encode(WorkflowSerializationContext(self._namespace, workflow_id)))

    async def _fill(
        self, rest: Slots, message: Message, context: SerializationContext, own: SerializationContext, transform: _Transformer
    ) -> None:
        """Transform a message in its context, or leave it to the rest, if its context is the workflow's or makes no difference."""
        slots = Slots() if self._contextual and context is not own else rest
        slots.find(message, headers=self._headers)
        if slots is not rest:
            await slots.fill(transform(context))

    async def _fill_marker(self, rest: Slots, marker: _Marker, whose: _Of, transform: _Transformer) -> None:
        """Transform what came of a local activity. No other marker has payloads that are the program's."""
        if marker.marker_name != LOCAL_ACTIVITY:
            return
        slots = Slots() if self._contextual else rest
        slots.lists.extend(payloads.payloads for key, payloads in marker.details.items() if key not in PLAIN_MARKER_DETAILS)
        if marker.HasField("failure"):
            slots.find(marker.failure)
        if slots is not rest:
            await slots.fill(transform(self._of_local_activity(whose, marker)))

    def _decode(self, context: SerializationContext) -> Transform:
        return self._for(context).decode

    def _encode(self, context: SerializationContext) -> Transform:
        return self._for(context).encode

    def _for(self, context: SerializationContext) -> PayloadCodec:
        return self._codec.with_context(context) if isinstance(self._codec, WithSerializationContext) else self._codec

    def _of_activity(self, whose: _Of, activity: _Scheduled) -> ActivitySerializationContext:
        return ActivitySerializationContext(
            namespace=self._namespace,
            activity_id=activity.activity_id,
            activity_type=activity.activity_type.name,
            activity_task_queue=activity.task_queue.name,
            workflow_id=whose.workflow_id,
            workflow_type=whose.workflow_type,
            is_local=False,
        )

    def _of_local_activity(self, whose: _Of, marker: _Marker) -> ActivitySerializationContext:
        activity_id, activity_type = activity_of_marker(marker)
        return ActivitySerializationContext(
            namespace=self._namespace,
            activity_id=activity_id,
            activity_type=activity_type,
            activity_task_queue=whose.task_queue,
            workflow_id=whose.workflow_id,
            workflow_type=whose.workflow_type,
            is_local=True,
        )

    def _context(self, command: Command, whose: _Of, own: WorkflowSerializationContext) -> SerializationContext:
        if command.HasField("schedule_activity_task_command_attributes"):
            return self._of_activity(whose, command.schedule_activity_task_command_attributes)
        if command.HasField("start_child_workflow_execution_command_attributes"):
            return WorkflowSerializationContext(self._namespace, command.start_child_workflow_execution_command_attributes.workflow_id)
        if command.HasField("signal_external_workflow_execution_command_attributes"):
            target = command.signal_external_workflow_execution_command_attributes.execution
            return WorkflowSerializationContext(self._namespace, target.workflow_id)
        return own


async def through_codec(codec: PayloadCodec | None, payloads: Sequence[Payload], *, encode: bool) -> Sequence[Payload]:
    """The payloads after the codec; as they are, if there is none."""
    if codec is None or not payloads:
        return payloads
    return await codec.encode(payloads) if encode else await codec.decode(payloads)
