"""The public names of Outlast are those of the official SDK, 1.35, name by name and signature by signature."""

import importlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import version

import pytest

from tests.api.left_out import DIFFERENT, LEFT_OUT
from tests.api.surface import MODULES, OFFICIAL, OURS, Difference, differences

PATTERNS = [pattern for patterns in LEFT_OUT.values() for pattern in patterns]


@cache
def found(module: str) -> tuple[Difference, ...]:
    """What differs in a module."""
    return tuple(differences(module, importlib.import_module(f"{OFFICIAL}.{module}"), importlib.import_module(f"{OURS}.{module}")))


def _everything() -> Iterator[Difference]:
    for module in MODULES:
        yield from found(module)


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_there_with_the_same_signature_or_is_left_out_for_a_reason(module: str) -> None:
    unexplained = [
        difference
        for difference in found(module)
        if (difference.ours and difference.path not in DIFFERENT)
        or (not difference.ours and not any(fnmatchcase(difference.path, pattern) for pattern in PATTERNS))
    ]

    assert unexplained == []


def test_what_is_said_to_be_left_out_is_left_out() -> None:
    missing = [difference.path for difference in _everything() if not difference.ours]

    assert [pattern for pattern in PATTERNS if not any(fnmatchcase(path, pattern) for path in missing)] == []
    assert {difference.path for difference in _everything() if difference.ours} == set(DIFFERENT)


def test_it_is_version_1_35_that_is_compared() -> None:
    assert version("temporalio").startswith("1.35.")
