"""Who else used the machine while something was measured."""

import os
import time
from pathlib import Path

import msgspec
import psutil

from bench.plan import DISTURBED_PERCENT, QUIET_LOOK_S


class Disturbance(msgspec.Struct, frozen=True):
    """What others did while `section` was measured."""

    section: str
    load_before: float
    """The load average of the minute before, of all processes, ours too."""
    others_percent: float
    """The share of the machine that processes other than ours took."""

    @property
    def strong(self) -> bool:
        return self.others_percent > DISTURBED_PERCENT

    def __str__(self) -> str:
        return f"{self.section}: load before {self.load_before:.2f}, others took {self.others_percent:.1f} % of the machine"


class Watch:
    """Measures from its making to `stop`. Our processes are this one and those children that have ended by then."""

    def __init__(self, section: str) -> None:
        self._section = section
        self._load = float(Path("/proc/loadavg").read_text().split()[0])
        self._busy_s, self._total_s = _machine_s()
        self._ours_s = _ours_s()

    def stop(self) -> Disturbance:
        busy_s, total_s = _machine_s()
        others_s = busy_s - self._busy_s - (_ours_s() - self._ours_s)
        return Disturbance(self._section, self._load, max(100 * others_s / (total_s - self._total_s), 0.0))


def await_quiet(seconds_max: float) -> None:
    """Wait for others to leave the machine alone, but no longer than that."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        watch = Watch("")
        time.sleep(QUIET_LOOK_S)
        if not watch.stop().strong:
            return


def _machine_s() -> tuple[float, float]:
    """CPU time that was used, and that there was."""
    times = psutil.cpu_times()
    total = sum(times[: times._fields.index("steal") + 1])  # a guest's time is in `user` already
    return total - times.idle - times.iowait, total


def _ours_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
