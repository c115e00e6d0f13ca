"""One seed's world: a node, its clients and workers, what goes wrong, and the verdict."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random
from typing import Any
from unittest.mock import patch

import msgspec
from temporalio.api.workflowservice.v1 import TerminateWorkflowExecutionRequest, UnpauseWorkflowExecutionRequest

from outlast.engine import limits as engine_limits
from outlast.engine.keys import ExecutionKey
from outlast.engine.state import Run
from outlast.engine.stored import decode_execution
from outlast.server.shard import limits as shard_limits
from outlast.server.shard.histories import Histories
from outlast.server.store.errors import StoreError
from tests.simulation.client import Client
from tests.simulation.faults import Faults, fresh_ids
from tests.simulation.ledger import Ledger
from tests.simulation.lives import LIFE, Lives
from tests.simulation.loop import Stuck, VirtualLoop, run
from tests.simulation.network import CURRENT, Network, RpcFailed
from tests.simulation.reader import Reader
from tests.simulation.settings import FAULTS_S, HEALED_S_MAX, Settings, draw
from tests.simulation.verdict import judge
from tests.simulation.worker import Worker

FLAWS_SHOWN = 8
LOOK_EVERY_S = 2.0
DAY_S = 86400
"""The retention of the namespace; how long its seconds are says how long that is."""
_decode_run = msgspec.msgpack.Decoder(Run).decode


class World:
    """`play(seed)` makes one, runs it, and tells how it went."""

    def __init__(self, seed: int, settings: Settings | None = None, planted: Sequence[tuple[Any, str, Any]] = ()) -> None:
        """`planted` are changes of the server: where, which name, how the new is made of the old."""
        self._planted = planted
        self.seed = seed
        self.settings = settings or draw(Random(f"{seed}/settings"))
        self.loop = VirtualLoop(Random(f"{seed}/shuffle") if self.settings.shuffle else None)
        self.faults = Faults(seed, self.settings, self.loop)
        self.lives = Lives(self.loop, self.faults)
        self.network = Network(self.faults, self.lives)
        self.ledger = Ledger()
        self.workflow_ids = [f"w{number}" for number in range(self.settings.workflow_ids)]
        self.known_runs: dict[str, list[str]] = {}
        self.over = False
        self.flaws: list[str] = []
        self._workers: dict[int, Worker] = {}
        self._life_of_worker = 0

    # What clients and workers use

    def know(self, workflow_id: str, run_id: str) -> None:
        runs = self.known_runs.setdefault(workflow_id, [])
        if run_id not in runs:
            runs.append(run_id)

    def workflow_of(self, run_id: str) -> str:
        return next(workflow_id for workflow_id, runs in self.known_runs.items() if run_id in runs)

    def broke(self, what: str, bug: BaseException) -> None:
        self.lives.broke(what, bug)

    def work_eagerly(self, task: Any) -> None:
        worker = self._workers.get(0)
        if worker is not None:
            worker._spawn(worker.work(task))

    # The course of things

    def play(self) -> None:
        self.loop.set_exception_handler(self._unhandled)
        with self._laws():
            try:
                run(self.loop, self._main())
            except Stuck as stuck:
                self.lives.flaws.append(f"stuck: {stuck}")
        sound, quick = self.settings.store_is_sound, not self.settings.stall
        self.flaws = judge(self.lives, self.ledger, self.network.calls, store_is_sound=sound, store_is_quick=quick)

    async def _main(self) -> None:
        keeper = asyncio.ensure_future(self.lives.keep_alive())
        for number in range(self.settings.workers):
            self._hire(number)
        clients = [
            asyncio.ensure_future(Client(self, f"client{number}", Random(f"{self.seed}/client{number}")).act())
            for number in range(self.settings.clients)
        ]
        others = [asyncio.ensure_future(self._trouble()), asyncio.ensure_future(Reader(self, Random(f"{self.seed}/reader")).follow())]
        try:
            await self._until_closed(clients, keeper)
        finally:
            self.over = True
            self.faults.note("over")
        for task in (*clients, *others):
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise task.exception() or AssertionError

    async def _until_closed(self, clients: list["asyncio.Future[None]"], keeper: "asyncio.Future[None]") -> None:
        """Wait until the clients have asked, and all that they began has ended; heal the world on the way."""
        for _ in range(int((FAULTS_S + HEALED_S_MAX) / LOOK_EVERY_S)):
            await asyncio.sleep(LOOK_EVERY_S)
            if keeper.done():
                keeper.result()
            if not self.faults.healed and self.loop.time() >= FAULTS_S:
                self._heal()
            if all(client.done() for client in clients) and not self._open():
                return
            if self.faults.healed and all(client.done() for client in clients):
                await self._tidy()
        if not all(client.done() for client in clients):
            self.lives.flaws.append("a client waits for ever")

    def _open(self) -> bool:
        return bool(self.lives.disk.memory._work) or bool(self._open_runs())

    def _open_runs(self) -> list[Run]:
        stored = [_decode_run(kept.core) for kept in self.lives.disk.memory._runs.values()]
        return [left for left in stored if left.open]

    async def _tidy(self) -> None:
        """Nobody else would let a held run go on, end a schedule, or a run that waits for the dead."""
        for left in self._open_runs():
            fields = {"namespace": "default", "identity": "tidier", "reason": "the end is near"}
            with suppress(RpcFailed):
                if left.paused is not None:
                    unpause = UnpauseWorkflowExecutionRequest(**fields, workflow_id=left.workflow_id, run_id=left.run_id, request_id="tidy")
                    await self.network.call("tidier", "UnpauseWorkflowExecution", unpause)
                if left.cron_schedule or self._forlorn(left):
                    terminate = TerminateWorkflowExecutionRequest(**fields)
                    terminate.workflow_execution.workflow_id = left.workflow_id
                    await self.network.call("tidier", "TerminateWorkflowExecution", terminate)

    def _forlorn(self, left: Run) -> bool:
        """Whether a reset has left the run with a child that had ended before: it never hears of it, as on the real server."""
        disk = self.lives.disk
        if not left.last_reset_time:
            return False
        stored = disk.memory._runs[left.key]
        for child in decode_execution(stored.core, dict(stored.parts)).children.values():
            ended = disk.ended_at(ExecutionKey(child.namespace_id, child.workflow_id, child.run_id)) if child.run_id else None
            if ended is not None and ended <= left.last_reset_time:
                return True
        return False

    def _heal(self) -> None:
        """From now on everything works; the workers are new."""
        self.faults.healed = True
        self.faults.note("all is healed")
        for number, worker in list(self._workers.items()):
            worker.crash()
            self._hire(number)

    async def _trouble(self) -> None:
        """What happens at moments of its own."""
        settings, faults = self.settings, self.faults
        plan = [(faults.moment(), "outage") for _ in range(settings.outages)]
        plan += [(faults.moment(), "restart") for _ in range(settings.restarts)]
        plan += [(faults.moment(), "worker") for _ in range(settings.worker_crashes)]
        for moment, what in sorted(plan):
            await asyncio.sleep(max(moment - self.loop.time(), 0.0))
            if faults.healed:
                return
            if what == "outage":
                self.lives.lose_power("somebody pulls the plug")
            elif what == "restart":
                await self.lives.restart()
            else:
                await self._replace(faults.between(0.0, settings.workers - 1e-9))

    async def _replace(self, which: float) -> None:
        worker = self._workers.pop(int(which), None)
        if worker is None:
            return
        if self.faults.coin():
            await worker.leave()
        else:
            worker.crash()
        await asyncio.sleep(self.faults.between(0.0, 6.0))
        if int(which) not in self._workers:
            self._hire(int(which))

    def _hire(self, number: int) -> None:
        self._life_of_worker += 1
        name = f"worker{number}.{self._life_of_worker}"
        self._workers[number] = Worker(self, name, Random(f"{self.seed}/{name}"))
        self._workers[number].start()

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not isinstance(error, StoreError):
            self.lives.flaws.append(f"nobody handled {error!r}: {context.get('message')}")
            self.lives.bugs.append(error)

    # The laws of this world

    @contextmanager
    def _laws(self) -> Iterator[None]:
        """Ids from the seed, bounds from the settings, the server's complaints to the verdict."""
        settings = self.settings
        fresh = fresh_ids(Random(f"{self.seed}/ids"), _note_id)
        changes: list[tuple[Any, str, Any]] = [
            ("outlast.server.shard.shard", "new_run_id", fresh),
            ("outlast.server.shard.tasks", "new_run_id", fresh),
            ("outlast.server.shard.queries", "uuid4", fresh),
            ("outlast.server.matching.query", "unique_ids", lambda: fresh),
            *((f"outlast.server.frontend.{name}", "uuid4", fresh) for name in ("workflows", "updates", "namespaces")),
            ("outlast.server.frontend.worker_tasks", "new_run_id", fresh),
            ("outlast.server.shard.entity", "TAIL_BATCHES_MAX", settings.tail_batches),
            ("outlast.server.shard.timers", "TIMER_HORIZON_NS", settings.horizon_s * 1_000_000_000),
            ("outlast.server.shard.timers", "DUE_PAGE", settings.scan_page),
            ("outlast.server.shard.commits", "COMMIT_WRITES_MAX", settings.commit_writes),
            ("outlast.server.matching.queue", "OFFERS_MAX", settings.offers),
            ("outlast.engine.limits", "BUFFERED_EVENTS_MAX", settings.buffered_events),
            ("outlast.server.frontend.history", "HISTORY_PAGE_BATCHES", settings.page_batches),
            ("outlast.server.frontend.namespaces", "SECOND", settings.retention_s * 1_000_000_000 // DAY_S),
            (shard_limits, "CACHED_RUNS_MAX", settings.cached_runs),
            (shard_limits, "WORK_PAGE", settings.scan_page),
            (Histories.page, "__defaults__", (settings.page_batches,)),
            *((where, name, plant(getattr(where, name))) for where, name, plant in self._planted if not isinstance(where, dict)),
        ]
        patches = [
            patch(f"{where}.{name}", value) if isinstance(where, str) else patch.object(where, name, value)
            for where, name, value in changes
        ]
        patches += [patch.dict(where, {key: plant(where[key])}) for where, key, plant in self._planted if isinstance(where, dict)]
        logger, ear = logging.getLogger("outlast"), _Ear(self)
        level, propagate = logger.level, logger.propagate
        for each in patches:
            each.start()
        logger.addHandler(ear)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(ear)
            logger.setLevel(level)
            logger.propagate = propagate
            for each in reversed(patches):
                each.stop()


def _note_id(made: str) -> None:
    record = CURRENT.get()
    if record is not None:
        record.ids.append(made)


class _Ear(logging.Handler):
    """Hears what the server logs as an error: anything but a setback of the store is a bug."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, StoreError) and LIFE.get() is not None:
            self._world.broke(f"the log says: {record.getMessage()}", error)


def play(seed: int, settings: Settings | None = None, planted: Sequence[tuple[Any, str, Any]] = ()) -> World:
    world = World(seed, settings, planted)
    world.play()
    return world


def told(world: World) -> str:
    """What a failing seed prints."""
    flaws = [*world.flaws[:FLAWS_SHOWN], *([f"and {len(world.flaws) - FLAWS_SHOWN} more"] if len(world.flaws) > FLAWS_SHOWN else [])]
    lines = [f"seed {world.seed}, trace {world.faults.hash}", f"{world.settings}", *world.faults.story, *(f"FLAW {flaw}" for flaw in flaws)]
    return "\n".join(lines)


assert Settings.buffered_events == engine_limits.BUFFERED_EVENTS_MAX, "the default settings are the server's"
