"""Durable workflows inside your own process: `async with Outlast.open("app.db") as client`. No server, no port."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from outlast._direct import DirectServiceClient
from outlast.client import Client, Interceptor, Plugin
from outlast.common import HeaderCodecBehavior, QueryRejectCondition, SearchAttributeKey
from outlast.converter import DataConverter
from outlast.exceptions import TemporalError
from outlast.runtime import Runtime
from outlast.server.clock import real_time
from outlast.server.node import Node, NodeSettings
from outlast.server.store.errors import CannotOpen, InUse
from outlast.service import ConnectConfig, RetryConfig, ServiceClient

MEMORY = ":memory:"


class OpenError(TemporalError):
    """The file cannot be opened, or nobody can be listened to there. The message says why, and what to do."""


class Outlast:
    """A whole server in this process and event loop, and clients of it.

    What a workflow has done is in the file when the call that it answers returns, and goes on from there after a crash or a restart,
    whichever process opens the file next. One process has a file at a time.
    """

    def __init__(self, settings: NodeSettings, options: Mapping[str, Any], clock: Callable[[], int] = real_time) -> None:
        """Use :meth:`open`."""
        self._settings = settings
        self._options = options
        self._clock = clock
        self._node: Node | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None,
        *,
        namespace: str = "default",
        namespaces: Sequence[str] = (),
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
        identity: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        retry_config: RetryConfig | None = None,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        dynamic_config: Mapping[str, object] = {},
        listen: str | None = None,
        runtime: Runtime | None = None,
    ) -> Outlast:
        """Name the file, to be opened by ``async with``, which gives a client of ``namespace``; None or ":memory:" keeps nothing.

        ``namespaces`` are further ones to have; ``search_attributes`` the custom ones of all of them; ``dynamic_config`` the server's
        switches, by the names that they have in Temporal's server. With ``listen``, such as "127.0.0.1:7233", other processes can
        connect as well: the command line, a second worker. The rest is as for :meth:`outlast.client.Client.connect`.

        Entering raises :class:`OpenError` when another process has the file, or the port. Raises ValueError for a ``listen`` that is
        no address.
        """
        ip, port = _address(listen) if listen is not None else ("", None)
        settings = NodeSettings(
            ip=ip,
            port=port,
            db_filename=None if path is None or path == MEMORY else os.fspath(path),
            namespaces=tuple(dict.fromkeys([namespace, *namespaces])),
            search_attributes={key.name: key._metadata_type for key in search_attributes},
            dynamic_config={name: value if isinstance(value, str) else json.dumps(value) for name, value in dynamic_config.items()},
        )
        options = {
            "namespace": namespace,
            "data_converter": data_converter,
            "interceptors": interceptors,
            "plugins": plugins,
            "default_workflow_query_reject_condition": default_workflow_query_reject_condition,
            "header_codec_behavior": header_codec_behavior,
            "identity": identity,
            "rpc_metadata": rpc_metadata,
            "retry_config": retry_config,
            "runtime": runtime,
        }
        return cls(settings, options)

    @property
    def address(self) -> str:
        """Host and port to connect to from elsewhere; empty while it is not open, or without ``listen``."""
        return self._node.address if self._node is not None else ""

    async def start(self) -> Client:
        """Open, for whoever cannot use ``async with``; :meth:`stop` must follow. Raises :class:`OpenError`."""
        if self._node is not None:
            raise RuntimeError("already open")
        node = Node(self._settings, self._clock)
        try:
            await node.start()
        except InUse as error:
            raise OpenError(f"{error}. {_HOW_TO_SHARE}") from error
        except (CannotOpen, OSError) as error:
            raise OpenError(str(error)) from error
        self._node = node
        try:
            return await self.connect(**self._options)
        except BaseException:
            await self.stop()
            raise

    async def connect(
        self,
        *,
        namespace: str = "default",
        api_key: str | None = None,
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = (),
        interceptors: Sequence[Interceptor] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
        identity: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        retry_config: RetryConfig | None = None,
        runtime: Runtime | None = None,
    ) -> Client:
        """Another client, while it is open: of another namespace, say. Parameters as for :meth:`outlast.client.Client.connect`."""
        if self._node is None:
            raise RuntimeError("not open")
        config = ConnectConfig(
            self.address or MEMORY,
            api_key=api_key,
            identity=identity or "",
            rpc_metadata=rpc_metadata,
            retry_config=retry_config,
            runtime=runtime,
        )
        return Client(
            await _service_client(self._node, config, plugins),
            namespace=namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            plugins=plugins,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )

    async def stop(self) -> None:
        """End the calls that wait, write what is not written yet, let go of the file. Stop workers before. Idempotent."""
        node, self._node = self._node, None
        if node is not None:
            await node.stop()

    async def __aenter__(self) -> Client:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()


_HOW_TO_SHARE = (
    'To share it, have that process listen, Outlast.open(..., listen="127.0.0.1:7233"), and connect, Client.connect("127.0.0.1:7233")'
)


async def _service_client(node: Node, config: ConnectConfig, plugins: Sequence[Plugin]) -> ServiceClient:
    """The connection, as the plugins would have it: the first of them wraps the others."""

    async def connect(config: ConnectConfig) -> ServiceClient:
        return DirectServiceClient(config, node)

    connects: Callable[[ConnectConfig], Awaitable[ServiceClient]] = connect
    for plugin in reversed(plugins):
        connects = functools.partial(plugin.connect_service_client, next=connects)
    return await connects(config)


def _address(listen: str) -> tuple[str, int]:
    ip, colon, port = listen.rpartition(":")
    if not colon or not ip or not port.isdecimal():
        raise ValueError(f'listen={listen!r} is no address: give host:port, such as "127.0.0.1:7233" (port 0: any free one)')
    return ip, int(port)
