"""A node in this process with a clock that tests set, and the raw wire to it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice import v1 as api
from temporalio.api.workflowservice.v1 import WorkflowServiceStub

from outlast.server.node import Node, NodeSettings

HOUR = 3600 * 1_000_000_000


class Clock:
    """The real time, and what a test has put on top."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead


class Wire:
    """One node on a file, and calls to it."""

    def __init__(self, path: Path | None, dynamic_config: dict[str, str] | None = None) -> None:
        self.path = path
        self.dynamic_config = dynamic_config or {}
        self.clock = Clock()

    async def start(self) -> None:
        file = str(self.path) if self.path else None
        self.node = Node(NodeSettings(port=0, db_filename=file, dynamic_config=self.dynamic_config), self.clock)
        await self.node.start()
        self.channel = grpc.aio.insecure_channel(self.node.address, options=[("grpc.max_receive_message_length", -1)])
        self.stub = WorkflowServiceStub(self.channel)

    async def stop(self) -> None:
        await self.channel.close()
        await self.node.stop()

    async def restart(self, ahead_ns: int = 0) -> None:
        """Stop, let time pass, start."""
        await self.stop()
        self.clock.ahead += ahead_ns
        await self.start()

    async def call(self, method: str, **fields: Any) -> Any:
        request = getattr(api, f"{method}Request")(namespace="default", **fields)
        return await getattr(self.stub, method)(request, timeout=30)

    async def begin(self, workflow_id: str, queue: str = "queue", **fields: Any) -> str:
        reply = await self.call(
            "StartWorkflowExecution",
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name="wt"),
            task_queue=TaskQueue(name=queue),
            **fields,
        )
        return str(reply.run_id)

    async def terminate(self, workflow_id: str) -> None:
        await self.call("TerminateWorkflowExecution", workflow_execution=WorkflowExecution(workflow_id=workflow_id))

    async def there(self, workflow_id: str, run_id: str = "") -> bool:
        try:
            await self.call("DescribeWorkflowExecution", execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id))
        except grpc.aio.AioRpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND
            return False
        return True

    async def count(self) -> int:
        return int((await self.call("CountWorkflowExecutions")).count)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for something that happens in the background."""
        async with asyncio.timeout(10):
            while not await condition():
                await asyncio.sleep(0.005)


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    """On a file, so that it can be restarted."""
    wire = Wire(tmp_path / "outlast.db")
    await wire.start()
    yield wire
    await wire.stop()


@pytest.fixture
async def fleeting() -> AsyncIterator[Wire]:
    """In memory."""
    wire = Wire(None)
    await wire.start()
    yield wire
    await wire.stop()
