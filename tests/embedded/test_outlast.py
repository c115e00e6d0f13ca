"""`Outlast.open`: workflows that live in a file of the program's own, and what happens when two want the same."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outlast import Outlast, activity, workflow
from outlast.client import Client, OutboundInterceptor, Plugin, StartWorkflowInput
from outlast.client import Interceptor as ClientInterceptor
from outlast.embedded import OpenError
from outlast.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient
from outlast.worker import Worker


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@workflow.defn
class Greets:
    def __init__(self) -> None:
        self.names: list[str] = []

    @workflow.run
    async def run(self, wanted: int) -> list[str]:
        await workflow.wait_condition(lambda: len(self.names) >= wanted)
        return [await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10)) for name in self.names]

    @workflow.signal
    def add(self, name: str) -> None:
        self.names.append(name)


def worker(client: Client) -> Worker:
    return Worker(client, task_queue="q", workflows=[Greets], activities=[greet])


async def test_a_workflow_goes_on_where_it_was_when_the_file_is_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    async with Outlast.open(file) as client, worker(client):
        handle = await client.start_workflow(Greets.run, 2, id="wf", task_queue="q")
        await handle.signal(Greets.add, "Ann")

    async with Outlast.open(str(file)) as client, worker(client):
        handle = client.get_workflow_handle_for(Greets.run, "wf")
        await handle.signal(Greets.add, "Bob")

        assert await handle.result() == ["Hello, Ann!", "Hello, Bob!"]


@pytest.mark.parametrize("path", [None, ":memory:"])
async def test_in_memory_nothing_stays(path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with Outlast.open(path) as client:
        await client.start_workflow(Greets.run, 1, id="wf", task_queue="q")
    async with Outlast.open(path) as client:
        with pytest.raises(RPCError) as error:
            await client.get_workflow_handle("wf").describe()

    assert error.value.status == RPCStatusCode.NOT_FOUND
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_another_process_has_is_refused_with_its_name_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    program = (
        "import asyncio, sys, outlast\n"
        "async def main():\n"
        f"    async with outlast.Outlast.open({str(file)!r}):\n"
        "        print('open', flush=True)\n"
        "        sys.stdin.readline()\n"
        "asyncio.run(main())\n"
    )
    pipe = asyncio.subprocess.PIPE
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe)
    try:
        assert other.stdout is not None
        assert await other.stdout.readline() == b"open\n"
        with pytest.raises(OpenError) as error:
            async with Outlast.open(file):
                pass
    finally:
        await other.communicate(b"\n")

    assert str(file) in str(error.value)
    assert f"pid {other.pid}" in str(error.value)
    assert "listen=" in str(error.value)
    async with Outlast.open(file):
        pass  # the lock ended with its process


async def test_the_same_file_twice_in_one_process_is_refused(tmp_path: Path) -> None:
    async with Outlast.open(tmp_path / "app.db"):
        with pytest.raises(OpenError, match=r"this process \(pid \d+\) has .*app\.db open already"):
            async with Outlast.open(tmp_path / "app.db"):
                pass


async def test_other_processes_can_connect_when_it_listens() -> None:
    outlast = Outlast.open(":memory:", listen="127.0.0.1:0")
    assert outlast.address == ""
    async with outlast as client, worker(client):
        elsewhere = await Client.connect(outlast.address)
        handle = await elsewhere.start_workflow(Greets.run, 1, id="wf", task_queue="q")
        await client.get_workflow_handle_for(Greets.run, "wf").signal(Greets.add, "Ann")

        assert await handle.result() == ["Hello, Ann!"]
        with pytest.raises(OpenError, match="port"):
            async with Outlast.open(":memory:", listen=outlast.address):
                pass


@pytest.mark.parametrize("listen", ["7233", "localhost", "host:port", ":1"])
def test_an_address_that_is_none_is_refused(listen: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        Outlast.open(":memory:", listen=listen)


async def test_further_namespaces_and_clients() -> None:
    outlast = Outlast.open(":memory:", namespace="main", namespaces=["side"], identity="me")
    async with outlast as client:
        side = await outlast.connect(namespace="side")
        await side.start_workflow(Greets.run, 1, id="wf", task_queue="q")

        assert (client.namespace, client.identity, side.namespace) == ("main", "me", "side")
        with pytest.raises(RPCError):
            await client.get_workflow_handle("wf").describe()
    with pytest.raises(RuntimeError):
        await outlast.connect()


async def test_interceptors_and_plugins_are_those_of_any_client() -> None:
    seen: list[str] = []

    class Outbound(OutboundInterceptor):
        async def start_workflow(self, input: StartWorkflowInput) -> Any:
            seen.append(f"starts {input.id}")
            return await super().start_workflow(input)

    class Intercepts(ClientInterceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            return Outbound(next)

    class Plugs(Plugin):
        def configure_client(self, config: Any) -> Any:
            seen.append("configures")
            return config

        async def connect_service_client(self, config: ConnectConfig, next: Any) -> ServiceClient:
            seen.append("connects")
            service: ServiceClient = await next(config)
            return service

    async with Outlast.open(":memory:", interceptors=[Intercepts()], plugins=[Plugs()]) as client:
        await client.start_workflow(Greets.run, 1, id="wf", task_queue="q")

    assert seen == ["connects", "configures", "starts wf"]


async def test_a_start_that_fails_leaves_nothing_open(tmp_path: Path) -> None:
    class Refuses(Plugin):
        def configure_client(self, config: Any) -> Any:
            return config

        async def connect_service_client(self, config: ConnectConfig, next: Any) -> ServiceClient:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Outlast.open(tmp_path / "app.db", plugins=[Refuses()]).start()

    async with Outlast.open(tmp_path / "app.db") as client:
        assert await client.service_client.check_health()


async def test_it_can_be_opened_and_closed_by_hand_and_again() -> None:
    outlast = Outlast.open(":memory:")
    for _ in range(2):
        client = await outlast.start()
        with pytest.raises(RuntimeError, match="already open"):
            await outlast.start()
        assert await client.service_client.check_health()
        await outlast.stop()
        await outlast.stop()


async def test_many_workflows_at_once(tmp_path: Path) -> None:
    async with Outlast.open(tmp_path / "app.db") as client, worker(client):
        handles = [await client.start_workflow(Greets.run, 1, id=f"wf-{n}", task_queue="q") for n in range(50)]
        await asyncio.gather(*[handle.signal(Greets.add, f"N{n}") for n, handle in enumerate(handles)])

        results = await asyncio.gather(*[handle.result() for handle in handles])

    assert results == [[f"Hello, N{n}!"] for n in range(50)]


async def test_a_worker_that_is_left_running_does_not_keep_the_node_from_stopping() -> None:
    outlast = Outlast.open(None)
    client = await outlast.start()
    left = asyncio.create_task(worker(client).run())
    await client.execute_workflow(Greets.run, 0, id="w", task_queue="q")

    async with asyncio.timeout(20):
        await outlast.stop()

    left.cancel()
    await asyncio.wait([left])
