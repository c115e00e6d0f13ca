"""What code sees of the world beside its workflow, made repeatable: clocks, chance, and the order of sets of tasks."""

from __future__ import annotations

import asyncio
import functools
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from outlast import workflow
from outlast.replay.loop import WorkflowLoop
from outlast.server.frontend import limits
from outlast.server.shard import ids

EPOCH_S = 1_767_225_600
"""Every world begins at 2026-01-01 00:00 UTC."""
FOR_EVER_S = 1e9
"""Polls wait so long: a day would else be thousands of polls that bring nothing."""
_SKEW_S_MAX = 1_000_000.0
_CLOCKS = ("time", "monotonic", "perf_counter")
_ORDER = "_outlast_explore_order"
_PLACE = "_outlast_explore_place"


@contextmanager
def repeatable(seed: str, now: Callable[[], float]) -> Iterator[None]:
    """In this block everything that is drawn comes from the seed, and every clock shows the virtual time (`now`, in seconds).

    Workflow code gets clocks of its own, and others each time that it is run from the start: what hangs on them, or on the order
    of a set of tasks, comes out differently then.
    """
    chance = random.Random(f"{seed}/chance")
    orders = random.Random(f"{seed}/orders")

    def order_of(loop: WorkflowLoop) -> _Order:
        order = getattr(loop, _ORDER, None)
        if not isinstance(order, _Order):
            order = _Order(orders.getrandbits(60))
            setattr(loop, _ORDER, order)
        return order

    def skew() -> float:
        loop = asyncio._get_running_loop()
        return order_of(loop).skew_s if isinstance(loop, WorkflowLoop) else 0.0

    def place(task: asyncio.Task[Any]) -> int:
        drawn = getattr(task, _PLACE, None)
        if drawn is None:
            loop = task.get_loop()
            drawn = order_of(loop).chance.getrandbits(60) if isinstance(loop, WorkflowLoop) else object.__hash__(task)
            setattr(task, _PLACE, drawn)
        return int(drawn)

    class Task(asyncio.Task[Any]):
        __hash__ = place

    def create_task(loop: WorkflowLoop, coro: Any, *, name: object = None, context: Any = None) -> asyncio.Task[Any]:
        task = Task(coro, loop=loop, context=context)
        loop.register(task, task.get_name() if name is None else str(name))
        return task

    with ExitStack() as stack:
        for clock in _CLOCKS:
            begin = EPOCH_S if clock == "time" else 0
            stack.enter_context(patch.object(time, clock, _seconds(getattr(time, clock), begin, now, skew)))
            stack.enter_context(patch.object(time, f"{clock}_ns", _nanoseconds(getattr(time, f"{clock}_ns"), begin, now, skew)))
        stack.enter_context(patch.object(os, "urandom", chance.randbytes))
        stack.enter_context(patch.object(ids, "_numbers", iter(functools.partial(chance.getrandbits, 80), None)))
        stack.enter_context(patch.object(WorkflowLoop, "create_task", create_task))
        for handle in (workflow.ActivityHandle, workflow.ChildWorkflowHandle):
            stack.enter_context(patch.object(handle, "__hash__", place))
        for limit in ("POLL_S_MAX", "LONG_POLL_S_MAX"):
            stack.enter_context(patch.object(limits, limit, FOR_EVER_S))
        stack.callback(random.setstate, random.getstate())
        random.seed(f"{seed}/random")
        yield


class _Order:
    """What is peculiar to one run of a workflow's code."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.skew_s = self.chance.uniform(0.0, _SKEW_S_MAX)


def _seconds(real: Callable[[], float], begin: int, now: Callable[[], float], skew: Callable[[], float]) -> Callable[[], float]:
    def clock() -> float:
        real()  # the guard of workflow code stands there
        return begin + now() + skew()

    return clock


def _nanoseconds(real: Callable[[], int], begin: int, now: Callable[[], float], skew: Callable[[], float]) -> Callable[[], int]:
    def clock() -> int:
        real()
        return begin * 1_000_000_000 + int((now() + skew()) * 1_000_000_000)

    return clock
