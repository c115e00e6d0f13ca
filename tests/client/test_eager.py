"""A workflow's first task goes to a worker of this process with the reply to its start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse

import outlast.workflow
from outlast import Outlast
from outlast.client import Client
from outlast.exceptions import WorkflowAlreadyStartedError
from outlast.worker import Worker


@outlast.workflow.defn
class Ready:
    @outlast.workflow.run
    async def run(self) -> str:
        return "ready"


@pytest_asyncio.fixture
async def embedded() -> AsyncIterator[Client]:
    async with Outlast.open(":memory:") as client:
        yield client


class Slot:
    """Room for a task, that notes what comes of it."""

    deployment_options = None

    def __init__(self) -> None:
        self.outcome: list[PollWorkflowTaskQueueResponse | None] = []

    def accept(self, task: PollWorkflowTaskQueueResponse) -> None:
        self.outcome.append(task)

    def release(self) -> None:
        self.outcome.append(None)

    def reserve_eager(self) -> Slot:
        return self


async def test_the_first_task_comes_with_the_reply(embedded: Client) -> None:
    async with Worker(embedded, task_queue="q", workflows=[Ready]) as worker:
        while not worker.is_running:
            await asyncio.sleep(0)
        handle = await embedded.start_workflow(Ready.run, id="w", task_queue="q", request_eager_start=True)

        assert getattr(handle, "__temporal_eagerly_started")
        assert await handle.result() == "ready"


async def test_without_a_worker_here_the_start_is_an_ordinary_one(embedded: Client) -> None:
    handle = await embedded.start_workflow("Ready", id="w", task_queue="q", request_eager_start=True)

    event = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert not event.eager_execution_accepted
    assert not getattr(handle, "__temporal_eagerly_started")


async def test_room_that_was_kept_is_used_or_given_back(embedded: Client) -> None:
    slot = Slot()
    embedded.service_client.eager_workers.register("default", "q", slot)

    await embedded.start_workflow("Ready", id="w", task_queue="q", request_eager_start=True)
    with pytest.raises(WorkflowAlreadyStartedError):
        await embedded.start_workflow("Ready", id="w", task_queue="q", request_eager_start=True)
    await embedded.start_workflow("Ready", id="other", task_queue="q")

    accepted, released = slot.outcome
    assert accepted is not None
    assert accepted.workflow_execution.workflow_id == "w"
    assert released is None
