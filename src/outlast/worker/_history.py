"""The events of a workflow task, all pages of them."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest, PollWorkflowTaskQueueResponse

from outlast.worker._wire import Server


def events_at_hand(poll: PollWorkflowTaskQueueResponse, next_event_id: int) -> Sequence[HistoryEvent] | None:
    """What a run that has seen all events before `next_event_id` has not seen yet. None if more must be read to know."""
    if poll.next_page_token:
        return None
    return _unseen(poll.history.events, next_event_id)


async def new_events(server: Server, poll: PollWorkflowTaskQueueResponse, next_event_id: int) -> Sequence[HistoryEvent] | None:
    """The same with all pages read. None if events are missing in between: then the run must be replayed from `whole_history`."""
    pages = await _pages(server, poll, poll.next_page_token) if poll.next_page_token else ()
    return _unseen([*poll.history.events, *pages], next_event_id)


def _unseen(events: Sequence[HistoryEvent], next_event_id: int) -> Sequence[HistoryEvent] | None:
    if not events:
        return events if next_event_id > 1 else None
    first = events[0].event_id
    if first == next_event_id:
        return events
    return None if first > next_event_id else [event for event in events if event.event_id >= next_event_id]


async def whole_history(server: Server, poll: PollWorkflowTaskQueueResponse) -> Sequence[HistoryEvent]:
    """All events of a run that is not known yet."""
    events: Sequence[HistoryEvent] = poll.history.events
    if events and events[0].event_id == 1:
        return [*events, *await _pages(server, poll, poll.next_page_token)] if poll.next_page_token else events
    # A task of the worker's own queue brings what is new only. It may bring events that history does not have yet: those of the
    # task itself, when it is a further attempt. So the task's own events win over those read.
    if poll.next_page_token:
        events = [*events, *await _pages(server, poll, poll.next_page_token)]
    first = events[0].event_id if events else poll.started_event_id + 1 if poll.started_event_id else 0
    before = [event for event in await _pages(server, poll, b"") if not first or event.event_id < first]
    return [*before, *events]


async def _pages(server: Server, poll: PollWorkflowTaskQueueResponse, token: bytes) -> list[HistoryEvent]:
    events: list[HistoryEvent] = []
    request = GetWorkflowExecutionHistoryRequest(namespace=server.namespace, execution=poll.workflow_execution, next_page_token=token)
    while True:
        reply = await server.calls.get_workflow_execution_history(request, retry=True)
        events.extend(reply.history.events)
        if not reply.next_page_token:
            return events
        request = GetWorkflowExecutionHistoryRequest(
            namespace=server.namespace, execution=poll.workflow_execution, next_page_token=reply.next_page_token
        )
