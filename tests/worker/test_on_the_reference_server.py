"""The worker does the same work, with the same outcome, for the reference server."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.conftest import REFERENCE

NAMESPACES = 150
READY_S = 180.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    names = [f"--namespace=n{number}" for number in range(NAMESPACES)]
    command = [Path(sys.executable).parent / "temporal", "server", "start-dev", "--headless", "--port", str(port), *names]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _await_banner(tmp_path / "server.log", server)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def _await_banner(log: Path, server: "subprocess.Popen[bytes]") -> None:
    """Printed when all namespaces are there."""
    deadline = time.monotonic() + READY_S
    while b"Metrics:" not in log.read_bytes():
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@pytest.mark.long
def test_all_tests_of_the_worker_pass_on_the_reference_server(address: str) -> None:
    command = [sys.executable, "-m", "pytest", "tests/worker", "-q", "-x", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, REFERENCE: address}, capture_output=True, text=True, timeout=900, check=False
    )

    assert done.returncode == 0, done.stdout[-5000:]
