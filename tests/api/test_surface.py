"""The comparison of packages sees what it is there to see: each of these pairs differs in one thing."""

import sys
from collections.abc import Iterator
from itertools import count
from types import ModuleType

import pytest

from tests.api.surface import OFFICIAL, OURS, differences

HEAD = """
from __future__ import annotations
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, IntEnum
from typing import Any, Generic, List, NewType, NotRequired, Optional, Self, TypedDict, TypeVar, Union, Unpack, overload
"""

DIFFERENT: dict[str, tuple[str, str, str]] = {
    "a name is missing": ("X = 1", "", "m.X"),
    "a class is a function": ("class X: ...", "def X(): ...", "m.X"),
    "a function is not async": ("async def x(): ...", "def x(): ...", "m.x"),
    "a parameter is missing": ("def x(a, b): ...", "def x(a): ...", "m.x"),
    "a parameter has another name": ("def x(a): ...", "def x(b): ...", "m.x"),
    "parameters are in another order": ("def x(a, b): ...", "def x(b, a): ...", "m.x"),
    "a parameter is keyword only": ("def x(a): ...", "def x(*, a): ...", "m.x"),
    "a parameter is positional only": ("def x(a): ...", "def x(a, /): ...", "m.x"),
    "a default is another one": ("def x(a=1): ...", "def x(a=2): ...", "m.x"),
    "a default is missing": ("def x(a=1): ...", "def x(a): ...", "m.x"),
    "a type is another one": ("def x(a: int): ...", "def x(a: str): ...", "m.x"),
    "a type inside of a type": ("def x(a: Mapping[str, list[int]]): ...", "def x(a: Mapping[str, list[str]]): ...", "m.x"),
    "None is not accepted": ("def x(a: int | None): ...", "def x(a: int): ...", "m.x"),
    "a result is another one": ("def x() -> int: ...", "def x() -> str: ...", "m.x"),
    "a method is missing": ("class X:\n    def y(self): ...", "class X: ...", "m.X.y"),
    "a method differs": ("class X:\n    def y(self, a): ...", "class X:\n    def y(self): ...", "m.X.y"),
    "an initializer differs": ("class X:\n    def __init__(self, a): ...", "class X:\n    def __init__(self): ...", "m.X.__init__"),
    "a method is static": ("class X:\n    def y(a): ...", "class X:\n    @staticmethod\n    def y(a): ...", "m.X.y"),
    "a property is a method": ("class X:\n    @property\n    def y(self): ...", "class X:\n    def y(self): ...", "m.X.y"),
    "a property has another type": (
        "class X:\n    @property\n    def y(self) -> int: ...",
        "class X:\n    @property\n    def y(self) -> str: ...",
        "m.X.y",
    ),
    "a number is another one": ("X = 1", "X = 2", "m.X"),
    "an alias is another one": ("X = Mapping[str, int]", "X = Mapping[str, str]", "m.X"),
    "a type variable has another bound": ("X = TypeVar('X', bound=int)", "X = TypeVar('X')", "m.X"),
    "a new type is of another type": ("X = NewType('X', int)", "X = NewType('X', str)", "m.X"),
    "a constant is of another type": ("X = object()", "X = timedelta()", "m.X"),
    "a class has no type variable": ("T = TypeVar('T')\nclass X(Generic[T]): ...", "T = TypeVar('T')\nclass X: ...", "m.X"),
    "a base is missing": ("class B: ...\nclass X(B): ...", "class B: ...\nclass X: ...", "m.X"),
    "an error is no error": ("class X(Exception): ...", "class X: ...", "m.X"),
    "a member of an enum is missing": ("class X(Enum):\n    A = 1", "class X(Enum):\n    B = 1", "m.X.A"),
    "a member of an enum has another value": ("class X(Enum):\n    A = 1", "class X(Enum):\n    A = 2", "m.X.A"),
    "an enum is no number": ("class X(IntEnum):\n    A = 1", "class X(Enum):\n    A = 1", "m.X"),
    "a dataclass is frozen": ("@dataclass\nclass X:\n    a: int", "@dataclass(frozen=True)\nclass X:\n    a: int", "m.X"),
    "a field is missing": ("@dataclass\nclass X:\n    a: int\n    b: int", "@dataclass\nclass X:\n    a: int", "m.X.b"),
    "a field has another type": ("@dataclass\nclass X:\n    a: int", "@dataclass\nclass X:\n    a: str", "m.X.a"),
    "a field has another default": ("@dataclass\nclass X:\n    a: int = 1", "@dataclass\nclass X:\n    a: int = 2", "m.X.a"),
    "a field is not initialised": ("@dataclass\nclass X:\n    a: int", "@dataclass\nclass X:\n    a: int = field(init=False)", "m.X.a"),
    "fields are in another order": (
        "@dataclass\nclass X:\n    a: int\n    b: int",
        "@dataclass\nclass X:\n    b: int\n    a: int",
        "m.X",
    ),
    "a key of a typed dict is missing": ("class X(TypedDict):\n    a: int", "class X(TypedDict):\n    b: int", "m.X.a"),
    "a typed dict is not total": ("class X(TypedDict):\n    a: int", "class X(TypedDict, total=False):\n    a: int", "m.X"),
    "an overload is missing": (
        "@overload\ndef x(a: int): ...\n@overload\ndef x(a: str): ...\ndef x(a): ...",
        "@overload\ndef x(a: int): ...\ndef x(a): ...",
        "m.x",
    ),
    "an overload differs": (
        "@overload\ndef x(a: int): ...\n@overload\ndef x(a: str): ...\ndef x(a): ...",
        "@overload\ndef x(a: int): ...\n@overload\ndef x(a: bytes): ...\ndef x(a): ...",
        "m.x (overload)",
    ),
    "an overloaded function differs": (
        "@overload\ndef x(a: int): ...\ndef x(a, b=1): ...",
        "@overload\ndef x(a: int): ...\ndef x(a): ...",
        "m.x",
    ),
    "a keyword of an overload is of another type": (
        "@overload\ndef x(*, a: int): ...\ndef x(*, a): ...",
        "class D(TypedDict):\n    a: str\n@overload\ndef x(**a: Unpack[D]): ...\ndef x(*, a): ...",
        "m.x (overload)",
    ),
    "a keyword of an overload must be given": (
        "@overload\ndef x(*, a: int = 1): ...\ndef x(*, a): ...",
        "class D(TypedDict):\n    a: int\n@overload\ndef x(**a: Unpack[D]): ...\ndef x(*, a): ...",
        "m.x (overload)",
    ),
}

ALIKE: dict[str, tuple[str, str]] = {
    "unions": ("def x(a: Optional[Union[str, int]]): ...", "def x(a: int | None | str): ..."),
    "old names of types": ("def x(a: List[int]): ...", "def x(a: list[int]): ..."),
    "arguments that say nothing": ("def x(a: Callable, b: tuple): ...", "def x(a: Callable[..., Any], b: tuple[Any, ...]): ..."),
    "names of modules": ("import datetime\ndef x(a: datetime.timedelta): ...", "def x(a: timedelta): ..."),
    "types that the official package does not give": ("def x(a): ...", "def x(a: int) -> str: ..."),
    "texts of types": ("def x(a: 'X'): ...", "def x(a: X): ..."),
    "empty defaults": ("def x(a=[]): ...", "def x(a=()): ..."),
    "objects as defaults": ("o = object()\ndef x(a=o): ...", "o = object()\ndef x(a=o): ..."),
    "a class that returns itself": ("class X:\n    def y(self) -> X: ...", "class X:\n    def y(self) -> Self: ..."),
    "a member that is inherited": ("class X:\n    def y(self): ...", "class B:\n    def y(self): ...\nclass X(B): ..."),
    "more than there is in the official package": ("X = 1", "X = 1\nY = 2"),
    "keywords as a typed dict": (
        "@overload\ndef x(*, a: int, b: str = 'x'): ...\ndef x(*, a, b='x'): ...",
        "class D(TypedDict):\n    b: NotRequired[str]\nclass E(D):\n    a: int\n"
        "@overload\ndef x(**a: Unpack[E]): ...\ndef x(*, a, b='x'): ...",
    ),
}


_numbers = count()


def _module(package: str, source: str) -> ModuleType:
    """A module of its own name, since overloads are remembered by it for ever."""
    module = ModuleType(f"{package}.made_for_a_test_{next(_numbers)}")
    sys.modules[module.__name__] = module  # dataclasses look there for the meaning of their annotations
    exec(HEAD, module.__dict__)
    before = set(module.__dict__)
    exec(compile("from __future__ import annotations\n" + source, module.__name__, "exec"), module.__dict__)
    module.__dict__["__all__"] = [name for name in module.__dict__ if name not in before and len(name) == 1]
    return module


@pytest.fixture(autouse=True)
def _forget_modules() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if ".made_for_a_test_" in name]:
        del sys.modules[name]


@pytest.mark.parametrize("what", list(DIFFERENT))
def test_a_difference_is_seen(what: str) -> None:
    official, ours, path = DIFFERENT[what]

    found = [difference.path for difference in differences("m", _module(OFFICIAL, official), _module(OURS, ours))]

    assert path in found


@pytest.mark.parametrize("what", list(ALIKE))
def test_what_only_looks_different_is_alike(what: str) -> None:
    official, ours = ALIKE[what]

    assert list(differences("m", _module(OFFICIAL, official), _module(OURS, ours))) == []
