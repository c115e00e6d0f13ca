"""Notices workflow code that does not yield, says where it hangs, and breaks it off.

Activations run in the event loop, so that nothing in the loop could notice that one never ends. A thread looks twice a second at
what runs. When an activation has run for too long, the thread notes the stack of the loop's thread and raises an exception in it.

In the main thread a signal raises it, which ends a wait for a lock, a sleep and most system calls, too. Other threads take no
signals: there the exception is raised with the next line of Python, and code that waits in C is not broken off.

Only the thread that is looked at may end an activation, and only the watchdog may break it off. That the exception never lands after
the end takes the order of four steps: the loop takes the activation out first and looks then whether it was condemned; the watchdog
condemns it first and looks then whether it is still in. Whoever comes second sees the other, and a lock settles the rest. A signal
comes between two lines of the main thread, and sees whether it still counts.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from time import monotonic  # by name: the guard, which comes later, would make every call of the module's cost more
from types import FrameType
from typing import ParamSpec, TypeVar

LIMIT_S = 2.0
LOOK_S = 0.5
_SIGNAL: int | None = getattr(signal, "SIGURG", None)
"""What wakes the main thread: a signal that nobody misses, since by default it does nothing. Windows has none such."""

P = ParamSpec("P")
T = TypeVar("T")


class Interrupted(BaseException):
    """Raised in workflow code that hangs. No `Exception`, so that workflow code does not catch it by accident."""


class _DeadlockError(Exception):
    """Workflow code did not yield in time. `stack` is where it was then."""

    def __init__(self, limit_s: float, stack: str) -> None:
        super().__init__(f"[TMPRL1101] Potential deadlock detected: workflow didn't yield within {limit_s:g} second(s).")
        self.stack = stack


class _Activation:
    __slots__ = ("began_at", "code", "stack", "thread_id")

    def __init__(self, thread_id: int, began_at: float, code: object) -> None:
        self.thread_id = thread_id
        self.began_at = began_at
        self.code = code
        self.stack: str | None = None
        """Where it hung; set when it is condemned."""


class Watchdog:
    """Watches the activations of all workers of the process."""

    def __init__(self, limit_s: float = LIMIT_S, look_s: float = LOOK_S) -> None:
        self._limit_s = limit_s
        self._look_s = look_s
        self._running: dict[int, _Activation] = {}
        """By thread: workers may live in several event loops."""
        self._lock = threading.Lock()
        self._users = 0
        self._users_in_main_thread = 0
        self._signals = False
        """Whether a signal raises in the main thread."""
        self._over = threading.Event()

    def start(self) -> None:
        """Watch, until `stop` was called as often, and from the same threads."""
        if threading.current_thread() is threading.main_thread():
            self._users_in_main_thread += 1
            if self._users_in_main_thread == 1:
                self._take_signal()
        self._users += 1
        if self._users == 1:
            self._over = threading.Event()
            threading.Thread(target=self._watch, args=(self._over,), name="outlast-watchdog", daemon=True).start()

    def stop(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._users_in_main_thread -= 1
            if self._users_in_main_thread == 0:
                self._give_signal_back()
        self._users -= 1
        if self._users == 0:
            self._over.set()

    def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make the call. Raises _DeadlockError if it took too long and was broken off, whatever came of it."""
        thread_id = threading.get_ident()
        outer = self._running.get(thread_id)
        activation = self._running[thread_id] = _Activation(thread_id, monotonic(), sys._getframe().f_code)
        try:
            try:
                return call(*args, **kwargs)
            finally:
                self._end(activation, outer)
        except BaseException as error:
            if activation.stack is not None:
                raise _DeadlockError(self._limit_s, activation.stack) from None
            raise error

    def _end(self, activation: _Activation, outer: _Activation | None) -> None:
        if outer is None:
            del self._running[activation.thread_id]
        else:
            self._running[activation.thread_id] = outer
        if activation.stack is not None:
            with self._lock:
                _raise_in(activation.thread_id, None)
            raise Interrupted

    def _take_signal(self) -> None:
        """Handle the signal, if the program does not."""
        if _SIGNAL is not None and signal.getsignal(_SIGNAL) is signal.SIG_DFL:
            signal.signal(_SIGNAL, self._signalled)
            self._signals = True

    def _give_signal_back(self) -> None:
        if self._signals:
            assert _SIGNAL is not None
            self._signals = False
            if signal.getsignal(_SIGNAL) == self._signalled:
                signal.signal(_SIGNAL, signal.SIG_DFL)

    def _signalled(self, _: int, frame: FrameType | None) -> None:
        """In the main thread: raise in the activation that is condemned, unless it is just ending."""
        activation = self._running.get(threading.get_ident())
        ending = frame is not None and frame.f_code in _UNBREAKABLE
        if activation is not None and activation.stack is not None and not ending:
            raise Interrupted

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(self._look_s):
            now = monotonic()
            for activation in list(self._running.values()):
                if now - activation.began_at > self._limit_s:
                    if activation.stack is None:
                        self._break_off(activation)
                    else:  # it swallowed the exception, or does again what cannot be interrupted
                        self._signal(activation)

    def _break_off(self, activation: _Activation) -> None:
        frame = sys._current_frames().get(activation.thread_id)
        with self._lock:
            activation.stack = _stack(frame, activation.code)
            if not self._signal(activation) and self._running.get(activation.thread_id) is activation:
                _raise_in(activation.thread_id, Interrupted)

    def _signal(self, activation: _Activation) -> bool:
        """Raise with a signal, if that can be."""
        if not self._signals or activation.thread_id != threading.main_thread().ident:
            return False
        assert _SIGNAL is not None
        signal.pthread_kill(activation.thread_id, _SIGNAL)
        return True


def _stack(frame: FrameType | None, code: object) -> str:
    """The frames from the activation on."""
    if frame is None:
        return ""
    frames = traceback.extract_stack(frame)
    depth = 0
    while frame is not None and frame.f_code is not code:
        frame, depth = frame.f_back, depth + 1
    return "".join(traceback.format_list(frames[-depth:]))


def _raise_in(thread_id: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error) if error else None)


_UNBREAKABLE = frozenset({Watchdog.run.__code__, Watchdog._end.__code__})
"""Where the end of an activation is noted: a signal that comes there has come too late."""
WATCHDOG = Watchdog()
