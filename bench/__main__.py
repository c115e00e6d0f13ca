"""Measure Outlast against the real development server and against its goals, and write docs/benchmarks.md.

python -m bench                       the full run: some ten minutes, writes the document
python -m bench --quick               a look of about a minute, writes nothing
python -m bench --only history        some sections only, writes nothing
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from rich.console import Console

from bench.disturbance import Disturbance, Watch, await_quiet
from bench.history import measure_history
from bench.measured import Measured
from bench.plan import FULL, QUICK, Plan
from bench.report import ROOT, document, table
from bench.resting import Rest, measure_rest
from bench.servers import Which
from bench.speed import measure_speed
from bench.startup import measure_startup

DOCUMENT = ROOT / "docs" / "benchmarks.md"
EXIT_TERMINATED = 143
SECTIONS = "speed", "rest", "history", "startup"
TABLE_WIDTH = 120
"""Where no terminal says how wide it is."""
BOTH: tuple[Which, Which] = ("dev", "outlast")
T = TypeVar("T")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes; the document stays as it is")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="these sections; the document stays as it is")
    parser.add_argument("--patience", type=float, metavar="SECONDS", help="how long each measurement waits for a quiet machine")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    if options.patience is not None:
        plan = msgspec.structs.replace(plan, patience_s=options.patience)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(EXIT_TERMINATED))  # unwinds: no server stays behind
    console = Console()
    if not console.is_terminal:
        console.width = TABLE_WIDTH
    measured = measure(plan, options.only, console)
    console.print(table(measured))
    if not options.quick and set(options.only) == set(SECTIONS):
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(document(measured))
        console.print(f"wrote {DOCUMENT}")
    return 0


def measure(plan: Plan, sections: Sequence[str], console: Console) -> Measured:
    disturbances: list[Disturbance] = []

    def watched(section: str, body: Callable[[], T]) -> T:
        await_quiet(plan.patience_s)
        watch = Watch(section)
        result = body()
        disturbances.append(watch.stop())
        console.print(str(disturbances[-1]))
        return result

    rounds = measure_speed(plan, console) if "speed" in sections else []
    disturbances += [each.disturbance for each in rounds]
    rests: dict[Which, Rest] = {}
    for which in BOTH if "rest" in sections else ():
        rests[which] = watched(f"rest of {which}", partial(measure_rest, which, plan, console))
    turns = watched("history", partial(measure_history, plan, console)) if "history" in sections else []
    startup = watched("start", partial(measure_startup, plan, console)) if "startup" in sections else None
    return Measured(plan, rounds, rests, turns, startup, disturbances)


if __name__ == "__main__":
    sys.exit(main())
