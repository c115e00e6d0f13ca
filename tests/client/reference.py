"""The real dev server, for what our server does not have yet."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc

TEMPORAL = Path(sys.executable).parent / "temporal"
SWITCHES = ("frontend.workerVersioningDataAPIs=true", "frontend.workerVersioningWorkflowAPIs=true", "activity.enableStandalone=true")
START_S = 60


@contextlib.contextmanager
def reference_server() -> Iterator[str]:
    """Give the address of a real dev server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    arguments = ["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    arguments += ["--search-attribute", "Colour=Keyword"]
    for switch in SWITCHES:
        arguments += ["--dynamic-config-value", switch]
    process = subprocess.Popen([TEMPORAL, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=START_S)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
