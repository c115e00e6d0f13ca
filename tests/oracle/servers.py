"""Start the real dev server and ours, with the same flags, on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, WorkflowServiceStub

START_SECONDS = 40.0
STOP_SECONDS = 10.0
BIN = Path(sys.executable).parent
SEARCH_ATTRIBUTES = ("OracleKeyword=Keyword", "OracleInt=Int")
SWITCHES = (
    "frontend.WorkflowPauseEnabled=true",
    "frontend.WorkflowTimeSkippingEnabled=true",
    "history.enableUpdateCallbacks=true",
    "frontend.namespaceRPS.visibility=100000",
    "frontend.enableCancelWorkerPollsOnShutdown=true",
    'callback.allowedAddresses=[{"Pattern":"127.0.0.1:*","AllowInsecure":true}]',
)
"""What the real server ships but switches off and is on in ours, and where callbacks may go."""
MEGABYTE = 1024 * 1024
COMMANDS = {"real": BIN / "temporal", "ours": BIN / "outlast"}
ADDRESSES = {"real": "REAL_ORACLE_ADDRESS", "ours": "OUTLAST_ORACLE_ADDRESS"}
CHANNEL_OPTIONS = (("grpc.max_send_message_length", 64 * MEGABYTE), ("grpc.max_receive_message_length", 64 * MEGABYTE))


class ServerDown(Exception):
    """A server did not start; the text holds the end of its log."""


@contextlib.asynccontextmanager
async def server(which: str) -> AsyncIterator[str]:
    """Give the address of the server `which` ("real" or "ours"), started here unless its environment variable names one."""
    if address := os.environ.get(ADDRESSES[which]):
        await _wait_until_ready(address)
        yield address
        return
    port = _free_port()
    with tempfile.NamedTemporaryFile(prefix=f"oracle-{which}-", suffix=".log") as log:
        arguments = ["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port), "--log-level", "error"]
        for switch in SWITCHES:
            arguments += ["--dynamic-config-value", switch]
        for attribute in SEARCH_ATTRIBUTES:
            arguments += ["--search-attribute", attribute]
        process = await asyncio.create_subprocess_exec(COMMANDS[which], *arguments, stdout=log, stderr=log)
        try:
            await _wait_until_ready(f"127.0.0.1:{port}", process, Path(log.name))
            yield f"127.0.0.1:{port}"
        finally:
            await _stop(process)


def connect(address: str) -> grpc.aio.Channel:
    """Return a channel that can carry requests and replies of any size."""
    return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)


async def _wait_until_ready(address: str, process: asyncio.subprocess.Process | None = None, log: Path | None = None) -> None:
    end = asyncio.get_running_loop().time() + START_SECONDS
    async with connect(address) as channel:
        while True:
            try:
                await WorkflowServiceStub(channel).DescribeNamespace(DescribeNamespaceRequest(namespace="default"), timeout=2)
                return
            except grpc.aio.AioRpcError as error:
                dead = process is not None and process.returncode is not None
                if dead or asyncio.get_running_loop().time() > end:
                    tail = log.read_text(errors="replace")[-2000:] if log else ""
                    raise ServerDown(f"no server at {address}: {error.details()}\n{tail}") from error
                await asyncio.sleep(0.2)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
