"""Every scenario once on the real dev server and once on Outlast: what they show must be the same."""

from __future__ import annotations

import asyncio
import contextlib
import warnings

import pytest
from temporalio.api.enums.v1 import EventType

from tests.compatibility import BUILT_EVENTS
from tests.oracle.play import AT_ONCE, Take, judge, play
from tests.oracle.registry import Scenario, load
from tests.oracle.servers import server

SCENARIOS = load()
REPLAYS = 3
REPLAYED_MAX = 12
"""More than so many differences are no matter of timing."""
pytestmark = pytest.mark.xdist_group("oracle")


@pytest.fixture(scope="session")
def takes(request: pytest.FixtureRequest) -> dict[str, dict[str, Take]]:
    """Play all collected scenarios on both servers at the same time, once."""
    chosen = [
        item.callspec.params["name"] for item in request.session.items if "name" in getattr(getattr(item, "callspec", None), "params", {})
    ]
    return asyncio.run(_play([name for name in chosen if name in SCENARIOS]))


async def _play(names: list[str]) -> dict[str, dict[str, Take]]:
    scenarios = [SCENARIOS[name] for name in names]
    async with contextlib.AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(server(side)) for side in ("real", "ours")]
        real, ours = await asyncio.gather(*(play(scenarios, address, asyncio.Semaphore(AT_ONCE)) for address in addresses))
        await _play_again(scenarios, addresses, real, ours)
        return {"real": real, "ours": ours}


async def _play_again(scenarios: list[Scenario], addresses: list[str], real: dict[str, Take], ours: dict[str, Take]) -> None:
    """Play alone what differed while many scenarios ran at once: on a busy machine either server may come too late for one."""
    for _ in range(REPLAYS):
        differing = [scenario for scenario in scenarios if judge(scenario, real[scenario.name], ours[scenario.name])]
        if len(differing) > REPLAYED_MAX:
            return
        for scenario in differing:
            warnings.warn(f"{scenario.name} differed, and is played again alone", stacklevel=1)
            takes = await asyncio.gather(*(play([scenario], address, asyncio.Semaphore(1)) for address in addresses))
            real[scenario.name], ours[scenario.name] = (take[scenario.name] for take in takes)


def test_every_event_that_is_built_is_written_in_some_scenario(takes: dict[str, dict[str, Take]]) -> None:
    """The compatibility table says so."""
    if len(takes["ours"]) < len(SCENARIOS):
        pytest.skip("only some scenarios were chosen")
    shown = str([take.observations for take in takes["ours"].values()])

    missing = [EventType.Name(kind) for kind in BUILT_EVENTS if f"'{EventType.Name(kind)}'" not in shown]

    assert missing == []


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_outlast_behaves_like_the_real_server(name: str, takes: dict[str, dict[str, Take]]) -> None:
    """The observations of both servers agree, but for what the scenario declares."""
    complaints = judge(SCENARIOS[name], takes["real"][name], takes["ours"][name])

    assert not complaints, f"{name}\n" + "\n".join(complaints)
