"""Play scenarios on servers and judge what was observed."""

from __future__ import annotations

import asyncio
import traceback
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.compare import mismatches, undeclared, unseen
from tests.oracle.registry import Scenario
from tests.oracle.servers import connect
from tests.oracle.world import World

AT_ONCE = 8


@dataclass
class Take:
    """What one scenario showed on one server."""

    observations: list[dict[str, Any]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    crash: str = ""
    seconds: float = 0.0

    def by_title(self) -> dict[str, Any]:
        """Return the observations under numbered titles, which become the paths of a diff."""
        return {f"{number} {seen['title']}": seen for number, seen in enumerate(self.observations)}


async def play(scenarios: Iterable[Scenario], address: str, limit: asyncio.Semaphore) -> dict[str, Take]:
    """Play `scenarios` on the server at `address`, a few at once, and return what each showed."""
    async with connect(address) as channel:

        async def one(scenario: Scenario) -> Take:
            async with limit:
                return await _take(scenario, World(channel, address, f"~{uuid.uuid4().hex[:10]}"))

        chosen = list(scenarios)
        takes = await asyncio.gather(*(one(scenario) for scenario in chosen))
        return {scenario.name: take for scenario, take in zip(chosen, takes, strict=True)}


async def _take(scenario: Scenario, world: World) -> Take:
    take = Take(world.observations, world.violations)
    begun = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(scenario.seconds):
            await scenario.body(world)
    except Exception as error:
        take.crash = "".join(traceback.format_exception(error)[-3:])
    try:
        async with asyncio.timeout(scenario.seconds):
            await world.finish()
    except Exception as error:
        take.violations.append(f"reading the final histories: {error!r}")
    take.seconds = asyncio.get_running_loop().time() - begun
    return take


def judge(scenario: Scenario, real: Take, ours: Take, declared: bool = True) -> list[str]:
    """Return the complaints about this scenario, in words; none means that the two servers agree."""
    complaints = []
    for name, take in (("real", real), ("ours", ours)):
        if take.crash:
            complaints.append(f"the scenario broke off on {name}:\n{take.crash}")
        complaints += [f"bad history on {name}: {violation}" for violation in take.violations]
    found = list(mismatches(real.by_title(), ours.by_title()))
    differences = scenario.differences if declared else ()
    complaints += [str(mismatch) for mismatch in undeclared(found, differences)]
    complaints += [f"declared but no longer seen: {difference.path} ({difference.reason})" for difference in unseen(found, differences)]
    return complaints
