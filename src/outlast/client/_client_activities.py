"""The client's methods that start activities without a workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Concatenate, Unpack, cast, overload

from outlast import activity as activities
from outlast.client._activity import ActivityHandle
from outlast.client._activity_inputs import StartActivityInput
from outlast.client._client_base import ClientBase
from outlast.client._options import NO_ARGS, NO_METADATA, StartActivityOptions, signature_of
from outlast.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
    TypedSearchAttributes,
    _arg_or_args,
    _arg_unset,
)
from outlast.types import (
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)


class ClientActivities(ClientBase):
    """Starts activities without a workflow."""

    @overload
    async def start_activity(
        self, activity: CallableAsyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self, activity: CallableSyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self, activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self, activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self, activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self, activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        result_type: type | None = None,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[Any]: ...

    async def start_activity(
        self,
        activity: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        id: str,
        task_queue: str,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        id_reuse_policy: ActivityIDReusePolicy = ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: ActivityIDConflictPolicy = ActivityIDConflictPolicy.FAIL,
        retry_policy: RetryPolicy | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: Priority = Priority.default,
        start_delay: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityHandle[Any]:
        """Start an activity without a workflow: the activity, or its name; its one argument, or ``args``; and options.

        The options are explained at :class:`StartActivityOptions`. ``result_type`` is what to convert the result to, if the activity is
        given by name. See :meth:`start_activity_class` and :meth:`start_activity_method` for activities that are classes or methods.

        Raises ActivityAlreadyStartedError if the options for ids rule it out, ValueError if a timeout is missing, RPCError if the server
        cannot start it for another reason.
        """
        name, activity_type = activities._Definition.get_name_and_result_type(activity)
        return await self._impl.start_activity(
            StartActivityInput(
                activity_type=name,
                args=_arg_or_args(arg, args),
                id=id,
                task_queue=task_queue,
                result_type=result_type or activity_type,
                schedule_to_close_timeout=schedule_to_close_timeout,
                start_to_close_timeout=start_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                heartbeat_timeout=heartbeat_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                retry_policy=retry_policy,
                priority=priority,
                search_attributes=search_attributes,
                summary=summary,
                start_delay=start_delay,
                headers={},
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    @overload
    async def execute_activity(self, activity: CallableAsyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]) -> ReturnType: ...

    @overload
    async def execute_activity(self, activity: CallableSyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]) -> ReturnType: ...

    @overload
    async def execute_activity(
        self, activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self, activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self, activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self, activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        result_type: type | None = None,
        **options: Unpack[StartActivityOptions],
    ) -> Any: ...

    @signature_of(start_activity)
    async def execute_activity(self, activity: Any, arg: Any = _arg_unset, **options: Any) -> Any:
        """Start an activity without a workflow and wait for its result; see :meth:`start_activity` and :meth:`ActivityHandle.result`."""
        handle = await self.start_activity(activity, arg, **options)
        return await handle.result()

    @overload
    async def start_activity_class(
        self, activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self, activity: type[CallableSyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self, activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self, activity: type[CallableSyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self, activity: type[Callable[..., Awaitable[ReturnType]]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_class(
        self, activity: type[Callable[..., ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @signature_of(start_activity)
    async def start_activity_class(self, activity: Any, arg: Any = _arg_unset, **options: Any) -> ActivityHandle[Any]:
        """Start an activity that is a class with ``__call__``; see :meth:`start_activity`."""
        return await self.start_activity(cast(Any, activity), arg, **options)

    @overload
    async def execute_activity_class(
        self, activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self, activity: type[CallableSyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self, activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self, activity: type[CallableSyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self, activity: type[Callable[..., Awaitable[ReturnType]]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity_class(
        self, activity: type[Callable[..., ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @signature_of(start_activity)
    async def execute_activity_class(self, activity: Any, arg: Any = _arg_unset, **options: Any) -> Any:
        """Start an activity that is a class with ``__call__`` and wait for its result; see :meth:`execute_activity`."""
        return await self.execute_activity(cast(Any, activity), arg, **options)

    @overload
    async def start_activity_method(
        self, activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_method(
        self, activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @signature_of(start_activity)
    async def start_activity_method(self, activity: Any, arg: Any = _arg_unset, **options: Any) -> ActivityHandle[Any]:
        """Start an activity that is a method, given as ``TheClass.the_method``; see :meth:`start_activity`."""
        return await self.start_activity(cast(Any, activity), arg, **options)

    @overload
    async def execute_activity_method(
        self, activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity_method(
        self, activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...

    @signature_of(start_activity)
    async def execute_activity_method(self, activity: Any, arg: Any = _arg_unset, **options: Any) -> Any:
        """Start an activity that is a method, given as ``TheClass.the_method`` and wait for its result; see :meth:`execute_activity`."""
        return await self.execute_activity(cast(Any, activity), arg, **options)
