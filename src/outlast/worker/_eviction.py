"""Takes a run down, whatever its code does about that."""

from __future__ import annotations

import ctypes
import logging

from outlast.replay.protocol import Run
from outlast.worker._watchdog import WATCHDOG

logger = logging.getLogger("outlast.worker")


def evict(run: Run, *, watched: bool) -> None:
    """End the code of a run. If it cannot be ended that is logged, and the code stays where it is for as long as the process lives."""
    try:
        if watched:
            WATCHDOG.run(run.evict)
        else:
            run.evict()
    except Exception:
        logger.exception("Run %s could not be evicted", run.run_id)
        # Collecting it as garbage would raise once more in code that swallows whatever is raised, and wait for its end.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(run))
