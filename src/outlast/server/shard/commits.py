"""Group commit: transitions that come while a commit is under way share the next one."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from outlast.server.shard.entity import Commit, Entity
from outlast.server.shard.limits import COMMIT_WRITES_MAX
from outlast.server.store.errors import StoreError
from outlast.server.store.protocol import RunWrite, Store

logger = logging.getLogger(__name__)


class _Group(msgspec.Struct, eq=False):
    commit: Commit
    writes: list[RunWrite] = []
    entities: list[Entity] = []
    landed: list[Callable[[], None]] = []


class Commits:
    """The queue before the store. One commit at a time; the next gathers meanwhile."""

    def __init__(self, store: Store, lost: Callable[[Sequence[Entity]], None]) -> None:
        """`lost` is told which entities hold state that could not be written."""
        self._store = store
        self._lost = lost
        self._groups: list[_Group] = []
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="outlast-commits")

    def submit(self, writes: Sequence[RunWrite], entities: Sequence[Entity], landed: Callable[[], None]) -> None:
        """Have `writes` committed together. `landed` is called when they are durable, before anybody who waits goes on."""
        if not self._groups or len(self._groups[-1].writes) >= COMMIT_WRITES_MAX:
            self._groups.append(_Group(Commit()))
        group = self._groups[-1]
        group.writes.extend(writes)
        group.entities.extend(entities)
        group.landed.append(landed)
        for entity in entities:
            entity.pending = group.commit
        self._idle.clear()
        self._wanted.set()

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            if not self._groups:
                self._wanted.clear()
                self._idle.set()
                continue
            group = self._groups.pop(0)
            try:
                await self._store.commit(group.writes)
            except StoreError as error:
                self._fail(group, error)
            except Exception as bug:  # of the store: nothing may be believed to be durable, and the callers get INTERNAL
                logger.exception("the store broke while it committed")
                self._fail(group, bug)
            else:
                self._land(group)

    def _land(self, group: _Group) -> None:
        for entity in group.entities:
            if entity.pending is group.commit:
                entity.pending = None
        for landed in group.landed:
            landed()
        group.commit.end(None)

    def _fail(self, group: _Group, error: Exception) -> None:
        """What waits behind was decided on a state that is not: it fails too."""
        logger.error("%s transitions lost, their callers are told: %s", len(group.writes), error)
        failed = [group, *self._groups]
        self._groups = []
        for each in failed:
            for entity in each.entities:
                entity.pending = None
        self._lost([entity for each in failed for entity in each.entities])
        for each in failed:
            each.commit.end(error)

    async def flush(self) -> None:
        """Wait until everything that was submitted has landed or failed."""
        await self._idle.wait()

    async def stop(self) -> None:
        await self.flush()
        if self._task is not None:
            self._task.cancel()
