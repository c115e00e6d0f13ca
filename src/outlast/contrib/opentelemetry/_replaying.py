"""When telemetry from workflow code is dropped, and how it is recorded without minding the guard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from outlast import workflow


def is_replaying() -> bool:
    """Whether this code runs in a workflow whose history is being replayed, so that it was recorded before.

    Queries and validators of updates happen now, even in a workflow that is replayed for them.
    """
    return workflow.in_workflow() and workflow.unsafe.is_replaying_history_events()


@contextmanager
def recording() -> Iterator[None]:
    """Allow what recording needs and workflow code may not do: clocks, random numbers, locks."""
    if not workflow.in_workflow():
        yield
        return
    with workflow.unsafe.sandbox_unrestricted():
        yield
