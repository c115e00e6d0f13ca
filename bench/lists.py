"""How long lists and counts take in a file of many runs: `python -m bench.lists [--runs 1000000] [--file FILE]`.

The file is made by direct writes of its rows, without histories: what lists read does not depend on them. Every run has a
build id, a keyword of ten values and one of ten thousand; one in twenty is open. Each figure is the median and the longest of
some calls of the store, by the filters that clients write.
"""

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from bench.servers import NAMESPACE
from outlast.engine.search_attributes import COLUMNS
from outlast.engine.triggers import NamespaceView
from outlast.server.shard.ids import new_run_id
from outlast.server.store.filters import OPEN_CLOSE_TIME, VisibilityQuery
from outlast.server.store.positions import Position, encode_position
from outlast.server.store.protocol import VisibilityRecord
from outlast.server.store.sqlite import SqliteStore
from outlast.server.store.sqlite.shown import Shown
from outlast.server.visibility.query import list_query

SECOND = 1_000_000_000
GOAL_S = 0.05
PAGE = 100
CALLS = 15
NOW = 1_767_268_800 * SECOND
NAMES = {"Tier": "Keyword01", "Customer": "Keyword02", "Size": "Int01"}
VIEW = NamespaceView("n", NAMESPACE, {name: COLUMNS[column] for name, column in NAMES.items()}, columns=NAMES)
STATUSES = (2,) * 90 + (3,) * 5 + (4, 5, 6, 7, 3)
"""Of closed runs: completed, and the others now and then."""
AT_ONCE = 20_000


def record(number: int, runs: int) -> VisibilityRecord:
    """Runs start a second apart; one in twenty of all times is still open."""
    started = NOW - (runs - number) * SECOND
    is_open = number % 20 == 7
    closed = None if is_open else started + (number % 977) * SECOND // 10
    status = 1 if is_open else STATUSES[number * 7919 % 100]
    ids = (f"order-{number:08}", new_run_id())
    attributes = {"Keyword01": f"tier-{number % 10}", "Keyword02": f"customer-{number * 7919 % 10_000}", "Int01": number % 1000}
    return VisibilityRecord(
        *("n", *ids, f"Workflow{number * 31 % 20}", "orders", status, started, started, closed, 12, 4096, 9, b"", b"x", "", "", *ids),
        attributes={**attributes, "BuildIds": ["unversioned"]},
    )


def fill(path: Path, runs: int) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma synchronous = off")
    shown = Shown(db)
    for start in range(0, runs, AT_ONCE):
        records = [(number + 1, record(number, runs)) for number in range(start, min(start + AT_ONCE, runs))]
        db.execute("begin")
        rows = ((number, each.run_id, "n", each.workflow_id, 0, b"core") for number, each in records)
        db.executemany("insert into runs (number, run_id, namespace_id, workflow_id, has_work, core) values (?, ?, ?, ?, ?, ?)", rows)
        shown.put(records)
        db.execute("commit")
    db.close()


async def measured(what: str, call: Callable[[], Awaitable[object]]) -> bool:
    """Print one line; whether it meets the goal."""
    times: list[float] = []
    await call()
    for _ in range(CALLS):
        start = time.perf_counter()
        await call()
        times.append(time.perf_counter() - start)
    met = max(times) < GOAL_S
    print(f"{what:64} {1e3 * statistics.median(times):9.2f} ms {1e3 * max(times):9.2f} ms  {'' if met else 'over the goal'}", flush=True)
    return met


LISTS = (
    "",
    "ExecutionStatus = 'Running'",
    "ExecutionStatus = 'Completed'",
    "ExecutionStatus = 'TimedOut'",
    "WorkflowType = 'Workflow3'",
    "WorkflowId = 'order-00500000'",
    "WorkflowId STARTS_WITH 'order-000001'",
    "Tier = 'tier-3'",
    "Customer = 'customer-77'",
    "Tier = 'tier-7' AND ExecutionStatus = 'Running'",
    "Customer IN ('customer-77', 'customer-78') AND Size > 500",
    "StartTime > '2026-01-01T11:00:00Z'",
    "CloseTime BETWEEN '2025-12-30T00:00:00Z' AND '2025-12-30T01:00:00Z'",
    "BuildIds = 'unversioned'",
)
COUNTS = (
    "",
    "ExecutionStatus = 'Running'",
    "ExecutionStatus != 'Running'",
    "WorkflowType = 'Workflow3'",
    "WorkflowType = 'Workflow3' AND ExecutionStatus = 'Failed'",
    "GROUP BY ExecutionStatus",
    "GROUP BY WorkflowType",
    "Tier = 'tier-3'",
    "Customer = 'customer-77'",
    "Customer = 'customer-77' GROUP BY ExecutionStatus",
    "StartTime > '2026-01-01T11:00:00Z'",
)
BESIDE_THE_GOAL = ("Tier = 'tier-3' GROUP BY ExecutionStatus", "GROUP BY Tier", "Size > 990", "NOT Tier = 'tier-3'", "HistoryLength > 100")
ORDERED = (
    "WorkflowType = 'Workflow3' AND ExecutionStatus = 'Failed'",
    "Tier = 'tier-3' AND ExecutionStatus = 'Running'",  # none is: all of one half are looked at
    "ORDER BY Customer",
    "ExecutionStatus = 'Running' ORDER BY Size DESC",
    "ORDER BY Size",
)


def deep_tokens(path: Path, runs: int) -> Iterator[tuple[str, bytes]]:
    """A token from far down the list of all, and of one tier."""
    with sqlite3.connect(path) as db:
        for what, where in (("", "true"), ("Tier = 'tier-3'", "\"Keyword01\" = 'tier-3'")):
            (count,) = db.execute(f"select count(*) from shown where {where}").fetchone()
            order = '"CloseTime" desc, "StartTime" desc, "RunId" desc'
            row = db.execute(
                f'select "CloseTime", "StartTime", "RunId" from shown where {where} order by {order} limit 1 offset ?', (count * 9 // 10,)
            )
            close_time, start_time, run_id = row.fetchone()
            assert close_time < OPEN_CLOSE_TIME
            yield what, encode_position(Position(close_time, start_time, run_id))


async def measure(path: Path, runs: int) -> None:
    store = SqliteStore(path)
    await store.open()

    def listing(text: str, token: bytes = b"") -> Callable[[], Awaitable[object]]:
        query = list_query(text, VIEW)
        return lambda: store.list_visibility(VisibilityQuery("n", query.where, query.order), PAGE, token)

    def counting(text: str) -> Callable[[], Awaitable[object]]:
        query = list_query(text, VIEW)
        if query.group_by is None:
            return lambda: store.count_visibility("n", query.where)
        attribute = query.group_by.attribute
        return lambda: store.group_visibility("n", query.where, attribute, 1000)

    tokens = list(deep_tokens(path, runs))
    met = [await measured(f"list   {text or 'all'}", listing(text)) for text in LISTS]
    met += [await measured(f"list   {text or 'all'}, a page deep down", listing(text, token)) for text, token in tokens]
    met += [await measured(f"count  {text or 'all'}", counting(text)) for text in COUNTS]
    print(f"{sum(met)} of {len(met)} under {1e3 * GOAL_S:.0f} ms; what follows has no goal")
    for text in ORDERED:
        await measured(f"list   {text}", listing(text))
    for text in BESIDE_THE_GOAL:
        await measured(f"count  {text}", counting(text))
    await store.close()


async def make_tables(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.close()


def prepare(path: Path, runs: int) -> None:
    asyncio.run(make_tables(path))
    start = time.perf_counter()
    fill(path, runs)
    print(f"{runs:,} runs written in {time.perf_counter() - start:.0f} s, {path.stat().st_size / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--file", type=Path, help="use this file if it is there, else make it and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="outlast-bench-") as directory:
        path: Path = options.file or Path(directory) / "lists.db"
        if not path.exists():
            prepare(path, options.runs)
        asyncio.run(measure(path, options.runs))


if __name__ == "__main__":
    main()
