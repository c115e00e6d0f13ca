"""Whether anything runs on a shard, and when something will: what a clock that skips time must know of its runs."""

import asyncio
from collections.abc import Callable

from outlast.engine.keys import ExecutionKey
from outlast.engine.state import Execution
from outlast.engine.work import has_work
from outlast.server.shard.entity import Entity
from outlast.server.shard.shard import Shard


class Stillness:
    """A run holds the time while a worker has a task of it, or could get one."""

    def __init__(self, shard: Shard, changed: Callable[[], None]) -> None:
        """`changed` is called when the clock may have something new to consider."""
        self._shard = shard
        self._changed = changed
        self._holding: set[ExecutionKey] = set()
        self._waiting: dict[ExecutionKey, int] = {}
        """When each of the others comes due. Closed runs that only wait to be forgotten are not among them."""
        shard.noted = self._note

    def _note(self, entity: Entity) -> None:
        key, execution, due_at = entity.key, entity.execution, entity.due_at
        self._holding.discard(key)
        self._waiting.pop(key, None)
        if _holds(execution):
            self._holding.add(key)
        elif due_at is not None and (execution.run.open or due_at != execution.run.delete_at):
            self._waiting[key] = due_at
        self._changed()

    async def settle(self) -> None:
        """Wait until what is decided is written, and those who waited for that have had their turn."""
        await self._shard.flush()
        await asyncio.sleep(0)

    def still(self) -> bool:
        """Nothing runs, nothing is to be handed out, nothing is due."""
        next_moment = self.next_moment()
        return not self._holding and (next_moment is None or next_moment > self._shard.clock())

    def next_moment(self) -> int | None:
        """When the first run comes due."""
        return min(self._waiting.values(), default=None)

    def time_jumped(self) -> None:
        """Have the timers look at the clock."""
        self._shard.time_jumped()


def _holds(execution: Execution) -> bool:
    if has_work(execution):
        return True
    if not execution.run.open:
        return False
    return execution.run.workflow_task is not None or any(activity.started for activity in execution.activities.values())
