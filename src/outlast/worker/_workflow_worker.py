"""Works on workflow tasks: polls for them, brings their events to the runs, and answers with what the runs want."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse

from outlast.exceptions import ApplicationError
from outlast.replay.kinds import FINAL_EVENTS
from outlast.replay.protocol import Run, RunSettings, Step, WorkflowTask
from outlast.service._eager import EagerSlot
from outlast.worker._answers import Answers, CannotEncode
from outlast.worker._cache import CachedRun, RunCache
from outlast.worker._codec import WorkflowCodec
from outlast.worker._gathered import Gathered
from outlast.worker._history import events_at_hand, new_events, whole_history
from outlast.worker._local_activities import LocalActivities
from outlast.worker._metrics import WorkerMetrics
from outlast.worker._poller import Poller
from outlast.worker._polls import WorkflowPolls
from outlast.worker._slots import Permit, Slots, WorkflowSlot
from outlast.worker._watchdog import WATCHDOG, _DeadlockError
from outlast.worker._wire import Server, Wire

logger = logging.getLogger("outlast.worker")

HEARTBEAT_SHARE = 0.8
"""After this share of its timeout, a workflow task that waits for local activities is completed and asked for again."""
LOCAL_GRACE_S = 10.0
"""How long a worker that shuts down waits for local activities, besides the grace that it gives to all activities."""
LAST_GRACE_S = 2.0
"""And how long after they have been cancelled."""
NewRun = Callable[[RunSettings, str], Run]


class _Eager(EagerSlot):
    """A slot that is kept for the first task of a workflow."""

    def __init__(self, worker: WorkflowWorker, permit: Permit, wire: Wire) -> None:
        self._worker = worker
        self._permit = permit
        self.deployment_options = wire.deployment_options

    def accept(self, task: PollWorkflowTaskQueueResponse) -> None:
        self._worker.accept(task, self._permit, sticky=False)

    def release(self) -> None:
        self._permit.release()


class WorkflowWorker:
    """The workflow side of a worker."""

    def __init__(
        self,
        server: Server,
        wire: Wire,
        settings: RunSettings,
        new_run: NewRun,
        slots: Slots,
        polls: WorkflowPolls,
        answers: Answers,
        codec: WorkflowCodec | None,
        local_activities: LocalActivities,
        *,
        cached_max: int,
        watched: bool = True,
        metrics: WorkerMetrics | None = None,
    ) -> None:
        """`watched` says whether workflow code that does not yield is broken off."""
        self._server = server
        self._wire = wire
        self._settings = settings
        self._new_run = new_run
        self._answers = answers
        self._codec = codec
        self._local_activities = local_activities
        self._watched = watched
        self._metrics = metrics
        self._slots = slots
        self._stopping = False
        self._begun = asyncio.Event()
        self.cache = RunCache(cached_max, watched=watched, metrics=metrics)
        self._tasks: set[asyncio.Task[None]] = set()
        self._pollers = [Poller("workflow tasks", polls.common, slots, self._poll, self._accept)]
        if polls.sticky is not None:
            self._pollers.append(Poller("sticky workflow tasks", polls.sticky, slots, self._poll_sticky, self._accept_sticky, sticky=True))

    async def run(self) -> None:
        """Poll until `stop_polling`. Raises what no repetition of a poll can help."""
        if self._watched:
            WATCHDOG.start()
        self._begun.set()
        try:
            async with asyncio.TaskGroup() as pollers:
                for poller in self._pollers:
                    pollers.create_task(poller.run())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            if self._watched:
                WATCHDOG.stop()

    def begin_stop(self) -> None:
        """Start no further poll."""
        self._stopping = True
        for poller in self._pollers:
            poller.begin_stop()

    async def stop_polling(self, grace_s: float) -> None:
        """Poll no more. Polls that are under way may take so long."""
        await asyncio.gather(*(poller.stop(grace_s) for poller in self._pollers))

    def abandon(self) -> None:
        """Drop the tasks that came, since the worker will not run."""
        for task in self._tasks:
            task.cancel()

    async def drain(self, grace_s: float) -> None:
        """Finish the tasks that came, and forget all runs. What waits for local activities longer than that is given up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s + LOCAL_GRACE_S)
        self._local_activities.cancel_all()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_GRACE_S)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self.cache.clear()

    def _poll(self, deadline_s: float) -> Coroutine[Any, Any, PollWorkflowTaskQueueResponse]:
        return self._polled(self._wire.poll_workflow_tasks, deadline_s, "workflow_task")

    def _poll_sticky(self, deadline_s: float) -> Coroutine[Any, Any, PollWorkflowTaskQueueResponse]:
        return self._polled(self._wire.poll_sticky_tasks, deadline_s, "sticky_workflow_task")

    async def _polled(self, request: PollWorkflowTaskQueueRequest, deadline_s: float, poller_type: str) -> PollWorkflowTaskQueueResponse:
        poll = self._server.calls.poll_workflow_task_queue(request, timeout=timedelta(seconds=deadline_s))
        if self._metrics is None:
            return await poll
        with self._metrics.polling(poller_type):
            task = await poll
        self._metrics.workflow_polled(task)
        return task

    def _accept(self, task: PollWorkflowTaskQueueResponse, permit: Permit) -> None:
        self.accept(task, permit, sticky=False)

    def _accept_sticky(self, task: PollWorkflowTaskQueueResponse, permit: Permit) -> None:
        self.accept(task, permit, sticky=True)

    def accept(self, task: PollWorkflowTaskQueueResponse, permit: Permit, *, sticky: bool) -> None:
        """Work on a task, in the background."""
        permit.use(WorkflowSlot(task.workflow_type.name, sticky))
        if self._metrics is not None:
            known = self.cache.runs.get(task.workflow_execution.run_id)
            self._metrics.looked_up(found=known is not None and known.run is not None, sticky=sticky)
        work = asyncio.get_running_loop().create_task(self._work(task, permit))
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)

    def reserve_eager(self) -> EagerSlot | None:
        """Room for the first task of a workflow that is started in this process."""
        permit = None if self._stopping else self._slots.try_reserve()
        return None if permit is None else _Eager(self, permit, self._wire)

    async def _work(self, task: PollWorkflowTaskQueueResponse, permit: Permit) -> None:
        """Work on a task, and on those that come with the replies to its answers."""
        run_id = task.workflow_execution.run_id
        cached = self.cache.claim(run_id)
        try:
            if not self._begun.is_set():
                await self._begun.wait()
            ahead: PollWorkflowTaskQueueResponse | None = task
            while ahead is not None:
                if cached.busy:
                    await cached.wait_turn()
                cached.busy = True
                try:
                    ahead = await self._one(cached, ahead)
                finally:
                    cached.give_turn()  # between two tasks, too: a query that came meanwhile goes first
        except Exception:
            logger.exception("A task of run %s could not be worked on", run_id)
            cached.drop()
        except BaseException:
            cached.drop()
            raise
        finally:
            permit.release()
            self.cache.release(cached)
            if self._metrics is not None:
                self._metrics.cached(len(self.cache.runs))

    async def _one(self, cached: CachedRun, task: PollWorkflowTaskQueueResponse) -> PollWorkflowTaskQueueResponse | None:
        """Work on one task. Returns the next, if the answer brought one."""
        came_at = asyncio.get_running_loop().time()
        if task.HasField("query"):
            await self._query(cached, task)
            return None
        step = await self._activate(cached, task)
        if step.waiting and step.failure is None:
            answered = await self._wait_for_local_activities(cached, task, step, came_at)
        else:
            if step.cancel_local_activities:
                self._local_activities.follow(cached, task, step)
            answered = await self._answer(cached, task, step)
        if self._metrics is not None:
            self._metrics.workflow_task_answered(task, asyncio.get_running_loop().time() - came_at)
        return answered

    async def _answer(self, cached: CachedRun, task: PollWorkflowTaskQueueResponse, step: Step) -> PollWorkflowTaskQueueResponse | None:
        if step.failure is not None:
            cached.drop()
            if self._metrics is not None:
                self._metrics.workflow_task_failed(task, step.failure_cause)
            await self._answers.fail(task, step.failure, step.failure_cause)
            return None
        if step.closed:
            if self._metrics is not None:  # before anybody can see the end
                self._metrics.workflow_ended(task, step.commands, cached.started_at)
            cached.drop()
        try:
            reply = await self._answers.complete(task, step)
        except CannotEncode as error:
            cached.drop()
            await self._answers.fail(task, Failure(message=f"Failed encoding completion: {error.__cause__}"), 0)
            return None
        if reply is None:
            cached.drop()
            return None
        if reply.reset_history_event_id and cached.run is not None:
            cached.run.forget_task(reply.reset_history_event_id)
            cached.next_event_id = reply.reset_history_event_id + 1
        return reply.workflow_task if reply.HasField("workflow_task") else None

    async def _query(self, cached: CachedRun, task: PollWorkflowTaskQueueResponse) -> None:
        known = cached.run is not None
        step = await self._activate(cached, task)
        while step.waiting and step.failure is None:
            assert cached.run is not None
            outcome = await cached.next_outcome(deadline=None)
            assert outcome is not None
            step = self._watch(cached.run.resolve_local_activity, outcome)
        if step.query_result is not None or step.failure is None:
            await self._answers.answer_query(task, step)
        else:
            await self._answers.fail_query(task, step.failure, step.failure_cause)
        events = task.history.events
        if step.failure is not None or not (known or (events and events[-1].event_type in FINAL_EVENTS)):
            # A run that is replayed for a query sees events of which it should learn in its next task only.
            cached.drop()

    async def _wait_for_local_activities(
        self, cached: CachedRun, task: PollWorkflowTaskQueueResponse, step: Step, came_at: float
    ) -> PollWorkflowTaskQueueResponse | None:
        gathered = Gathered(step)
        deadline = came_at + cached.task_timeout_s * HEARTBEAT_SHARE
        while True:
            self._local_activities.follow(cached, task, step)
            if not step.waiting:
                return await self._answer(cached, task, gathered.step)
            outcome = await cached.next_outcome(deadline)
            assert cached.run is not None
            if outcome is None:
                return await self._heartbeat(cached, task, gathered)
            step = self._watch(cached.run.resolve_local_activity, outcome)
            gathered.add(step)
            if step.failure is not None:
                return await self._answer(cached, task, gathered.step)

    async def _heartbeat(
        self, cached: CachedRun, task: PollWorkflowTaskQueueResponse, gathered: Gathered
    ) -> PollWorkflowTaskQueueResponse | None:
        """Keep a task alive: complete it with what there is, and get another."""
        assert cached.run is not None
        reply = await self._answers.complete(task, gathered.add(cached.run.heartbeat()), go_on=True)
        if reply is None:
            cached.drop()
            return None
        return reply.workflow_task if reply.HasField("workflow_task") else None

    async def _activate(self, cached: CachedRun, task: PollWorkflowTaskQueueResponse) -> Step:
        """Bring a task to its run."""
        events = events_at_hand(task, cached.next_event_id)
        if events is None or self._codec is not None:
            try:
                events = await self._read(cached, task, events)
            except Exception as error:
                logger.warning("The history of run %s could not be read", cached.run_id, exc_info=True)
                return self._unreadable(error)
        workflow_task = _workflow_task(cached, task, events)
        run, began = cached.run, time.monotonic()
        replays = run is None and task.previous_started_event_id > 0
        if run is None:
            run = self._make(cached, workflow_task)
        step = self._watch(run.activate, workflow_task)
        if replays and self._metrics is not None:
            self._metrics.replayed(task, time.monotonic() - began)
        if events:
            cached.next_event_id = events[-1].event_id + 1
        return step

    async def _read(
        self, cached: CachedRun, task: PollWorkflowTaskQueueResponse, events: Sequence[HistoryEvent] | None
    ) -> Sequence[HistoryEvent]:
        """All events of a task, decoded. Forgets the run if it has missed some."""
        if events is None and cached.run is not None:
            events = await new_events(self._server, task, cached.next_event_id)
        if events is None:
            cached.drop()
            events = await whole_history(self._server, task)
        if self._codec is not None:
            others = [*task.messages, *task.queries.values(), *([task.query] if task.HasField("query") else [])]
            workflow_id, workflow_type = task.workflow_execution.workflow_id, task.workflow_type.name
            await self._codec.decode(workflow_id, workflow_type, events, others, cached.activity_contexts)
        return events

    def _make(self, cached: CachedRun, task: WorkflowTask) -> Run:
        if task.events:
            started = task.events[0].workflow_execution_started_event_attributes
            cached.started_at = task.events[0].event_time.ToNanoseconds() / 1e9
            if started.HasField("workflow_task_timeout"):
                cached.task_timeout_s = started.workflow_task_timeout.ToMilliseconds() / 1000
        run = cached.run = self._new_run(self._settings, cached.run_id)
        return run

    def _watch(self, call: Callable[..., Step], *args: object) -> Step:
        """A step of a run: broken off when it takes too long, and failed when it raises."""
        try:
            return WATCHDOG.run(call, *args) if self._watched else call(*args)
        except Exception as error:
            if not isinstance(error, _DeadlockError):
                logger.exception("A workflow task could not be applied")
            return self._failed(error)

    def _unreadable(self, error: Exception) -> Step:
        """The codec may say that trying again is no use: then the workflow fails, and not its task."""
        step = self._failed(error)
        if isinstance(error, ApplicationError) and error.non_retryable and step.failure is not None:
            command = Command(command_type=CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
            command.fail_workflow_execution_command_attributes.failure.CopyFrom(step.failure)
            return Step(commands=[command], closed=True)
        return step

    def _failed(self, error: Exception) -> Step:
        converter = self._settings.data_converter
        failure = Failure()
        try:
            converter.failure_converter.to_failure(error, converter.payload_converter, failure)
        except Exception as second:  # noqa: BLE001 - the converter is the program's
            failure = Failure(message=f"Failed converting activation exception: {second}")
        if isinstance(error, _DeadlockError):
            failure.stack_trace = error.stack
        return Step(failure=failure, failure_cause=WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE)


def _workflow_task(cached: CachedRun, task: PollWorkflowTaskQueueResponse, events: Sequence[HistoryEvent]) -> WorkflowTask:
    return WorkflowTask(
        workflow_id=task.workflow_execution.workflow_id,
        run_id=cached.run_id,
        workflow_type=task.workflow_type.name,
        attempt=task.attempt,
        previous_started_event_id=task.previous_started_event_id,
        started_event_id=task.started_event_id,
        events=events,
        messages=task.messages,
        queries=task.queries,
        query=task.query if task.HasField("query") else None,
    )
