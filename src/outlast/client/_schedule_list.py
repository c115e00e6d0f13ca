"""Schedules, as listed."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import Memo
from temporalio.api.schedule import v1 as messages
from temporalio.api.workflowservice.v1 import ListSchedulesRequest

from outlast.client._helpers import utc
from outlast.client._pages import Pages
from outlast.client._schedule import HasMemo, ScheduleActionResult
from outlast.client._schedule_spec import ScheduleSpec
from outlast.common import SearchAttributes, TypedSearchAttributes
from outlast.converter import DataConverter, decode_search_attributes, decode_typed_search_attributes

if TYPE_CHECKING:
    from outlast.client._client import Client
    from outlast.client._schedule_inputs import ListSchedulesInput


@dataclass
class ScheduleListDescription(HasMemo):
    """A schedule, as listed."""

    id: str
    """Its id."""

    schedule: ScheduleListSchedule | None
    """What it is; not known right after it was created."""

    info: ScheduleListInfo | None
    """What it has done and will do; not known right after it was created."""

    typed_search_attributes: TypedSearchAttributes
    """Values that it can be found by."""

    search_attributes: SearchAttributes
    """Values that it can be found by, without their types. Deprecated: use :attr:`typed_search_attributes`."""

    data_converter: DataConverter
    """Converts its payloads."""

    raw_entry: messages.ScheduleListEntry
    """All that the server told."""

    @property
    def _memo(self) -> Memo:
        return self.raw_entry.memo

    @staticmethod
    def _from_proto(entry: messages.ScheduleListEntry, converter: DataConverter) -> ScheduleListDescription:
        is_known = entry.HasField("info")
        return ScheduleListDescription(
            id=entry.schedule_id,
            schedule=ScheduleListSchedule._from_proto(entry.info) if is_known else None,
            info=ScheduleListInfo._from_proto(entry.info) if is_known else None,
            typed_search_attributes=decode_typed_search_attributes(entry.search_attributes),
            search_attributes=decode_search_attributes(entry.search_attributes),
            data_converter=converter,
            raw_entry=entry,
        )


@dataclass
class ScheduleListSchedule:
    """What a listed schedule is."""

    action: ScheduleListAction
    """What it does."""

    spec: ScheduleSpec
    """When."""

    state: ScheduleListState
    """Whether it acts."""

    @staticmethod
    def _from_proto(info: messages.ScheduleListInfo) -> ScheduleListSchedule:
        if not info.HasField("workflow_type"):
            raise ValueError("Unknown action on schedule")
        return ScheduleListSchedule(
            action=ScheduleListActionStartWorkflow(workflow=info.workflow_type.name),
            spec=ScheduleSpec._from_proto(info.spec),
            state=ScheduleListState(note=info.notes or None, paused=info.paused),
        )


class ScheduleListAction(ABC):  # noqa: B024 (closed set of subclasses, below)
    """What a listed schedule does."""


@dataclass
class ScheduleListActionStartWorkflow(ScheduleListAction):
    """Starts a workflow."""

    workflow: str
    """Name of its type."""


@dataclass
class ScheduleListInfo:
    """What a listed schedule has done and will do."""

    recent_actions: Sequence[ScheduleActionResult]
    """The last five actions, oldest first."""

    next_action_times: Sequence[datetime]
    """The next five times."""

    @staticmethod
    def _from_proto(info: messages.ScheduleListInfo) -> ScheduleListInfo:
        return ScheduleListInfo(
            recent_actions=[ScheduleActionResult._from_proto(each) for each in info.recent_actions],
            next_action_times=[utc(time) for time in info.future_action_times],
        )


@dataclass
class ScheduleListState:
    """Whether a listed schedule acts."""

    note: str | None
    """Words for people."""

    paused: bool
    """It does not act now."""


class ScheduleAsyncIterator(Pages[ScheduleListDescription]):
    """The schedules that a query found, fetched page by page."""

    def __init__(self, client: Client, input: ListSchedulesInput) -> None:
        """Made by :meth:`outlast.client.Client.list_schedules`."""
        super().__init__(input.next_page_token)
        self._client = client
        self._input = input

    async def _fetch(self, page_size: int | None, token: bytes) -> tuple[Sequence[ScheduleListDescription], bytes]:
        reply = await self._client.workflow_service.list_schedules(
            ListSchedulesRequest(
                namespace=self._client.namespace,
                maximum_page_size=page_size or self._input.page_size,
                next_page_token=token,
                query=self._input.query or "",
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        return [ScheduleListDescription._from_proto(entry, self._client.data_converter) for entry in reply.schedules], reply.next_page_token
