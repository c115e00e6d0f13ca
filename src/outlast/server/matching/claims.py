"""Claims: what stands between an offer that was assigned and a task in the hands of a poller that is still there."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable
from typing import Generic, TypeVar

from outlast.server.handover import Poller, QueryWork, QueueName, WorkOwner

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Claims(Generic[T]):
    """Claims work for polls. A claim that was begun runs to its end, and is undone when its poll has gone meanwhile."""

    __slots__ = ("_departures", "_put_back")

    def __init__(self, put_back: Callable[[QueueName, Hashable], None]) -> None:
        self._put_back = put_back
        self._departures: set[asyncio.Task[None]] = set()
        """One for each poll that was cancelled while it claimed, until the claim is undone."""

    async def claim(self, owner: WorkOwner[T], queue: QueueName, work: Hashable, poller: Poller) -> T | None:
        """The task, or None when the work is gone. When the owner's claim fails, the work is put back, and the failure raised."""
        begun = asyncio.get_running_loop().create_task(owner.claim(queue, work, poller), name="matching-claim")
        try:
            return await asyncio.shield(begun)
        except asyncio.CancelledError:
            self._see_off(self._undo(owner, queue, work, poller, begun))
            raise
        except BaseException:
            self._put_back(queue, work)
            raise

    async def close(self) -> None:
        """Wait until the claims of all polls that have gone are undone."""
        while self._departures:
            await asyncio.wait(self._departures)

    def _see_off(self, undo: Coroutine[object, None, None]) -> None:
        departure = asyncio.get_running_loop().create_task(undo, name="matching-departure")
        self._departures.add(departure)
        departure.add_done_callback(self._departures.discard)

    async def _undo(self, owner: WorkOwner[T], queue: QueueName, work: Hashable, poller: Poller, claim: asyncio.Task[T | None]) -> None:
        """The poller has gone: let the claim end, then undo it."""
        await asyncio.wait((claim,))
        if claim.cancelled() or claim.exception() is not None:
            self._put_back(queue, work)
        elif claim.result() is None:
            return
        elif isinstance(work, QueryWork):
            # A query has no state to undo, and only matching knows whether it is still wanted.
            self._put_back(queue, work)
        else:
            await _release(owner, queue, work, poller)


async def _release(owner: WorkOwner[T], queue: QueueName, work: Hashable, poller: Poller) -> None:
    try:
        await owner.release(queue, work, poller)
    except Exception:
        # The outermost loop of this task. The work counts as started by a worker that never answers: its timeout ends it.
        logger.exception("cannot release %r of queue %r, claimed by %r which has gone", work, queue, poller.identity)
