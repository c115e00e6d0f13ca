"""Whatever fails, and whenever: what was promised holds, histories are sound, and everything comes to its end."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.simulation.settings import draw
from tests.simulation.world import play, told

SEEDS = 1000
SEEDS_LONG = 100_000
FAILURES_MAX = 3
CALM = ("request_lost", "reply_lost", "duplicated", "disconnect", "slow", "commit_fails", "read_fails", "stall", "latency", "power_loss")
ROOT = Path(__file__).parents[2]
PRINT_TRACE = "import sys; from tests.simulation.world import play; print(play(int(sys.argv[1])).faults.hash)"


def failures(first: int, count: int) -> list[str]:
    """The stories of the seeds that fail; it stops when it has enough of them."""
    stories = []
    for seed in range(first, first + count):
        world = play(seed)
        if world.flaws:
            stories.append(told(world))
        if len(stories) >= FAILURES_MAX:
            break
    return stories


@pytest.mark.parametrize("quarter", range(4))
def test_crashes_losses_and_delays_never_show(quarter: int) -> None:
    stories = failures(first=quarter * SEEDS // 4, count=SEEDS // 4)

    assert not stories, "\n\n".join(stories)


def test_a_lone_worker_that_crashes_keeps_nothing() -> None:
    """Nothing else goes wrong, and nobody else polls: what the worker took along comes back by itself."""
    for seed in range(40, 80):
        calm = dict.fromkeys(CALM, 0.0)
        settings = replace(draw(Random(f"{seed}/settings")), **calm, outages=0, restarts=0, workers=1, pollers=1, sticky=False)
        world = play(seed, replace(settings, worker_crashes=4, misbehaviour=0.8))

        assert not world.flaws, told(world)


@pytest.mark.parametrize("seed", [1200, 1814, 4129, 11489, 12654])
def test_seeds_that_have_found_a_bug_find_it_no_more(seed: int) -> None:
    """Events that no commit carried, a run whose next commit had failed, a child never released, a run reset in two copies."""
    world = play(seed)

    assert not world.flaws, told(world)


@pytest.mark.long
def test_crashes_losses_and_delays_never_show_in_many_seeds() -> None:
    stories = failures(first=SEEDS, count=int(os.environ.get("OUTLAST_SEEDS", SEEDS_LONG)))

    assert not stories, "\n\n".join(stories)


@pytest.mark.parametrize("seed", [3, 29, 205])
def test_a_seed_played_twice_is_the_same_story(seed: int) -> None:
    first, again = play(seed), play(seed)

    assert first.faults.hash == again.faults.hash
    assert list(first.faults.story) == list(again.faults.story)
    assert first.flaws == again.flaws


def test_a_seed_is_the_same_story_in_another_process() -> None:
    """Not the order of a set, nor an address in memory, decides anything."""

    def trace(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", PRINT_TRACE, "29"]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout

    assert trace("1") == trace("2") == play(29).faults.hash + "\n"
