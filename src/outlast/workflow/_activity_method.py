"""Starting activities that are methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Concatenate, Unpack, overload

from outlast.common import Priority, RetryPolicy, _arg_or_args, _arg_unset
from outlast.types import (
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncNoParam,
    MethodSyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)
from outlast.workflow._configs import ActivityConfig
from outlast.workflow._event_groups import EventGroup
from outlast.workflow._handles import ActivityHandle
from outlast.workflow._options import ActivityCancellationType, VersioningIntent
from outlast.workflow._runtime import Runtime

__all__ = ["execute_activity_method", "start_activity_method"]


@overload
def start_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **config: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType], *, args: Sequence[Any], **config: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...


def start_activity_method(
    activity: Callable[..., Any],
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
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
    """Start an activity that is a method; all else is as in `start_activity`."""
    return Runtime.current().start_activity(
        activity,
        _arg_or_args(arg, args),
        task_queue=task_queue,
        result_type=None,
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
async def execute_activity_method(activity: MethodAsyncNoParam[SelfType, ReturnType], **config: Unpack[ActivityConfig]) -> ReturnType: ...
@overload
async def execute_activity_method(activity: MethodSyncNoParam[SelfType, ReturnType], **config: Unpack[ActivityConfig]) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **config: Unpack[ActivityConfig],
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType], *, args: Sequence[Any], **config: Unpack[ActivityConfig]
) -> ReturnType: ...


async def execute_activity_method(
    activity: Callable[..., Any],
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
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
    """Start an activity and wait for its result: `await start_activity_method(…)`."""
    return await Runtime.current().start_activity(
        activity,
        _arg_or_args(arg, args),
        task_queue=task_queue,
        result_type=None,
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
