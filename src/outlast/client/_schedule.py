"""Schedules: what they are, what the server tells of them, and what can be asked of them."""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, overload

from temporalio.api.common.v1 import Memo, WorkflowExecution
from temporalio.api.schedule import v1 as messages
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse

from outlast.client._helpers import time_of, utc
from outlast.client._options import NO_METADATA
from outlast.client._schedule_action import ScheduleAction
from outlast.client._schedule_inputs import (
    BackfillScheduleInput,
    DeleteScheduleInput,
    DescribeScheduleInput,
    PauseScheduleInput,
    TriggerScheduleInput,
    UnpauseScheduleInput,
    UpdateScheduleInput,
)
from outlast.client._schedule_policies import ScheduleBackfill, ScheduleOverlapPolicy, SchedulePolicy, ScheduleState
from outlast.client._schedule_spec import ScheduleSpec
from outlast.common import SearchAttributes, TypedSearchAttributes, _arg_unset
from outlast.converter import DataConverter, decode_search_attributes, decode_typed_search_attributes
from outlast.types import AnyType, ParamType

if TYPE_CHECKING:
    from outlast.client._client import Client


@dataclass
class Schedule:
    """Something to do again and again."""

    action: ScheduleAction
    """What to do."""

    spec: ScheduleSpec
    """When."""

    policy: SchedulePolicy = dataclasses.field(default_factory=SchedulePolicy)
    """What to do when things do not go by the clock."""

    state: ScheduleState = dataclasses.field(default_factory=ScheduleState)
    """Whether it acts."""

    @staticmethod
    def _from_proto(sched: messages.Schedule) -> Schedule:
        return Schedule(
            action=ScheduleAction._from_proto(sched.action),
            spec=ScheduleSpec._from_proto(sched.spec),
            policy=SchedulePolicy._from_proto(sched.policies),
            state=ScheduleState._from_proto(sched.state),
        )

    async def _to_proto(self, client: Client) -> messages.Schedule:
        return messages.Schedule(
            spec=self.spec._to_proto(),
            action=await self.action._to_proto(client),
            policies=self.policy._to_proto(),
            state=self.state._to_proto(),
        )


class HasMemo(ABC):
    """A schedule's memo, read from what the server told."""

    data_converter: DataConverter

    @property
    def _memo(self) -> Memo:
        raise NotImplementedError

    async def memo(self) -> Mapping[str, Any]:
        """The memo, each value as it converts without a type: a dataclass comes as a dictionary. See :meth:`memo_value`."""
        return await self.data_converter._decode_memo(self._memo)

    @overload
    async def memo_value(self, key: str, default: Any = _arg_unset) -> Any: ...

    @overload
    async def memo_value(self, key: str, *, type_hint: type[ParamType]) -> ParamType: ...

    @overload
    async def memo_value(self, key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...

    async def memo_value(self, key: str, default: Any = _arg_unset, *, type_hint: type | None = None) -> Any:
        """One value of the memo, converted to a type if one is given.

        Raises KeyError if it is not there and no default is given.
        """
        return await self.data_converter._decode_memo_field(self._memo, key, default, type_hint)


@dataclass
class ScheduleDescription(HasMemo):
    """A schedule, as described."""

    id: str
    """Its id."""

    schedule: Schedule
    """What it is: change it and give it to :meth:`ScheduleHandle.update`."""

    info: ScheduleInfo
    """What it has done and will do."""

    typed_search_attributes: TypedSearchAttributes
    """Values that it can be found by."""

    search_attributes: SearchAttributes
    """Values that it can be found by, without their types. Deprecated: use :attr:`typed_search_attributes`."""

    data_converter: DataConverter
    """Converts its payloads."""

    raw_description: DescribeScheduleResponse
    """All that the server told."""

    @property
    def _memo(self) -> Memo:
        return self.raw_description.memo

    @staticmethod
    def _from_proto(id: str, desc: DescribeScheduleResponse, converter: DataConverter) -> ScheduleDescription:
        return ScheduleDescription(
            id=id,
            schedule=Schedule._from_proto(desc.schedule),
            info=ScheduleInfo._from_proto(desc.info),
            typed_search_attributes=decode_typed_search_attributes(desc.search_attributes),
            search_attributes=decode_search_attributes(desc.search_attributes),
            data_converter=converter,
            raw_description=desc,
        )


@dataclass
class ScheduleInfo:
    """What a schedule has done and will do."""

    num_actions: int
    """How often it has acted."""

    num_actions_missed_catchup_window: int
    """How often it would have acted too late."""

    num_actions_skipped_overlap: int
    """How often it did not act because the last action still ran."""

    running_actions: Sequence[ScheduleActionExecution]
    """What runs now."""

    recent_actions: Sequence[ScheduleActionResult]
    """The last ten actions, oldest first."""

    next_action_times: Sequence[datetime]
    """The next ten times."""

    created_at: datetime
    """When it was created."""

    last_updated_at: datetime | None
    """When it was changed."""

    @staticmethod
    def _from_proto(info: messages.ScheduleInfo) -> ScheduleInfo:
        return ScheduleInfo(
            num_actions=info.action_count,
            num_actions_missed_catchup_window=info.missed_catchup_window,
            num_actions_skipped_overlap=info.overlap_skipped,
            running_actions=[ScheduleActionExecutionStartWorkflow._from_proto(each) for each in info.running_workflows],
            recent_actions=[ScheduleActionResult._from_proto(each) for each in info.recent_actions],
            next_action_times=[utc(time) for time in info.future_action_times],
            created_at=utc(info.create_time),
            last_updated_at=time_of(info, "update_time"),
        )


class ScheduleActionExecution(ABC):  # noqa: B024 (closed set of subclasses, below)
    """What an action led to."""


@dataclass
class ScheduleActionExecutionStartWorkflow(ScheduleActionExecution):
    """A workflow was started."""

    workflow_id: str
    """Its id."""

    first_execution_run_id: str
    """Id of its first run."""

    @staticmethod
    def _from_proto(exec: WorkflowExecution) -> ScheduleActionExecutionStartWorkflow:
        return ScheduleActionExecutionStartWorkflow(workflow_id=exec.workflow_id, first_execution_run_id=exec.run_id)


@dataclass
class ScheduleActionResult:
    """An action that was taken."""

    scheduled_at: datetime
    """When it was due, random delay included."""

    started_at: datetime
    """When it was taken."""

    action: ScheduleActionExecution
    """What it led to."""

    @staticmethod
    def _from_proto(res: messages.ScheduleActionResult) -> ScheduleActionResult:
        return ScheduleActionResult(
            scheduled_at=utc(res.schedule_time),
            started_at=utc(res.actual_time),
            action=ScheduleActionExecutionStartWorkflow._from_proto(res.start_workflow_result),
        )


@dataclass
class ScheduleUpdateInput:
    """What the function given to :meth:`ScheduleHandle.update` gets."""

    description: ScheduleDescription
    """The schedule as it is."""


@dataclass
class ScheduleUpdate:
    """What the function given to :meth:`ScheduleHandle.update` returns."""

    schedule: Schedule
    """The schedule as it shall be."""

    search_attributes: TypedSearchAttributes | None = None
    """Values that it shall be found by. None: as they are; empty: none."""


Updater = Callable[[ScheduleUpdateInput], ScheduleUpdate | Awaitable[ScheduleUpdate | None] | None]


class ScheduleHandle:
    """A schedule from the outside.

    Comes from :meth:`outlast.client.Client.create_schedule` and :meth:`outlast.client.Client.get_schedule_handle`. All calls take
    ``rpc_metadata``, headers that win over the client's, and ``rpc_timeout``, how long the call may take; all raise
    :class:`outlast.service.RPCError` if the server refuses or cannot be reached.
    """

    id: str
    """Id of the schedule."""

    def __init__(self, client: Client, id: str) -> None:
        """Made by the client."""
        self._client = client
        self.id = id

    async def backfill(
        self, *backfill: ScheduleBackfill, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Act now for the times in these spans. Raises ValueError if there are none."""
        if not backfill:
            raise ValueError("At least one backfill required")
        await self._client._impl.backfill_schedule(
            BackfillScheduleInput(id=self.id, backfills=backfill, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def delete(self, *, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None) -> None:
        """Delete the schedule. What it started goes on."""
        await self._client._impl.delete_schedule(DeleteScheduleInput(id=self.id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout))

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> ScheduleDescription:
        """What the server knows of the schedule."""
        return await self._client._impl.describe_schedule(
            DescribeScheduleInput(id=self.id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def pause(
        self, *, note: str | None = None, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Act no more until :meth:`unpause`. The note replaces the schedule's."""
        await self._client._impl.pause_schedule(
            PauseScheduleInput(id=self.id, note=note, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def trigger(
        self,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Act now. ``overlap`` says what to do when the last action still runs; None: what the schedule says."""
        await self._client._impl.trigger_schedule(
            TriggerScheduleInput(id=self.id, overlap=overlap, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def unpause(
        self, *, note: str | None = None, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Act again. The note replaces the schedule's."""
        await self._client._impl.unpause_schedule(
            UnpauseScheduleInput(id=self.id, note=note, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    @overload
    async def update(
        self,
        updater: Callable[[ScheduleUpdateInput], ScheduleUpdate | None],
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...

    @overload
    async def update(
        self,
        updater: Callable[[ScheduleUpdateInput], Awaitable[ScheduleUpdate | None]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...

    async def update(
        self,
        updater: Updater,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Change the schedule: the function, async or not, gets it as it is and returns it as it shall be, or None to leave it.

        What somebody else changes between the two is lost.
        """
        await self._client._impl.update_schedule(
            UpdateScheduleInput(id=self.id, updater=updater, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )
