"""Updates, as a workflow's handle sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, overload

from outlast import workflow
from outlast.client._options import NO_ARGS, NO_METADATA
from outlast.client._update import WorkflowUpdateHandle, WorkflowUpdateStage, refuse_admitted
from outlast.client._workflow_inputs import StartWorkflowUpdateInput
from outlast.common import _arg_or_args, _arg_unset
from outlast.types import LocalReturnType, MultiParamSpec, ParamType, SelfType

if TYPE_CHECKING:
    from outlast.client._client import Client


class WorkflowUpdates(Generic[SelfType]):
    """The part of a workflow's handle that sends updates."""

    _client: Client
    _id: str
    _run_id: str | None
    _first_execution_run_id: str | None

    @overload
    async def execute_update(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: MultiParamSpec.args,  # type: ignore[valid-type]
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any: ...

    async def execute_update(
        self,
        update: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Send the workflow an update and wait for its result; see :meth:`start_update`.

        Raises:
            WorkflowUpdateFailedError: The update was rejected or failed.
            WorkflowUpdateRPCTimeoutOrCancelledError: A call took too long, or the wait was cancelled; the update goes on.
        """
        handle = await self._start_update(
            update,
            arg,
            args=args,
            wait_for_stage=WorkflowUpdateStage.COMPLETED,
            id=id,
            result_type=result_type,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return await handle.result()

    @overload
    async def start_update(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: MultiParamSpec.args,  # type: ignore[valid-type]
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: str,
        arg: Any = _arg_unset,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]: ...

    async def start_update(
        self,
        update: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Send the workflow an update: a request that it can refuse, and that has a result. A worker must be there to take it.

        Args:
            update: The update method, or its name.
            arg: The one argument.
            wait_for_stage: How far the update must have come before this returns: accepted or completed.
            args: The arguments, if they are not one.
            id: Id of the update: one that the workflow has seen is not done again. None: a new one.
            result_type: What to convert the result to, if the update is given by name.
            rpc_metadata: Headers of the call; they win over the client's.
            rpc_timeout: How long the call may take.

        Raises:
            WorkflowUpdateRPCTimeoutOrCancelledError: The call took too long or was cancelled; the update goes on.
        """
        return await self._start_update(
            update,
            arg,
            wait_for_stage=wait_for_stage,
            args=args,
            id=id,
            result_type=result_type,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )

    async def _start_update(
        self,
        update: str | Callable[..., Any],
        arg: Any,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any],
        id: str | None,
        result_type: type | None,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> WorkflowUpdateHandle[Any]:
        refuse_admitted(wait_for_stage)
        name, update_type = workflow._UpdateDefinition.get_name_and_result_type(update)
        return await self._client._impl.start_workflow_update(
            StartWorkflowUpdateInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                update_id=id,
                update=name,
                args=_arg_or_args(arg, args),
                headers={},
                ret_type=result_type or update_type,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                wait_for_stage=wait_for_stage,
            )
        )

    def get_update_handle(
        self, id: str, *, workflow_run_id: str | None = None, result_type: type | None = None
    ) -> WorkflowUpdateHandle[Any]:
        """An update that was sent before, by its id. See :meth:`get_update_handle_for` for one with types.

        Args:
            id: Id of the update.
            workflow_run_id: The run that it was sent to; None: this handle's run.
            result_type: What to convert the result to.
        """
        return WorkflowUpdateHandle(self._client, id, self._id, workflow_run_id=workflow_run_id or self._run_id, result_type=result_type)

    def get_update_handle_for(
        self,
        update: workflow.UpdateMethodMultiParam[Any, LocalReturnType],
        id: str,
        *,
        workflow_run_id: str | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]:
        """An update that was sent before, by its id, with the types of its method.

        Args:
            update: The update method.
            id: Id of the update.
            workflow_run_id: The run that it was sent to; None: this handle's run.
        """
        return self.get_update_handle(id, workflow_run_id=workflow_run_id, result_type=update._defn.ret_type)
