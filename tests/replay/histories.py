"""Histories from files, as workflow tasks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from google.protobuf.json_format import Parse
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.protocol.v1 import Message

from outlast import workflow
from outlast.converter import DataConverter
from outlast.replay import kinds, markers
from outlast.replay.protocol import LocalActivity, LocalActivityOutcome, RunSettings, Step, WorkflowTask
from tests.replay import scenarios

# Written on Python 3.11, whose `asyncio.wait_for` takes other turns of the loop than later ones: no SDK replays these there.
_BOUND_TO_PYTHON = ("races",)
HISTORIES = Path(__file__).resolve().parent.parent / "histories"
SETTINGS = RunSettings(
    namespace="default",
    task_queue="queue-1000",
    definitions={definition.name: definition for definition in map(workflow._Definition.must_from_class, scenarios.WORKFLOWS)},
    data_converter=DataConverter.default,
)


def histories(folder: str = "") -> list[Path]:
    """The histories that replay on this Python."""
    found = sorted((HISTORIES / folder).rglob("*.json"))
    return [path for path in found if sys.version_info < (3, 12) or not path.stem.startswith(_BOUND_TO_PYTHON)]


def load(path: Path) -> list[HistoryEvent]:
    return list(Parse(path.read_text(), History()).events)


def as_task(
    events: Sequence[HistoryEvent],
    *,
    workflow_id: str = "w",
    previous: int | None = None,
    after: int = 0,
    messages: Sequence[Message] = (),
    replay_only: bool = False,
) -> WorkflowTask:
    """The task that brings these events, or those after one of them.

    `previous` is the start of the task before it, by default the last one completed.
    """
    started = events[0].workflow_execution_started_event_attributes
    completed = [
        event.event_id
        for event, following in pairwise(events)
        if event.event_type == kinds.TASK_STARTED and following.event_type == kinds.TASK_COMPLETED
    ]
    return WorkflowTask(
        workflow_id=workflow_id,
        run_id=started.original_execution_run_id,
        workflow_type=started.workflow_type.name,
        attempt=1,
        previous_started_event_id=(completed[-1] if completed else 0) if previous is None else previous,
        started_event_id=events[-1].event_id if events[-1].event_type == kinds.TASK_STARTED else 0,
        events=events[after:],
        messages=messages,
        replay_only=replay_only,
    )


def tasks(events: Sequence[HistoryEvent]) -> Iterator[tuple[Sequence[HistoryEvent], Sequence[HistoryEvent]]]:
    """For each task that was completed: the history until its start, and the events of the commands that it was answered with."""
    for index, event in enumerate(events):
        if event.event_type != kinds.TASK_STARTED or index + 1 >= len(events):
            continue
        if events[index + 1].event_type != kinds.TASK_COMPLETED:
            continue
        answered = []
        for following in events[index + 2 :]:
            if following.event_type not in kinds.COMMAND_EVENTS:
                break
            answered.append(following)
        yield events[: index + 1], answered


def requests(answered: Sequence[HistoryEvent]) -> list[Message]:
    """The messages that brought the updates which these events accept."""
    messages = []
    for event in answered:
        if event.event_type == kinds.UPDATE_ACCEPTED:
            accepted = event.workflow_execution_update_accepted_event_attributes
            message = Message(
                id=accepted.accepted_request_message_id,
                protocol_instance_id=accepted.protocol_instance_id,
                event_id=accepted.accepted_request_sequencing_event_id,
            )
            message.body.Pack(accepted.accepted_request)
            messages.append(message)
    return messages


class Worker:
    """Ends local activities as their markers say that they ended."""

    def __init__(self) -> None:
        self._under_way: dict[int, LocalActivity] = {}

    def outcome(self, step: Step, answered: Sequence[HistoryEvent]) -> LocalActivityOutcome | None:
        """The outcome of one that is under way and has its marker among these events; None if there is none."""
        self._under_way.update((attempt.seq, attempt) for attempt in step.local_activities)
        for event in answered:
            if not markers.is_local_activity(event):
                continue
            mark = markers.read_local_activity(event.marker_recorded_event_attributes)
            attempt = self._under_way.pop(mark.seq, None)
            if attempt is not None:
                return _outcome(attempt, mark)
        return None


def _outcome(attempt: LocalActivity, mark: markers.LocalActivityMark) -> LocalActivityOutcome:
    if attempt.attempt < mark.attempt:
        return LocalActivityOutcome(attempt.seq, failure=Failure(application_failure_info={"type": "NotYet"}))
    failure = mark.failure
    if failure is None:
        result = Payloads(payloads=[mark.result]) if mark.result is not None else None
        return LocalActivityOutcome(attempt.seq, result=result)
    if failure.HasField("timeout_failure_info"):
        return LocalActivityOutcome(attempt.seq, timed_out=failure.timeout_failure_info.timeout_type)
    return LocalActivityOutcome(attempt.seq, failure=failure, cancelled=failure.HasField("canceled_failure_info"))


COMMAND_OF = {
    kinds.WORKFLOW_COMPLETED: 4,
    kinds.WORKFLOW_FAILED: 5,
    kinds.WORKFLOW_CANCELED: 7,
    kinds.CONTINUED_AS_NEW: 10,
    kinds.ACTIVITY_SCHEDULED: 1,
    kinds.ACTIVITY_CANCEL_REQUESTED: 2,
    kinds.TIMER_STARTED: 3,
    kinds.TIMER_CANCELED: 6,
    kinds.EXTERNAL_CANCEL_INITIATED: 8,
    kinds.MARKER_RECORDED: 9,
    kinds.CHILD_INITIATED: 11,
    kinds.EXTERNAL_SIGNAL_INITIATED: 12,
    kinds.SEARCH_ATTRIBUTES_UPSERTED: 13,
    kinds.PROPERTIES_MODIFIED: 16,
    kinds.UPDATE_ACCEPTED: 14,
    kinds.UPDATE_COMPLETED: 14,
}
COMPARED = (
    "activity_id",
    "activity_type",
    "header",
    "heartbeat_timeout",
    "input",
    "marker_name",
    "memo",
    "namespace",
    "parent_close_policy",
    "reason",
    "result",
    "retry_policy",
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "scheduled_event_id",
    "signal_name",
    "start_to_close_timeout",
    "start_to_fire_timeout",
    "timer_id",
    "upserted_memo",
    "workflow_id",
    "workflow_type",
)
"""What a command and its event both have, in the same form."""


def check_commands(commands: Sequence[Command], events: Sequence[HistoryEvent]) -> None:
    """What a command says, its event says, too; the server adds defaults.

    Markers of local activities are only counted: where they stand depends on when each of them ended.
    """
    others = [command for command in commands if not _is_local(command)]
    expected = [event for event in events if not markers.is_local_activity(event)]
    assert len(commands) - len(others) == len(events) - len(expected)
    assert [command.command_type for command in others] == [COMMAND_OF[event.event_type] for event in expected]
    for command, event in zip(others, expected, strict=True):
        said, written = getattr(command, command.WhichOneof("attributes")), kinds.attributes_of(event)
        for field in COMPARED:
            if field in said.DESCRIPTOR.fields_by_name and field in written.DESCRIPTOR.fields_by_name:
                value = getattr(said, field)
                assert value == type(value)() or value == getattr(written, field), (event.event_id, field)


def _is_local(command: Command) -> bool:
    return command.record_marker_command_attributes.marker_name == markers.LOCAL_ACTIVITY
