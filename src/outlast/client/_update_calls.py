"""Calls about updates, alone and with a start."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.errordetails.v1 import MultiOperationExecutionFailure, WorkflowExecutionAlreadyStartedFailure
from temporalio.api.failure.v1 import MultiOperationExecutionAborted
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    ExecuteMultiOperationRequest,
    StartWorkflowExecutionResponse,
    UpdateWorkflowExecutionRequest,
    UpdateWorkflowExecutionResponse,
)

from outlast.client._caller import execution, new_id
from outlast.client._exceptions import WorkflowUpdateRPCTimeoutOrCancelledError
from outlast.client._update import GAVE_UP, WorkflowUpdateHandle, WorkflowUpdateStage
from outlast.client._workflow_calls import WorkflowCalls, already_started
from outlast.client._workflow_inputs import (
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
)
from outlast.service import RPCError, RPCStatusCode


class UpdateCalls(WorkflowCalls):
    """The calls about updates."""

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        """Send it until it is durable: accepted, at least."""
        request = await self._update_request(input, input.id, input.run_id, input.first_execution_run_id)
        try:
            while True:
                reply = await self._client.workflow_service.update_workflow_execution(
                    request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
                )
                if reply.stage >= WorkflowUpdateStage.ACCEPTED:
                    break
        except asyncio.CancelledError as error:
            raise WorkflowUpdateRPCTimeoutOrCancelledError from error
        except RPCError as error:
            if error.status in GAVE_UP:
                raise WorkflowUpdateRPCTimeoutOrCancelledError from error
            raise
        run_id = reply.update_ref.workflow_execution.run_id
        return await self._update_handle(request, reply, input.id, run_id, input)

    async def _update_handle(
        self,
        request: UpdateWorkflowExecutionRequest,
        reply: UpdateWorkflowExecutionResponse,
        workflow_id: str,
        run_id: str,
        input: StartWorkflowUpdateInput | UpdateWithStartUpdateWorkflowInput,
    ) -> WorkflowUpdateHandle[Any]:
        handle: WorkflowUpdateHandle[Any] = WorkflowUpdateHandle(
            self._client,
            request.request.meta.update_id,
            workflow_id,
            workflow_run_id=run_id,
            result_type=input.ret_type,
            known_outcome=reply.outcome if reply.HasField("outcome") else None,
        )
        if input.wait_for_stage == WorkflowUpdateStage.COMPLETED:
            await handle._poll_until_outcome()
        return handle

    async def _update_request(
        self,
        input: StartWorkflowUpdateInput | UpdateWithStartUpdateWorkflowInput,
        workflow_id: str,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> UpdateWorkflowExecutionRequest:
        request = UpdateWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=execution(workflow_id, run_id),
            first_execution_run_id=first_execution_run_id or "",
            request=Request(
                meta=Meta(update_id=input.update_id or new_id(), identity=self._client.identity),
                input=Input(name=input.update),
            ),
            wait_policy=WaitPolicy(lifecycle_stage=input.wait_for_stage.value),  # type: ignore[arg-type]
        )
        if input.args:
            request.request.input.args.payloads.extend(await self._converter_for(workflow_id).encode(input.args))
        if input.headers:
            await self._put_headers(input.headers, request.request.input.header.fields)
        return request

    async def start_update_with_start_workflow(self, input: StartWorkflowUpdateWithStartInput) -> WorkflowUpdateHandle[Any]:
        """Send both in one call, until the update is durable. Tells the input's callbacks how the start went, once."""
        start = _StartOutcome(input)
        try:
            return await self._update_with_start(input, start)
        except asyncio.CancelledError as error:
            gave_up = WorkflowUpdateRPCTimeoutOrCancelledError()
            start.failed(error)
            raise gave_up from error
        except RPCError as error:
            if error.status in GAVE_UP:
                start.failed(error)
                raise WorkflowUpdateRPCTimeoutOrCancelledError from error
            reason = _reason(error, input.start_workflow_input)
            start.failed(reason)
            if reason is error:
                raise
            raise reason from error

    async def _update_with_start(self, input: StartWorkflowUpdateWithStartInput, start: _StartOutcome) -> WorkflowUpdateHandle[Any]:
        workflow_id = input.start_workflow_input.id
        start_request = await self._start_request(input.start_workflow_input)
        update_request = await self._update_request(input.update_workflow_input, workflow_id)
        request = ExecuteMultiOperationRequest(
            namespace=self._client.namespace,
            operations=[
                ExecuteMultiOperationRequest.Operation(start_workflow=start_request),
                ExecuteMultiOperationRequest.Operation(update_workflow=update_request),
            ],
        )
        while True:
            reply = await self._client.workflow_service.execute_multi_operation(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
            started, updated = reply.responses[0].start_workflow, reply.responses[1].update_workflow
            start.succeeded(started)
            if updated.stage >= WorkflowUpdateStage.ACCEPTED:
                break
        return await self._update_handle(update_request, updated, workflow_id, started.run_id, input.update_workflow_input)


class _StartOutcome:
    """Tells the start's caller how it went, the first time that it is known."""

    def __init__(self, input: StartWorkflowUpdateWithStartInput) -> None:
        self._input = input
        self._told = False

    def succeeded(self, reply: StartWorkflowExecutionResponse) -> None:
        if not self._told:
            self._told = True
            self._input._on_start(reply)

    def failed(self, error: BaseException) -> None:
        if not self._told:
            self._told = True
            self._input._on_start_error(error)


def _reason(error: RPCError, input: UpdateWithStartStartWorkflowInput) -> Exception:
    """The failure of the one operation that made the other fail, too."""
    failure = MultiOperationExecutionFailure()
    if not (error.grpc_status.details and error.grpc_status.details[0].Unpack(failure)):
        return error
    for status in failure.statuses:
        aborted = status.details and status.details[0].Is(MultiOperationExecutionAborted.DESCRIPTOR)
        if status.code == RPCStatusCode.OK or aborted:
            continue
        details = WorkflowExecutionAlreadyStartedFailure()
        if status.code == RPCStatusCode.ALREADY_EXISTS and status.details and status.details[0].Unpack(details):
            return already_started(details, input)
        return RPCError(status.message, RPCStatusCode(status.code), error.raw_grpc_status)
    return error
