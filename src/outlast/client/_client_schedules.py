"""The client's methods that create and find schedules, and those for sets of compatible builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from outlast.client._client_base import ClientBase
from outlast.client._options import NO_METADATA
from outlast.client._schedule import Schedule, ScheduleHandle
from outlast.client._schedule_inputs import CreateScheduleInput, ListSchedulesInput
from outlast.client._schedule_list import ScheduleAsyncIterator
from outlast.client._schedule_policies import ScheduleBackfill
from outlast.client._worker_inputs import (
    GetWorkerBuildIdCompatibilityInput,
    GetWorkerTaskReachabilityInput,
    UpdateWorkerBuildIdCompatibilityInput,
)
from outlast.client._worker_versioning import BuildIdOp, TaskReachabilityType, WorkerBuildIdVersionSets, WorkerTaskReachability
from outlast.common import SearchAttributes, TypedSearchAttributes, _warn_on_deprecated_search_attributes

_NO_BACKFILL: Sequence[ScheduleBackfill] = []
_NO_QUEUES: Sequence[str] = []


class ClientSchedules(ClientBase):
    """Creates and finds schedules."""

    async def create_schedule(
        self,
        id: str,
        schedule: Schedule,
        *,
        trigger_immediately: bool = False,
        backfill: Sequence[ScheduleBackfill] = _NO_BACKFILL,
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleHandle:
        """Create a schedule.

        Args:
            id: Its id.
            schedule: What to do, and when.
            trigger_immediately: Whether to act at once, too.
            backfill: Times that have passed, for which to act now.
            memo: Values that are shown with the schedule, not with what it starts.
            search_attributes: Values that the schedule can be found by, not what it starts.
            rpc_metadata: Headers of the call; they win over the client's.
            rpc_timeout: How long the call may take.

        Raises:
            ScheduleAlreadyRunningError: There is a schedule of this id.
            ValueError: The schedule's limit of actions contradicts itself.
        """
        _warn_on_deprecated_search_attributes(search_attributes)
        return await self._impl.create_schedule(
            CreateScheduleInput(
                id=id,
                schedule=schedule,
                trigger_immediately=trigger_immediately,
                backfill=backfill,
                memo=memo,
                search_attributes=search_attributes,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    def get_schedule_handle(self, id: str) -> ScheduleHandle:
        """A schedule by its id, without asking the server."""
        return ScheduleHandle(self._whole, id)

    async def list_schedules(
        self,
        query: str | None = None,
        *,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleAsyncIterator:
        """The schedules that a query finds: to be awaited, and then run through with ``async for``. See :meth:`list_workflows`."""
        return self._impl.list_schedules(
            ListSchedulesInput(
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                query=query,
            )
        )

    async def update_worker_build_id_compatibility(
        self,
        task_queue: str,
        operation: BuildIdOp,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Change a task queue's sets of compatible builds. Deprecated by the server: version deployments instead."""
        await self._impl.update_worker_build_id_compatibility(
            UpdateWorkerBuildIdCompatibilityInput(task_queue, operation, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def get_worker_build_id_compatibility(
        self,
        task_queue: str,
        max_sets: int | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkerBuildIdVersionSets:
        """A task queue's sets of compatible builds, the last ``max_sets`` of them. Deprecated by the server."""
        return await self._impl.get_worker_build_id_compatibility(
            GetWorkerBuildIdCompatibilityInput(task_queue, max_sets, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def get_worker_task_reachability(
        self,
        build_ids: Sequence[str],
        task_queues: Sequence[str] = _NO_QUEUES,
        reachability_type: TaskReachabilityType | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkerTaskReachability:
        """Whether builds may still get tasks, of any kind or one, on all task queues or some. Deprecated by the server."""
        return await self._impl.get_worker_task_reachability(
            GetWorkerTaskReachabilityInput(build_ids, task_queues, reachability_type, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )
