"""Cutting a history into what each task brought, and the numbers of events."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from outlast.replay import kinds
from outlast.replay.history import end_of_slice

S, T, C, F, O = kinds.TASK_SCHEDULED, kinds.TASK_STARTED, kinds.TASK_COMPLETED, kinds.TASK_FAILED, kinds.TASK_TIMED_OUT  # noqa: E741
BEGIN, END, TIMER, FIRED, SIGNAL = kinds.WORKFLOW_STARTED, kinds.WORKFLOW_COMPLETED, kinds.TIMER_STARTED, kinds.TIMER_FIRED, kinds.SIGNALED


def slices(*events: int) -> list[list[int]]:
    history = [HistoryEvent(event_id=index + 1, event_type=kind) for index, kind in enumerate(events)]  # type: ignore[arg-type]
    cut, start = [], 0
    while start < len(history):
        end = end_of_slice(history, start)
        cut.append(list(events[start:end]))
        start = end
    return cut


@pytest.mark.parametrize(
    "expected",
    [
        [[BEGIN, S, T]],
        [[BEGIN, S, T], [C, END]],
        [[BEGIN, S, T], [C, TIMER, FIRED, S, T], [C, END]],
        # a task that failed or timed out is no task
        [[BEGIN, S, T, F, S, T], [C, TIMER, FIRED, S, T, O, S, T], [C, END]],
        # a heartbeat is no task, unless something was asked for in it
        [[BEGIN, S, T, C, S, T], [C, kinds.MARKER_RECORDED, S, T], [C, END]],
        [[BEGIN, S, T], [C, TIMER, S, T], [C, END]],
        # a task without commands is one if something happens after it
        [[BEGIN, S, T], [C, SIGNAL, S, T], [C, SIGNAL, S, T], [C, TIMER]],
        # what comes after the last task belongs to nothing yet
        [[BEGIN, S, T], [C, TIMER, SIGNAL]],
        [[BEGIN, S, T], [C, TIMER, kinds.WORKFLOW_TERMINATED]],
    ],
)
def test_a_slice_is_what_one_completed_task_brought(expected: list[list[int]]) -> None:
    assert slices(*(kind for part in expected for kind in part)) == expected


def test_a_slice_ends_where_an_update_came_in_even_if_heartbeats_follow() -> None:
    events = [HistoryEvent(event_id=index + 1, event_type=kind) for index, kind in enumerate([BEGIN, S, T, C, S, T, C])]  # type: ignore[arg-type]
    accepted = HistoryEvent(event_id=8, event_type=kinds.UPDATE_ACCEPTED)
    accepted.workflow_execution_update_accepted_event_attributes.accepted_request_sequencing_event_id = 4

    assert end_of_slice([*events, accepted], 0) == 3


def test_the_numbers_are_those_of_the_messages() -> None:
    for field, attribute in kinds.FOLLOWS.values():
        assert attribute in HistoryEvent.DESCRIPTOR.fields_by_name[field].message_type.fields_by_name
    for name, number in vars(kinds).items():
        if name.isupper() and isinstance(number, int) and name != "TYPE_CHECKING":
            words = set(EventType.Name(number).removeprefix("EVENT_TYPE_").split("_"))  # type: ignore[arg-type]
            said = _OTHER_WORDS.get(name, name)
            assert set(said.split("_")) <= words, name


_OTHER_WORDS = {
    "CANCEL_REQUESTED": "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    "CONTINUED_AS_NEW": "CONTINUED",
    "EXTERNAL_CANCEL_DELIVERED": "EXTERNAL_CANCEL_REQUESTED",
    "SEARCH_ATTRIBUTES_UPSERTED": "UPSERT_SEARCH_ATTRIBUTES",
}
