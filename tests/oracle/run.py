"""Developer command: `python -m tests.oracle.run [pattern] [--real-only | --ours-only | --self] [--show]`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fnmatch
import json
import time

from tests.oracle.play import AT_ONCE, Take, judge, play
from tests.oracle.registry import Scenario, load
from tests.oracle.servers import server


def main() -> int:
    """Run the scenarios whose name contains (or globs) the pattern; the exit code says whether all agree."""
    parser = argparse.ArgumentParser(prog="tests.oracle.run", description=__doc__)
    parser.add_argument("pattern", nargs="?", default="*", help="part of a scenario's name, or a glob")
    parser.add_argument("--real-only", action="store_true", help="only the real server: shows crashes and bad histories")
    parser.add_argument("--ours-only", action="store_true", help="only our server: shows crashes and bad histories")
    parser.add_argument("--self", action="store_true", dest="itself", help="the real server against itself: proves determinism")
    parser.add_argument("--show", action="store_true", help="print all observations (of the first server)")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="how many scenarios run at the same time on each server")
    options = parser.parse_args()
    pattern = options.pattern if "*" in options.pattern else f"*{options.pattern}*"
    chosen = [one for name, one in sorted(load().items()) if fnmatch.fnmatchcase(name, pattern)]
    return asyncio.run(_run(chosen, options))


async def _run(chosen: list[Scenario], options: argparse.Namespace) -> int:
    sides = ["real"] if options.real_only else ["ours"] if options.ours_only else ["real", "real"] if options.itself else ["real", "ours"]
    begun = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        addresses = {side: await stack.enter_async_context(server(side)) for side in dict.fromkeys(sides)}
        ready = time.monotonic()
        takes = await asyncio.gather(*(play(chosen, addresses[side], asyncio.Semaphore(options.at_once)) for side in sides))
    played = time.monotonic()
    bad = sum(_report(scenario, [take[scenario.name] for take in takes], options) for scenario in chosen)
    print(f"{len(chosen)} scenarios, {bad} bad; servers up in {ready - begun:.1f} s, played in {played - ready:.1f} s")
    return 1 if bad or not chosen else 0


def _report(scenario: Scenario, takes: list[Take], options: argparse.Namespace) -> bool:
    first, last = takes[0], takes[-1]
    complaints = judge(scenario, first, last, declared=len(takes) == 2 and not options.itself)
    if len(takes) == 1:
        complaints = [first.crash] if first.crash else []
        complaints += first.violations
    print(f"{'BAD ' if complaints else 'ok  '} {scenario.name} ({first.seconds:.1f} s)")
    if options.show:
        print(json.dumps(first.by_title(), indent=1))
    for complaint in complaints:
        print("  " + complaint.replace("\n", "\n  "))
    return bool(complaints)


if __name__ == "__main__":
    raise SystemExit(main())
