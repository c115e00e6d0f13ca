"""Search attributes: typed keys, pairs of key and value, updates, and the collection of them."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar, get_origin, overload

if TYPE_CHECKING:
    import outlast.types

# Lists and no sequences, so that a bare string, which is one, is noticed.
SearchAttributeValues: TypeAlias = list[str] | list[int] | list[float] | list[bool] | list[datetime]

SearchAttributes: TypeAlias = Mapping[str, SearchAttributeValues]

SearchAttributeValue: TypeAlias = str | int | float | bool | datetime | Sequence[str]

SearchAttributeValueType = TypeVar("SearchAttributeValueType", str, int, float, bool, datetime, Sequence[str])


class SearchAttributeIndexedValueType(IntEnum):
    """How the server indexes a search attribute."""

    TEXT = 1
    KEYWORD = 2
    INT = 3
    DOUBLE = 4
    BOOL = 5
    DATETIME = 6
    KEYWORD_LIST = 7


class SearchAttributeKey(ABC, Generic[SearchAttributeValueType]):
    """Name and type of a search attribute. Made by the `for_…` methods."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the attribute."""
        ...

    @property
    @abstractmethod
    def indexed_value_type(self) -> SearchAttributeIndexedValueType:
        """How the server indexes it."""
        ...

    @property
    @abstractmethod
    def value_type(self) -> type[SearchAttributeValueType]:
        """Type of its values. It may be generic; for `isinstance` use `origin_value_type`."""
        ...

    @property
    def origin_value_type(self) -> type:
        """Type of its values, without parameters."""
        return get_origin(self.value_type) or self.value_type

    @property
    def _metadata_type(self) -> str:
        return _METADATA_TYPES[self.indexed_value_type]

    def value_set(self, value: SearchAttributeValueType) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """The update that gives this attribute a value."""
        return _SearchAttributeUpdate[SearchAttributeValueType](self, value)

    def value_unset(self) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """The update that removes this attribute."""
        return _SearchAttributeUpdate[SearchAttributeValueType](self, None)

    @staticmethod
    def for_text(name: str) -> SearchAttributeKey[str]:
        """A text, searched by its words."""
        return _SearchAttributeKey[str](name, SearchAttributeIndexedValueType.TEXT, str)

    @staticmethod
    def for_keyword(name: str) -> SearchAttributeKey[str]:
        """A text, searched as a whole."""
        return _SearchAttributeKey[str](name, SearchAttributeIndexedValueType.KEYWORD, str)

    @staticmethod
    def for_int(name: str) -> SearchAttributeKey[int]:
        """A whole number."""
        return _SearchAttributeKey[int](name, SearchAttributeIndexedValueType.INT, int)

    @staticmethod
    def for_float(name: str) -> SearchAttributeKey[float]:
        """A number."""
        return _SearchAttributeKey[float](name, SearchAttributeIndexedValueType.DOUBLE, float)

    @staticmethod
    def for_bool(name: str) -> SearchAttributeKey[bool]:
        """Yes or no."""
        return _SearchAttributeKey[bool](name, SearchAttributeIndexedValueType.BOOL, bool)

    @staticmethod
    def for_datetime(name: str) -> SearchAttributeKey[datetime]:
        """A moment; its values need a time zone."""
        return _SearchAttributeKey[datetime](name, SearchAttributeIndexedValueType.DATETIME, datetime)

    @staticmethod
    def for_keyword_list(name: str) -> SearchAttributeKey[Sequence[str]]:
        """Several texts, each searched as a whole."""
        return _SearchAttributeKey[Sequence[str]](name, SearchAttributeIndexedValueType.KEYWORD_LIST, Sequence[str])

    @staticmethod
    def _from_metadata_type(name: str, metadata_type: str) -> SearchAttributeKey[Any] | None:
        make = _KEYS_BY_METADATA_TYPE.get(metadata_type)
        return make(name) if make else None

    @staticmethod
    def _guess_from_untyped_values(name: str, vals: SearchAttributeValues) -> SearchAttributeKey[Any] | None:
        if not vals:
            return None
        first = vals[0]
        if len(vals) > 1:
            return SearchAttributeKey.for_keyword_list(name) if isinstance(first, str) else None
        # The order matters: a bool is an int, and has always been guessed to be one.
        for kind, make in _GUESSES:
            if isinstance(first, kind):
                return make(name)
        return None


_MakeKey: TypeAlias = Callable[[str], SearchAttributeKey[Any]]

_GUESSES: tuple[tuple[type, _MakeKey], ...] = (
    (str, SearchAttributeKey.for_keyword),
    (int, SearchAttributeKey.for_int),
    (float, SearchAttributeKey.for_float),
    (datetime, SearchAttributeKey.for_datetime),
)

_METADATA_TYPES = {
    SearchAttributeIndexedValueType.TEXT: "Text",
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.BOOL: "Bool",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList",
}

_KEYS: dict[SearchAttributeIndexedValueType, _MakeKey] = {
    SearchAttributeIndexedValueType.TEXT: SearchAttributeKey.for_text,
    SearchAttributeIndexedValueType.KEYWORD: SearchAttributeKey.for_keyword,
    SearchAttributeIndexedValueType.INT: SearchAttributeKey.for_int,
    SearchAttributeIndexedValueType.DOUBLE: SearchAttributeKey.for_float,
    SearchAttributeIndexedValueType.BOOL: SearchAttributeKey.for_bool,
    SearchAttributeIndexedValueType.DATETIME: SearchAttributeKey.for_datetime,
    SearchAttributeIndexedValueType.KEYWORD_LIST: SearchAttributeKey.for_keyword_list,
}

# Servers write the type in two ways.
_KEYS_BY_METADATA_TYPE: dict[str, _MakeKey] = {_METADATA_TYPES[kind]: make for kind, make in _KEYS.items()} | {
    f"INDEXED_VALUE_TYPE_{kind.name}": make for kind, make in _KEYS.items()
}


@dataclass(frozen=True)
class _SearchAttributeKey(SearchAttributeKey[SearchAttributeValueType]):
    _name: str
    _indexed_value_type: SearchAttributeIndexedValueType
    _value_type: Any

    @property
    def name(self) -> str:
        return self._name

    @property
    def indexed_value_type(self) -> SearchAttributeIndexedValueType:
        return self._indexed_value_type

    @property
    def value_type(self) -> type[SearchAttributeValueType]:
        return self._value_type  # type: ignore[no-any-return]


class SearchAttributePair(NamedTuple, Generic[SearchAttributeValueType]):
    """A search attribute and its value."""

    key: SearchAttributeKey[SearchAttributeValueType]
    value: SearchAttributeValueType


class SearchAttributeUpdate(ABC, Generic[SearchAttributeValueType]):
    """A change of one search attribute. Made by `SearchAttributeKey.value_set` and `value_unset`."""

    @property
    @abstractmethod
    def key(self) -> SearchAttributeKey[SearchAttributeValueType]:
        """The attribute that changes."""
        ...

    @property
    @abstractmethod
    def value(self) -> SearchAttributeValueType | None:
        """Its new value; None to remove it."""
        ...


@dataclass(frozen=True)
class _SearchAttributeUpdate(SearchAttributeUpdate[SearchAttributeValueType]):
    _key: SearchAttributeKey[SearchAttributeValueType]
    _value: SearchAttributeValueType | None

    @property
    def key(self) -> SearchAttributeKey[SearchAttributeValueType]:
        return self._key

    @property
    def value(self) -> SearchAttributeValueType | None:
        return self._value


@dataclass(frozen=True)
class TypedSearchAttributes(Collection[SearchAttributePair[Any]]):
    """Search attributes and their values; never changed, only copied."""

    search_attributes: Sequence[SearchAttributePair[Any]]
    """The pairs, by name. Do not change them."""

    empty: ClassVar[TypedSearchAttributes]
    """No attributes."""

    def __post_init__(self) -> None:
        """Bring the pairs in order.

        Raises:
            ValueError: Two pairs have the same name.
        """
        pairs = sorted(self.search_attributes, key=lambda pair: pair.key.name)
        for left, right in pairwise(pairs):
            if left.key.name == right.key.name:
                raise ValueError(f"Duplicate search attribute entries found for key {right.key.name}")
        object.__setattr__(self, "search_attributes", pairs)

    def __len__(self) -> int:
        """How many attributes there are."""
        return len(self.search_attributes)

    def __getitem__(self, key: SearchAttributeKey[SearchAttributeValueType]) -> SearchAttributeValueType:
        """The value of a key.

        Raises:
            KeyError: No attribute has this name and type.
        """
        for pair in self.search_attributes:
            if pair.key == key:
                return pair.value  # type: ignore[no-any-return]
        raise KeyError

    def __iter__(self) -> Iterator[SearchAttributePair[Any]]:
        """The pairs, by name."""
        return iter(self.search_attributes)

    def __contains__(self, key: object) -> bool:
        """Whether there is an attribute of this name and type."""
        return any(pair.key == key for pair in self.search_attributes)

    @overload
    def get(self, key: SearchAttributeKey[SearchAttributeValueType]) -> SearchAttributeValueType | None: ...

    @overload
    def get(
        self,
        key: SearchAttributeKey[SearchAttributeValueType],
        default: outlast.types.AnyType,
    ) -> SearchAttributeValueType | outlast.types.AnyType: ...

    def get(self, key: SearchAttributeKey[SearchAttributeValueType], default: Any | None = None) -> Any:
        """The value of a key, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def updated(self, *search_attributes: SearchAttributePair[Any]) -> TypedSearchAttributes:
        """A copy in which these pairs take the place of those with the same names, or are added."""
        by_name = {pair.key.name: pair for pair in (*self.search_attributes, *search_attributes)}
        return TypedSearchAttributes(list(by_name.values()))


TypedSearchAttributes.empty = TypedSearchAttributes(search_attributes=[])


def _warn_on_deprecated_search_attributes(attributes: SearchAttributes | Any | None, stack_level: int = 2) -> None:
    if attributes and isinstance(attributes, Mapping):
        warnings.warn("Dictionary-based search attributes are deprecated", DeprecationWarning, stacklevel=1 + stack_level)
