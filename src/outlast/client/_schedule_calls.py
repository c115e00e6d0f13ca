"""Calls about schedules, and about sets of compatible builds."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import timedelta

from temporalio.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleRequest,
    GetWorkerBuildIdCompatibilityRequest,
    GetWorkerTaskReachabilityRequest,
    PatchScheduleRequest,
    UpdateScheduleRequest,
)

from outlast.client._caller import Caller, new_id
from outlast.client._exceptions import ScheduleAlreadyRunningError
from outlast.client._schedule import ScheduleDescription, ScheduleHandle, ScheduleUpdateInput
from outlast.client._schedule_inputs import (
    BackfillScheduleInput,
    CreateScheduleInput,
    DeleteScheduleInput,
    DescribeScheduleInput,
    ListSchedulesInput,
    PauseScheduleInput,
    TriggerScheduleInput,
    UnpauseScheduleInput,
    UpdateScheduleInput,
)
from outlast.client._schedule_list import ScheduleAsyncIterator
from outlast.client._worker_inputs import (
    GetWorkerBuildIdCompatibilityInput,
    GetWorkerTaskReachabilityInput,
    UpdateWorkerBuildIdCompatibilityInput,
)
from outlast.client._worker_versioning import WorkerBuildIdVersionSets, WorkerTaskReachability
from outlast.converter import encode_search_attributes
from outlast.service import RPCError, RPCStatusCode

_Patching = BackfillScheduleInput | PauseScheduleInput | TriggerScheduleInput | UnpauseScheduleInput


class ScheduleCalls(Caller):
    """The calls about schedules."""

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        """Create it."""
        state = input.schedule.state
        if state.limited_actions and not state.remaining_actions:
            raise ValueError("Must set limited actions to false if there are no remaining actions set")
        if state.remaining_actions and not state.limited_actions:
            raise ValueError("Must set limited actions to true if there are remaining actions set")
        request = CreateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=input.id,
            schedule=await input.schedule._to_proto(self._client),
            initial_patch=_initial_patch(input),
            identity=self._client.identity,
            request_id=new_id(),
            memo=await self._client.data_converter._encode_memo(input.memo) if input.memo else None,
        )
        if input.search_attributes:
            encode_search_attributes(input.search_attributes, request.search_attributes)
        try:
            await self._client.workflow_service.create_schedule(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)
        except RPCError as error:
            if error.status is RPCStatusCode.ALREADY_EXISTS and any(
                each.Is(WorkflowExecutionAlreadyStartedFailure.DESCRIPTOR) for each in error.grpc_status.details[:1]
            ):
                raise ScheduleAlreadyRunningError from error
            raise
        return ScheduleHandle(self._client, input.id)

    def list_schedules(self, input: ListSchedulesInput) -> ScheduleAsyncIterator:
        """List schedules."""
        return ScheduleAsyncIterator(self._client, input)

    async def backfill_schedule(self, input: BackfillScheduleInput) -> None:
        """Act for times that have passed."""
        await self._patch(input, SchedulePatch(backfill_request=[each._to_proto() for each in input.backfills]))

    async def delete_schedule(self, input: DeleteScheduleInput) -> None:
        """Delete it."""
        await self._client.workflow_service.delete_schedule(
            DeleteScheduleRequest(namespace=self._client.namespace, schedule_id=input.id, identity=self._client.identity),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def describe_schedule(self, input: DescribeScheduleInput) -> ScheduleDescription:
        """Describe it."""
        return await self._describe(input.id, input.rpc_metadata, input.rpc_timeout)

    async def _describe(self, id: str, metadata: Mapping[str, str | bytes], timeout: timedelta | None) -> ScheduleDescription:
        reply = await self._client.workflow_service.describe_schedule(
            DescribeScheduleRequest(namespace=self._client.namespace, schedule_id=id), retry=True, metadata=metadata, timeout=timeout
        )
        return ScheduleDescription._from_proto(id, reply, self._client.data_converter)

    async def pause_schedule(self, input: PauseScheduleInput) -> None:
        """Pause it."""
        await self._patch(input, SchedulePatch(pause=input.note or "Paused via Python SDK"))

    async def trigger_schedule(self, input: TriggerScheduleInput) -> None:
        """Act now."""
        trigger = TriggerImmediatelyRequest(overlap_policy=input.overlap or 0)  # type: ignore[arg-type]
        await self._patch(input, SchedulePatch(trigger_immediately=trigger))

    async def unpause_schedule(self, input: UnpauseScheduleInput) -> None:
        """Let it go on."""
        await self._patch(input, SchedulePatch(unpause=input.note or "Unpaused via Python SDK"))

    async def _patch(self, input: _Patching, patch: SchedulePatch) -> None:
        await self._client.workflow_service.patch_schedule(
            PatchScheduleRequest(
                namespace=self._client.namespace,
                schedule_id=input.id,
                patch=patch,
                identity=self._client.identity,
                request_id=new_id(),
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def update_schedule(self, input: UpdateScheduleInput) -> None:
        """Describe it, have it changed, and write it back."""
        description = await self._describe(input.id, input.rpc_metadata, input.rpc_timeout)
        update = input.updater(ScheduleUpdateInput(description=description))
        if inspect.isawaitable(update):
            update = await update
        if not update:
            return
        request = UpdateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=input.id,
            schedule=await update.schedule._to_proto(self._client),
            identity=self._client.identity,
            request_id=new_id(),
        )
        if update.search_attributes is not None:
            # Present and empty means none; absent means as they are.
            request.search_attributes.SetInParent()
            encode_search_attributes(update.search_attributes, request.search_attributes)
        await self._client.workflow_service.update_schedule(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)


class WorkerVersioningCalls(Caller):
    """The calls about sets of compatible builds."""

    async def update_worker_build_id_compatibility(self, input: UpdateWorkerBuildIdCompatibilityInput) -> None:
        """Change the sets."""
        request = input.operation._as_partial_proto()
        request.namespace = self._client.namespace
        request.task_queue = input.task_queue
        await self._client.workflow_service.update_worker_build_id_compatibility(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def get_worker_build_id_compatibility(self, input: GetWorkerBuildIdCompatibilityInput) -> WorkerBuildIdVersionSets:
        """Read the sets."""
        request = GetWorkerBuildIdCompatibilityRequest(
            namespace=self._client.namespace, task_queue=input.task_queue, max_sets=input.max_sets or 0
        )
        reply = await self._client.workflow_service.get_worker_build_id_compatibility(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )
        return WorkerBuildIdVersionSets._from_proto(reply)

    async def get_worker_task_reachability(self, input: GetWorkerTaskReachabilityInput) -> WorkerTaskReachability:
        """Ask whether builds may still get tasks."""
        request = GetWorkerTaskReachabilityRequest(
            namespace=self._client.namespace,
            build_ids=input.build_ids,
            task_queues=input.task_queues,
            reachability=input.reachability.value if input.reachability else 0,  # type: ignore[arg-type]
        )
        reply = await self._client.workflow_service.get_worker_task_reachability(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )
        return WorkerTaskReachability._from_proto(reply)


def _initial_patch(input: CreateScheduleInput) -> SchedulePatch | None:
    if not (input.trigger_immediately or input.backfill):
        return None
    overlap = input.schedule.policy.overlap.value
    return SchedulePatch(
        trigger_immediately=TriggerImmediatelyRequest(overlap_policy=overlap) if input.trigger_immediately else None,  # type: ignore[arg-type]
        backfill_request=[each._to_proto() for each in input.backfill],
    )
