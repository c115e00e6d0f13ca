"""Bugs to plant in the server: each is a change of one function, small enough to slip through a review."""

from collections.abc import Callable
from typing import Any

import msgspec

from outlast.engine.decide import RECEIVES
from outlast.engine.draft import Draft
from outlast.engine.machines import activity
from outlast.engine.transition import NotifyParent, ReleaseChild, StartChild
from outlast.engine.triggers import Signal, StartActivity, StartWorkflowTask
from outlast.server.matching.matching import Matching
from outlast.server.shard import shard as shard_module
from outlast.server.shard.outbox import Outbox
from outlast.server.shard.shard import Shard
from outlast.server.shard.timers import Timers

Plant = tuple[Any, Any, Callable[[Any], Any]]
"""Where (a module, a class, a table), under which name or key, and how the new is made of the old."""


def _loses(kind: type) -> Callable[[Any], Any]:
    def plant(before: Any) -> Any:
        def deliver(self: Outbox, key: Any, effect: Any) -> None:
            if not isinstance(effect, kind):
                before(self, key, effect)

        return deliver

    return plant


def _reply_before_commit(_: Any) -> Any:
    async def settled(self: Shard, entity: Any) -> None:
        """Nobody waits for the store."""

    return settled


def _readable_before_commit(_: Any) -> Any:
    async def readable(self: Shard, entity: Any) -> Any:
        return entity.execution

    return readable


def _activity_given_again(before: Any) -> Any:
    def start(draft: Draft, poll: Any) -> None:
        pending = draft.activities.get(poll.scheduled_event_id)
        if pending is not None and pending.started:
            activity.begin(draft, poll.scheduled_event_id, poll.request_id, poll.identity)
        else:
            before(draft, poll)

    return start


def _offered_twice(before: Any) -> Any:
    def offer(self: Matching[Any, Any], queue: Any, work: Any) -> bool:
        before(self, queue, work)
        return bool(before(self, queue, work))

    return offer


def _task_given_again(before: Any) -> Any:
    def start(draft: Draft, poll: Any) -> None:
        task = draft.run.workflow_task
        if task is None or not task.started or task.scheduled_event_id != poll.scheduled_event_id:
            before(draft, poll)
        else:
            task.request_id = poll.request_id
            draft.changed, draft.durable = True, False

    return start


def _timers_forgotten_at_start(before: Any) -> Any:
    async def start(self: Timers) -> None:
        await before(self)
        self._heap.clear()
        self._set.clear()
        self._read_at = None

    return start


def _work_forgotten_at_start(_: Any) -> Any:
    return lambda execution: []


def _buffered_event_dropped(before: Any) -> Any:
    def flush_buffer(self: Draft) -> bool:
        if len(self.buffer) > 1:
            self.buffer.drop(max(self.buffer.items))
        return bool(before(self))

    return flush_buffer


def _no_request_ids(before: Any) -> Any:
    def receive(draft: Draft, told: Any) -> None:
        before(draft, msgspec.structs.replace(told, request_id=f"{told.request_id}#{draft.run.transition_count}"))

    return receive


def _put_back_is_lost(_: Any) -> Any:
    return lambda self, queue, work: None


def _no_dedupe_of_starts(before: Any) -> Any:
    async def start(self: Shard, namespace: Any, first: Any, *arguments: Any) -> Any:
        current = await self.find_current(shard_module.WorkflowKey(namespace.id, first.workflow_id))
        if current is not None and not current.execution.run.open:
            current.execution.run.create_request_id = ""
        return await before(self, namespace, first, *arguments)

    return start


PLANTS: dict[str, list[Plant]] = {
    "the close of a child is not told to its parent": [(Outbox, "deliver", _loses(NotifyParent))],
    "the start of a child is not delivered": [(Outbox, "deliver", _loses(StartChild))],
    "a child is never released": [(Outbox, "deliver", _loses(ReleaseChild))],
    "a reply is released before its commit": [(Shard, "settled", _reply_before_commit), (Shard, "readable", _readable_before_commit)],
    "an activity is handed out twice": [(RECEIVES, StartActivity, _activity_given_again), (Matching, "offer", _offered_twice)],
    "a workflow task is handed out twice": [(RECEIVES, StartWorkflowTask, _task_given_again), (Matching, "offer", _offered_twice)],
    "timers are forgotten at a restart": [(Timers, "start", _timers_forgotten_at_start)],
    "work is forgotten at a restart": [(shard_module, "pending_work", _work_forgotten_at_start)],
    "a buffered event is dropped": [(Draft, "flush_buffer", _buffered_event_dropped)],
    "request ids of signals are forgotten": [(RECEIVES, Signal, _no_request_ids)],
    "request ids of starts are forgotten": [(Shard, "start", _no_dedupe_of_starts)],
    "work that a poll gives back is lost": [(Matching, "_put_back", _put_back_is_lost)],
}

SEEDS_MAX = 60
"""Within so many seeds each of them is found."""
WORLD_OF: dict[str, dict[str, float]] = {
    "request ids of starts are forgotten": {"duplicated": 0.8, "reply_lost": 0.3},
    "work that a poll gives back is lost": {"cached_runs": 0, "read_fails": 0.15, "power_loss": 0.0, "outages": 0, "restarts": 0},
}
"""These show in any world, but only after some hundred seeds; in a world that is made for them they show at once."""
