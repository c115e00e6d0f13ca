"""The settings of a client, as dictionaries that can be kept, changed and given on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Required, TypedDict

if TYPE_CHECKING:
    from outlast.client._interceptor import Interceptor
    from outlast.client._plugin import Plugin
    from outlast.common import HeaderCodecBehavior, QueryRejectCondition
    from outlast.converter import DataConverter
    from outlast.runtime import Runtime
    from outlast.service import (
        DnsLoadBalancingConfig,
        GrpcCompression,
        HttpConnectProxyConfig,
        KeepAliveConfig,
        PayloadLimitsConfig,
        RetryConfig,
        ServiceClient,
        TLSConfig,
    )


class ClientConnectConfig(TypedDict, total=False):
    """Parameters of :meth:`outlast.client.Client.connect`."""

    target_host: str
    """``host:port``, such as "localhost:7233"."""
    namespace: str
    """Where calls are made."""
    api_key: str | None
    """Sent as ``authorization: Bearer …``, unless the headers have an ``authorization`` of their own."""
    data_converter: DataConverter
    """Converts values to payloads and back."""
    plugins: Sequence[Plugin]
    """Change settings and connection; the first wraps the others. Those that are worker plugins are used by workers, too."""
    interceptors: Sequence[Interceptor]
    """Wrap calls; the first is outermost. Those that are worker interceptors are used by workers, too."""
    default_workflow_query_reject_condition: QueryRejectCondition | None
    """States of a workflow in which queries are not asked."""
    tls: bool | TLSConfig | None
    """Whether, and how, to encrypt. None: if there is an API key."""
    retry_config: RetryConfig | None
    """How calls are repeated that failed for a reason that may pass. None: up to 10 times in 10 s."""
    keep_alive_config: KeepAliveConfig | None
    """Pings that find a dead connection. None: no pings."""
    connect_timeout: timedelta | None
    """How long an attempt to connect may take. None: as long as a call."""
    rpc_metadata: Mapping[str, str | bytes]
    """Headers of all calls."""
    identity: str | None
    """Who calls, as histories show it. None: process id and host name."""
    lazy: bool
    """Connect with the first call."""
    runtime: Runtime | None
    """Where metrics and logs go. None: the default one."""
    http_connect_proxy_config: HttpConnectProxyConfig | None
    """A proxy to connect by."""
    dns_load_balancing_config: DnsLoadBalancingConfig | None
    """Spread calls over all addresses behind the name. None: one address at a time."""
    grpc_compression: GrpcCompression
    """Whether messages are compressed."""
    payload_limits: PayloadLimitsConfig
    """From which sizes on a warning is logged."""
    header_codec_behavior: HeaderCodecBehavior
    """Whether interceptors' headers go through the payload codec."""


class ClientConfig(TypedDict, total=False):
    """Parameters that a :class:`outlast.client.Client` is made with."""

    service_client: Required[ServiceClient]
    namespace: Required[str]
    data_converter: Required[DataConverter]
    plugins: Required[Sequence[Plugin]]
    interceptors: Required[Sequence[Interceptor]]
    default_workflow_query_reject_condition: Required[QueryRejectCondition | None]
    header_codec_behavior: Required[HeaderCodecBehavior]
