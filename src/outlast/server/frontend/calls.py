"""One table of every call that is built, and the shell around each: deadlines, errors, and messages as bytes."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf import message_factory
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from temporalio.api.operatorservice.v1 import service_pb2 as operator_service
from temporalio.api.workflowservice.v1 import service_pb2 as workflow_service

from outlast.engine.refusals import Refusal
from outlast.server.frontend.errors import rpc_error
from outlast.server.store.errors import StoreError

logger = logging.getLogger(__name__)

RequestT = TypeVar("RequestT", bound=Message)
Reply = Message | bytes
"""A reply that is made of stored bytes is joined, not parsed."""
Handler = Callable[[Any, "Call"], Awaitable[Reply]]  # each handler takes the request type of its own call
WORKFLOW_SERVICE = workflow_service.DESCRIPTOR.services_by_name["WorkflowService"]
OPERATOR_SERVICE = operator_service.DESCRIPTOR.services_by_name["OperatorService"]


class Call:
    """What a handler may know of a call beside its request."""

    __slots__ = ("_context",)

    def __init__(self, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        self._context = context

    def seconds_left(self) -> float | None:
        """Until the caller's deadline; None when it set none."""
        left = self._context.time_remaining()
        return None if left is None or left > 1e9 else left

    def header(self, name: str) -> str:
        """A request header, empty when it was not sent."""
        for key, value in self._context.invocation_metadata() or ():
            if key == name:
                return value if isinstance(value, str) else value.decode(errors="replace")
        return ""


def service(kind: ServiceDescriptor, handlers: Mapping[str, Handler]) -> grpc.GenericRpcHandler:
    """A service with these calls; every other one answers UNIMPLEMENTED."""
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in kind.methods:
        handler = handlers.get(method.name)
        if handler is None:
            methods[method.name] = grpc.unary_unary_rpc_method_handler(_unimplemented(method.name))
            continue
        request_type = message_factory.GetMessageClass(method.input_type)
        methods[method.name] = grpc.unary_unary_rpc_method_handler(
            _guarded(method.name, handler),
            request_deserializer=request_type.FromString,
            response_serializer=_serialize,
        )
    return grpc.method_handlers_generic_handler(kind.full_name, methods)


def _serialize(reply: Reply) -> bytes:
    return reply if isinstance(reply, bytes) else reply.SerializeToString()


def _guarded(name: str, handler: Handler) -> Callable[[Any, Any], Awaitable[Reply]]:
    async def call(request: Message, context: "grpc.aio.ServicerContext[Any, Any]") -> Reply:
        try:
            return await handler(request, Call(context))
        except (Refusal, StoreError) as refusal:
            error = rpc_error(refusal)
        except Exception as bug:  # the outermost loop of a request: the caller gets INTERNAL, the log the trace
            logger.exception("%s failed", name)
            error = rpc_error(bug)
        if error.initial_metadata:
            await context.send_initial_metadata(error.initial_metadata)
        await context.abort(error.code, error.message, error.trailing_metadata())
        raise AssertionError("abort does not return")

    return call


def _unimplemented(name: str) -> Callable[[Any, Any], Awaitable[bytes]]:
    async def call(_request: bytes, context: "grpc.aio.ServicerContext[Any, Any]") -> bytes:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{name} is not built yet; see docs/compatibility.md")
        raise AssertionError("abort does not return")

    return call
