"""Calls that list and count workflows (platform.md 4.5)."""

import asyncio
from collections.abc import Sequence

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import IndexedValueType as Kind
from temporalio.api.enums.v1 import WorkflowExecutionStatus as Status
from temporalio.api.filter.v1 import StartTimeFilter
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    CountWorkflowExecutionsResponse,
    GetSearchAttributesRequest,
    GetSearchAttributesResponse,
    ListArchivedWorkflowExecutionsRequest,
    ListArchivedWorkflowExecutionsResponse,
    ListClosedWorkflowExecutionsRequest,
    ListClosedWorkflowExecutionsResponse,
    ListOpenWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsResponse,
    ListWorkflowExecutionsRequest,
    ListWorkflowExecutionsResponse,
    ScanWorkflowExecutionsRequest,
    ScanWorkflowExecutionsResponse,
)

from outlast.engine.moments import clamped, text_of
from outlast.engine.refusals import InvalidArgument
from outlast.engine.search_attributes import COLUMNS, PREDEFINED, SYSTEM, Value
from outlast.engine.triggers import NamespaceView
from outlast.engine.wire import moment
from outlast.server.frontend.calls import Call
from outlast.server.frontend.describe import listed_execution
from outlast.server.frontend.limits import PAGE_SIZE_MAX, QUERY_CHARACTERS_AT_ONCE
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.store.filters import And, Between, Compare, Filter, VisibilityQuery
from outlast.server.store.protocol import Store
from outlast.server.visibility.grammar import parser_is_loaded
from outlast.server.visibility.limits import GROUPS_MAX
from outlast.server.visibility.literals import status_name
from outlast.server.visibility.names import Named
from outlast.server.visibility.query import DIVISION, OF_WORKFLOWS, ListQuery, list_query
from outlast.server.visibility.refusal import invalid, unsupported

Shown = tuple[list[WorkflowExecutionInfo], bytes]
"""A page, and the token of the next."""


class VisibilityCalls:
    def __init__(self, store: Store, namespaces: NamespaceRegistry) -> None:
        self._store = store
        self._namespaces = namespaces

    async def list(self, request: ListWorkflowExecutionsRequest, call: Call) -> ListWorkflowExecutionsResponse:
        executions, token = await self._queried(request)
        return ListWorkflowExecutionsResponse(executions=executions, next_page_token=token)

    async def scan(self, request: ScanWorkflowExecutionsRequest, call: Call) -> ScanWorkflowExecutionsResponse:
        executions, token = await self._queried(request)
        return ScanWorkflowExecutionsResponse(executions=executions, next_page_token=token)

    async def count(self, request: CountWorkflowExecutionsRequest, call: Call) -> CountWorkflowExecutionsResponse:
        namespace = self._namespaces.find(request.namespace)
        query = await _understood(request.query, namespace)
        if query.order:
            raise unsupported("'ORDER BY' clause")
        reply = CountWorkflowExecutionsResponse(count=await self._store.count_visibility(namespace.id, query.where))
        if query.group_by is not None:
            groups = await self._store.group_visibility(namespace.id, query.where, query.group_by.attribute, GROUPS_MAX)
            for group in groups:
                reply.groups.add(group_values=[_payload(query.group_by, group.value)], count=group.count)
        return reply

    async def list_open(self, request: ListOpenWorkflowExecutionsRequest, call: Call) -> ListOpenWorkflowExecutionsResponse:
        namespace = self._namespaces.find(request.namespace)
        running = Compare("ExecutionStatus", "=", Status.WORKFLOW_EXECUTION_STATUS_RUNNING)
        where = And([OF_WORKFLOWS, running, *_within("StartTime", request.start_time_filter), *_chosen(request)])
        executions, token = await self._page(namespace, ListQuery(where), request.maximum_page_size, request.next_page_token)
        return ListOpenWorkflowExecutionsResponse(executions=executions, next_page_token=token)

    async def list_closed(self, request: ListClosedWorkflowExecutionsRequest, call: Call) -> ListClosedWorkflowExecutionsResponse:
        """Those that do not run, as the reference server has it: a paused workflow is among them."""
        namespace = self._namespaces.find(request.namespace)
        ended = Compare("ExecutionStatus", "!=", Status.WORKFLOW_EXECUTION_STATUS_RUNNING)
        where = And([OF_WORKFLOWS, ended, *_within("CloseTime", request.start_time_filter), *_chosen(request), *_with_status(request)])
        executions, token = await self._page(namespace, ListQuery(where), request.maximum_page_size, request.next_page_token)
        return ListClosedWorkflowExecutionsResponse(executions=executions, next_page_token=token)

    async def list_archived(self, request: ListArchivedWorkflowExecutionsRequest, call: Call) -> ListArchivedWorkflowExecutionsResponse:
        self._namespaces.find(request.namespace)
        raise InvalidArgument("Cluster is not configured for visibility archival.")

    async def search_attributes(self, request: GetSearchAttributesRequest, call: Call) -> GetSearchAttributesResponse:
        """Of all namespaces: not their own names, but the columns that these may have."""
        reply = GetSearchAttributesResponse()
        for name, kind in (SYSTEM | PREDEFINED | COLUMNS).items():
            reply.keys[name] = kind  # type: ignore[assignment]
        return reply

    async def _queried(self, request: ListWorkflowExecutionsRequest | ScanWorkflowExecutionsRequest) -> Shown:
        namespace = self._namespaces.find(request.namespace)
        query = await _understood(request.query, namespace)
        return await self._page(namespace, query, request.page_size, request.next_page_token)

    async def _page(self, namespace: NamespaceView, query: ListQuery, size: int, token: bytes) -> Shown:
        size = size if 0 < size <= PAGE_SIZE_MAX else PAGE_SIZE_MAX
        page = await self._store.list_visibility(VisibilityQuery(namespace.id, query.where, query.order), size, token)
        return [listed_execution(record, namespace) for record in page.records], page.next_token


async def _understood(text: str, namespace: NamespaceView) -> ListQuery:
    """What takes longer than other requests may wait is read in a thread: the first of all, which loads the parser, and long ones."""
    if not text or (parser_is_loaded() and len(text) < QUERY_CHARACTERS_AT_ONCE):
        return list_query(text, namespace)
    return await asyncio.to_thread(list_query, text, namespace)


def _within(attribute: str, times: StartTimeFilter) -> Sequence[Filter]:
    earliest = clamped(moment(times.earliest_time)) if times.HasField("earliest_time") else 0
    latest = clamped(moment(times.latest_time)) if times.HasField("latest_time") else None
    if latest is None:
        return [Compare(attribute, ">=", earliest)] if earliest else []
    if earliest > latest:
        raise InvalidArgument("EarliestTime in StartTimeFilter should not be larger than LatestTime.")
    return [Between(attribute, earliest, latest)]


def _chosen(request: ListOpenWorkflowExecutionsRequest | ListClosedWorkflowExecutionsRequest) -> Sequence[Filter]:
    if request.HasField("execution_filter"):
        return [Compare("WorkflowId", "=", request.execution_filter.workflow_id)]
    if request.HasField("type_filter"):
        return [Compare("WorkflowType", "=", request.type_filter.name)]
    return []


def _with_status(request: ListClosedWorkflowExecutionsRequest) -> Sequence[Filter]:
    if not request.HasField("status_filter"):
        return []
    status: int = request.status_filter.status
    if status in (Status.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, Status.WORKFLOW_EXECUTION_STATUS_RUNNING):
        raise InvalidArgument("StatusFilter must be specified and must be not Running.")
    if status not in Status.values():
        raise invalid(f"invalid ExecutionStatus value '{status}'")
    return [Compare("ExecutionStatus", "=", status)]


def _payload(named: Named, value: Value | None) -> Payload:
    """A group's value. Without a division there is an empty one, as on the reference server, which groups by nothing else."""
    if value is None and named.attribute == DIVISION:
        value = ""
    elif named.attribute == "ExecutionStatus" and isinstance(value, int):
        value = status_name(value)
    elif named.kind == Kind.INDEXED_VALUE_TYPE_DATETIME and isinstance(value, int):
        value = text_of(value)
    return Payload(metadata={"encoding": b"json/plain", "type": named.kind_name.encode()}, data=msgspec.json.encode(value))
