"""What a call is to its handler, and the shell around each handler: whatever goes wrong in it becomes an error of the wire."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from temporalio.api.operatorservice.v1 import service_pb2 as operator_service
from temporalio.api.workflowservice.v1 import service_pb2 as workflow_service

from outlast.engine.refusals import Refusal
from outlast.server.frontend.codes import StatusCode
from outlast.server.frontend.errors import CallFailed, RpcError, rpc_error
from outlast.server.store.errors import StoreError

logger = logging.getLogger(__name__)

Reply = Message | bytes
"""A reply that is made of stored bytes is joined, not parsed."""
Handler = Callable[[Any, "Call"], Awaitable[Reply]]  # each handler takes the request type of its own call
WORKFLOW_SERVICE = workflow_service.DESCRIPTOR.services_by_name["WorkflowService"]
OPERATOR_SERVICE = operator_service.DESCRIPTOR.services_by_name["OperatorService"]


class Call:
    """What a handler may know of a call beside its request."""

    __slots__ = ("_deadline", "_headers")

    def __init__(self, timeout_s: float | None = None, headers: Mapping[str, str | bytes] = {}) -> None:
        self._deadline = None if timeout_s is None else asyncio.get_running_loop().time() + timeout_s
        self._headers = headers

    def seconds_left(self) -> float | None:
        """Until the caller's deadline; None when it set none."""
        return None if self._deadline is None else max(self._deadline - asyncio.get_running_loop().time(), 0.0)

    def header(self, name: str) -> str:
        """A request header, empty when it was not sent."""
        value = self._headers.get(name, "")
        return value if isinstance(value, str) else value.decode(errors="replace")


class Service(msgspec.Struct, frozen=True):
    """One service of the wire, and the calls of it that are built, by name."""

    descriptor: ServiceDescriptor
    handlers: Mapping[str, Handler]


async def answer(name: str, handler: Handler | None, request: Message, call: Call) -> Reply:
    """The reply. Raises CallFailed, and nothing else but what a cancelled caller causes."""
    if handler is None:
        raise CallFailed(RpcError(StatusCode.UNIMPLEMENTED, f"{name} is not built yet; see docs/compatibility.md"))
    try:
        return await handler(request, call)
    except (Refusal, StoreError) as refusal:
        raise CallFailed(rpc_error(refusal)) from refusal
    except Exception as bug:  # the outermost loop of a request: the caller gets INTERNAL, the log the trace
        logger.exception("%s failed", name)
        raise CallFailed(rpc_error(bug)) from bug
