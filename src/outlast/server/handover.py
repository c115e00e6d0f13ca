"""The neutral ground where the shard and matching meet: what they say to one another, and to the frontend.

Matching holds offers, not truth. An offer names work that somebody else owns; before a poller gets it, matching
claims it from its owner, who says yes once. A lost queue is refilled by the owners. `node` joins the two sides.
"""

import enum
from collections.abc import Hashable
from typing import Protocol, TypeVar

import msgspec

TaskT = TypeVar("TaskT", covariant=True)
TakenT = TypeVar("TakenT", covariant=True)
ReplyT = TypeVar("ReplyT")


class QueueKind(enum.Enum):
    WORKFLOW = "workflow"
    ACTIVITY = "activity"
    NEXUS = "nexus"
    """Nothing is ever offered there: a server without Nexus endpoints has no work for it."""


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
    worker_version: bytes = b""
    """Opaque: for the work's owner."""


class WorkOwner(Protocol[TaskT]):
    """The owner of the work behind the offers (the shard)."""

    async def claim(self, queue: QueueName, work: Hashable, poller: Poller) -> TaskT | None:
        """Start the work for this poller: the task to send, or None when the work is gone or already taken."""

    async def release(self, queue: QueueName, work: Hashable, poller: Poller) -> None:
        """Undo a claim whose poller has gone before it got the task; the owner offers the work again."""

    def drained(self, queue: QueueName) -> None:
        """The queue refused offers earlier and has room again: offer what is still to be done."""


class QueryTimeout(Exception):
    """Nobody answered the query in time: `taken` tells a worker that is slow from one that is not there."""

    def __init__(self, *, taken: bool) -> None:
        super().__init__("a worker took the query and did not answer" if taken else "no poller took the query")
        self.taken = taken


class TooManyQueries(Exception):
    """The queue holds as many queries as it may: the caller may ask again later."""


class QueryWork(msgspec.Struct, frozen=True, eq=False):
    """The work behind a query's offer. Two are the same only if they are one object; the id is for the way back."""

    query_id: str
    payload: object
    """Opaque: what the owner needs to make the task."""


class PollerSeen(msgspec.Struct, frozen=True):
    identity: str
    last_access_ns: int
    rate_per_second: float


class QueueDescription(msgspec.Struct, frozen=True):
    pollers: tuple[PollerSeen, ...] = ()
    backlog_count: int = 0
    oldest_offer_age_ns: int = 0
    add_rate: float = 0.0
    """Offers accepted per second, lately; those that met a waiting poller at once too."""
    dispatch_rate: float = 0.0


class TaskQueues(Protocol[TakenT, ReplyT]):
    """Every task queue of this node, as the shard and the frontend see it. `Matching` says more about each call."""

    def offer(self, queue: QueueName, work: Hashable) -> bool: ...

    async def poll(self, queue: QueueName, poller: Poller, deadline_s: float) -> TakenT | None: ...

    async def dispatch_query(self, queue: QueueName, payload: object, timeout_s: float) -> ReplyT: ...

    def complete_query(self, query_id: str, reply: ReplyT) -> bool: ...

    def has_recent_poller(self, queue: QueueName) -> bool: ...

    def shutdown_worker(self, queue: QueueName) -> list[Hashable]: ...

    def stop_polls(self, namespace_id: str, worker_instance_key: str) -> None: ...

    def backlog_count(self, queue: QueueName) -> int: ...

    def describe(self, queue: QueueName) -> QueueDescription: ...
