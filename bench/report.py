"""What a run found, for the terminal and for the documentation."""

from collections.abc import Iterator

from rich.table import Table

from bench.lines import STYLES, VERDICTS
from bench.machine import machine, output
from bench.measured import SPEED_GOALS, Measured, values
from bench.plan import CONCURRENCY, DISTURBED_PERCENT, Plan
from bench.sections import markdown_table
from bench.servers import BIN

COLUMNS = "what", "development server", "Outlast", "ratio", "goal", "met"


def table(measured: Measured) -> Table:
    shown = Table(*COLUMNS, title="Outlast and the development server")
    for row in measured.rows():
        shown.add_row(row.what.replace("`", ""), row.dev, row.outlast, row.ratio, row.goal, VERDICTS[row.met], style=STYLES[row.met])
    return shown


def document(measured: Measured) -> str:
    """Its part of docs/benchmarks.md: nothing in it comes from anywhere but this run."""
    goals = [[r.what, r.dev, r.outlast, r.ratio, r.goal, VERDICTS[r.met]] for r in measured.rows()]
    quiet = [
        [d.section, f"{d.load_before:.2f}", f"{d.others_percent:.1f} %", "disturbed" if d.strong else ""] for d in measured.disturbances
    ]
    parts = [
        "## Beside the development server",
        "### Machine",
        markdown_table(["", ""], [*machine(), ["development server", output(BIN / "temporal", "--version")]]),
        "### Method",
        _method(measured.plan),
        "### Goals",
        markdown_table(COLUMNS, goals),
        "### Rounds",
        f"Workflows a second, {CONCURRENCY} at a time, lowest to highest of the rounds.",
        markdown_table(["", "development server", "Outlast"], _spread(measured)),
        "### The machine meanwhile",
        "The load average before each measurement (of a minute, with our own processes in it), and the share of the machine that other "
        f"processes took during it: disturbed is above {DISTURBED_PERCENT:.0f} %. Such rounds are replaced when others are better.",
        markdown_table(["measurement", "load before", "others", ""], quiet),
    ]
    return "\n\n".join(parts)


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


def _spread(measured: Measured) -> Iterator[list[str]]:
    for workload in SPEED_GOALS:
        cells = [values(measured.rounds, which, workload, CONCURRENCY, lambda f: f.per_second) for which in ("dev", "outlast")]
        yield [f"`{workload}`", *(f"{min(cell):.1f} to {max(cell):.1f}" for cell in cells)]
