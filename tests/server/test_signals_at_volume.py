"""Thousands of signals to one run at once: all are delivered, in order, while the workflow goes on."""

import asyncio
from typing import Any

import grpc.aio
import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice import v1 as api

from tests.history_checker import check_history
from tests.server.conftest import Wire

SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
TASK_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
CONTINUE = Command(command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
CONTINUE.continue_as_new_workflow_execution_command_attributes.SetInParent()
AT_ONCE = 50


async def _history(wire: Wire, run_id: str) -> list[HistoryEvent]:
    events: list[HistoryEvent] = []
    token = b""
    while True:
        execution = WorkflowExecution(workflow_id="wf", run_id=run_id)
        page = await wire.call("GetWorkflowExecutionHistory", execution=execution, next_page_token=token)
        events += page.history.events
        token = page.next_page_token
        if not token:
            return events


async def _send(wire: Wire, number: int) -> None:
    await wire.call(
        "SignalWorkflowExecution",
        workflow_execution=WorkflowExecution(workflow_id="wf"),
        signal_name=str(number),
        request_id=f"signal-{number}",
    )


async def _flood(wire: Wire, count: int) -> None:
    """Each of so many senders waits for the answer before its next signal, so that its own are in order."""

    async def sender(first: int) -> None:
        for number in range(first, count, AT_ONCE):
            await _send(wire, number)

    await asyncio.gather(*(sender(first) for first in range(AT_ONCE)))


class Workflow:
    """A worker with a cache: it completes workflow tasks until it has seen as many signals as will come."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.seen: list[str] = []
        sticky = TaskQueue(name="sticky", kind="TASK_QUEUE_KIND_STICKY", normal_name="queue")
        self.polls = {queue.name: self._poll(queue) for queue in (TaskQueue(name="queue"), sticky)}

    def _poll(self, queue: TaskQueue) -> "asyncio.Task[tuple[TaskQueue, Any]]":
        async def poll() -> tuple[TaskQueue, Any]:
            return queue, await self.wire.call("PollWorkflowTaskQueue", task_queue=queue)

        return asyncio.create_task(poll())

    async def run(self, count: int) -> None:
        while len(self.seen) < count:
            done, _ = await asyncio.wait(self.polls.values(), return_when=asyncio.FIRST_COMPLETED)
            for poll in done:
                queue, task = await poll
                await self._take(task)
                self.polls[queue.name] = self._poll(queue)
        for poll in self.polls.values():
            poll.cancel()

    async def _take(self, task: Any) -> None:
        if task.history.events[0].event_id == 1:
            self.seen.clear()
        self._look(task.history.events)
        token = task.next_page_token
        while token:
            page = await self.wire.call("GetWorkflowExecutionHistory", execution=task.workflow_execution, next_page_token=token)
            self._look(page.history.events)
            token = page.next_page_token
        request = api.RespondWorkflowTaskCompletedRequest(
            namespace="default",
            task_token=task.task_token,
            sticky_attributes={"worker_task_queue": {"name": "sticky"}, "schedule_to_start_timeout": {"seconds": 10}},
        )
        try:
            await self.wire.stub.RespondWorkflowTaskCompleted(request)
        except grpc.aio.AioRpcError as refused:  # more than a hundred signals came meanwhile: the task has failed and comes again
            assert refused.details() == "Workflow task not found."

    def _look(self, events: Any) -> None:
        self.seen += [event.workflow_execution_signaled_event_attributes.signal_name for event in events if event.event_type == SIGNALED]


@pytest.mark.parametrize("count", [2000, pytest.param(10_000, marks=pytest.mark.long)])
async def test_all_signals_of_a_burst_are_delivered_once_and_in_order_while_the_workflow_goes_on(wire: Wire, count: int) -> None:
    run_id = await wire.begin("wf")
    workflow = Workflow(wire)

    async with asyncio.timeout(count / 40), asyncio.TaskGroup() as together:
        together.create_task(workflow.run(count))
        together.create_task(_flood(wire, count))

    events = await _history(wire, run_id)
    written = [event.workflow_execution_signaled_event_attributes.signal_name for event in events if event.event_type == SIGNALED]
    assert check_history(events) == []
    assert sorted(written, key=int) == [str(number) for number in range(count)]
    assert workflow.seen == written
    for first in range(AT_ONCE):
        own = [int(name) for name in written if int(name) % AT_ONCE == first]
        assert own == sorted(own)
    assert sum(event.event_type == TASK_COMPLETED for event in events) >= 5


async def test_a_repeated_burst_adds_nothing(wire: Wire) -> None:
    run_id = await wire.begin("wf")
    await _flood(wire, 300)
    before = await _history(wire, run_id)

    await wire.restart()
    await _flood(wire, 300)

    assert await _history(wire, run_id) == before


async def test_signals_without_end_do_not_keep_a_workflow_from_continuing_as_new(fleeting: Wire) -> None:
    await fleeting.begin("wf")
    over = asyncio.Event()

    async def flood() -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                await _send(fleeting, number)
            except Exception as refused:
                assert "workflow is closing" in str(refused)

    async def continues() -> int:
        attempts = 0
        first = ""
        while True:
            task = await fleeting.call("PollWorkflowTaskQueue", task_queue=TaskQueue(name="queue"))
            first = first or task.workflow_execution.run_id
            if task.workflow_execution.run_id != first:
                return attempts
            await asyncio.sleep(0.05)  # long enough for a signal to come
            attempts += 1
            request = api.RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token, commands=[CONTINUE])
            try:
                await fleeting.stub.RespondWorkflowTaskCompleted(request)
            except Exception as refused:
                assert "UnhandledCommand" in str(refused)

    flooding = [asyncio.create_task(flood()) for _ in range(5)]
    async with asyncio.timeout(20):
        attempts = await continues()
    over.set()
    await asyncio.gather(*flooding)

    assert attempts == 2
