"""Plugins: what other packages change about a client when it is made."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from outlast.service import ConnectConfig, ServiceClient

if TYPE_CHECKING:
    from outlast.client._config import ClientConfig


class Plugin(abc.ABC):
    """Changes a client's settings and its connection. The first of several plugins wraps the others.

    A plugin that is a :class:`outlast.worker.Plugin` as well is used by the workers of the client, too: do not give it to them again.
    """

    def name(self) -> str:
        """A name to tell plugins apart; the class's own, with its module, unless overridden."""
        return type(self).__module__ + "." + type(self).__qualname__

    @abc.abstractmethod
    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Change the settings of a client that is being made, such as its interceptors or converter, and return them."""

    @abc.abstractmethod
    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],
    ) -> ServiceClient:
        """Connect to the server: change the settings, call ``next`` with them, and return what it returns, or a client of its own."""
