"""How many polls a worker makes at a time, of which queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outlast.worker._poller import PollerBehavior, PollerBehaviorSimpleMaximum
from outlast.worker._tuning import WorkerTuner, _most_slots

if TYPE_CHECKING:
    from outlast.worker._config import WorkerConfig

DEFAULT_POLLERS = PollerBehaviorSimpleMaximum(maximum=5)
"""What a worker is made with unless something else is given; known by its identity."""
IN_PROCESS_POLLS = 20
"""Of each queue of a server in the same process, where a poll costs no connection. With more polls under way, more tasks are worked on in
one turn of the event loop, and more of their answers go into one commit: a fifth to a third less time per workflow than with five."""
SLOTS_SHARE = 4
"""Polls take no more than one slot in so many: the others are for tasks that come without a poll."""


class WorkflowPolls(msgspec.Struct, frozen=True):
    """The polls for workflow tasks."""

    common: PollerBehavior
    """Of the task queue."""
    sticky: PollerBehavior | None
    """Of the worker's own queue; None without a cache."""


def workflow_polls(config: WorkerConfig, tuner: WorkerTuner, *, in_process: bool) -> WorkflowPolls:
    """Both kinds share the slots: together they never reserve all of them, else one queue could starve the other."""
    behavior = workflow_pollers(config)
    slots = _most_slots(tuner._get_workflow_task_slot_supplier())
    cached = bool(config.get("max_cached_workflows"))
    if in_process and behavior is DEFAULT_POLLERS:
        each = _in_process_polls(slots)
        return WorkflowPolls(each, each if cached else None)
    if not cached:
        return WorkflowPolls(behavior, None)
    if not isinstance(behavior, PollerBehaviorSimpleMaximum):
        return WorkflowPolls(behavior, behavior)
    common = max(int(behavior.maximum * config.get("nonsticky_to_sticky_poll_ratio", 0.2)), 1)
    sticky = max(behavior.maximum - common, 1)
    if slots is not None:
        common = max(min(common, slots - 1), 1)
        sticky = max(min(sticky, slots - common), 1)
    return WorkflowPolls(PollerBehaviorSimpleMaximum(common), PollerBehaviorSimpleMaximum(sticky))


def activity_polls(config: WorkerConfig, tuner: WorkerTuner, *, in_process: bool) -> PollerBehavior:
    """The polls for activity tasks."""
    behavior = activity_pollers(config)
    if in_process and behavior is DEFAULT_POLLERS:
        return _in_process_polls(_most_slots(tuner._get_activity_task_slot_supplier()))
    return behavior


def _in_process_polls(slots: int | None) -> PollerBehavior:
    return PollerBehaviorSimpleMaximum(IN_PROCESS_POLLS if slots is None else max(min(IN_PROCESS_POLLS, slots // SLOTS_SHARE), 1))


def workflow_pollers(config: WorkerConfig) -> PollerBehavior:
    """What the settings say of polls for workflow tasks, both queues together."""
    return _pollers(config.get("max_concurrent_workflow_task_polls"), config.get("workflow_task_poller_behavior"))


def activity_pollers(config: WorkerConfig) -> PollerBehavior:
    """What the settings say of polls for activity tasks."""
    return _pollers(config.get("max_concurrent_activity_task_polls"), config.get("activity_task_poller_behavior"))


def _pollers(maximum: int | None, behavior: PollerBehavior | None) -> PollerBehavior:
    if maximum:
        return PollerBehaviorSimpleMaximum(maximum)
    return behavior or DEFAULT_POLLERS
