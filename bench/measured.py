"""Everything that one run has measured, and the table of goals that it makes."""

import statistics
from collections.abc import Callable, Iterator

import msgspec

from bench.disturbance import Disturbance
from bench.history import Turn
from bench.plan import CONCURRENCY, Plan
from bench.resting import Rest
from bench.servers import Which
from bench.speed import Round
from bench.startup import Startup
from bench.workloads import ALONE, Figures

SPEED_GOALS = {"noop": 2.5, "one": 2.5, "seq": 2.0}
"""Workflows a second, as a multiple of the development server's."""
LATENCY_GOAL = 0.1
CPU_GOAL = 0.25
MEMORY_GOAL_MB = 150
IDLE_GOAL_PERCENT = 0.5
FLAT_GOAL = 1.1
"""What a workflow task may cost with the longest history, as a multiple of its cost with the shortest."""
STARTUP_GOAL_S = 2.0


class Row(msgspec.Struct, frozen=True):
    """One line of the table."""

    what: str
    dev: str
    outlast: str
    ratio: str
    goal: str
    met: bool | None
    """None: there is no goal."""


class Measured(msgspec.Struct, frozen=True):
    """None and empty are what was not asked for."""

    plan: Plan
    rounds: list[Round]
    rests: dict[Which, Rest]
    turns: list[Turn]
    startup: Startup | None
    disturbances: list[Disturbance]

    def rows(self) -> list[Row]:
        rows: list[Row] = []
        if self.rounds:
            rows += _speed_rows(self.rounds)
        if self.rests:
            rows += _rest_rows(self.rests)
        if self.turns:
            rows += _history_rows(self.turns)
        if self.startup is not None:
            rows += _startup_rows(self.startup)
        return rows


def values(rounds: list[Round], which: Which, workload: str, concurrency: int, value: Callable[[Figures], float]) -> list[float]:
    """One value for each round."""
    found = [figures for each in rounds for figures in each.figures[which]]
    return [value(f) for f in found if (f.workload, f.concurrency) == (workload, concurrency)]


def _speed_rows(rounds: list[Round]) -> Iterator[Row]:
    def medians(workload: str, concurrency: int, value: Callable[[Figures], float]) -> tuple[float, float]:
        dev, outlast = (statistics.median(values(rounds, which, workload, concurrency, value)) for which in ("dev", "outlast"))
        return dev, outlast

    for workload, goal in SPEED_GOALS.items():
        dev, outlast = medians(workload, CONCURRENCY, lambda f: f.per_second)
        what = f"`{workload}`, workflows/s, {CONCURRENCY} at a time"
        yield Row(what, f"{dev:.1f}", f"{outlast:.1f}", f"{outlast / dev:.2f} ×", f"≥ {goal} ×", outlast / dev >= goal)
    for workload in ALONE:
        dev, outlast = medians(workload, 1, lambda f: 1e3 * f.latency_s)
        what = f"`{workload}`, latency, one at a time"
        yield Row(
            what, f"{dev:.1f} ms", f"{outlast:.1f} ms", f"{outlast / dev:.3f} ×", f"≤ {LATENCY_GOAL} ×", outlast / dev <= LATENCY_GOAL
        )
    for workload in SPEED_GOALS:
        dev, outlast = medians(workload, CONCURRENCY, lambda f: 1e3 * f.cpu_per_workflow_s)
        what = f"`{workload}`, server CPU per workflow"
        yield Row(what, f"{dev:.1f} ms", f"{outlast:.1f} ms", f"{outlast / dev:.2f} ×", f"≤ {CPU_GOAL} ×", outlast / dev <= CPU_GOAL)


def _rest_rows(rests: dict[Which, Rest]) -> Iterator[Row]:
    dev, outlast = rests["dev"], rests["outlast"]
    megabytes = outlast.rss_bytes / 1e6
    yield Row(
        f"Memory after {outlast.workflows:,} × `one`",
        f"{dev.rss_bytes / 1e6:.0f} MB (after {dev.workflows:,})",
        f"{megabytes:.0f} MB",
        "",
        f"< {MEMORY_GOAL_MB} MB",
        megabytes < MEMORY_GOAL_MB,
    )
    for what, theirs, ours in (
        ("Idle CPU, no client", dev.idle_percent, outlast.idle_percent),
        ("Idle CPU, a worker polls", dev.polled_percent, outlast.polled_percent),
    ):
        yield Row(what, f"{theirs:.2f} %", f"{ours:.2f} %", "", f"< {IDLE_GOAL_PERCENT} %", ours < IDLE_GOAL_PERCENT)


def _history_rows(turns: list[Turn]) -> Iterator[Row]:
    costs: dict[str, Callable[[Turn], float]] = {"time": lambda turn: turn.seconds, "server CPU": lambda turn: turn.cpu_s}
    first, last = turns[0], turns[-1]
    for label, cost in costs.items():
        for turn in turns:
            ratio = cost(turn) / cost(first)
            goal, met = (f"≤ {FLAT_GOAL} ×", ratio <= FLAT_GOAL) if turn is last else ("", None)
            shown = "" if turn is first else f"{ratio:.2f} ×"
            yield Row(f"Workflow task at {turn.events:,} events, {label}", "", f"{1e3 * cost(turn):.2f} ms", shown, goal, met)


def _startup_rows(startup: Startup) -> Iterator[Row]:
    seconds = startup.full_s
    yield Row("Start-up, old file", "", f"{seconds:.2f} s", "", f"< {STARTUP_GOAL_S:.0f} s", seconds < STARTUP_GOAL_S)
    yield Row("Start-up, no file", "", f"{startup.empty_s:.2f} s", "", "", None)
    yield Row("Memory after start-up, old file", "", f"{startup.rss_bytes / 1e6:.0f} MB", "", "", None)
