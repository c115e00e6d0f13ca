"""What a worker answers: activities that it may run at once, versions, failures from the second attempt on."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedResponse,
)

from outlast import activity, workflow
from outlast.client import Client
from outlast.common import VersioningBehavior
from outlast.replay.protocol import Step
from outlast.service import RPCStatusCode
from outlast.worker import Worker
from outlast.worker._answers import Answers
from outlast.worker._slots import FixedSlots, Permit
from outlast.worker._wire import Server, Wire
from tests.worker.fakes import FakeClient, failure

TASK = PollWorkflowTaskQueueResponse(task_token=b"token", attempt=1)


def schedule(activity_id: str, queue: str = "queue") -> Command:
    command = Command()
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = activity_id
    attributes.task_queue.name = queue
    attributes.request_eager_execution = True
    return command


class Activities:
    """The activity side of a worker, with three slots."""

    def __init__(self, size: int = 3) -> None:
        self.slots = FixedSlots(size)
        self.ran: list[bytes] = []

    def reserve(self) -> Permit | None:
        return self.slots.try_reserve()

    def accept(self, task: PollActivityTaskQueueResponse, permit: Permit) -> None:
        self.ran.append(task.task_token)
        permit.release()

    @property
    def free(self) -> int:
        permits = []
        while (permit := self.slots.try_reserve()) is not None:
            permits.append(permit)
        for permit in permits:
            permit.release()
        return len(permits)


class Workplace:
    """Answers, and the server that takes them."""

    def __init__(self, activities: Activities | None = None, behavior: int = 0) -> None:
        self.completed: list[RespondWorkflowTaskCompletedRequest] = []
        self.failed = 0
        self.reply: Message | Exception = RespondWorkflowTaskCompletedResponse()
        client = FakeClient(respond_workflow_task_completed=self._complete, respond_workflow_task_failed=self._fail)
        wire = Wire(namespace="default", task_queue="queue", identity="me", build_id="1.0")
        self.answers = Answers(Server(client), wire, None, activities, 3, behavior)  # type: ignore[arg-type]

    async def _complete(self, request: RespondWorkflowTaskCompletedRequest) -> Message:
        self.completed.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    async def _fail(self, request: Message) -> Message:
        self.failed += 1
        return RespondWorkflowTaskFailedResponse()


def asked(request: RespondWorkflowTaskCompletedRequest) -> list[bool]:
    return [command.schedule_activity_task_command_attributes.request_eager_execution for command in request.commands]


async def test_activities_are_asked_for_at_once_as_far_as_there_are_slots_and_only_of_the_workers_own_queue() -> None:
    activities = Activities()
    workplace = Workplace(activities)
    workplace.reply = RespondWorkflowTaskCompletedResponse(activity_tasks=[PollActivityTaskQueueResponse(task_token=b"a")])

    await workplace.answers.complete(TASK, Step(commands=[schedule("x", "another"), *(schedule(each) for each in "abcd")]))

    assert asked(workplace.completed[0]) == [False, True, True, True, False]
    assert (activities.ran, activities.free) == ([b"a"], 3)


async def test_a_worker_without_activities_asks_for_none() -> None:
    workplace = Workplace(None)

    await workplace.answers.complete(TASK, Step(commands=[schedule("a")]))

    assert asked(workplace.completed[0]) == [False]


async def test_an_answer_that_is_refused_gives_the_slots_back_and_says_so() -> None:
    activities = Activities()
    workplace = Workplace(activities)
    workplace.reply = failure(RPCStatusCode.NOT_FOUND)

    assert await workplace.answers.complete(TASK, Step(commands=[schedule("a")])) is None
    assert activities.free == 3


async def test_the_versioning_behavior_of_the_workflow_goes_before_the_workers() -> None:
    workplace = Workplace(behavior=VersioningBehavior.AUTO_UPGRADE.value)

    await workplace.answers.complete(TASK, Step())
    await workplace.answers.complete(TASK, Step(versioning_behavior=VersioningBehavior.PINNED.value))

    assert [request.versioning_behavior for request in workplace.completed] == [2, 1]


@pytest.mark.parametrize(("attempt", "told"), [(1, 1), (2, 0)])
async def test_the_server_hears_of_the_first_failure_of_a_task_only(attempt: int, told: int) -> None:
    workplace = Workplace()

    await workplace.answers.fail(PollWorkflowTaskQueueResponse(attempt=attempt), Failure(message="no"), 0)

    assert workplace.failed == told


@activity.defn
async def echo(x: int) -> int:
    return x


@workflow.defn
class Echo:
    @workflow.run
    async def run(self) -> list[int]:
        calls = [workflow.execute_activity(echo, i, start_to_close_timeout=timedelta(seconds=10)) for i in range(5)]
        return await asyncio.gather(*calls)


class NoActivityPolls:
    """The server, whose polls for activities never end."""

    def __init__(self, client: Client) -> None:
        self._calls = client.workflow_service

    def __getattr__(self, name: str) -> Any:
        return getattr(self._calls, name)

    async def poll_activity_task_queue(self, request: Any, **options: Any) -> Any:
        await asyncio.Event().wait()


async def test_eager_activities_need_no_poll(client: Client, queue: str) -> None:
    worker = Worker(client, task_queue=queue, workflows=[Echo], activities=[echo], max_eager_activity_reservations_per_workflow_task=5)
    worker._server.calls = NoActivityPolls(client)  # type: ignore[assignment]
    async with worker:
        assert await client.execute_workflow(Echo.run, id="wf", task_queue=queue) == [0, 1, 2, 3, 4]


async def test_where_eager_activities_are_off_all_are_polled_for(client: Client, queue: str) -> None:
    worker = Worker(client, task_queue=queue, workflows=[Echo], activities=[echo], disable_eager_activity_execution=True)
    worker._server.calls = NoActivityPolls(client)  # type: ignore[assignment]
    async with worker:
        handle = await client.start_workflow(Echo.run, id="wf", task_queue=queue)
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                break
        attempts = [each.last_worker_identity for each in (await handle.describe()).raw_description.pending_activities]
        await handle.terminate()

    assert set(attempts) == {""}
