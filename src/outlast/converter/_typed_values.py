"""Brings values that came out of JSON to the types that hints ask for.

What a hint asks for is worked out once and kept as a function from value to value.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import inspect
import types
import typing
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Literal, NewType, TypeAlias, TypeVar, get_type_hints

_HINTS_REMEMBERED_MAX = 4096

_Convert: TypeAlias = Callable[[Any], Any]

JSONTypeConverterUnhandled = NewType("JSONTypeConverterUnhandled", object)
"""Type of `JSONTypeConverter.Unhandled`."""


class JSONTypeConverter(ABC):
    """Brings values that came out of JSON to a type that the SDK does not know."""

    Unhandled: ClassVar[JSONTypeConverterUnhandled] = JSONTypeConverterUnhandled(object())
    """What `to_typed_value` returns for types that are not its business."""

    @abstractmethod
    def to_typed_value(self, hint: type, value: Any) -> Any | JSONTypeConverterUnhandled | None:
        """The value as the hint asks for it, or `Unhandled`. `value` is what `json.loads` makes."""
        raise NotImplementedError


def value_to_type(
    hint: type,
    value: Any,
    custom_converters: Sequence[JSONTypeConverter] = [],
) -> Any:
    """Bring a value that came out of JSON to a type.

    Args:
        hint: The type.
        value: A scalar, a list or a dict.
        custom_converters: Are asked first, in order, for the value and for each value in it.

    Raises:
        TypeError: The value cannot be brought to the type.
    """
    return (TypedValues(custom_converters) if custom_converters else _without_custom_converters).convert(hint, value)


class TypedValues:
    """Conversions by hint, remembered."""

    def __init__(self, custom_converters: Sequence[JSONTypeConverter] = ()) -> None:
        self._custom = custom_converters
        # By identity, since `int | str` equals `str | int` and they ask for different things. The hint is kept, so that
        # its id is not given to another one.
        self._by_id: dict[int, tuple[Any, _Convert]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without what is remembered: ids mean nothing in another process."""
        return TypedValues, (self._custom,)

    def convert(self, hint: Any, value: Any) -> Any:
        """Bring a value to the type of a hint."""
        for converter in self._custom:
            converted = converter.to_typed_value(hint, value)
            if converted is not JSONTypeConverter.Unhandled:
                return converted
        known = self._by_id.get(id(hint))
        if known is None:
            if len(self._by_id) >= _HINTS_REMEMBERED_MAX:
                self._by_id.clear()
            known = self._by_id[id(hint)] = (hint, self._understand(hint))
        return known[1](value)

    def _understand(self, hint: Any) -> _Convert:
        """The conversion that a hint asks for. The order of the questions decides, where a type is several things."""
        if hint is Any:
            return lambda value: value
        if isinstance(hint, type) and (plain := _PLAIN.get(hint)) is not None:
            return plain
        if supertype := getattr(hint, "__supertype__", None):  # a NewType
            return lambda value: self.convert(supertype, value)
        origin = getattr(hint, "__origin__", hint)
        args: tuple[Any, ...] = getattr(hint, "__args__", ())
        if origin is Literal:
            return _literal(args)
        if origin is typing.Union or isinstance(origin, types.UnionType):
            return self._union(hint, args)
        if inspect.isclass(origin) and issubclass(origin, collections.abc.Mapping):
            return self._mapping(hint, origin, args)
        if dataclasses.is_dataclass(hint):
            return self._dataclass(hint)
        if isinstance(inspect.getattr_static(hint, "parse_obj", None), classmethod | staticmethod):
            return _pydantic_1(hint)
        if inspect.isclass(hint) and (scalar := _scalar(hint)) is not None:
            return scalar
        if inspect.isclass(origin) and issubclass(origin, collections.abc.Iterable):
            return self._iterable(hint, origin, args)
        raise TypeError(f"Unserializable type during conversion: {hint}")

    def _union(self, hint: Any, args: tuple[Any, ...]) -> _Convert:
        def convert(value: Any) -> Any:
            for arg in args:
                try:
                    return self.convert(arg, value)
                except Exception:  # noqa: BLE001 whatever it is, the next type may do
                    continue
            raise TypeError(f"Failed converting to {hint} from {value}")

        return convert

    def _mapping(self, hint: Any, origin: Any, args: tuple[Any, ...]) -> _Convert:
        key_type = _meaningful(args, 0)
        value_type = _meaningful(args, 1)
        is_typed_dict = bool(getattr(origin, "__required_keys__", None) or getattr(origin, "__optional_keys__", None))
        per_key: Mapping[str, Any] = get_type_hints(origin) if is_typed_dict else {}

        def convert(value: Any) -> Any:
            if not isinstance(value, collections.abc.Mapping):
                raise TypeError(f"Expected {hint}, value was {type(value)}")
            converted = {}
            for key, item in value.items():
                item_type = per_key.get(key) if is_typed_dict else value_type
                if key_type:
                    key = self._key(hint, key_type, key)
                if item_type:
                    try:
                        item = self.convert(item_type, item)
                    except Exception as err:
                        raise TypeError(f"Failed converting value for key {key!r} in mapping {hint}") from err
                converted[key] = item
            return hint(**converted) if is_typed_dict else converted

        return convert

    def _key(self, hint: Any, key_type: Any, key: Any) -> Any:
        """A key as it was before JSON made a string of it."""
        try:
            if isinstance(key, str):
                if key_type is int or key_type is float:
                    key = key_type(key)
                elif inspect.isclass(key_type) and issubclass(key_type, Enum) and issubclass(key_type, int):
                    key = int(key)
                elif key_type is bool:
                    key = {"true": True, "false": False}[key]
                elif key_type is type(None):
                    key = {"null": None}[key]
            if not isinstance(key_type, type) or not isinstance(key, key_type):
                key = self.convert(key_type, key)
        except Exception as err:
            raise TypeError(f"Failed converting key {key!r} to type {key_type} in mapping {hint}") from err
        return key

    def _dataclass(self, hint: Any) -> _Convert:
        hints = get_type_hints(hint)
        fields = [(field.name, hints[field.name], field.init) for field in dataclasses.fields(hint)]

        def convert(value: Any) -> Any:
            if not isinstance(value, dict):
                raise TypeError(f"Cannot convert to dataclass {hint}, value is {type(value)} not dict")
            given: dict[str, Any] = {}
            set_later: dict[str, Any] = {}
            for name, field_hint, init in fields:
                if name not in value:
                    continue  # a required one that is missing is the constructor's affair
                try:
                    (given if init else set_later)[name] = self.convert(field_hint, value[name])
                except Exception as err:
                    raise TypeError(f"Failed converting field {name} on dataclass {hint}") from err
            made = hint(**given)
            for name, field_value in set_later.items():
                object.__setattr__(made, name, field_value)  # the dataclass may be frozen
            return made

        return convert

    def _iterable(self, hint: Any, origin: Any, args: tuple[Any, ...]) -> _Convert:
        build = origin if origin in (tuple, set, frozenset, collections.deque) else list
        untyped = not args or (len(args) == 1 and (isinstance(args[0], TypeVar) or args[0] is Ellipsis))

        def type_at(index: int) -> Any:
            if origin is not tuple:
                return args[0]
            if index < len(args) and args[index] is not Ellipsis:
                return args[index]
            if args[-1] is Ellipsis:
                return args[-2]
            raise TypeError(f"Type {hint} only expecting {len(args)} values, got at least {index + 1}")

        def convert(value: Any) -> Any:
            if not isinstance(value, collections.abc.Iterable):
                raise TypeError(f"Expected {hint}, value was {type(value)}")
            if untyped:
                return build(value)
            items = []
            for index, item in enumerate(value):
                item_type = type_at(index)
                try:
                    items.append(self.convert(item_type, item))
                except Exception as err:
                    raise TypeError(f"Failed converting {hint} index {index}") from err
            return items if build is list else build(items)

        return convert


_without_custom_converters = TypedValues()


def _meaningful(args: tuple[Any, ...], index: int) -> Any | None:
    """A type argument, None if it says nothing."""
    if len(args) <= index or args[index] is Any or isinstance(args[index], TypeVar):
        return None
    return args[index]


def _literal(args: tuple[Any, ...]) -> _Convert:
    def convert(value: Any) -> Any:
        if value not in args:
            raise TypeError(f"Value {value} not in literal values {args}")
        return value

    return convert


def _scalar(hint: type) -> _Convert | None:
    """Conversions of enums that are numbers or texts, and of UUIDs."""
    if issubclass(hint, Enum) and issubclass(hint, int):
        return _enum(hint, int, "an integer")
    if issubclass(hint, Enum) and issubclass(hint, str):
        return _enum(hint, str, "a string")
    if issubclass(hint, uuid.UUID):
        return hint
    return None


def _enum(hint: type, base: type, what: str) -> _Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, base):
            raise TypeError(f"Cannot convert to enum {hint}, value not {what}, value is {type(value)}")
        return hint(value)

    return convert


def _pydantic_1(hint: Any) -> _Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"Cannot convert to {hint}, value is {type(value)} not dict")
        return hint.parse_obj(value)

    return convert


def _to_datetime(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError as err:
            raise TypeError(f"Failed parsing datetime string: {value}") from err
    if isinstance(value, datetime):
        return value
    raise TypeError(f"Expected datetime or ISO8601 string, got {type(value)}")


def _to_number(number: type[int] | type[float]) -> _Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, int | float):
            raise TypeError(f"Expected value to be int|float, was {type(value)}")
        return number(value)

    return convert


def _to_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"Expected value to be bool, was {type(value)}")
    return value


def _to_str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"Expected value to be str, was {type(value)}")
    return str(value)


def _to_bytes(value: Any) -> bytes:
    """Bytes come out of JSON as a list of numbers, as this SDK writes them."""
    if not isinstance(value, str | bytes | list):
        raise TypeError(f"Expected value to be bytes, was {type(value)}")
    return bytes(value)  # type: ignore[arg-type]


def _to_none(value: Any) -> None:
    if value is not None:
        raise TypeError(f"Expected None, got value of type {type(value)}")


_PLAIN: Mapping[Any, _Convert] = {
    datetime: _to_datetime,
    int: _to_number(int),
    float: _to_number(float),
    bool: _to_bool,
    str: _to_str,
    bytes: _to_bytes,
    type(None): _to_none,
}
