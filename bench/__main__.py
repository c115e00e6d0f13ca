"""Measure Outlast and write docs/benchmarks.md: each part of it is a run of its own, and leaves the other parts alone.

python -m bench                       every part: some twenty minutes
python -m bench embedded              our SDK: embedded, beside the official one and, with --peers, beside other systems
python -m bench scale                 what must stay flat: sleepers, a backlog, parallel activities, a long history; with plots
python -m bench reference             beside the development server
python -m bench --quick               a look of about a minute a part, writes nothing
python -m bench reference --only history        some sections of that part only, writes nothing
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console

from bench import report, scale, sdk
from bench.disturbance import Disturbance, Watch, await_quiet
from bench.history import measure_history
from bench.lines import shown
from bench.machine import ROOT
from bench.measured import Measured
from bench.peers import Peers
from bench.plan import EMBEDDED_FULL, EMBEDDED_QUICK, FULL, QUICK, SCALE_FULL, SCALE_QUICK, Plan
from bench.resting import Rest, measure_rest
from bench.sections import ORDER, put
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
    options = _options()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(EXIT_TERMINATED))  # unwinds: no server stays behind
    console = Console()
    if not console.is_terminal:
        console.width = TABLE_WIDTH
    document = options.document or (None if options.quick else DOCUMENT)
    for part in options.parts or ORDER:
        text = PARTS[part](options, document, console)
        if document is not None and text is not None:
            put(document, part, text)
            console.print(f"wrote {part} into {document}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*ORDER, []], metavar="PART", help=f"of {', '.join(ORDER)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes; the document stays as it is")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="these of reference; its part stays as it is")
    parser.add_argument("--patience", type=float, metavar="SECONDS", help="how long each measurement waits for a quiet machine")
    parser.add_argument("--document", type=Path, metavar="FILE", help="write there, whatever the sizes; plots go beside it")
    parser.add_argument(
        "--peers",
        nargs=2,
        type=Path,
        metavar=("DRIVERS", "ENVIRONMENT"),
        help="the folder of the peers' drivers, and one with a virtual environment `venv` and `node_modules` that have the peers",
    )
    return parser.parse_args()


def _reference(options: argparse.Namespace, _document: Path | None, console: Console) -> str | None:
    plan = msgspec.structs.replace(QUICK if options.quick else FULL, patience_s=_patience_s(options))
    measured = measure(plan, options.only, console)
    console.print(report.table(measured))
    return report.document(measured) if set(options.only) == set(SECTIONS) else None


def _embedded(options: argparse.Namespace, _document: Path | None, console: Console) -> str:
    plan = EMBEDDED_QUICK if options.quick else EMBEDDED_FULL
    peers = None if options.peers is None else Peers(*(path.absolute() for path in options.peers))
    found, meanwhile = _watched("embedded", _patience_s(options), partial(sdk.measure_sdk, plan, peers, console))
    console.print(shown("Our SDK", sdk.COLUMNS, found.lines()))
    return sdk.document(found, _said(meanwhile))


def _scale(options: argparse.Namespace, document: Path | None, console: Console) -> str | None:
    plan = SCALE_QUICK if options.quick else SCALE_FULL
    found, meanwhile = _watched("scale", _patience_s(options), partial(scale.measure_scale, plan, console))
    console.print(shown("Scale", scale.COLUMNS, found.lines()))
    return None if document is None else scale.document(found, _said(meanwhile), document.parent / "plots")


PARTS: dict[str, Callable[[argparse.Namespace, Path | None, Console], str | None]] = {
    "embedded": _embedded,
    "scale": _scale,
    "reference": _reference,
}


def _patience_s(options: argparse.Namespace) -> float:
    return (QUICK if options.quick else FULL).patience_s if options.patience is None else options.patience


def _watched(section: str, patience_s: float, body: Callable[[], T]) -> tuple[T, Disturbance]:
    await_quiet(patience_s)
    watch = Watch(section)
    return body(), watch.stop()


def _said(meanwhile: Disturbance) -> str:
    return (
        f"The load average was {meanwhile.load_before:.2f} when it began (of a minute); other processes took "
        f"{meanwhile.others_percent:.1f} % of the machine meanwhile."
    )


def measure(plan: Plan, sections: Sequence[str], console: Console) -> Measured:
    disturbances: list[Disturbance] = []

    def watched(section: str, body: Callable[[], T]) -> T:
        result, disturbance = _watched(section, plan.patience_s, body)
        disturbances.append(disturbance)
        console.print(str(disturbance))
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
