"""Nexus commands against endpoints that do not exist."""

from __future__ import annotations

from typing import Any

from temporalio.api.command.v1 import Command

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.scenarios.bad_commands import LONG, refused
from tests.oracle.world import World


def schedule(**fields: Any) -> Command:
    usual = {"endpoint": "nope", "service": "service", "operation": "operation", "input": v.payload("input")}
    return v.of("SCHEDULE_NEXUS_OPERATION", **(usual | fields))


@scenario()
async def no_endpoint(w: World) -> None:
    """An operation needs an endpoint."""
    await refused(
        w,
        v.command("SCHEDULE_NEXUS_OPERATION"),
        schedule(),
        schedule(endpoint=""),
        schedule(service=""),
        schedule(operation=""),
        schedule(service=LONG),
        schedule(operation=LONG),
        schedule(schedule_to_close_timeout=v.seconds(-1)),
    )


@scenario()
async def no_operation(w: World) -> None:
    """What was never scheduled cannot be cancelled."""
    await refused(
        w,
        v.command("REQUEST_CANCEL_NEXUS_OPERATION"),
        v.of("REQUEST_CANCEL_NEXUS_OPERATION", scheduled_event_id=9),
        v.of("REQUEST_CANCEL_NEXUS_OPERATION"),
    )
