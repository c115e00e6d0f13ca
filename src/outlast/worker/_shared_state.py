"""What activities in other processes share with their worker: events, and a way to send heartbeats."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.managers import SyncManager

logger = logging.getLogger("outlast.worker")

HEARTBEATS_MAX = 1000
"""Heartbeats under way at a time."""
LOOK_S = 0.5
"""How soon the thread that takes heartbeats notices that no activity is left to send any."""
SEND_S = 30.0
"""How long an activity waits for room for its heartbeat."""
FLUSH_S = 5.0
END = ("__outlast_no_more_heartbeats__",)
"""Details that say that no heartbeats come after them."""


class SharedStateManager(ABC):
    """Makes what crosses process borders. One may serve several workers."""

    @staticmethod
    def create_from_multiprocessing(mgr: SyncManager, queue_poller_executor: Executor | None = None) -> SharedStateManager:
        """A manager on top of one of `multiprocessing.Manager()`.

        `queue_poller_executor` gives the thread that takes heartbeats; unless given, a thread is made.
        """
        return _MultiprocessingSharedStateManager(mgr, queue_poller_executor or ThreadPoolExecutor(1))

    @abstractmethod
    def new_event(self) -> threading.Event:
        """An event that can be set here and waited for in another process."""

    @abstractmethod
    async def register_heartbeater(self, task_token: bytes, heartbeat: Callable[..., None]) -> SharedHeartbeatSender:
        """Call `heartbeat` for what is sent through the sender that is returned. The sender can be pickled."""

    @abstractmethod
    async def unregister_heartbeater(self, task_token: bytes) -> None:
        """Deliver what was sent, and then no more."""


class SharedHeartbeatSender(ABC):
    """Sends heartbeats from another process. Can be pickled."""

    @abstractmethod
    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        """Send a heartbeat."""


class _MultiprocessingSharedStateManager(SharedStateManager):
    def __init__(self, manager: SyncManager, executor: Executor) -> None:
        self._manager = manager
        self._executor = executor
        self._queue: queue.Queue[tuple[bytes, Sequence[Any]]] = manager.Queue(HEARTBEATS_MAX)
        self._heartbeats: dict[bytes, Callable[..., None]] = {}
        self._ended: dict[bytes, Callable[[], None]] = {}
        self._taking = False
        self._lock = threading.Lock()

    def new_event(self) -> threading.Event:
        return self._manager.Event()

    async def register_heartbeater(self, task_token: bytes, heartbeat: Callable[..., None]) -> SharedHeartbeatSender:
        with self._lock:
            self._heartbeats[task_token] = heartbeat
            start, self._taking = not self._taking, True
        if start:
            self._executor.submit(self._take)
        return _MultiprocessingSharedHeartbeatSender(self._queue)

    async def unregister_heartbeater(self, task_token: bytes) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        self._ended[task_token] = partial(_soon, loop, ended.set)
        try:
            await loop.run_in_executor(None, lambda: self._queue.put((task_token, END), True, FLUSH_S))
            await ended.wait()
        finally:
            del self._ended[task_token]

    def _take(self) -> None:
        """Take heartbeats from the queue for as long as anybody may send one."""
        while True:
            try:
                task_token, details = self._queue.get(True, LOOK_S)
            except queue.Empty:
                with self._lock:
                    if not self._heartbeats:
                        self._taking = False
                        return
                continue
            except Exception:
                logger.exception("Heartbeats of other processes cannot be taken any more")
                return
            self._deliver(task_token, details)

    def _deliver(self, task_token: bytes, details: Sequence[Any]) -> None:
        if tuple(details) == END:
            self._heartbeats.pop(task_token, None)
            if (ended := self._ended.get(task_token)) is not None:
                ended()
        elif (heartbeat := self._heartbeats.get(task_token)) is not None:
            heartbeat(*details)


class _MultiprocessingSharedHeartbeatSender(SharedHeartbeatSender):
    def __init__(self, heartbeats: queue.Queue[tuple[bytes, Sequence[Any]]]) -> None:
        self._queue = heartbeats

    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        self._queue.put((task_token, details), True, SEND_S)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)
