"""Base of plugins that change how workers and replayers are set up and run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outlast.client import WorkflowHistory
    from outlast.worker._config import WorkerConfig
    from outlast.worker._replayer import Replayer, ReplayerConfig, WorkflowReplayResult
    from outlast.worker._worker import Worker


class Plugin(ABC):
    """Changes the settings of workers and replayers, and wraps their runs. Plugins form a chain: each calls the next."""

    def name(self) -> str:
        """Name in logs: module and class, unless it is overridden."""
        return type(self).__module__ + "." + type(self).__qualname__

    @abstractmethod
    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Return the settings to make a worker with. Called while it is made."""

    @abstractmethod
    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Run the worker by awaiting `next(worker)`, with whatever must happen before and after."""

    @abstractmethod
    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Return the settings to make a replayer with: what the worker that is replayed had (interceptors, converter, workflows)."""

    @abstractmethod
    def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Run the replayer through `next(replayer, histories)`."""
