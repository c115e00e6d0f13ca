"""A reader: it follows histories as they grow, and remembers every event that it saw."""

import asyncio
from random import Random
from typing import Any

from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

from tests.simulation.ledger import STARTED
from tests.simulation.network import RpcFailed

READS_MAX = 60
PAGES_MAX = 300


class Reader:
    def __init__(self, world: Any, random: Random) -> None:
        self._world = world
        self._random = random

    async def follow(self) -> None:
        for _ in range(READS_MAX):
            await asyncio.sleep(self._random.choice((0.2, 1.0, 5.0)))
            runs = [run_id for runs in self._world.known_runs.values() for run_id in runs]
            if self._world.over or self._world.faults.healed:
                return
            if runs:
                await self._read(self._random.choice(runs))

    async def _read(self, run_id: str) -> None:
        world = self._world
        request = GetWorkflowExecutionHistoryRequest(namespace="default")
        request.execution.workflow_id = world.workflow_of(run_id)
        request.execution.run_id = run_id
        request.wait_new_event = self._random.random() < 0.5
        request.maximum_page_size = self._random.choice((0, 1, 3))
        if self._random.random() < 0.2:
            request.history_event_filter_type = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
        last, losses, undone = 0, world.lives.disk.losses, False
        for _ in range(self._random.choice((1, 5, PAGES_MAX))):
            try:
                reply = await world.network.call("reader", "GetWorkflowExecutionHistory", request, 8.0)
            except RpcFailed:
                return
            events = list(reply.history.events)
            if request.history_event_filter_type:
                return  # a close event may be shown as another, to old clients
            world.ledger.read(run_id, events, "the reader")
            written = [event.event_id for event in events if event.task_id]
            if losses == world.lives.disk.losses and not undone and written and written != list(range(last + 1, written[-1] + 1)):
                world.ledger.flaws.append(f"{run_id}: after event {last} the reader got {written}")
            last = written[-1] if written else last
            # A start may be undone; what is written in its place comes with the batch of the event after it.
            undone = events[-1].event_type == STARTED if events else undone
            request.next_page_token = reply.next_page_token
            if not reply.next_page_token:
                return
