"""Histories of workflows: read from the server, written to JSON and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

from outlast.client._history_json import history_from_json
from outlast.client._pages import Pages

if TYPE_CHECKING:
    from outlast.client._client import Client
    from outlast.client._workflow_inputs import FetchWorkflowHistoryEventsInput


class WorkflowHistoryEventFilterType(IntEnum):
    """Which events of a history to read."""

    ALL_EVENT = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
    """All."""
    CLOSE_EVENT = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    """The one that ends the run."""


@dataclass(frozen=True)
class WorkflowHistory:
    """The events of one run of a workflow."""

    workflow_id: str
    """Id of the workflow."""

    events: Sequence[HistoryEvent]
    """The events in order."""

    @property
    def run_id(self) -> str:
        """Id of the run, taken from its first event. Raises RuntimeError if that is missing."""
        if not self.events:
            raise RuntimeError("No events")
        if not self.events[0].HasField("workflow_execution_started_event_attributes"):
            raise RuntimeError("First event is not workflow start")
        return self.events[0].workflow_execution_started_event_attributes.original_execution_run_id

    @staticmethod
    def from_json(workflow_id: str, history: str | dict[str, Any]) -> WorkflowHistory:
        """Read a history from JSON, or from the dictionary that JSON gave; as written by any SDK, the command line or the web UI.

        The JSON does not have the workflow's id. Raises ValueError if it is not a history.
        """
        return WorkflowHistory(workflow_id, history_from_json(history).events)

    def to_json(self) -> str:
        """The history as JSON that any SDK can read."""
        return json_format.MessageToJson(History(events=self.events))

    def to_json_dict(self) -> dict[str, Any]:
        """The history as a dictionary that can be written as JSON."""
        return json_format.MessageToDict(History(events=self.events))


class WorkflowHistoryEventAsyncIterator(Pages[HistoryEvent]):
    """The events of a run, fetched page by page, and waited for if that was asked."""

    def __init__(self, client: Client, input: FetchWorkflowHistoryEventsInput) -> None:
        """Made by :meth:`WorkflowHandle.fetch_history_events`."""
        super().__init__(input.next_page_token)
        self._client = client
        self._input = input

    async def _fetch(self, page_size: int | None, token: bytes) -> tuple[Sequence[HistoryEvent], bytes]:
        asked = self._input
        reply = await self._client.workflow_service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(
                namespace=self._client.namespace,
                execution=WorkflowExecution(workflow_id=asked.id, run_id=asked.run_id or ""),
                maximum_page_size=page_size or asked.page_size or 0,
                next_page_token=token,
                wait_new_event=asked.wait_new_event,
                history_event_filter_type=asked.event_filter_type.value,
                skip_archival=asked.skip_archival,
            ),
            retry=True,
            metadata=asked.rpc_metadata,
            timeout=asked.rpc_timeout,
        )
        return list(reply.history.events), reply.next_page_token
