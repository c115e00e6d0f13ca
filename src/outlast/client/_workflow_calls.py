"""Calls about workflows: start, signal, query, cancel, terminate, describe, list, count."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeWorkflowExecutionRequest,
    QueryWorkflowRequest,
    RequestCancelWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
    TerminateWorkflowExecutionRequest,
)

from outlast.client._caller import Caller, execution, new_id
from outlast.client._exceptions import WorkflowQueryFailedError, WorkflowQueryRejectedError
from outlast.client._executions import (
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from outlast.client._handle import WorkflowHandle
from outlast.client._helpers import encoded_user_metadata, single_result
from outlast.client._history import WorkflowHistoryEventAsyncIterator
from outlast.client._workflow_inputs import (
    CancelWorkflowInput,
    CountWorkflowsInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    ListWorkflowsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    TerminateWorkflowInput,
    UpdateWithStartStartWorkflowInput,
)
from outlast.converter import DataConverter, encode_search_attributes
from outlast.exceptions import WorkflowAlreadyStartedError
from outlast.service import RPCError, RPCStatusCode

StartRequest = StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest


class WorkflowCalls(Caller):
    """The calls about workflows."""

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Start it, with a signal if the input has one."""
        try:
            return await (self._start(input) if input.start_signal is None else self._signal_with_start(input))
        except RPCError as error:
            raise_if_started(error, input)
            raise

    async def _start(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        request = await self._start_request(input)
        reply = await (self._send_eagerly(request, input) if input.request_eager_start else self._send(request, input))
        handle: WorkflowHandle[Any, Any] = WorkflowHandle(
            self._client,
            input.id,
            result_run_id=reply.run_id,
            first_execution_run_id=reply.first_execution_run_id or reply.run_id,
            result_type=input.ret_type,
            start_workflow_response=reply,
        )
        setattr(handle, "__temporal_eagerly_started", reply.HasField("eager_workflow_task"))
        return handle

    async def _send(self, request: StartWorkflowExecutionRequest, input: StartWorkflowInput) -> StartWorkflowExecutionResponse:
        return await self._client.workflow_service.start_workflow_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def _send_eagerly(self, request: StartWorkflowExecutionRequest, input: StartWorkflowInput) -> StartWorkflowExecutionResponse:
        """Have a worker of this client take the first task with the reply, if one has room for it now."""
        slot = self._client.service_client.eager_workers.reserve(request.namespace, input.task_queue)
        if slot is None:
            return await self._send(request, input)
        request.request_eager_execution = True
        if slot.deployment_options is not None:
            request.eager_worker_deployment_options.CopyFrom(slot.deployment_options)
        try:
            reply = await self._send(request, input)
        except BaseException:
            slot.release()
            raise
        if reply.HasField("eager_workflow_task"):
            slot.accept(reply.eager_workflow_task)
        else:
            slot.release()
        return reply

    async def _signal_with_start(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        converter = self._converter_for(input.id)
        request = SignalWithStartWorkflowExecutionRequest(
            signal_name=input.start_signal or "",
            signal_input=Payloads(payloads=await converter.encode(input.start_signal_args)) if input.start_signal_args else None,
        )
        await self._fill(request, input, converter)
        reply = await self._client.workflow_service.signal_with_start_workflow_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )
        return WorkflowHandle(
            self._client,
            input.id,
            result_run_id=reply.run_id,
            first_execution_run_id=reply.first_execution_run_id or (reply.run_id if reply.started else None),
            result_type=input.ret_type,
            start_workflow_response=reply,
        )

    async def _start_request(self, input: StartWorkflowInput | UpdateWithStartStartWorkflowInput) -> StartWorkflowExecutionRequest:
        request = StartWorkflowExecutionRequest()
        await self._fill(request, input, self._converter_for(input.id))
        return request

    async def _fill(
        self, request: StartRequest, input: StartWorkflowInput | UpdateWithStartStartWorkflowInput, converter: DataConverter
    ) -> None:
        client = self._client
        request.namespace = client.namespace
        request.workflow_id = input.id
        request.workflow_type.name = input.workflow
        request.task_queue.name = input.task_queue
        if input.args:
            request.input.payloads.extend(await converter.encode(input.args))
        request.identity = client.identity
        request.request_id = new_id()
        request.workflow_id_reuse_policy = input.id_reuse_policy.value  # type: ignore[assignment]
        request.workflow_id_conflict_policy = input.id_conflict_policy.value  # type: ignore[assignment]
        request.priority.CopyFrom(input.priority._to_proto())
        await self._fill_what_is_rare(request, input, converter)

    async def _fill_what_is_rare(
        self, request: StartRequest, input: StartWorkflowInput | UpdateWithStartStartWorkflowInput, converter: DataConverter
    ) -> None:
        if input.execution_timeout is not None:
            request.workflow_execution_timeout.FromTimedelta(input.execution_timeout)
        if input.run_timeout is not None:
            request.workflow_run_timeout.FromTimedelta(input.run_timeout)
        if input.task_timeout is not None:
            request.workflow_task_timeout.FromTimedelta(input.task_timeout)
        if input.retry_policy is not None:
            input.retry_policy.apply_to_proto(request.retry_policy)
        if input.cron_schedule:
            request.cron_schedule = input.cron_schedule
        if input.memo is not None:
            await converter._encode_memo_existing(input.memo, request.memo)
        if input.search_attributes is not None:
            encode_search_attributes(input.search_attributes, request.search_attributes)
        metadata = await encoded_user_metadata(converter, input.static_summary, input.static_details)
        if metadata is not None:
            request.user_metadata.CopyFrom(metadata)
        if input.start_delay is not None:
            request.workflow_start_delay.FromTimedelta(input.start_delay)
        if input.headers:
            await self._put_headers(input.headers, request.header.fields)
        if input.versioning_override is not None:
            request.versioning_override.CopyFrom(input.versioning_override._to_proto())
        if input.time_skipping_config is not None:
            request.time_skipping_config.CopyFrom(input.time_skipping_config)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        """Ask it to stop."""
        await self._client.workflow_service.request_cancel_workflow_execution(
            RequestCancelWorkflowExecutionRequest(
                namespace=self._client.namespace,
                workflow_execution=execution(input.id, input.run_id),
                identity=self._client.identity,
                request_id=new_id(),
                first_execution_run_id=input.first_execution_run_id or "",
                reason=input.reason,
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        """End it at once."""
        details = Payloads(payloads=await self._converter_for(input.id).encode(input.args)) if input.args else None
        await self._client.workflow_service.terminate_workflow_execution(
            TerminateWorkflowExecutionRequest(
                namespace=self._client.namespace,
                workflow_execution=execution(input.id, input.run_id),
                reason=input.reason or "",
                details=details,
                identity=self._client.identity,
                first_execution_run_id=input.first_execution_run_id or "",
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        """Send it a signal."""
        request = SignalWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=execution(input.id, input.run_id),
            signal_name=input.signal,
            input=Payloads(payloads=await self._converter_for(input.id).encode(input.args)) if input.args else None,
            identity=self._client.identity,
            request_id=new_id(),
        )
        if input.headers:
            await self._put_headers(input.headers, request.header.fields)
        await self._client.workflow_service.signal_workflow_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        """Ask it, and convert the answer."""
        converter = self._converter_for(input.id)
        request = QueryWorkflowRequest(
            namespace=self._client.namespace,
            execution=execution(input.id, input.run_id),
            query=WorkflowQuery(
                query_type=input.query,
                query_args=Payloads(payloads=await converter.encode(input.args)) if input.args else None,
            ),
            query_reject_condition=input.reject_condition or 0,  # type: ignore[arg-type]
        )
        if input.headers:
            await self._put_headers(input.headers, request.query.header.fields)
        try:
            reply = await self._client.workflow_service.query_workflow(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                raise WorkflowQueryFailedError(error.message) from error
            raise
        if reply.HasField("query_rejected"):
            status = reply.query_rejected.status
            raise WorkflowQueryRejectedError(WorkflowExecutionStatus(status) if status else None)
        return await single_result(converter, reply.query_result, input.ret_type, "query result")

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        """Describe it."""
        reply = await self._client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=self._client.namespace, execution=execution(input.id, input.run_id)),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        return WorkflowExecutionDescription._from_raw_info(
            reply.workflow_execution_info, self._client.namespace, self._client.data_converter, raw_description=reply
        )

    def fetch_workflow_history_events(self, input: FetchWorkflowHistoryEventsInput) -> WorkflowHistoryEventAsyncIterator:
        """Read its history."""
        return WorkflowHistoryEventAsyncIterator(self._client, input)

    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        """List workflows."""
        return WorkflowExecutionAsyncIterator(self._client, input)

    async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
        """Count workflows."""
        return WorkflowExecutionCount._from_raw(
            await self._client.workflow_service.count_workflow_executions(
                CountWorkflowExecutionsRequest(namespace=self._client.namespace, query=input.query or ""),
                retry=True,
                metadata=input.rpc_metadata,
                timeout=input.rpc_timeout,
            )
        )


def raise_if_started(error: RPCError, input: StartWorkflowInput | UpdateWithStartStartWorkflowInput) -> None:
    """Raise WorkflowAlreadyStartedError if the server's error says so."""
    if error.status is RPCStatusCode.ALREADY_EXISTS and error.grpc_status.details:
        details = WorkflowExecutionAlreadyStartedFailure()
        if error.grpc_status.details[0].Unpack(details):
            raise already_started(details, input) from error


def already_started(
    details: WorkflowExecutionAlreadyStartedFailure, input: StartWorkflowInput | UpdateWithStartStartWorkflowInput
) -> WorkflowAlreadyStartedError:
    """The error that the details stand for."""
    return WorkflowAlreadyStartedError(input.id, input.workflow, run_id=details.run_id, first_run_id=details.first_execution_run_id or None)
