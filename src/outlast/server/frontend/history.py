"""Calls that read histories and lists of workflows."""

from temporalio.api.enums.v1 import EventType, HistoryEventFilterType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    GetWorkflowExecutionHistoryReverseResponse,
)

from outlast.engine.draft import Draft
from outlast.engine.keys import ExecutionKey
from outlast.engine.machines.workflow_task import virtual_events
from outlast.engine.state import Execution
from outlast.engine.wire import frame_event, framed
from outlast.server.frontend import checks
from outlast.server.frontend.calls import Call
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.frontend.polls import long_poll_s
from outlast.server.frontend.tokens import HistoryPosition, decode_position, encode
from outlast.server.shard.entity import Entity
from outlast.server.shard.histories import Histories
from outlast.server.shard.limits import HISTORY_PAGE_BATCHES
from outlast.server.shard.shard import Shard

_TOOLS_WITHOUT_VIRTUAL_EVENTS = ("temporal-cli", "temporal-ui")


class HistoryCalls:
    def __init__(self, shard: Shard, histories: Histories, namespaces: NamespaceRegistry) -> None:
        self._shard = shard
        self._histories = histories
        self._namespaces = namespaces

    async def get_history(self, request: GetWorkflowExecutionHistoryRequest, call: Call) -> bytes:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.execution)
        position = None
        if request.next_page_token:
            position = decode_position(request.next_page_token, request.execution.run_id)
        run_id = position.run_id if position else request.execution.run_id
        entity = await self._shard.find(ExecutionKey(namespace.id, request.execution.workflow_id, run_id))
        if request.history_event_filter_type == HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT:
            return await self._close_event(entity, request, call)
        if position is not None and position.waits:
            await self._histories.wait(entity.key, position.next_event_id - 1, for_close=False, timeout_s=long_poll_s(call))
            entity = await self._shard.find(entity.key)
        return await self._page(entity, position, request, call)

    async def _page(
        self,
        entity: Entity,
        position: HistoryPosition | None,
        request: GetWorkflowExecutionHistoryRequest,
        call: Call,
    ) -> bytes:
        execution = await self._shard.readable(entity)
        first = position.next_event_id if position else 1
        size = request.maximum_page_size
        limit = size if 0 < size < HISTORY_PAGE_BATCHES else HISTORY_PAGE_BATCHES
        run = execution.run
        last = position.last_event_id if position else 0
        page = await self._histories.page(entity, first, limit, last_event_id=last or run.next_event_id - 1)
        data = page.data
        reached_end = not page.next_event_id
        if reached_end and not request.wait_new_event and last in (0, run.next_event_id - 1):
            data += self._virtual(execution, call)
        token = b""
        if not reached_end:
            token = encode(HistoryPosition(entity.key.run_id, page.next_event_id, last))
        elif request.wait_new_event and run.running:
            token = encode(HistoryPosition(entity.key.run_id, run.next_event_id, waits=True))
        return _reply(data, token)

    def _virtual(self, execution: Execution, call: Call) -> bytes:
        """The events of a pending further attempt, which workers must see and tools must not."""
        task = execution.run.workflow_task
        if task is None or not task.virtual or task.scheduled_event_id != execution.run.next_event_id:
            return b""
        if call.header("client-name") in _TOOLS_WITHOUT_VIRTUAL_EVENTS:
            return b""
        draft = Draft(execution, self._shard.context(execution.run.namespace_id))
        return b"".join(frame_event(event) for event in virtual_events(draft, task, identity=""))

    async def _close_event(self, entity: Entity, request: GetWorkflowExecutionHistoryRequest, call: Call) -> bytes:
        execution = await self._shard.readable(entity)
        if execution.run.running and request.wait_new_event:
            execution = await self._histories.wait(entity.key, 0, for_close=True, timeout_s=long_poll_s(call))
            entity = await self._shard.find(entity.key)
        if execution.run.open:
            token = b""
            if request.wait_new_event and execution.run.running:
                token = encode(HistoryPosition(entity.key.run_id, execution.run.next_event_id, waits=True))
            return _reply(b"", token)
        event = History.FromString(await self._histories.last_batch(entity)).events[-1]
        if "follows-next-run-id" not in call.header("supported-features"):
            event = _as_continued(event)
        return _reply(frame_event(event), b"")

    async def get_history_reverse(
        self, request: GetWorkflowExecutionHistoryReverseRequest, call: Call
    ) -> GetWorkflowExecutionHistoryReverseResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.execution)
        position = None
        if request.next_page_token:
            position = decode_position(request.next_page_token, request.execution.run_id)
        run_id = position.run_id if position else request.execution.run_id
        entity = await self._shard.find(ExecutionKey(namespace.id, request.execution.workflow_id, run_id))
        execution = await self._shard.readable(entity)
        last = position.next_event_id if position else execution.run.next_event_id - 1
        size = request.maximum_page_size
        limit = size if 0 < size < HISTORY_PAGE_BATCHES else HISTORY_PAGE_BATCHES
        events, below = await self._histories.page_reverse(entity, last, limit)
        token = encode(HistoryPosition(entity.key.run_id, below)) if below > 0 else b""
        return GetWorkflowExecutionHistoryReverseResponse(history=History(events=events), next_page_token=token)


def _reply(history: bytes, token: bytes) -> bytes:
    reply = framed(1, history)
    return reply + framed(3, token) if token else reply


def _as_continued(event: HistoryEvent) -> HistoryEvent:
    """For clients that know no following run but by continue-as-new: the close event presented as that."""
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    new_run_id = getattr(attributes, "new_execution_run_id", "")
    kind = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    if not new_run_id or event.event_type == kind:
        return event
    presented = HistoryEvent()
    presented.CopyFrom(event)
    presented.ClearField(event.WhichOneof("attributes") or "")  # type: ignore[arg-type]
    presented.event_type = kind
    continued = presented.workflow_execution_continued_as_new_event_attributes
    continued.new_execution_run_id = new_run_id
    if event.HasField("workflow_execution_failed_event_attributes"):
        continued.failure.CopyFrom(event.workflow_execution_failed_event_attributes.failure)
    if event.HasField("workflow_execution_completed_event_attributes"):
        result = event.workflow_execution_completed_event_attributes.result
        continued.last_completion_result.CopyFrom(result)
    return presented
