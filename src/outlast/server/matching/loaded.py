"""The task queues that are in memory: loaded on first use, unloaded when idle, without a timer."""

from collections import OrderedDict
from collections.abc import Iterator

from outlast.server.handover import QueueName
from outlast.server.matching.limits import QUEUES_LOOKED_AT
from outlast.server.matching.queue import TaskQueue


class LoadedQueues:
    """Each new queue pays for looking at a few old ones, in turn: idle ones go sooner than new ones come, and no call is slow."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: OrderedDict[QueueName, TaskQueue] = OrderedDict()

    def __iter__(self) -> Iterator[TaskQueue]:
        return iter(self._queues.values())

    def __len__(self) -> int:
        return len(self._queues)

    def find(self, name: QueueName) -> TaskQueue | None:
        return self._queues.get(name)

    def load(self, name: QueueName, now: int) -> TaskQueue:
        queue = self._queues.get(name)
        if queue is None:
            self.unload_idle(now, looked_at_max=QUEUES_LOOKED_AT)
            queue = self._queues[name] = TaskQueue(name, now)
        return queue

    def unload_idle(self, now: int, looked_at_max: int) -> None:
        for _ in range(min(looked_at_max, len(self._queues))):
            name, queue = self._queues.popitem(last=False)
            if not queue.is_idle(now):
                self._queues[name] = queue
