"""A gRPC channel made from connection settings."""

from __future__ import annotations

import os
import ssl
import warnings
from urllib.parse import quote

import grpc
import grpc.aio

from outlast.service._config import ConnectConfig, GrpcCompression, HttpConnectProxyConfig, KeepAliveConfig, TLSConfig

RECEIVED_BYTES_MAX = int(os.environ.get("TEMPORAL_MAX_INCOMING_GRPC_BYTES", 128 * 1024 * 1024))

Option = tuple[str, int | str]

_processes: list[int] = []
"""The process that has used gRPC, if one has: this one or one that it is forked from."""


def open_channel(config: ConnectConfig) -> grpc.aio.Channel:
    """A channel that belongs to the running event loop. It connects with the first call.

    Raises ValueError for settings that contradict one another, AssertionError in the child of a process that has used gRPC.
    """
    if not _processes:
        _processes.append(os.getpid())
    refuse_fork(_processes[0], "create")
    target, tls = _target_and_tls(config)
    options = _options(config)
    if tls is None:
        return grpc.aio.insecure_channel(target, options=options)
    if tls.domain:
        options += [("grpc.ssl_target_name_override", tls.domain), ("grpc.default_authority", tls.domain)]
    return grpc.aio.secure_channel(target, _credentials(tls), options=options)


def refuse_fork(process: int, verb: str) -> None:
    """Raise AssertionError if this is not the process any more: gRPC's threads do not survive a fork, and its next call would crash."""
    if process != os.getpid():
        raise AssertionError(f"Cannot {verb} client across forks: connect after the fork, and use no gRPC before it")


def _target_and_tls(config: ConnectConfig) -> tuple[str, TLSConfig | None]:
    target, encrypts = config.target_host, config.tls
    if "://" in target:
        warnings.warn("Target host as URL with scheme no longer supported: give host:port, and tls", stacklevel=2)
        scheme, _, target = target.partition("://")
        if encrypts is None and scheme == "https":
            encrypts = True
    if encrypts is None:
        encrypts = config.api_key is not None
    if isinstance(encrypts, TLSConfig):
        return target, encrypts
    return target, TLSConfig() if encrypts else None


def _credentials(tls: TLSConfig) -> grpc.ChannelCredentials:
    if tls.verification_server_name is not None:
        raise ValueError(
            "verification_server_name is not supported: gRPC checks the certificate for the same name that it sends as SNI (domain)"
        )
    if (tls.client_cert is None) != (tls.client_private_key is None):
        raise ValueError("Client certificate and client private key must be given together")
    return grpc.ssl_channel_credentials(tls.server_root_ca_cert or _trusted_here(), tls.client_private_key, tls.client_cert)


def _trusted_here() -> bytes | None:
    """The authorities that this machine trusts; None, if it has no such list, means the list that comes with gRPC."""
    certificates = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in certificates).encode() or None


def _options(config: ConnectConfig) -> list[Option]:
    options: list[Option] = [
        ("grpc.max_receive_message_length", RECEIVED_BYTES_MAX),
        ("grpc.max_send_message_length", -1),
        # Repeating is done above, by call; a lost connection is tried again as soon as calls are.
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 5000),
        ("grpc.use_local_subchannel_pool", 1),
        *_keep_alive(config.keep_alive_config),
        *_proxy(config.http_connect_proxy_config),
    ]
    if config.grpc_compression == GrpcCompression.NONE:
        options.append(("grpc.compression_enabled_algorithms_bitset", 1))
    if config.connect_timeout is not None:
        options.append(("grpc.min_reconnect_backoff_ms", round(config.connect_timeout.total_seconds() * 1000)))
    if config.dns_load_balancing_config and not config.http_connect_proxy_config:
        options.append(("grpc.lb_policy_name", "round_robin"))
        options.append(("grpc.dns_min_time_between_resolutions_ms", config.dns_load_balancing_config.resolution_interval_millis))
    return options


def _keep_alive(config: KeepAliveConfig | None) -> list[Option]:
    if config is None:
        return []
    return [
        ("grpc.keepalive_time_ms", config.interval_millis),
        ("grpc.keepalive_timeout_ms", config.timeout_millis),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]


def _proxy(config: HttpConnectProxyConfig | None) -> list[Option]:
    if config is None:
        # A proxy in the environment is meant for browsers: only a proxy that was asked for is used.
        return [("grpc.enable_http_proxy", 0)]
    login = "{}:{}@".format(*(quote(part, safe="") for part in config.basic_auth)) if config.basic_auth else ""
    return [("grpc.http_proxy", f"http://{login}{config.target_host}")]
