"""Raises an exception in the thread of an activity that is not async, when it is cancelled."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ThreadCancel:
    """One activity's thread. Cancelling before it runs counts once it does; while it is shielded, once the shield ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread_id: int | None = None
        self._pending: type[BaseException] | None = None
        self._shields = 0

    @contextmanager
    def active(self) -> Iterator[None]:
        """The activity runs in this thread. When it ends, nothing is raised any more: the thread then serves others."""
        try:
            with self._lock:
                self._thread_id = threading.get_ident()
                self._raise_if_due()
            yield
        finally:
            with self._lock:
                _raise_in(threading.get_ident(), None)
                self._thread_id = None
                self._pending = None

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold the exception back."""
        with self._lock:
            self._shields += 1
        try:
            yield
        finally:
            with self._lock:
                self._shields -= 1
                self._raise_if_due()

    def cancel(self, error: type[BaseException]) -> None:
        """Raise the error in the activity's thread, as soon as that may be."""
        with self._lock:
            self._pending = error
            self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._thread_id is not None and self._pending is not None and not self._shields:
            _raise_in(self._thread_id, self._pending)
            self._pending = None


def _raise_in(thread_id: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error) if error else None)
