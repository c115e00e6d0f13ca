"""A worker lives through the end of its server, and goes on with the next."""

import asyncio
import socket
from datetime import timedelta
from pathlib import Path

from outlast import activity, workflow
from outlast.client import Client
from outlast.embedded import Outlast
from outlast.worker import Worker


@activity.defn
async def tick(n: int) -> int:
    await asyncio.sleep(0.02)
    return n + 1


@workflow.defn
class Clock:
    @workflow.run
    async def run(self, ticks: int) -> int:
        n = 0
        for _ in range(ticks):
            n = await workflow.execute_activity(tick, n, start_to_close_timeout=timedelta(seconds=2))
        return n

    @workflow.query
    def running(self) -> bool:
        return True


async def test_a_worker_goes_on_when_its_server_comes_back(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    first = Outlast.open(tmp_path / "a.db", listen=address)
    await first.start()
    client = await Client.connect(address)
    async with Worker(client, task_queue="clocks", workflows=[Clock], activities=[tick]):
        handle = await client.start_workflow(Clock.run, 30, id="wf", task_queue="clocks", task_timeout=timedelta(seconds=1))
        assert await handle.query(Clock.running)
        await first.stop()
        async with Outlast.open(tmp_path / "a.db", listen=address) as inside:
            assert await inside.get_workflow_handle_for(Clock.run, "wf").result() == 30
