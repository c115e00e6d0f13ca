"""Pydantic: the same payloads as the official converter writes, and the same values that it reads."""

import dataclasses
import datetime
import pickle
import uuid
from typing import Annotated, Any

import pydantic
import pytest
import temporalio.contrib.pydantic as official
from temporalio.api.common.v1 import Payload

from outlast.contrib.pydantic import (
    PydanticJSONPlainPayloadConverter,
    PydanticPayloadConverter,
    ToJsonOptions,
    pydantic_data_converter,
)
from outlast.converter import DataConverter


class Item(pydantic.BaseModel):
    name: str
    at: datetime.datetime
    amount: int = 1


@dataclasses.dataclass
class Box:
    items: list[Item]
    ids: set[uuid.UUID] = dataclasses.field(default_factory=set)


class Refusing:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        raise TypeError("not for Pydantic")


ITEM = Item(name="ä", at=datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC))
VALUES: list[tuple[Any, Any]] = [
    (ITEM, Item),
    (Box([ITEM], {uuid.UUID(int=1)}), Box),
    ({"a": datetime.timedelta(seconds=5)}, dict[str, datetime.timedelta]),
    (datetime.date(2024, 2, 29), datetime.date),
    ([1, 2], tuple[int, ...]),
    ("5", Annotated[str, pydantic.Field(max_length=3)]),
    (5, None),
    (None, type(None)),
    (b"bytes", bytes),
]


@pytest.mark.parametrize(("value", "hint"), VALUES)
async def test_values_go_there_and_back_as_with_the_official_converter(value: Any, hint: Any) -> None:
    [payload] = await pydantic_data_converter.encode([value])
    [expected] = await official.pydantic_data_converter.encode([value])
    assert payload == expected

    hints = [hint] if hint else None
    [back], [theirs] = (
        await pydantic_data_converter.decode([payload], hints),
        await official.pydantic_data_converter.decode([payload], hints),
    )
    assert back == theirs
    assert type(back) is type(theirs)


def test_a_wrong_value_is_what_pydantic_says_of_it() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b'{"name":1}')

    with pytest.raises(pydantic.ValidationError, match="2 validation errors"):
        pydantic_data_converter.payload_converter.from_payload(payload, Item)


def test_fields_that_were_never_set_may_be_left_out() -> None:
    for options in (None, ToJsonOptions(), ToJsonOptions(exclude_unset=True)):
        theirs = official.ToJsonOptions(options.exclude_unset) if options else None
        payload = PydanticPayloadConverter(options).to_payload(ITEM)
        assert payload == official.PydanticPayloadConverter(theirs).to_payload(ITEM)
        assert (b"amount" in payload.data) is not (options == ToJsonOptions(exclude_unset=True))


def test_hints_that_cannot_be_remembered_work_too() -> None:
    hint: Any = Annotated[list[int], pydantic.Field(json_schema_extra={"not": ["hashable"]}), []]
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"[1]")

    assert PydanticJSONPlainPayloadConverter().from_payload(payload, hint) == [1]
    with pytest.raises(TypeError, match="not for Pydantic"):
        PydanticJSONPlainPayloadConverter().from_payload(payload, Refusing)


def test_the_memory_of_types_has_the_size_that_was_asked_for_even_after_pickling() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"[1]")
    converter = PydanticJSONPlainPayloadConverter(max_cached_type_adapters=1)
    for hint in (list[int], set[int], list[int]):
        converter.from_payload(payload, hint)
    assert converter._type_adapter.cache_info()[:4] == (0, 3, 1, 1)

    copy = pickle.loads(pickle.dumps(converter))

    assert copy._type_adapter.cache_info()[:4] == (0, 0, 1, 0)
    assert copy.from_payload(payload, list[int]) == [1]
    with pytest.raises(ValueError, match="cannot be negative"):
        PydanticJSONPlainPayloadConverter(max_cached_type_adapters=-1)


class _Sparse(PydanticPayloadConverter):
    def __init__(self) -> None:
        super().__init__(ToJsonOptions(exclude_unset=True))


async def test_options_are_given_by_a_class() -> None:
    converter = DataConverter(payload_converter_class=_Sparse)

    [payload] = await converter.encode([ITEM])

    assert b"amount" not in payload.data
    assert await converter.decode([payload], [Item]) == [ITEM]
