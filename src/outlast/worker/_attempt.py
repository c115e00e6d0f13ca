"""One attempt of an activity while it runs: its task, how it is cancelled, and why."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from outlast.activity import ActivityCancellationDetails, _ActivityCancellationDetailsHolder, _CompositeEvent
from outlast.exceptions import CancelledError
from outlast.worker._heartbeats import Heartbeats
from outlast.worker._thread_cancel import ThreadCancel

if TYPE_CHECKING:
    from temporalio.api.workflowservice.v1 import PollActivityTaskQueueResponse


class Attempt:
    """Cancelled at most once; what comes later says nothing new."""

    __slots__ = (
        "_from_elsewhere",
        "_thread_id",
        "cancelled",
        "details",
        "done",
        "heartbeat_error",
        "heartbeats",
        "is_local",
        "make_heartbeats",
        "started",
        "sync",
        "task",
        "thread",
        "work",
    )

    def __init__(self, task: PollActivityTaskQueueResponse, is_local: bool = False) -> None:
        self.task = task
        self.is_local = is_local
        self.work: asyncio.Task[None] | None = None
        """Runs the attempt, and reports it."""
        self.cancelled: _CompositeEvent | None = None
        self.thread: ThreadCancel | None = None
        self.heartbeats: Heartbeats | None = None
        """Made with the first heartbeat."""
        self.make_heartbeats: Callable[[Attempt], Heartbeats] | None = None
        """None where heartbeats go nowhere, in local activities."""
        self._thread_id = threading.get_ident()
        self._from_elsewhere: deque[tuple[Any, ...]] = deque(maxlen=1)
        """The newest heartbeat that came from another thread, until it is taken."""
        self.details = _ActivityCancellationDetailsHolder()
        self.heartbeat_error: Exception | None = None
        self.sync = False
        self.started = False
        """Before this, there is no code to interrupt."""
        self.done = False
        """Its code has ended: from now on nothing may interrupt the report."""

    @property
    def is_cancelled(self) -> bool:
        return self.details.details is not None or self.heartbeat_error is not None

    def heartbeat(self, *details: Any) -> None:
        """Its code is alive. May be called from any thread."""
        if threading.get_ident() == self._thread_id:
            self._beat(details)
        elif self.work is not None:
            self._from_elsewhere.append(details)
            self.work.get_loop().call_soon_threadsafe(self.take_heartbeat)

    def take_heartbeat(self) -> None:
        """Take a heartbeat that came from another thread, if there is one."""
        if self._from_elsewhere:
            self._beat(self._from_elsewhere.pop())

    def _beat(self, details: tuple[Any, ...]) -> None:
        if self.make_heartbeats is None or self.done:
            return
        if self.heartbeats is None:
            self.heartbeats = self.make_heartbeats(self)
        self.heartbeats.record(details)

    def cancel(self, details: ActivityCancellationDetails) -> None:
        """Tell the activity's code, and raise CancelledError in it."""
        if not self.is_cancelled:
            self.details.details = details
            self._interrupt()

    def fail_heartbeat(self, error: Exception) -> None:
        """A heartbeat's details could not be encoded: the activity fails with that."""
        if not self.is_cancelled:
            self.heartbeat_error = error
            self._interrupt()

    def _interrupt(self) -> None:
        if self.cancelled is not None:
            self.cancelled.set()
        if self.done:
            return
        if self.thread is not None:
            self.thread.cancel(CancelledError)
        if self.started and not self.sync and self.work is not None:
            self.work.cancel("Activity cancelled")
