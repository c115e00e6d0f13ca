"""Whether anything runs on a shard, and when something will: what a clock that skips time must know of its runs."""

import asyncio
from collections.abc import Callable

from outlast.engine.keys import ExecutionKey
from outlast.engine.state import Execution
from outlast.engine.work import has_work
from outlast.server.shard.entity import Entity
from outlast.server.shard.shard import Shard


class Stillness:
    """A run holds the time while workers have tasks of it, or could get some, and while it has something to tell others."""

    def __init__(self, shard: Shard, changed: Callable[[], None]) -> None:
        """`changed` is called when the clock may have something new to consider."""
        self._shard = shard
        self._changed = changed
        self._tasks: dict[ExecutionKey, int] = {}
        self._telling: set[ExecutionKey] = set()
        self._waiting: dict[ExecutionKey, int] = {}
        """When each comes due. Closed runs that only wait to be forgotten are not among them."""
        shard.noted = self._note

    def _note(self, entity: Entity) -> None:
        key, execution, due_at = entity.key, entity.execution, entity.due_at
        self._tasks.pop(key, None)
        self._telling.discard(key)
        self._waiting.pop(key, None)
        if tasks := _tasks(execution):
            self._tasks[key] = tasks
        elif has_work(execution):
            self._telling.add(key)
        if due_at is not None and (execution.run.open or due_at != execution.run.delete_at):
            self._waiting[key] = due_at
        self._changed()

    async def settle(self) -> None:
        """Wait until what is decided is written, and those who waited for that have had their turn."""
        await self._shard.flush()
        await asyncio.sleep(0)

    def holds(self) -> int:
        """Workflow tasks and attempts of activities that are in a worker's hands, or wait for one."""
        return sum(self._tasks.values())

    def still(self) -> bool:
        """Nothing is due, and no run has something to tell another."""
        next_moment = self.next_moment()
        return not self._telling and (next_moment is None or next_moment > self._shard.clock())

    def next_moment(self) -> int | None:
        """When the first run comes due."""
        return min(self._waiting.values(), default=None)

    def time_jumped(self) -> None:
        """Have the timers look at the clock."""
        self._shard.time_jumped()


def _tasks(execution: Execution) -> int:
    if not execution.run.open:
        return 0
    offered = execution.activities.waiting if execution.run.paused is None else 0
    started = sum(activity.started for activity in execution.activities.values())
    return offered + started + (execution.run.workflow_task is not None)
