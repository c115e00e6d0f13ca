"""Resets: what is read of a chain of runs, and the one commit that ends its current run and begins a new one."""

from collections.abc import Collection, Sequence

from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflow.v1 import PostResetOperation

from outlast.engine.keys import ExecutionKey
from outlast.engine.machines.reset import SIGNALS, TERMINATOR, UPDATES, Reset, check_finish_id, check_operations
from outlast.engine.refusals import Busy, NotFound
from outlast.engine.triggers import Terminate
from outlast.server.shard.entity import Entity
from outlast.server.shard.histories import Histories
from outlast.server.shard.limits import RESET_ATTEMPTS
from outlast.server.shard.shard import Shard


class Resets:
    """Makes new runs out of old ones."""

    def __init__(self, shard: Shard, histories: Histories) -> None:
        self._shard = shard
        self._histories = histories

    async def reset(
        self, key: ExecutionKey, finish_id: int, reason: str, excluded: Collection[int], operations: Sequence[PostResetOperation]
    ) -> str:
        """The run id of the new run, which is its workflow id's current one. Raises a Refusal or a StoreError.

        The `operations` are done last.
        """
        for _ in range(RESET_ATTEMPTS):
            base = await self._shard.find(key)
            await self._shard.settled(base)
            batches = await self._batches(base)
            kept = check_finish_id(finish_id, batches)
            check_operations(operations)
            walks = not {SIGNALS, UPDATES} <= set(excluded)
            followers = await self._followers(base) if walks else []
            later = [event for batch in batches[kept:] for event in batch]
            seen = [(base, base.execution)]
            for follower in followers:
                later += [event for batch in await self._batches(follower) for event in batch]
                seen.append((follower, follower.execution))
            current = await self._shard.find(ExecutionKey(key.namespace_id, key.workflow_id, ""))
            if all(entity.execution is execution for entity, execution in seen):
                run = base.execution.run
                reset = Reset(batches[:kept], later, run.run_id, run.create_request_id, reason, excluded, operations)
                terminate = Terminate(reason, TERMINATOR, for_reset=True)
                new = self._shard.begin_again(base, current, terminate, reset)
                await self._shard.settled(new)
                return new.key.run_id
        raise Busy("the workflow changes too fast to be reset; try again")

    async def _batches(self, entity: Entity) -> Sequence[Sequence[HistoryEvent]]:
        """The whole history, batch by batch."""
        batches: list[Sequence[HistoryEvent]] = []
        first = 1
        while first:
            page = await self._histories.batches(entity, first)
            batches += [History.FromString(batch.data).events for batch in page]
            first = page[-1].last_event_id + 1 if page and page[-1].last_event_id + 1 < entity.execution.run.next_event_id else 0
        return batches

    async def _followers(self, base: Entity) -> list[Entity]:
        """The runs that came after the base, one out of the other. One that is gone ends the walk."""
        followers: list[Entity] = []
        run_id = base.execution.run.new_run_id
        while run_id:
            try:
                follower = await self._shard.find(ExecutionKey(*base.key.workflow, run_id))
            except NotFound:
                break
            await self._shard.settled(follower)
            followers.append(follower)
            run_id = follower.execution.run.new_run_id
        return followers
