"""Makes `tests/histories`: the scenarios as an official worker ran them against our node, and as our own did.

Run it from the work tree's root: `python -m tests.replay.make_histories official` or `… outlast`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import outlast.client
import outlast.worker
from outlast.server.node import Node, NodeSettings
from tests.replay import scenarios
from tests.replay.official import official_scenarios

HERE = Path(__file__).resolve().parent
HISTORIES = HERE.parent / "histories"


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


async def make(client: Client, worker: Any, task_queue: str, suffix: str, target: Path) -> None:
    """Run every scenario, and write down the history of its first run."""
    async with worker:
        await asyncio.gather(*(make_one(client, target, task_queue, name + suffix, *rest) for name, *rest in SCENARIOS))
        other = await client.start_workflow("Child", "wait", id=f"target{suffix}", task_queue=task_queue)
        await make_one(client, target, task_queue, "externals" + suffix, "Externals", [other.id], nothing)


async def make_one(client: Client, target: Path, task_queue: str, name: str, workflow: str, args: list[Any], drive: Drive) -> None:
    handle = await client.start_workflow(
        workflow, args=args, id=name, task_queue=task_queue, task_timeout=timedelta(seconds=2 if "long" in name else 10)
    )
    first = client.get_workflow_handle(name, run_id=handle.first_execution_run_id)
    await drive(handle)
    try:
        print(name, await asyncio.wait_for(handle.result(), 60))
    except WorkflowFailureError as err:
        print(name, repr(err.cause))
    events = json.loads((await first.fetch_history()).to_json())["events"]
    lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in events)
    (target / f"{name}.json").write_text(f'{{"events":[\n{lines}\n]}}\n')


def official_worker(client: Client, task_queue: str, cached: int) -> Worker:
    module = official_scenarios()
    return Worker(
        client,
        task_queue=task_queue,
        workflows=module.WORKFLOWS,
        activities=module.ACTIVITIES,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=cached,
        graceful_shutdown_timeout=timedelta(seconds=1),
    )


def own_worker(client: outlast.client.Client, task_queue: str, cached: int) -> outlast.worker.Worker:
    return outlast.worker.Worker(
        client,
        task_queue=task_queue,
        workflows=scenarios.WORKFLOWS,
        activities=scenarios.ACTIVITIES,
        max_cached_workflows=cached,
        graceful_shutdown_timeout=timedelta(seconds=1),
    )


async def main(whose: str) -> None:
    target = HISTORIES / whose
    target.mkdir(parents=True, exist_ok=True)
    node = Node(NodeSettings(port=0, search_attributes={"Colour": "Keyword"}))
    await node.start()
    try:
        client = await Client.connect(node.address)
        own_client = await outlast.client.Client.connect(node.address)
        for cached in (1000, 0) if whose == "official" else (1000,):
            task_queue = f"queue-{cached}"
            worker = official_worker(client, task_queue, cached) if whose == "official" else own_worker(own_client, task_queue, cached)
            began = time.monotonic()
            await make(client, worker, task_queue, "" if cached else "-uncached", target)
            print(f"{time.monotonic() - began:.1f} s")
    finally:
        await node.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
