"""Lets the messages, `temporalio.api`, be imported without the SDK that they come with.

Importing any part of the distribution `temporalio` runs its package's own module first, which loads the whole client and the native
library: a quarter of the time in which a node opens, for nothing that is used here.
"""

import importlib
import importlib.util
import sys
from typing import Any

_PACKAGE = "temporalio"


def stand_alone() -> None:
    """Put a package in the place of `temporalio` that loads what it lacks when it is asked for. Does nothing if it is imported already."""
    if _PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        return
    package = importlib.util.module_from_spec(spec)
    package.__dict__["__getattr__"] = _part
    sys.modules[_PACKAGE] = package


def _part(name: str) -> Any:
    """What the package's own module would have: the version, and its submodules."""
    if name == "__version__":
        return importlib.import_module(f"{_PACKAGE}.service").__version__
    if not name.startswith("__"):
        try:
            return importlib.import_module(f"{_PACKAGE}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{_PACKAGE}.{name}":
                raise
    raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
