"""Makes `tests/histories/official`: the scenarios as an official worker ran them against our node. Run it from the work tree's root."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from outlast.server.node import Node, NodeSettings

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "histories" / "official"


def official_scenarios() -> ModuleType:
    """The scenarios with the official SDK's names in them."""
    source = (HERE / "scenarios.py").read_text().replace("from outlast", "from temporalio")
    spec = importlib.util.spec_from_loader("official_scenarios", None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["official_scenarios"] = module
    exec(compile(source, str(HERE / "official_scenarios.py"), "exec"), module.__dict__)
    return module


async def nothing(handle: WorkflowHandle[Any, Any]) -> None:
    """Let it run."""


async def poke(handle: WorkflowHandle[Any, Any]) -> None:
    await asyncio.sleep(0.3)
    await handle.signal("poke")


async def signals(handle: WorkflowHandle[Any, Any]) -> None:
    await handle.signal("unknown", "early")
    await handle.signal("work", "a")
    await handle.signal("note", "b")
    await asyncio.sleep(0.2)
    await handle.signal("work", "c")
    await handle.signal("unknown", "later")
    await handle.query("seen")
    await asyncio.sleep(0.2)
    await handle.signal("note", "last")


async def updates(handle: WorkflowHandle[Any, Any]) -> None:
    await handle.execute_update("add", 1)
    for name, args in (("add", [-1]), ("refuse", [])):
        try:
            await handle.execute_update(name, args=args)
        except WorkflowUpdateFailedError:
            continue
    await handle.execute_update("add_locally", 5)
    await asyncio.gather(*(handle.execute_update("add", value) for value in (2, 3, 4, 5)), handle.signal("finish"))


async def cancel(handle: WorkflowHandle[Any, Any]) -> None:
    await asyncio.sleep(0.25)
    await handle.cancel()


async def two_signals(handle: WorkflowHandle[Any, Any]) -> None:
    await handle.signal("go")
    await asyncio.sleep(0.05)
    await handle.signal("go")


Drive = Callable[[WorkflowHandle[Any, Any]], Awaitable[None]]
SCENARIOS: list[tuple[str, str, list[Any], Drive]] = [
    ("numbers", "Numbers", [], nothing),
    ("activities", "Activities", [3], nothing),
    ("activity-troubles", "ActivityTroubles", [], nothing),
    *(
        (f"activity-cancel-{kind}-{before}", "ActivityCancellations", [kind, before], nothing)
        for kind in range(3)
        for before in (True, False)
    ),
    ("timers", "Timers", [], nothing),
    ("local-activities", "LocalActivities", [], poke),
    ("local-activity-troubles", "LocalActivityTroubles", [], nothing),
    *(
        (f"local-activity-cancel-{kind}-{before}", "LocalActivityCancellations", [kind, before], nothing)
        for kind in range(3)
        for before in (True, False)
    ),
    ("long-local-activity", "LongLocalActivity", [], nothing),
    ("parent", "Parent", [], nothing),
    *((f"child-cancel-{kind}-{when}", "ChildCancellations", [kind, when], nothing) for kind in range(4) for when in ("unsent", "started")),
    ("signals", "Signals", [], signals),
    ("updates", "Updates", [], updates),
    ("patches", "Patches", [], nothing),
    ("properties", "Properties", [], nothing),
    ("continues", "Continues", [2], nothing),
    *((f"cancelled-{how}", "Cancelled", [how], cancel) for how in ("timer", "activity", "child", "condition", "ignored")),
    ("races", "Races", [], two_signals),
    ("dynamic", "NoSuchType", [1, "two"], nothing),
    *((f"failing-{how}", "Failing", [how], nothing) for how in ("application", "key", "timeout")),
]


async def make(client: Client, scenarios: ModuleType, task_queue: str, cached: int) -> None:
    suffix = "" if cached else "-uncached"
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=scenarios.WORKFLOWS,
        activities=scenarios.ACTIVITIES,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=cached,
        graceful_shutdown_timeout=timedelta(seconds=1),
    ):
        await asyncio.gather(*(make_one(client, task_queue, name + suffix, *rest) for name, *rest in SCENARIOS))
        target = await client.start_workflow("Child", "wait", id=f"target{suffix}", task_queue=task_queue)
        await make_one(client, task_queue, "externals" + suffix, "Externals", [target.id], nothing)


async def make_one(client: Client, task_queue: str, name: str, workflow: str, args: list[Any], drive: Drive) -> None:
    handle = await client.start_workflow(
        workflow, args=args, id=name, task_queue=task_queue, task_timeout=timedelta(seconds=2 if "long" in name else 10)
    )
    first = client.get_workflow_handle(name, run_id=handle.first_execution_run_id)
    await drive(handle)
    try:
        print(name, await asyncio.wait_for(handle.result(), 60))
    except WorkflowFailureError as err:
        print(name, repr(err.cause))
    (TARGET / f"{name}.json").write_text((await first.fetch_history()).to_json() + "\n")


async def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    node = Node(NodeSettings(port=0, search_attributes={"Colour": "Keyword"}))
    await node.start()
    try:
        client = await Client.connect(node.address)
        scenarios = official_scenarios()
        for cached in (1000, 0):
            began = time.monotonic()
            await make(client, scenarios, f"queue-{cached}", cached)
            print(f"{time.monotonic() - began:.1f} s")
    finally:
        await node.stop()


if __name__ == "__main__":
    asyncio.run(main())
