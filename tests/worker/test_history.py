"""Which events a run is handed: all pages, none twice, none left out."""

import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    PollWorkflowTaskQueueResponse,
)

from outlast.worker._history import events_at_hand, new_events, whole_history
from outlast.worker._wire import Server
from tests.worker.fakes import FakeClient


def events(first: int, last: int) -> list[HistoryEvent]:
    return [HistoryEvent(event_id=event_id) for event_id in range(first, last + 1)]


def task(first: int, last: int, *, token: bytes = b"", started: int = 0) -> PollWorkflowTaskQueueResponse:
    return PollWorkflowTaskQueueResponse(
        workflow_execution=WorkflowExecution(workflow_id="wf", run_id="run"),
        history=History(events=events(first, last)),
        next_page_token=token,
        started_event_id=started,
    )


@pytest.fixture
def server() -> Server:
    """Has ten events, in pages of four; a token names the event that comes next."""

    async def history(request: GetWorkflowExecutionHistoryRequest) -> Message:
        assert request.execution.run_id == "run"
        first = int(request.next_page_token or b"1")
        last = min(first + 3, 10)
        return GetWorkflowExecutionHistoryResponse(
            history=History(events=events(first, last)), next_page_token=b"" if last == 10 else str(last + 1).encode()
        )

    return Server(FakeClient(get_workflow_execution_history=history))  # type: ignore[arg-type]


def ids(found: object) -> list[int] | None:
    return None if found is None else [event.event_id for event in found]  # type: ignore[attr-defined]


async def test_a_known_run_gets_what_is_new(server: Server) -> None:
    assert ids(await new_events(server, task(4, 7), next_event_id=4)) == [4, 5, 6, 7]


async def test_a_known_run_gets_further_pages(server: Server) -> None:
    assert ids(await new_events(server, task(4, 6, token=b"7"), next_event_id=4)) == [4, 5, 6, 7, 8, 9, 10]


async def test_a_known_run_does_not_get_again_what_it_has_seen(server: Server) -> None:
    assert ids(await new_events(server, task(1, 7), next_event_id=6)) == [6, 7]


async def test_a_known_run_that_has_missed_events_must_be_replayed(server: Server) -> None:
    assert await new_events(server, task(8, 9), next_event_id=4) is None


async def test_a_new_run_gets_all_pages(server: Server) -> None:
    assert ids(await whole_history(server, task(1, 4, token=b"5"))) == list(range(1, 11))


async def test_a_new_run_whose_task_brings_only_the_end_gets_the_beginning_too(server: Server) -> None:
    assert ids(await whole_history(server, task(8, 10, started=10))) == list(range(1, 11))


async def test_events_that_history_does_not_have_yet_come_with_the_task(server: Server) -> None:
    assert ids(await whole_history(server, task(11, 12, started=12))) == list(range(1, 13))


async def test_events_after_the_task_are_left_for_the_next(server: Server) -> None:
    assert ids(await whole_history(server, task(5, 7, started=7))) == list(range(1, 8))


async def test_a_query_of_a_run_that_is_not_known_gets_all_of_its_history(server: Server) -> None:
    assert ids(await whole_history(server, task(1, 0))) == list(range(1, 11))


def test_what_a_task_brings_is_enough_unless_there_are_more_pages_or_a_gap() -> None:
    assert ids(events_at_hand(task(1, 4), next_event_id=1)) == [1, 2, 3, 4]
    assert ids(events_at_hand(task(4, 6), next_event_id=4)) == [4, 5, 6]
    assert ids(events_at_hand(task(1, 6), next_event_id=5)) == [5, 6]
    assert ids(events_at_hand(task(1, 0), next_event_id=5)) == []
    assert events_at_hand(task(4, 6, token=b"7"), next_event_id=4) is None
    assert events_at_hand(task(4, 6), next_event_id=1) is None
    assert events_at_hand(task(1, 0), next_event_id=1) is None
