"""The raw stub, and histories for people and for the checker: what all tests of faults share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

import grpc.aio
from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    WorkflowServiceStub,
)

from tests.history_checker import CLOSE_EVENTS, check_history

NAMESPACE = "default"
CALL_S = 5.0
RETRY_PAUSE_S = 0.05
COMPLETED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED
RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)
"""What a client sees of a server that was killed. UNKNOWN: the stream was reset."""
_CHANNEL = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
)


def connect(address: str) -> grpc.aio.Channel:
    """A connection of its own, that comes back fast when its server does."""
    return grpc.aio.insecure_channel(address, options=_CHANNEL)


class Wire:
    """One client over the raw stub."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = WorkflowServiceStub(channel)

    async def call(self, method: str, request: Message, timeout_s: float = CALL_S) -> Any:
        """One attempt."""
        return await getattr(self._stub, method)(request, timeout=timeout_s)

    def begin(self, method: str, request: Message, timeout_s: float = CALL_S) -> Any:
        """A call that can be cancelled."""
        return getattr(self._stub, method)(request, timeout=timeout_s)

    async def insist(self, method: str, request: Message, deadline: float, timeout_s: float = CALL_S) -> Any:
        """The same request again and again while the server is gone, until the event loop's clock says `deadline`."""
        while True:
            try:
                return await self.call(method, request, timeout_s)
            except grpc.aio.AioRpcError as error:
                if error.code() not in GONE:
                    raise
                if asyncio.get_running_loop().time() > deadline:
                    raise TimeoutError(f"{method} was never answered: {error.code().name} {error.details()}\n{request}") from error
                await asyncio.sleep(RETRY_PAUSE_S)

    async def history(self, workflow_id: str, run_id: str = "") -> list[HistoryEvent]:
        """All events of one run as they stand."""
        events: list[HistoryEvent] = []
        request = GetWorkflowExecutionHistoryRequest(
            namespace=NAMESPACE, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
        while True:
            reply = await self.call("GetWorkflowExecutionHistory", request, timeout_s=20)
            events += reply.history.events
            if not reply.next_page_token:
                return events
            request.next_page_token = reply.next_page_token

    async def status(self, workflow_id: str, run_id: str = "") -> int:
        """A WorkflowExecutionStatus."""
        request = DescribeWorkflowExecutionRequest(namespace=NAMESPACE, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id))
        reply = await self.call("DescribeWorkflowExecution", request)
        status: int = reply.workflow_execution_info.status
        return status


async def until(condition: Callable[[], Awaitable[bool]], what: str, timeout_s: float, pause_s: float = 0.02) -> None:
    """Wait for a condition. Raises AssertionError when it does not come in time."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"still not: {what}"
        await asyncio.sleep(pause_s)


def kind(event: HistoryEvent) -> str:
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")


def kinds(events: Sequence[HistoryEvent]) -> list[str]:
    return [kind(event) for event in events]


def shown(events: Sequence[HistoryEvent]) -> str:
    """A history for people: one event a line."""
    return "\n".join(f"  {event.event_id} {event.event_time.ToJsonString()} {kind(event)} {_attributes(event)}" for event in events)


def _attributes(event: HistoryEvent) -> str:
    name = event.WhichOneof("attributes")
    return " ".join(str(getattr(event, name)).split())[:300] if name else ""


def closed(events: Sequence[HistoryEvent]) -> bool:
    return bool(events) and events[-1].event_type in CLOSE_EVENTS


def flaws(name: str, events: Sequence[HistoryEvent]) -> list[str]:
    """What the checker finds, with the history."""
    found = check_history(events)
    return [f"history of {name}:\n  " + "\n  ".join(found) + "\n" + shown(events)] if found else []


def free_port(random: Random) -> int:
    """A port that no outgoing connection will take while its server is down: below the ephemeral ones."""
    for _ in range(200):
        port = random.randint(15_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
