"""A store that fails, stalls or loses power at any commit. What it has kept is a MemoryStore that outlives every node."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from outlast.engine.keys import ExecutionKey
from outlast.engine.state import Run
from outlast.engine.stored import decode_execution
from outlast.server.store.errors import StoreUnavailable
from outlast.server.store.memory import MemoryStore
from outlast.server.store.protocol import EventBatch, RunWrite, StoredNamespace
from tests.simulation.faults import Faults

T = TypeVar("T")
SEARCH_ATTRIBUTE = "s"
_SCANS = ("runs_with_work", "runs_due", "list_visibility", "count_visibility")
"""The SQLite store reads these in a thread, so that their answer may be old when it comes; other reads are on the loop."""


class Deleted(NamedTuple):
    """A run that is no more."""

    at: int
    run: Run
    batches: tuple[EventBatch, ...]


class Disk:
    """What is durable, and what was ever written: shared by all lives of the node."""

    def __init__(self) -> None:
        self.memory = MemoryStore()
        self.next_event_id: dict[ExecutionKey, int] = {}
        self.runs: dict[ExecutionKey, None] = {}
        """In the order in which they became current."""
        self.deleted: dict[ExecutionKey, Deleted] = {}
        self.flaws: list[str] = []
        self.commits = 0
        self.losses = 0
        """Commits and reads that failed, and power losses: how often memory and disk may have differed."""

    async def write(self, writes: Sequence[RunWrite]) -> None:
        await self.memory.commit(writes)
        self.commits += 1
        for write in writes:
            if write.make_current:
                self.runs[write.key] = None
            for batch in write.batches:
                expected = self.next_event_id.get(write.key, 1)
                if batch.first_event_id != expected:
                    self.flaws.append(f"{write.key.run_id}: a batch begins at event {batch.first_event_id}, not {expected}")
                self.next_event_id[write.key] = batch.last_event_id + 1

    def ended_at(self, key: ExecutionKey) -> int | None:
        """When the chain that begins with a run closed; None: it has not."""
        while True:
            deleted, stored = self.deleted.get(key), self.memory._runs.get(key)
            run = deleted.run if deleted is not None else decode_execution(stored.core, {}).run if stored is not None else None
            if run is None or run.open:
                return None
            if not run.new_run_id:
                return run.close_time
            key = ExecutionKey(*key.workflow, run.new_run_id)

    async def delete(self, keys: Sequence[ExecutionKey], now: int) -> None:
        """Forget runs, but for the verdict."""
        for key in keys:
            stored = self.memory._runs.get(key)
            if stored is None:
                continue
            run = decode_execution(stored.core, dict(stored.parts)).run
            if run.open or not 0 < run.delete_at <= now:
                self.flaws.append(f"{key.run_id} is deleted; open: {run.open}, to be deleted at {run.delete_at}, and it is {now}")
            if key in self.memory._work:
                self.flaws.append(f"{key.run_id} is deleted, and has messages that were not delivered")
            self.deleted[key] = Deleted(now, run, tuple(stored.batches))
        await self.memory.delete_runs(keys)


class FaultyStore:
    """One node's way to the disk. When the node has died, nothing passes any more."""

    def __init__(
        self, disk: Disk, faults: Faults, lose_power: Callable[[str], None], committed: Callable[[], None], clock: Callable[[], int]
    ) -> None:
        self._clock = clock
        self._disk = disk
        self._faults = faults
        self._lose_power = lose_power
        self._committed = committed
        self.dead = False

    async def open(self) -> None: ...

    async def close(self) -> None:
        self.dead = True

    async def commit(self, writes: Sequence[RunWrite]) -> None:
        self._check_alive()
        faults = self._faults
        await self._pause(faults.commit_pause())
        if faults.happens("commit_fails"):
            self._disk.losses += 1
            faults.note("commit fails: " + _shown(writes))
            raise StoreUnavailable("the commit failed")
        loss = faults.happens("power_loss")
        if loss and faults.coin():
            self._die("power is lost before a commit: " + _shown(writes))
        await self._disk.write(writes)
        faults.trace(_digest(writes))
        faults.note("commit " + _shown(writes))
        if loss:
            self._die("power is lost after a commit")
        await self._pause(faults.latency())
        self._check_alive()

    async def delete_runs(self, keys: Sequence[ExecutionKey]) -> None:
        self._check_alive()
        await self._pause(self._faults.commit_pause())
        if self._faults.happens("commit_fails"):
            self._disk.losses += 1
            raise StoreUnavailable("the deletion failed")
        loss = self._faults.happens("power_loss")
        if loss and self._faults.coin():
            self._die("power is lost before a deletion")
        await self._disk.delete(keys, self._clock())
        self._faults.note("delete " + ", ".join(f"{key.workflow_id}/{key.run_id[:4]}" for key in keys))
        if loss:
            self._die("power is lost after a deletion")

    async def write_namespace(self, namespace: StoredNamespace) -> None:
        await self._disk.memory.write_namespace(namespace)

    def _die(self, story: str) -> None:
        self._disk.losses += 1
        self._lose_power(story)
        raise StoreUnavailable("power is lost")

    def _check_alive(self) -> None:
        if self.dead:
            raise StoreUnavailable("this store is closed")

    async def _pause(self, pause: float) -> None:
        if pause:
            await asyncio.sleep(pause)
            self._check_alive()

    async def _read(self, read: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        self._check_alive()
        slow = read.__name__ in _SCANS
        await self._pause(self._faults.latency() if slow else 0.0)
        if self._faults.happens("read_fails"):
            self._disk.losses += 1
            self._faults.note("a read fails")
            raise StoreUnavailable("the read failed")
        found = await read(*arguments)
        if slow:
            await self._pause(self._faults.latency())
        return found

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Every other method of the protocol reads."""
        read = getattr(self._disk.memory, name)
        return lambda *arguments: self._read(read, *arguments)


def _shown(writes: Sequence[RunWrite]) -> str:
    parts = [f"{write.key.workflow_id}/{write.key.run_id[:4]}" + _ids(write) for write in writes]
    return ", ".join(parts)


def _ids(write: RunWrite) -> str:
    return f" {write.batches[0].first_event_id}-{write.batches[-1].last_event_id}" if write.batches else ""


def _digest(writes: Sequence[RunWrite]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for write in writes:
        digest.update(write.core)
        digest.update(repr((write.key, write.due_at, write.has_work)).encode())
        for part in sorted(write.parts):
            # A message with a map is not serialized in one order: search attributes count by their names.
            digest.update(write.parts[part] or b"-" if part.kind != SEARCH_ATTRIBUTE else part.id.encode())
        for batch in write.batches:
            digest.update(batch.data)
    return digest.hexdigest()
