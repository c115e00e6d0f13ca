"""SIGKILL at any moment: what was acknowledged is there whole, and nothing is there in part."""

import random
import subprocess
import sys
from pathlib import Path

from outlast.engine.keys import PartKey
from outlast.server.store.sqlite import SqliteStore
from tests.conformance.crashing_writer import RUNS, commit_of, doomed
from tests.conformance.records import nothing, record, whole

ROOT = Path(__file__).parents[2]
ROUNDS = 8


def _write_and_be_killed(path: Path, first: int, commits: int) -> int:
    """Returns the last commit that the writer said was durable."""
    command = [sys.executable, "-m", "tests.conformance.crashing_writer", str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
        assert writer.stdout is not None
        for _ in range(commits):
            assert writer.stdout.readline(), "the writer ended by itself"
        writer.kill()
        rest = writer.stdout.read().split(b"\n")[:-1]
    return int(rest[-1]) if rest else first + commits - 1


async def _last_whole_commit(path: Path) -> int:
    """Opens the file, checks that every run is as one and the same commit left it, and returns that commit's number."""
    store = SqliteStore(path)
    await store.open()
    assert store._points.execute("pragma integrity_check").fetchall() == [("ok",)]
    first = await store.read_run(RUNS[0])
    assert first is not None
    number = int(first.core)
    for run, written in zip(RUNS, commit_of(number), strict=True):
        stored = await whole(store, run)
        kept = await store.read_run(run)
        assert kept is not None and kept.core == written.core
        assert kept.parts == {PartKey("t", "latest"): str(number).encode(), PartKey("t", str(number)): str(number).encode()}
        assert [batch.first_event_id for batch in await store.read_batches(run, 1, number + 9)] == list(range(1, number + 1))
        assert (stored["due"], stored["has_work"], stored["current"]) == ([number], number % 2 == 0, run.run_id)
        assert stored["visibility"] == [record(run, 1, number)]
    written = doomed(number)
    left = await whole(store, written.key)
    assert left == nothing() or (left["batches"], left["current"]) == (list(written.batches), written.key.run_id)
    kept = await store.read_run(written.key)
    assert kept is None or kept.parts == written.parts
    await store.delete_runs([written.key])
    assert await store.count_visibility(written.key.namespace_id) == len(RUNS)
    await store.close()
    return number


async def test_acknowledged_commits_survive_sigkill_and_others_are_whole_or_absent(path: Path) -> None:
    dice = random.Random(20_24)
    last = 0
    for _ in range(ROUNDS):
        acknowledged = _write_and_be_killed(path, last + 1, dice.randrange(1, 120))

        last = await _last_whole_commit(path)

        assert acknowledged <= last <= acknowledged + 1
