"""What the server asks of a store: the Store protocol and the records that cross it.

The protocol is written for the weakest back end: point reads by key, range reads along one index, and one
write that is all or nothing. Times are nanoseconds since the Unix epoch.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from outlast.engine.keys import ExecutionKey, PartKey, WorkflowKey
from outlast.engine.search_attributes import Value
from outlast.server.store.filters import Filter, VisibilityQuery


class EventBatch(msgspec.Struct, frozen=True):
    """Events that were written together; the unit of storing, paging and resetting."""

    first_event_id: int
    event_count: int
    data: bytes
    """The events as a serialized `temporal.api.history.v1.History`: batches joined are a History again."""

    @property
    def last_event_id(self) -> int:
        return self.first_event_id + self.event_count - 1


class VisibilityRecord(msgspec.Struct, frozen=True):
    """What lists and counts show of one run.

    Its ids, its type, its start time, its parent and its root are the same in all records of a run.
    """

    namespace_id: str
    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    status: int
    """A `temporal.api.enums.v1.WorkflowExecutionStatus`."""
    start_time: int
    execution_time: int
    close_time: int | None
    """None while the run is open."""
    history_length: int
    history_size_bytes: int
    state_transition_count: int
    memo: bytes
    """A serialized `temporal.api.common.v1.Memo`."""
    search_attributes: bytes
    """A serialized `temporal.api.common.v1.SearchAttributes`."""
    parent_workflow_id: str
    parent_run_id: str
    root_workflow_id: str
    root_run_id: str
    attributes: dict[str, Value] = {}
    """What conditions can be put on beside the above: the attributes of `filters.KINDS` that clients set, a namespace's own by
    their columns. An attribute that is not there has no value. What `search_attributes` has is not read back from here: in the
    records of a page this is empty."""


class RunWrite(msgspec.Struct, frozen=True):
    """Everything that one transition changes of one run."""

    key: ExecutionKey
    """A run id is unique in the whole store."""
    core: bytes
    """The run's state without its parts, opaque to the store."""
    due_at: int | None
    """The next moment at which a timer of the run needs attention; None when it has no timer."""
    has_work: bool
    """Whether the run has tasks to hand out or messages that nobody has acknowledged."""
    parts: dict[PartKey, bytes | None] = {}
    """Parts to put; None deletes the part."""
    batches: Sequence[EventBatch] = ()
    """New events, after all that the store holds of this run."""
    visibility: VisibilityRecord | None = None
    """The record to put; None leaves it as it is."""
    make_current: bool = False
    """Whether this run becomes its workflow id's current run."""


class StoredRun(msgspec.Struct, frozen=True):
    """A run's state as it was last written."""

    core: bytes
    parts: dict[PartKey, bytes]


class StoredNamespace(msgspec.Struct, frozen=True):
    """A namespace record; `data` is opaque to the store."""

    id: str
    name: str
    data: bytes


class Group(msgspec.Struct, frozen=True):
    """Runs that have the same value of an attribute: a list of keywords is one value; None stands for runs without it."""

    value: Value | None
    count: int


class VisibilityPage(msgspec.Struct, frozen=True):
    records: Sequence[VisibilityRecord]
    next_token: bytes
    """Where the next page starts; empty when this page was not full."""


class Store(Protocol):
    """The keeper of all that is durable.

    Reads see what was committed and nothing else. Methods raise StoreError and its kinds (see `errors`).
    """

    async def open(self) -> None:
        """Take ownership and bring the schema up to date."""

    async def close(self) -> None:
        """Give up ownership. Idempotent. Every commit that was awaited before is durable; one that comes after may be refused."""

    async def commit(self, writes: Sequence[RunWrite]) -> None:
        """Write all of `writes`, durably, or nothing. A run may occur several times; later wins, event batches add up.

        Raises BatchExists for a batch that starts where another batch of the run does, in the store or in `writes`.
        One commit at a time: the caller awaits it before the next.
        """

    async def delete_runs(self, keys: Sequence[ExecutionKey]) -> None:
        """Delete all that is kept of these runs, in one transaction; a run that is not there is no error.

        A workflow id whose current run is deleted has no current run: an older one does not take its place.
        May be called while a commit is under way that does not write these runs.
        """

    async def read_current(self, workflow: WorkflowKey) -> str | None:
        """The run id of the current run (open or closed), None for an unknown workflow id."""

    async def read_run(self, key: ExecutionKey) -> StoredRun | None: ...

    async def read_batches(self, key: ExecutionKey, first_event_id: int, limit: int) -> Sequence[EventBatch]:
        """At most `limit` batches in event order, from the batch that contains `first_event_id` on."""

    async def read_batches_reverse(self, key: ExecutionKey, last_event_id: int, limit: int) -> Sequence[EventBatch]:
        """At most `limit` batches, newest first, from the batch that contains `last_event_id` back."""

    async def runs_with_work(self, after: ExecutionKey | None, limit: int) -> Sequence[ExecutionKey]:
        """Runs whose `has_work` is set, in an order of the store's own, from the one after `after` on."""

    async def runs_due(self, from_ns: int, before_ns: int, limit: int) -> Sequence[tuple[int, ExecutionKey]]:
        """(due_at, key) with from_ns <= due_at < before_ns, soonest first."""

    async def next_due(self, from_ns: int) -> int | None:
        """The soonest due_at at or after `from_ns`."""

    async def list_visibility(self, query: VisibilityQuery, page_size: int, token: bytes) -> VisibilityPage:
        """A page of the runs that the query selects, in its order.

        `token` is empty for the first page, else from the page before, of the same query. It names a place in the order: it
        stays good whatever is written or deleted meanwhile. Raises BadPageToken for one that this store did not make, or
        made for another order.
        """

    async def count_visibility(self, namespace_id: str, where: Filter | None = None) -> int: ...

    async def group_visibility(self, namespace_id: str, where: Filter | None, attribute: str, limit: int) -> Sequence[Group]:
        """How many of the runs that the condition selects have each value of an attribute; at most `limit` groups, largest first."""

    async def clear_attribute(self, namespace_id: str, attribute: str) -> None:
        """Let every run of the namespace be without this one of `search_attributes.COLUMNS`. Idempotent; not one transaction."""

    async def read_namespaces(self) -> Sequence[StoredNamespace]: ...

    async def write_namespace(self, namespace: StoredNamespace) -> None:
        """Insert or replace by id, durably. Raises NamespaceNameTaken."""
