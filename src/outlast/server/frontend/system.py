"""Calls about the server itself and its namespaces."""

from uuid import UUID, uuid4

from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    GetClusterInfoRequest,
    GetClusterInfoResponse,
    GetSystemInfoRequest,
    GetSystemInfoResponse,
    ListNamespacesRequest,
    ListNamespacesResponse,
    RegisterNamespaceRequest,
    RegisterNamespaceResponse,
)

from outlast.engine.refusals import InvalidArgument, NamespaceExists, NamespaceNotFound
from outlast.server.frontend.calls import Call
from outlast.server.frontend.features import Features
from outlast.server.frontend.limits import NAMESPACE_RETENTION_S_MIN
from outlast.server.frontend.namespaces import Namespace, NamespaceRegistry, describe

SERVER_VERSION = "1.32.0"
"""The release of the reference server whose behaviour this server follows; clients adapt to it."""
SUPPORTED_CLIENTS = {
    "temporal-go": "<2.0.0",
    "temporal-java": "<2.0.0",
    "temporal-php": "<2.0.0",
    "temporal-typescript": "<2.0.0",
    "temporal-cli": "<2.0.0",
    "temporal-server": "<2.0.0",
    "temporal-ui": "<3.0.0",
    "Nexus-go-sdk": "<2.0.0",
}
PAGE_SIZE_DEFAULT = 100


class SystemCalls:
    def __init__(self, namespaces: NamespaceRegistry, store_name: str, features: Features) -> None:
        self._namespaces = namespaces
        self._features = features
        self._store_name = store_name
        self._cluster_id = str(uuid4())

    async def get_system_info(self, request: GetSystemInfoRequest, call: Call) -> GetSystemInfoResponse:
        """Capabilities name what is built; SDKs adapt to it."""
        info = GetSystemInfoResponse(server_version=SERVER_VERSION)
        has = info.capabilities
        has.signal_and_query_header = True
        has.internal_error_differentiation = True
        has.activity_failure_include_heartbeat = True
        has.encoded_failure_attributes = True
        has.sdk_metadata = True
        has.upsert_memo = True
        has.build_id_based_versioning = True
        has.eager_workflow_start = True
        return info

    async def get_cluster_info(self, request: GetClusterInfoRequest, call: Call) -> GetClusterInfoResponse:
        return GetClusterInfoResponse(
            supported_clients=SUPPORTED_CLIENTS,
            server_version=SERVER_VERSION,
            cluster_id=self._cluster_id,
            cluster_name="active",
            history_shard_count=1,
            persistence_store=self._store_name,
            visibility_store=self._store_name,
            initial_failover_version=1,
            failover_version_increment=10,
        )

    async def register_namespace(self, request: RegisterNamespaceRequest, call: Call) -> RegisterNamespaceResponse:
        if not request.namespace:
            raise InvalidArgument("Namespace not set on request.")
        retention = request.workflow_execution_retention_period.seconds
        if retention < NAMESPACE_RETENTION_S_MIN:
            raise InvalidArgument("A valid retention period is not set on request.")
        if request.is_global_namespace:
            raise InvalidArgument("Cannot register global namespace when not enabled")
        if self._namespaces.get(request.namespace) is not None:
            raise NamespaceExists(request.namespace)
        namespace = Namespace(str(uuid4()), request.namespace, request.description, request.owner_email, retention, dict(request.data))
        await self._namespaces.register(namespace)
        return RegisterNamespaceResponse()

    async def describe_namespace(self, request: DescribeNamespaceRequest, call: Call) -> DescribeNamespaceResponse:
        if request.namespace and request.id:
            raise InvalidArgument("GetNamespace operation failed.  Both ID and Name specified in request.")
        if not request.namespace and not request.id:
            raise InvalidArgument("Namespace not set on request.")
        if request.namespace:
            self._namespaces.find(request.namespace)
            namespace = self._namespaces.get(request.namespace)
        else:
            namespace = self._namespaces.get_by_id(_checked_id(request.id))
        if namespace is None:
            raise NamespaceNotFound(request.id)
        return describe(namespace, self._namespaces.bounds, self._features)

    async def list_namespaces(self, request: ListNamespacesRequest, call: Call) -> ListNamespacesResponse:
        """In order of names; the token is the last name of the page."""
        after = request.next_page_token.decode(errors="replace")
        left = [namespace for namespace in self._namespaces.all() if namespace.name > after]
        size = request.page_size if request.page_size > 0 else PAGE_SIZE_DEFAULT
        page = left[:size]
        token = page[-1].name.encode() if len(left) > size else b""
        return ListNamespacesResponse(
            namespaces=[describe(namespace, self._namespaces.bounds, self._features) for namespace in page], next_page_token=token
        )


def _checked_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise InvalidArgument(f"invalid UUID length: {len(text)}") from None
