"""The build id of a program that names none: a digest of the code that it has loaded."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from types import ModuleType


def load_default_build_id(*, memoize: bool = True) -> str:
    """Digest of the source of all modules that are loaded now: differs when the code does.

    Remembered after the first call, unless `memoize` is false. Modules that are loaded later do not change it.
    """
    return _remembered() if memoize else _digest()


@cache
def _remembered() -> str:
    return _digest()


def _digest() -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for name, module in sorted(sys.modules.items()):
        digest.update(name.encode())
        digest.update(_source(module))
    return digest.hexdigest()


def _source(module: ModuleType) -> bytes:
    """What there is on disk of a module; nothing for built-in ones, and for what only pretends to be one."""
    path = getattr(module, "__file__", None)
    if not isinstance(path, str) or not path.endswith((".py", ".pyc")):
        return b""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
