"""Payload converters: encodings, composites, contexts, classes that travel as another type."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import pytest
import temporalio.converter as official
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution

from outlast import converter
from outlast.common import RawValue
from outlast.converter import (
    BinaryNullPayloadConverter,
    BinaryProtoPayloadConverter,
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    JSONProtoPayloadConverter,
    PayloadConverter,
    SerializationContext,
    TransferTypeConverter,
    WithSerializationContext,
    WorkflowSerializationContext,
    transfer_type_convertible,
)

MESSAGE = WorkflowExecution(workflow_id="w", run_id="r")
CONTEXT = WorkflowSerializationContext(namespace="n", workflow_id="w")


def _wire(payload: Payload | None) -> bytes:
    assert payload is not None
    return payload.SerializeToString(deterministic=True)


@pytest.mark.parametrize("name", ["JSONProtoPayloadConverter", "BinaryProtoPayloadConverter"])
def test_messages_travel_in_two_encodings(name: str) -> None:
    ours, theirs = getattr(converter, name)(), getattr(official, name)()

    payload = ours.to_payload(MESSAGE)

    assert _wire(payload) == _wire(theirs.to_payload(MESSAGE))
    assert ours.from_payload(payload) == MESSAGE
    assert ours.to_payload("text") is None


def test_by_default_messages_are_json_and_both_encodings_are_read() -> None:
    default = DefaultPayloadConverter()
    binary = BinaryProtoPayloadConverter().to_payload(MESSAGE)
    assert binary is not None

    assert default.to_payload(MESSAGE).metadata["encoding"] == b"json/protobuf"
    assert default.from_payloads([default.to_payload(MESSAGE), binary]) == [MESSAGE, MESSAGE]


@pytest.mark.parametrize("encoding", [b"json/protobuf", b"binary/protobuf"])
def test_a_message_that_cannot_be_read_is_an_error(encoding: bytes) -> None:
    unknown = Payload(metadata={"encoding": encoding, "messageType": b"no.Such"}, data=b"{}")
    broken = Payload(metadata={"encoding": encoding, "messageType": b"temporal.api.common.v1.WorkflowExecution"}, data=b"[")

    for payload, why in ((unknown, "Unknown Protobuf type no.Such"), (broken, "Failed parsing")):
        with pytest.raises(RuntimeError, match="could not be converted") as caught:
            DefaultPayloadConverter().from_payload(payload)
        assert str(caught.value.__cause__) == why


def test_fields_that_a_message_does_not_know_are_an_error_unless_they_are_to_be_ignored() -> None:
    payload = Payload(metadata={"messageType": b"temporal.api.common.v1.WorkflowExecution"}, data=b'{"workflowId":"w","new":1}')

    assert JSONProtoPayloadConverter(ignore_unknown_fields=True).from_payload(payload) == WorkflowExecution(workflow_id="w")
    with pytest.raises(RuntimeError, match="Failed parsing"):
        JSONProtoPayloadConverter().from_payload(payload)


def test_null_with_data_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="Expected empty data set for binary/null"):
        BinaryNullPayloadConverter().from_payload(Payload(data=b"x"))


def test_an_unknown_encoding_is_an_error() -> None:
    with pytest.raises(KeyError, match="Unknown payload encoding strange"):
        DefaultPayloadConverter().from_payload(Payload(metadata={"encoding": b"strange"}))
    with pytest.raises(KeyError, match="Unknown payload encoding <unknown>"):
        DefaultPayloadConverter().from_payload(Payload())


def test_a_raw_value_passes_through_in_both_directions() -> None:
    payload = Payload(metadata={"encoding": b"strange"}, data=b"x")

    assert DefaultPayloadConverter().to_payload(RawValue(payload)) is payload
    assert DefaultPayloadConverter().from_payloads([payload, payload], [RawValue, RawValue]) == [RawValue(payload)] * 2


def test_values_that_no_converter_takes_are_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"Value at index 1 of type <class 'str'> has no known converter"):
        CompositePayloadConverter(BinaryNullPayloadConverter()).to_payloads([None, "x"])


def test_wrappers_hold_all_payloads_in_one_message() -> None:
    wrapper = DefaultPayloadConverter().to_payloads_wrapper([1, "two"])

    assert isinstance(wrapper, Payloads)
    assert DefaultPayloadConverter().from_payloads_wrapper(wrapper) == [1, "two"]
    assert DefaultPayloadConverter().from_payloads_wrapper(None) == []
    assert DefaultPayloadConverter().from_payloads_wrapper(Payloads()) == []


class EvenNumbers(EncodingPayloadConverter):
    """Looks at values, not only at their class."""

    @property
    def encoding(self) -> str:
        return "test/even"

    def to_payload(self, value: Any) -> Payload | None:
        return Payload(metadata={"encoding": b"test/even"}, data=str(value).encode()) if value % 2 == 0 else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return int(payload.data)


class NoTens(JSONPlainPayloadConverter):
    """Inherits from a converter that decides by class, and does not."""

    def to_payload(self, value: Any) -> Payload | None:
        return None if value == 10 else super().to_payload(value)


def test_a_converter_that_looks_at_values_is_asked_for_each() -> None:
    composite = CompositePayloadConverter(EvenNumbers(), JSONPlainPayloadConverter())
    encodings = [payload.metadata["encoding"] for payload in composite.to_payloads([1, 2, 3, 4])]
    assert encodings == [b"json/plain", b"test/even"] * 2

    composite = CompositePayloadConverter(NoTens(), JSONPlainPayloadConverter(encoding="json/ten"))
    encodings = [payload.metadata["encoding"] for payload in composite.to_payloads([1, 10, 1])]
    assert encodings == [b"json/plain", b"json/ten", b"json/plain"]


class Told(JSONPlainPayloadConverter, WithSerializationContext):
    """Writes down who it works for."""

    context: SerializationContext | None = None

    def to_payload(self, value: Any) -> Payload | None:
        return super().to_payload([str(self.context), value])

    def with_context(self, context: SerializationContext) -> Self:
        told = type(self)()
        told.context = context
        return told


class ToldComposite(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(BinaryNullPayloadConverter(), Told())


def test_a_composite_hands_the_context_to_the_parts_that_ask_for_it() -> None:
    composite = ToldComposite()

    told = composite.with_context(CONTEXT)

    assert told is not composite
    assert told.from_payload(told.to_payload(1)) == [str(CONTEXT), 1]
    assert composite.from_payload(composite.to_payload(1)) == ["None", 1]


def test_without_a_part_that_asks_for_it_a_context_changes_nothing() -> None:
    composite = DefaultPayloadConverter()
    assert composite.with_context(CONTEXT) is composite
    assert composite.get_converters_with_context(CONTEXT) is None

    data_converter = DataConverter()
    assert data_converter.with_context(CONTEXT) is data_converter


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


class MoneyConverter(TransferTypeConverter[Money, dict[str, int]]):
    transfer_type = dict[str, int]

    def to_transfer_type(self, value: Money) -> dict[str, int]:
        return {"cents": value.cents}

    def from_transfer_type(self, value: dict[str, int], type_hint: type[Money]) -> Money:
        return type_hint(value["cents"])


transfer_type_convertible(MoneyConverter)(Money)


def test_a_class_may_travel_as_another_type() -> None:
    payload_converter = DataConverter().payload_converter

    payloads = payload_converter.to_payloads(["before", Money(5)])
    before, money = payload_converter.from_payloads(payloads, [str, Money])

    assert payloads[1].data == b'{"cents":5}'
    assert (before, type(money), money.cents) == ("before", Money, 5)
    assert payload_converter.from_payloads(payloads) == ["before", {"cents": 5}]
    with pytest.raises(TypeError, match="already has a transfer type converter"):
        transfer_type_convertible(MoneyConverter)(Money)


class Joined(PayloadConverter, WithSerializationContext):
    """Makes fewer payloads than values, which is allowed."""

    separator = ","

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return [Payload(data=self.separator.join(values).encode())]

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        return payloads[0].data.decode().split(self.separator)

    def with_context(self, context: SerializationContext) -> Self:
        told = type(self)()
        told.separator = ";"
        return told


async def test_a_payload_converter_of_the_users_own_may_join_values_and_take_the_context() -> None:
    data_converter = DataConverter(payload_converter_class=Joined)

    told = data_converter.with_context(CONTEXT)

    assert [payload.data for payload in await data_converter.encode(["a", "b"])] == [b"a,b"]
    assert [payload.data for payload in await told.encode(["a", "b"])] == [b"a;b"]
    assert await told.decode(await told.encode(["a", "b"])) == ["a", "b"]
    assert dataclasses.replace(told).payload_converter_class is Joined
