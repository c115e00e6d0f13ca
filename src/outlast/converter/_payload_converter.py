"""Payload converters: Python values to payloads and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import zip_longest
from typing import Any, ClassVar, Self, overload

import temporalio.api.common.v1

import outlast.types
from outlast.common import RawValue
from outlast.converter._context import SerializationContext, WithSerializationContext

_TYPES_REMEMBERED_MAX = 1024


class PayloadConverter(ABC):
    """Converts several values to payloads and back."""

    default: ClassVar[PayloadConverter]
    """The converter that is used when none is given."""

    @abstractmethod
    def to_payloads(self, values: Sequence[Any]) -> list[temporalio.api.common.v1.Payload]:
        """Convert values. The payload of a `RawValue` is taken as it is.

        Returns:
            As many payloads as there are values, or fewer, but at least one.

        Raises:
            Exception: A value cannot be converted.
        """
        raise NotImplementedError

    @abstractmethod
    def from_payloads(self, payloads: Sequence[temporalio.api.common.v1.Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Convert payloads. For the hint `RawValue` the payload is wrapped as it is.

        Args:
            payloads: What to convert.
            type_hints: The expected types, if they are known; then one for each payload.

        Returns:
            The values: as many as there are payloads or another number, but at least one.

        Raises:
            Exception: A payload cannot be converted.
        """
        raise NotImplementedError

    def to_payloads_wrapper(self, values: Sequence[Any]) -> temporalio.api.common.v1.Payloads:
        """`to_payloads` as one message."""
        return temporalio.api.common.v1.Payloads(payloads=self.to_payloads(values))

    def from_payloads_wrapper(self, payloads: temporalio.api.common.v1.Payloads | None) -> list[Any]:
        """`from_payloads` of one message; an empty list if there is none, or nothing in it."""
        if not payloads or not payloads.payloads:
            return []
        return self.from_payloads(payloads.payloads)

    def to_payload(self, value: Any) -> temporalio.api.common.v1.Payload:
        """Convert one value."""
        return self.to_payloads([value])[0]

    @overload
    def from_payload(self, payload: temporalio.api.common.v1.Payload) -> Any: ...

    @overload
    def from_payload(self, payload: temporalio.api.common.v1.Payload, type_hint: type[outlast.types.AnyType]) -> outlast.types.AnyType: ...

    def from_payload(self, payload: temporalio.api.common.v1.Payload, type_hint: type | None = None) -> Any:
        """Convert one payload."""
        return self.from_payloads([payload], [type_hint] if type_hint else None)[0]


class EncodingPayloadConverter(ABC):
    """Converts one value to a payload of one encoding, and back; a part of a `CompositePayloadConverter`."""

    @property
    @abstractmethod
    def encoding(self) -> str:
        """Name of the encoding, written into each payload."""
        raise NotImplementedError

    @abstractmethod
    def to_payload(self, value: Any) -> temporalio.api.common.v1.Payload | None:
        """Convert a value.

        Returns:
            The payload; None when values of this kind are left to the converters that follow.

        Raises:
            TypeError: The value has a type that cannot be converted.
            ValueError: The value is wrong in itself.
            RuntimeError: Anything else went wrong.
        """
        raise NotImplementedError

    @abstractmethod
    def from_payload(self, payload: temporalio.api.common.v1.Payload, type_hint: type | None = None) -> Any:
        """Convert a payload of this encoding, to the type that is hinted if one is.

        Raises:
            RuntimeError: The payload cannot be converted.
        """
        raise NotImplementedError


class CompositePayloadConverter(PayloadConverter, WithSerializationContext):
    """Asks several encoding payload converters, in order, until one takes the value.

    Attributes:
        converters: By encoding, in the order in which they are asked.
    """

    converters: Mapping[bytes, EncodingPayloadConverter]

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        """Take the converters in the order in which they are to be asked."""
        self._set_converters(*converters)

    def _set_converters(self, *converters: EncodingPayloadConverter) -> None:
        self.converters = {converter.encoding.encode(): converter for converter in converters}
        self._takers: dict[type, EncodingPayloadConverter] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without what is remembered of classes, some of which cannot be pickled."""
        return {**self.__dict__, "_takers": {}}

    def to_payloads(self, values: Sequence[Any]) -> list[temporalio.api.common.v1.Payload]:
        """Convert values, each to one payload.

        Raises:
            RuntimeError: No converter takes a value.
        """
        payloads = []
        for index, value in enumerate(values):
            taker = self._takers.get(type(value))
            payload = taker.to_payload(value) if taker is not None else self._offer(value)
            if payload is None:
                raise RuntimeError(f"Value at index {index} of type {type(value)} has no known converter")
            payloads.append(payload)
        return payloads

    def _offer(self, value: Any) -> temporalio.api.common.v1.Payload | None:
        """Ask one converter after the other, and remember who takes values of this class, if that is certain."""
        if isinstance(value, RawValue):
            return value.payload
        certain = True
        for converter in self.converters.values():
            # Not inherited: a subclass may look at the value, too.
            certain = certain and "_decides_by_type" in vars(type(converter))
            payload = converter.to_payload(value)
            if payload is not None:
                if certain:
                    if len(self._takers) >= _TYPES_REMEMBERED_MAX:
                        self._takers.clear()
                    self._takers[type(value)] = converter
                return payload
        return None

    def from_payloads(self, payloads: Sequence[temporalio.api.common.v1.Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Convert payloads, each to one value.

        Raises:
            KeyError: No converter has the encoding of a payload.
            RuntimeError: A payload cannot be converted.
        """
        values: list[Any] = []
        for index, (payload, type_hint) in enumerate(zip_longest(payloads, type_hints or ())):
            if type_hint is RawValue:
                values.append(RawValue(payload))
                continue
            encoding = payload.metadata.get("encoding", b"<unknown>")
            converter = self.converters.get(encoding)
            if converter is None:
                raise KeyError(f"Unknown payload encoding {encoding.decode()}")
            try:
                values.append(converter.from_payload(payload, type_hint))
            except RuntimeError as err:
                raise RuntimeError(f"Payload at index {index} with encoding {encoding.decode()} could not be converted") from err
        return values

    def with_context(self, context: SerializationContext) -> Self:
        """A new converter whose parts work in the context; the same one, if no part asks for it.

        The class must be constructible without arguments.
        """
        converters = self.get_converters_with_context(context)
        if converters is None:
            return self
        instance = type(self)()
        instance._set_converters(*converters)
        return instance

    def get_converters_with_context(self, context: SerializationContext) -> list[EncodingPayloadConverter] | None:
        """The parts, as they work in the context; None, if no part asks for it."""
        if not self._any_converter_takes_context:
            return None
        old = list(self.converters.values())
        new = [part.with_context(context) if isinstance(part, WithSerializationContext) else part for part in old]
        return new if any(now is not before for now, before in zip(new, old, strict=True)) else None

    def _asks_for_context(self) -> bool:
        # A class that overrides either method may have reasons of its own to give another object.
        ours = CompositePayloadConverter
        plain = type(self).with_context is ours.with_context
        plain = plain and type(self).get_converters_with_context is ours.get_converters_with_context
        return not plain or self._any_converter_takes_context

    @cached_property
    def _any_converter_takes_context(self) -> bool:
        return any(isinstance(part, WithSerializationContext) for part in self.converters.values())
