"""A server started from the command line serves, says so, and ends cleanly."""

import asyncio
import json
import re
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.cli.processes import PROGRAM, serving

SHUTDOWN_S_MAX = 2.0


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        await asyncio.sleep(0.001)
        return f"Hello, {name}"


async def _greet(client: Client, workflow_id: str = "greeting") -> str:
    async with Worker(client, task_queue="greetings", workflows=[Greeting], workflow_runner=UnsandboxedWorkflowRunner()):
        return await client.execute_workflow(Greeting.run, "you", id=workflow_id, task_queue="greetings")


async def test_it_stands_in_for_the_official_development_server(tmp_path: Path) -> None:
    color = SearchAttributeKey.for_keyword("Color")

    async with await WorkflowEnvironment.start_local(
        namespace="mine",
        dev_server_existing_path=str(PROGRAM),
        dev_server_database_filename=str(tmp_path / "dev.db"),
        dev_server_extra_args=["--sqlite-pragma", "cache_size=-1000", "--output", "none"],
        search_attributes=[color],
    ) as environment:
        assert await _greet(environment.client) == "Hello, you"
        described = await environment.client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))

    assert described.namespace_info.name == "default"


async def test_flags_of_the_official_server_are_accepted_and_the_idle_ones_said_once() -> None:
    flags = (
        "--ui-ip 127.0.0.1 --ui-port 1 --http-port 2 --metrics-port 3 --ui-public-path /a --ui-asset-path /b --ui-codec-endpoint http://c"
    )
    known = (
        "-o text --color never --time-format iso --env e --env-file f --disable-config-file --disable-config-env --log-config --headless"
    )
    values = ["--dynamic-config-value", 'a="b"', "--dynamic-config-value", "c=1", "--ui-disable-news-fetch", "-n", "one", "-n", "two"]
    with serving("start-dev", *flags.split(), *known.split(), *values, "--search-attribute", "Size=Int") as server:
        client = await Client.connect(server.address, namespace="two")
        assert await _greet(client) == "Hello, you"
        code, errors = server.end()

    assert code == 0
    lines = [line for line in server.banner.splitlines() if "--ui-port" in line]
    assert len(lines) == 1
    assert re.search(
        r"--http-port, --metrics-port, --ui-port, --ui-ip, .*--dynamic-config-value a, --dynamic-config-value c: accepted, but without",
        lines[0],
    )
    assert "Namespaces  default, one, two" in server.banner
    assert "nothing is kept" in server.banner
    assert json.loads(errors)["search_attributes"] == {"Size": "Int"}


async def test_what_is_in_the_file_is_there_after_a_restart(tmp_path: Path) -> None:
    with serving("start", cwd=tmp_path) as server:
        client = await Client.connect(server.address)
        assert await _greet(client) == "Hello, you"
        assert server.end()[0] == 0
    assert str(tmp_path / "outlast.db") in server.banner

    with serving("start", cwd=tmp_path) as server:
        client = await Client.connect(server.address)
        assert await client.get_workflow_handle("greeting").result() == "Hello, you"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_releases_the_long_polls_and_ends_the_server_within_two_seconds(number: signal.Signals) -> None:
    with serving("start-dev", "--log-level", "debug") as server:
        client = await Client.connect(server.address)
        request = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name="idle"), identity="me")
        poll = asyncio.create_task(asyncio.wait_for(_poll(client, request), 60))
        await _greet(client)  # the poll, sent before, waits by now

        began = time.monotonic()
        code, _ = await asyncio.to_thread(server.end, number)
        took_s = time.monotonic() - began

        assert code == 0
        assert await poll == PollWorkflowTaskQueueResponse()
        assert took_s < SHUTDOWN_S_MAX


async def _poll(client: Client, request: PollWorkflowTaskQueueRequest) -> PollWorkflowTaskQueueResponse:
    return await client.workflow_service.poll_workflow_task_queue(request, timeout=timedelta(seconds=50))


async def test_a_second_interrupt_ends_the_server_at_once() -> None:
    # A call that is still running holds a clean stop up for as long as the node's grace.
    with serving("start-dev", "--log-level", "info") as server:
        client = await Client.connect(server.address)
        await client.start_workflow("Unserved", id="held", task_queue="nobody")
        query = asyncio.create_task(client.get_workflow_handle("held").query("state"))
        await client.get_workflow_handle("held").describe()
        server.process.send_signal(signal.SIGINT)
        assert server.process.stderr is not None
        while "stopping" not in await asyncio.to_thread(server.process.stderr.readline):
            pass

        code, errors = await asyncio.to_thread(server.end, signal.SIGINT)
        query.cancel()

    assert code == 130
    assert "stopped" not in errors
