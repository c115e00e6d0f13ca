"""How long a fresh process takes to import the workflow module, and to open an embedded node."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from bench.plan import READY_S

IMPORT = """
import time
begun = time.perf_counter()
import outlast.workflow
print(time.perf_counter() - begun)
"""
OPEN = """
import asyncio, sys, time
begun = time.perf_counter()
from outlast.embedded import Outlast
imported = time.perf_counter()
async def main():
    opening = time.perf_counter()
    async with Outlast.open(sys.argv[1]):
        print(imported - begun, time.perf_counter() - opening)
asyncio.run(main())
"""


class Opening(msgspec.Struct, frozen=True):
    """Seconds; medians."""

    import_workflow_s: float
    import_embedded_s: float
    """What a program has imported when it opens a node."""
    open_s: float
    """From the call to the client, on a file that is not there yet."""


def measure_opening(times: int) -> Opening:
    imports: list[float] = []
    opens: list[tuple[float, ...]] = []
    for _ in range(times):
        imports += _seconds(IMPORT)
        with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory:
            opens.append(_seconds(OPEN, str(Path(directory, "app.db"))))
    import_embedded, opened = zip(*opens, strict=True)
    return Opening(statistics.median(imports), statistics.median(import_embedded), statistics.median(opened))


def _seconds(program: str, *arguments: str) -> tuple[float, ...]:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=READY_S, check=True)
    return tuple(map(float, done.stdout.split()))
