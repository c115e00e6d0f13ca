"""Data converters: what a codec is applied to, and how."""

import zlib
from collections.abc import Sequence
from typing import Any, Self

import pytest
from temporalio.api.common.v1 import Memo, Payload
from temporalio.api.failure.v1 import Failure

from outlast import exceptions
from outlast.common import _arg_unset
from outlast.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    FailureConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
    default,
)


class Zip(PayloadCodec):
    """Keeps a payload as a whole, compressed."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"zip"}, data=zlib.compress(payload.SerializeToString())) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert all(payload.metadata["encoding"] == b"zip" for payload in payloads)
        return [Payload.FromString(zlib.decompress(payload.data)) for payload in payloads]


class Bundle(PayloadCodec):
    """Makes one payload of several, which is allowed."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        sizes = ",".join(str(len(payload.SerializeToString())) for payload in payloads).encode()
        return [Payload(metadata={"sizes": sizes}, data=b"".join(payload.SerializeToString() for payload in payloads))]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        [bundle] = payloads
        decoded, start = [], 0
        for size in map(int, bundle.metadata["sizes"].split(b",")):
            decoded.append(Payload.FromString(bundle.data[start : start + size]))
            start += size
        return decoded


class Addressed(Zip, WithSerializationContext):
    """Writes the context into each payload."""

    address = b"nobody"

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        encoded = await super().encode(payloads)
        for payload in encoded:
            payload.metadata["for"] = self.address
        return encoded

    def with_context(self, context: SerializationContext) -> Self:
        codec = type(self)()
        assert isinstance(context, WorkflowSerializationContext)
        codec.address = context.workflow_id.encode()
        return codec


@pytest.mark.parametrize("codec", [Zip(), Bundle()])
async def test_values_are_encoded_after_and_decoded_before_their_conversion(codec: PayloadCodec) -> None:
    converter = DataConverter(payload_codec=codec)

    encoded = await converter.encode([1, "two", None])

    assert all("encoding" not in payload.metadata or payload.metadata["encoding"] == b"zip" for payload in encoded)
    assert await converter.decode(encoded, [int, str, type(None)]) == [1, "two", None]
    assert await converter.decode_wrapper(await converter.encode_wrapper([1, 2])) == [1, 2]
    assert await converter.decode_wrapper(None) == []


async def test_without_a_codec_payloads_are_those_of_the_payload_converter() -> None:
    assert await DataConverter.default.encode([1]) == PayloadConverter.default.to_payloads([1])


async def test_all_payloads_of_a_failure_are_encoded_down_to_the_last_cause() -> None:
    converter = DataConverter(payload_codec=Zip(), failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
    error = exceptions.ApplicationError("outer", "secret", 1)
    error.__cause__ = exceptions.CancelledError("inner", "hidden")
    failure = Failure()

    await converter.encode_failure(error, failure)

    wire = failure.SerializeToString()
    assert not any(word in wire for word in (b"outer", b"secret", b"inner", b"hidden", b"json"))
    assert failure.message == failure.cause.message == "Encoded failure"
    decoded = await converter.decode_failure(failure)
    assert isinstance(decoded, exceptions.ApplicationError)
    assert (decoded.message, decoded.details) == ("outer", ("secret", 1))
    assert isinstance(decoded.cause, exceptions.CancelledError)
    assert (decoded.cause.message, decoded.cause.details) == ("inner", ("hidden",))


async def test_a_codec_encodes_failures_by_itself() -> None:
    failure = Failure(message="m")
    failure.application_failure_info.details.payloads.add(data=b"x")

    await Zip().encode_failure(failure)
    assert failure.application_failure_info.details.payloads[0].metadata["encoding"] == b"zip"
    await Zip().decode_failure(failure)
    assert failure.application_failure_info.details.payloads[0] == Payload(data=b"x")


async def test_a_codec_may_take_the_context() -> None:
    converter = DataConverter(payload_codec=Addressed())

    told = converter.with_context(WorkflowSerializationContext(namespace="n", workflow_id="w"))

    assert (await converter.encode([1]))[0].metadata["for"] == b"nobody"
    assert (await told.encode([1]))[0].metadata["for"] == b"w"
    assert told.payload_converter is converter.payload_converter
    assert type(told) is DataConverter


class Whoever(DefaultPayloadConverter):
    """Takes the context by itself, and not through one of its parts."""

    address = "nobody"

    def with_context(self, context: SerializationContext) -> Self:
        converter = type(self)()
        assert isinstance(context, WorkflowSerializationContext)
        converter.address = context.workflow_id
        return converter

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return super().to_payloads([self.address, *values])


async def test_a_composite_may_take_the_context_by_itself() -> None:
    converter = DataConverter(payload_converter_class=Whoever)

    told = converter.with_context(WorkflowSerializationContext(namespace="n", workflow_id="w"))

    assert await DataConverter.default.decode(await told.encode([1])) == ["w", 1]
    assert await DataConverter.default.decode(await converter.encode([1])) == ["nobody", 1]


async def test_memos_are_encoded_value_by_value() -> None:
    converter = DataConverter(payload_codec=Zip())
    ready = Payload(data=b"ready")

    memo = await converter._encode_memo({"a": 1, "b": ready})

    assert memo.fields["a"].metadata["encoding"] == b"zip"
    assert memo.fields["b"] == ready
    assert await converter._decode_memo(Memo(fields={"a": memo.fields["a"]})) == {"a": 1}
    assert await converter._decode_memo_field(memo, "a", None, float) == 1.0
    assert await converter._decode_memo_field(memo, "missing", 5, None) == 5
    with pytest.raises(KeyError, match="Memo does not have a value for key missing"):
        await converter._decode_memo_field(memo, "missing", _arg_unset, None)


def test_there_is_one_default_of_everything() -> None:
    assert default() is DataConverter.default
    assert PayloadConverter.default is DataConverter.default.payload_converter
    assert FailureConverter.default is DataConverter.default.failure_converter
    values: list[Any] = [1, b"x", None]
    assert PayloadConverter.default.from_payloads(PayloadConverter.default.to_payloads(values)) == values
