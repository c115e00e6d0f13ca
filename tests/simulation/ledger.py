"""What the server has promised: every acknowledgement, hand-out and view, as clients and workers saw them."""

from dataclasses import dataclass, field
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

STARTED = EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED


@dataclass
class Sent:
    """A signal, start or update that a client sent until it got an answer."""

    client: str
    token: str
    workflow_id: str
    run_id: str = ""
    """Where it was addressed to; empty: to the current run."""
    acked_run: str = ""
    """Where it was taken, as far as the answer says so."""
    acked_at: float = 0.0
    outcome: Any = None


@dataclass
class Ledger:
    flaws: list[str] = field(default_factory=list)
    starts: list[Sent] = field(default_factory=list)
    signals: list[Sent] = field(default_factory=list)
    updates: list[Sent] = field(default_factory=list)
    cancels: list[Sent] = field(default_factory=list)
    terminations: list[Sent] = field(default_factory=list)
    pauses: list[Sent] = field(default_factory=list)
    resets: list[Sent] = field(default_factory=list)
    completed_refusals: list[Sent] = field(default_factory=list)
    """Somebody was told that the run is over."""
    existing: list[Sent] = field(default_factory=list)
    """Somebody was told that this run is there."""
    completed_tasks: list[tuple[str, int, str]] = field(default_factory=list)
    """(run id, started event id, worker) of workflow tasks whose completion was acknowledged."""
    task_handouts: dict[tuple[Any, ...], int] = field(default_factory=dict)
    """Workflow tasks as handed out, and how many losses the disk had seen then."""
    activity_handouts: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """(run id, activity id, attempt): by whom."""
    activity_results: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Acknowledged results."""
    seen: dict[str, dict[int, bytes]] = field(default_factory=dict)
    """By run: events that somebody has read."""

    def read(self, run_id: str, events: list[HistoryEvent], who: str) -> None:
        """An event that was read once is never different later."""
        seen = self.seen.setdefault(run_id, {})
        for event in events:
            if not event.task_id:
                continue  # virtual: shown, not written
            data = event.SerializeToString(deterministic=True)
            before = seen.get(event.event_id)
            if before is None:
                seen[event.event_id] = data
            elif before != data and not _may_be_replaced(before):
                first = HistoryEvent.FromString(before)
                kinds = EventType.Name(first.event_type), EventType.Name(event.event_type)
                self.flaws.append(
                    f"{run_id}: event {event.event_id} was read as {kinds[0]}, and by {who} as {kinds[1]}, or with other words"
                )
            else:
                seen[event.event_id] = data

    def hand_out_activity(self, run_id: str, activity_id: str, attempt: int, who: str) -> None:
        key = (run_id, activity_id, attempt)
        if key in self.activity_handouts:
            self.flaws.append(f"{run_id}: attempt {attempt} of activity {activity_id} goes to {self.activity_handouts[key]} and to {who}")
        self.activity_handouts[key] = who

    def hand_out_task(self, key: tuple[Any, ...], losses: int, who: str) -> None:
        if self.task_handouts.get(key) == losses:
            self.flaws.append(f"the workflow task {key} is handed out twice, the second time to {who}")
        self.task_handouts[key] = losses


def _may_be_replaced(before: bytes) -> bool:
    """A started workflow task is written with what follows it: until then its start may be undone (architecture, rule 2)."""
    return HistoryEvent.FromString(before).event_type == STARTED
