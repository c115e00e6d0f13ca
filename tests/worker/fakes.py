"""A server that answers as a test says: for what a real one does not do when it is asked to."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message

from outlast.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

Handler = Callable[[Any], Awaitable[Message]]


class FakeService(ServiceClient):
    """Calls go to the handlers, by the procedure's name; what has none is not implemented."""

    def __init__(self, **handlers: Handler) -> None:
        super().__init__(ConnectConfig("nowhere"))
        self.handlers = handlers

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        return

    def update_api_key(self, api_key: str | None) -> None:
        return

    async def _rpc_call(
        self,
        service: str,
        rpc: str,
        request: Message,
        response_type: type[Any],
        *,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> Any:
        handler = self.handlers.get(rpc)
        if handler is None:
            raise failure(RPCStatusCode.UNIMPLEMENTED)
        return await handler(request)


class FakeClient:
    """As much of a client as a worker's parts ask for."""

    namespace = "default"
    identity = "me"

    def __init__(self, **handlers: Handler) -> None:
        self.service_client = FakeService(**handlers)


def failure(status: RPCStatusCode) -> RPCError:
    return RPCError(status.name.lower(), status, b"")
