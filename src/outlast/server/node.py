"""The node: one process's server, wired from its parts. The only place that knows every concrete class."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from google.protobuf.message import Message

from outlast.server.clock import VirtualClock, real_time
from outlast.server.direct_door import DirectDoor
from outlast.server.frontend.activity_executions import ActivityExecutionCalls
from outlast.server.frontend.activity_operations import ActivityOperationCalls
from outlast.server.frontend.bounds import bounds
from outlast.server.frontend.calls import OPERATOR_SERVICE, WORKFLOW_SERVICE, Reply, Service
from outlast.server.frontend.features import features
from outlast.server.frontend.history import HistoryCalls
from outlast.server.frontend.namespaces import RETENTION_S, SEARCH_ATTRIBUTE_TYPES, NamespaceRegistry
from outlast.server.frontend.operations import OperatorCalls
from outlast.server.frontend.search_attribute_calls import SearchAttributeCalls
from outlast.server.frontend.service import handlers, operator_handlers
from outlast.server.frontend.system import SystemCalls
from outlast.server.frontend.task_queues import TaskQueueCalls
from outlast.server.frontend.time_control import TEST_SERVICE, TimeCalls
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
from outlast.server.shard.stillness import Stillness
from outlast.server.shard.tasks import Tasks
from outlast.server.shard.updates import Updates
from outlast.server.store.memory import MemoryStore
from outlast.server.store.protocol import Store
from outlast.server.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from outlast.server.grpc_door import GrpcDoor

SHUTDOWN_GRACE_S = 1.0
"""How long running calls may take when the node stops; long polls are released at once."""


class NodeSettings(msgspec.Struct, frozen=True):
    """How a node is set up."""

    ip: str = "127.0.0.1"
    port: int | None = 7233
    """0: any free port. None: no port, only calls from this process."""
    db_filename: str | None = None
    """The SQLite file; None: memory."""
    namespaces: tuple[str, ...] = ("default",)
    """Registered when the node starts, if they are not yet."""
    retention_s: int = RETENTION_S
    """How long those namespaces keep closed runs, if they are new."""
    any_namespace: bool = False
    """Every name is a namespace: for tests."""
    search_attributes: dict[str, str] = {}
    """Custom search attributes of those namespaces: name to type, such as "Keyword"."""
    sqlite_pragmas: dict[str, str] = {}
    dynamic_config: dict[str, str] = {}
    """The reference server's switches, by its names. Read: those of `frontend/features.py` and
    `frontend/bounds.py`. Others have no effect."""


class Node:
    """A server on one store: engine, shard, matching and gRPC in one event loop."""

    def __init__(self, settings: NodeSettings, clock: Callable[[], int] = real_time) -> None:
        """With a `VirtualClock` it skips time, and serves the TestService. Raises ValueError when it would do so on a file."""
        if isinstance(clock, VirtualClock) and settings.db_filename is not None:
            raise ValueError("a node that skips time keeps everything in memory: what is in a file belongs to the real time")
        self._settings = settings
        self._store = _store(settings)
        allowed = bounds(settings.dynamic_config)
        self._namespaces = NamespaceRegistry(self._store, allowed, settings.retention_s, any_name=settings.any_namespace)
        self._matching: Matching[StartedTask, object] = Matching(real_time if isinstance(clock, VirtualClock) else clock)
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
            SystemCalls(self._namespaces, "memory" if settings.db_filename is None else "sqlite", switched),
            workflows,
            UpdateCalls(self._shard, updates, workflows, self._namespaces),
            OperatorCalls(self._shard, resets, self._namespaces, features=switched),
            HistoryCalls(self._shard, histories, self._namespaces),
            VisibilityCalls(self._store, self._namespaces),
            WorkerCalls(self._shard, tasks, queries, self._namespaces),
            ActivityOperationCalls(self._shard, self._namespaces),
            ActivityExecutionCalls(self._shard, self._namespaces),
            TimeSkippingCalls(self._shard, self._namespaces, switched),
            TaskQueueCalls(self._shard, self._namespaces, switched),
        )
        operator = operator_handlers(SearchAttributeCalls(self._namespaces))
        self._services = [Service(WORKFLOW_SERVICE, self._handlers), Service(OPERATOR_SERVICE, operator)]
        self._clock = clock
        self._skipping: asyncio.Task[None] | None = None
        if isinstance(clock, VirtualClock):
            self._services.append(Service(TEST_SERVICE, TimeCalls(clock).handlers()))
        self._direct = DirectDoor(self._services)
        self._wire: GrpcDoor | None = None
        self._running = False

    @property
    def address(self) -> str:
        """Where clients find the node: host and port; empty when it has no port."""
        return f"{self._settings.ip}:{self._wire.port}" if self._wire is not None else ""

    @property
    def running(self) -> bool:
        return self._running

    def call(
        self,
        service: str,
        method: str,
        request: Message,
        timeout_s: float | None = None,
        headers: Mapping[str, str | bytes] = {},
    ) -> Coroutine[Any, Any, Reply]:
        """A call from this process and this event loop, by the full name of the service and the method's name on the wire.

        The reply is a message, or the bytes of one. Raises frontend.errors.CallFailed with what the wire would say.
        """
        return self._direct.call(service, method, request, timeout_s, headers)

    async def start(self) -> None:
        """Serve. Raises a StoreError when the store cannot be opened or written, OSError for a port that is taken."""
        wire = self._listen()
        try:
            await self._store.open()
            await self._open()
            if wire is not None:
                await wire.start()
        except BaseException:
            if wire is not None:
                await wire.stop(None)
            await self._shard.close()
            await self._store.close()
            raise
        self._wire = wire
        self._running = True
        self._direct.open()

    async def _open(self) -> None:
        await self._namespaces.open()
        types = {name: SEARCH_ATTRIBUTE_TYPES[kind] for name, kind in self._settings.search_attributes.items()}
        for name in self._settings.namespaces:
            await self._namespaces.ensure(name, types)
        await self._shard.open()
        if isinstance(self._clock, VirtualClock):
            world = Stillness(self._shard, self._clock.reconsider)
            self._skipping = asyncio.create_task(self._clock.run(world), name="outlast-time")

    def _listen(self) -> GrpcDoor | None:
        if self._settings.port is None:
            return None
        from outlast.server.grpc_door import GrpcDoor  # the one import of gRPC: a node without a port does without it

        return GrpcDoor(self._services, self._settings.ip, self._settings.port)

    async def stop(self) -> None:
        """Release the long polls, let running calls end, write everything, close the store. Idempotent."""
        if not self._running:
            return
        self._running = False
        if self._wire is not None:
            await self._wire.close_slowly()
        self._direct.close()
        self._matching.release_polls()
        self._shard.release_waits()
        await asyncio.gather(self._direct.stop(SHUTDOWN_GRACE_S), self._stop_listening())
        if self._skipping is not None:
            self._skipping.cancel()
        await self._matching.close()
        await self._shard.close()
        await self._posts.close()
        await self._store.close()

    async def _stop_listening(self) -> None:
        if self._wire is not None:
            await self._wire.stop(SHUTDOWN_GRACE_S)

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
