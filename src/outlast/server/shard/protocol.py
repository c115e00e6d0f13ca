"""What the shard hands out and takes in, beside the engine's own values."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec
from temporalio.api.history.v1 import ActivityTaskScheduledEventAttributes
from temporalio.api.protocol.v1 import Message
from temporalio.api.query.v1 import WorkflowQuery

from outlast.engine.keys import ExecutionKey
from outlast.engine.state import Activity, Execution, Run, WorkflowTask
from outlast.engine.triggers import NamespaceView


class WorkflowWork(NamedTuple):
    """A workflow task that is offered."""

    key: ExecutionKey
    scheduled_event_id: int
    attempt: int


class ActivityWork(NamedTuple):
    """An attempt of an activity that is offered."""

    key: ExecutionKey
    scheduled_event_id: int
    attempt: int
    stamp: int


class QueryPayload(NamedTuple):
    """A query that is asked directly."""

    key: ExecutionKey
    query: WorkflowQuery
    sticky: bool


class HistoryPage(msgspec.Struct, frozen=True):
    """Some batches of a history, as the bytes of a serialized History."""

    data: bytes
    next_event_id: int
    """Where the next page starts; 0 when the history ends here."""


class StartedWorkflowTask(msgspec.Struct, frozen=True):
    """A workflow task as its worker gets it; for a direct query `task` is None."""

    run: Run
    task: WorkflowTask | None
    history: HistoryPage
    last_event_id: int
    """The event that further pages of the history go up to."""
    previous_started_event_id: int
    queries: Mapping[str, WorkflowQuery] = {}
    messages: Sequence[Message] = ()
    """Updates for the workflow."""
    query_id: str = ""
    query: WorkflowQuery | None = None
    backlog_count: int = 0


class StartedActivity(msgspec.Struct, frozen=True):
    """An attempt of an activity as its worker gets it."""

    run: Run
    activity: Activity
    scheduled: ActivityTaskScheduledEventAttributes


StartedTask = StartedWorkflowTask | StartedActivity


class CompletedWorkflowTask(msgspec.Struct, frozen=True):
    """What a completion brings back for the worker at once."""

    workflow_task: StartedWorkflowTask | None
    activities: list[StartedActivity]
    reset_history_event_id: int = 0
    """The worker must forget the events after this one; 0: none."""


class StartResult(msgspec.Struct, frozen=True):
    execution: Execution
    started: bool
    attached: bool = False


class Post(msgspec.Struct, frozen=True):
    """An HTTP request to an address outside."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True):
    """What came back; header names are in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class PostFailed(Exception):
    """No answer came: try again later."""


class Poster(Protocol):
    """Who sends HTTP requests."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Answer:
        """Raises PostFailed."""


class Namespaces(Protocol):
    """The registry, as far as the shard needs it."""

    def view(self, namespace_id: str) -> NamespaceView:
        """Raises KeyError for an unknown id."""

    def ids(self) -> Mapping[str, str]:
        """Every registered namespace: name to id."""
