"""A worker process: it polls, runs workflows and activities, misbehaves, crashes and comes back."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

from temporalio.api.enums.v1 import QueryResultType, TaskQueueKind, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.query.v1 import WorkflowQueryResult
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
    ShutdownWorkerRequest,
)

from tests.simulation import ask
from tests.simulation.activities import Activities
from tests.simulation.network import RpcFailed
from tests.simulation.program import Machine, Nondeterminism
from tests.simulation.scripts import QUEUE, payloads

POLL_S = 30.0
RETRIES_MAX = 400
PAGES_MAX = 500
PAUSE_S = 0.2


class NoHistory(Exception):
    """The history that the task is about is not to be had any more."""


class Worker:
    """One life of a worker; its sticky queue lives as long as it does."""

    def __init__(self, world: Any, name: str, random: Random) -> None:
        self.name = name
        self._world = world
        self._random = random
        self._sticky = f"{name}-sticky" if world.settings.sticky else ""
        self._machines: dict[str, Machine] = {}
        self._activities = Activities(world, name, random, self._spawn)
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def start(self) -> None:
        for _ in range(self._world.settings.pollers):
            self._spawn(self._poll_workflows(QUEUE, sticky=False))
            self._spawn(self._poll_activities())
            if self._sticky:
                self._spawn(self._poll_workflows(self._sticky, sticky=True))

    def crash(self) -> None:
        self._world.faults.note(f"{self.name} crashes")
        for task in list(self._tasks):
            task.cancel()

    async def leave(self) -> None:
        """End as a worker should."""
        self._world.faults.note(f"{self.name} leaves")
        request = ShutdownWorkerRequest(namespace="default", sticky_task_queue=self._sticky, identity=self.name)
        with suppress(RpcFailed):
            await self._world.network.call(self.name, "ShutdownWorker", request)
        self.crash()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks[task] = None
        task.add_done_callback(lambda ended: self._tasks.pop(ended, None))
        task.add_done_callback(lambda _: work.close())  # if it was cancelled before its first step

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Exception as bug:
            self._world.broke(f"{self.name} broke", bug)

    # Workflows

    async def _poll_workflows(self, queue: str, *, sticky: bool) -> None:
        world = self._world
        request = PollWorkflowTaskQueueRequest(namespace="default", identity=self.name)
        request.task_queue.name = queue
        request.task_queue.kind = TaskQueueKind.TASK_QUEUE_KIND_STICKY if sticky else TaskQueueKind.TASK_QUEUE_KIND_NORMAL
        while not world.over:
            try:
                task = await world.network.call(self.name, "PollWorkflowTaskQueue", request, POLL_S)
            except RpcFailed:
                await asyncio.sleep(PAUSE_S)
                continue
            if task.task_token:
                await self.work(task)

    async def work(self, task: PollWorkflowTaskQueueResponse) -> None:
        """Do one workflow task, and those that come back with its completion."""
        try:
            next_task: PollWorkflowTaskQueueResponse | None = task
            while next_task is not None and next_task.task_token:
                next_task = await self._work(next_task)
        except NoHistory:
            self._world.faults.note(f"{self.name}: no history")
        except RpcFailed as failure:
            self._world.faults.note(f"{self.name}: {failure}")

    async def _work(self, task: PollWorkflowTaskQueueResponse) -> PollWorkflowTaskQueueResponse | None:
        world = self._world
        run_id = task.workflow_execution.run_id
        world.ledger.read(run_id, list(task.history.events), self.name)
        if task.HasField("query"):
            await self._answer_query(task)
            return None
        last = task.history.events[-1] if task.history.events else HistoryEvent()
        if last.event_id == task.started_event_id:
            poll = last.workflow_task_started_event_attributes.request_id
            world.ledger.hand_out_task((run_id, last.event_id, task.attempt, poll), world.lives.disk.losses, self.name)
        world.faults.note(f"{self.name} takes {task.workflow_execution.workflow_id}/{run_id[:4]} task {task.started_event_id}")
        bad = world.faults.happens("misbehaviour")
        if bad and self._random.random() < 0.3:
            self._machines.pop(run_id, None)
            await asyncio.sleep(self._random.uniform(8.0, 14.0))  # late, or too late
        machine = await self._machine(task, until=task.started_event_id)
        if bad and self._random.random() < 0.2:
            self._machines.pop(run_id, None)
            return None  # forgotten: it times out
        if bad and self._random.random() < 0.3:
            self._machines.pop(run_id, None)
            await self._fail(task)
            return None
        return await self._complete(task, machine)

    async def _complete(self, task: PollWorkflowTaskQueueResponse, machine: Machine) -> PollWorkflowTaskQueueResponse | None:
        world, run_id = self._world, task.workflow_execution.run_id
        commands, messages = machine.task(task.messages)
        request = RespondWorkflowTaskCompletedRequest(namespace="default", identity=self.name, task_token=task.task_token)
        request.commands.extend(commands)
        request.messages.extend(messages)
        request.return_new_workflow_task = self._random.random() < 0.5
        request.capabilities.discard_speculative_workflow_task_with_events = True
        if self._sticky:
            request.sticky_attributes.worker_task_queue.name = self._sticky
            request.sticky_attributes.schedule_to_start_timeout.seconds = 5
        for query_id in task.queries:
            request.query_results[query_id].CopyFrom(_answer(run_id, machine))
        self._machines.pop(run_id, None)
        reply = await self._world.network.call(self.name, "RespondWorkflowTaskCompleted", request)
        if not reply.reset_history_event_id:
            world.ledger.completed_tasks.append((run_id, task.started_event_id, self.name))
            if self._sticky and not machine.closed:
                self._machines[run_id] = machine
        for activity in reply.activity_tasks:
            self._activities.take(activity)
        return reply.workflow_task if reply.HasField("workflow_task") else None

    async def _fail(self, task: PollWorkflowTaskQueueResponse) -> None:
        cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
        request = RespondWorkflowTaskFailedRequest(namespace="default", identity=self.name, task_token=task.task_token, cause=cause)
        request.failure.CopyFrom(ask.failure("a bug in the workflow"))
        await self._world.network.call(self.name, "RespondWorkflowTaskFailed", request)

    async def _answer_query(self, task: PollWorkflowTaskQueueResponse) -> None:
        machine = await self._machine(task, until=0)
        answer = _answer(task.workflow_execution.run_id, machine)
        request = RespondQueryTaskCompletedRequest(namespace="default", task_token=task.task_token, completed_type=answer.result_type)
        request.query_result.CopyFrom(answer.answer)
        await self._world.network.call(self.name, "RespondQueryTaskCompleted", request)

    async def _machine(self, task: PollWorkflowTaskQueueResponse, until: int) -> Machine:
        """The run in memory, brought up to the task's started event (0: as far as it goes)."""
        run_id = task.workflow_execution.run_id
        events = list(task.history.events)
        machine = self._machines.get(run_id)
        if task.next_page_token:
            events += await self._pages(task, task.next_page_token)
        if events and events[0].event_id == 1:
            machine = Machine()
        elif machine is None or (events and events[0].event_id != machine.position + 1):
            machine, events = Machine(), await self._pages(task, b"")
        if until:
            events = [event for event in events if event.event_id <= until]
        if until:
            self._machines.pop(run_id, None)
        try:
            machine.feed(events)
        except Nondeterminism as wrong:
            self._world.ledger.flaws.append(f"{run_id}: {self.name} was told a history that cannot be: {wrong}")
            raise NoHistory from wrong
        if until and machine.position != until:
            raise NoHistory
        return machine

    async def _pages(self, task: PollWorkflowTaskQueueResponse, token: bytes) -> list[HistoryEvent]:
        events: list[HistoryEvent] = []
        request = GetWorkflowExecutionHistoryRequest(namespace="default", execution=task.workflow_execution, next_page_token=token)
        for _ in range(PAGES_MAX):
            reply = await self._patiently("GetWorkflowExecutionHistory", request)
            self._world.ledger.read(task.workflow_execution.run_id, list(reply.history.events), self.name)
            events.extend(reply.history.events)
            request.next_page_token = reply.next_page_token
            if not reply.next_page_token:
                return events
        raise AssertionError(f"a history of more than {PAGES_MAX} pages")

    async def _patiently(self, name: str, request: Any) -> Any:
        for _ in range(RETRIES_MAX):
            try:
                return await self._world.network.call(self.name, name, request)
            except RpcFailed as failure:
                if not failure.try_again:
                    raise
                await asyncio.sleep(PAUSE_S)
        raise AssertionError(f"{name} failed {RETRIES_MAX} times")

    # Activities

    async def _poll_activities(self) -> None:
        request = PollActivityTaskQueueRequest(namespace="default", identity=self.name, task_queue=TaskQueue(name=QUEUE))
        while not self._world.over:
            try:
                task = await self._world.network.call(self.name, "PollActivityTaskQueue", request, POLL_S)
            except RpcFailed:
                await asyncio.sleep(PAUSE_S)
                continue
            if task.task_token:
                self._activities.take(task)


def _answer(run_id: str, machine: Machine) -> WorkflowQueryResult:
    answer = payloads({"run_id": run_id, "signals": machine.received})
    return WorkflowQueryResult(result_type=QueryResultType.QUERY_RESULT_TYPE_ANSWERED, answer=answer)
