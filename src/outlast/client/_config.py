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
    namespace: str
    api_key: str | None
    data_converter: DataConverter
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    default_workflow_query_reject_condition: QueryRejectCondition | None
    tls: bool | TLSConfig | None
    retry_config: RetryConfig | None
    keep_alive_config: KeepAliveConfig | None
    connect_timeout: timedelta | None
    rpc_metadata: Mapping[str, str | bytes]
    identity: str | None
    lazy: bool
    runtime: Runtime | None
    http_connect_proxy_config: HttpConnectProxyConfig | None
    dns_load_balancing_config: DnsLoadBalancingConfig | None
    grpc_compression: GrpcCompression
    payload_limits: PayloadLimitsConfig
    header_codec_behavior: HeaderCodecBehavior


class ClientConfig(TypedDict, total=False):
    """Parameters that a :class:`outlast.client.Client` is made with."""

    service_client: Required[ServiceClient]
    namespace: Required[str]
    data_converter: Required[DataConverter]
    plugins: Required[Sequence[Plugin]]
    interceptors: Required[Sequence[Interceptor]]
    default_workflow_query_reject_condition: Required[QueryRejectCondition | None]
    header_codec_behavior: Required[HeaderCodecBehavior]
