"""Both servers under the three workloads, in turn, several rounds."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from bench.disturbance import Disturbance, Watch, await_quiet
from bench.plan import CLIENT_S, Plan
from bench.servers import Server, Which, running
from bench.workloads import Figures

ORDER: tuple[Which, Which] = ("dev", "outlast")


class Round(msgspec.Struct, frozen=True):
    """Both servers, one after the other, each fresh."""

    figures: dict[Which, list[Figures]]
    disturbance: Disturbance


def measure_speed(plan: Plan, console: Console) -> list[Round]:
    """The plan's number of rounds. When others disturbed some, more are measured and the quietest are kept."""
    rounds: list[Round] = []
    while len(rounds) < plan.rounds + plan.repeats_max:
        latest = _round(f"round {len(rounds) + 1}", plan, ORDER if len(rounds) % 2 == 0 else ORDER[::-1])
        rounds.append(latest)
        console.print(str(latest.disturbance))
        if sum(not each.disturbance.strong for each in rounds) >= plan.rounds:
            break
    quietest = sorted(rounds, key=lambda each: each.disturbance.others_percent)[: plan.rounds]
    return [each for each in rounds if each in quietest]


def _round(name: str, plan: Plan, order: Sequence[Which]) -> Round:
    await_quiet(plan.patience_s)
    watch = Watch(name)
    figures: dict[Which, list[Figures]] = {}
    for which in order:
        with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory, running(which, Path(directory)) as server:
            figures[which] = _client(server, plan)
    return Round(figures, watch.stop())


def _client(server: Server, plan: Plan) -> list[Figures]:
    arguments = ["speed", server.address, str(server.process.pid), msgspec.json.encode(plan).decode()]
    done = subprocess.run(workload_command(*arguments), stdout=subprocess.PIPE, timeout=CLIENT_S, check=True)
    return msgspec.json.decode(done.stdout, type=list[Figures])


def workload_command(*arguments: str) -> list[str]:
    """The command line of a client process."""
    return [sys.executable, "-m", "bench.workloads", *arguments]
