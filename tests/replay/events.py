"""Histories for tests, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from outlast import workflow
from outlast.converter import DataConverter
from outlast.replay import kinds
from outlast.replay.protocol import RunSettings, Step, WorkflowTask
from outlast.replay.run import WorkflowRun

CONVERTER = DataConverter.default
START = 1_000_000
"""When workflows start, in seconds since the epoch."""


def payloads(*values: Any) -> dict[str, Any]:
    return {"payloads": CONVERTER.payload_converter.to_payloads(list(values))}


class Told:
    """A history as it grows, and a run that is told of it task by task."""

    def __init__(self, cls: type, *args: Any, run_id: str = "run", started: dict[str, Any] | None = None, **settings: Any) -> None:
        definition = workflow._Definition.must_from_class(cls)
        self.settings = RunSettings(
            namespace="default", task_queue="q", definitions={definition.name: definition}, data_converter=CONVERTER, **settings
        )
        self.type = definition.name or "Unknown"
        self.run_id = run_id
        self.events: list[HistoryEvent] = []
        self.run = WorkflowRun(self.settings, run_id)
        self._seen = self._previous = 0
        self.add(
            kinds.WORKFLOW_STARTED,
            workflow_type={"name": self.type},
            original_execution_run_id=run_id,
            first_execution_run_id=run_id,
            attempt=1,
            workflow_task_timeout={"seconds": 10},
            input=payloads(*args) if args else None,
            **(started or {}),
        )

    def add(self, kind: int, *, at: float = 0, **attributes: Any) -> int:
        """Add an event `at` seconds after the start, and return its id."""
        event = HistoryEvent(
            event_id=len(self.events) + 1, event_type=kind, event_time={"seconds": START + int(at), "nanos": round(at % 1 * 1e9)}
        )
        name = "".join(f"_{char.lower()}" if char.isupper() else char for char in kinds.event_name(kind)).removeprefix("_")
        getattr(event, f"{name}_event_attributes").SetInParent()
        for field, value in attributes.items():
            _set(getattr(event, f"{name}_event_attributes"), field, value)
        self.events.append(event)
        return event.event_id

    def task(self, *, at: float = 0, queries: Any = None, messages: Sequence[Any] = (), **started: Any) -> Step:
        """Add a workflow task, and let the run answer it."""
        self.start_task(at=at, **started)
        return self.tell(queries=queries, messages=messages)

    def start_task(self, *, at: float = 0, **started: Any) -> None:
        scheduled = self.add(kinds.TASK_SCHEDULED, at=at)
        self.add(kinds.TASK_STARTED, at=at, scheduled_event_id=scheduled, **started)

    def tell(self, *, queries: Any = None, messages: Sequence[Any] = (), query: Any = None, replay_only: bool = False) -> Step:
        """Give the run what it has not seen."""
        step = self.run.activate(
            WorkflowTask(
                workflow_id="w",
                run_id=self.run_id,
                workflow_type=self.type,
                attempt=1,
                previous_started_event_id=self._previous,
                started_event_id=0 if query is not None else len(self.events),
                events=self.events[self._seen :],
                queries=queries or {},
                messages=messages,
                query=query,
                replay_only=replay_only,
            )
        )
        self._seen = len(self.events)
        if query is None:
            self._previous = len(self.events)
        return step

    def completed(self, **attributes: Any) -> int:
        """The server took the answer to the last task."""
        started = max(event.event_id for event in self.events if event.event_type == kinds.TASK_STARTED)
        return self.add(kinds.TASK_COMPLETED, started_event_id=started, **attributes)

    def from_scratch(self) -> None:
        """Forget the run: the next task brings the whole history."""
        self.run.evict()
        self.run = WorkflowRun(self.settings, self.run_id)
        self._seen = 0


def _set(message: Any, field: str, value: Any) -> None:
    if value is None:
        return
    type(message)(**{field: value})
    message.MergeFrom(type(message)(**{field: value}))


def kinds_of(step: Step) -> list[int]:
    return [command.command_type for command in step.commands]
