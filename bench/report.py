"""What a run found, for the terminal and for the documentation."""

import datetime
import importlib.metadata
import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.table import Table

from bench.measured import SPEED_GOALS, Measured, values
from bench.plan import CONCURRENCY, DISTURBED_PERCENT, Plan
from bench.servers import BIN

ROOT = Path(__file__).parent.parent
VERDICTS = {True: "met", False: "not met", None: ""}
COLUMNS = "what", "development server", "Outlast", "ratio", "goal", "met"


def table(measured: Measured) -> Table:
    shown = Table(*COLUMNS, title="Outlast and the development server")
    styles = {True: "green", False: "bold red", None: ""}
    for row in measured.rows():
        shown.add_row(row.what.replace("`", ""), row.dev, row.outlast, row.ratio, row.goal, VERDICTS[row.met], style=styles[row.met])
    return shown


def document(measured: Measured) -> str:
    """docs/benchmarks.md: nothing in it comes from anywhere but this run."""
    goals = [[r.what, r.dev, r.outlast, r.ratio, r.goal, VERDICTS[r.met]] for r in measured.rows()]
    quiet = [
        [d.section, f"{d.load_before:.2f}", f"{d.others_percent:.1f} %", "disturbed" if d.strong else ""] for d in measured.disturbances
    ]
    parts = [
        "# Benchmarks",
        "Written by `python -m bench`; every figure is from the run that wrote it. Do not edit it: run it again.",
        "## Machine",
        _markdown_table(["", ""], _machine()),
        "## Method",
        _method(measured.plan),
        "## Goals",
        _markdown_table(COLUMNS, goals),
        "## Rounds",
        f"Workflows a second, {CONCURRENCY} at a time, lowest to highest of the rounds.",
        _markdown_table(["", "development server", "Outlast"], _spread(measured)),
        "## The machine meanwhile",
        "The load average before each measurement (of a minute, with our own processes in it), and the share of the machine that other "
        f"processes took during it: disturbed is above {DISTURBED_PERCENT:.0f} %. Such rounds are replaced when others are better.",
        _markdown_table(["measurement", "load before", "others", ""], quiet),
    ]
    return "\n\n".join(parts) + "\n"


def _method(plan: Plan) -> str:
    counts = ", ".join(f"{count} × `{workload}`" for workload, count in plan.workflows.items())
    steps = (
        f"{plan.rounds} rounds: the two servers one after the other, fresh, in alternating order; medians over the rounds, ratios of the "
        "medians. The development server is as it comes (in memory); Outlast writes a file (SQLite, synchronous=FULL).",
        "Client and worker are one process with the official Python SDK. `noop` returns its input, `one` awaits one activity, `seq` ten, "
        f"one after the other. A round is {counts}, {CONCURRENCY} at a time, then {plan.workflows_alone} one at a time; each warmed up.",
        f"CPU is user + system of the server process; idle CPU, in percent of a core, over {plan.idle_s:g} s; memory is RSS, in 10⁶ bytes.",
        "Workflow task: signal, task, completion with a marker, by raw calls of a client whose poll on the sticky queue waits already; "
        f"{plan.history_cycles} times in each of {plan.history_blocks} workflows for each length of history, the lengths in turn.",
        f"Start-up: from the start of the process to its first answer (DescribeNamespace), median of {plan.startups}. The old file has "
        f"{plan.closed_runs:,} closed and {plan.sleeping_runs:,} sleeping workflows, made by the server's code; it is in the page cache.",
    )
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


def _machine() -> Iterator[list[str]]:
    processor = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ": unknown")
    yield ["date", datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")]
    yield ["CPU", f"{processor.partition(':')[2].strip()}, {os.cpu_count()} cores, shared with other work"]
    yield ["system", f"{platform.system()} {platform.release()}"]
    yield ["Outlast", f"{importlib.metadata.version('outlast')}, commit {_commit()}"]
    yield ["development server", _output(BIN / "temporal", "--version")]
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("temporalio", "grpcio", "protobuf", "msgspec"))
    yield ["software", f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"]


def _commit() -> str:
    changed = _output("git", "status", "--porcelain", "--", "src")
    return _output("git", "rev-parse", "--short", "HEAD") + (" with changes to src" if changed else "")


def _output(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout.strip()


def _spread(measured: Measured) -> Iterator[list[str]]:
    for workload in SPEED_GOALS:
        cells = [values(measured.rounds, which, workload, CONCURRENCY, lambda f: f.per_second) for which in ("dev", "outlast")]
        yield [f"`{workload}`", *(f"{min(cell):.1f} to {max(cell):.1f}" for cell in cells)]


def _markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
