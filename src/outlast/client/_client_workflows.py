"""The client's methods that start and find workflows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Concatenate, Unpack, overload

from outlast import workflow as workflows
from outlast.client._client_base import ClientBase
from outlast.client._executions import WorkflowExecutionAsyncIterator, WorkflowExecutionCount
from outlast.client._handle import WorkflowHandle
from outlast.client._options import NO_ARGS, NO_METADATA, StartWorkflowOptions, signature_of
from outlast.client._workflow_inputs import CountWorkflowsInput, ListWorkflowsInput, StartWorkflowInput
from outlast.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
    _arg_or_args,
    _arg_unset,
    _warn_on_deprecated_search_attributes,
)
from outlast.types import MethodAsyncNoParam, MethodAsyncSingleParam, MultiParamSpec, ParamType, ReturnType, SelfType


class ClientWorkflows(ClientBase):
    """Starts and finds workflows."""

    @overload
    async def start_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartWorkflowOptions]
    ) -> WorkflowHandle[SelfType, ReturnType]: ...

    @overload
    async def start_workflow(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[SelfType, ReturnType]: ...

    @overload
    async def start_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[SelfType, ReturnType]: ...

    @overload
    async def start_workflow(
        self,
        workflow: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        result_type: type | None = None,
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[Any, Any]: ...

    async def start_workflow(
        self,
        workflow: str | Callable[..., Awaitable[Any]],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        id: str,
        task_queue: str,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.UNSPECIFIED,
        retry_policy: RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        start_signal: str | None = None,
        start_signal_args: Sequence[Any] = NO_ARGS,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
        request_eager_start: bool = False,
        priority: Priority = Priority.default,
        versioning_override: VersioningOverride | None = None,
        stack_level: int = 2,
    ) -> WorkflowHandle[Any, Any]:
        """Start a workflow: its run method, or its name; its one argument, or ``args``; and options, see :class:`StartWorkflowOptions`.

        ``result_type`` is what to convert the result to, if the workflow is given by name.

        Raises WorkflowAlreadyStartedError if the options for ids rule it out, RPCError if the server cannot start it for another reason.
        """
        _warn_on_deprecated_search_attributes(search_attributes, stack_level=stack_level)
        name, run_type = workflows._Definition.get_name_and_result_type(workflow)
        return await self._impl.start_workflow(
            StartWorkflowInput(
                workflow=name,
                args=_arg_or_args(arg, args),
                id=id,
                task_queue=task_queue,
                execution_timeout=execution_timeout,
                run_timeout=run_timeout,
                task_timeout=task_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                retry_policy=retry_policy,
                cron_schedule=cron_schedule,
                memo=memo,
                search_attributes=search_attributes,
                start_delay=start_delay,
                headers={},
                start_signal=start_signal,
                start_signal_args=start_signal_args,
                static_summary=static_summary,
                static_details=static_details,
                ret_type=result_type or run_type,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                request_eager_start=request_eager_start,
                priority=priority,
                versioning_override=versioning_override,
            )
        )

    @overload
    async def execute_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartWorkflowOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_workflow(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartWorkflowOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartWorkflowOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_workflow(
        self,
        workflow: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        result_type: type | None = None,
        **options: Unpack[StartWorkflowOptions],
    ) -> Any: ...

    @signature_of(start_workflow, without="stack_level")
    async def execute_workflow(self, workflow: Any, arg: Any = _arg_unset, **options: Any) -> Any:
        """Start a workflow and wait for its result: :meth:`start_workflow` and :meth:`WorkflowHandle.result` in one."""
        handle = await self.start_workflow(workflow, arg, **{"stack_level": 3, **options})
        return await handle.result()

    def get_workflow_handle(
        self,
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """A workflow by its id, without asking the server. See :meth:`get_workflow_handle_for` for one with types.

        Args:
            workflow_id: Id of the workflow.
            run_id: The one run that calls are for; None: the current one.
            first_execution_run_id: The first of the line of runs that :meth:`WorkflowHandle.cancel` and ``terminate`` may touch.
            result_type: What to convert the result to.
        """
        return WorkflowHandle(
            self._whole,
            workflow_id,
            run_id=run_id,
            result_run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=result_type,
        )

    def get_workflow_handle_for(
        self,
        workflow: MethodAsyncNoParam[SelfType, ReturnType] | MethodAsyncSingleParam[SelfType, Any, ReturnType],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[SelfType, ReturnType]:
        """A workflow by its id, with the types of its run method; see :meth:`get_workflow_handle`."""
        definition = workflows._Definition.must_from_run_fn(workflow)
        return self.get_workflow_handle(
            workflow_id, run_id=run_id, first_execution_run_id=first_execution_run_id, result_type=definition.ret_type
        )

    def list_workflows(
        self,
        query: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionAsyncIterator:
        """The workflows that a query finds, one after the other. No call is made before the first is asked for.

        Args:
            query: A list filter, such as ``WorkflowType = 'Order' AND ExecutionStatus = 'Running'``. None: all.
            limit: Most workflows to give; None: all.
            page_size: Most workflows in a page.
            next_page_token: Where to begin, taken from another iterator.
            rpc_metadata: Headers of each call; they win over the client's.
            rpc_timeout: How long each call may take.
        """
        return self._impl.list_workflows(
            ListWorkflowsInput(
                query=query,
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )

    async def count_workflows(
        self,
        query: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionCount:
        """How many workflows a query finds; ``GROUP BY ExecutionStatus`` counts by status. See :meth:`list_workflows`."""
        return await self._impl.count_workflows(CountWorkflowsInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout))
