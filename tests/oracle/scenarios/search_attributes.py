"""Search attributes of a namespace: added, listed, removed."""

from __future__ import annotations

import asyncio

from google.protobuf.duration_pb2 import Duration
from temporalio.api import operatorservice, workflowservice
from temporalio.api.enums.v1 import IndexedValueType

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.scenarios.lists import own_namespace
from tests.oracle.world import World

api = workflowservice.v1
operator = operatorservice.v1
TEXT = IndexedValueType.INDEXED_VALUE_TYPE_TEXT
KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
INT = IndexedValueType.INDEXED_VALUE_TYPE_INT


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


@scenario()
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


@scenario()
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


@scenario()
async def values(w: World) -> None:
    """What an attribute of each type may be, at a start."""
    await own_namespace(w)
    kinds = {"Text": 1, "Keyword": 2, "Int": 3, "Double": 4, "Bool": 5, "Datetime": 6, "Words": 7}
    await add(w, **kinds)
    await known(w)
    tried: dict[str, list[object]] = {
        "Text": ["a b", 5, ["a"], ["a", "b"], None, []],
        "Keyword": ["a", 5, ["a"], ["a", "b"], True],
        "Int": [5, 5.0, 5.5, [5], "5", True, 1 << 62],
        "Double": [5, 5.5, "5.5", [1.5], False],
        "Bool": [True, "true", 1, [False]],
        "Datetime": ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789-07:00", "2026-01-02", 5, ["2026-01-02T03:04:05Z"]],
        "Words": [["a", "b"], "a", ["a", 5], 5],
        "Keyword01": ["a"],
        "TemporalReportedProblems": [["a"]],
        "TemporalScheduledById": ["a"],
        "TemporalSchedulePaused": [True, "a"],
        "TemporalWorkerDeployment": ["a"],
        "TemporalExternalPayloadCount": [1],
    }
    for name, tries in tried.items():
        for number, value in enumerate(tries):
            wid = w.name(f"{name}-{number}")
            attributes = v.search_attributes(**{name: value})
            if await w.start(workflow_id=wid, search_attributes=attributes):
                described = await w.describe(workflow_id=wid, record=False)
                w.note(f"{name} {value}", described.workflow_execution_info.search_attributes)


async def known(w: World) -> None:
    """Wait until the attributes can be used: the real server takes a second."""
    for number in range(100):
        attributes = v.search_attributes(Int=1)
        if await w.start(workflow_id=w.name(f"known-{number}"), search_attributes=attributes, record=False):
            return
        await asyncio.sleep(0.1)


@scenario()
async def aliases(w: World) -> None:
    """A namespace says which column each of its attributes has."""
    await namespace(w)
    await add(w, A=KEYWORD, B=INT)
    for _ in range(100):
        described = await w.call("DescribeNamespace", api.DescribeNamespaceRequest(namespace=w.namespace), record=False)
        if len(described.config.custom_search_attribute_aliases) == 2:
            break
        await asyncio.sleep(0.1)
    w.note("config", described.config)
