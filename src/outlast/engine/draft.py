"""A state in the making: the private copy on which one decision works.

A Draft is local to one `decide`. It copies what it changes, so that the Execution it began with stays as it was;
a refused request is undone by forgetting the draft. Adding an event folds it into the state (`evolve`), numbers it,
and puts it into a batch, or into the buffer while a workflow task is started
(../shared/spec/workflow-core.md, sections 2.3 and 2.4).
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Generic, TypeVar

import msgspec
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.update.v1 import Outcome

from outlast.engine import event_kinds, limits
from outlast.engine.evolve import evolve
from outlast.engine.keys import PartKey
from outlast.engine.machines import workflow_task
from outlast.engine.machines.callback import attached_request_ids
from outlast.engine.parts import Parts
from outlast.engine.refusals import Refusal
from outlast.engine.state import Activity, Attached, Callback, Child, Execution, External, Run, Timer, Update
from outlast.engine.stored import PARTS, encode_part
from outlast.engine.transition import Batch, Effect, Transition
from outlast.engine.triggers import Context
from outlast.engine.wire import frame_event, set_time
from outlast.engine.work import has_work, next_due

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Activity | Timer | Child | External | Update | Callback | Attached | int | bytes)


class Changing(Generic[K, V]):
    """Parts being changed: what they were, and what has changed since."""

    __slots__ = ("_added", "_base", "changes", "kind")

    def __init__(self, kind: str, base: Parts[K, V]) -> None:
        self.kind = kind
        self._base = base
        self._added = 0
        self.changes: dict[K, V | None] = {}
        """None: it is gone."""

    def get(self, key: K) -> V | None:
        return self.changes[key] if key in self.changes else self._base.get(key)

    def __getitem__(self, key: K) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def __len__(self) -> int:
        return len(self._base) + self._added

    def __iter__(self) -> Iterator[V]:
        return iter([value for _, value in self.entries()])

    def entries(self) -> list[tuple[K, V]]:
        """All keys and values. It looks at each of them: nothing that happens often may ask for it."""
        if not self.changes:
            return list(self._base.items())
        whole: dict[K, V | None] = {**self._base, **self.changes}
        return [(key, value) for key, value in whole.items() if value is not None]

    def put(self, key: K, value: V) -> None:
        self._added += key not in self
        self.changes[key] = value

    def drop(self, key: K) -> None:
        if key in self:
            self._added -= 1
            self.changes[key] = None

    def edit(self, key: K) -> V:
        """The value, as a copy that belongs to this draft and may be changed."""
        value = self[key]
        if key not in self.changes:
            value = self.changes[key] = copy(value)
        return value

    def due(self, now: int) -> list[tuple[K, V]]:
        """What had come due before this draft changed anything."""
        return self._base.due(now)

    def changed(self, key: K) -> bool:
        """Whether it is not what it was before this draft."""
        return key in self.changes and self.changes[key] != self._base.get(key)

    def frozen(self) -> Parts[K, V]:
        return self._base.changed(self.changes) if self.changes else self._base

    def growth(self) -> int:
        """How many bytes more it is than before, about."""
        return sum([_weight(value) - _weight(self._base.get(key)) for key, value in self.changes.items()])

    def encode_changes(self, into: dict[PartKey, bytes | None]) -> int:
        """Put the stored form of all changes into a dictionary; how many bytes more it is than before, about."""
        growth = 0
        for key, value in self.changes.items():
            before = self._base.get(key)
            if value is not None:
                into[PartKey(self.kind, str(key))] = encode_part(value)
                growth += _weight(value)
            elif before is not None:
                into[PartKey(self.kind, str(key))] = None
            if before is not None:
                growth -= _weight(before)
        return growth


def _weight(value: V | None) -> int:
    if value is None:
        return 0
    if isinstance(value, bytes | int):
        return len(value) if isinstance(value, bytes) else 16
    return value.weight


class Draft:
    """One decision's working copy of a run, and all that the decision brings about."""

    # Most of these stay as they are in most decisions: a draft that sets only what differs is made in half the time.
    origin_changed = False
    visible = False
    durable = True
    changed = False
    successor: Transition | None = None
    refusal: Refusal | None = None
    eager_activities: Sequence[int] = ()
    new_workflow_task = False
    cancel_requested = False
    activity_paused = False
    activity_reset = False
    activity_options: ActivityOptions | None = None
    rejected_updates: Mapping[str, Outcome] = {}
    updates_lost = False
    reset_history_event_id = 0
    tasks_wait = False
    """While several things that are due are done: one workflow task is asked for when all are."""
    task_wanted = False
    replaced = False
    """The run closes because a reset has made another of it."""
    holding = False
    """While a completed workflow task's commands are applied: bufferable events wait until all of them are done."""
    _activity_ids: dict[str, int] | None = None
    _callbacks: Changing[int, Callback] | None = None

    def __init__(self, execution: Execution, context: Context) -> None:
        run = copy(execution.run)
        if run.workflow_task is not None:
            run.workflow_task = copy(run.workflow_task)
        self.run: Run = run
        self.context = context
        self.now = context.now if run.time_skipping is None else context.now + run.time_skipping.skipped
        """In the run's time, which may be ahead of the world's."""
        self.activities = Changing("a", execution.activities)
        self.timers = Changing("t", execution.timers)
        self.children = Changing("c", execution.children)
        self.externals = Changing("x", execution.externals)
        self.updates = Changing("p", execution.updates)
        self.attached = Changing("u", execution.attached)
        self.request_ids = Changing("r", execution.request_ids)
        self.buffer = Changing("b", execution.buffer)
        self.memo = Changing("m", execution.memo)
        self.search_attributes = Changing("s", execution.search_attributes)
        self._before = execution
        self._parts: tuple[Changing[Any, Any], ...] = (
            self.activities,
            self.timers,
            self.children,
            self.externals,
            self.updates,
            self.attached,
            self.request_ids,
            self.buffer,
            self.memo,
            self.search_attributes,
        )
        self.origin = execution.origin
        self.effects: list[Effect] = []
        self._firm_event_id = run.next_event_id - 1
        self._batch: list[HistoryEvent] = []
        self._batches: list[list[HistoryEvent]] = []
        self._replayed: list[Batch] = []

    @property
    def callbacks(self) -> Changing[int, Callback]:
        """Made when they are first asked for: few runs have any."""
        if self._callbacks is None:
            self._callbacks = Changing("k", self._before.callbacks)
            self._parts = (*self._parts, self._callbacks)
        return self._callbacks

    def activity_named(self, activity_id: str) -> Activity | None:
        """The pending activity with this id. The index is made when it is first asked for, once for many commands."""
        if self._activity_ids is None:
            self._activity_ids = {activity.activity_id: activity.scheduled_event_id for activity in self.activities}
        return self.activities.get(self._activity_ids.get(activity_id, 0))

    def add_activity(self, activity: Activity) -> None:
        self.activities.put(activity.scheduled_event_id, activity)
        if self._activity_ids is not None:
            self._activity_ids[activity.activity_id] = activity.scheduled_event_id

    def event(self, kind: "EventType.ValueType") -> HistoryEvent:
        """A new event, to be filled in and then added."""
        event = HistoryEvent(event_type=kind)
        set_time(event.event_time, self.now)
        return event

    def add(self, event: HistoryEvent) -> HistoryEvent:
        """Let the event have happened: buffered while a workflow task is started, numbered at once otherwise."""
        self.changed = True
        task = self.run.workflow_task
        if task is not None and task.speculative:
            self.durable = True
            workflow_task.make_real(self, task, identity="")
            task = self.run.workflow_task
        waits = self.holding or (task is not None and task.started_event_id > 0)
        if waits and event.event_type in event_kinds.BUFFERABLE:
            data = event.SerializeToString()
            self.buffer.put(self.run.next_buffer_id, data)
            self.run.next_buffer_id += 1
            self.run.buffered_bytes += len(data)
            evolve(self, event)
            return event
        self._number(event)
        evolve(self, event)
        return event

    def replay(self, batch: Sequence[HistoryEvent]) -> None:
        """Fold events that have happened before, in another run, as a batch of this one."""
        for event in batch:
            self.run.next_event_id = event.event_id + 1
            evolve(self, event)
        data = b"".join([frame_event(event) for event in batch])
        self.run.history_size_bytes += len(data)
        self._replayed.append(Batch(batch[0].event_id, batch, data))

    def _number(self, event: HistoryEvent) -> None:
        run = self.run
        event.event_id = event.task_id = run.next_event_id
        run.next_event_id += 1
        self._batch.append(event)
        if event.event_type not in event_kinds.BUFFERABLE:
            self._firm_event_id = event.event_id
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            self._batches.append(self._batch)
            self._batch = []

    @property
    def buffer_is_full(self) -> bool:
        return len(self.buffer) > limits.BUFFERED_EVENTS_MAX or self.run.buffered_bytes > limits.BUFFERED_BYTES_MAX

    @property
    def excess(self) -> str:
        """The limit that this decision breaks, in the reference server's words; empty: none.

        It looks at the size before the decision, and counts no events that end it and might have been buffered.
        """
        if not self.changed or not self.run.open:
            return ""
        if self.run.history_size_bytes > limits.HISTORY_BYTES_MAX:
            return "Workflow history size exceeds limit."
        if self._firm_event_id > limits.HISTORY_EVENTS_MAX:
            return "Workflow history count exceeds limit."
        grown = self.run.state_bytes > limits.STATE_BYTES_MAX - limits.TRANSACTION_BYTES_MAX  # no request brings more
        return "Workflow mutable state size exceeds limit." if grown and self._state_bytes() > limits.STATE_BYTES_MAX else ""

    def _state_bytes(self) -> int:
        return self._before.run.state_bytes + sum([parts.growth() for parts in self._parts if parts.changes])

    def flush_buffer(self) -> bool:
        """Number the buffered events: in order of arrival, but completions last. Says whether there were any."""
        if not len(self.buffer):
            return False
        arrived = [HistoryEvent.FromString(data) for data in self.buffer]
        self._forget_buffered()
        self.run.buffered_bytes = 0
        completions = [event for event in arrived if event.event_type in event_kinds.COMPLETIONS]
        others = [event for event in arrived if event.event_type not in event_kinds.COMPLETIONS]
        started_ids: dict[int, int] = {}
        for event in others + completions:
            if event.event_type in event_kinds.COMPLETIONS:
                event_kinds.wire_started(event, started_ids)
            self._number(event)
            self._note_numbered(event, started_ids)
        self.changed = True
        return True

    def _forget_buffered(self) -> None:
        for key, _ in self.buffer.entries():
            self.buffer.drop(key)

    def _note_numbered(self, event: HistoryEvent, started_ids: dict[int, int]) -> None:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started_ids[event.activity_task_started_event_attributes.scheduled_event_id] = event.event_id
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED:
            for request_id in attached_request_ids(event):
                self.attached.put(request_id, Attached(event.event_id, event.event_type))
        elif event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            initiated_event_id = event.child_workflow_execution_started_event_attributes.initiated_event_id
            started_ids[initiated_event_id] = event.event_id
            if initiated_event_id in self.children:
                self.children.edit(initiated_event_id).started_event_id = event.event_id

    def drop_buffer(self) -> None:
        """The run closes by a command: what was buffered in this very transition vanishes."""
        self._forget_buffered()
        self.run.buffered_bytes = 0

    def freeze(self) -> Transition:
        """The decision as a value."""
        run = self.run
        if self._batch:
            self._batches.append(self._batch)
        batches = list(self._replayed)
        oversize = self.successor.oversize if self.successor is not None else 0
        for events in self._batches:
            data = b"".join([frame_event(event) for event in events])
            run.history_size_bytes += len(data)
            if len(data) > limits.TRANSACTION_BYTES_MAX:
                oversize = len(data)
            batches.append(Batch(events[0].event_id, events, data))
        if batches:
            run.last_batch_first_event_id = batches[-1].first_event_id
        if self.changed:
            run.transition_count += 1
        changes = self._part_changes()
        after = self.snapshot()
        return Transition(
            after=after,
            batches=batches,
            changes=changes,
            effects=self.effects,
            visible=self.visible,
            durable=self.durable,
            changed=self.changed,
            due_at=next_due(after),
            has_work=has_work(after),
            successor=self.successor,
            oversize=oversize,
            refusal=self.refusal,
            eager_activities=self.eager_activities,
            new_workflow_task=self.new_workflow_task,
            cancel_requested=self.cancel_requested,
            activity_paused=self.activity_paused,
            activity_reset=self.activity_reset,
            activity_options=self.activity_options,
            rejected_updates=self.rejected_updates,
            updates_lost=self.updates_lost,
            reset_history_event_id=self.reset_history_event_id,
        )

    def snapshot(self) -> Execution:
        """The state as it is now."""
        parts = {PARTS[changing.kind]: changing.frozen() for changing in self._parts if changing.changes}
        return msgspec.structs.replace(self._before, run=self.run, origin=self.origin, **parts)

    def _part_changes(self) -> dict[PartKey, bytes | None]:
        changes: dict[PartKey, bytes | None] = {}
        for parts in self._parts:
            if parts.changes:
                self.run.state_bytes += parts.encode_changes(changes)
        if self.origin_changed:
            changes[PartKey("o", "")] = self.origin or None
        return changes
