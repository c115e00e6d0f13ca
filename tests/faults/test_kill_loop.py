"""Server and worker are killed again and again under load: nothing that was accepted is lost, and nothing is done twice."""

import asyncio
import contextlib
import os
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.faults.kill_load import Inspection, Load
from tests.faults.processes import Processes
from tests.faults.wire import Wire, connect, free_port, shown

CLIENTS = 12
VICTIMS = (*[("server",)] * 6, *[("server", "worker")] * 2, ("worker",))
KILL_WHILE_IT_STARTS = 0.1
FINISH_S_MAX = 60.0
SHOWN_MAX = 5


async def test_kill_loop_short(tmp_path: Path) -> None:
    await _kill_loop(tmp_path, rounds=6)


@pytest.mark.long
async def test_kill_loop(tmp_path: Path) -> None:
    await _kill_loop(tmp_path, rounds=int(os.environ.get("OUTLAST_ROUNDS", "200")))


async def _kill_loop(directory: Path, rounds: int) -> None:
    seed = int(os.environ.get("OUTLAST_SEED", str(time.time_ns() % 1_000_000)))
    random = Random(seed)
    ledger = directory / "ledger"
    deadline = asyncio.get_running_loop().time() + rounds * 6 + FINISH_S_MAX
    print(f"seed {seed}, {rounds} rounds")
    async with Processes(directory, free_port(random)) as processes, connect(processes.address) as channel:
        wire = Wire(channel)
        await processes.start_server()
        await processes.start_worker(ledger)
        await processes.ready(wire)
        load = Load(wire, Random(seed + 1), deadline)
        clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
        try:
            kills = await _kill(processes, wire, random, rounds, ledger, clients)
            load.stop()
            await _finish(clients, load, wire, seed, processes)
        finally:
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
        inspection = Inspection(wire, load.starts, ledger)
        await inspection.make()
    print(f"kills {dict(kills)}, {len(load.starts)} workflows accepted, {load.retried} requests sent again")
    print(f"{len(inspection.runs)} runs, {inspection.events} events, {dict(inspection.outcomes)}; {processes.exits}")
    found = "\n".join(inspection.violations[:SHOWN_MAX])
    assert not inspection.violations, f"seed {seed}: {len(inspection.violations)} violations\n{found}"
    assert len(load.starts) >= rounds, f"seed {seed}: hardly any load"


async def _kill(
    processes: Processes, wire: Wire, random: Random, rounds: int, ledger: Path, clients: list["asyncio.Task[None]"]
) -> Counter[str]:
    kills: Counter[str] = Counter()
    for _ in range(rounds):
        if random.random() < KILL_WHILE_IT_STARTS:
            await asyncio.sleep(random.uniform(0, 0.5))
        else:
            await processes.ready(wire)
            await asyncio.sleep(random.uniform(0.3, 1.2))
        victims = random.choice(VICTIMS)
        await processes.kill(*victims)
        kills.update(victims)
        if "server" in victims:
            await processes.start_server()
        if "worker" in victims:
            await processes.start_worker(ledger)
        for client in clients:
            if client.done():
                client.result()  # raises: a client ends early only because of an error
    await processes.ready(wire)
    return kills


async def _finish(clients: list["asyncio.Task[None]"], load: Load, wire: Wire, seed: int, processes: Processes) -> None:
    """Wait until every client has seen its workflow end. Raises AssertionError with the histories of those that do not."""
    _, waiting = await asyncio.wait(clients, timeout=FINISH_S_MAX)
    for client in clients:
        if client.done():
            client.result()
    if not waiting:
        return
    stuck = []
    for workflow_id, what in list(load.unfinished.items())[:SHOWN_MAX]:
        history = ""
        with contextlib.suppress(Exception):
            history = shown(await wire.history(workflow_id))
        stuck.append(f"{workflow_id} {what}\n{history}")
    logs = f"server: {processes.log('server')}\nworker: {processes.log('worker')}"
    raise AssertionError(f"seed {seed}: {len(waiting)} clients wait\n" + "\n".join(stuck) + "\n" + logs)
