"""A client of the server's services, whatever carries the calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from outlast.service._config import ConnectConfig
from outlast.service._eager import EagerWorkers
from outlast.service._rpc import NO_METADATA, ServiceResponse
from outlast.service._services import HealthService, OperatorService, TestService, WorkflowService


class ServiceClient(ABC):
    """Calls to the server by message: the layer below :class:`outlast.client.Client`. One subclass for each way to carry calls."""

    @staticmethod
    async def connect(config: ConnectConfig) -> ServiceClient:
        """Connect over gRPC.

        Raises RuntimeError if the server does not answer; with ``config.lazy`` the first call connects instead.
        """
        from outlast.service._grpc import GrpcServiceClient

        return await GrpcServiceClient.connect(config)

    def __init__(self, config: ConnectConfig) -> None:
        """Offer the services; nothing is connected yet."""
        super().__init__()
        self.config = config
        self.workflow_service = WorkflowService(self)
        self.operator_service = OperatorService(self)
        self.test_service = TestService(self)
        self.health_service = HealthService(self)
        self.eager_workers = EagerWorkers()

    async def check_health(
        self,
        *,
        service: str = "temporal.api.workflowservice.v1.WorkflowService",
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = NO_METADATA,
        timeout: timedelta | None = None,
    ) -> bool:
        """Whether this service serves. False if the server answers but the service is out of order.

        Raises :class:`outlast.service.RPCError` if the server cannot be reached.
        """
        reply = await self.health_service.check(HealthCheckRequest(service=service), retry=retry, metadata=metadata, timeout=timeout)
        return bool(reply.status == HealthCheckResponse.SERVING)

    in_process: ClassVar[bool] = False
    """Whether the server is in this process: many polls then cost no more than few."""

    @property
    def worker_service_client(self) -> ServiceClient:
        """The client that carries a worker's calls."""
        return self

    async def close(self) -> None:  # noqa: B027 (not every transport has something to close)
        """Close the running event loop's connection, if there is one. A later call connects anew."""

    @abstractmethod
    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Send these headers with all further calls, instead of those given before.

        Raises ValueError or TypeError for keys or values that cannot be headers.
        """

    @abstractmethod
    def update_api_key(self, api_key: str | None) -> None:
        """Send this API key with all further calls, or none."""

    @abstractmethod
    async def _rpc_call(
        self,
        service: str,
        rpc: str,
        request: Message,
        response_type: type[ServiceResponse],
        *,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> ServiceResponse:
        """Carry one call: the service by its short name (workflow, operator, test, health), the procedure in snake case.

        The request must not be changed or kept; the reply is the caller's. Raises :class:`outlast.service.RPCError`.
        """
