"""Search attributes of a namespace: added, listed, removed."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from temporalio.api import operatorservice, workflowservice
from temporalio.api.enums.v1 import IndexedValueType

from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

api = workflowservice.v1
operator = operatorservice.v1
TEXT = IndexedValueType.INDEXED_VALUE_TYPE_TEXT
KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
INT = IndexedValueType.INDEXED_VALUE_TYPE_INT
LISTED = Difference("* ListSearchAttributes.reply.system_attributes.Temporal*", "lists the attributes of what is built, and no more")


async def namespace(w: World) -> None:
    """From here on the scenario has a namespace of its own."""
    w.namespace = w.name("ns").replace("~", "-")
    day = Duration(seconds=86400)
    await w.call("RegisterNamespace", api.RegisterNamespaceRequest(namespace=w.namespace, workflow_execution_retention_period=day))


async def add(w: World, **attributes: int) -> None:
    await w.call(
        "AddSearchAttributes",
        operator.AddSearchAttributesRequest(namespace=w.namespace, search_attributes=attributes),  # type: ignore[arg-type]
    )


async def remove(w: World, *names: str) -> None:
    await w.call("RemoveSearchAttributes", operator.RemoveSearchAttributesRequest(namespace=w.namespace, search_attributes=names))


async def listed(w: World) -> None:
    await w.call("ListSearchAttributes", operator.ListSearchAttributesRequest(namespace=w.namespace))


@scenario(LISTED)
async def kept(w: World) -> None:
    """Added once, whatever is said later, until it is removed; then it may come again as another."""
    await namespace(w)
    await listed(w)
    await add(w, A=KEYWORD, B=INT)
    await add(w, A=INT)
    await listed(w)
    await remove(w, "A", "never there")
    await remove(w, "A")
    await listed(w)
    await add(w, A=INT)
    await listed(w)


@scenario(LISTED)
async def too_many_of_a_type(w: World) -> None:
    """Each type has its bound; a request is done whole or not at all."""
    await namespace(w)
    await add(w, T1=TEXT, T2=TEXT)
    await add(w, T3=TEXT, T4=TEXT)
    await add(w, T1=TEXT, T3=TEXT)
    await add(w, T4=TEXT)
    await remove(w, "T2")
    await add(w, T4=TEXT)
    await add(w, **{f"K{number}": KEYWORD for number in range(11)})
    for kind in (3, 4, 5, 6, 7):
        await add(w, **{f"X{kind}{number}": kind for number in range(4)})
    await listed(w)


@scenario()
async def attribute_errors(w: World) -> None:
    """What cannot be added or removed."""
    for name in ("RunId", "ExecutionStatus", "BuildIds", "TemporalMine"):
        await add(w, **{name: KEYWORD})
    for name in ("RunId", "BuildIds"):
        await remove(w, "A", name)
    await add(w, A=0)
    await add(w, A=99)
    await add(w)
    await remove(w)
    for w.namespace in ("", "nope-ns", "n" * 1001):
        await add(w, A=KEYWORD)
        await remove(w, "A")
        await listed(w)
