"""The gRPC door: a port on which a node's services, and their health, are served. The only room that needs gRPC."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf import message_factory
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from outlast.server.frontend.calls import Call, Handler, Reply, Service, answer
from outlast.server.frontend.errors import CallFailed
from outlast.server.frontend.limits import MESSAGE_BYTES_MAX

PENDING_CALLS_MAX = 100_000
"""Calls that have arrived and wait for this process to take them. Of a burst beyond it gRPC drops some; by itself it does from 1,000."""
_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.server.max_pending_requests", PENDING_CALLS_MAX),
    ("grpc.server.max_pending_requests_hard_limit", PENDING_CALLS_MAX),
)
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GrpcDoor:
    """Listens from its making on; serves once it is started."""

    def __init__(self, services: Sequence[Service], ip: str, port: int) -> None:
        """Raises OSError when it cannot listen there. Port 0: any free one."""
        self._names = [service.descriptor.full_name for service in services]
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers([_handlers(service) for service in services])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        wanted = f"{ip}:{port}"
        try:
            self.port: int = self._server.add_insecure_port(wanted)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {wanted}: the port is taken or the address is not this machine's") from error

    async def start(self) -> None:
        await self._server.start()
        for name in ("", *self._names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def close_slowly(self) -> None:
        """Tell whoever watches the health that it is over."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_s: float | None) -> None:
        """Take no more calls; those that run have so long to end."""
        await self._server.stop(grace_s)


class _WireCall(Call):
    """A call whose deadline and headers gRPC knows: most handlers ask for neither, so nothing is read before that."""

    __slots__ = ("_context",)

    def __init__(self, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        self._context = context

    def seconds_left(self) -> float | None:
        left = self._context.time_remaining()
        return None if left is None or left > 1e9 else left

    def header(self, name: str) -> str:
        for key, value in self._context.invocation_metadata() or ():
            if key == name:
                return value if isinstance(value, str) else value.decode(errors="replace")
        return ""


def _handlers(service: Service) -> grpc.GenericRpcHandler:
    """The service with its calls; what is not built answers UNIMPLEMENTED."""
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in service.descriptor.methods:
        request_type = message_factory.GetMessageClass(method.input_type)
        methods[method.name] = grpc.unary_unary_rpc_method_handler(
            _served(method.name, service.handlers.get(method.name)),
            request_deserializer=request_type.FromString,
            response_serializer=_serialize,
        )
    return grpc.method_handlers_generic_handler(service.descriptor.full_name, methods)


def _serialize(reply: Reply) -> bytes:
    return reply if isinstance(reply, bytes) else reply.SerializeToString()


def _served(name: str, handler: Handler | None) -> Callable[[Any, Any], Awaitable[Reply]]:
    async def serve(request: Message, context: "grpc.aio.ServicerContext[Any, Any]") -> Reply:
        try:
            return await answer(name, handler, request, _WireCall(context))
        except CallFailed as failed:
            error = failed.error
        if error.initial_metadata:
            await context.send_initial_metadata(error.initial_metadata)
        status = error.status()
        await context.abort(_CODES[error.code], error.message, (("grpc-status-details-bin", status),) if status else ())
        raise AssertionError("abort does not return")

    return serve
