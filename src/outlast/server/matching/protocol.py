"""What matching and its neighbours say to one another.

Matching holds offers, not truth. An offer names work that somebody else owns; before a poller gets it, matching
claims it from its owner, who says yes once. A lost queue is refilled by the owners.
"""

import enum
from collections.abc import Hashable
from typing import Protocol, TypeVar

import msgspec

TaskT = TypeVar("TaskT", covariant=True)


class QueueKind(enum.Enum):
    WORKFLOW = "workflow"
    ACTIVITY = "activity"


class QueueName(msgspec.Struct, frozen=True):
    """One task queue. A sticky queue is a workflow queue that one worker alone polls."""

    namespace_id: str
    name: str
    kind: QueueKind
    sticky: bool = False


class Poller(msgspec.Struct, frozen=True):
    """Who asks for work."""

    identity: str
    request_id: str
    """Unique for each poll request; claims with the same id are the same claim."""
    worker_instance_key: str = ""
    rate_per_second: float = 100_000.0


class WorkOwner(Protocol[TaskT]):
    """The owner of the work behind the offers (the shard)."""

    async def claim(self, queue: QueueName, work: Hashable, poller: Poller) -> TaskT | None:
        """Start the work for this poller: the task to send, or None when the work is gone or already taken."""

    async def release(self, queue: QueueName, work: Hashable, poller: Poller) -> None:
        """Undo a claim whose poller has gone before it got the task; the owner offers the work again."""

    def drained(self, queue: QueueName) -> None:
        """The queue refused offers earlier and has room again: offer what is still to be done."""
