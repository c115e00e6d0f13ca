"""Ending a run so that a new one goes on with a short history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Concatenate, NoReturn, TypedDict, Unpack, overload

from outlast.common import (
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    _arg_or_args,
    _arg_unset,
    _warn_on_deprecated_search_attributes,
)
from outlast.types import MethodAsyncNoParam, MethodAsyncSingleParam, MultiParamSpec, ParamType, SelfType
from outlast.workflow._event_groups import EventGroup
from outlast.workflow._options import ContinueAsNewVersioningBehavior, VersioningIntent
from outlast.workflow._runtime import Runtime

__all__ = ["continue_as_new"]


class _Config(TypedDict, total=False):
    task_queue: str | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    backoff_start_interval: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    search_attributes: SearchAttributes | TypedSearchAttributes | None
    versioning_intent: VersioningIntent | None
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None
    event_groups: Sequence[EventGroup] | None


@overload
def continue_as_new(arg: Any = _arg_unset, *, args: Sequence[Any] = [], **config: Unpack[_Config]) -> NoReturn: ...
@overload
def continue_as_new(*, workflow: MethodAsyncNoParam[SelfType, Any], **config: Unpack[_Config]) -> NoReturn: ...
@overload
def continue_as_new(
    arg: ParamType, *, workflow: MethodAsyncSingleParam[SelfType, ParamType, Any], **config: Unpack[_Config]
) -> NoReturn: ...
@overload
def continue_as_new(
    *, workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[Any]], args: Sequence[Any], **config: Unpack[_Config]
) -> NoReturn: ...
@overload
def continue_as_new(*, workflow: str, args: Sequence[Any] = [], **config: Unpack[_Config]) -> NoReturn: ...


def continue_as_new(
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    workflow: Callable[..., Any] | str | None = None,
    task_queue: str | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    backoff_start_interval: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: SearchAttributes | TypedSearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> NoReturn:
    """End this run here and go on as a new one, with the same id and an empty history.

    What is not given stays as it is for this run.

    Args:
        arg: The new run's only argument.
        args: Its arguments, if there are many. Not together with `arg`.
        workflow: The run method or name of another workflow to go on as.
        task_queue: Where to run it.
        run_timeout: How long the new run may take.
        task_timeout: How long one of its workflow tasks may take.
        backoff_start_interval: How long to wait before its first task.
        retry_policy: How it is tried again.
        memo: Its memo.
        search_attributes: Its search attributes. A dictionary still works, but is deprecated: it has no types.
        versioning_intent: Deprecated: which workers it should go to.
        initial_versioning_behavior: Which version takes its first task. Experimental.
        event_groups: Groups that the event belongs to, beside those of the current scope.

    Raises:
        ContinueAsNewError: Always. Do not catch it: it is how the run ends.
    """
    _warn_on_deprecated_search_attributes(search_attributes)
    Runtime.current().continue_as_new(
        _arg_or_args(arg, args),
        workflow=workflow,
        task_queue=task_queue,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        backoff_start_interval=backoff_start_interval,
        retry_policy=retry_policy,
        memo=memo,
        search_attributes=search_attributes,
        versioning_intent=versioning_intent,
        initial_versioning_behavior=initial_versioning_behavior,
        event_groups=event_groups,
    )
