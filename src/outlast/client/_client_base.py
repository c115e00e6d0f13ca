"""What the parts of a client share."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from outlast.client._client import Client
    from outlast.client._config import ClientConfig
    from outlast.client._interceptor import OutboundInterceptor


class ClientBase:
    """A part of a client."""

    _impl: OutboundInterceptor
    """What calls go through: the user's interceptors, and at last what makes the calls."""
    _config: ClientConfig

    @property
    def _whole(self) -> Client:
        """The client that this is a part of."""
        return cast("Client", self)
