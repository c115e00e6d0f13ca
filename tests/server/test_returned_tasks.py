"""A workflow task that comes back with the completion of the one before."""

import asyncio

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest, RespondWorkflowTaskCompletedRequest

from outlast import Outlast

QUEUE = TaskQueue(name="q")


async def test_a_task_that_was_started_is_returned_whatever_happens_while_it_is_written() -> None:
    async with Outlast.open(":memory:") as client:
        service = client.workflow_service
        handle = await client.start_workflow("Order", id="order", task_queue="q")
        first = await service.poll_workflow_task_queue(PollWorkflowTaskQueueRequest(namespace="default", task_queue=QUEUE))
        await handle.signal("buffered")
        completion = RespondWorkflowTaskCompletedRequest(namespace="default", task_token=first.task_token, return_new_workflow_task=True)

        completing = asyncio.create_task(service.respond_workflow_task_completed(completion))
        signalling = [asyncio.create_task(handle.signal("meanwhile")) for _ in range(3)]
        reply, *_ = await asyncio.gather(completing, *signalling)

        assert [event.event_id for event in reply.workflow_task.history.events] == [4, 5, 6, 7]
        last = RespondWorkflowTaskCompletedRequest(namespace="default", task_token=reply.workflow_task.task_token)
        await service.respond_workflow_task_completed(last)
        events = [event.event_id async for event in handle.fetch_history_events()]
        assert events[-2:] == [11, 12]
