"""A plugin made of settings, for packages that change clients and workers in the usual ways."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias, TypeVar, cast

import outlast.client
import outlast.converter
import outlast.service
import outlast.worker
from outlast.client import ClientConfig, WorkflowHistory
from outlast.service import ConnectConfig, ServiceClient
from outlast.worker import Replayer, ReplayerConfig, Worker, WorkerConfig, WorkflowReplayResult, WorkflowRunner

T = TypeVar("T")

PluginParameter: TypeAlias = None | T | Callable[[T | None], T]  # noqa: RUF036
"""A setting, or a function from what is set to what shall be."""


class SimplePlugin(outlast.client.Plugin, outlast.worker.Plugin):
    """Puts the same few settings into every client, worker and replayer that it is given to."""

    def __init__(
        self,
        name: str,
        *,
        data_converter: PluginParameter[outlast.converter.DataConverter] = None,
        interceptors: Sequence[outlast.client.Interceptor | outlast.worker.Interceptor] | None = None,
        activities: PluginParameter[Sequence[Callable[..., Any]]] = None,
        nexus_service_handlers: PluginParameter[Sequence[Any]] = None,
        workflows: PluginParameter[Sequence[type]] = None,
        workflow_runner: PluginParameter[WorkflowRunner] = None,
        workflow_failure_exception_types: PluginParameter[Sequence[type[BaseException]]] = None,
        run_context: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    ) -> None:
        """Make a plugin. Sequences are appended to what is set; functions are given what is set and return what shall be.

        Args:
            name: Its name.
            data_converter: For clients and replayers.
            interceptors: Those of clients for clients, those of workers for workers and replayers. One that is both is used
                once: a worker has it from its client.
            activities: For workers.
            nexus_service_handlers: For workers.
            workflows: For workers and replayers.
            workflow_runner: For workers and replayers.
            workflow_failure_exception_types: For workers and replayers.
            run_context: Is entered before a worker or a replayer runs, and left afterwards.
        """
        self._name = name
        self.data_converter = data_converter
        self.interceptors = interceptors
        self.activities = activities
        self.nexus_service_handlers = nexus_service_handlers
        self.workflows = workflows
        self.workflow_runner = workflow_runner
        self.workflow_failure_exception_types = workflow_failure_exception_types
        self.run_context = run_context

    def name(self) -> str:
        """Its name."""
        return self._name

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Put the data converter and the interceptors of clients into a client's settings."""
        self._set_data_converter(config)
        interceptors = _appended(config.get("interceptors"), self.interceptors)
        if interceptors is not None:
            config["interceptors"] = [item for item in interceptors if isinstance(item, outlast.client.Interceptor)]
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> outlast.service.ServiceClient:
        """Connect as if this plugin were not there."""
        return await next(config)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Put everything but the data converter, which is the client's, into a worker's settings."""
        activities = _appended(config.get("activities"), self.activities)
        if activities:
            config["activities"] = activities
        handlers = _appended(config.get("nexus_service_handlers"), self.nexus_service_handlers)
        if handlers is not None:
            config["nexus_service_handlers"] = handlers
        if self.interceptors is not None:
            of_client: Sequence[object] = config["client"].config(active_config=True)["interceptors"]
            ours = [item for item in self.interceptors if isinstance(item, outlast.worker.Interceptor) and item not in of_client]
            config["interceptors"] = [*(config.get("interceptors") or ()), *ours]
        self._set_workflows(config)
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Put the data converter and everything about workflows into a replayer's settings."""
        self._set_data_converter(config)
        interceptors = _appended(config.get("interceptors"), self.interceptors)
        if interceptors is not None:
            config["interceptors"] = [item for item in interceptors if isinstance(item, outlast.worker.Interceptor)]
        self._set_workflows(config)
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Run a worker within the context."""
        if self.run_context is None:
            await next(worker)
            return
        async with self.run_context():
            await next(worker)

    @asynccontextmanager
    async def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[[Replayer, AsyncIterator[WorkflowHistory]], AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]],
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        """Run a replayer within the context."""
        if self.run_context is None:
            async with next(replayer, histories) as results:
                yield results
            return
        async with self.run_context(), next(replayer, histories) as results:
            yield results

    def _set_data_converter(self, config: ClientConfig | ReplayerConfig) -> None:
        data_converter = _resolved(config.get("data_converter"), self.data_converter)
        if data_converter:
            config["data_converter"] = data_converter

    def _set_workflows(self, config: WorkerConfig | ReplayerConfig) -> None:
        workflows = _appended(config.get("workflows"), self.workflows)
        if workflows is not None:
            config["workflows"] = workflows
        workflow_runner = _resolved(config.get("workflow_runner"), self.workflow_runner)
        if workflow_runner:
            config["workflow_runner"] = workflow_runner
        types = _appended(config.get("workflow_failure_exception_types"), self.workflow_failure_exception_types)
        if types is not None:
            config["workflow_failure_exception_types"] = types


def _resolved(existing: T | None, parameter: PluginParameter[T]) -> T | None:
    if parameter is None:
        return existing
    if callable(parameter):
        return cast(Callable[[T | None], T | None], parameter)(existing)
    return parameter


def _appended(existing: Sequence[Any] | None, parameter: PluginParameter[Sequence[Any]]) -> Sequence[Any] | None:
    if parameter is None:
        return existing
    if callable(parameter):
        return parameter(existing)
    return [*(existing or ()), *parameter]
