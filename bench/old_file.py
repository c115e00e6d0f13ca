"""Builds a file with many closed and many sleeping workflows: every row made by the server's own code, without a network.

    python -m bench.old_file FILE CLOSED SLEEPING

The calls go straight to the node's handlers, and a worker in the same process answers the workflow tasks. Only the
store differs: it does not wait for the disk.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from itertools import chain, count, repeat
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import (
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    StartTimerCommandAttributes,
)
from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)

from bench.servers import NAMESPACE
from outlast.server.frontend.calls import Call, Handler
from outlast.server.node import Node, NodeSettings

LANES = 200
"""Workflows under way at a time: they share transactions."""
SLEEP_S_MIN = 120
SLEEP_S_MAX = 3_720
"""The sleeping workflows wake evenly over an hour, none of them while the start is measured."""
IDENTITY = "bench"
_QUEUE = TaskQueue(name="old")
_ONE = Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=b"1")])


class InProcess(Call):
    """A call that came over no network."""

    __slots__ = ()

    def __init__(self) -> None:
        pass

    def seconds_left(self) -> float:
        return 60.0

    def header(self, name: str) -> str:
        return ""


def completes() -> Command:
    attributes = CompleteWorkflowExecutionCommandAttributes(result=_ONE)
    return Command(
        command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, complete_workflow_execution_command_attributes=attributes
    )


def sleeps(seconds: int) -> Command:
    attributes = StartTimerCommandAttributes(timer_id="1", start_to_fire_timeout=Duration(seconds=seconds))
    return Command(command_type=CommandType.COMMAND_TYPE_START_TIMER, start_timer_command_attributes=attributes)


def _sleeping(sleeping: int) -> Iterator[Command]:
    for n in range(sleeping):
        yield sleeps(SLEEP_S_MIN + n * (SLEEP_S_MAX - SLEEP_S_MIN) // sleeping)


async def lane(handlers: Mapping[str, Handler], commands: Iterator[Command], numbers: "count[int]") -> None:
    """One lane: a workflow for each command, up to what that command leaves."""
    call = InProcess()
    for command in commands:
        start = StartWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_id=f"order-{next(numbers)}",
            workflow_type=WorkflowType(name="OrderWorkflow"),
            task_queue=_QUEUE,
            input=_ONE,
            identity=IDENTITY,
            request_id=str(uuid4()),
        )
        await handlers["StartWorkflowExecution"](start, call)
        poll = PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=_QUEUE, identity=IDENTITY)
        reply = await handlers["PollWorkflowTaskQueue"](poll, call)
        task = PollWorkflowTaskQueueResponse.FromString(reply if isinstance(reply, bytes) else reply.SerializeToString())
        answer = RespondWorkflowTaskCompletedRequest(namespace=NAMESPACE, task_token=task.task_token, identity=IDENTITY, commands=[command])
        await handlers["RespondWorkflowTaskCompleted"](answer, call)


async def build(path: str, closed: int, sleeping: int) -> None:
    node = Node(NodeSettings(port=0, db_filename=path, sqlite_pragmas={"synchronous": "off"}))
    await node.start()
    handlers = node._handlers  # the calls without their transport: what the bench saves is 330,000 round trips
    numbers = count(1)
    commands = chain(repeat(completes(), closed), _sleeping(sleeping))
    async with asyncio.TaskGroup() as lanes:
        for _ in range(LANES):
            lanes.create_task(lane(handlers, commands, numbers))
    await node.stop()


if __name__ == "__main__":
    asyncio.run(build(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
