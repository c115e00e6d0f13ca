"""What a scenario is: a short async function over a `World`, registered by a decorator."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracle.world import World

Body = Callable[["World"], Awaitable[None]]


@dataclass(frozen=True)
class Difference:
    """A difference from the real server that is meant: `path` may contain `*`, `reason` says why it is right."""

    path: str
    reason: str


@dataclass(frozen=True)
class Scenario:
    """A registered scenario; its name is `<topic>.<function>`."""

    name: str
    body: Body
    differences: tuple[Difference, ...]
    seconds: float


SCENARIOS: dict[str, Scenario] = {}


def scenario(*differences: Difference, seconds: float = 45.0) -> Callable[[Body], Body]:
    """Register an async function as a scenario that may run for `seconds`."""

    def register(body: Body) -> Body:
        topic = body.__module__.rsplit(".", 1)[-1]
        name = f"{topic}.{body.__name__}"
        if name in SCENARIOS:
            raise ValueError(f"two scenarios are called {name}")
        SCENARIOS[name] = Scenario(name, body, differences, seconds)
        return body

    return register


def load() -> dict[str, Scenario]:
    """Import every file of scenarios and return what they registered."""
    from tests.oracle import scenarios

    for module in pkgutil.iter_modules(scenarios.__path__):
        importlib.import_module(f"{scenarios.__name__}.{module.name}")
    return SCENARIOS
