"""What the server tells of workflows: listed, described, counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self, overload

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsResponse,
    DescribeWorkflowExecutionResponse,
    ListWorkflowExecutionsRequest,
)

from outlast.client._helpers import decoded_user_metadata, time_of, utc
from outlast.client._history import WorkflowHistory, WorkflowHistoryEventFilterType
from outlast.client._options import NO_METADATA
from outlast.client._pages import Pages
from outlast.common import SearchAttributes, SearchAttributeValue, TypedSearchAttributes, _arg_unset
from outlast.converter import (
    DataConverter,
    WorkflowSerializationContext,
    decode_search_attributes,
    decode_typed_search_attributes,
)
from outlast.converter._search_attributes import _decode_search_attribute_value
from outlast.types import AnyType, ParamType

if TYPE_CHECKING:
    from outlast.client._client import Client
    from outlast.client._workflow_inputs import ListWorkflowsInput


class WorkflowExecutionStatus(IntEnum):
    """Where a run is in its life."""

    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    CONTINUED_AS_NEW = 6
    TIMED_OUT = 7
    PAUSED = 8


@dataclass
class WorkflowExecution:
    """One run of a workflow, as listed."""

    close_time: datetime | None
    """When it ended."""

    execution_time: datetime | None
    """When its first step was or will be due."""

    history_length: int
    """How many events it has."""

    id: str
    """Id of the workflow."""

    namespace: str
    """Where it runs."""

    parent_id: str | None
    """Id of the workflow that started it as a child."""

    parent_run_id: str | None
    """Run id of the workflow that started it as a child."""

    root_id: str | None
    """Id of the workflow that this one's line of parents ends with."""

    root_run_id: str | None
    """Run id of the workflow that this one's line of parents ends with."""

    raw_info: WorkflowExecutionInfo
    """All that the server told."""

    run_id: str
    """Id of the run."""

    search_attributes: SearchAttributes
    """Values that it can be found by, without their types. Deprecated: use :attr:`typed_search_attributes`."""

    start_time: datetime
    """When it was started."""

    status: WorkflowExecutionStatus | None
    """Where it is in its life."""

    task_queue: str
    """Task queue of the workers that run it."""

    typed_search_attributes: TypedSearchAttributes
    """Values that it can be found by."""

    workflow_type: str
    """Name of its type."""

    _context_free_data_converter: DataConverter

    @property
    def data_converter(self) -> DataConverter:
        """Converts this workflow's payloads."""
        return self._context_free_data_converter.with_context(WorkflowSerializationContext(namespace=self.namespace, workflow_id=self.id))

    @classmethod
    def _from_raw_info(cls, info: WorkflowExecutionInfo, namespace: str, converter: DataConverter, **additional_fields: Any) -> Self:
        parent = info.parent_execution if info.HasField("parent_execution") else None
        root = info.root_execution if info.HasField("root_execution") else None
        return cls(
            close_time=time_of(info, "close_time"),
            execution_time=time_of(info, "execution_time"),
            history_length=info.history_length,
            id=info.execution.workflow_id,
            namespace=namespace,
            parent_id=parent.workflow_id if parent else None,
            parent_run_id=parent.run_id if parent else None,
            root_id=root.workflow_id if root else None,
            root_run_id=root.run_id if root else None,
            raw_info=info,
            run_id=info.execution.run_id,
            search_attributes=decode_search_attributes(info.search_attributes),
            start_time=utc(info.start_time),
            status=WorkflowExecutionStatus(info.status) if info.status else None,
            task_queue=info.task_queue,
            typed_search_attributes=decode_typed_search_attributes(info.search_attributes),
            workflow_type=info.type.name,
            _context_free_data_converter=converter,
            **additional_fields,
        )

    async def memo(self) -> Mapping[str, Any]:
        """The memo, each value as it converts without a type: a dataclass comes as a dictionary. See :meth:`memo_value`."""
        return await self.data_converter._decode_memo(self.raw_info.memo)

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
        return await self.data_converter._decode_memo_field(self.raw_info.memo, key, default, type_hint)


@dataclass
class WorkflowExecutionDescription(WorkflowExecution):
    """One run of a workflow, as described."""

    raw_description: DescribeWorkflowExecutionResponse
    """All that the server told."""

    _static_summary: str | None = None
    _static_details: str | None = None
    _metadata_decoded: bool = False

    async def static_summary(self) -> str | None:
        """One line on what it is, for people; may be Markdown."""
        await self._decode_metadata()
        return self._static_summary

    async def static_details(self) -> str | None:
        """Some lines on what it is, for people; may be Markdown."""
        await self._decode_metadata()
        return self._static_details

    async def _decode_metadata(self) -> None:
        if not self._metadata_decoded:
            metadata = self.raw_description.execution_config.user_metadata
            self._static_summary, self._static_details = await decoded_user_metadata(self.data_converter, metadata)
            self._metadata_decoded = True


@dataclass
class WorkflowExecutionCount:
    """How many workflows a query found."""

    count: int
    """How many, roughly; with ``GROUP BY``, the sum of the groups."""

    groups: Sequence[WorkflowExecutionCountAggregationGroup]
    """The groups, if the query says ``GROUP BY``."""

    @staticmethod
    def _from_raw(raw: CountWorkflowExecutionsResponse) -> WorkflowExecutionCount:
        groups = [WorkflowExecutionCountAggregationGroup._from_raw(group) for group in raw.groups]
        return WorkflowExecutionCount(count=raw.count, groups=groups)


@dataclass
class WorkflowExecutionCountAggregationGroup:
    """How many workflows share these values."""

    count: int
    """How many, roughly."""

    group_values: Sequence[SearchAttributeValue]
    """What they share."""

    @staticmethod
    def _from_raw(raw: CountWorkflowExecutionsResponse.AggregationGroup) -> WorkflowExecutionCountAggregationGroup:
        values = [_decode_search_attribute_value(value) for value in raw.group_values]
        return WorkflowExecutionCountAggregationGroup(count=raw.count, group_values=values)


class WorkflowExecutionAsyncIterator(Pages[WorkflowExecution]):
    """The workflows that a query found, fetched page by page."""

    def __init__(self, client: Client, input: ListWorkflowsInput) -> None:
        """Made by :meth:`outlast.client.Client.list_workflows`."""
        super().__init__(input.next_page_token)
        self._client = client
        self._input = input
        self._limit = input.limit

    async def _fetch(self, page_size: int | None, token: bytes) -> tuple[Sequence[WorkflowExecution], bytes]:
        reply = await self._client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=self._client.namespace,
                page_size=self._within_limit(page_size or self._input.page_size),
                next_page_token=token,
                query=self._input.query or "",
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        client = self._client
        return [
            WorkflowExecution._from_raw_info(info, client.namespace, client.data_converter) for info in reply.executions
        ], reply.next_page_token

    async def map_histories(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> AsyncIterator[WorkflowHistory]:
        """The histories of the workflows that are still to come, one after the other, for a :class:`outlast.worker.Replayer`."""
        async for execution in self:
            handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
            yield await handle.fetch_history(
                event_filter_type=event_filter_type, skip_archival=skip_archival, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
