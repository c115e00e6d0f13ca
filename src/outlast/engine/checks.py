"""Checks that calls and commands share, with the reference server's texts."""

import re

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Priority
from temporalio.api.enums.v1 import TaskQueueKind
from temporalio.api.taskqueue.v1 import TaskQueue

from outlast.engine.limits import FAIRNESS_KEY_BYTES_MAX, ID_BYTES_MAX

_RESERVED_PREFIX = "/_sys/"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_run_id(text: str) -> bool:
    """Whether it has the form of a UUID."""
    return _UUID.fullmatch(text) is not None


def size_bytes(text: str) -> int:
    """What a text counts towards a limit: its bytes on the wire, not its characters."""
    return len(text) if text.isascii() else len(text.encode())


def queue_name_flaw(name: str) -> str:
    """What is wrong with a task queue's name; empty when nothing is."""
    if not name:
        return "missing task queue name"
    if size_bytes(name) > ID_BYTES_MAX:
        return "taskQueue length exceeds limit"
    if name.startswith(_RESERVED_PREFIX):
        return f"task queue name cannot start with reserved prefix {_RESERVED_PREFIX}"
    return ""


def priority_flaw(priority: Priority) -> str:
    """What is wrong with a priority; empty when nothing is."""
    if priority.priority_key < 0:
        return "priority key can't be negative"
    if size_bytes(priority.fairness_key) > FAIRNESS_KEY_BYTES_MAX:
        return "fairness key length exceeds limit"
    if priority.fairness_weight < 0:
        return "must be greater than zero"
    return ""


def duration_flaw(span: Duration) -> str:
    """What is wrong with a duration; empty when nothing is."""
    if span.seconds * span.nanos < 0:
        return "duration has seconds and nanos with different signs"
    if span.seconds < 0 or span.nanos < 0:
        return "negative duration"
    return ""


def shown(queue: TaskQueue, default: str) -> str:
    """A task queue as the reference server prints it in its errors."""
    name = queue.name or default
    return f'name:"{name}" kind:{TaskQueueKind.Name(queue.kind or TaskQueueKind.TASK_QUEUE_KIND_NORMAL)}'


def too_long(name: str, value: str) -> str:
    """The end of an error about an id that exceeds the limit."""
    return f"{name}={value} Length={size_bytes(value)} Limit={ID_BYTES_MAX}"
