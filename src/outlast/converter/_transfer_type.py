"""Classes that travel as another type. Experimental."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar

import temporalio.api.common.v1

from outlast.converter._context import SerializationContext, WithSerializationContext, asks_for_context
from outlast.converter._payload_converter import PayloadConverter

ValueT = TypeVar("ValueT")
TransferTypeT = TypeVar("TransferTypeT")
_ATTRIBUTE = "__outlast_transfer_type_converter"


class TransferTypeConverter(Generic[ValueT, TransferTypeT], ABC):
    """Turns values of a class into those that travel in its place, and back. Experimental."""

    transfer_type: type[TransferTypeT] | None = None
    """The type hint with which the travelling value is decoded, if one is wanted."""

    @abstractmethod
    def to_transfer_type(self, value: ValueT) -> TransferTypeT:
        """What travels in place of a value."""
        raise NotImplementedError

    @abstractmethod
    def from_transfer_type(self, value: TransferTypeT, type_hint: type[ValueT]) -> ValueT:
        """The value that something travelled for; the hint is what was asked for, with its type arguments."""
        raise NotImplementedError


class _TransferTypeConvertibleDecorator(Generic[ValueT, TransferTypeT]):
    def __init__(self, converter_type: type[TransferTypeConverter[ValueT, TransferTypeT]]) -> None:
        self._converter_type = converter_type

    def __call__(self, cls: type[ValueT]) -> type[ValueT]:
        if hasattr(cls, _ATTRIBUTE):
            raise TypeError("class already has a transfer type converter")
        setattr(cls, _ATTRIBUTE, self._converter_type())
        return cls


def transfer_type_convertible(
    converter_type: type[TransferTypeConverter[ValueT, TransferTypeT]],
) -> _TransferTypeConvertibleDecorator[ValueT, TransferTypeT]:
    """Decorate a class whose values travel as another type. Experimental."""
    return _TransferTypeConvertibleDecorator(converter_type)


class TransferTypes(PayloadConverter, WithSerializationContext):
    """Converts what travels as another type before, or after, another converter does its work."""

    def __init__(self, inner: PayloadConverter) -> None:
        self._inner = inner

    def to_payloads(self, values: Sequence[Any]) -> list[temporalio.api.common.v1.Payload]:
        """Convert values, each as what travels for it."""
        for value in values:
            if getattr(type(value), _ATTRIBUTE, None) is not None:
                return self._inner.to_payloads([_outgoing(value) for value in values])
        return self._inner.to_payloads(values)

    def from_payloads(self, payloads: Sequence[temporalio.api.common.v1.Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Convert payloads, each to what it travelled for."""
        for hint in type_hints or ():
            if getattr(hint, _ATTRIBUTE, None) is not None:
                return self._from_transfer_types(payloads, type_hints or [])
        return self._inner.from_payloads(payloads, type_hints)

    def _from_transfer_types(self, payloads: Sequence[temporalio.api.common.v1.Payload], hints: list[type]) -> list[Any]:
        converters = [getattr(hint, _ATTRIBUTE, None) for hint in hints]
        inner_hints: list[Any] = [
            hint if converter is None else converter.transfer_type for converter, hint in zip(converters, hints, strict=True)
        ]
        values = self._inner.from_payloads(payloads, inner_hints)
        return [
            value if converter is None else converter.from_transfer_type(value, hint)
            for value, converter, hint in zip(values, converters, hints, strict=False)
        ]

    def with_context(self, context: SerializationContext) -> Self:
        """The same, with the other converter working in the context."""
        if not isinstance(self._inner, WithSerializationContext):
            return self
        inner = self._inner.with_context(context)
        return self if inner is self._inner else type(self)(inner)

    def _asks_for_context(self) -> bool:
        return asks_for_context(self._inner)


def _outgoing(value: Any) -> Any:
    converter = getattr(type(value), _ATTRIBUTE, None)
    return value if converter is None else converter.to_transfer_type(value)
