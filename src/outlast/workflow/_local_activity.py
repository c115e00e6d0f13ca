"""Starting local activities that are functions, or names."""

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

__all__ = ["execute_local_activity", "start_local_activity"]


@overload
def start_local_activity(
    activity: CallableAsyncNoParam[ReturnType], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: CallableSyncNoParam[ReturnType], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: Callable[..., ReturnType], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_local_activity(
    activity: str,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    result_type: type | None = None,
    **config: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]: ...


def start_local_activity(
    activity: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    result_type: type | None = None,
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
    """Start an activity that this worker runs within the workflow task, and return its handle, a task.

    It costs no task of its own, but it is run again if the worker dies before the workflow task is done. So: short and harmless.
    One of `schedule_to_close_timeout` and `start_to_close_timeout` must be given.

    Args:
        activity: The activity's function, or its name. The worker must have it.
        arg: Its only argument.
        args: Its arguments, if there are many. Not together with `arg`.
        result_type: What to convert the result to, if `activity` is a name.
        schedule_to_close_timeout: How long it may take from now, with all attempts.
        schedule_to_start_timeout: How long it may wait for a free slot of the worker.
        start_to_close_timeout: How long one attempt may take.
        retry_policy: How it is tried again. One attempt at most means never.
        local_retry_threshold: A pause between attempts that is longer than this becomes a durable timer; a minute if not given.
        cancellation_type: What happens to it when the handle is cancelled.
        activity_id: Its id, which must be the only such in the workflow. Seldom needed.
        summary: One line of Markdown about it, for the UI and the command line.
        event_groups: Groups that its events belong to, beside those of the current scope.
    """
    return Runtime.current().start_local_activity(
        activity,
        _arg_or_args(arg, args),
        result_type=result_type,
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
async def execute_local_activity(activity: CallableAsyncNoParam[ReturnType], **config: Unpack[LocalActivityConfig]) -> ReturnType: ...
@overload
async def execute_local_activity(activity: CallableSyncNoParam[ReturnType], **config: Unpack[LocalActivityConfig]) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: Callable[..., ReturnType], *, args: Sequence[Any], **config: Unpack[LocalActivityConfig]
) -> ReturnType: ...
@overload
async def execute_local_activity(
    activity: str,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    result_type: type | None = None,
    **config: Unpack[LocalActivityConfig],
) -> Any: ...


async def execute_local_activity(
    activity: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    result_type: type | None = None,
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
    """Start a local activity and wait for its result: `await start_local_activity(…)`."""
    return await Runtime.current().start_local_activity(
        activity,
        _arg_or_args(arg, args),
        result_type=result_type,
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
