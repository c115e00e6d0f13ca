"""The options of an activity that runs, and how they are changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.workflowservice.v1 import UpdateActivityExecutionOptionsRequest

from outlast.client._helpers import span_of
from outlast.common import Priority, RetryPolicy

ActivityOptionValueType = TypeVar("ActivityOptionValueType")


@dataclass(frozen=True)
class ActivityOptionsKey(Generic[ActivityOptionValueType]):
    """Names an option that can be changed; see :class:`ActivityOptionsKeys`."""

    name: str
    """Path of the option in messages."""

    def value_set(self, value: ActivityOptionValueType) -> ActivityOptionsUpdate[ActivityOptionValueType]:
        """A change of the option to this value."""
        return ActivityOptionsUpdate(self, value)

    def value_unset(self) -> ActivityOptionsUpdate[ActivityOptionValueType]:
        """A change of the option to the server's default."""
        return ActivityOptionsUpdate(self, None)


@dataclass(frozen=True)
class ActivityOptionsUpdate(Generic[ActivityOptionValueType]):
    """A change of one option."""

    key: ActivityOptionsKey[ActivityOptionValueType]
    """Which option."""

    value: ActivityOptionValueType | None
    """What to change it to; None: the server's default."""


class ActivityOptionsKeys:
    """The options that can be changed."""

    task_queue: ActivityOptionsKey[str] = ActivityOptionsKey("task_queue.name")
    schedule_to_close_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("schedule_to_close_timeout")
    schedule_to_start_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("schedule_to_start_timeout")
    start_to_close_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("start_to_close_timeout")
    heartbeat_timeout: ActivityOptionsKey[timedelta] = ActivityOptionsKey("heartbeat_timeout")
    start_delay: ActivityOptionsKey[timedelta] = ActivityOptionsKey("start_delay")
    retry_policy: ActivityOptionsKey[RetryPolicy] = ActivityOptionsKey("retry_policy")
    priority: ActivityOptionsKey[Priority] = ActivityOptionsKey("priority")


@dataclass(frozen=True)
class ActivityExecutionOptions:
    """The options of an activity; None: not set."""

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    start_delay: timedelta | None
    retry_policy: RetryPolicy | None
    priority: Priority | None

    @staticmethod
    def _from_proto(options: ActivityOptions) -> ActivityExecutionOptions:
        return ActivityExecutionOptions(
            task_queue=options.task_queue.name if options.HasField("task_queue") else None,
            schedule_to_close_timeout=span_of(options, "schedule_to_close_timeout"),
            schedule_to_start_timeout=span_of(options, "schedule_to_start_timeout"),
            start_to_close_timeout=span_of(options, "start_to_close_timeout"),
            heartbeat_timeout=span_of(options, "heartbeat_timeout"),
            start_delay=span_of(options, "start_delay"),
            retry_policy=RetryPolicy.from_proto(options.retry_policy) if options.HasField("retry_policy") else None,
            priority=Priority._from_proto(options.priority) if options.HasField("priority") else None,
        )


def refuse_repeated(updates: Sequence[ActivityOptionsUpdate[Any]]) -> None:
    """Raise ValueError if an option is changed twice."""
    seen: set[str] = set()
    for update in updates:
        if update.key.name in seen:
            raise ValueError(f"update_options received more than one update for {update.key.name}")
        seen.add(update.key.name)


def put_update(update: ActivityOptionsUpdate[Any], request: UpdateActivityExecutionOptionsRequest) -> None:
    """Write the change into a request."""
    name, value, options = update.key.name, update.value, request.activity_options
    request.update_mask.paths.append(name)
    if value is None:
        return
    match value:
        case RetryPolicy():
            value.apply_to_proto(options.retry_policy)
        case Priority():
            options.priority.CopyFrom(value._to_proto())
        case timedelta():
            getattr(options, name).FromTimedelta(value)
        case _:
            options.task_queue.name = value
