"""Starting local activities that are methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Concatenate, Unpack, overload

from outlast.common import RetryPolicy, _arg_or_args, _arg_unset
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
from outlast.workflow._configs import LocalActivityConfig
from outlast.workflow._event_groups import EventGroup
from outlast.workflow._handles import ActivityHandle
from outlast.workflow._options import ActivityCancellationType
from outlast.workflow._runtime import Runtime

__all__ = ["execute_local_activity_method", "start_local_activity_method"]


@overload
def start_local_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **config: Unpack[LocalActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...


def start_local_activity_method(
    activity: Callable[..., Any],
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    local_retry_threshold: timedelta | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> ActivityHandle[Any]:
    """Start a local activity that is a method; all else is as in `start_local_activity`."""
    return Runtime.current().start_local_activity(
        activity,
        _arg_or_args(arg, args),
        result_type=None,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        retry_policy=retry_policy,
        local_retry_threshold=local_retry_threshold,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        summary=summary,
        event_groups=event_groups,
    )


@overload
async def execute_local_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **config: Unpack[LocalActivityConfig],
) -> ReturnType: ...
@overload
async def execute_local_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...


async def execute_local_activity_method(
    activity: Callable[..., Any],
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    local_retry_threshold: timedelta | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> Any:
    """Start a local activity and wait for its result: `await start_local_activity_method(…)`."""
    return await Runtime.current().start_local_activity(
        activity,
        _arg_or_args(arg, args),
        result_type=None,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        retry_policy=retry_policy,
        local_retry_threshold=local_retry_threshold,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        summary=summary,
        event_groups=event_groups,
    )
