"""A node whose time skips, call by call: what holds the time, and what does not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import CommandType, TaskQueueKind
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice import v1 as api

from outlast.server.clock import SECOND, VirtualClock
from outlast.server.frontend.calls import WORKFLOW_SERVICE
from outlast.server.node import Node, NodeSettings

HOUR = 3600 * SECOND
DAY = 24 * HOUR
QUEUE = TaskQueue(name="queue")
STICKY = TaskQueue(name="sticky", kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name="queue")


class Skipping:
    """A node whose time is not locked, and calls to it."""

    def __init__(self) -> None:
        self.clock = VirtualClock(locked=False)
        self.node = Node(NodeSettings(port=None), self.clock)

    async def call(self, method: str, **fields: Any) -> Any:
        request = getattr(api, f"{method}Request")(namespace="default", **fields)
        reply = await self.node.call(WORKFLOW_SERVICE.full_name, method, request, 10.0)
        return getattr(api, f"{method}Response").FromString(reply) if isinstance(reply, bytes) else reply

    async def begin(self, workflow_id: str) -> None:
        await self.call("StartWorkflowExecution", workflow_id=workflow_id, workflow_type=WorkflowType(name="wt"), task_queue=QUEUE)

    async def poll(self, queue: TaskQueue = QUEUE) -> Any:
        return await self.call("PollWorkflowTaskQueue", task_queue=queue, identity="me")

    async def complete(self, task: Any, *commands: Command, **fields: Any) -> None:
        await self.call("RespondWorkflowTaskCompleted", task_token=task.task_token, commands=commands, **fields)


def timer(duration: timedelta) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = "1"
    command.start_timer_command_attributes.start_to_fire_timeout.FromTimedelta(duration)
    return command


def child(workflow_id: str) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    attributes = command.start_child_workflow_execution_command_attributes
    attributes.workflow_id = workflow_id
    attributes.workflow_type.name = "wt"
    attributes.task_queue.CopyFrom(QUEUE)
    return command


@pytest.fixture
async def skipping() -> AsyncIterator[Skipping]:
    skipping = Skipping()
    await skipping.node.start()
    yield skipping
    await skipping.node.stop()


def test_time_does_not_skip_over_what_is_in_a_file() -> None:
    with pytest.raises(ValueError, match="memory"):
        Node(NodeSettings(db_filename="app.db"), VirtualClock())


async def test_a_timer_is_jumped_to_when_its_workflow_has_nothing_else_to_do(skipping: Skipping) -> None:
    began = skipping.clock()
    await skipping.begin("wf")
    task = await skipping.poll()
    assert skipping.clock() < began + HOUR
    await skipping.complete(task, timer(timedelta(days=1)))

    task = await skipping.poll()

    assert began + DAY <= skipping.clock() < began + DAY + HOUR
    assert task.previous_started_event_id == 3


async def test_a_task_in_hand_and_one_that_waits_hold_the_time_of_all(skipping: Skipping) -> None:
    began = skipping.clock()
    await skipping.begin("sleeps")
    await skipping.complete(await skipping.poll(), timer(timedelta(days=1)))
    # The time has jumped already; the next timer must wait for the other workflow.
    sleeps = await skipping.poll()
    await skipping.begin("works")
    await skipping.complete(sleeps, timer(timedelta(days=1)))
    assert skipping.clock() < began + DAY + HOUR

    works = await skipping.poll()
    assert works.workflow_execution.workflow_id == "works"
    assert skipping.clock() < began + DAY + HOUR

    await skipping.complete(works)
    assert (await skipping.poll()).workflow_execution.workflow_id == "sleeps"
    assert skipping.clock() >= began + 2 * DAY


async def test_a_message_on_its_way_holds_the_time(skipping: Skipping, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the parent's decision and the child's first task no run has a task."""
    began = skipping.clock()
    await skipping.begin("parent")
    task = await skipping.poll()
    arrives, read_current = asyncio.Event(), skipping.node._store.read_current

    async def late(workflow: Any) -> Any:
        await arrives.wait()
        return await read_current(workflow)

    monkeypatch.setattr(skipping.node._store, "read_current", late)
    await skipping.complete(task, timer(timedelta(days=1)), child("child"))
    for _ in range(100):
        await asyncio.sleep(0)
    assert skipping.clock() < began + HOUR

    arrives.set()
    assert {(await skipping.poll()).workflow_execution.workflow_id for _ in range(2)} == {"parent", "child"}
    assert skipping.clock() < began + HOUR


async def test_a_worker_that_polled_a_moment_ago_is_there_after_a_jump_of_a_day(skipping: Skipping) -> None:
    """Whether a worker is alive is a matter of real time: its workflow's next task goes to its own queue."""
    seen = asyncio.create_task(skipping.poll(STICKY))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    seen.cancel()
    await skipping.begin("wf")
    sticky = StickyExecutionAttributes(worker_task_queue=STICKY)
    sticky.schedule_to_start_timeout.FromSeconds(10)
    began = skipping.clock()
    await skipping.complete(await skipping.poll(), timer(timedelta(days=1)), sticky_attributes=sticky)
    while skipping.clock() < began + DAY:
        await asyncio.sleep(0)
    for _ in range(100):  # the task is offered
        await asyncio.sleep(0)

    task = await skipping.poll(STICKY)

    assert task.history.events[0].event_id > 1
