"""The node: one process's server, wired from its parts. The only place that knows every concrete class."""

import asyncio
import time
from collections.abc import Callable

import grpc.aio
import msgspec
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from temporalio.api.workflowservice.v1 import service_pb2

from outlast.server.frontend import calls
from outlast.server.frontend.activity_executions import ActivityExecutionCalls
from outlast.server.frontend.activity_operations import ActivityOperationCalls
from outlast.server.frontend.bounds import bounds
from outlast.server.frontend.features import features
from outlast.server.frontend.history import HistoryCalls
from outlast.server.frontend.limits import MESSAGE_BYTES_MAX
from outlast.server.frontend.namespaces import SEARCH_ATTRIBUTE_TYPES, NamespaceRegistry
from outlast.server.frontend.operations import OperatorCalls
from outlast.server.frontend.search_attribute_calls import SearchAttributeCalls
from outlast.server.frontend.service import handlers, operator_handlers
from outlast.server.frontend.system import SystemCalls
from outlast.server.frontend.task_queues import TaskQueueCalls
from outlast.server.frontend.time_skipping import TimeSkippingCalls
from outlast.server.frontend.updates import UpdateCalls
from outlast.server.frontend.visibility_calls import VisibilityCalls
from outlast.server.frontend.worker_tasks import WorkerCalls
from outlast.server.frontend.workflows import WorkflowCalls
from outlast.server.matching.matching import Matching
from outlast.server.posts import Posts
from outlast.server.shard.callbacks import Callbacks
from outlast.server.shard.histories import Histories
from outlast.server.shard.outbox import Outbox
from outlast.server.shard.protocol import StartedTask
from outlast.server.shard.queries import Queries
from outlast.server.shard.resets import Resets
from outlast.server.shard.shard import Shard
from outlast.server.shard.tasks import Tasks
from outlast.server.shard.updates import Updates
from outlast.server.store.memory import MemoryStore
from outlast.server.store.protocol import Store
from outlast.server.store.sqlite import SqliteStore

SHUTDOWN_GRACE_S = 1.0
"""How long running calls may take when the node stops; long polls are released at once."""


class NodeSettings(msgspec.Struct, frozen=True):
    """How a node is set up."""

    ip: str = "127.0.0.1"
    port: int = 7233
    """0: any free port."""
    db_filename: str | None = None
    """The SQLite file; None: memory."""
    namespaces: tuple[str, ...] = ("default",)
    """Registered when the node starts, if they are not yet."""
    search_attributes: dict[str, str] = {}
    """Custom search attributes of those namespaces: name to type, such as "Keyword"."""
    sqlite_pragmas: dict[str, str] = {}
    dynamic_config: dict[str, str] = {}
    """The reference server's switches, by its names. Read: those of `frontend/features.py` and
    `frontend/bounds.py`. Others have no effect."""


class Node:
    """A server on one store: engine, shard, matching and gRPC in one event loop."""

    def __init__(self, settings: NodeSettings, clock: Callable[[], int] = time.time_ns) -> None:
        self._settings = settings
        self._store = _store(settings)
        self._namespaces = NamespaceRegistry(self._store, bounds(settings.dynamic_config))
        self._matching: Matching[StartedTask, object] = Matching(clock)
        self._shard = Shard(self._store, self._matching, self._namespaces, clock)
        histories = Histories(self._shard)
        queries = Queries(self._shard)
        updates = Updates(self._shard, histories)
        tasks = Tasks(self._shard, histories, queries, updates)
        resets = Resets(self._shard, histories)
        switched = features(settings.dynamic_config)
        self._posts = Posts()
        workflows = WorkflowCalls(self._shard, tasks, self._namespaces, switched)
        self._matching.bind(tasks)
        self._shard.bind(Outbox(self._shard, histories, Callbacks(self._shard, histories, self._posts)).deliver)
        self._handlers = handlers(
            SystemCalls(self._namespaces, "memory" if settings.db_filename is None else "sqlite"),
            workflows,
            UpdateCalls(self._shard, updates, workflows, self._namespaces),
            OperatorCalls(self._shard, resets, self._namespaces, features=switched),
            HistoryCalls(self._shard, histories, self._namespaces),
            VisibilityCalls(self._store, self._namespaces),
            WorkerCalls(self._shard, tasks, queries, self._namespaces),
            ActivityOperationCalls(self._shard, self._namespaces),
            ActivityExecutionCalls(self._shard, self._namespaces),
            TimeSkippingCalls(self._shard, self._namespaces, switched),
            TaskQueueCalls(self._shard, self._namespaces),
        )
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._port = settings.port

    @property
    def address(self) -> str:
        """Where clients find the node: host and port."""
        return f"{self._settings.ip}:{self._port}"

    async def start(self) -> None:
        """Serve. Raises a StoreError when the store cannot be opened or written, OSError for a port that is taken."""
        server = self._listen()
        try:
            await self._store.open()
            await self._open()
            await server.start()
        except BaseException:
            await server.stop(None)
            await self._shard.close()
            await self._store.close()
            raise
        self._server = server
        serving = health_pb2.HealthCheckResponse.SERVING
        workflow_service = service_pb2.DESCRIPTOR.services_by_name["WorkflowService"].full_name
        for name in ("", workflow_service):
            await self._health.set(name, serving)

    async def _open(self) -> None:
        await self._namespaces.open()
        types = {name: SEARCH_ATTRIBUTE_TYPES[kind] for name, kind in self._settings.search_attributes.items()}
        for name in self._settings.namespaces:
            await self._namespaces.ensure(name, types)
        await self._shard.open()

    def _listen(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                ("grpc.http2.max_ping_strikes", 0),
            ]
        )
        operator = operator_handlers(SearchAttributeCalls(self._namespaces))
        workflow_service = calls.service(calls.WORKFLOW_SERVICE, self._handlers)
        server.add_generic_rpc_handlers((workflow_service, calls.service(calls.OPERATOR_SERVICE, operator)))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        wanted = f"{self._settings.ip}:{self._settings.port}"
        try:
            self._port = server.add_insecure_port(wanted)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {wanted}: the port is taken or the address is not this machine's") from error
        return server

    async def stop(self) -> None:
        """Release the long polls, let running calls end, write everything, close the store. Idempotent."""
        server, self._server = self._server, None
        if server is None:
            return
        await self._health.enter_graceful_shutdown()
        self._matching.release_polls()
        self._shard.release_waits()
        await server.stop(SHUTDOWN_GRACE_S)
        await self._matching.close()
        await self._shard.close()
        await self._posts.close()
        await self._store.close()

    async def serve(self) -> None:
        """Run until cancelled."""
        await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()


def _store(settings: NodeSettings) -> Store:
    if settings.db_filename is None:
        return MemoryStore()
    return SqliteStore(settings.db_filename, settings.sqlite_pragmas)
