"""The client's methods that send an update to a workflow, and start it if it does not run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, overload

from outlast import workflow
from outlast.client._client_base import ClientBase
from outlast.client._handle import WorkflowHandle
from outlast.client._options import NO_ARGS, NO_METADATA
from outlast.client._update import WorkflowUpdateHandle, WorkflowUpdateStage, refuse_admitted
from outlast.client._with_start import WithStartWorkflowOperation
from outlast.client._workflow_inputs import StartWorkflowUpdateWithStartInput, UpdateWithStartUpdateWorkflowInput
from outlast.common import _arg_or_args, _arg_unset
from outlast.types import LocalReturnType, MultiParamSpec, ParamType, SelfType

if TYPE_CHECKING:
    from temporalio.api.workflowservice.v1 import StartWorkflowExecutionResponse


class ClientUpdates(ClientBase):
    """Sends updates that start their workflow if need be."""

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: MultiParamSpec.args,  # type: ignore[valid-type]
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: str,
        arg: Any = _arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any: ...

    async def execute_update_with_start_workflow(
        self,
        update: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Send an update to a workflow, start the workflow if it does not run, and wait for the update's result.

        See :meth:`start_update_with_start_workflow`.

        Raises:
            WorkflowUpdateFailedError: The update was rejected or failed.
            WorkflowUpdateRPCTimeoutOrCancelledError: A call took too long, or the wait was cancelled; the update goes on.
        """
        handle = await self._start_update_with_start(
            update,
            arg,
            args=args,
            start_workflow_operation=start_workflow_operation,
            wait_for_stage=WorkflowUpdateStage.COMPLETED,
            id=id,
            result_type=result_type,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return await handle.result()

    @overload
    async def start_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: MultiParamSpec.args,  # type: ignore[valid-type]
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: str,
        arg: Any = _arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]: ...

    async def start_update_with_start_workflow(
        self,
        update: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Send an update to a workflow, and start the workflow if it does not run, in one step. A worker must be there to take it.

        Args:
            update: The update method, or its name.
            arg: The one argument of the update.
            start_workflow_operation: How to start the workflow; its ``id_conflict_policy`` says whether to use one that runs.
            wait_for_stage: How far the update must have come before this returns: accepted or completed.
            args: The arguments of the update, if they are not one.
            id: Id of the update: one that the workflow has seen is not done again. None: a new one.
            result_type: What to convert the result to, if the update is given by name.
            rpc_metadata: Headers of the call; they win over the client's.
            rpc_timeout: How long the call may take.

        Raises:
            WorkflowAlreadyStartedError: The workflow runs, and the policy says to fail.
            WorkflowUpdateRPCTimeoutOrCancelledError: The call took too long or was cancelled; what it did goes on.
            RuntimeError: The operation was used before.
        """
        return await self._start_update_with_start(
            update,
            arg,
            wait_for_stage=wait_for_stage,
            args=args,
            id=id,
            result_type=result_type,
            start_workflow_operation=start_workflow_operation,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )

    async def _start_update_with_start(
        self,
        update: str | Callable[..., Any],
        arg: Any,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any],
        id: str | None,
        result_type: type | None,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> WorkflowUpdateHandle[Any]:
        refuse_admitted(wait_for_stage)
        if start_workflow_operation._used:
            raise RuntimeError("WithStartWorkflowOperation cannot be reused")
        start_workflow_operation._used = True
        name, update_type = workflow._UpdateDefinition.get_name_and_result_type(update)
        start_input, started = start_workflow_operation._start_workflow_input, start_workflow_operation._workflow_handle

        def on_start(reply: StartWorkflowExecutionResponse) -> None:
            handle: WorkflowHandle[Any, Any] = WorkflowHandle(
                self._whole,
                start_input.id,
                first_execution_run_id=reply.first_execution_run_id or reply.run_id,
                result_run_id=reply.run_id,
                result_type=start_input.ret_type,
            )
            started.set_result(handle)

        def on_start_error(error: BaseException) -> None:
            started.set_exception(error)
            # The caller gets it from this call: it need not ask for the workflow's handle as well.
            started.exception()

        return await self._impl.start_update_with_start_workflow(
            StartWorkflowUpdateWithStartInput(
                start_workflow_input=start_input,
                update_workflow_input=UpdateWithStartUpdateWorkflowInput(
                    update_id=id,
                    update=name,
                    args=_arg_or_args(arg, args),
                    headers={},
                    ret_type=result_type or update_type,
                    wait_for_stage=wait_for_stage,
                ),
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                _on_start=on_start,
                _on_start_error=on_start_error,
            )
        )
