"""What code sees of the world beside its workflow, made repeatable: clocks, chance, and the order of sets of tasks."""

from __future__ import annotations

import asyncio
import ctypes
import datetime
import functools
import gc
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from outlast import workflow
from outlast.replay import guard
from outlast.replay.loop import WorkflowLoop
from outlast.server.frontend import limits
from outlast.server.shard import ids

EPOCH_S = 1_767_225_600
"""Every world begins at 2026-01-01 00:00 UTC."""
FOR_EVER_S = 1e9
"""Polls wait so long: a day would else be thousands of polls that bring nothing."""
_SKEW_S_MAX = 1_000_000.0
_CLOCK = "workflow.now(), workflow.time() or workflow.time_ns()"
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

    def wall_s() -> float:
        return EPOCH_S + now() + skew()

    def steady_s() -> float:
        return now() + skew()

    guard.protect(_Order)  # installs the guard if nobody has: what is put in its place below must not be what it replaces for good
    with ExitStack() as stack:
        for module, name, function, instead in (
            (time, "time", wall_s, _CLOCK),
            (time, "time_ns", _in_ns(wall_s), _CLOCK),
            (time, "monotonic", steady_s, _CLOCK),
            (time, "monotonic_ns", _in_ns(steady_s), _CLOCK),
            (time, "perf_counter", steady_s, _CLOCK),
            (time, "perf_counter_ns", _in_ns(steady_s), _CLOCK),
            (os, "urandom", chance.randbytes, "workflow.random()"),
        ):
            stack.enter_context(patch.object(module, name, _guarded(function, f"{module.__name__}.{name}", instead)))
        stack.enter_context(_dates(wall_s))
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


def _in_ns(clock: Callable[[], float]) -> Callable[[], int]:
    return lambda: int(clock() * 1_000_000_000)


def _guarded(function: Callable[..., Any], name: str, instead: str) -> Callable[..., Any]:
    """The function, which workflow code that is guarded may not call."""

    def call(*args: Any, **kwargs: Any) -> Any:
        loop = asyncio._get_running_loop()
        if isinstance(loop, WorkflowLoop) and loop.guarded:
            guard._refuse(sys._getframe(1), name, instead)
        return function(*args, **kwargs)

    return call


@contextmanager
def _dates(wall_s: Callable[[], float]) -> Iterator[None]:
    """Have the constructors of dates and datetimes that read the clock read this one. They are written in C, and cannot be patched."""
    if sys.implementation.name != "cpython":
        yield
        return
    moment, day = datetime.datetime, datetime.date
    constructors: list[tuple[type, str, Callable[..., Any]]] = [
        (moment, "now", lambda cls, tz=None: cls.fromtimestamp(wall_s(), tz)),
        (moment, "utcnow", lambda cls: cls.fromtimestamp(wall_s(), datetime.UTC).replace(tzinfo=None)),
        (day, "today", lambda cls: cls.fromtimestamp(wall_s())),
    ]
    replaced = [(kind, name, kind.__dict__[name]) for kind, name, _ in constructors]
    for kind, name, function in constructors:
        _set(kind, name, classmethod(_guarded(function, f"datetime.{kind.__name__}.{name}", _CLOCK)))
    try:
        yield
    finally:
        for kind, name, original in replaced:
            _set(kind, name, original)


def _set(kind: type, name: str, value: object) -> None:
    """Set an attribute of a type that is written in C: its dictionary is behind a proxy, and the method cache must be told."""
    [attributes] = [found for found in gc.get_referents(kind.__dict__) if isinstance(found, dict)]
    attributes[name] = value
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
