"""The checker of histories finds every flaw that is planted in a good one, and nothing in the good one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import triggers as t
from tests.engine import ask
from tests.engine.given import complete_activity, do, given_started, name, start_activity, told, wait
from tests.history_checker import check_history

History = list[HistoryEvent]
Flaw = Callable[[], History]


def _good() -> History:
    """One of everything that the engine can write; the tables below use its event ids."""
    closed_child = do(given_started(), ask.completed("1")).history[-1]
    given = do(
        given_started(),  # 1 started, 2 scheduled, 3 started, 4 completed
        ask.activity("a"),  # 5
        ask.activity("b"),  # 6
        ask.timer("nap"),  # 7
        ask.timer("rest", 1),  # 8
        ask.child(),  # 9
        ask.signal_external(),  # 10
        ask.cancel_external(),  # 11
    )
    given = told(given, t.ChildStarted(9, "run"))  # 12, and the workflow task 13
    given = told(given, t.ExternalTold(given.history[9]))  # 14
    given = told(given, t.ExternalTold(given.history[10]))  # 15
    given = told(given, t.ChildClosed(9, "run", "run", closed_child))  # 16
    first = given.execution.activities[5]
    given = complete_activity(start_activity(given, first), first)  # 17 started, 18 completed
    given = wait(given, 1)  # 19 fired
    given = do(given, ask.cancel_timer("nap"), ask.cancel_activity(6))  # 20, 21, 22 canceled, 23 cancel requested, 24 canceled
    return list(do(given, ask.completed()).history)  # 25 scheduled, 26 started, 27 completed, 28 completed


GOOD = _good()


def copy(event: HistoryEvent, **fields: Any) -> HistoryEvent:
    """The event with some of its attributes changed."""
    changed = HistoryEvent.FromString(event.SerializeToString())
    attributes = getattr(changed, changed.WhichOneof("attributes") or "")
    for field, value in fields.items():
        setattr(attributes, field, value)
    return changed


def edited(event_id: int, /, **fields: Any) -> Flaw:
    """The good history with some attributes of one event changed."""
    return lambda: [copy(event, **fields) if event.event_id == event_id else event for event in GOOD]


def enveloped(event_id: int, /, **fields: Any) -> Flaw:
    """The good history with the envelope of one event changed."""

    def flaw() -> History:
        changed = [HistoryEvent.FromString(event.SerializeToString()) for event in GOOD]
        for field, value in fields.items():
            setattr(changed[event_id - 1], field, value)
        return changed

    return flaw


def then(length: int, again: int, /, **fields: Any) -> Flaw:
    """The beginning of the good history, followed by a copy of one of its events."""
    return lambda: [*GOOD[:length], _numbered(copy(GOOD[again - 1], **fields), length + 1)]


def made(length: int, *events: tuple[str, dict[str, Any]]) -> Flaw:
    """The beginning of the good history, followed by events of other kinds."""
    return lambda: [*GOOD[:length], *(_made(kind, length + number, fields) for number, (kind, fields) in enumerate(events, start=1))]


def _made(kind: str, event_id: int, fields: dict[str, Any]) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{kind}"))
    event.event_time.CopyFrom(GOOD[0].event_time)
    attributes = getattr(event, f"{kind.lower()}_event_attributes")
    attributes.SetInParent()
    attributes.MergeFrom(type(attributes)(**fields))
    return _numbered(event, event_id)


def _numbered(event: HistoryEvent, event_id: int) -> HistoryEvent:
    event.event_id = event.task_id = event_id
    return event


def _timeless() -> History:
    flawed = [*GOOD[:-1], copy(GOOD[-1])]
    flawed[-1].ClearField("event_time")
    return flawed


def _timed_out_early() -> History:
    """A started workflow task that times out as if nobody had started it."""
    kind = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
    return made(3, ("WORKFLOW_TASK_TIMED_OUT", {"scheduled_event_id": 2, "started_event_id": 3, "timeout_type": kind}))()


UPDATE = {"protocol_instance_id": "u"}
NEXUS = {"workflow_task_completed_event_id": 4}

ENVELOPES: list[tuple[Flaw, str]] = [
    (list, "the history is empty"),
    (enveloped(5, event_id=6), "event 6 ACTIVITY_TASK_SCHEDULED: its id should be 5"),
    (lambda: GOOD[1:], "event 2 WORKFLOW_TASK_SCHEDULED: a history begins with WORKFLOW_EXECUTION_STARTED, once"),
    (then(4, 1), "event 5 WORKFLOW_EXECUTION_STARTED: a history begins with WORKFLOW_EXECUTION_STARTED, once"),
    (enveloped(5, task_id=4), "event 5 ACTIVITY_TASK_SCHEDULED: its task id 4 does not come after 4"),
    (enveloped(2, task_id=0), "event 2 WORKFLOW_TASK_SCHEDULED: its task id 0 does not come after 1"),
    (_timeless, "event 28 WORKFLOW_EXECUTION_COMPLETED: it has no time"),
    (
        enveloped(7, event_type=EventType.EVENT_TYPE_MARKER_RECORDED),
        "event 7 MARKER_RECORDED: it carries timer_started_event_attributes",
    ),
    (then(28, 14), "event 29 EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: it comes after the close event 28"),
    (
        made(3, ("WORKFLOW_EXECUTION_TERMINATED", {})),
        "event 4 WORKFLOW_EXECUTION_TERMINATED: the workflow task 2 is still started",
    ),
]

COMMANDS: list[tuple[Flaw, str]] = [
    (edited(5, workflow_task_completed_event_id=3), "event 5 ACTIVITY_TASK_SCHEDULED: workflow_task_completed_event_id 3 is not a"),
    (edited(5, workflow_task_completed_event_id=0), "event 5 ACTIVITY_TASK_SCHEDULED: workflow_task_completed_event_id 0 is not a"),
    (edited(22, workflow_task_completed_event_id=4), "event 22 TIMER_CANCELED: workflow_task_completed_event_id 4 is not the latest, 21"),
    (then(12, 7, timer_id="late"), "event 13 TIMER_STARTED: other events stand between it and its WORKFLOW_TASK_COMPLETED 4"),
    (edited(23, scheduled_event_id=5), "event 23 ACTIVITY_TASK_CANCEL_REQUESTED: activity 5 was closed by event 18"),
    (edited(23, scheduled_event_id=7), "event 23 ACTIVITY_TASK_CANCEL_REQUESTED: scheduled_event_id 7 should be a ACTIVITY_TASK_SCHEDULED"),
    (edited(24, latest_cancel_requested_event_id=22), "event 24 ACTIVITY_TASK_CANCELED: latest_cancel_requested_event_id 22 should be a"),
]

NAMES: list[tuple[Flaw, str]] = [
    (then(6, 5), "event 7 ACTIVITY_TASK_SCHEDULED: activity id a is still in use by event 5"),
    (edited(8, timer_id="nap"), "event 8 TIMER_STARTED: timer id nap is still in use by event 7"),
    (edited(19, timer_id="nap"), "event 19 TIMER_FIRED: timer 8 has timer id rest, not nap"),
    (edited(22, timer_id="rest"), "event 22 TIMER_CANCELED: timer 7 has timer id nap, not rest"),
    (
        made(
            4,
            ("WORKFLOW_EXECUTION_UPDATE_ACCEPTED", UPDATE),
            ("WORKFLOW_EXECUTION_UPDATE_COMPLETED", {"accepted_event_id": 5}),
            ("WORKFLOW_EXECUTION_UPDATE_ACCEPTED", UPDATE),
        ),
        "event 7 WORKFLOW_EXECUTION_UPDATE_ACCEPTED: update id u is still in use by event 5",
    ),
]

LIVES: list[tuple[Flaw, str]] = [
    (edited(3, scheduled_event_id=1), "event 3 WORKFLOW_TASK_STARTED: scheduled_event_id 1 should be a WORKFLOW_TASK_SCHEDULED and is"),
    (
        edited(17, scheduled_event_id=99),
        "event 17 ACTIVITY_TASK_STARTED: scheduled_event_id 99 should be a ACTIVITY_TASK_SCHEDULED and is no",
    ),
    (then(3, 3), "event 4 WORKFLOW_TASK_STARTED: workflow task 2 was already started by event 3"),
    (then(17, 17), "event 18 ACTIVITY_TASK_STARTED: activity 5 was already started by event 17"),
    (then(12, 12), "event 13 CHILD_WORKFLOW_EXECUTION_STARTED: child workflow 9 was already started by event 12"),
    (then(18, 17), "event 19 ACTIVITY_TASK_STARTED: activity 5 was already closed by event 18"),
    (
        edited(18, scheduled_event_id=8),
        "event 18 ACTIVITY_TASK_COMPLETED: scheduled_event_id 8 should be a ACTIVITY_TASK_SCHEDULED and is TIMER",
    ),
    (then(18, 18), "event 19 ACTIVITY_TASK_COMPLETED: activity 5 was already closed by event 18"),
    (then(19, 19), "event 20 TIMER_FIRED: timer 8 was already closed by event 19"),
    (then(16, 16), "event 17 CHILD_WORKFLOW_EXECUTION_COMPLETED: child workflow 9 was already closed by event 16"),
    (then(14, 14), "event 15 EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: external signal 10 was already closed by event 14"),
    (then(15, 15), "event 16 EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: external cancel 11 was already closed by event 15"),
    (then(4, 4), "event 5 WORKFLOW_TASK_COMPLETED: workflow task 2 was already closed by event 4"),
    (then(2, 2), "event 3 WORKFLOW_TASK_SCHEDULED: the workflow task 2 is still open"),
    (
        edited(18, started_event_id=16),
        "event 18 ACTIVITY_TASK_COMPLETED: started_event_id 16 does not fit: activity 5 was started by event 17",
    ),
    (edited(24, started_event_id=3), "event 24 ACTIVITY_TASK_CANCELED: started_event_id 3 does not fit: activity 6 was started by event 0"),
    (then(11, 18, started_event_id=0), "event 12 ACTIVITY_TASK_COMPLETED: activity 5 was never started"),
    (then(11, 16, started_event_id=0), "event 12 CHILD_WORKFLOW_EXECUTION_COMPLETED: child workflow 9 was never started"),
    (then(2, 4, started_event_id=0), "event 3 WORKFLOW_TASK_COMPLETED: workflow task 2 was never started"),
    (_timed_out_early, "event 4 WORKFLOW_TASK_TIMED_OUT: it timed out before its start but has a start"),
    (
        made(12, ("START_CHILD_WORKFLOW_EXECUTION_FAILED", {"initiated_event_id": 9})),
        "event 13 START_CHILD_WORKFLOW_EXECUTION_FAILED: child workflow 9 was started by event 12",
    ),
    (
        made(4, ("WORKFLOW_EXECUTION_UPDATE_COMPLETED", {"accepted_event_id": 4})),
        "event 5 WORKFLOW_EXECUTION_UPDATE_COMPLETED: accepted_event_id 4 should be a WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
    ),
    (
        made(4, ("NEXUS_OPERATION_SCHEDULED", NEXUS), ("NEXUS_OPERATION_STARTED", {"scheduled_event_id": 4})),
        "event 6 NEXUS_OPERATION_STARTED: scheduled_event_id 4 should be a NEXUS_OPERATION_SCHEDULED",
    ),
    (
        made(4, ("NEXUS_OPERATION_SCHEDULED", NEXUS), ("NEXUS_OPERATION_CANCEL_REQUESTED", NEXUS | {"scheduled_event_id": 4})),
        "event 6 NEXUS_OPERATION_CANCEL_REQUESTED: scheduled_event_id 4 should be a NEXUS_OPERATION_SCHEDULED",
    ),
    (
        made(4, ("NEXUS_OPERATION_SCHEDULED", NEXUS), *[("NEXUS_OPERATION_COMPLETED", {"scheduled_event_id": 5})] * 2),
        "event 7 NEXUS_OPERATION_COMPLETED: nexus operation 5 was already closed by event 6",
    ),
]


@pytest.mark.parametrize("flaw, complaint", [*ENVELOPES, *COMMANDS, *NAMES, *LIVES])
def test_a_planted_flaw_is_found(flaw: Flaw, complaint: str) -> None:
    assert any(violation.startswith(complaint) for violation in check_history(flaw())), check_history(flaw())


def test_a_good_history_and_every_beginning_of_it_is_sound() -> None:
    assert len({name(event) for event in GOOD}) == 20
    for length in range(1, len(GOOD) + 1):
        assert check_history(GOOD[:length]) == []


ACCEPTED = ("WORKFLOW_EXECUTION_UPDATE_ACCEPTED", UPDATE)
MARKER = ("MARKER_RECORDED", {"workflow_task_completed_event_id": 4})
TIMED_OUT = {"scheduled_event_id": 2, "timeout_type": TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START}


@pytest.mark.parametrize(
    "sound",
    [
        made(4, ACCEPTED, MARKER, ("WORKFLOW_EXECUTION_UPDATE_COMPLETED", {"accepted_event_id": 5})),
        made(4, ("NEXUS_OPERATION_SCHEDULED", NEXUS), ("NEXUS_OPERATION_COMPLETED", {"scheduled_event_id": 5})),
        made(2, ("WORKFLOW_TASK_TIMED_OUT", TIMED_OUT), ("WORKFLOW_TASK_SCHEDULED", {})),
    ],
    ids=["update events among command events", "a nexus operation", "a sticky task that nobody took"],
)
def test_what_is_rare_but_allowed_passes(sound: Flaw) -> None:
    assert check_history(sound()) == []


def test_the_events_of_a_task_that_is_not_written_yet_may_end_a_history() -> None:
    written = list(GOOD[:12])
    virtual = [copy(GOOD[12]), copy(GOOD[2], scheduled_event_id=13)]
    virtual[1].event_id = 14
    for event in virtual:
        event.task_id = 0

    assert check_history([*written, virtual[0]]) == []
    assert check_history([*written, *virtual]) == []
    flawed = [*written, *virtual, _numbered(copy(GOOD[13]), 15)]
    assert any("its task id 0 does not come after" in violation for violation in check_history(flawed))
