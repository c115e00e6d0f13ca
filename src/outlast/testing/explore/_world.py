"""One world: a node, the workers' lives in it, and the test that plays in it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from outlast import workflow
from outlast._direct import DirectServiceClient
from outlast.client import Client, WorkflowHistory
from outlast.server.node import Node, NodeSettings
from outlast.service import ConnectConfig
from outlast.testing.explore._elsewhere import Replayed, replay
from outlast.testing.explore._network import Connection, Life, Traffic
from outlast.testing.explore._reality import EPOCH_S
from outlast.testing.explore._schedule import Disturbance, Schedule
from outlast.testing.explore._trace import difference
from outlast.worker import Worker

RESTART_S = 1.0
"""How long a worker is away after it died."""
VIRTUAL_S_MAX = 20 * 365 * 86_400
"""A test that has not ended by then never will."""
_FOR_EVER_S = 100 * 365 * 86_400
_FEW_POLLS = {"max_concurrent_workflow_task_polls": 2, "max_concurrent_activity_task_polls": 1}
"""Nobody is in a hurry."""
_REPLAYS = frozenset(
    {
        "workflows",
        "workflow_runner",
        "unsandboxed_workflow_runner",
        "interceptors",
        "build_id",
        "workflow_failure_exception_types",
        "plugins",
    }
)
"""What a replayer must have that the worker had."""


class ReplayFailed(Exception):
    """The code that made a history does not make it again."""


class World:
    """What a test that is explored gets."""

    task_queue = "explored"
    """The queue of the workers, unless they are given another."""

    def __init__(
        self,
        schedule: Schedule,
        loop: asyncio.AbstractEventLoop,
        seed: str,
        options: Mapping[str, Any],
        search_attributes: Mapping[str, str],
    ) -> None:
        """`options` are those of the clients; `search_attributes` the custom ones, name to type."""
        self._schedule = schedule
        self._search_attributes = dict(search_attributes)
        self._loop = loop
        self._options = options
        self._lives: list[Life] = []
        """Kept, and with them the tasks that hang on them: asyncio alone would let them be collected as garbage."""
        self._workers: list[Mapping[str, Any]] = []
        self._broken: asyncio.Future[None] = loop.create_future()
        self._traffic = Traffic(schedule, self._break)
        self.replayed: list[Replayed] = []
        """The histories that came out again, once the world is over."""
        self.random = random.Random(f"{seed}/test")
        """For the test's own choices; the same in every run of this schedule."""

    def now(self) -> float:
        """Virtual seconds since the epoch."""
        return EPOCH_S + self._loop.time()

    @property
    def client(self) -> Client:
        """The client of the test. What it sends may be late, or arrive twice."""
        return self._client

    @asynccontextmanager
    async def worker(
        self, *, workflows: Sequence[type] = (), activities: Sequence[Callable[..., Any]] = (), **options: Any
    ) -> AsyncIterator[None]:
        """In this block a worker runs, which dies and is replaced as the schedule says. ``options`` are those of a `Worker`."""
        given = {"task_queue": self.task_queue, "workflows": workflows, "activities": activities}
        settings = {**_FEW_POLLS, "debug_mode": True, **given, **options}
        self._workers.append(settings)
        living = asyncio.ensure_future(self._live(settings))
        living.add_done_callback(self._worker_ended)
        try:
            yield
        finally:
            living.cancel()
            await asyncio.wait({living})

    async def _live(self, settings: Mapping[str, Any]) -> None:
        """One life after the other."""
        while True:
            life = Life(len(self._lives) + 1)
            self._lives.append(life)
            point, text = f"worker#{life.number}", f"worker {life.number} keeps no workflow in its cache"
            forgets = self._schedule.happens(Disturbance.FORGET, point, text)
            cached = {"max_cached_workflows": 0} if forgets else {}
            worker = Worker(self._connected(life), **{**settings, **cached})
            running = asyncio.ensure_future(worker.run())
            try:
                await asyncio.wait({running, life.death}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                ending = asyncio.ensure_future(worker.shutdown())
                await asyncio.wait({ending, life.death}, return_when=asyncio.FIRST_COMPLETED)
                raise
            if running.done() and not life.death.done():
                running.result()
                return
            running.cancel()
            await asyncio.sleep(RESTART_S)

    def _connected(self, life: Life | None) -> Client:
        return Client(
            Connection(ConnectConfig("explored", identity="worker" if life else "test"), self._node, self._traffic, life), **self._options
        )

    def _worker_ended(self, living: asyncio.Task[None]) -> None:
        if not living.cancelled() and (error := living.exception()) is not None:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)

    # The course of things

    async def play(self, test: Callable[[World], Any]) -> None:
        """Run the test, and look at what it has left. Raises what went wrong."""
        namespace = self._options.get("namespace", "default")
        attributes = self._search_attributes
        settings = NodeSettings(port=None, namespaces=(namespace,), retention_s=_FOR_EVER_S, search_attributes=attributes)
        self._node = Node(settings, lambda: int(self.now() * 1_000_000_000))
        await self._node.start()
        self._client = self._connected(None)
        playing = asyncio.ensure_future(test(self))
        try:
            await asyncio.wait({playing, self._broken}, timeout=VIRTUAL_S_MAX, return_when=asyncio.FIRST_COMPLETED)
            if self._broken.done():
                self._broken.result()
            if not playing.done():
                raise TimeoutError("the test has not ended after 20 virtual years")
            playing.result()
        finally:
            playing.cancel()
            await asyncio.wait({playing})
        await self._replay_all()
        await self._node.stop()

    async def _replay_all(self) -> None:
        """Every history must come out again, whatever the clock and the order of tasks in sets."""
        client = Client(DirectServiceClient(ConnectConfig("explored"), self._node), **self._options)
        async for execution in client.list_workflows():
            settings = self._worker_of(execution.workflow_type)
            if settings is None:
                continue
            history = await client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
            await self._check(history, settings)

    async def _check(self, history: WorkflowHistory, settings: Mapping[str, Any]) -> None:
        options = {name: value for name, value in settings.items() if name in _REPLAYS}
        options |= {"namespace": self._client.namespace, "data_converter": self._client.data_converter, "debug_mode": True}
        first, failure = await replay(history, options)
        if failure is not None:
            raise ReplayFailed(f"the history of {history.workflow_id!r} does not come out again: {failure}") from failure
        second, _ = await replay(history, options)
        if parting := difference(first, second):
            raise ReplayFailed(f"two replays of the history of {history.workflow_id!r} go different ways: {parting}")
        self.replayed.append(Replayed(history, options, first))

    def _worker_of(self, workflow_type: str) -> Mapping[str, Any] | None:
        """The worker that runs such workflows; one that runs all kinds last."""
        for wanted in (workflow_type, None):
            for settings in self._workers:
                if any(workflow._Definition.must_from_class(cls).name == wanted for cls in settings["workflows"]):
                    return settings
        return None
