"""A process that commits for ever and says after each commit that it is durable, to be killed at any moment.

Commit n writes to RUNS runs: the core and a part of each hold n, and each gets one batch with event id n. One more run is
written with it, and deleted after it.
"""

import asyncio
import sys
from pathlib import Path

from outlast.engine.keys import PartKey
from outlast.server.store.protocol import RunWrite
from outlast.server.store.sqlite import SqliteStore
from tests.conformance.records import batch, key, record, write

RUNS = [key(f"{n}") for n in range(5)]


def commit_of(number: int) -> list[RunWrite]:
    body = str(number).encode()
    parts: dict[PartKey, bytes | None] = {
        PartKey("t", "latest"): body,
        PartKey("t", str(number)): body,
        PartKey("t", str(number - 1)): None,
    }
    return [
        write(
            run,
            body + b" " * (number * 37 % 5000),
            due_at=number,
            has_work=number % 2 == 0,
            parts=parts,
            batches=[batch(number)],
            visibility=record(run, 1, number),
            make_current=True,
        )
        for run in RUNS
    ]


def doomed(number: int) -> RunWrite:
    """A run that is written with one commit and deleted before the next."""
    run = key(f"doomed-{number}")
    parts: dict[PartKey, bytes | None] = {PartKey("t", str(each)): b"part" for each in range(20)}
    batches = [batch(each) for each in range(1, 20)]
    return write(run, due_at=number, has_work=True, parts=parts, batches=batches, visibility=record(run, 1), make_current=True)


async def main(path: Path, first: int) -> None:
    store = SqliteStore(path, {"wal_autocheckpoint": "40"})  # so that a kill falls into a checkpoint, too
    await store.open()
    for number in range(first, sys.maxsize):
        await store.commit([*commit_of(number), doomed(number)])
        print(number, flush=True)
        await store.delete_runs([doomed(number).key])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
