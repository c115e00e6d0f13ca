"""What must stay flat: many sleepers, a backlog, many parallel activities, a long history. Figures, goals and plots."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from bench.backlog import Backlog, measure_backlog
from bench.fan import Fan, measure_fans
from bench.lines import Line, written
from bench.long_run import MARKERS, Stretch, measure_long_run
from bench.machine import machine
from bench.plan import ScalePlan
from bench.plot import Curve, draw
from bench.sections import markdown_table
from bench.sleepers import Look, Sleep, measure_sleepers

COLUMNS = "what", "at the smallest", "at the largest", "ratio", "goal", "met"
MEMORY_GOAL_MB = 300
LATENCY_GOAL = 1.3
FLAT_GOAL = 1.3
"""What a transition may cost at the largest size, as a multiple of its cost at the smallest."""
CURVE_POINTS = 200
"""Of a curve that has a point for each workflow."""


class Scale(msgspec.Struct, frozen=True):
    plan: ScalePlan
    sleep: Sleep
    backlog: Backlog
    fans: list[Fan]
    stretches: list[Stretch]

    def lines(self) -> list[Line]:
        return [*_sleep_lines(self.sleep), *_backlog_lines(self), *_fan_lines(self.fans), *_long_lines(self.stretches, self.plan)]


def measure_scale(plan: ScalePlan, console: Console) -> Scale:
    return Scale(
        plan, measure_sleepers(plan, console), measure_backlog(plan, console), measure_fans(plan, console), measure_long_run(plan, console)
    )


def _flat(what: str, first: float, last: float, goal: float = FLAT_GOAL) -> Line:
    """A cost in seconds."""
    return Line(what, f"{first * 1e3:.2f} ms", f"{last * 1e3:.2f} ms", f"{last / first:.2f} ×", f"≤ {goal} ×", last / first <= goal)


def _sleep_lines(sleep: Sleep) -> Iterator[Line]:
    first, last, restarted = sleep.looks[0], sleep.looks[-1], sleep.restarted
    span = f"{first.sleeping:,} and {last.sleeping:,} workflows asleep"
    yield _memory(f"Memory, {span}", first, last)
    yield _flat(f"A new workflow's latency, {span}", first.latency_s, last.latency_s, LATENCY_GOAL)
    yield _flat("The same, server CPU", first.cpu_s, last.cpu_s)
    yield _memory(f"Memory, none asleep and {restarted.sleeping:,} after a restart", first, restarted)
    yield _flat("A new workflow's latency then", first.latency_s, restarted.latency_s, LATENCY_GOAL)


def _memory(what: str, first: Look, last: Look) -> Line:
    megabytes = last.rss_bytes / 1e6
    return Line(what, f"{first.rss_bytes / 1e6:.0f} MB", f"{megabytes:.0f} MB", "", f"< {MEMORY_GOAL_MB} MB", megabytes < MEMORY_GOAL_MB)


def _backlog_lines(scale: Scale) -> Iterator[Line]:
    backlog, count = scale.backlog, scale.plan.backlog
    yield Line(f"{count:,} started at once, calls that failed", "", f"{backlog.failed:,}", "", "0", backlog.failed == 0)
    yield Line("Workflows that a later one overtook", "", f"{backlog.overtakings:,}", "", "0", backlog.overtakings == 0)
    first, last = _tenths(backlog)
    yield _flat("A workflow's way through the worker, the first and the last tenth after the last start", first, last)


def _tenths(backlog: Backlog) -> tuple[float, float]:
    """Seconds between two completions, when nothing is started any more."""
    after = [at for at in backlog.drained if at > backlog.accepted[-1]]
    size = max(len(after) // 10, 2)
    return (after[size - 1] - after[0]) / (size - 1), (after[-1] - after[-size]) / (size - 1)


def _fan_lines(fans: Sequence[Fan]) -> Iterator[Line]:
    first, last = fans[0], fans[-1]
    yield _flat(f"An activity, {first.activities} and {last.activities} parallel ones, time", first.seconds, last.seconds)
    yield _flat("The same, server CPU", first.cpu_s, last.cpu_s)


def _long_lines(stretches: Sequence[Stretch], plan: ScalePlan) -> Iterator[Line]:
    first, last = stretches[0], stretches[-1]
    yield _flat(f"A workflow task, up to {first.events:,} and to {last.events:,} events, time", first.turn_s, last.turn_s)
    yield _flat("The same, server CPU", first.turn_cpu_s, last.turn_cpu_s)
    yield _flat(f"A page of {plan.page_events:,} events when all are read, time", first.page_s, last.page_s)


def document(scale: Scale, quiet: str, plots: Path) -> str:
    """The part of docs/benchmarks.md; writes its plots, into a folder beside the document."""
    parts = [
        "## Scale",
        markdown_table(["", ""], machine()),
        _method(scale),
        written(COLUMNS, scale.lines()),
        *(f"![{title}]({plots.name}/{name})" for title, name in _plots(scale, plots)),
        markdown_table(["", "latency", "server CPU", "memory"], _look_rows(scale.sleep)),
        markdown_table(["parallel activities", "time of each", "server CPU of each"], map(_fan_row, scale.fans)),
        markdown_table(["events", "workflow task", "server CPU", "page", "last page"], map(_stretch_row, scale.stretches)),
        quiet,
    ]
    return "\n\n".join(parts)


def _method(scale: Scale) -> str:
    plan = scale.plan
    steps = (
        "Each of the four on a server process of its own with a new SQLite file (synchronous=FULL); the clients are other processes, over "
        "gRPC. Memory is RSS, in 10⁶ bytes; CPU is user + system of the server.",
        f"Sleepers: workflows that have started a timer of a day, made by the server's code in the process that serves "
        f"({scale.sleep.built_per_second:,.0f} a second). At each size {plan.newcomers} new workflows, one at a time: start, workflow "
        "task, completion, result at the client; the median. Then the same with a new process on the same file.",
        f"Backlog: {plan.backlog:,} StartWorkflowExecution calls under way at a time, none tried again, and one worker that does one "
        f"workflow task at a time and takes {plan.backlog_pause_s * 1e3:g} ms over each besides. All were accepted after "
        f"{scale.backlog.accepted[-1]:.1f} s, the server then took {scale.backlog.rss_bytes / 1e6:.0f} MB; all were completed after "
        f"{scale.backlog.drained[-1]:.1f} s. In order: by the time of the workflow's first event.",
        f"Parallel activities: one workflow awaits all of them, on our worker; {plan.fan_activities} activities a block, in as many "
        f"workflows as it takes, one after the other; median of {plan.fan_blocks} blocks.",
        f"Long history: a turn is signal, workflow task and completion with {MARKERS} markers, ten events, by raw calls with a sticky "
        f"queue; medians of the {plan.long_step:,} events before. Then all of the history is read in pages of {plan.page_events:,}: "
        "the median page.",
    )
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


def _plots(scale: Scale, plots: Path) -> Iterator[tuple[str, str]]:
    """Title and file name of each."""
    looks, fans, stretches = scale.sleep.looks, scale.fans, scale.stretches

    def plot(name: str, title: str, x_label: str, y_label: str, *curves: Curve) -> tuple[str, str]:
        draw(plots / name, title, x_label, y_label, curves)
        return title, name

    yield plot(
        "sleepers-memory.svg",
        "Memory while workflows sleep",
        "workflows asleep",
        "MB",
        Curve("", [(look.sleeping, look.rss_bytes / 1e6) for look in looks]),
    )
    yield plot(
        "sleepers-latency.svg",
        "A new workflow while others sleep",
        "workflows asleep",
        "ms",
        Curve("latency", [(look.sleeping, look.latency_s * 1e3) for look in looks]),
        Curve("server CPU", [(look.sleeping, look.cpu_s * 1e3) for look in looks]),
    )
    yield plot(
        "backlog.svg",
        "A backlog drains",
        "seconds since the first call",
        "workflows",
        Curve("started", _counted(scale.backlog.accepted)),
        Curve("completed", _counted(scale.backlog.drained)),
    )
    yield plot(
        "parallel-activities.svg",
        "An activity among many in one workflow",
        "parallel activities",
        "ms",
        Curve("time", [(fan.activities, fan.seconds * 1e3) for fan in fans]),
        Curve("server CPU", [(fan.activities, fan.cpu_s * 1e3) for fan in fans]),
    )
    yield plot(
        "long-history.svg",
        "A workflow task and a page of history in a long run",
        "events in the history",
        "ms",
        Curve("workflow task", [(each.events, each.turn_s * 1e3) for each in stretches]),
        Curve("its server CPU", [(each.events, each.turn_cpu_s * 1e3) for each in stretches]),
        Curve("page", [(each.events, each.page_s * 1e3) for each in stretches]),
    )


def _counted(moments: Sequence[float]) -> list[tuple[float, float]]:
    """How many were there at each moment; few enough points to draw."""
    step = max(len(moments) // CURVE_POINTS, 1)
    points = [(at, float(number)) for number, at in enumerate(moments, 1)]
    return [(0.0, 0.0), *itertools.islice(points, 0, None, step), points[-1]]


def _look_rows(sleep: Sleep) -> Iterator[list[str]]:
    for name, look in [*((f"{look.sleeping:,} asleep", look) for look in sleep.looks), ("after a restart", sleep.restarted)]:
        yield [name, f"{look.latency_s * 1e3:.2f} ms", f"{look.cpu_s * 1e3:.2f} ms", f"{look.rss_bytes / 1e6:.0f} MB"]


def _fan_row(fan: Fan) -> list[str]:
    return [str(fan.activities), f"{fan.seconds * 1e3:.2f} ms", f"{fan.cpu_s * 1e3:.2f} ms"]


def _stretch_row(each: Stretch) -> list[str]:
    costs = each.turn_s, each.turn_cpu_s, each.page_s, each.last_page_s
    return [f"{each.events:,}", *(f"{cost * 1e3:.2f} ms" for cost in costs)]
