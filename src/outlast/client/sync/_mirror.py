"""Synchronous classes made of asynchronous ones, method for method: each call is done by the background loop and waited for."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Self, TypeVar

from outlast.client.sync._background import BACKGROUND

Made = TypeVar("Made", bound="Mirror")

_MIRRORS: dict[type, type[Mirror]] = {}
_END = object()


class Mirror:
    """The synchronous side of an asynchronous object. Attributes are the object's."""

    _of: Any

    __class_getitem__: Any = classmethod(types.GenericAlias)

    @classmethod
    def _reflect(cls, of: Any) -> Self:
        mirror = object.__new__(cls)
        mirror._of = of
        return mirror

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return reflected(getattr(self._of, name))

    def __eq__(self, other: object) -> bool:
        return self._of == other._of if isinstance(other, Mirror) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._of)

    def __repr__(self) -> str:
        return f"sync.{self._of!r}"


class MirrorIterator(Mirror):
    """The synchronous side of an async iterator."""

    def __iter__(self) -> Self:
        """The iterator itself: it can be run through once."""
        return self

    def __next__(self) -> Any:
        """The next item."""
        item = BACKGROUND.run(_next(self._of))
        if item is _END:
            raise StopIteration
        return reflected(item)


class MirrorService(Mirror):
    """The synchronous side of a service of the server: its procedures wait for the reply."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        procedure = getattr(self._of, name)

        @functools.wraps(procedure)
        def call(*args: Any, **options: Any) -> Any:
            return BACKGROUND.run(procedure(*args, **options))

        return call


def stands_for(cls: type) -> Callable[[type[Made]], type[Made]]:
    """Objects of the asynchronous class that calls return are given as objects of the decorated one."""

    def decorate(mirror: type[Made]) -> type[Made]:
        _MIRRORS[cls] = mirror
        return mirror

    return decorate


def mirror_of(cls: type, name: str, base: type[Mirror] = Mirror) -> Any:
    """The class's synchronous counterpart, under this name. Objects of the class that calls return are given as objects of it."""
    members = {each: made for each, member in _public_members(cls).items() if (made := _member(member)) is not None}
    made = type(name, (base,), {"__doc__": cls.__doc__, "__module__": "outlast.client.sync", **members})
    return stands_for(cls)(made)


def reflected(value: Any) -> Any:
    """The synchronous side of a value that has one, of each item if it is a list; the value itself if not."""
    if isinstance(value, list):
        return [reflected(item) for item in value]
    for cls in type(value).__mro__:
        if mirror := _MIRRORS.get(cls):
            return mirror._reflect(value)
    return value


def original(value: Any) -> Any:
    """What a synchronous object stands for."""
    return value._of if isinstance(value, Mirror) else value


def _public_members(cls: type) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.startswith("outlast."):
            members.update({name: member for name, member in vars(each).items() if not name.startswith("_")})
    return members


def _member(member: Any) -> Any:
    if isinstance(member, property):
        return _property(member)
    if isinstance(member, classmethod):
        return classmethod(_class_method(member.__func__))
    if inspect.isfunction(member):
        return _method(member)
    return None


def _property(member: property) -> property:
    def get(self: Mirror) -> Any:
        return reflected(member.__get__(self._of))

    def put(self: Mirror, value: Any) -> None:
        member.__set__(self._of, original(value))

    return property(get, put if member.fset else None, doc=member.__doc__)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        def generate(self: Mirror, *args: Any, **options: Any) -> Iterator[Any]:
            return MirrorIterator._reflect(_called(self._of, name, args, options))

        return generate

    @functools.wraps(function)
    def call(self: Mirror, *args: Any, **options: Any) -> Any:
        outcome = _called(self._of, name, args, options)
        return reflected(BACKGROUND.run(outcome) if inspect.iscoroutine(outcome) else outcome)

    return call


def _class_method(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__

    @functools.wraps(function)
    def call(cls: type[Mirror], *args: Any, **options: Any) -> Any:
        (of,) = (each for each, mirror in _MIRRORS.items() if issubclass(cls, mirror))
        return cls._reflect(BACKGROUND.run(_called(of, name, args, options)))

    return call


def _called(on: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return getattr(on, name)(*map(original, args), **{key: original(value) for key, value in options.items()})


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator, _END)
