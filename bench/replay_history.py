"""How long it takes to replay a long history, with our Replayer and the official one; and what one small activation costs.

`python -m bench.replay_history [--json] [events]`: medians of some rounds, in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import msgspec
from google.protobuf.json_format import MessageToJson
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from outlast import workflow
from outlast.client import WorkflowHistory as OurHistory
from outlast.converter import DataConverter
from outlast.replay.protocol import RunSettings, WorkflowTask
from outlast.replay.run import WorkflowRun
from outlast.worker import Replayer as OurReplayer

SOURCE = """
from datetime import timedelta
from {sdk} import activity, workflow

@activity.defn
async def work(number: int) -> int: ...

@workflow.defn
class Noop:
    @workflow.run
    async def run(self) -> None:
        pass

@workflow.defn
class Long:
    @workflow.run
    async def run(self, count: int) -> int:
        total = 0
        for number in range(count):
            total += await workflow.execute_activity(work, number, start_to_close_timeout=timedelta(seconds=10))
        return total
"""
ROUNDS = 7
EVENTS_PER_ACTIVITY = 6


def load(sdk: str) -> ModuleType:
    name = f"long_workflow_{sdk}"
    spec = importlib.util.spec_from_loader(name, None)
    assert spec is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    exec(SOURCE.format(sdk=sdk), module.__dict__)
    return module


def history(count: int) -> list[HistoryEvent]:
    """What a server writes for `Long`."""
    to_payloads = DataConverter.default.payload_converter.to_payloads
    events: list[HistoryEvent] = []

    def add(kind: int, field: str, **attributes: Any) -> int:
        number = len(events) + 1
        events.append(
            HistoryEvent(event_id=number, event_type=kind, event_time={"seconds": 1_700_000_000 + number}, **{field: attributes})  # type: ignore[arg-type]
        )
        return number

    def task() -> int:
        scheduled = add(5, "workflow_task_scheduled_event_attributes", task_queue={"name": "q"})
        started = add(6, "workflow_task_started_event_attributes", scheduled_event_id=scheduled, history_size_bytes=1000)
        metadata = {"core_used_flags": [1, 2, 3]} if scheduled == 2 else None
        fields = {"scheduled_event_id": scheduled, "started_event_id": started, "sdk_metadata": metadata}
        return add(7, "workflow_task_completed_event_attributes", **fields)

    started = {"workflow_type": {"name": "Long"}, "original_execution_run_id": "run", "input": {"payloads": to_payloads([count])}}
    add(1, "workflow_execution_started_event_attributes", **started, task_queue={"name": "q"}, workflow_task_timeout={"seconds": 10})
    completed = task()
    for number in range(count):
        scheduled = add(
            10,
            "activity_task_scheduled_event_attributes",
            activity_id=str(number + 1),
            activity_type={"name": "work"},
            input={"payloads": to_payloads([number])},
            workflow_task_completed_event_id=completed,
        )
        begun = add(11, "activity_task_started_event_attributes", scheduled_event_id=scheduled)
        result = {"payloads": to_payloads([number])}
        add(12, "activity_task_completed_event_attributes", scheduled_event_id=scheduled, started_event_id=begun, result=result)
        completed = task()
    add(
        2,
        "workflow_execution_completed_event_attributes",
        result={"payloads": to_payloads([0])},
        workflow_task_completed_event_id=completed,
    )
    return events


def settings(module: ModuleType) -> RunSettings:
    classes = (module.Noop, module.Long)
    definitions = {cls.__name__: workflow._Definition.must_from_class(cls) for cls in classes}
    return RunSettings("default", "q", definitions, DataConverter.default)


class Took(msgspec.Struct, frozen=True):
    """Medians."""

    seconds: float
    cpu_s: float
    """Of all threads."""


class Replays(msgspec.Struct, frozen=True):
    """One history, replayed by the Replayer of either SDK."""

    events: int
    ours: Took
    official: Took


def measure_replays(events_max: int) -> Replays:
    events = history(events_max // EVENTS_PER_ACTIVITY)
    json = MessageToJson(History(events=events))
    own, other = load("outlast"), load("temporalio")
    our_history, official_history = OurHistory.from_json("w", json), WorkflowHistory.from_json("w", json)

    def ours() -> None:
        asyncio.run(OurReplayer(workflows=[own.Long]).replay_workflow(our_history))

    def official() -> None:
        replayer = Replayer(workflows=[other.Long], workflow_runner=UnsandboxedWorkflowRunner())
        asyncio.run(replayer.replay_workflow(official_history))

    rounds = [(took(ours), took(official)) for _ in range(ROUNDS)]
    return Replays(len(events), *(_median(list(each)) for each in zip(*rounds, strict=True)))


def took(call: Callable[[], None]) -> Took:
    gc.collect()
    begun, cpu_before = time.perf_counter(), time.process_time()
    call()
    return Took(time.perf_counter() - begun, time.process_time() - cpu_before)


def _median(rounds: list[Took]) -> Took:
    return Took(statistics.median(each.seconds for each in rounds), statistics.median(each.cpu_s for each in rounds))


def noop_us(module: ModuleType) -> float:
    """One activation of a workflow that does nothing: from its first task to its completion, torn down."""
    shared = settings(module)
    events = history(1)[:3]
    events[0].workflow_execution_started_event_attributes.workflow_type.name = "Noop"
    events[0].workflow_execution_started_event_attributes.ClearField("input")
    task = WorkflowTask("w", "run", "Noop", 1, 0, 3, events)

    def thousand() -> None:
        for _ in range(1000):
            run = WorkflowRun(shared, "run")
            assert run.activate(task).closed
            run.evict()

    return _median([took(thousand) for _ in range(ROUNDS)]).cpu_s * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.replay_history", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the replays for a program")
    parser.add_argument("events", nargs="?", type=int, default=10_000)
    options = parser.parse_args()
    replays = measure_replays(options.events)
    if options.json:
        print(msgspec.json.encode(replays).decode())
        return
    for name, each in (("outlast", replays.ours), ("official", replays.official)):
        print(f"replay of {replays.events} events: {name} {each.seconds * 1e3:.0f} ms, {each.cpu_s * 1e3:.0f} ms of CPU")
    print(f"one activation of a workflow that does nothing: {noop_us(load('outlast')):.0f} µs")


if __name__ == "__main__":
    main()
