"""The lives of one node: each is the real wiring without gRPC, on what the one before has left on the disk."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

from outlast.server import node as node_module
from outlast.server.node import Node, NodeSettings
from outlast.server.store.errors import StoreError
from tests.simulation.faults import Faults
from tests.simulation.faulty_store import Disk, FaultyStore
from tests.simulation.network import RpcFailed

NOON = 1_800_000_000_000_000_000
OPENINGS_MAX = 200
GRACE_S = 1.0
LIFE: contextvars.ContextVar["Life | None"] = contextvars.ContextVar("life", default=None)


class Life:
    """One process: all its tasks die with it."""

    def __init__(self, store: FaultyStore, clock: Any) -> None:
        self.store = store
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.waiting: dict[asyncio.Future[Any], None] = {}
        self.context = contextvars.copy_context()
        self.context.run(LIFE.set, self)
        node_module._store, before = lambda settings: store, node_module._store
        try:
            self.node = self.context.run(Node, NodeSettings(), clock)
        finally:
            node_module._store = before
        self.handlers = self.node._handlers
        self.shard = self.node._shard
        self.matching = self.node._matching

    async def open(self) -> None:
        """What `Node.start` does, without a port."""
        await self.node._store.open()
        await self.node._open()

    async def stop(self) -> None:
        """What `Node.stop` does."""
        self.matching.release_polls()
        self.shard.release_waits()
        if self.waiting:
            await asyncio.wait(list(self.waiting), timeout=GRACE_S)
        for done in list(self.waiting):
            _hang_up(done, "the server stops")
        await self.matching.close()
        await self.shard.close()
        await self.store.close()

    def spawn(self, work: Coroutine[Any, Any, None], done: "asyncio.Future[Any]", context: contextvars.Context) -> "asyncio.Task[None]":
        """Handle one request."""
        context.run(LIFE.set, self)
        self.waiting[done] = None
        done.add_done_callback(lambda future: self.waiting.pop(future, None))
        return asyncio.get_running_loop().create_task(work, context=context)

    def die(self) -> None:
        self.store.dead = True
        for done in list(self.waiting):
            _hang_up(done, "the server has died")
        for task in list(self.tasks):
            task.cancel()


def _hang_up(done: "asyncio.Future[Any]", why: str) -> None:
    if not done.done():
        done.set_exception(RpcFailed("UNAVAILABLE", why))


class Lives:
    """The server as its callers know it: there, or not there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, faults: Faults) -> None:
        self._loop = loop
        self._faults = faults
        self.disk = Disk()
        self.node: Life | None = None
        self.flaws: list[str] = []
        self.bugs: list[BaseException] = []
        self._wanted = asyncio.Event()
        self.at_next_commit: list[Callable[[], None]] = []
        self._dying: Life | None = None
        loop.set_task_factory(_owned)

    def clock(self) -> int:
        return NOON + round(self._loop.time() * 1_000_000_000)

    def broke(self, what: str, bug: BaseException) -> None:
        life = LIFE.get()
        if life is not None and life.store.dead:
            return  # whatever a dying process does, nobody sees it
        self._faults.note(f"{what}: {bug!r}")
        self.flaws.append(f"{what}: {bug!r}")
        self.bugs.append(bug)

    async def keep_alive(self) -> None:
        """Start the node again, whenever it is not there."""
        for _ in range(OPENINGS_MAX):
            life = Life(FaultyStore(self.disk, self._faults, self.lose_power, self._committed, self.clock), self.clock)
            self._wanted.clear()
            self._dying = life
            opening = self._loop.create_task(life.open(), context=life.context)
            await asyncio.wait((opening,))
            try:
                opening.result()
            except (StoreError, asyncio.CancelledError):
                life.die()
                self._faults.note("the node cannot open")
                await asyncio.sleep(1.0)
                continue
            if life.store.dead:
                continue
            self._faults.note("the node is up")
            self.node = life
            await self._wanted.wait()
            await asyncio.sleep(self._faults.between(0.0, 2.0))
        raise AssertionError(f"the node was started {OPENINGS_MAX} times")

    def _committed(self) -> None:
        """Whatever waits for work is about to get some."""
        waiting, self.at_next_commit = self.at_next_commit, []
        for act in waiting:
            act()

    def lose_power(self, story: str) -> None:
        life = self.node or self._dying
        if life is None or life.store.dead:
            return
        self._faults.note(f"POWER: {story}")
        self.disk.losses += 1
        self.node = None
        life.die()
        self._wanted.set()

    async def restart(self) -> None:
        """Stop as an operator would."""
        life = self.node
        if life is None:
            return
        self._faults.note("the node is stopped")
        self.node = None
        stopping = self._loop.create_task(life.stop(), context=life.context)
        try:
            await asyncio.wait((stopping,), timeout=60.0)
            if not stopping.done():
                self.flaws.append("the node did not stop within a minute")
            elif not life.store.dead:
                stopping.result()
        finally:
            life.die()
            self._wanted.set()


def _owned(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: contextvars.Context | None = None
) -> "asyncio.Task[Any]":
    """Make a task, and let the life that made it know: the tasks of a process die with it."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context) if context else asyncio.Task(work, loop=loop)
    life = context.get(LIFE) if context else LIFE.get()
    if life is not None:
        life.tasks[task] = None
        task.add_done_callback(lambda ended: life.tasks.pop(ended, None))
    return task
