"""How long it takes to replay a long history, here and on the official Replayer; and what one small activation costs.

`python -m bench.replay_history [events]`: medians of some rounds, in CPU time, one after the other.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from google.protobuf.json_format import MessageToJson
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from outlast import workflow
from outlast.converter import DataConverter
from outlast.replay.protocol import RunSettings, WorkflowTask
from outlast.replay.run import WorkflowRun

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


def ours(module: ModuleType, events: list[HistoryEvent]) -> None:
    run = WorkflowRun(settings(module), "run")
    step = run.activate(WorkflowTask("w", "run", "Long", 1, len(events) - 2, 0, events, replay_only=True))
    assert step.failure is None, step.failure.message
    run.evict()


def official(module: ModuleType, replayed: WorkflowHistory) -> None:
    replayer = Replayer(workflows=[module.Long], workflow_runner=UnsandboxedWorkflowRunner())
    asyncio.run(replayer.replay_workflow(replayed))


def median_ms(call: Callable[[], None]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        gc.collect()
        began = time.process_time()
        call()
        rounds.append((time.process_time() - began) * 1e3)
    return statistics.median(rounds)


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

    return median_ms(thousand)


def main() -> None:
    count = int(sys.argv[1] if len(sys.argv) > 1 else 10_000) // EVENTS_PER_ACTIVITY
    events = history(count)
    own, other = load("outlast"), load("temporalio")
    replayed = WorkflowHistory.from_json("w", MessageToJson(History(events=events)))
    print(f"replay of {len(events)} events: outlast {median_ms(lambda: ours(own, events)):.0f} ms")
    print(f"replay of {len(events)} events: official Replayer {median_ms(lambda: official(other, replayed)):.0f} ms")
    print(f"one activation of a workflow that does nothing: {noop_us(own):.0f} µs")


if __name__ == "__main__":
    main()
