"""What the compatibility page says about Outlast's own SDK."""

import importlib
from collections.abc import Iterator
from fnmatch import fnmatchcase

from tests.api.left_out import BEHAVIOUR, DIFFERENT, LEFT_OUT
from tests.api.surface import MODULES, OFFICIAL, OURS, differences, public_names

INTRODUCTION = """\
Names and signatures are those of `temporalio` 1.35 (`tests/api` compares them one by one): a program moves over by changing the
package in its imports. Below is what is not there, and what is there but otherwise.
"""


def section() -> Iterator[str]:
    """The section about the SDK."""
    missing = _missing()
    names = [f"{module}.{name}" for module in MODULES for name in public_names(importlib.import_module(f"{OFFICIAL}.{module}"))]
    there = len(names) - len(set(names) & set(missing))
    yield f"## The `outlast` SDK: {there} of {len(names)} public names of the official one\n"
    yield INTRODUCTION
    yield "| left out | why |\n| --- | --- |"
    for reason, patterns in LEFT_OUT.items():
        paths = [path for path in missing if any(fnmatchcase(path, pattern) for pattern in patterns)]
        yield f"| {', '.join(f'`{path}`' for path in paths)} | {reason} |"
    yield "\n| otherwise | how |\n| --- | --- |"
    for path, how in DIFFERENT.items():
        yield f"| `{path}` | {how} |"
    for what, how in BEHAVIOUR.items():
        yield f"| {what} | {how} |"
    yield ""


def _missing() -> list[str]:
    return [
        difference.path
        for module in MODULES
        for difference in differences(module, importlib.import_module(f"{OFFICIAL}.{module}"), importlib.import_module(f"{OURS}.{module}"))
        if not difference.ours
    ]
