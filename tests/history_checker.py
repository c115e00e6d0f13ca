"""Does a history obey the grammar? A pure function over events, run on every history that any test makes.

The checker knows nothing of a server: it reads one run's events from the first to the last and says in words what could not
have happened. What an event must refer to is a table (`_REFERENCES`); the rest is a walk that keeps what is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.history.v1 import HistoryEvent

E = EventType
Kind = EventType.ValueType

CLOSE_EVENTS: frozenset[Kind] = frozenset(
    {
        E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)

# Events that a worker's commands produce: they follow their WORKFLOW_TASK_COMPLETED with nothing else between.
COMMAND_EVENTS: frozenset[Kind] = frozenset(
    {
        E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        E.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
        E.EVENT_TYPE_TIMER_STARTED,
        E.EVENT_TYPE_TIMER_CANCELED,
        E.EVENT_TYPE_MARKER_RECORDED,
        E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
        E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        E.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
        E.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED,
        E.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED,
    }
)

# May stand between a WORKFLOW_TASK_COMPLETED and the events of its commands, though no command made them.
MESSAGE_EVENTS: frozenset[Kind] = frozenset(
    {E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED}
)

_WFT_CLOSED = (E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, E.EVENT_TYPE_WORKFLOW_TASK_FAILED, E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
_ACTIVITY_CLOSED = (
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    E.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    E.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
)
_CHILD_CLOSED = (
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
)
_NEXUS_CLOSED = (
    E.EVENT_TYPE_NEXUS_OPERATION_COMPLETED,
    E.EVENT_TYPE_NEXUS_OPERATION_FAILED,
    E.EVENT_TYPE_NEXUS_OPERATION_CANCELED,
    E.EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT,
)
_MAY_HAVE_NO_START = frozenset(
    {
        E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
        E.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        E.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
    }
)
_IGNORABLE: frozenset[Kind] = frozenset(
    {
        E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
        E.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED,
        E.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED,
    }
)


@dataclass(frozen=True)
class _Entity:
    """A thing with a life: opened by one event, perhaps started by another, closed at most once by one of several."""

    noun: str
    opened: Kind
    started: Kind | None
    closed: tuple[Kind, ...]
    opened_field: str
    started_field: str = "started_event_id"


_ENTITIES = (
    _Entity("workflow task", E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, E.EVENT_TYPE_WORKFLOW_TASK_STARTED, _WFT_CLOSED, "scheduled_event_id"),
    _Entity("activity", E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, E.EVENT_TYPE_ACTIVITY_TASK_STARTED, _ACTIVITY_CLOSED, "scheduled_event_id"),
    _Entity("timer", E.EVENT_TYPE_TIMER_STARTED, None, (E.EVENT_TYPE_TIMER_FIRED, E.EVENT_TYPE_TIMER_CANCELED), "started_event_id"),
    _Entity(
        "child workflow",
        E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
        E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
        _CHILD_CLOSED,
        "initiated_event_id",
    ),
    _Entity(
        "child workflow",
        E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
        None,
        (E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,),
        "initiated_event_id",
    ),
    _Entity(
        "external signal",
        E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        None,
        (E.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED),
        "initiated_event_id",
    ),
    _Entity(
        "external cancel",
        E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        None,
        (E.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED),
        "initiated_event_id",
    ),
    _Entity(
        "update",
        E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        None,
        (E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,),
        "accepted_event_id",
    ),
    _Entity("nexus operation", E.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED, None, _NEXUS_CLOSED, "scheduled_event_id"),
)
_STARTS = {entity.started: entity for entity in _ENTITIES if entity.started is not None}
_CLOSES = {kind: entity for entity in _ENTITIES for kind in entity.closed}

# What a field of an event of some type must point at, beyond the lives above.
_REFERENCES: dict[Kind, tuple[tuple[str, Kind], ...]] = {
    E.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: (("scheduled_event_id", E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),),
    E.EVENT_TYPE_ACTIVITY_TASK_CANCELED: (("latest_cancel_requested_event_id", E.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED),),
    E.EVENT_TYPE_NEXUS_OPERATION_STARTED: (("scheduled_event_id", E.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED),),
    E.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED: (("scheduled_event_id", E.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED),),
}

# The names that must be free when a thing is opened, and that its later events repeat.
_NAMES: dict[Kind, Callable[[Any], str]] = {
    E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: lambda attributes: f"activity id {attributes.activity_id}",
    E.EVENT_TYPE_TIMER_STARTED: lambda attributes: f"timer id {attributes.timer_id}",
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: lambda attributes: f"update id {attributes.protocol_instance_id}",
}


def check_history(events: Sequence[HistoryEvent]) -> list[str]:
    """Return every violation of the grammar in one run's history, in words; none means that the history is sound."""
    walk = _Walk()
    for position, event in enumerate(events, start=1):
        walk.read(position, event, last=position >= len(events) - 1)
    walk.finish()
    return walk.violations if events else ["the history is empty"]


@dataclass
class _Walk:
    violations: list[str] = field(default_factory=list)
    by_id: dict[int, HistoryEvent] = field(default_factory=dict)
    started: dict[int, int] = field(default_factory=dict)  # opening event id -> starting event id
    closed: dict[int, int] = field(default_factory=dict)  # opening event id -> closing event id
    names: dict[str, int] = field(default_factory=dict)  # name in use -> opening event id
    task: int = 0  # opening event id of the open workflow task
    completed: int = 0  # latest WORKFLOW_TASK_COMPLETED
    only_commands: bool = False  # nothing but command events since `completed`
    end: int = 0  # the close event
    task_id: int = 0
    reused: dict[int, tuple[HistoryEvent, str]] = field(default_factory=dict)  # opening event id -> who took its name

    def finish(self) -> None:
        """What can be said when all was read."""
        for opened, started in self.started.items():
            if (
                self.by_id[opened].event_type == E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
                and opened not in self.closed
                and not self.end
                and started < max(self.by_id)
            ):
                self._say(self.by_id[started], "an activity's start is written with its end, and there is none")
        for opened, (event, name) in self.reused.items():
            closed = self.closed.get(opened)
            source = getattr(_attributes(event), "workflow_task_completed_event_id", 0)
            if (
                closed is None
                or not source < event.event_id < closed
                or any(self.by_id[between].event_type in _WFT_CLOSED for between in range(source + 1, closed))
            ):
                self._say(event, f"{name} is still in use by event {opened}")

    def read(self, position: int, event: HistoryEvent, last: bool) -> None:
        self._envelope(position, event, last)
        attributes = _attributes(event)
        if attributes is not None and event.WhichOneof("attributes") == f"{_name(event.event_type).lower()}_event_attributes":
            self._command(event, attributes)
            self._references(event, attributes)
            self._start(event, attributes)
            self._close(event, attributes)
            self._open(event, attributes)
        self._workflow_task(event)
        self.by_id[event.event_id] = event

    def _say(self, event: HistoryEvent, text: str) -> None:
        self.violations.append(f"event {event.event_id} {_name(event.event_type)}: {text}")

    def _envelope(self, position: int, event: HistoryEvent, last: bool) -> None:
        first = event.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
        if event.event_id != position:
            self._say(event, f"its id should be {position}")
        if first != (position == 1):
            self._say(event, "a history begins with WORKFLOW_EXECUTION_STARTED, once")
        # The virtual events of a workflow task that is not written yet may end a history; they have no task id.
        virtual = (
            last and not event.task_id and event.event_type in (E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, E.EVENT_TYPE_WORKFLOW_TASK_STARTED)
        )
        if not virtual and event.task_id <= self.task_id:
            self._say(event, f"its task id {event.task_id} does not come after {self.task_id}")
        self.task_id = max(self.task_id, event.task_id)
        if event.worker_may_ignore and event.event_type not in _IGNORABLE:
            self._say(event, "a worker must not ignore it")
        if self.task in self.started and event.event_type not in _WFT_CLOSED:
            self._say(event, f"it stands between the start {self.started[self.task]} of a workflow task and its end")
        if not event.HasField("event_time"):
            self._say(event, "it has no time")
        expected = f"{_name(event.event_type).lower()}_event_attributes"
        if event.WhichOneof("attributes") != expected:
            self._say(event, f"it carries {event.WhichOneof('attributes')}")
        if self.end:
            self._say(event, f"it comes after the close event {self.end}")
        if event.event_type in CLOSE_EVENTS:
            self.end = event.event_id
            if self.task and self.task in self.started:
                self._say(event, f"the workflow task {self.task} is still started")

    def _command(self, event: HistoryEvent, attributes: Any) -> None:
        if event.event_type in COMMAND_EVENTS:
            source = attributes.workflow_task_completed_event_id
            if source not in self.by_id or self.by_id[source].event_type != E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self._say(event, f"workflow_task_completed_event_id {source} is not a WORKFLOW_TASK_COMPLETED")
            elif source != self.completed:
                self._say(event, f"workflow_task_completed_event_id {source} is not the latest, {self.completed}")
            elif not self.only_commands:
                self._say(event, f"other events stand between it and its WORKFLOW_TASK_COMPLETED {source}")
        elif event.event_type not in MESSAGE_EVENTS:
            self.only_commands = False

    def _references(self, event: HistoryEvent, attributes: Any) -> None:
        for name, kind in _REFERENCES.get(event.event_type, ()):
            self._points_at(event, name, getattr(attributes, name), kind)
        if event.event_type == E.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED and attributes.scheduled_event_id in self.closed:
            self._say(event, f"activity {attributes.scheduled_event_id} was closed by event {self.closed[attributes.scheduled_event_id]}")

    def _points_at(self, event: HistoryEvent, name: str, target: int, kind: Kind) -> bool:
        found = self.by_id.get(target)
        if found is None or found.event_type != kind:
            actual = _name(found.event_type) if found else "no earlier event"
            self._say(event, f"{name} {target} should be a {_name(kind)} and is {actual}")
            return False
        return True

    def _open(self, event: HistoryEvent, attributes: Any) -> None:
        if event.event_type in _NAMES:
            name = _NAMES[event.event_type](attributes)
            if name in self.names:
                # Its end may have waited for the very task whose commands use the name again: it stands after them.
                self.reused[self.names[name]] = (event, name)
            self.names[name] = event.event_id

    def _start(self, event: HistoryEvent, attributes: Any) -> None:
        entity = _STARTS.get(event.event_type)
        if entity is None:
            return
        opened = getattr(attributes, entity.opened_field)
        if not self._points_at(event, entity.opened_field, opened, entity.opened):
            return
        if opened in self.started:
            self._say(event, f"{entity.noun} {opened} was already started by event {self.started[opened]}")
        if opened in self.closed:
            self._say(event, f"{entity.noun} {opened} was already closed by event {self.closed[opened]}")
        self.started[opened] = event.event_id

    def _close(self, event: HistoryEvent, attributes: Any) -> None:
        entity = _CLOSES.get(event.event_type)
        if entity is None:
            return
        opened = getattr(attributes, entity.opened_field)
        if not self._points_at(event, entity.opened_field, opened, entity.opened):
            return
        if opened in self.closed:
            self._say(event, f"{entity.noun} {opened} was already closed by event {self.closed[opened]}")
        self.closed[opened] = event.event_id
        if entity.started is not None:
            self._check_start(event, entity, opened, getattr(attributes, entity.started_field))
        elif opened in self.started:
            self._say(event, f"{entity.noun} {opened} was started by event {self.started[opened]}")
        if entity.opened in _NAMES:
            self._release_name(event, attributes, opened, entity)

    def _check_start(self, event: HistoryEvent, entity: _Entity, opened: int, start: int) -> None:
        actual = self.started.get(opened, 0)
        if start != actual:
            self._say(event, f"started_event_id {start} does not fit: {entity.noun} {opened} was started by event {actual}")
        elif not start and event.event_type not in _MAY_HAVE_NO_START:
            self._say(event, f"{entity.noun} {opened} was never started")
        timeout = _timeout_type(event)
        if timeout == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START and start:
            self._say(event, "it timed out before its start but has a start")
        if timeout == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE and not start:
            self._say(event, "it timed out after its start but has no start")

    def _release_name(self, event: HistoryEvent, attributes: Any, opened: int, entity: _Entity) -> None:
        name = _NAMES[entity.opened](_attributes(self.by_id[opened]))
        if self.names.get(name) == opened and entity.noun != "update":
            del self.names[name]
        if entity.noun == "timer" and name != f"timer id {attributes.timer_id}":
            self._say(event, f"timer {opened} has {name}, not {attributes.timer_id}")

    def _workflow_task(self, event: HistoryEvent) -> None:
        if event.event_type == E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            if self.task:
                self._say(event, f"the workflow task {self.task} is still open")
            self.task = event.event_id
        elif event.event_type in _WFT_CLOSED:
            self.task = 0
        if event.event_type == E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            self.completed, self.only_commands = event.event_id, True


def _timeout_type(event: HistoryEvent) -> int:
    if event.event_type == E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        return event.workflow_task_timed_out_event_attributes.timeout_type
    return event.activity_task_timed_out_event_attributes.failure.timeout_failure_info.timeout_type


def _attributes(event: HistoryEvent) -> Any:
    name = event.WhichOneof("attributes")
    return getattr(event, name) if name else None


def _name(kind: Kind) -> str:
    return EventType.Name(kind).removeprefix("EVENT_TYPE_")
