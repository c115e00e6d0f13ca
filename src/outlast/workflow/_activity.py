"""Starting activities that are functions, or names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Unpack, overload

from outlast.common import Priority, RetryPolicy, _arg_or_args, _arg_unset
from outlast.types import (
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    ParamType,
    ReturnType,
)
from outlast.workflow._configs import ActivityConfig
from outlast.workflow._event_groups import EventGroup
from outlast.workflow._handles import ActivityHandle
from outlast.workflow._options import ActivityCancellationType, VersioningIntent
from outlast.workflow._runtime import Runtime

__all__ = ["execute_activity", "start_activity"]


@overload
def start_activity(activity: CallableAsyncNoParam[ReturnType], **config: Unpack[ActivityConfig]) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(activity: CallableSyncNoParam[ReturnType], **config: Unpack[ActivityConfig]) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[..., ReturnType], *, args: Sequence[Any], **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: str,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    result_type: type | None = None,
    **config: Unpack[ActivityConfig],
) -> ActivityHandle[Any]: ...


def start_activity(
    activity: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
) -> ActivityHandle[Any]:
    """Start an activity and return its handle, a task.

    One of `schedule_to_close_timeout` and `start_to_close_timeout` must be given.

    Args:
        activity: The activity's function, or its name.
        arg: Its only argument.
        args: Its arguments, if there are many. Not together with `arg`.
        task_queue: Where to run it; the workflow's own queue if not given.
        result_type: What to convert the result to, if `activity` is a name.
        schedule_to_close_timeout: How long it may take from now, with all attempts.
        schedule_to_start_timeout: How long an attempt may wait for a worker.
        start_to_close_timeout: How long one attempt may take.
        heartbeat_timeout: How long an attempt may be silent before it is taken for dead.
        retry_policy: How it is tried again; the server's default if not given. One attempt at most means never.
        cancellation_type: What happens to it when the handle is cancelled.
        activity_id: Its id, which must be the only such in the workflow. Seldom needed.
        versioning_intent: Deprecated: which workers it should go to.
        summary: One line of Markdown about it, for the UI and the command line.
        event_groups: Groups that its events belong to, beside those of the current scope.
        priority: Its priority; the workflow's own if not given.
    """
    return Runtime.current().start_activity(
        activity,
        _arg_or_args(arg, args),
        task_queue=task_queue,
        result_type=result_type,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        versioning_intent=versioning_intent,
        summary=summary,
        event_groups=event_groups,
        priority=priority,
    )


@overload
async def execute_activity(activity: CallableAsyncNoParam[ReturnType], **config: Unpack[ActivityConfig]) -> ReturnType: ...
@overload
async def execute_activity(activity: CallableSyncNoParam[ReturnType], **config: Unpack[ActivityConfig]) -> ReturnType: ...
@overload
async def execute_activity(
    activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **config: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **config: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **config: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(activity: Callable[..., ReturnType], *, args: Sequence[Any], **config: Unpack[ActivityConfig]) -> ReturnType: ...
@overload
async def execute_activity(
    activity: str,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    result_type: type | None = None,
    **config: Unpack[ActivityConfig],
) -> Any: ...


async def execute_activity(
    activity: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
) -> Any:
    """Start an activity and wait for its result: `await start_activity(…)`."""
    return await Runtime.current().start_activity(
        activity,
        _arg_or_args(arg, args),
        task_queue=task_queue,
        result_type=result_type,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        versioning_intent=versioning_intent,
        summary=summary,
        event_groups=event_groups,
        priority=priority,
    )
