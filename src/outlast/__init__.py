"""Durable execution: functions that run to completion, once, whatever happens to the machine."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from outlast import _messages

if TYPE_CHECKING:
    from outlast.embedded import Outlast

__all__ = ["Outlast"]

_messages.stand_alone()
# gRPC reads this when it is imported. Its handlers of forks kill the children of a process that has calls under way: a pool of
# processes that run activities, for example. Without them a child that leaves gRPC alone lives.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

_ROOMS = {
    "activity",
    "client",
    "common",
    "converter",
    "embedded",
    "envconfig",
    "exceptions",
    "plugin",
    "runtime",
    "service",
    "testing",
    "types",
    "worker",
    "workflow",
}


def __getattr__(name: str) -> Any:
    """Import a part when it is first asked for: nobody waits for what he does not use."""
    if name == "Outlast":
        return import_module("outlast.embedded").Outlast
    if name in _ROOMS:
        return import_module(f"outlast.{name}")
    raise AttributeError(f"module 'outlast' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
