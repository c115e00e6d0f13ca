"""One remote procedure as a typed attribute of its service."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, overload

from google.protobuf.message import Message

if TYPE_CHECKING:
    from outlast.service._client import ServiceClient

ServiceRequest = TypeVar("ServiceRequest", bound=Message)
ServiceResponse = TypeVar("ServiceResponse", bound=Message)
_Request = TypeVar("_Request", bound=Message, contravariant=True)
_Response = TypeVar("_Response", bound=Message, covariant=True)

NO_METADATA: Mapping[str, str | bytes] = {}


class Call(Protocol[_Request, _Response]):
    """A procedure, ready to be called."""

    def __call__(
        self,
        req: _Request,
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = NO_METADATA,
        timeout: timedelta | None = None,
    ) -> Coroutine[Any, Any, _Response]:
        """Send the request and wait for the reply.

        ``retry`` repeats the call after failures that may pass, as the connection's retry settings say; ``metadata`` goes along as
        headers and wins over the client's own; ``timeout`` limits each attempt. Raises :class:`outlast.service.RPCError`.
        """


class Service:
    """The procedures of one service of the server."""

    _short_name: ClassVar[str]
    """What transports call the service."""
    _full_name: ClassVar[str]
    """Name on the wire."""

    def __init__(self, client: ServiceClient) -> None:
        """Send all calls through this client."""
        self._client = client


class Rpc(Generic[ServiceRequest, ServiceResponse]):
    """Declares a procedure of a service: its attribute name in snake case, its messages here."""

    def __init__(self, request_type: type[ServiceRequest], response_type: type[ServiceResponse]) -> None:
        self.request_type = request_type
        self.response_type = response_type

    def __set_name__(self, owner: type[Service], name: str) -> None:
        self.name = name
        self.__doc__ = f"Call {wire_name(name)}; see :class:`outlast.service.Call`."

    @overload
    def __get__(self, service: None, owner: type[Service]) -> Rpc[ServiceRequest, ServiceResponse]: ...

    @overload
    def __get__(self, service: Service, owner: type[Service]) -> Call[ServiceRequest, ServiceResponse]: ...

    def __get__(
        self, service: Service | None, owner: type[Service]
    ) -> Rpc[ServiceRequest, ServiceResponse] | Call[ServiceRequest, ServiceResponse]:
        if service is None:
            return self
        # The instance's own attribute hides this descriptor from the second access on.
        bound = service.__dict__[self.name] = self._bind(service)
        return bound

    def _bind(self, service: Service) -> Call[ServiceRequest, ServiceResponse]:
        client, short_name, name, response_type = service._client, service._short_name, self.name, self.response_type

        def call(
            req: ServiceRequest,
            retry: bool = False,
            metadata: Mapping[str, str | bytes] = NO_METADATA,
            timeout: timedelta | None = None,
        ) -> Coroutine[Any, Any, ServiceResponse]:
            return client._rpc_call(short_name, name, req, response_type, retry=retry, metadata=metadata, timeout=timeout)

        call.__name__ = name
        call.__qualname__ = f"{type(service).__name__}.{name}"
        call.__doc__ = self.__doc__
        return call


def wire_name(rpc: str) -> str:
    """The procedure's name on the wire, made from its name in snake case."""
    return "".join(part.capitalize() for part in rpc.split("_"))
