"""JSON of histories, from whatever wrote it: older tools shorten the names of enum values."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format
from temporalio.api.history.v1 import History

_CAPITAL = re.compile(r"([A-Z]+)")
_ENUMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("EVENT_TYPE", ("eventType",)),
    ("CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE", ("requestCancelExternalWorkflowExecutionFailedEventAttributes", "cause")),
    ("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE", ("signalExternalWorkflowExecutionFailedEventAttributes", "cause")),
    ("START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE", ("startChildWorkflowExecutionFailedEventAttributes", "cause")),
    ("WORKFLOW_TASK_FAILED_CAUSE", ("workflowTaskFailedEventAttributes", "cause")),
    ("PARENT_CLOSE_POLICY", ("startChildWorkflowExecutionInitiatedEventAttributes", "parentClosePolicy")),
    ("WORKFLOW_ID_REUSE_POLICY", ("startChildWorkflowExecutionInitiatedEventAttributes", "workflowIdReusePolicy")),
    ("TIMEOUT_TYPE", ("workflowTaskTimedOutEventAttributes", "timeoutType")),
    ("CONTINUE_AS_NEW_INITIATOR", ("*", "initiator")),
    ("RETRY_STATE", ("*", "retryState")),
    ("TASK_QUEUE_KIND", ("*", "taskQueue", "kind")),
)
_FAILURES: tuple[tuple[str, ...], ...] = (
    ("*", "failure"),
    ("activityTaskStartedEventAttributes", "lastFailure"),
    ("workflowExecutionStartedEventAttributes", "continuedFailure"),
)


def history_from_json(history: str | dict[str, Any]) -> History:
    """The history in this JSON. Raises ValueError if it is none; fields that are not known are left out."""
    parsed = json.loads(history) if isinstance(history, str) else copy.deepcopy(history)
    if not isinstance(parsed, dict):
        raise ValueError("JSON history not a dictionary")
    events = parsed.get("events")
    if not isinstance(events, list):
        raise ValueError("History does not have iterable 'events'")
    for event in events:
        if not isinstance(event, dict):
            raise ValueError("Event not a dictionary")
        _lengthen_names(event)
    return json_format.ParseDict(parsed, History(), ignore_unknown_fields=True)


def _lengthen_names(event: dict[str, Any]) -> None:
    for prefix, path in _ENUMS:
        _lengthen(prefix, event, path)
    for path in _FAILURES:
        for failure in _at(event, path):
            _lengthen_in_failure(failure)


def _lengthen_in_failure(failure: dict[str, Any]) -> None:
    _lengthen("TIMEOUT_TYPE", failure, ("timeoutFailureInfo", "timeoutType"))
    _lengthen("RETRY_STATE", failure, ("*", "retryState"))
    for cause in _at(failure, ("cause",)):
        _lengthen_in_failure(cause)


def _lengthen(prefix: str, parent: dict[str, Any], path: tuple[str, ...]) -> None:
    """Give the enum value at this path its full name: "ActivityTaskScheduled" is EVENT_TYPE_ACTIVITY_TASK_SCHEDULED."""
    *way, name = path
    for holder in _at(parent, tuple(way)):
        value = holder.get(name)
        if isinstance(value, str) and not value.startswith(prefix):
            holder[name] = prefix + _CAPITAL.sub(r"_\1", value).upper()


def _at(parent: dict[str, Any], path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The dictionaries at this path, of which "*" is any step."""
    if not path:
        yield parent
        return
    children = parent.values() if path[0] == "*" else (parent.get(path[0]),)
    for child in children:
        for each in child if isinstance(child, list) else (child,):
            if isinstance(each, dict):
                yield from _at(each, path[1:])
