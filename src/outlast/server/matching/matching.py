"""Matching: brings work that its owner offers to the pollers that ask for it, each work to one of them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from outlast.server.handover import Poller, QueryWork, QueueDescription, QueueName, TooManyQueries, WorkOwner
from outlast.server.matching.claims import Claims
from outlast.server.matching.limits import QUERIES_MAX, STALE_CLAIMS_PER_TURN, STOPPED_WORKERS_MAX
from outlast.server.matching.loaded import LoadedQueues
from outlast.server.matching.pollers import Waiter
from outlast.server.matching.query import Queries
from outlast.server.matching.queue import TaskQueue

T = TypeVar("T")
ReplyT = TypeVar("ReplyT")


class Matching(Generic[T, ReplyT]):
    """All task queues of one node. Everything happens on one event loop; only `poll`, `dispatch_query` and `close` wait.

    The promise: work that was offered is claimed by a poller that is still there, or is in its queue, or its owner was
    told to release it. A poll that ends early never takes work along.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._owner: WorkOwner[T] | None = None
        self._clock = clock
        self._queues = LoadedQueues()
        self._queries: Queries[ReplyT] = Queries()
        self._claims: Claims[T] = Claims(self._put_back)
        self._polls_released = False
        self._stopped_workers: OrderedDict[tuple[str, str], None] = OrderedDict()
        """Namespace and key of workers that have said goodbye, the last to do so last."""

    def bind(self, owner: WorkOwner[T]) -> None:
        """Name the owner of all work, once, before the first poll."""
        assert self._owner is None, "the owner is bound already"
        self._owner = owner

    # Work comes

    def offer(self, queue: QueueName, work: Hashable) -> bool:
        """Hand out this work. Work that is in the queue already stays where it is.

        False when the queue is full; then `drained` will ask for it.
        """
        assert work is not None, "None is no work"
        now = self._clock()
        return self._queues.load(queue, now).add(work, now)

    def withdraw(self, queue: QueueName, work: Hashable) -> None:
        """Forget the offer; a poll that was assigned the work already will hear from the owner that it is gone."""
        loaded = self._queues.find(queue)
        if loaded is not None:
            loaded.withdraw(work)
            self._ask_for_more(loaded)

    def _put_back(self, queue: QueueName, work: Hashable) -> None:
        if isinstance(work, QueryWork) and not self._queries.is_open(work):
            return
        now = self._clock()
        self._queues.load(queue, now).put_back(work, now)

    def _ask_for_more(self, queue: TaskQueue) -> None:
        if queue.has_drained():
            assert self._owner is not None, "no owner is bound"
            self._owner.drained(queue.name)

    # Pollers come and go

    async def poll(self, queue: QueueName, poller: Poller, deadline_s: float) -> T | None:
        """The next task, or None at the deadline. Raises what the owner's claim raises; the work is then the next in line again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + deadline_s
        stale = 0
        while not self._polls_released and (queue.namespace_id, poller.worker_instance_key) not in self._stopped_workers:
            work = await self._next_work(queue, poller, deadline, again=stale > 0)
            if work is None:
                return None
            task = await self._claim(queue, work, poller)
            if task is not None:
                return task
            stale += 1
            if stale % STALE_CLAIMS_PER_TURN == 0:
                await asyncio.sleep(0)
            if loop.time() >= deadline:
                return None
        return None

    async def _next_work(self, name: QueueName, poller: Poller, deadline: float, *, again: bool) -> Hashable | None:
        now = self._clock()
        # Looked up for each turn: while the poll claimed, an idle queue may have been unloaded and loaded anew.
        queue = self._queues.load(name, now)
        work = queue.take(poller, now)
        if work is None:
            return await self._wait(queue, poller, deadline, first=again)
        self._ask_for_more(queue)
        return work

    async def _wait(self, queue: TaskQueue, poller: Poller, deadline: float, *, first: bool) -> Hashable | None:
        """Wait for work to be assigned; None at the deadline."""
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        alarm = loop.call_at(deadline, self._expire, queue, poller, waiter)
        queue.pollers.wait(waiter, poller.worker_instance_key, first=first)
        try:
            work = await waiter
        except asyncio.CancelledError:
            queue.pollers.dismiss(waiter)
            assigned = None if waiter.cancelled() else waiter.result()
            if assigned is not None:
                self._put_back(queue.name, assigned)
            raise
        finally:
            alarm.cancel()
        if work is not None:
            # The wait may have begun long ago: a worker that was just given work is there.
            queue.pollers.see(poller, self._clock())
        return work

    def _expire(self, queue: TaskQueue, poller: Poller, waiter: Waiter) -> None:
        if not waiter.done():
            queue.pollers.see(poller, self._clock())
            queue.pollers.dismiss(waiter)

    async def _claim(self, queue: QueueName, work: Hashable, poller: Poller) -> T | None:
        assert self._owner is not None, "no owner is bound"
        query = work if isinstance(work, QueryWork) else None
        if query is not None and not self._queries.is_open(query):
            return None
        task = await self._claims.claim(self._owner, queue, work, poller)
        if task is not None:
            if query is not None:
                self._queries.mark_taken(query)
            now = self._clock()
            self._queues.load(queue, now).count_dispatch(now)
        return task

    def release_polls(self) -> None:
        """For a clean shutdown: every waiting poll ends with None now, and so does every later one."""
        self._polls_released = True
        for queue in self._queues:
            queue.pollers.dismiss_all()

    async def close(self) -> None:
        """Let go of the polls, and wait until the claims of those that were cancelled are undone."""
        self.release_polls()
        await self._claims.close()

    # Queries

    async def dispatch_query(self, queue: QueueName, payload: object, timeout_s: float) -> ReplyT:
        """Have a poller answer this query, which is never stored. Raises QueryTimeout or TooManyQueries.

        The owner's `claim` gets a `QueryWork`, once for each poller that takes it, and makes the task; it is never released.
        """
        now = self._clock()
        loaded = self._queues.load(queue, now)
        if loaded.query_count >= QUERIES_MAX:
            raise TooManyQueries(f"queue {queue.name!r} holds {QUERIES_MAX} queries that nobody has taken")
        work = self._queries.ask(payload)
        loaded.add_query(work, now)
        try:
            return await self._queries.reply(work, timeout_s)
        finally:
            self.withdraw(queue, work)

    def complete_query(self, query_id: str, reply: ReplyT) -> bool:
        """A worker's answer; False when nobody waits for it (any more)."""
        return self._queries.answer(query_id, reply)

    # Sticky queues

    def has_recent_poller(self, queue: QueueName) -> bool:
        """A poll waits now, or was seen in the last ten seconds."""
        loaded = self._queues.find(queue)
        return loaded is not None and loaded.pollers.any_recent(self._clock())

    def shutdown_worker(self, queue: QueueName) -> list[Hashable]:
        """The worker of this sticky queue says goodbye: end its polls, fail its queries, return its works to be offered elsewhere."""
        loaded = self._queues.find(queue)
        if loaded is None:
            return []
        loaded.pollers.forget()
        for query in loaded.take_queries():
            self._queries.fail_untaken(query)
        works = loaded.take_offers()
        self._ask_for_more(loaded)
        return works

    # Workers that stop

    def stop_polls(self, namespace_id: str, worker_instance_key: str) -> None:
        """A worker says goodbye: its polls of every queue end with nothing, now and from now on."""
        stopped = self._stopped_workers
        stopped[namespace_id, worker_instance_key] = None
        if len(stopped) > STOPPED_WORKERS_MAX:
            stopped.popitem(last=False)
        for queue in self._queues:
            if queue.name.namespace_id == namespace_id:
                queue.pollers.dismiss_worker(worker_instance_key)

    # What an operator asks

    def describe(self, queue: QueueName) -> QueueDescription:
        """Pollers, backlog and rates; all empty for a queue that nobody uses."""
        loaded = self._queues.find(queue)
        return QueueDescription() if loaded is None else loaded.describe(self._clock())

    def backlog_count(self, queue: QueueName) -> int:
        loaded = self._queues.find(queue)
        return 0 if loaded is None else loaded.offer_count

    def queue_names(self) -> list[QueueName]:
        self._queues.unload_idle(self._clock(), looked_at_max=len(self._queues))
        return [queue.name for queue in self._queues]
