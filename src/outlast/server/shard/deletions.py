"""Deleting runs whose time is over: many in one transaction, one transaction at a time."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from outlast.engine.keys import ExecutionKey
from outlast.server.shard.limits import DELETED_RUNS_MAX
from outlast.server.store.errors import StoreError
from outlast.server.store.protocol import Store

logger = logging.getLogger(__name__)


class Deletions:
    """The runs that are being deleted. Whoever asks for one of them waits until it is gone, or has stayed after all."""

    def __init__(self, store: Store, failed: Callable[[Sequence[ExecutionKey]], None]) -> None:
        """`failed` is told which runs could not be deleted; they are as they were."""
        self._store = store
        self._failed = failed
        self._ended: dict[ExecutionKey, asyncio.Future[None]] = {}
        self._waiting: list[ExecutionKey] = []
        self._task: asyncio.Task[None] | None = None
        self.count = 0
        """Deletions that were asked for. A run that was read from the store is there still, if this has not changed."""

    def submit(self, key: ExecutionKey) -> None:
        """Have the run deleted. Nothing may change it from now on."""
        self.count += 1
        self._ended[key] = asyncio.get_running_loop().create_future()
        self._waiting.append(key)
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="outlast-deletions")

    async def settled(self, key: ExecutionKey) -> None:
        """Wait while the run is being deleted."""
        while (ended := self._ended.get(key)) is not None:
            await asyncio.shield(ended)

    async def stop(self) -> None:
        """Let what is under way end. What waits stays due in the store."""
        waiting, self._waiting = self._waiting, []
        self._end(waiting)
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        """Until nothing waits any more."""
        while self._waiting:
            keys = self._waiting[:DELETED_RUNS_MAX]
            del self._waiting[:DELETED_RUNS_MAX]
            try:
                await self._store.delete_runs(keys)
            except StoreError as error:
                logger.warning("%s runs could not be deleted, and stay for now: %s", len(keys), error)
                self._failed(keys)
            except Exception:  # of the store: those who wait must go on, and see what is there
                logger.exception("the store broke while it deleted %s runs", len(keys))
                self._failed(keys)
            self._end(keys)
        self._task = None

    def _end(self, keys: Sequence[ExecutionKey]) -> None:
        for key in keys:
            self._ended.pop(key).set_result(None)
