"""Our SDK: embedded, over gRPC beside the official one, and beside other systems. Every figure is from one run."""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from rich.console import Console

from bench import embedded, workloads
from bench.lines import Line, written
from bench.machine import machine
from bench.opening import Opening, measure_opening
from bench.peers import DBOS, RESTATE, Peers
from bench.plan import CLIENT_S, CONCURRENCY, FULL, EmbeddedPlan
from bench.replay_history import Replays
from bench.sections import markdown_table
from bench.servers import running
from bench.speed import workload_command

COLUMNS = "what", "Outlast", "beside it", "ratio", "goal", "met"
LATENCY_GOALS_MS = {"noop": 1.5, "one": 3.0}
PEER_GOALS = {DBOS: {"noop": 4.0, "one": 4.0, "seq": 4.0}, RESTATE: {"noop": 3.0, "one": 3.0, "seq": 2.0}}
WIRE_GOAL = 1.5
IMPORT_GOAL_S = 0.15
OPEN_GOAL_S = 0.2
Speeds = dict[str, float]
"""Workflows a second, by workload."""


class Round(msgspec.Struct, frozen=True):
    """Each of them once, one after the other."""

    embedded: Speeds
    latency_ms: dict[str, float]
    """Alone, embedded."""
    wire: Speeds
    """Our client and worker over gRPC."""
    official: Speeds
    """The official ones, on the same server."""
    peers: dict[str, Speeds]


class Sdk(msgspec.Struct, frozen=True):
    plan: EmbeddedPlan
    rounds: list[Round]
    replays: Replays
    opening: Opening

    def median(self, value: Callable[[Round], float]) -> float:
        return statistics.median(map(value, self.rounds))

    def lines(self) -> list[Line]:
        return [*_speed_lines(self), *_peer_lines(self), *_wire_lines(self), *_replay_lines(self.replays), *_opening_lines(self.opening)]


def measure_sdk(plan: EmbeddedPlan, peers: Peers | None, console: Console) -> Sdk:
    rounds = []
    for number in range(plan.rounds):
        rounds.append(_round(plan, peers, number % 2 == 1))
        console.print(f"round {number + 1}: {msgspec.json.encode(rounds[-1]).decode()}")
    replays = msgspec.json.decode(_run("bench.replay_history", "--json", str(plan.replay_events)), type=Replays)
    return Sdk(plan, rounds, replays, measure_opening(plan.openings))


def _round(plan: EmbeddedPlan, peers: Peers | None, official_first: bool) -> Round:
    inside = msgspec.json.decode(_run("bench.embedded", "--json", "--workflows", str(plan.workflows)), type=list[embedded.Figures])
    speeds = {f.workload: f.per_second for f in inside if f.concurrency == CONCURRENCY}
    latencies = {f.workload: f.latency_ms for f in inside if f.concurrency == 1}
    measures = [_ours, _official]
    found = {measure: measure(plan) for measure in (measures[::-1] if official_first else measures)}
    return Round(speeds, latencies, found[_ours], found[_official], {} if peers is None else peers.measure(plan.workflows_peer))


def _ours(plan: EmbeddedPlan) -> Speeds:
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory, running("outlast", Path(directory)) as server:
        said = _run("bench.embedded", "--json", "--workflows", str(plan.workflows_wire), "--address", server.address)
    return {f.workload: f.per_second for f in msgspec.json.decode(said, type=list[embedded.Figures]) if f.concurrency == CONCURRENCY}


def _official(plan: EmbeddedPlan) -> Speeds:
    counts = {workload: embedded.count(workload, plan.workflows_wire) for workload in embedded.WORKLOADS}
    wanted = msgspec.structs.replace(FULL, workflows=counts, workflows_alone=embedded.ALONE_MIN)
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory, running("outlast", Path(directory)) as server:
        command = workload_command("speed", server.address, str(server.process.pid), msgspec.json.encode(wanted).decode())
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=CLIENT_S, check=True)
    figures = msgspec.json.decode(done.stdout, type=list[workloads.Figures])
    return {f.workload: f.per_second for f in figures if f.concurrency == CONCURRENCY}


def _run(module: str, *arguments: str) -> bytes:
    return subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, timeout=CLIENT_S, check=True).stdout


def _speed_lines(sdk: Sdk) -> Iterator[Line]:
    for workload, goal in embedded.GOALS.items():
        speed = sdk.median(lambda each, w=workload: each.embedded[w])  # type: ignore[misc]
        what = f"`{workload}` embedded, workflows/s, {CONCURRENCY} at a time"
        yield Line(what, f"{speed:,.0f}", "", goal=f"≥ {goal:,.0f}", met=speed >= goal)
    for workload, goal in LATENCY_GOALS_MS.items():
        latency = sdk.median(lambda each, w=workload: each.latency_ms[w])  # type: ignore[misc]
        yield Line(f"`{workload}` embedded, latency, alone", f"{latency:.2f} ms", "", goal=f"< {goal} ms", met=latency < goal)


def _peer_lines(sdk: Sdk) -> Iterator[Line]:
    for peer, goals in PEER_GOALS.items():
        for workload, goal in goals.items():
            what = f"`{workload}` embedded and on {peer}, workflows/s"
            if any(peer not in each.peers for each in sdk.rounds):
                yield Line(what, "", "not installed", goal=f"≥ {goal} ×")
                continue
            ours = sdk.median(lambda each, w=workload: each.embedded[w])  # type: ignore[misc]
            theirs = sdk.median(lambda each, p=peer, w=workload: each.peers[p][w])  # type: ignore[misc]
            yield Line(what, f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.1f} ×", f"≥ {goal} ×", ours / theirs >= goal)


def _wire_lines(sdk: Sdk) -> Iterator[Line]:
    for workload in embedded.WORKLOADS:
        ours = sdk.median(lambda each, w=workload: each.wire[w])  # type: ignore[misc]
        official = sdk.median(lambda each, w=workload: each.official[w])  # type: ignore[misc]
        what = f"`{workload}` over gRPC, our worker and the official one, workflows/s"
        ratio = ours / official
        yield Line(what, f"{ours:,.0f}", f"{official:,.0f}", f"{ratio:.2f} ×", f"≥ {WIRE_GOAL} ×", ratio >= WIRE_GOAL)


def _replay_lines(replays: Replays) -> Iterator[Line]:
    ours, official = replays.ours, replays.official
    what = f"Replay of {replays.events:,} events, our Replayer and the official one"
    ratio = f"{official.seconds / ours.seconds:.1f} × as fast"
    yield Line(what, f"{ours.seconds * 1e3:.0f} ms", f"{official.seconds * 1e3:.0f} ms", ratio, "≥ 1 ×", ours.seconds <= official.seconds)
    ratio = f"{official.cpu_s / ours.cpu_s:.1f} × less"
    yield Line("The same, CPU time", f"{ours.cpu_s * 1e3:.0f} ms", f"{official.cpu_s * 1e3:.0f} ms", ratio)


def _opening_lines(opening: Opening) -> Iterator[Line]:
    imported, opened = opening.import_workflow_s, opening.open_s
    yield Line("`import outlast.workflow`", f"{imported:.3f} s", "", goal=f"< {IMPORT_GOAL_S} s", met=imported < IMPORT_GOAL_S)
    yield Line("`import outlast.embedded`", f"{opening.import_embedded_s:.3f} s", "")
    yield Line("Opening an embedded node on a new file", f"{opened:.3f} s", "", goal=f"< {OPEN_GOAL_S} s", met=opened < OPEN_GOAL_S)


def document(sdk: Sdk, quiet: str) -> str:
    """The part of docs/benchmarks.md."""
    plan = sdk.plan
    shares = ", ".join(f"{embedded.count(workload, plan.workflows):,} × `{workload}`" for workload in embedded.WORKLOADS)
    steps = (
        f"{plan.rounds} rounds, medians, ratios of medians. In a round all take their turn, each fresh, in a process of its own. "
        f"{CONCURRENCY} workflows at a time, then some one after the other; each workload warmed up.",
        f"Embedded: client, worker, server and SQLite file (synchronous=FULL) in one process. `noop` returns its input, `one` awaits one "
        f"activity, `seq` ten, one after the other. A round is {shares}.",
        f"Over gRPC: the same server, a process of its own on a new file; client and worker together in another, ours or the official "
        f"ones (`temporalio`), with the same settings. A round is {plan.workflows_wire:,} × `noop`, the others in proportion.",
        f"DBOS (on SQLite) and Restate (its server on disk, its Python SDK over HTTP): {plan.workflows_peer} of each workload, by drivers "
        "that are not part of this repository (`--peers`).",
        "Replay: the whole history by the Replayer of either SDK, without sandbox, from the parsed history on; median of some rounds in "
        "turn. Import and opening: in a fresh process.",
    )
    parts = [
        "## The SDK, embedded",
        markdown_table(["", ""], machine()),
        "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1)),
        written(COLUMNS, sdk.lines()),
        f"Workflows a second, {CONCURRENCY} at a time, lowest to highest of the rounds:",
        markdown_table(["", *embedded.WORKLOADS], _spread(sdk)),
        quiet,
    ]
    return "\n\n".join(parts)


def _spread(sdk: Sdk) -> Iterator[list[str]]:
    rows: dict[str, list[Speeds]] = {
        "embedded": [each.embedded for each in sdk.rounds],
        "our worker over gRPC": [each.wire for each in sdk.rounds],
        "the official worker": [each.official for each in sdk.rounds],
    }
    rows |= {peer: [each.peers[peer] for each in sdk.rounds] for peer in PEER_GOALS if all(peer in each.peers for each in sdk.rounds)}
    for name, speeds in rows.items():
        columns = ([each[workload] for each in speeds] for workload in embedded.WORKLOADS)
        yield [name, *(f"{min(column):,.0f} to {max(column):,.0f}" for column in columns)]
