"""The worker: runs workflows and activities of a task queue, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, ShutdownWorkerRequest

from outlast.service import RPCError, RPCStatusCode
from outlast.worker._config import WorkerConfig, WorkerDeploymentConfig, check
from outlast.worker._interceptor import Interceptor
from outlast.worker._parts import build
from outlast.worker._plugin import Plugin
from outlast.worker._poller import PollerBehavior
from outlast.worker._polls import DEFAULT_POLLERS
from outlast.worker._runner import PatchActivationInput, UnsandboxedWorkflowRunner, WorkflowRunner
from outlast.worker._shared_state import SharedStateManager
from outlast.worker._tuning import WorkerTuner
from outlast.worker._wire import Server, runtime_of
from outlast.worker.workflow_sandbox import SandboxedWorkflowRunner

if TYPE_CHECKING:
    from outlast.client import Client

logger = logging.getLogger("outlast.worker")

SHUTDOWN_CALL = timedelta(seconds=5)
"""How long the server may take to learn that the worker shuts down."""
POLL_GRACE_S = 10.0
"""How long polls may take to come back, on a server that ends them when a worker shuts down."""


class Worker:
    """Runs workflows and activities of one task queue.

    Run it with `run` and end it with `shutdown`, or put it around the program's own code: ``async with Worker(…):``. A failure that ends
    the worker then cancels that code, and is raised from the block in place of the cancellation.
    """

    def __init__(
        self,
        client: Client,
        *,
        task_queue: str,
        activities: Sequence[Callable[..., Any]] = [],
        nexus_service_handlers: Sequence[Any] = [],
        workflows: Sequence[type] = [],
        activity_executor: Executor | None = None,
        workflow_task_executor: ThreadPoolExecutor | None = None,
        nexus_task_executor: ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = SandboxedWorkflowRunner(),  # noqa: B008
        unsandboxed_workflow_runner: WorkflowRunner = UnsandboxedWorkflowRunner(),  # noqa: B008
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        build_id: str | None = None,
        identity: str | None = None,
        max_cached_workflows: int = 1000,
        max_concurrent_workflow_tasks: int | None = None,
        max_concurrent_activities: int | None = None,
        max_concurrent_local_activities: int | None = None,
        max_concurrent_nexus_tasks: int | None = None,
        tuner: WorkerTuner | None = None,
        max_concurrent_workflow_task_polls: int | None = None,
        nonsticky_to_sticky_poll_ratio: float = 0.2,
        max_concurrent_activity_task_polls: int | None = None,
        no_remote_activities: bool = False,
        sticky_queue_schedule_to_start_timeout: timedelta = timedelta(seconds=10),
        max_heartbeat_throttle_interval: timedelta = timedelta(seconds=60),
        default_heartbeat_throttle_interval: timedelta = timedelta(seconds=30),
        max_activities_per_second: float | None = None,
        max_task_queue_activities_per_second: float | None = None,
        max_eager_activity_reservations_per_workflow_task: int = 3,
        graceful_shutdown_timeout: timedelta = timedelta(),
        plugin_shutdown_timeout: timedelta | None = timedelta(seconds=60),
        workflow_failure_exception_types: Sequence[type[BaseException]] = [],
        shared_state_manager: SharedStateManager | None = None,
        debug_mode: bool = False,
        disable_eager_activity_execution: bool = False,
        on_fatal_error: Callable[[BaseException], Awaitable[None]] | None = None,
        use_worker_versioning: bool = False,
        disable_safe_workflow_eviction: bool = False,
        deployment_config: WorkerDeploymentConfig | None = None,
        patch_activation_callback: Callable[[PatchActivationInput], bool] | None = None,
        workflow_task_poller_behavior: PollerBehavior = DEFAULT_POLLERS,
        activity_task_poller_behavior: PollerBehavior = DEFAULT_POLLERS,
        nexus_task_poller_behavior: PollerBehavior = DEFAULT_POLLERS,
        disable_payload_error_limit: bool = False,
        max_workflow_task_external_storage_concurrency: int = 3,
    ) -> None:
        """Set up a worker; nothing runs yet. :class:`WorkerConfig` says what the parameters mean.

        Raises:
            ValueError: Settings contradict one another, or something is there twice.
        """
        config = cast(WorkerConfig, {name: value for name, value in locals().items() if name != "self"})
        self._plugins = [*(each for each in client.config()["plugins"] if isinstance(each, Plugin)), *plugins]
        _warn_of_twins(self._plugins[: -len(plugins) or None], plugins)
        self._initial_config = cast(WorkerConfig, dict(config))
        for plugin in self._plugins:
            config = plugin.configure_worker(config)
        self._set_up(client, config)

    def _set_up(self, client: Client, config: WorkerConfig) -> None:
        check(config)
        self._config = config
        self._server = Server(client)
        self._parts = build(config, self._server, config["client"].config(active_config=True), runtime_of(client))
        self._started = False
        self._registered = False
        self._ends_polls = False
        """Whether the server ends polls when a worker shuts down."""
        self._shutdown = asyncio.Event()
        self._ended = asyncio.Event()
        self._around: asyncio.Task[Any] | None = None
        """The task whose code an `async with` of this worker surrounds."""
        self._running: asyncio.Task[None] | None = None
        self._leaving = False
        self._failure: BaseException | None = None

    def config(self, *, active_config: bool = False) -> WorkerConfig:
        """The parameters that the worker was made with; with `active_config` as plugins have changed them."""
        config = cast(WorkerConfig, dict(self._config if active_config else self._initial_config))
        config["activities"] = list(config.get("activities", []))
        config["workflows"] = list(config.get("workflows", []))
        return config

    @property
    def task_queue(self) -> str:
        """The task queue that the worker serves."""
        return self._config["task_queue"]

    @property
    def client(self) -> Client:
        """The client that the worker calls the server with. Can be exchanged: calls that begin later take the new one."""
        return self._config["client"]

    @client.setter
    def client(self, value: Client) -> None:
        if runtime_of(value) is not runtime_of(self._config["client"]):
            raise ValueError("New client is not on the same runtime as the existing client")
        registered = self._registered
        self._unregister()
        self._server.client = value
        self._config["client"] = value
        if registered:
            self._register()

    def _register(self) -> None:
        """Take the first tasks of workflows that are started in this process, if whoever starts them asks for that."""
        if self._parts.workflows is not None and not self._registered:
            self._registered = True
            self._server.eager_workers.register(self._server.namespace, self.task_queue, self._parts.workflows)

    def _unregister(self) -> None:
        if self._parts.workflows is not None and self._registered:
            self._registered = False
            self._server.eager_workers.unregister(self._server.namespace, self.task_queue, self._parts.workflows)

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._started and not self.is_shutdown

    @property
    def is_shutdown(self) -> bool:
        """Whether it has run and ended. Not yet true while it is ending."""
        return self._ended.is_set()

    async def run(self) -> None:
        """Run until `shutdown`, and until all activities have ended after that.

        Raises what ended the worker, if nobody asked it to. Cancelling this shuts the worker down, too.
        """

        def wrapped(plugin: Plugin, inner: Callable[[Worker], Awaitable[None]]) -> Callable[[Worker], Awaitable[None]]:
            return lambda worker: plugin.run_worker(worker, inner)

        chain: Callable[[Worker], Awaitable[None]] = Worker._run
        for plugin in reversed(self._plugins):
            chain = wrapped(plugin, chain)
        await chain(self)

    async def shutdown(self) -> None:
        """Have the worker end, and wait until it has. May be called before it runs, and again."""
        self._shutdown.set()
        await self._ended.wait()

    async def __aenter__(self) -> Self:
        """Start the worker."""
        if self._around is not None:
            raise RuntimeError("Already started")
        self._around = asyncio.current_task()
        if self._around is None:
            raise RuntimeError("Can only use async with inside a task")
        self._register()  # so that what the block starts at once comes to this worker
        self._running = asyncio.create_task(self._run_around())
        return self

    async def _run_around(self) -> None:
        try:
            await self.run()
        except BaseException as error:  # noqa: BLE001 - raised where the block ends
            self._unregister()
            if not self._started and self._parts.workflows is not None:
                self._parts.workflows.abandon()
            self._failure = error
            if not self._leaving:  # else the code after the block would be cancelled
                assert self._around is not None
                self._around.cancel()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Shut the worker down; raise what ended it, if that is what cancelled the block."""
        if self._running is None:
            raise RuntimeError("Never started")
        await self.shutdown()
        self._leaving = True
        limit = self._config.get("plugin_shutdown_timeout", timedelta(seconds=60))
        try:
            await asyncio.wait([self._running], timeout=limit.total_seconds() if limit else None)
        finally:
            self._running.cancel()
        if kind is asyncio.CancelledError and self._failure is not None:
            raise self._failure

    # Running

    async def _run(self) -> None:
        if self._started:
            raise RuntimeError("Already started")
        try:
            await self._validate()
        except BaseException:
            self._ended.set()  # nothing has started: `shutdown` need not wait
            raise
        self._started = True
        if self._parts.metrics is not None:
            self._parts.metrics.started()
        self._register()
        sides = self._sides()
        failure: BaseException | None = None
        try:
            failure = await self._first_failure(sides)
        except asyncio.CancelledError as error:
            logger.info("Worker cancelled, shutting down")
            failure = error
        try:
            await self._end(sides)
        finally:
            self._ended.set()
        if failure is not None:
            raise failure

    def _sides(self) -> dict[str, asyncio.Task[None]]:
        runs: dict[str, Coroutine[Any, Any, None]] = {}
        if self._parts.activities is not None:
            runs["Activity"] = self._parts.activities.run()
        if self._parts.workflows is not None:
            runs["Workflow"] = self._parts.workflows.run()
        return {side: asyncio.create_task(run) for side, run in runs.items()}

    async def _first_failure(self, sides: dict[str, asyncio.Task[None]]) -> BaseException | None:
        """What ends the worker: None if somebody asked for it."""
        asked = asyncio.create_task(self._shutdown.wait())
        try:
            await asyncio.wait([asked, *sides.values()], return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        for side, task in sides.items():
            if task.done() and (error := task.exception()) is not None:
                failure = RuntimeError(f"{side} worker failed")
                failure.__cause__ = error
                logger.error("Worker failed, shutting down", exc_info=failure)
                await self._tell(failure)
                return failure
        return None

    async def _tell(self, failure: BaseException) -> None:
        on_fatal_error = self._config.get("on_fatal_error")
        if on_fatal_error is None:
            return
        try:
            await on_fatal_error(failure)
        except Exception:
            logger.warning("Fatal error handler failed", exc_info=True)

    async def _end(self, sides: dict[str, asyncio.Task[None]]) -> None:
        grace_s = self._config["graceful_shutdown_timeout"].total_seconds()
        logger.info("Beginning worker shutdown, will wait %s s before cancelling activities", grace_s)
        parts = self._parts
        both = [side for side in (parts.activities, parts.workflows) if side is not None]
        self._unregister()
        for side in both:
            side.begin_stop()
        poll_grace_s = POLL_GRACE_S if await self._announce() and self._ends_polls else 0.0
        await asyncio.gather(*(side.stop_polling(poll_grace_s) for side in both))
        await asyncio.gather(*(side.drain(grace_s) for side in both))
        for task in sides.values():
            task.cancel()
        await asyncio.wait(sides.values())

    async def _validate(self) -> None:
        """Raises RuntimeError if the server does not know the namespace."""
        namespace = self._server.namespace
        try:
            reply = await self._server.calls.describe_namespace(DescribeNamespaceRequest(namespace=namespace), retry=True)
        except RPCError as error:
            if error.status is RPCStatusCode.UNIMPLEMENTED:
                return
            raise RuntimeError(
                f"Worker validation failed: Namespace {namespace} was not found or otherwise could not be described: {error}"
            ) from error
        self._ends_polls = reply.namespace_info.capabilities.worker_poll_complete_on_shutdown

    async def _announce(self) -> bool:
        """Tell the server that the worker shuts down, so that it sends no more tasks. Whether it heard that."""
        wire = self._parts.wire
        types = []
        if self._parts.workflows is not None:
            types.append(TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
        if self._parts.activities is not None:
            types.append(TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
        request = ShutdownWorkerRequest(
            namespace=wire.namespace,
            identity=wire.identity,
            sticky_task_queue=wire.sticky_queue if self._parts.workflows is not None else "",
            reason="graceful shutdown",
            worker_instance_key=wire.instance_key,
            task_queue=wire.task_queue,
            task_queue_types=types,
        )
        try:
            await self._server.calls.shutdown_worker(request, timeout=SHUTDOWN_CALL)
        except RPCError as error:
            quiet = error.status in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.UNAVAILABLE)
            logger.log(logging.DEBUG if quiet else logging.WARNING, "The server was not told that the worker shuts down: %s", error)
            return False
        return True


def _warn_of_twins(of_client: Sequence[Plugin], plugins: Sequence[Plugin]) -> None:
    given = {type(each) for each in plugins}
    for each in of_client:
        if type(each) in given:
            warnings.warn(
                f"The same plugin type {type(each)} is present from both client and worker. "
                "It may run twice and may not be the intended behavior.",
                stacklevel=3,
            )
