"""The event loop of one workflow: it runs what is ready and never waits, and its clock is the time of the workflow task.

`asyncio` appears in `replay` only here. A timer is a command to the server; whatever would need a thread, a socket or a
signal raises. Tasks are those of C `asyncio`, so that everything built on tasks and futures works inside workflows.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from outlast.workflow._exceptions import ReadOnlyContextError
from outlast.workflow._runtime import RUNTIME_ATTRIBUTE, Runtime

if TYPE_CHECKING:
    from outlast.replay.machines.timer import Timer, TimerOptions

    StartTimer = Callable[[float, "_Handle", TimerOptions | None], Timer]

Cancelled = asyncio.CancelledError
Future = asyncio.Future
Task = asyncio.Task
TimerHandle = asyncio.TimerHandle
wait_for = asyncio.wait_for
current_task = asyncio.current_task
running_loop = asyncio._get_running_loop
ASYNCIO_HOME = asyncio.__file__.removesuffix("__init__.py")

_T = TypeVar("_T")
_logger = logging.getLogger("outlast.workflow")

EVICTION_ROUNDS_MAX = 100
"""How often tasks are cancelled that swallow their cancellation when the run is evicted."""
EVICTION_REFUSALS_MAX = 10_000
"""How many actions raise while a run is evicted. Then they do nothing, so that code waits that goes on whatever is raised."""


class _WorkflowBeingEvictedError(BaseException):
    """Ends code that goes on with its workflow while the run is being torn down.

    It takes the place of the cancellation where it can, so that code does not clean up as if the workflow were cancelled.
    """


class WorkflowLoop(asyncio.AbstractEventLoop):
    """The loop. `runtime` is what the functions of `outlast.workflow` find on it."""

    def __init__(self, runtime: Runtime, start_timer: StartTimer, name_suffix: str, *, guarded: bool) -> None:
        setattr(self, RUNTIME_ATTRIBUTE, runtime)
        self.guarded = guarded
        """Whether calls raise that would not come out the same in a replay."""
        self.now_ns = 0
        self.read_only = False
        self.evicting = False
        self._refusals = 0
        self.error: BaseException | None = None
        """What fails the workflow task; nothing more is run once it is set."""
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self._start_timer = start_timer
        self._name_suffix = name_suffix
        self._tasks_kept = 64
        self._ready: deque[asyncio.Handle] = deque()
        self._conditions: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._context = contextvars.Context()
        self._exception_handler: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None

    # Running

    def inside(self, work: Callable[[], None]) -> None:
        """Do `work` as this loop's own: with it as the running loop, and with none of the caller's context variables."""
        outer = asyncio._get_running_loop()
        if sys.version_info >= (3, 14) and outer is not None:
            # From 3.14 on a thread has one current task, not each loop one of its own.
            task = asyncio.tasks._swap_current_task(outer, None)
        hooks = sys.get_asyncgen_hooks()
        # The hooks of the worker's loop would finish this workflow's generators there, later.
        sys.set_asyncgen_hooks(firstiter=None, finalizer=None)
        asyncio._set_running_loop(self)
        try:
            self._context.run(work)
        finally:
            asyncio._set_running_loop(outer)
            if sys.version_info >= (3, 14) and outer is not None:
                asyncio.tasks._swap_current_task(outer, task)
            sys.set_asyncgen_hooks(*hooks)

    def run_ready(self, check_conditions: Callable[[], bool] | None) -> None:
        """Run until nothing is ready. `check_conditions` tells whether `wait_condition`s may go on; None if none may.

        Raises:
            BaseException: What failed the workflow task (`error`).
        """
        ready = self._ready
        while ready:
            while ready:
                handle = ready.popleft()
                if not handle._cancelled:
                    handle._run()
                if self.error is not None and not self.evicting:
                    raise self.error
            if self._conditions and check_conditions is not None and check_conditions():
                self._conditions = [pair for pair in self._conditions if not pair[1].done() and not _met(*pair)]

    def evict(self) -> None:
        """Cancel every task until none is left, whatever their code does about it.

        Raises:
            RuntimeError: Tasks go on although they were cancelled again and again.
        """
        self.evicting = True
        if self.pending():
            self.inside(self._cancel_everything)
        if left := self.pending():
            raise RuntimeError(f"Evicted a workflow, but {len(left)} of its tasks swallow their cancellation: {left}")

    def forget(self) -> None:
        """Let go of all that refers to this loop: nothing will run on it any more."""
        self.tasks.clear()
        self._ready.clear()
        self._conditions.clear()

    def _cancel_everything(self) -> None:
        for _ in range(EVICTION_ROUNDS_MAX):
            for task in self.pending():
                task.cancel()
            self.run_ready(None)
            if not self.pending():
                return

    def pending(self) -> list[asyncio.Task[Any]]:
        """The tasks that are not done."""
        return [task for task in self.tasks if not task.done()]

    # What the workflow waits for

    def add_condition(self, fn: Callable[[], bool], future: asyncio.Future[None]) -> None:
        self._conditions.append((fn, future))

    def make_ready(self, handle: asyncio.Handle) -> None:
        """Run a timer's callback: the timer has fired."""
        self._ready.append(handle)

    def register(self, task: asyncio.Task[Any], name: str) -> None:
        """Hold on to a task, since asyncio only keeps weak references, and name it."""
        self.assert_writable("create task")
        task.set_name(name + self._name_suffix)
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        if len(self.tasks) >= self._tasks_kept:
            self.tasks = dict.fromkeys(self.pending())
            self._tasks_kept = max(64, 2 * len(self.tasks))
        self.tasks[task] = None

    def assert_writable(self, action: str) -> None:
        """Raise in a query handler or a validator, and end code that goes on while its run is evicted, as long as that helps."""
        if self.evicting:
            self._refusals += 1
            if self._refusals > EVICTION_REFUSALS_MAX:
                return
            raise _WorkflowBeingEvictedError(f"Ignoring {action} while evicting workflow. This is not an error.")
        if self.read_only:
            raise ReadOnlyContextError(f"While in read-only function, action attempted: {action}")

    # The interface of asyncio

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        if self.read_only and not self.evicting:
            raise ReadOnlyContextError("While in read-only function, action attempted: schedule task")
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Start a timer on the server."""
        return self.start_timer(delay, None, callback, *args, context=context)

    def start_timer(
        self,
        delay: float,
        options: TimerOptions | None,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Start a timer on the server with these options, or with those of the context."""
        self.assert_writable("schedule timer")
        if delay < 0:
            raise RuntimeError("Attempting to schedule timer with negative delay")
        handle = _Handle(self.time() + delay, callback, args, self, context)
        handle.timer = self._start_timer(delay, handle, options)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        # `asyncio.timeout` adds to `time()`; the float cannot hold its nanoseconds, so the difference is rounded.
        return self.call_later(round(when - self.time(), 3), callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        assert isinstance(handle, _Handle)
        self.assert_writable("cancel timer")
        handle.timer.cancel()

    def time(self) -> float:
        return self.now_ns / 1e9

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, _T] | Coroutine[Any, Any, _T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[_T]:
        task: asyncio.Task[_T] = asyncio.Task(coro, loop=self, context=context)
        self.register(task, task.get_name() if name is None else str(name))
        return task

    def get_task_factory(self) -> None:
        return None

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return False

    def get_exception_handler(self) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None:
        return self._exception_handler

    def set_exception_handler(self, handler: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None) -> None:
        self._exception_handler = handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        details = [f"{key}: {value!r}" for key, value in sorted(context.items()) if key not in ("message", "exception")]
        message = context.get("message") or "Unhandled exception in event loop"
        _logger.error("\n".join([message, *details]), exc_info=context.get("exception"))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.evicting:
            return
        if self._exception_handler is None:
            self.default_exception_handler(context)
            return
        try:
            self._exception_handler(self, context)
        except Exception as err:  # noqa: BLE001 - the handler is the user's; what it raises must not hide the first error
            self.default_exception_handler({"message": "Unhandled error in exception handler", "exception": err, "context": context})


class _Handle(asyncio.TimerHandle):
    """A callback that waits for a timer of the server."""

    __slots__ = ("timer",)
    timer: Timer


def waiting_frames(task: asyncio.Task[Any]) -> list[FrameType]:
    """Where a task waits, from its coroutine to the innermost one."""
    frames: list[FrameType] = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None) or getattr(waiting, "ag_frame", None)
        if frame is not None:
            frames.append(frame)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None) or getattr(waiting, "ag_await", None)
    return frames


def _met(fn: Callable[[], bool], future: asyncio.Future[None]) -> bool:
    if not fn():
        return False
    future.set_result(None)
    return True


async def settled(future: asyncio.Future[_T]) -> _T:
    """Wait for a future without cancelling it when the wait is cancelled, and take its result.

    It takes as many turns of the loop as `asyncio.wait` does: the order of commands after two things that come due in
    one workflow task depends on that, and must be the official SDK's.
    """
    waiter: asyncio.Future[None] = future.get_loop().create_future()

    def wake(_: asyncio.Future[_T]) -> None:
        if not waiter.done():
            waiter.set_result(None)

    future.add_done_callback(wake)
    try:
        await waiter
    finally:
        future.remove_done_callback(wake)
    return future.result()


def refuse(what: str) -> Callable[..., NoReturn]:
    def unavailable(self: WorkflowLoop, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(f"{what} is not possible inside of a workflow; do it in an activity")

    return unavailable


_IMPOSSIBLE = {
    "run_in_executor": "Running code in a thread or process (run_in_executor, asyncio.to_thread)",
    "set_default_executor": "Running code in a thread or process",
    "call_soon_threadsafe": "Calling from another thread (call_soon_threadsafe)",
    "run_forever": "Running the workflow's loop",
    "run_until_complete": "Running the workflow's loop",
    "stop": "Stopping the workflow's loop",
    "close": "Closing the workflow's loop",
    "add_signal_handler": "Handling signals of the process",
    "remove_signal_handler": "Handling signals of the process",
    "create_server": "A server",
    "create_unix_server": "A server",
    "create_connection": "A network connection",
    "create_unix_connection": "A network connection",
    "create_datagram_endpoint": "A socket",
    "connect_accepted_socket": "A socket",
    "sock_recv": "A socket",
    "sock_recv_into": "A socket",
    "sock_sendall": "A socket",
    "sock_connect": "A socket",
    "sock_accept": "A socket",
    "sock_sendfile": "A socket",
    "sendfile": "A socket",
    "start_tls": "A network connection",
    "getaddrinfo": "Looking up a host",
    "getnameinfo": "Looking up a host",
    "add_reader": "Watching a file",
    "remove_reader": "Watching a file",
    "add_writer": "Watching a file",
    "remove_writer": "Watching a file",
    "connect_read_pipe": "A pipe",
    "connect_write_pipe": "A pipe",
    "subprocess_shell": "A subprocess",
    "subprocess_exec": "A subprocess",
}
for _name, _what in _IMPOSSIBLE.items():
    setattr(WorkflowLoop, _name, refuse(_what))
