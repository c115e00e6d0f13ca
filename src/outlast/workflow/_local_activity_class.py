"""Starting local activities that are callable classes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Unpack, overload

from outlast.common import RetryPolicy, _arg_or_args, _arg_unset
from outlast.types import (
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    ParamType,
    ReturnType,
)
from outlast.workflow._configs import LocalActivityConfig
from outlast.workflow._event_groups import EventGroup
from outlast.workflow._handles import ActivityHandle
from outlast.workflow._options import ActivityCancellationType
from outlast.workflow._runtime import Runtime

__all__ = ["execute_local_activity_class", "start_local_activity_class"]


@overload
def start_local_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[Callable[..., Awaitable[ReturnType]]], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity_class(
    activity: type[Callable[..., ReturnType]], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...


def start_local_activity_class(
    activity: type[Callable[..., Any]],
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
    """Start a local activity that is a callable class; all else is as in `start_local_activity`."""
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
async def execute_local_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[Callable[..., Awaitable[ReturnType]]], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity_class(
    activity: type[Callable[..., ReturnType]], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...


async def execute_local_activity_class(
    activity: type[Callable[..., Any]],
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
    """Start a local activity and wait for its result: `await start_local_activity_class(…)`."""
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
