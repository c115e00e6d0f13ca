"""How to reach a server: address, TLS, keys, retries, keep-alive, compression."""

from __future__ import annotations

import os
import socket
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from outlast.runtime import Runtime


@dataclass
class TLSConfig:
    """Certificates and names for an encrypted connection. All certificates and keys are PEM."""

    server_root_ca_cert: bytes | None = None
    """Authority that the server's certificate must come from. None: those that this machine trusts."""

    domain: str | None = None
    """Name to ask the server for (SNI and HTTP/2 authority) and to find in its certificate. None: the host that is dialed."""

    client_cert: bytes | None = None
    """This client's certificate, for a server that asks for one. Goes with :attr:`client_private_key`."""

    client_private_key: bytes | None = None
    """The key of :attr:`client_cert`."""

    verification_server_name: str | None = None
    """Name to find in the server's certificate, while SNI keeps the dialed name. The gRPC library cannot tell the two apart:
    connecting with it raises ValueError."""


@dataclass
class RetryConfig:
    """How calls are repeated that failed for a reason that may pass."""

    initial_interval_millis: int = 100
    """Pause before the second attempt."""
    randomization_factor: float = 0.2
    """Each pause is made longer or shorter by up to this share of itself."""
    multiplier: float = 1.5
    """How much longer each pause is than the one before."""
    max_interval_millis: int = 5000
    """Longest pause."""
    max_elapsed_time_millis: int | None = 10000
    """No attempt starts later than this after the first one. None: no limit."""
    max_retries: int = 10
    """Attempts in all, the first one counted. 0: no limit."""


@dataclass(frozen=True)
class KeepAliveConfig:
    """Pings that find a dead connection."""

    interval_millis: int = 30000
    """Time between pings."""
    timeout_millis: int = 15000
    """A ping that is not answered within this time closes the connection."""
    default: ClassVar[KeepAliveConfig]
    """Every 30 s, answered within 15 s."""


KeepAliveConfig.default = KeepAliveConfig()


@dataclass(frozen=True)
class HttpConnectProxyConfig:
    """A proxy that connects by HTTP CONNECT."""

    target_host: str
    """``host:port`` of the proxy."""
    basic_auth: tuple[str, str] | None = None
    """User and password for the proxy."""


@dataclass(frozen=True)
class DnsLoadBalancingConfig:
    """Spread calls over all addresses behind the server's name. Has no effect together with a proxy."""

    resolution_interval_millis: int = 30000
    """Least time between two look-ups. The name is looked up again when a connection is lost."""
    default: ClassVar[DnsLoadBalancingConfig]
    """At most one look-up in 30 s."""


DnsLoadBalancingConfig.default = DnsLoadBalancingConfig()


class GrpcCompression(ABC):
    """Whether messages are compressed on the wire."""

    NONE: ClassVar[GrpcCompression]
    """Neither compress requests nor ask for compressed replies."""

    GZIP: ClassVar[GrpcCompression]
    """Compress requests that are large enough to gain by it, and accept compressed replies."""


@dataclass(frozen=True)
class _NoGrpcCompression(GrpcCompression):
    pass


@dataclass(frozen=True)
class _GzipGrpcCompression(GrpcCompression):
    pass


GrpcCompression.NONE = _NoGrpcCompression()
GrpcCompression.GZIP = _GzipGrpcCompression()


@dataclass(frozen=True)
class PayloadLimitsConfig:
    """From which size on a warning is logged. What is larger is sent all the same; the server may refuse it."""

    payloads_warn_size: int = 512 * 1024
    """Bytes in one field that holds payloads. 0: no warning."""

    memo_warn_size: int = 2 * 1024
    """Bytes in a memo. 0: no warning."""


@dataclass
class ConnectConfig:
    """Everything needed to connect. The meaning of each field is that of the parameter of :meth:`outlast.client.Client.connect`."""

    target_host: str
    api_key: str | None = None
    tls: bool | TLSConfig | None = None
    retry_config: RetryConfig | None = None
    keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default
    rpc_metadata: Mapping[str, str | bytes] = field(default_factory=dict)
    identity: str = ""
    lazy: bool = False
    runtime: Runtime | None = None
    http_connect_proxy_config: HttpConnectProxyConfig | None = None
    dns_load_balancing_config: DnsLoadBalancingConfig | None = None
    grpc_compression: GrpcCompression = GrpcCompression.GZIP
    payload_limits: PayloadLimitsConfig = field(default_factory=PayloadLimitsConfig)
    connect_timeout: timedelta | None = None

    def __post_init__(self) -> None:
        """Name the process, if no identity is given."""
        if not self.identity:
            self.identity = f"{os.getpid()}@{socket.gethostname()}"
