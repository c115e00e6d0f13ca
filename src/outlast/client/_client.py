"""The client: everything that programs ask of a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from outlast.client._client_activities import ClientActivities
from outlast.client._client_activity_handles import ClientActivityHandles
from outlast.client._client_schedules import ClientSchedules
from outlast.client._client_updates import ClientUpdates
from outlast.client._client_workflows import ClientWorkflows
from outlast.client._config import ClientConfig
from outlast.client._impl import _ClientImpl
from outlast.client._interceptor import Interceptor, OutboundInterceptor
from outlast.client._options import NO_METADATA
from outlast.client._plugin import Plugin
from outlast.common import HeaderCodecBehavior, QueryRejectCondition
from outlast.converter import DataConverter
from outlast.service import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    OperatorService,
    PayloadLimitsConfig,
    RetryConfig,
    ServiceClient,
    TestService,
    TLSConfig,
    WorkflowService,
)

if TYPE_CHECKING:
    from outlast.runtime import Runtime

_NO_PLUGINS: Sequence[Plugin] = []
_NO_INTERCEPTORS: Sequence[Interceptor] = []
_DEFAULT_LIMITS = PayloadLimitsConfig()


class Client(ClientWorkflows, ClientUpdates, ClientActivities, ClientActivityHandles, ClientSchedules):
    """Starts workflows, talks to them and waits for their results; and all else that programs ask of a server.

    Comes from :meth:`connect` for a server, from ``outlast.Outlast.open`` for one in the same process. A client of another namespace over
    the same connection is made from :attr:`service_client`. Belongs to the event loop that it is used in: other threads use
    :mod:`outlast.client.sync`, or ``asyncio.run_coroutine_threadsafe``. Does not survive a fork.
    """

    @classmethod
    async def connect(
        cls,
        target_host: str,
        *,
        namespace: str = "default",
        api_key: str | None = None,
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = _NO_PLUGINS,
        interceptors: Sequence[Interceptor] = _NO_INTERCEPTORS,
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        tls: bool | TLSConfig | None = None,
        retry_config: RetryConfig | None = None,
        keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default,
        connect_timeout: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        identity: str | None = None,
        lazy: bool = False,
        runtime: Runtime | None = None,
        http_connect_proxy_config: HttpConnectProxyConfig | None = None,
        dns_load_balancing_config: DnsLoadBalancingConfig | None = None,
        grpc_compression: GrpcCompression = GrpcCompression.GZIP,
        payload_limits: PayloadLimitsConfig = _DEFAULT_LIMITS,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> Self:
        """Connect to a server. The parameters are explained at :class:`outlast.client.ClientConnectConfig`.

        Raises:
            RuntimeError: The server does not answer.
            ValueError: Settings contradict one another.
        """
        config = ConnectConfig(
            target_host=target_host,
            api_key=api_key,
            tls=tls,
            retry_config=retry_config,
            keep_alive_config=keep_alive_config,
            connect_timeout=connect_timeout,
            rpc_metadata=rpc_metadata,
            identity=identity or "",
            lazy=lazy,
            runtime=runtime,
            http_connect_proxy_config=http_connect_proxy_config,
            dns_load_balancing_config=dns_load_balancing_config,
            grpc_compression=grpc_compression,
            payload_limits=payload_limits,
        )
        return cls(
            await _through_plugins(plugins)(config),
            namespace=namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
            plugins=plugins,
        )

    def __init__(
        self,
        service_client: ServiceClient,
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = _NO_PLUGINS,
        interceptors: Sequence[Interceptor] = _NO_INTERCEPTORS,
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        """Make a client of a connection; see :meth:`connect` for the parameters."""
        config = ClientConfig(
            service_client=service_client,
            namespace=namespace,
            data_converter=data_converter,
            plugins=plugins,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )
        self._initial_config = config.copy()
        for plugin in plugins:
            config = plugin.configure_client(config)
        self._init_from_config(config)

    def _init_from_config(self, config: ClientConfig) -> None:
        self._config = config
        self._impl: OutboundInterceptor = _ClientImpl(self)
        for interceptor in reversed(list(config["interceptors"])):
            self._impl = interceptor.intercept_client(self._impl)

    def config(self, *, active_config: bool = False) -> ClientConfig:
        """A copy of what the client was made with, or, if ``active_config``, of what plugins made of it."""
        config = (self._config if active_config else self._initial_config).copy()
        config["interceptors"] = list(config["interceptors"])
        return config

    @property
    def service_client(self) -> ServiceClient:
        """The connection: calls by message."""
        return self._config["service_client"]

    @property
    def workflow_service(self) -> WorkflowService:
        """Calls by message to the service for workflows."""
        return self._config["service_client"].workflow_service

    @property
    def operator_service(self) -> OperatorService:
        """Calls by message to the service for operators."""
        return self._config["service_client"].operator_service

    @property
    def test_service(self) -> TestService:
        """Calls by message to the service of test servers."""
        return self._config["service_client"].test_service

    @property
    def namespace(self) -> str:
        """Where calls are made."""
        return self._config["namespace"]

    @property
    def identity(self) -> str:
        """Who calls, as histories show it."""
        return self._config["service_client"].config.identity

    @property
    def data_converter(self) -> DataConverter:
        """Converts values to payloads and back."""
        return self._config["data_converter"]

    @property
    def rpc_metadata(self) -> Mapping[str, str | bytes]:
        """Headers of all calls. Set another mapping to change them; do not change the mapping itself.

        Raises TypeError or ValueError for what cannot be a header: names that end in ``-bin`` have bytes, others printable ASCII.
        """
        return self.service_client.config.rpc_metadata

    @rpc_metadata.setter
    def rpc_metadata(self, value: Mapping[str, str | bytes]) -> None:
        self.service_client.update_rpc_metadata(value)
        self.service_client.config.rpc_metadata = value

    @property
    def api_key(self) -> str | None:
        """The API key of all calls. Set another one to change it."""
        return self.service_client.config.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self.service_client.config.api_key = value
        self.service_client.update_api_key(value)


_Connect = Callable[[ConnectConfig], Awaitable[ServiceClient]]


def _through_plugins(plugins: Sequence[Plugin]) -> _Connect:
    connect: _Connect = ServiceClient.connect
    for plugin in reversed(plugins):
        connect = _wrapped(plugin, connect)
    return connect


def _wrapped(plugin: Plugin, inner: _Connect) -> _Connect:
    return lambda config: plugin.connect_service_client(config, inner)
