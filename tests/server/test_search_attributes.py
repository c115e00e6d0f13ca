"""Search attributes that a namespace gets while the server runs."""

import asyncio
from typing import Any

import grpc.aio
import pytest
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
    OperatorServiceStub,
    RemoveSearchAttributesRequest,
)

from tests.server.conftest import Wire

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD


def operator(wire: Wire) -> Any:
    return OperatorServiceStub(wire.channel)


async def add(wire: Wire, *names: str) -> None:
    request = AddSearchAttributesRequest(namespace="default", search_attributes=dict.fromkeys(names, KEYWORD))
    await operator(wire).AddSearchAttributes(request)


async def listed(wire: Wire) -> set[str]:
    reply = await operator(wire).ListSearchAttributes(ListSearchAttributesRequest(namespace="default"))
    return set(reply.custom_attributes)


def red() -> SearchAttributes:
    return SearchAttributes(indexed_fields={"Colour": Payload(metadata={"encoding": b"json/plain"}, data=b'"red"')})


async def test_an_attribute_that_was_added_can_be_set_at_once_and_one_that_was_removed_cannot(fleeting: Wire) -> None:
    await add(fleeting, "Colour")
    await fleeting.begin("coloured", search_attributes=red())

    await operator(fleeting).RemoveSearchAttributes(RemoveSearchAttributesRequest(namespace="default", search_attributes=["Colour"]))

    with pytest.raises(grpc.aio.AioRpcError, match="has no mapping defined for search attribute Colour"):
        await fleeting.begin("another", search_attributes=red())


async def test_attributes_that_were_added_outlive_the_server(wire: Wire) -> None:
    await add(wire, "Colour")

    await wire.restart()

    assert await listed(wire) == {"Colour"}


async def test_attributes_that_are_added_at_the_same_time_are_all_kept(wire: Wire) -> None:
    names = {f"Name{number}" for number in range(10)}

    await asyncio.gather(*(add(wire, name) for name in names))

    assert await listed(wire) == names
