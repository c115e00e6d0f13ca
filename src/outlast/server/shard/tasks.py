"""Handing out work: claims of workflow tasks, activities and queries, and what a completion brings back at once."""

import contextlib
from collections.abc import Hashable, Sequence

import msgspec
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

from outlast.engine.draft import Draft
from outlast.engine.keys import ExecutionKey
from outlast.engine.machines.workflow_task import RETURNED_REQUEST_ID, virtual_events
from outlast.engine.refusals import NotFound
from outlast.engine.state import Execution, WorkflowTask
from outlast.engine.triggers import (
    CompleteWorkflowTask,
    ReleaseActivity,
    StartActivity,
    StartWorkflowTask,
    WorkflowTaskToken,
)
from outlast.engine.wire import frame_event
from outlast.engine.work import offer_workflow_task
from outlast.server.handover import Poller, QueryWork, QueueName
from outlast.server.shard.entity import Entity
from outlast.server.shard.histories import Histories
from outlast.server.shard.ids import new_run_id
from outlast.server.shard.protocol import (
    ActivityWork,
    CompletedWorkflowTask,
    HistoryPage,
    QueryPayload,
    StartedActivity,
    StartedTask,
    StartedWorkflowTask,
    WorkflowWork,
)
from outlast.server.shard.queries import Queries
from outlast.server.shard.shard import Shard
from outlast.server.shard.updates import Updates


class Tasks:
    """The owner of the work that matching holds offers of."""

    def __init__(self, shard: Shard, histories: Histories, queries: Queries, updates: Updates) -> None:
        self._shard = shard
        self._histories = histories
        self._queries = queries
        self._updates = updates

    async def claim(self, queue: QueueName, work: Hashable, poller: Poller) -> StartedTask | None:
        """Start the work for this poller: the task, or None when it is gone or taken."""
        try:
            match work:
                case WorkflowWork():
                    return await self._claim_workflow_task(queue, work, poller)
                case ActivityWork():
                    return await self._claim_activity(work, poller)
                case QueryWork(query_id=query_id, payload=QueryPayload() as payload):
                    return await self._query_task(query_id, payload)
        except NotFound:
            return None
        raise AssertionError(f"unknown work {work!r}")

    async def _claim_workflow_task(self, queue: QueueName, work: WorkflowWork, poller: Poller) -> StartedTask:
        entity = await self._shard.find(work.key)
        trigger = StartWorkflowTask(
            work.scheduled_event_id, work.attempt, poller.request_id, poller.identity, queue.sticky, poller.worker_version
        )
        self._shard.decide(entity, trigger)
        entity = await self._settled(entity)
        task = await self._workflow_task(entity, poller.request_id, full=not queue.sticky)
        backlog_count = self._shard.matching.backlog_count(queue)
        return task if not backlog_count else _with_backlog(task, backlog_count)

    async def _settled(self, entity: Entity) -> Entity:
        """The run when all that was decided about it is durable."""
        await self._shard.settled(entity)
        return await self._alive(entity)

    async def _alive(self, entity: Entity) -> Entity:
        """The run as it was taken up, if a commit has failed after the one that was waited for."""
        return await self._shard.find(entity.key) if entity.lost else entity

    async def _workflow_task(self, entity: Entity, request_id: str, *, full: bool) -> StartedWorkflowTask:
        """The task that was started under this request id; NotFound when another, or none, has taken its place."""
        task = _taken(entity, request_id)
        while not task.virtual and not _is_readable(entity, task.scheduled_event_id):
            # It was speculative when it was claimed, and something has made it real since.
            entity = await self._settled(entity)
            task = _taken(entity, request_id)
        execution = entity.execution
        run = execution.run
        first = 1 if full else run.last_started_event_id + 1
        # What the worker must see is durable, but for the start itself.
        last = task.scheduled_event_id - 1 if task.virtual else task.started_event_id
        page = await self._histories.page(entity, first, last_event_id=last)
        if task.virtual and not page.next_event_id:
            draft = Draft(execution, self._shard.context(run.namespace_id))
            virtual = b"".join(frame_event(event) for event in virtual_events(draft, task, task.identity))
            page = HistoryPage(page.data + virtual, 0)
        return StartedWorkflowTask(
            run=run,
            task=task,
            history=page,
            last_event_id=last,
            previous_started_event_id=run.last_started_event_id,
            queries=self._queries.riding(entity),
            messages=self._updates.messages(entity, task),
        )

    async def eager_workflow_task(self, key: ExecutionKey, request_id: str) -> StartedWorkflowTask | None:
        """The first workflow task, if the start with this request id took it along and it is not completed yet."""
        entity = await self._shard.find(key)
        task = entity.execution.run.workflow_task
        if task is None or not task.started or task.request_id != request_id:
            return None
        return await self._workflow_task(entity, request_id, full=True)

    async def _claim_activity(self, work: ActivityWork, poller: Poller) -> StartedActivity:
        entity = await self._shard.find(work.key)
        trigger = StartActivity(
            work.scheduled_event_id, work.attempt, work.stamp, poller.request_id, poller.identity, poller.worker_version
        )
        transition = self._shard.decide(entity, trigger)
        entity = await self._settled(entity)
        if transition.refusal is not None:
            raise NotFound("the run ended when the activity was to be handed out")
        return await self._activity(entity, work.scheduled_event_id, poller.request_id)

    async def _activity(self, entity: Entity, scheduled_event_id: int, request_id: str) -> StartedActivity:
        """The attempt that was started under this request id; NotFound when another, or none, has taken its place."""
        activity = entity.execution.activities.get(scheduled_event_id)
        if activity is None or not activity.started or activity.request_id != request_id:
            raise NotFound("the activity ended before it was handed out")
        event = await self._histories.event(entity, scheduled_event_id)
        return StartedActivity(entity.execution.run, activity, event.activity_task_scheduled_event_attributes)

    async def _query_task(self, query_id: str, payload: QueryPayload) -> StartedWorkflowTask:
        entity = await self._shard.find(payload.key)
        run = (await self._shard.readable(entity)).run
        page = HistoryPage(b"", 0)
        if not payload.sticky:
            page = await self._histories.page(entity, 1, last_event_id=run.next_event_id - 1)
        return StartedWorkflowTask(
            run=run,
            task=None,
            history=page,
            last_event_id=run.next_event_id - 1,
            previous_started_event_id=run.last_started_event_id,
            query_id=query_id,
            query=payload.query,
        )

    async def release(self, queue: QueueName, work: Hashable, poller: Poller) -> None:
        """The poller has gone before it got its task: offer it again, if its run is still there."""
        with contextlib.suppress(NotFound):
            await self._release(work, poller)

    async def _release(self, work: Hashable, poller: Poller) -> None:
        match work:
            case WorkflowWork():
                entity = await self._shard.find(work.key)
                if entity.undo_start(poller.request_id):
                    task = entity.execution.run.workflow_task
                    assert task is not None
                    offer = offer_workflow_task(entity.execution.run, task)
                    self._shard.retime(entity)
                    self._shard.offer(self._shard.workflow_queue(work.key, offer), work)
            case ActivityWork():
                trigger = ReleaseActivity(work.scheduled_event_id, work.attempt, poller.request_id)
                await self._shard.update(work.key, trigger)

    def drained(self, queue: QueueName) -> None:
        self._shard.drained(queue)

    async def complete_workflow_task(
        self, key: ExecutionKey, token: WorkflowTaskToken, request: RespondWorkflowTaskCompletedRequest
    ) -> CompletedWorkflowTask:
        """Do the worker's commands; what it gets back at once: its next workflow task, activities to run itself."""
        entity = await self._shard.find(key)
        trigger = CompleteWorkflowTask(
            token,
            request,
            new_run_id(),
            self._updates.sent(entity),
            self._updates.attachments(entity),
            self._updates.waiting(entity),
        )
        async with self._shard.true_refusals(entity):
            transition = self._shard.decide(entity, trigger)
        settled_updates = self._updates.take(entity, transition)
        scheduled = list(transition.eager_activities)
        riding = self._queries.take_answered(entity, request)
        await self._shard.settled(entity)
        self._updates.publish(entity, settled_updates)
        if transition.refusal is not None:
            raise transition.refusal
        self._queries.answer(entity, riding)
        entity = await self._alive(entity)
        workflow_task = None
        if transition.new_workflow_task and _still_has_task_of(entity.execution, transition.after):
            workflow_task = await self._workflow_task(entity, RETURNED_REQUEST_ID, full=False)
        activities = await self._eager_activities(entity, scheduled, trigger.request_id)
        return CompletedWorkflowTask(workflow_task, activities, transition.reset_history_event_id)

    async def _eager_activities(self, entity: Entity, scheduled: Sequence[int], request_id: str) -> list[StartedActivity]:
        """Those that have not ended, or timed out, while they were written."""
        activities = []
        for event_id in scheduled:
            with contextlib.suppress(NotFound):
                activities.append(await self._activity(entity, event_id, request_id))
        return activities


def _still_has_task_of(now: Execution, then: Execution) -> bool:
    """Whether the task that was started then has neither ended nor timed out, whatever else has happened meanwhile."""
    task, started = now.run.workflow_task, then.run.workflow_task
    if task is None or started is None or not task.started:
        return False
    return (task.scheduled_event_id, task.attempt) == (started.scheduled_event_id, started.attempt)


def _taken(entity: Entity, request_id: str) -> WorkflowTask:
    """The task that was started under this request id, as it is now. Raises NotFound."""
    task = entity.execution.run.workflow_task
    if task is None or not task.started or task.request_id != request_id:
        raise NotFound("the workflow task ended before it was handed out")
    return task


def _is_readable(entity: Entity, event_id: int) -> bool:
    return entity.pending is None or (entity.readable is not None and entity.readable.run.next_event_id > event_id)


def _with_backlog(task: StartedWorkflowTask, backlog_count: int) -> StartedWorkflowTask:
    return msgspec.structs.replace(task, backlog_count=backlog_count)
