"""Exclusive ownership of a file: at most one process may change it."""

import fcntl
import os
from pathlib import Path

from outlast.server.store.errors import CannotOpen, InUse


class OwnerLock:
    """An advisory lock on `<path>.lock`, which ends with its process, however that ends.

    The database file itself cannot carry the lock: closing any descriptor of it would drop SQLite's own locks.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._database = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises InUse when another process holds it, CannotOpen when this one does, or when there can be no lock."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise CannotOpen(f"cannot create the lock file {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            if holder == str(os.getpid()):
                raise CannotOpen(f"this process (pid {holder}) has {self._database} open already") from None
            raise InUse(f"{self._database} is in use by another process (pid {holder}); stop it, or choose another file") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def drop(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
