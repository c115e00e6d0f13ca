"""Simple plugins: what they put into the settings of clients, workers and replayers, compared with the official one."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import pytest
import temporalio.client
import temporalio.plugin
import temporalio.worker

import outlast.client
import outlast.plugin
import outlast.worker

Settings = dict[str, Any]


class _Client:
    """A client as far as a plugin looks at it: its interceptors."""

    def __init__(self, interceptors: list[Any]) -> None:
        self._interceptors = interceptors

    def config(self, *, active_config: bool = False) -> Settings:
        assert active_config
        return {"interceptors": self._interceptors}


def _interceptors(package: str) -> dict[str, Any]:
    client = (outlast.client if package == "outlast" else temporalio.client).Interceptor
    worker = (outlast.worker if package == "outlast" else temporalio.worker).Interceptor
    both = type("Both", (client, worker), {})
    return {"client": client(), "worker": worker(), "both": both()}


def _doubled(existing: Any) -> Any:
    return [*(existing or ()), *(existing or ())]


GIVEN: dict[str, Settings] = {
    "nothing": {},
    "values": {
        "data_converter": "new converter",
        "activities": ["a2"],
        "nexus_service_handlers": ["n2"],
        "workflows": ["w2"],
        "workflow_runner": "new runner",
        "workflow_failure_exception_types": [ValueError],
    },
    "functions": {
        "data_converter": lambda existing: f"more than {existing}",
        "activities": _doubled,
        "nexus_service_handlers": _doubled,
        "workflows": _doubled,
        "workflow_runner": lambda existing: f"more than {existing}",
        "workflow_failure_exception_types": _doubled,
    },
}
SET: Settings = {
    "data_converter": "converter",
    "activities": ["a"],
    "nexus_service_handlers": ["n"],
    "workflows": ["w"],
    "workflow_runner": "runner",
    "workflow_failure_exception_types": [KeyError],
}


def _configured(module: ModuleType, given: Settings, already: Settings, with_interceptors: bool) -> list[Settings]:
    """The settings of a client, a worker and a replayer after a plugin; interceptors by their names."""
    kinds = _interceptors(module.__name__.split(".")[0])
    names = {id(interceptor): name for name, interceptor in kinds.items()}
    plugin = module.SimplePlugin("p", interceptors=list(kinds.values()) if with_interceptors else None, **given)
    assert plugin.name() == "p"
    configured = []
    for configure in (plugin.configure_client, plugin.configure_worker, plugin.configure_replayer):
        config = dict(already, client=_Client([kinds["both"]]), interceptors=[kinds["worker"], kinds["client"]])
        config = configure(config)
        config["interceptors"] = [names[id(interceptor)] for interceptor in config["interceptors"]]
        del config["client"]
        configured.append(config)
    return configured


@pytest.mark.parametrize("with_interceptors", [False, True])
@pytest.mark.parametrize("already", [{}, SET], ids=["empty", "set"])
@pytest.mark.parametrize("given", list(GIVEN))
def test_settings_become_those_that_the_official_plugin_makes(given: str, already: Settings, with_interceptors: bool) -> None:
    ours = _configured(outlast.plugin, GIVEN[given], already, with_interceptors)

    assert ours == _configured(temporalio.plugin, GIVEN[given], already, with_interceptors)


def _logged(log: list[str]) -> Callable[[], Any]:
    @asynccontextmanager
    async def context() -> AsyncIterator[None]:
        log.append("in")
        yield
        log.append("out")

    return context


@pytest.mark.parametrize("with_context", [False, True])
async def test_workers_and_replayers_run_within_the_context(with_context: bool) -> None:
    log: list[str] = []
    plugin: Any = outlast.plugin.SimplePlugin("p", run_context=_logged(log) if with_context else None)

    async def run(worker: str) -> None:
        log.append(worker)

    @asynccontextmanager
    async def replay(replayer: str, histories: str) -> AsyncIterator[str]:
        log.append(f"{replayer} {histories}")
        yield "results"

    async def connect(config: str) -> str:
        return f"connected to {config}"

    await plugin.run_worker("worker", run)
    async with plugin.run_replayer("replayer", "histories", replay) as results:
        log.append(results)

    around = (["in"], ["out"]) if with_context else ([], [])
    assert log == [*around[0], "worker", *around[1], *around[0], "replayer histories", "results", *around[1]]
    assert await plugin.connect_service_client("config", connect) == "connected to config"
