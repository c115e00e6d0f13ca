"""Compare the observations of two servers field by field."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.oracle.registry import Difference

ABSENT = "<absent>"
SHOWN_CHARACTERS = 300


@dataclass(frozen=True)
class Mismatch:
    """One place where the two servers differ."""

    path: str
    real: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.path}\n    real: {_short(self.real)}\n    ours: {_short(self.ours)}"


def mismatches(real: Any, ours: Any, path: str = "") -> Iterator[Mismatch]:
    """Yield every place where `real` and `ours` differ."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in [*real, *(key for key in ours if key not in real)]:
            yield from mismatches(real.get(key, ABSENT), ours.get(key, ABSENT), f"{path}.{key}" if path else str(key))
    elif isinstance(real, list) and isinstance(ours, list):
        if _types(real) != _types(ours):
            yield Mismatch(f"{path} (event types)", _types(real), _types(ours))
        for index in range(max(len(real), len(ours))):
            left = real[index] if index < len(real) else ABSENT
            right = ours[index] if index < len(ours) else ABSENT
            yield from mismatches(left, right, f"{path}[{index}]")
    elif real != ours:
        yield Mismatch(path, real, ours)


def undeclared(found: Sequence[Mismatch], declared: Sequence[Difference]) -> list[Mismatch]:
    """Return the mismatches that no declared difference covers."""
    return [mismatch for mismatch in found if not any(_covers(difference, mismatch) for difference in declared)]


def unseen(found: Sequence[Mismatch], declared: Sequence[Difference]) -> list[Difference]:
    """Return the declared differences that do not occur any more."""
    return [difference for difference in declared if not any(_covers(difference, mismatch) for mismatch in found)]


def _covers(difference: Difference, mismatch: Mismatch) -> bool:
    pattern = re.sub(r"[\[\]]", lambda bracket: f"[{bracket.group()}]", difference.path)
    return fnmatch.fnmatchcase(mismatch.path, pattern)


def _types(items: list[Any]) -> list[str] | None:
    if items and all(isinstance(item, dict) and "event_type" in item for item in items):
        return [item["event_type"].removeprefix("EVENT_TYPE_") for item in items]
    return None


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, str) else value
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
