"""The server dies between any two commits, and the scenario comes to the same end as without that."""

import asyncio
import shutil
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

import grpc
import grpc.aio
import pytest

from outlast.server.store.sqlite import SqliteStore
from tests.faults.scenario import SCENARIO_S_MAX, drive, essence, outcome
from tests.faults.stores import FaultyStore, node_with
from tests.faults.wire import flaws
from tests.oracle.normalise import Normaliser

AT_ONCE = 10
COMMITS_MIN = 20
"""The scenario is worth something only if it takes at least so many."""

FAILURES_MAX = 50
SEED = 1

Crash = tuple[int, bool]
"""At which commit of a node's life, and whether that commit is still written."""


async def test_a_crash_at_any_commit_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_crash, commits = await _play(tmp_path / "none", monkeypatch, [])
    assert commits >= COMMITS_MIN

    crashes: list[list[Crash]] = [[(n, written)] for n in range(1, commits + 1) for written in (False, True)]
    problems = await _play_all(tmp_path, monkeypatch, crashes, without_crash)

    assert not problems, f"{len(problems)} of {len(crashes)}\n" + "\n".join(problems[:3])


@pytest.mark.long
async def test_two_crashes_at_any_commits_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_crash, commits = await _play(tmp_path / "none", monkeypatch, [])

    crashes: list[list[Crash]] = [[(n, n % 2 == 0), (m, m % 3 == 0)] for n in range(1, commits + 1) for m in range(1, commits + 2 - n)]
    problems = await _play_all(tmp_path, monkeypatch, crashes, without_crash)

    assert not problems, f"{len(problems)} of {len(crashes)}\n" + "\n".join(problems[:3])


@pytest.mark.parametrize("share", [0.1, 0.3])
async def test_commits_that_fail_now_and_then_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    expected, _ = await _play(tmp_path / "none", monkeypatch, [])
    store = FaultyStore(SqliteStore(tmp_path / "outlast.db"))
    node = node_with(monkeypatch, store)
    await node.start()
    random = Random(SEED)  # not each so-many-th: that can fail the same step for ever
    store.fails = lambda: random.random() < share

    for _ in range(FAILURES_MAX):
        try:
            await drive(node.address)
            break
        except grpc.aio.AioRpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error

    histories = await outcome(node.address)
    await node.stop()
    assert [flaw for name, events in histories.items() for flaw in flaws(name, events)] == []
    assert {name: _difference(expected[name], _normal(events)) for name, events in histories.items()} == dict.fromkeys(expected, "")


async def _play_all(
    directory: Path, monkeypatch: pytest.MonkeyPatch, all_crashes: Sequence[list[Crash]], expected: dict[str, Any]
) -> list[str]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, crashes: list[Crash]) -> str:
        async with slots:
            try:
                played, _ = await _play(directory / str(number), monkeypatch, crashes)
            except (AssertionError, TimeoutError, grpc.aio.AioRpcError) as error:
                return f"crashes {crashes}: {error!r}"
        return "\n".join(f"crashes {crashes}: {name}: {text}" for name in expected if (text := _difference(expected[name], played[name])))

    return [problem for problem in await asyncio.gather(*(one(n, c) for n, c in enumerate(all_crashes))) if problem]


async def _play(directory: Path, monkeypatch: pytest.MonkeyPatch, crashes: Sequence[Crash]) -> tuple[dict[str, Any], int]:
    """The scenario on one node after the other; its normalised histories, and how many commits the last node made."""
    directory.mkdir()
    path = directory / "0.db"
    for life, (commit, written) in enumerate(crashes, start=1):
        path = await _crash(path, directory / f"{life}.db", monkeypatch, commit, written)
    store = FaultyStore(SqliteStore(path))
    node = node_with(monkeypatch, store)
    await node.start()
    try:
        await drive(node.address)
        histories = await outcome(node.address)
    finally:
        await node.stop()
    found = [flaw for name, events in histories.items() for flaw in flaws(name, events)]
    assert not found, "\n".join(found)
    return {name: _normal(events) for name, events in histories.items()}, store.commits


async def _crash(path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch, commit: int, written: bool) -> Path:
    """Play until that commit, and take the file as it is at that moment; the scenario may end before."""
    store = FaultyStore(SqliteStore(path))
    store.crash_at, store.crash_after_write = commit, written
    node = node_with(monkeypatch, store)
    starting = asyncio.create_task(node.start())
    crashed = asyncio.create_task(store.crashed.wait())
    await asyncio.wait([starting, crashed], timeout=SCENARIO_S_MAX, return_when=asyncio.FIRST_COMPLETED)
    if not crashed.done():
        driving = asyncio.create_task(drive(node.address))
        await asyncio.wait([driving, crashed], timeout=SCENARIO_S_MAX, return_when=asyncio.FIRST_COMPLETED)
        driving.cancel()
        await asyncio.gather(driving, return_exceptions=True)
    for suffix in ("", "-wal"):
        if Path(f"{path}{suffix}").exists():
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    crashed.cancel()
    store.drop()
    started = (await asyncio.gather(starting, return_exceptions=True))[0] is None
    if started:
        await node.stop()
    else:
        await node.abandon()
    return copy


def _difference(expected: Sequence[Any], actual: Sequence[Any]) -> str:
    """The first event that is not the same, in words; empty when all are."""
    for position, (wanted, found) in enumerate(zip_longest(expected, actual), start=1):
        if wanted != found:
            return f"event {position} should be {wanted}\nand is {found}\nin {[event['event_type'] for event in actual]}"
    return ""


def _normal(events: Sequence[Any]) -> list[Any]:
    normaliser = Normaliser("no suffix")
    return [normaliser.message(event) for event in essence(events)]
