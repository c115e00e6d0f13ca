"""Starting child workflows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Concatenate, Unpack, overload

from outlast.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDReusePolicy,
    _arg_or_args,
    _arg_unset,
    _warn_on_deprecated_search_attributes,
)
from outlast.types import MethodAsyncNoParam, MethodAsyncSingleParam, MultiParamSpec, ParamType, ReturnType, SelfType
from outlast.workflow._configs import ChildWorkflowConfig
from outlast.workflow._event_groups import EventGroup
from outlast.workflow._handles import ChildWorkflowHandle
from outlast.workflow._options import ChildWorkflowCancellationType, ParentClosePolicy, VersioningIntent
from outlast.workflow._runtime import Runtime
from outlast.workflow._time_and_chance import uuid4

__all__ = ["execute_child_workflow", "start_child_workflow"]


@overload
async def start_child_workflow(
    workflow: MethodAsyncNoParam[SelfType, ReturnType], **config: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **config: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: str,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    result_type: type | None = None,
    **config: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[Any, Any]: ...


async def start_child_workflow(
    workflow: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    id: str | None = None,
    task_queue: str | None = None,
    result_type: type | None = None,
    cancellation_type: ChildWorkflowCancellationType = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.TERMINATE,
    execution_timeout: timedelta | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    retry_policy: RetryPolicy | None = None,
    cron_schedule: str = "",
    memo: Mapping[str, Any] | None = None,
    search_attributes: SearchAttributes | TypedSearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
    versioning_override: VersioningOverride | None = None,
) -> ChildWorkflowHandle[Any, Any]:
    """Start a child workflow and return its handle, a task, once it has started. `ChildWorkflowConfig` says what the options mean.

    Args:
        workflow: The run method of the child's class, or the workflow type's name.
        arg: Its only argument.
        args: Its arguments, if there are many. Not together with `arg`.
        result_type: What to convert the result to, if `workflow` is a name.

    Raises:
        WorkflowAlreadyStartedError: Its id is taken.
    """
    _warn_on_deprecated_search_attributes(search_attributes)
    return await Runtime.current().start_child_workflow(
        workflow,
        _arg_or_args(arg, args),
        id=id or str(uuid4()),
        task_queue=task_queue,
        result_type=result_type,
        cancellation_type=cancellation_type,
        parent_close_policy=parent_close_policy,
        execution_timeout=execution_timeout,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        id_reuse_policy=id_reuse_policy,
        retry_policy=retry_policy,
        cron_schedule=cron_schedule,
        memo=memo,
        search_attributes=search_attributes,
        versioning_intent=versioning_intent,
        static_summary=static_summary,
        static_details=static_details,
        event_groups=event_groups,
        priority=priority,
        versioning_override=versioning_override,
    )


@overload
async def execute_child_workflow(
    workflow: MethodAsyncNoParam[SelfType, ReturnType], **config: Unpack[ChildWorkflowConfig]
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **config: Unpack[ChildWorkflowConfig]
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **config: Unpack[ChildWorkflowConfig],
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: str,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    result_type: type | None = None,
    **config: Unpack[ChildWorkflowConfig],
) -> Any: ...


async def execute_child_workflow(
    workflow: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    id: str | None = None,
    task_queue: str | None = None,
    result_type: type | None = None,
    cancellation_type: ChildWorkflowCancellationType = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.TERMINATE,
    execution_timeout: timedelta | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    retry_policy: RetryPolicy | None = None,
    cron_schedule: str = "",
    memo: Mapping[str, Any] | None = None,
    search_attributes: SearchAttributes | TypedSearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
    versioning_override: VersioningOverride | None = None,
) -> Any:
    """Start a child workflow and wait for its result: `await (await start_child_workflow(…))`."""
    _warn_on_deprecated_search_attributes(search_attributes)
    handle = await Runtime.current().start_child_workflow(
        workflow,
        _arg_or_args(arg, args),
        id=id or str(uuid4()),
        task_queue=task_queue,
        result_type=result_type,
        cancellation_type=cancellation_type,
        parent_close_policy=parent_close_policy,
        execution_timeout=execution_timeout,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        id_reuse_policy=id_reuse_policy,
        retry_policy=retry_policy,
        cron_schedule=cron_schedule,
        memo=memo,
        search_attributes=search_attributes,
        versioning_intent=versioning_intent,
        static_summary=static_summary,
        static_details=static_details,
        event_groups=event_groups,
        priority=priority,
        versioning_override=versioning_override,
    )
    return await handle
