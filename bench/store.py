"""How long a commit of the SQLite store takes: runs that live through five small transitions each, in groups.

    python bench/store.py [--groups 1,10,50] [--seconds 3] [--old-runs 20000]

Every transition writes a core of 600 bytes and two parts; most a batch of 700 bytes; the first and the last a
visibility record. Beside the runs in flight the file holds many old ones, for the depth of its trees.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from outlast.engine.keys import ExecutionKey, PartKey
from outlast.server.shard.ids import new_run_id
from outlast.server.store.protocol import EventBatch, RunWrite, VisibilityRecord
from outlast.server.store.sqlite import SqliteStore

NAMESPACE = "2d0c8f4a-0a7e-4b7e-9a39-8a4b8a1f0c11"
IN_FLIGHT = 500
STEPS = 5
_noise = os.urandom(1 << 20)


def _bytes(size: int, seed: int) -> bytes:
    start = seed * 7919 % (len(_noise) - size)
    return _noise[start : start + size]


def transition(key: ExecutionKey, step: int, seed: int) -> RunWrite:
    now = time.time_ns()
    first, last = step == 0, step == STEPS - 1
    parts: dict[PartKey, bytes | None] = {
        PartKey("a", str(5 * step)): None if last else _bytes(150, seed),
        PartKey("r", str(seed)): b"request",
    }
    if step:
        parts[PartKey("a", str(5 * step - 5))] = None
        del parts[PartKey("r", str(seed))]
    return RunWrite(
        key,
        _bytes(580 + 10 * step, seed),
        None if step % 2 == 0 else now + 10_000_000_000,
        has_work=step in (0, 1, 3),
        parts=parts,
        batches=() if step == 2 else (EventBatch(1 + 3 * step, 3, _bytes(700, seed + 1)),),
        visibility=_record(key, now, now if last else None) if first or last else None,
        make_current=first,
    )


def _record(key: ExecutionKey, start_time: int, close_time: int | None) -> VisibilityRecord:
    ids = (key.namespace_id, key.workflow_id, key.run_id)
    return VisibilityRecord(*ids, "OrderWorkflow", "orders", 1, start_time, start_time, close_time, 3, 900, 1, b"", b"", "", "", *ids[1:])


def transitions() -> Iterator[RunWrite]:
    """For ever: the runs in flight take turns in random order; one that ends makes room for a new one."""
    seed = IN_FLIGHT
    dice = random.Random(1)
    order = list(range(IN_FLIGHT))
    flight = [(_new(place), place % STEPS) for place in order]
    while True:
        dice.shuffle(order)
        for place in order:
            seed += 1
            key, step = flight[place]
            if step == STEPS:
                key, step = _new(seed), 0
            yield transition(key, step, seed)
            flight[place] = (key, step + 1)


def _new(seed: int) -> ExecutionKey:
    return ExecutionKey(NAMESPACE, f"order-{seed * 2654435761 % 2**32:010}", new_run_id())


async def fill(store: SqliteStore, runs: int) -> None:
    for start in range(0, runs, 200):
        keys = [_new(1_000_000_000 + start + n) for n in range(200)]
        await store.commit([transition(key, step, start + n) for n, key in enumerate(keys) for step in range(STEPS)])


async def measure(store: SqliteStore, size: int, seconds: float) -> None:
    source = transitions()
    warm = time.perf_counter() + seconds / 3
    times: list[float] = []
    while (start := time.perf_counter()) < warm + seconds:
        writes = [next(source) for _ in range(size)]
        start = time.perf_counter()
        await store.commit(writes)
        if start > warm:
            times.append(time.perf_counter() - start)
    times.sort()
    mean = sum(times) / len(times)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(
        f"{size:4} runs: mean {mean * 1e3:7.3f} ms  p50 {p50 * 1e3:7.3f}  p99 {p99 * 1e3:7.3f}  {size / mean:8.0f} transitions/s",
        flush=True,
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", default="1,10,50")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--old-runs", type=int, default=20_000)
    parser.add_argument("--pragma", action="append", default=[], help="name=value")
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        path = Path(directory) / "bench.db"
        store = SqliteStore(path, dict(each.split("=") for each in options.pragma))
        await store.open()
        start = time.perf_counter()
        await fill(store, options.old_runs)
        print(f"{options.old_runs} old runs in {time.perf_counter() - start:.2f} s")
        for size in map(int, options.groups.split(",")):
            await measure(store, size, options.seconds)
        await store.close()
        print(f"file: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    asyncio.run(main())
