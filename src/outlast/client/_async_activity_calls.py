"""Calls about activities that are completed from outside their worker, by task token or by ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    RecordActivityTaskHeartbeatByIdRequest,
    RecordActivityTaskHeartbeatByIdResponse,
    RecordActivityTaskHeartbeatRequest,
    RecordActivityTaskHeartbeatResponse,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedByIdRequest,
    RespondActivityTaskFailedRequest,
)

from outlast.activity import ActivityCancellationDetails
from outlast.client._activity import AsyncActivityIDReference
from outlast.client._activity_inputs import (
    CompleteAsyncActivityInput,
    FailAsyncActivityInput,
    HeartbeatAsyncActivityInput,
    ReportCancellationAsyncActivityInput,
)
from outlast.client._caller import Caller
from outlast.client._exceptions import AsyncActivityCancelledError
from outlast.common import _arg_unset
from outlast.converter import DataConverter

_Input = HeartbeatAsyncActivityInput | CompleteAsyncActivityInput | FailAsyncActivityInput | ReportCancellationAsyncActivityInput


class AsyncActivityCalls(Caller):
    """The calls about activities that are completed from outside their worker."""

    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:
        """Report progress, and hear whether to stop."""
        service = self._client.workflow_service
        details = await _encoded(self._converter(input), input.details)
        reply: RecordActivityTaskHeartbeatResponse | RecordActivityTaskHeartbeatByIdResponse
        if isinstance(input.id_or_token, bytes):
            request = RecordActivityTaskHeartbeatRequest(task_token=input.id_or_token, details=details, **self._whose())
            reply = await service.record_activity_task_heartbeat(request, **_options(input))
        else:
            by_id = RecordActivityTaskHeartbeatByIdRequest(details=details, **_ids(input.id_or_token), **self._whose())
            reply = await service.record_activity_task_heartbeat_by_id(by_id, **_options(input))
        if reply.cancel_requested or reply.activity_paused or reply.activity_reset:
            raise AsyncActivityCancelledError(
                ActivityCancellationDetails(
                    cancel_requested=reply.cancel_requested, paused=reply.activity_paused, reset=reply.activity_reset
                )
            )

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
        """Complete it."""
        service = self._client.workflow_service
        result = await _encoded(self._converter(input), () if input.result is _arg_unset else (input.result,))
        if isinstance(input.id_or_token, bytes):
            request = RespondActivityTaskCompletedRequest(task_token=input.id_or_token, result=result, **self._whose())
            await service.respond_activity_task_completed(request, **_options(input))
        else:
            by_id = RespondActivityTaskCompletedByIdRequest(result=result, **_ids(input.id_or_token), **self._whose())
            await service.respond_activity_task_completed_by_id(by_id, **_options(input))

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:
        """Fail the attempt."""
        service = self._client.workflow_service
        converter, failure = self._converter(input), Failure()
        await converter.encode_failure(input.error, failure)
        last = await _encoded(converter, input.last_heartbeat_details)
        if isinstance(input.id_or_token, bytes):
            request = RespondActivityTaskFailedRequest(
                task_token=input.id_or_token, failure=failure, last_heartbeat_details=last, **self._whose()
            )
            await service.respond_activity_task_failed(request, **_options(input))
        else:
            by_id = RespondActivityTaskFailedByIdRequest(
                failure=failure, last_heartbeat_details=last, **_ids(input.id_or_token), **self._whose()
            )
            await service.respond_activity_task_failed_by_id(by_id, **_options(input))

    async def report_cancellation_async_activity(self, input: ReportCancellationAsyncActivityInput) -> None:
        """Say that it has stopped as it was asked to."""
        service = self._client.workflow_service
        details = await _encoded(self._converter(input), input.details)
        if isinstance(input.id_or_token, bytes):
            request = RespondActivityTaskCanceledRequest(task_token=input.id_or_token, details=details, **self._whose())
            await service.respond_activity_task_canceled(request, **_options(input))
        else:
            by_id = RespondActivityTaskCanceledByIdRequest(details=details, **_ids(input.id_or_token), **self._whose())
            await service.respond_activity_task_canceled_by_id(by_id, **_options(input))

    def _converter(self, input: _Input) -> DataConverter:
        return input.data_converter_override or self._client.data_converter

    def _whose(self) -> dict[str, Any]:
        return {"namespace": self._client.namespace, "identity": self._client.identity}


async def _encoded(converter: DataConverter, values: Sequence[Any]) -> Payloads | None:
    return await converter.encode_wrapper(values) if values else None


def _ids(reference: AsyncActivityIDReference) -> dict[str, Any]:
    return {
        "workflow_id": reference.workflow_id or "",
        "run_id": reference.run_id or "",
        "activity_id": reference.activity_id,
    }


def _options(input: _Input) -> dict[str, Any]:
    return {"retry": True, "metadata": input.rpc_metadata, "timeout": input.rpc_timeout}
