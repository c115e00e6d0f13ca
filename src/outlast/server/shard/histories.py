"""Reading histories: from memory where it reaches, from the store before that."""

import asyncio
from collections.abc import Sequence

from temporalio.api.history.v1 import History, HistoryEvent

from outlast.engine.keys import ExecutionKey
from outlast.engine.state import Execution
from outlast.server.shard.entity import Entity
from outlast.server.shard.limits import HISTORY_PAGE_BATCHES
from outlast.server.shard.protocol import HistoryPage
from outlast.server.shard.shard import Shard
from outlast.server.store.protocol import EventBatch


class Histories:
    """Histories as the bytes that go on the wire, never parsed on the way."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    async def page(self, entity: Entity, first_event_id: int, limit: int = HISTORY_PAGE_BATCHES, *, last_event_id: int = 0) -> HistoryPage:
        """At most `limit` batches from the one that contains `first_event_id` on.

        They end with `last_event_id`, which the caller knows to be durable, or else where all is.
        """
        end = last_event_id or (await self._shard.readable(entity)).run.next_event_id - 1
        batches = [batch for batch in await self.batches(entity, first_event_id, limit) if batch.first_event_id <= end]
        last = batches[-1].last_event_id if batches else 0
        more = bool(batches) and last < end
        return HistoryPage(b"".join([batch.data for batch in batches]), last + 1 if more else 0)

    async def batches(self, entity: Entity, first_event_id: int, limit: int = HISTORY_PAGE_BATCHES) -> Sequence[EventBatch]:
        """At most `limit` batches from the one that contains `first_event_id` on."""
        in_memory = entity.tail_from(first_event_id)
        if in_memory is not None:
            return in_memory[:limit]
        stored = await self._shard.store.read_batches(entity.key, first_event_id, limit)
        if len(stored) == limit or not entity.tail:
            return stored
        reached = stored[-1].last_event_id if stored else first_event_id - 1
        return [*stored, *(batch for batch in entity.tail if batch.first_event_id > reached)][:limit]

    async def page_reverse(self, entity: Entity, last_event_id: int, limit: int) -> tuple[list[HistoryEvent], int]:
        """Events newest first, in whole batches, and where the next page starts (0: nowhere)."""
        run = (await self._shard.readable(entity)).run
        last_event_id = min(last_event_id, run.next_event_id - 1)
        batches = [batch for batch in reversed(entity.tail) if batch.first_event_id <= last_event_id][:limit]
        below = batches[-1].first_event_id - 1 if batches else last_event_id
        if len(batches) < limit and below > 0:
            batches += await self._shard.store.read_batches_reverse(entity.key, below, limit - len(batches))
        events: list[HistoryEvent] = []
        for batch in batches:
            events.extend(reversed(History.FromString(batch.data).events))
        lowest = batches[-1].first_event_id if batches else 1
        return events, lowest - 1

    async def event(self, entity: Entity, event_id: int) -> HistoryEvent:
        """One event."""
        for batch in await self.batches(entity, event_id, 1):
            for event in History.FromString(batch.data).events:
                if event.event_id == event_id:
                    return event
        raise LookupError(f"{entity.key} has no event {event_id}")

    async def last_batch(self, entity: Entity) -> bytes:
        """The last batch: of a closed run, the one with the closing event."""
        run = (await self._shard.readable(entity)).run
        return (await self.page(entity, run.last_batch_first_event_id, 1)).data

    async def wait(self, key: ExecutionKey, beyond_event_id: int, *, for_close: bool, timeout_s: float) -> Execution:
        """Wait for an event after `beyond_event_id`, or for the close; the state then, or when the time is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            entity = await self._shard.find(key)
            execution = await self._shard.readable(entity)
            run = execution.run
            if not run.running or (not for_close and run.next_event_id - 1 > beyond_event_id):
                return execution
            if loop.time() >= deadline or self._shard.waits_released:
                return execution
            await entity.woken(deadline)
