"""The simulation finds what it is for: bugs that were planted on purpose, each within a few seeds."""

from dataclasses import replace
from random import Random

import pytest

from tests.simulation.plants import PLANTS, SEEDS_MAX, WORLD_OF
from tests.simulation.settings import Settings, draw
from tests.simulation.world import World, play


def settings_of(bug: str, seed: int) -> Settings:
    return replace(draw(Random(f"{seed}/settings")), **WORLD_OF.get(bug, {}))


def first_failure(bug: str) -> World | None:
    for seed in range(SEEDS_MAX):
        world = play(seed, settings_of(bug, seed), planted=PLANTS[bug])
        if world.flaws:
            return world
    return None


@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_is_found(bug: str) -> None:
    found = first_failure(bug)

    assert found is not None, f"{SEEDS_MAX} seeds did not show that {bug}"
    assert play(found.seed, found.settings, planted=PLANTS[bug]).flaws == found.flaws, "the seed shows it again"
    assert not play(found.seed, found.settings).flaws, "and without the bug the same seed is sound"
