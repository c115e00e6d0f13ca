"""How busy the machine is, and whether there is room for one more task: what stands behind resource based slots."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from outlast.worker._tuning import ResourceBasedTunerConfig

MEMORY_OUTPUT_MIN = 0.25
CPU_OUTPUT_MIN = 0.05
GAIN = 5.0
DAMPING = 1.0
SAMPLE_S = 0.1
"""How long a look at the machine stays good."""


class Usage(NamedTuple):
    """Shares in use, 0 to 1."""

    memory: float
    cpu: float


class _Controller:
    """Positive while a measured share is below its target: five times the distance, less how fast it was approached (no integral)."""

    def __init__(self, target: float) -> None:
        self._target = target
        self._last: float | None = None

    def output(self, measured: float) -> float:
        change = 0.0 if self._last is None else measured - self._last
        self._last = measured
        return GAIN * (self._target - measured) - DAMPING * change


class Room:
    """Says whether one more task fits. Shared by all resource based slots of a worker, so that they do not each take the last of it."""

    def __init__(
        self, config: ResourceBasedTunerConfig, look: Callable[[], Usage] | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._look = look or _machine()
        self._now = now
        self._memory = _Controller(config.target_memory_usage)
        self._cpu = _Controller(config.target_cpu_usage)
        self._looked_at = float("-inf")
        self._fits = True

    def fits(self) -> bool:
        """Whether the machine is less busy than the targets say."""
        if self._now() - self._looked_at < SAMPLE_S:
            return self._fits
        self._looked_at = self._now()
        usage = self._look()
        memory, cpu = self._memory.output(usage.memory), self._cpu.output(usage.cpu)
        below = usage.memory <= self._config.target_memory_usage
        self._fits = below and memory > MEMORY_OUTPUT_MIN and cpu > CPU_OUTPUT_MIN
        return self._fits


def _machine() -> Callable[[], Usage]:
    try:
        import psutil
    except ImportError:
        return _ProcFiles().look
    psutil.cpu_percent()  # the first call only sets the mark that the next one measures from

    def look() -> Usage:
        return Usage(psutil.virtual_memory().percent / 100, psutil.cpu_percent() / 100)

    return look


class _ProcFiles:
    """Linux's own figures, for machines without psutil. Elsewhere there are none, and the machine counts as idle."""

    def __init__(self) -> None:
        self._busy, self._total = self._ticks()

    def look(self) -> Usage:
        busy, total = self._ticks()
        passed = total - self._total
        cpu = (busy - self._busy) / passed if passed else 0.0
        self._busy, self._total = busy, total
        return Usage(self._memory(), cpu)

    def _ticks(self) -> tuple[int, int]:
        stat = Path("/proc/stat")
        if os.name != "posix" or not stat.exists():
            return 0, 0
        ticks = [int(each) for each in stat.read_text().split("\n", 1)[0].split()[1:]]
        idle = ticks[3] + ticks[4]
        return sum(ticks) - idle, sum(ticks)

    def _memory(self) -> float:
        info = Path("/proc/meminfo")
        if not info.exists():
            return 0.0
        sizes = {key: int(value.split()[0]) for key, _, value in (line.partition(":") for line in info.read_text().splitlines())}
        return 1 - sizes["MemAvailable"] / sizes["MemTotal"]
