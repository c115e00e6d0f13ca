"""Memo and search attributes."""

from __future__ import annotations

from temporalio.api.common.v1 import Memo, Payload

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World


@scenario()
async def upsert(w: World) -> None:
    """Search attributes are merged, and set to nothing they are gone."""
    await w.start(search_attributes=v.search_attributes(OracleKeyword="gold"))
    upsert = "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"
    await w.step(v.of(upsert, search_attributes=v.search_attributes(OracleInt=7)), force_create_new_workflow_task=True)
    await w.describe()
    await w.step(v.of(upsert, search_attributes=v.search_attributes(OracleInt=None, OracleKeyword="silver")), v.complete())
    await w.describe()
    await w.history()


@scenario()
async def memo(w: World) -> None:
    """A memo is merged, and a field set to nothing is gone."""
    await w.start(memo=v.memo(first=1, second=2))
    modify = "MODIFY_WORKFLOW_PROPERTIES"
    await w.step(v.of(modify, upserted_memo=v.memo(second=3, third=4)), force_create_new_workflow_task=True)
    await w.describe()
    await w.step(v.of(modify, upserted_memo=Memo(fields={"first": Payload()})), v.complete())
    await w.describe()
    await w.history()


@scenario()
async def typed_values(w: World) -> None:
    """Which values fit which type."""
    for number, fields in enumerate(
        (
            {"OracleInt": 1.5},
            {"OracleInt": [1]},
            {"OracleInt": [1, 2]},
            {"OracleInt": True},
            {"OracleKeyword": 1},
            {"OracleKeyword": ["x", "y"]},
        )
    ):
        await w.start(workflow_id=w.name(f"wf-{number}"), search_attributes=v.search_attributes(**fields))
