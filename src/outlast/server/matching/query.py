"""Queries on their way: asked here, answered by whichever poller takes them, never stored."""

import asyncio
import itertools
import uuid
from collections.abc import Callable
from typing import Generic, TypeVar

from outlast.server.handover import QueryTimeout, QueryWork

ReplyT = TypeVar("ReplyT")


class _Asked(Generic[ReplyT]):
    __slots__ = ("reply", "taken")

    def __init__(self, reply: asyncio.Future[ReplyT]) -> None:
        self.reply = reply
        self.taken = False


def unique_ids() -> Callable[[], str]:
    """Ids that no other node and no earlier life of this node uses."""
    prefix, counter = uuid.uuid4().hex, itertools.count(1)
    return lambda: f"{prefix}-{next(counter)}"


class Queries(Generic[ReplyT]):
    """The queries that still wait for a reply."""

    __slots__ = ("_asked", "_new_id")

    def __init__(self) -> None:
        self._asked: dict[str, _Asked[ReplyT]] = {}
        self._new_id = unique_ids()

    def ask(self, payload: object) -> QueryWork:
        work = QueryWork(self._new_id(), payload)
        self._asked[work.query_id] = _Asked(asyncio.get_running_loop().create_future())
        return work

    async def reply(self, work: QueryWork, timeout_s: float) -> ReplyT:
        """Wait for the reply, and forget the query whatever happens."""
        asked = self._asked[work.query_id]
        try:
            async with asyncio.timeout(timeout_s):
                return await asked.reply
        except TimeoutError:
            raise QueryTimeout(taken=asked.taken) from None
        finally:
            del self._asked[work.query_id]

    def is_open(self, work: QueryWork) -> bool:
        asked = self._asked.get(work.query_id)
        return asked is not None and not asked.reply.done()

    def mark_taken(self, work: QueryWork) -> None:
        if asked := self._asked.get(work.query_id):
            asked.taken = True

    def answer(self, query_id: str, reply: ReplyT) -> bool:
        asked = self._asked.get(query_id)
        if asked is None or asked.reply.done():
            return False
        asked.reply.set_result(reply)
        return True

    def fail_untaken(self, work: QueryWork) -> None:
        """Fail the query now: no poller will take it."""
        if self.is_open(work):
            self._asked[work.query_id].reply.set_exception(QueryTimeout(taken=False))
