"""Delivers completion callbacks: what is told is read from the run's history, what came of it is a trigger of the run."""

import asyncio
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from temporalio.api.common.v1 import Callback as WireCallback
from temporalio.api.history.v1 import History, HistoryEvent

from outlast.engine.keys import ExecutionKey
from outlast.engine.machines.update import failed_by_close
from outlast.engine.state import Callback
from outlast.engine.transition import DeliverCallback
from outlast.engine.triggers import CallbackAnswered
from outlast.engine.wire import moment
from outlast.server.shard import completions
from outlast.server.shard.entity import Entity
from outlast.server.shard.histories import Histories
from outlast.server.shard.limits import DELIVERIES_AT_ONCE, DELIVERY_TIMEOUT_S
from outlast.server.shard.protocol import Post, Poster, PostFailed
from outlast.server.shard.shard import Shard

_OF_THE_SERVER = "temporal://"


class Callbacks:
    """Attempts, a bounded number at once for each address."""

    def __init__(self, shard: Shard, histories: Histories, poster: Poster) -> None:
        self._shard = shard
        self._histories = histories
        self._poster = poster
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def deliver(self, key: ExecutionKey, effect: DeliverCallback) -> None:
        """Make one attempt. Raises NotFound when the run is gone, StoreError when the outcome could not be kept."""
        entity = await self._shard.find(key)
        callback = entity.execution.callbacks.get(effect.number)
        if callback is None or not callback.waits or callback.attempt != effect.attempt:
            return
        failure, again = await self._attempt(entity, callback)
        await self._shard.update(key, CallbackAnswered(effect.number, effect.attempt, failure, again))

    async def _attempt(self, entity: Entity, callback: Callback) -> tuple[str, bool]:
        url = WireCallback.FromString(callback.data).nexus.url
        if url.startswith(_OF_THE_SERVER):
            # Only operations of this server's own could wait here, and there are none.
            return "handler error (BAD_REQUEST): invalid callback token", False
        post = await self._post(entity, callback)
        address = urlsplit(url).netloc
        turns = self._turns.get(address)
        if turns is None:
            turns = self._turns[address] = asyncio.Semaphore(DELIVERIES_AT_ONCE)
        async with turns:
            try:
                answer = await self._poster.post(post.url, post.headers, post.body, DELIVERY_TIMEOUT_S)
            except PostFailed as error:
                return str(error), True
        return completions.verdict(answer)

    async def _post(self, entity: Entity, callback: Callback) -> Post:
        execution = await self._shard.readable(entity)
        attached = execution.attached.get(callback.request_id)
        attached_by = attached.event_type if attached is not None else 0
        if not callback.update_id:
            return completions.of_run(callback, execution.run, attached_by, await self._close_event(entity))
        update = execution.updates.get(callback.update_id)
        if update is None or not update.completed_event_id:
            closed = await self._close_event(entity)
            return completions.of_update(callback, execution.run, attached_by, failed_by_close(), moment(closed.event_time))
        completed = await self._histories.event(entity, update.completed_event_id)
        outcome = completed.workflow_execution_update_completed_event_attributes.outcome
        return completions.of_update(callback, execution.run, attached_by, outcome, moment(completed.event_time))

    async def _close_event(self, entity: Entity) -> HistoryEvent:
        return History.FromString(await self._histories.last_batch(entity)).events[-1]
