"""Values that hold inside of a block, also over its awaits, and in the tasks that it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar

_T = TypeVar("_T")


@contextmanager
def scope(variable: ContextVar[_T], value: _T) -> Iterator[None]:
    """Set the variable until the block ends."""
    token = variable.set(value)
    try:
        yield
    finally:
        # A coroutine that is closed while it waits inside of the block leaves it in another context, which never saw the value.
        with suppress(ValueError):
            variable.reset(token)
