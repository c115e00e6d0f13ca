"""A workflow's history in words: one line per event."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

DETAIL_CHARACTERS_MAX = 100


@dataclass(frozen=True)
class HistoryLine:
    """One event for a reader."""

    event_id: int
    at_ns: int
    since_start_s: float
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.event_id:>3} {self.since_start_s:>7.2f}s  {self.what:<32} {self.detail}".rstrip()


Events = dict[int, HistoryEvent]


def history_lines(events: Iterable[HistoryEvent]) -> list[HistoryLine]:
    """The lines of one run's events, in their order."""
    by_id = {event.event_id: event for event in events}
    start_ns = min((event.event_time.ToNanoseconds() for event in by_id.values()), default=0)
    return [
        HistoryLine(
            event.event_id,
            event.event_time.ToNanoseconds(),
            (event.event_time.ToNanoseconds() - start_ns) / 1e9,
            _what(event),
            _shortened(_DETAILS.get(event.event_type, _no_detail)(event, by_id)),
        )
        for event in by_id.values()
    ]


def _what(event: HistoryEvent) -> str:
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").replace("_", " ").lower()


def _shortened(text: str) -> str:
    return text if len(text) <= DETAIL_CHARACTERS_MAX else text[: DETAIL_CHARACTERS_MAX - 1] + "…"


def _no_detail(event: HistoryEvent, events: Events) -> str:
    return ""


def _workflow_started(event: HistoryEvent, events: Events) -> str:
    started = event.workflow_execution_started_event_attributes
    return f"{started.workflow_type.name} {_values(started.input)}"


def _workflow_completed(event: HistoryEvent, events: Events) -> str:
    return f"result {_values(event.workflow_execution_completed_event_attributes.result)}"


def _workflow_failed(event: HistoryEvent, events: Events) -> str:
    return _cause(event.workflow_execution_failed_event_attributes.failure)


def _signaled(event: HistoryEvent, events: Events) -> str:
    signaled = event.workflow_execution_signaled_event_attributes
    return f"{signaled.signal_name} {_values(signaled.input)}"


def _workflow_task_failed(event: HistoryEvent, events: Events) -> str:
    return _cause(event.workflow_task_failed_event_attributes.failure)


def _workflow_task_timed_out(event: HistoryEvent, events: Events) -> str:
    return _timeout(event.workflow_task_timed_out_event_attributes.timeout_type)


def _activity_scheduled(event: HistoryEvent, events: Events) -> str:
    return event.activity_task_scheduled_event_attributes.activity_type.name


def _activity_started(event: HistoryEvent, events: Events) -> str:
    started = event.activity_task_started_event_attributes
    told = f"{_activity(started.scheduled_event_id, events)}, attempt {started.attempt}"
    return f"{told}, after: {_cause(started.last_failure)}" if started.HasField("last_failure") else told


def _activity_completed(event: HistoryEvent, events: Events) -> str:
    completed = event.activity_task_completed_event_attributes
    return f"{_activity(completed.scheduled_event_id, events)}, result {_values(completed.result)}"


def _activity_failed(event: HistoryEvent, events: Events) -> str:
    failed = event.activity_task_failed_event_attributes
    return f"{_activity(failed.scheduled_event_id, events)}: {_cause(failed.failure)}"


def _activity_timed_out(event: HistoryEvent, events: Events) -> str:
    timed_out = event.activity_task_timed_out_event_attributes
    return f"{_activity(timed_out.scheduled_event_id, events)}: {_cause(timed_out.failure)}"


def _timer_started(event: HistoryEvent, events: Events) -> str:
    started = event.timer_started_event_attributes
    return f"timer {started.timer_id}, {_length(started.start_to_fire_timeout)}"


def _timer_fired(event: HistoryEvent, events: Events) -> str:
    return f"timer {event.timer_fired_event_attributes.timer_id}"


def _timer_canceled(event: HistoryEvent, events: Events) -> str:
    return f"timer {event.timer_canceled_event_attributes.timer_id}"


_DETAILS: dict[EventType.ValueType, Callable[[HistoryEvent, Events], str]] = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: _workflow_started,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _workflow_completed,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: _workflow_failed,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _signaled,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: _workflow_task_failed,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: _workflow_task_timed_out,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _activity_scheduled,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: _activity_started,
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: _activity_completed,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: _activity_failed,
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: _activity_timed_out,
    EventType.EVENT_TYPE_TIMER_STARTED: _timer_started,
    EventType.EVENT_TYPE_TIMER_FIRED: _timer_fired,
    EventType.EVENT_TYPE_TIMER_CANCELED: _timer_canceled,
}


def _activity(scheduled_event_id: int, events: Events) -> str:
    return events[scheduled_event_id].activity_task_scheduled_event_attributes.activity_type.name


def _cause(failure: Failure) -> str:
    if failure.HasField("timeout_failure_info"):
        return _timeout(failure.timeout_failure_info.timeout_type)
    return failure.message


def _timeout(timeout_type: TimeoutType.ValueType) -> str:
    return f"{TimeoutType.Name(timeout_type).removeprefix('TIMEOUT_TYPE_').replace('_', ' ').lower()} timeout"


def _length(duration: Duration) -> str:
    return f"{duration.ToTimedelta().total_seconds():,.10g} s"


def _values(payloads: Payloads) -> str:
    return ", ".join(_value(payload.data) for payload in payloads.payloads)


def _value(data: bytes) -> str:
    try:
        value: object = json.loads(data)
    except ValueError:
        return f"{len(data)} bytes"
    return json.dumps(value, ensure_ascii=False)
