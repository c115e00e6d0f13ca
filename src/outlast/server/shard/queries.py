"""Queries: asked directly of a worker, or riding on a workflow task that is due anyway (workflow-core.md 5.6)."""

import asyncio
from collections.abc import Mapping
from uuid import uuid4

import msgspec
from temporalio.api.enums.v1 import QueryRejectCondition, QueryResultType
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

from outlast.engine import state
from outlast.engine.keys import ExecutionKey
from outlast.engine.refusals import (
    Busy,
    FailedPrecondition,
    Refusal,
    WorkflowNotReady,
)
from outlast.engine.triggers import ResetSticky
from outlast.server.handover import QueryTimeout, QueueKind, QueueName, TooManyQueries
from outlast.server.shard.entity import BufferedQuery, Entity
from outlast.server.shard.limits import BUFFERED_QUERIES_MAX, QUERY_FIRST_TASK_WAIT_S
from outlast.server.shard.protocol import QueryPayload
from outlast.server.shard.shard import Shard

NO_POLLER = "no poller seen for task queue recently, worker may be down"


class QueryFailed(Refusal):
    """The worker answered that the query failed."""

    def __init__(self, message: str, result: WorkflowQueryResult) -> None:
        super().__init__(message)
        self.result = result


class QueryExpired(Refusal):
    """Nobody answered before the caller's deadline."""


class Rejected(msgspec.Struct, frozen=True):
    """The caller asked not to query a run in this state."""

    status: int


class Queries:
    """Asks workers; writes nothing."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    async def query(self, key: ExecutionKey, query: WorkflowQuery, reject: int, timeout_s: float) -> WorkflowQueryResult | Rejected:
        """The worker's answer. Raises QueryFailed, QueryExpired, or a Refusal that says why it cannot be asked."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        entity = await self._shard.find(key)
        await self._shard.settled(entity)
        run = entity.execution.run
        if run.shown_status == state.PAUSED or (not run.open and _rejects(reject, run.status)):
            return Rejected(run.shown_status)
        if not run.last_started_event_id and not run.open:
            raise WorkflowNotReady("Workflow execution closed before WorkflowTaskStarted event")
        await self._wait_for_first_task(entity, min(timeout_s, QUERY_FIRST_TASK_WAIT_S))
        entity = await self._shard.find(entity.key)
        run = entity.execution.run
        task = run.workflow_task
        if task is not None and task.attempt >= 3:
            raise WorkflowNotReady("Unable to query workflow due to Workflow Task in failed state.")
        result = None
        if run.open and (task is not None or not run.last_started_event_id):
            result = await self._ride(entity, query, deadline)
        if result is None:
            result = await self._ask(await self._shard.find(entity.key), query, deadline)
        return _checked(result, self._shard.namespaces.view(key.namespace_id).blob_bytes_max)

    async def _wait_for_first_task(self, entity: Entity, timeout_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_s
        while (run := entity.execution.run).open and run.first_task_pending:
            if not await entity.woken(deadline):
                raise WorkflowNotReady("Workflow task is not scheduled yet.")

    # Riding on a workflow task

    async def _ride(self, entity: Entity, query: WorkflowQuery, deadline: float) -> WorkflowQueryResult | None:
        """Answered with the pending workflow task; None when it must be asked directly after all."""
        if len(entity.queries) >= BUFFERED_QUERIES_MAX:
            raise Busy(
                "consistent query buffer is full, this may be caused by too many queries and workflow not able to process query fast enough"
            )
        buffered = BufferedQuery(str(uuid4()), query, asyncio.get_running_loop().create_future())
        entity.queries[buffered.query_id] = buffered
        try:
            async with asyncio.timeout_at(deadline):
                return await buffered.answer
        except TimeoutError:
            raise QueryExpired("query was not answered before its deadline") from None
        finally:
            entity.queries.pop(buffered.query_id, None)

    def riding(self, entity: Entity) -> Mapping[str, WorkflowQuery]:
        """The queries that go out with a workflow task which is being started."""
        return {query_id: buffered.query for query_id, buffered in entity.queries.items()}

    def take_answered(
        self, entity: Entity, request: RespondWorkflowTaskCompletedRequest
    ) -> list[tuple[BufferedQuery, WorkflowQueryResult | None]]:
        """What the completion says to each query; None for one that must be asked directly."""
        taken: list[tuple[BufferedQuery, WorkflowQueryResult | None]] = []
        task = entity.execution.run.workflow_task
        for query_id in list(entity.queries):
            if query_id in request.query_results:
                taken.append((entity.queries.pop(query_id), request.query_results[query_id]))
            elif task is None:
                taken.append((entity.queries.pop(query_id), None))
        return taken

    def answer(self, entity: Entity, taken: list[tuple[BufferedQuery, WorkflowQueryResult | None]]) -> None:
        """Let the callers have it, now that what the answers speak of is durable."""
        for buffered, result in taken:
            if not buffered.answer.done():
                buffered.answer.set_result(result)

    # Asking directly

    async def _ask(self, entity: Entity, query: WorkflowQuery, deadline: float) -> WorkflowQueryResult:
        loop = asyncio.get_running_loop()
        run = entity.execution.run
        key = entity.key
        if run.open and run.sticky_queue:
            queue = QueueName(key.namespace_id, run.sticky_queue, QueueKind.WORKFLOW, sticky=True)
            if self._shard.matching.has_recent_poller(queue):
                patience = min(run.sticky_timeout / 1e9 or 10.0, deadline - loop.time())
                try:
                    return await self._dispatch(queue, QueryPayload(key, query, True), patience)
                except QueryTimeout:
                    entity = await self._shard.find(key)
            if entity.execution.run.open:
                self._shard.decide(entity, ResetSticky())
        queue = QueueName(key.namespace_id, run.task_queue, QueueKind.WORKFLOW)
        had_poller = self._shard.matching.has_recent_poller(queue)
        try:
            return await self._dispatch(queue, QueryPayload(key, query, False), max(deadline - loop.time(), 0.001))
        except QueryTimeout as timeout:
            if not timeout.taken and not had_poller:
                raise FailedPrecondition(NO_POLLER) from None
            raise QueryExpired("query was not answered before its deadline") from None

    async def _dispatch(self, queue: QueueName, payload: QueryPayload, timeout_s: float) -> WorkflowQueryResult:
        try:
            result = await self._shard.matching.dispatch_query(queue, payload, timeout_s)
        except TooManyQueries as error:
            raise Busy(str(error)) from None
        assert isinstance(result, WorkflowQueryResult)
        return result


def _rejects(condition: int, status: int) -> bool:
    if condition == QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN:
        return True
    return condition == QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY and status != state.COMPLETED


def _checked(result: WorkflowQueryResult, bytes_max: int) -> WorkflowQueryResult:
    if result.result_type == QueryResultType.QUERY_RESULT_TYPE_FAILED:
        raise QueryFailed(result.error_message, result)
    if result.answer.ByteSize() > bytes_max:
        raise QueryFailed("Blob data size exceeds limit.", WorkflowQueryResult())
    return result
