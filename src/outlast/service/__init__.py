"""The server's services, call by call and message by message, and how to connect to them."""

from outlast.service._client import ServiceClient
from outlast.service._config import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    PayloadLimitsConfig,
    RetryConfig,
    TLSConfig,
)
from outlast.service._errors import RPCError, RPCStatusCode
from outlast.service._rpc import Call, Rpc, Service, ServiceRequest, ServiceResponse
from outlast.service._services import HealthService, OperatorService, TestService, WorkflowService

LOG_PROTOS = False
"""Whether the logger ``outlast.service`` gets every request and reply, at level DEBUG."""

__all__ = [
    "LOG_PROTOS",
    "Call",
    "ConnectConfig",
    "DnsLoadBalancingConfig",
    "GrpcCompression",
    "HealthService",
    "HttpConnectProxyConfig",
    "KeepAliveConfig",
    "OperatorService",
    "PayloadLimitsConfig",
    "RPCError",
    "RPCStatusCode",
    "RetryConfig",
    "Rpc",
    "Service",
    "ServiceClient",
    "ServiceRequest",
    "ServiceResponse",
    "TLSConfig",
    "TestService",
    "WorkflowService",
]
