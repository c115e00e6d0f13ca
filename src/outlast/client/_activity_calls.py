"""Calls about activities that run without a workflow, and about those that are completed from outside their worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import ActivityType, Payloads
from temporalio.api.errordetails.v1 import ActivityExecutionAlreadyStartedFailure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountActivityExecutionsRequest,
    DescribeActivityExecutionRequest,
    PauseActivityExecutionRequest,
    RequestCancelActivityExecutionRequest,
    StartActivityExecutionRequest,
    TerminateActivityExecutionRequest,
    UnpauseActivityExecutionRequest,
    UpdateActivityExecutionOptionsRequest,
)

from outlast.client._activity import ActivityHandle, activity_context
from outlast.client._activity_executions import (
    ActivityExecutionAsyncIterator,
    ActivityExecutionCount,
    ActivityExecutionDescription,
)
from outlast.client._activity_inputs import (
    CancelActivityInput,
    CountActivitiesInput,
    DescribeActivityInput,
    ListActivitiesInput,
    PauseActivityInput,
    StartActivityInput,
    TerminateActivityInput,
    UnpauseActivityInput,
    UpdateActivityOptionsInput,
)
from outlast.client._activity_options import ActivityExecutionOptions, put_update, refuse_repeated
from outlast.client._caller import Caller, new_id
from outlast.client._helpers import duration, encoded_user_metadata
from outlast.converter import encode_search_attributes
from outlast.exceptions import ActivityAlreadyStartedError
from outlast.service import RPCError, RPCStatusCode


class ActivityCalls(Caller):
    """The calls about activities without a workflow."""

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        """Start it."""
        if not (input.start_to_close_timeout or input.schedule_to_close_timeout):
            raise ValueError("Activity must have start_to_close_timeout or schedule_to_close_timeout")
        if input.start_delay is not None and input.start_delay < timedelta(0):
            raise ValueError("start_delay must be non-negative")
        request = await self._start_activity_request(input)
        try:
            reply = await self._client.workflow_service.start_activity_execution(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
        except RPCError as error:
            details = ActivityExecutionAlreadyStartedFailure()
            if error.status is RPCStatusCode.ALREADY_EXISTS and any(each.Unpack(details) for each in error.grpc_status.details[:1]):
                raise ActivityAlreadyStartedError(input.id, input.activity_type, run_id=details.run_id) from error
            raise
        return ActivityHandle(self._client, input.id, run_id=reply.run_id, result_type=input.result_type)

    async def _start_activity_request(self, input: StartActivityInput) -> StartActivityExecutionRequest:
        client = self._client
        context = activity_context(client.namespace, input.id, input.activity_type, input.task_queue)
        converter = client.data_converter.with_context(context)
        request = StartActivityExecutionRequest(
            namespace=client.namespace,
            identity=client.identity,
            request_id=new_id(),
            activity_id=input.id,
            activity_type=ActivityType(name=input.activity_type),
            task_queue=TaskQueue(name=input.task_queue),
            id_reuse_policy=input.id_reuse_policy.value,  # type: ignore[arg-type]
            id_conflict_policy=input.id_conflict_policy.value,  # type: ignore[arg-type]
            schedule_to_close_timeout=duration(input.schedule_to_close_timeout),
            start_to_close_timeout=duration(input.start_to_close_timeout),
            schedule_to_start_timeout=duration(input.schedule_to_start_timeout),
            heartbeat_timeout=duration(input.heartbeat_timeout),
            start_delay=duration(input.start_delay),
            input=Payloads(payloads=await converter.encode(input.args)) if input.args else None,
            user_metadata=await encoded_user_metadata(converter, input.summary, None),
            priority=input.priority._to_proto(),
        )
        if input.retry_policy is not None:
            input.retry_policy.apply_to_proto(request.retry_policy)
        if input.search_attributes is not None:
            encode_search_attributes(input.search_attributes, request.search_attributes)
        if input.headers:
            await self._put_headers(input.headers, request.header.fields)
        return request

    async def cancel_activity(self, input: CancelActivityInput) -> None:
        """Ask it to stop."""
        await self._client.workflow_service.request_cancel_activity_execution(
            RequestCancelActivityExecutionRequest(
                namespace=self._client.namespace,
                activity_id=input.activity_id,
                run_id=input.activity_run_id or "",
                identity=self._client.identity,
                request_id=new_id(),
                reason=input.reason or "",
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def terminate_activity(self, input: TerminateActivityInput) -> None:
        """End it at once."""
        await self._client.workflow_service.terminate_activity_execution(
            TerminateActivityExecutionRequest(
                namespace=self._client.namespace,
                activity_id=input.activity_id,
                run_id=input.activity_run_id or "",
                identity=self._client.identity,
                request_id=new_id(),
                reason=input.reason or "",
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def pause_activity(self, input: PauseActivityInput) -> None:
        """Start no further attempt for now."""
        await self._client.workflow_service.pause_activity_execution(
            PauseActivityExecutionRequest(
                namespace=self._client.namespace,
                activity_id=input.activity_id,
                run_id=input.activity_run_id or "",
                identity=self._client.identity,
                request_id=new_id(),
                reason=input.reason or "",
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def unpause_activity(self, input: UnpauseActivityInput) -> None:
        """Let it go on."""
        await self._client.workflow_service.unpause_activity_execution(
            UnpauseActivityExecutionRequest(
                namespace=self._client.namespace,
                activity_id=input.activity_id,
                run_id=input.activity_run_id or "",
                identity=self._client.identity,
                request_id=new_id(),
                reason=input.reason or "",
                jitter=duration(input.jitter),
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def update_activity_options(self, input: UpdateActivityOptionsInput) -> ActivityExecutionOptions:
        """Change its options, or put the original ones back."""
        if input.restore_original and input.updates:
            raise ValueError("restore_original cannot be combined with individual option updates")
        # An interceptor may have added a change that is there already.
        refuse_repeated(input.updates)
        request = UpdateActivityExecutionOptionsRequest(
            namespace=self._client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
            identity=self._client.identity,
            request_id=new_id(),
            restore_original=input.restore_original,
        )
        for update in input.updates:
            put_update(update, request)
        reply = await self._client.workflow_service.update_activity_execution_options(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )
        return ActivityExecutionOptions._from_proto(reply.activity_options)

    async def describe_activity(self, input: DescribeActivityInput) -> ActivityExecutionDescription:
        """Describe it."""
        reply = await self._client.workflow_service.describe_activity_execution(
            DescribeActivityExecutionRequest(
                namespace=self._client.namespace,
                activity_id=input.activity_id,
                run_id=input.activity_run_id or "",
                include_input=input.include_input,
                include_outcome=input.include_outcome,
                include_heartbeat_details=input.include_heartbeat_details,
                include_last_failure=input.include_last_failure,
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        info, namespace = reply.info, self._client.namespace
        context = activity_context(namespace, info.activity_id, info.activity_type.name, info.task_queue)
        return ActivityExecutionDescription._from_resp(reply, namespace, self._client.data_converter.with_context(context))

    def list_activities(self, input: ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        """List activities."""
        return ActivityExecutionAsyncIterator(self._client, input)

    async def count_activities(self, input: CountActivitiesInput) -> ActivityExecutionCount:
        """Count activities."""
        return ActivityExecutionCount._from_raw(
            await self._client.workflow_service.count_activity_executions(
                CountActivityExecutionsRequest(namespace=self._client.namespace, query=input.query or ""),
                retry=True,
                metadata=input.rpc_metadata,
                timeout=input.rpc_timeout,
            )
        )
