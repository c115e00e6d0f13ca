"""The data converter: payload converter, codec and failure converter together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import temporalio.api.common.v1
import temporalio.api.failure.v1

from outlast.common import _arg_unset
from outlast.converter._codec import PayloadCodec
from outlast.converter._context import SerializationContext, WithSerializationContext, asks_for_context
from outlast.converter._encodings import DefaultPayloadConverter
from outlast.converter._failure_converter import DefaultFailureConverter, FailureConverter
from outlast.converter._payload_converter import PayloadConverter
from outlast.converter._transfer_type import TransferTypes
from outlast.converter._visitor import transform_payloads


@dataclass(frozen=True)
class DataConverter(WithSerializationContext):
    """Everything between Python values and the payloads on the wire: a payload converter makes payloads, a codec encodes them."""

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    """Class of the payload converter; constructed without arguments."""

    payload_codec: PayloadCodec | None = None
    """What payloads are encoded with, if anything."""

    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    """Class of the failure converter; constructed without arguments."""

    payload_converter: PayloadConverter = dataclasses.field(init=False)
    """The payload converter, made from its class; it knows of classes that travel as another type, too."""

    failure_converter: FailureConverter = dataclasses.field(init=False)
    """The failure converter, made from its class."""

    default: ClassVar[DataConverter]
    """The converter that is used when none is given."""

    if TYPE_CHECKING:
        _contextual: ClassVar[tuple[str, ...]]  # of the instance, but no field: the parts that may ask for a context

    def __post_init__(self) -> None:
        """Make the converters."""
        object.__setattr__(self, "payload_converter", TransferTypes(self.payload_converter_class()))
        object.__setattr__(self, "failure_converter", self.failure_converter_class())
        object.__setattr__(self, "_contextual", tuple(name for name in _PARTS if asks_for_context(getattr(self, name))))

    async def encode(self, values: Sequence[Any]) -> list[temporalio.api.common.v1.Payload]:
        """Convert values and encode the payloads.

        Returns:
            As many payloads as there are values, or fewer, but at least one.
        """
        payloads = self.payload_converter.to_payloads(values)
        return payloads if self.payload_codec is None else await self.payload_codec.encode(payloads)

    async def decode(self, payloads: Sequence[temporalio.api.common.v1.Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Decode payloads and convert them to values, of the hinted types if they are known."""
        if self.payload_codec is not None:
            payloads = await self.payload_codec.decode(payloads)
        return self.payload_converter.from_payloads(payloads, type_hints)

    async def encode_wrapper(self, values: Sequence[Any]) -> temporalio.api.common.v1.Payloads:
        """`encode` as one message."""
        return temporalio.api.common.v1.Payloads(payloads=await self.encode(values))

    async def decode_wrapper(self, payloads: temporalio.api.common.v1.Payloads | None, type_hints: list[type] | None = None) -> list[Any]:
        """`decode` of one message; an empty list if there is none, or nothing in it."""
        if not payloads or not payloads.payloads:
            return []
        return await self.decode(payloads.payloads, type_hints)

    async def encode_failure(self, exception: BaseException, failure: temporalio.api.failure.v1.Failure) -> None:
        """Convert an exception to a message, and encode the payloads in it."""
        self.failure_converter.to_failure(exception, self.payload_converter, failure)
        if self.payload_codec is not None:
            await transform_payloads(failure, self.payload_codec.encode)

    async def decode_failure(self, failure: temporalio.api.failure.v1.Failure) -> BaseException:
        """Decode the payloads in a message, in place, and convert it to an exception."""
        if self.payload_codec is not None:
            await transform_payloads(failure, self.payload_codec.decode)
        return self.failure_converter.from_failure(failure, self.payload_converter)

    def with_context(self, context: SerializationContext) -> Self:
        """A copy whose parts work in the context; the same one, if no part asks for it."""
        if not self._contextual:
            return self
        changed = {name: getattr(self, name).with_context(context) for name in self._contextual}
        changed = {name: part for name, part in changed.items() if part is not getattr(self, name)}
        if not changed:
            return self
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changed)
        return copy

    async def _decode_payloads(self, payloads: Sequence[temporalio.api.common.v1.Payload]) -> list[temporalio.api.common.v1.Payload]:
        return list(payloads) if self.payload_codec is None else await self.payload_codec.decode(payloads)

    async def _encode_memo(self, source: Mapping[str, Any]) -> temporalio.api.common.v1.Memo:
        memo = temporalio.api.common.v1.Memo()
        await self._encode_memo_existing(source, memo)
        return memo

    async def _encode_memo_existing(self, source: Mapping[str, Any], memo: temporalio.api.common.v1.Memo) -> None:
        for key, value in source.items():
            is_payload = isinstance(value, temporalio.api.common.v1.Payload)
            memo.fields[key].CopyFrom(value if is_payload else (await self.encode([value]))[0])

    async def _decode_memo(self, source: temporalio.api.common.v1.Memo) -> Mapping[str, Any]:
        return {key: (await self.decode([payload]))[0] for key, payload in source.fields.items()}

    async def _decode_memo_field(self, source: temporalio.api.common.v1.Memo, key: str, default: Any, type_hint: type | None) -> Any:
        """The value of a memo's key, or the default; raises KeyError if that is not given."""
        if key not in source.fields:
            if default is _arg_unset:
                raise KeyError(f"Memo does not have a value for key {key}")
            return default
        return (await self.decode([source.fields[key]], [type_hint] if type_hint else None))[0]


_PARTS = ("payload_converter", "payload_codec", "failure_converter")
