"""The memory store: the protocol on plain dictionaries, with sorted lists where order is asked for."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cmp_to_key
from itertools import islice

import msgspec

from outlast.engine.keys import ExecutionKey, PartKey, WorkflowKey
from outlast.server.store.errors import BatchExists, NamespaceNameTaken
from outlast.server.store.filters import OPEN_CLOSE_TIME, Filter, VisibilityQuery
from outlast.server.store.memory import filters
from outlast.server.store.memory.ordering import compare, position_of
from outlast.server.store.positions import Position, decode_position, encode_position
from outlast.server.store.protocol import (
    EventBatch,
    Group,
    RunWrite,
    StoredNamespace,
    StoredRun,
    VisibilityPage,
    VisibilityRecord,
)


class _Run(msgspec.Struct):
    core: bytes
    parts: dict[PartKey, bytes] = {}
    batches: list[EventBatch] = []
    """In order of their events."""
    due_at: int | None = None
    has_work: bool = False
    order: tuple[int, int, str] | None = None


def _first_event_id(batch: EventBatch) -> int:
    return batch.first_event_id


class MemoryStore:
    """See `outlast.server.store.protocol.Store`."""

    def __init__(self) -> None:
        self._runs: dict[ExecutionKey, _Run] = {}
        self._current: dict[WorkflowKey, str] = {}
        self._due: list[tuple[int, ExecutionKey]] = []
        self._work: set[ExecutionKey] = set()
        self._records: dict[str, VisibilityRecord] = {}
        self._order: dict[str, list[tuple[int, int, str]]] = {}
        self._namespaces: dict[str, StoredNamespace] = {}

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close: reads go on, for a look after the end of a test."""

    async def commit(self, writes: Sequence[RunWrite]) -> None:
        self._check(writes)
        for write in writes:
            self._put(write)

    def _check(self, writes: Sequence[RunWrite]) -> None:
        """All that can be wrong is found before anything is changed."""
        added: set[tuple[ExecutionKey, int]] = set()
        for write in writes:
            if not write.batches:
                continue
            run = self._runs.get(write.key)
            stored = run.batches if run else []
            for batch in write.batches:
                place = write.key, batch.first_event_id
                at = bisect_left(stored, batch.first_event_id, key=_first_event_id)
                if place in added or (at < len(stored) and stored[at].first_event_id == batch.first_event_id):
                    raise BatchExists(f"run {write.key.run_id} already has a batch that starts at event {batch.first_event_id}")
                added.add(place)

    def _put(self, write: RunWrite) -> None:
        run = self._runs.get(write.key)
        if run is None:
            run = self._runs[write.key] = _Run(write.core)
        run.core = write.core
        for key, value in write.parts.items():
            if value is None:
                run.parts.pop(key, None)
            else:
                run.parts[key] = value
        for batch in write.batches:
            insort(run.batches, batch, key=_first_event_id)
        if run.due_at != write.due_at:
            self._move_due(write.key, run.due_at, write.due_at)
            run.due_at = write.due_at
        if write.has_work:
            self._work.add(write.key)
        else:
            self._work.discard(write.key)
        if write.visibility is not None:
            self._show(run, write.visibility)
        if write.make_current:
            self._current[write.key.workflow] = write.key.run_id

    def _move_due(self, key: ExecutionKey, old: int | None, new: int | None) -> None:
        if old is not None:
            del self._due[bisect_left(self._due, (old, key))]
        if new is not None:
            insort(self._due, (new, key))

    def _show(self, run: _Run, record: VisibilityRecord) -> None:
        order = self._order.setdefault(record.namespace_id, [])
        if run.order is not None:
            del order[bisect_left(order, run.order)]
        run.order = (OPEN_CLOSE_TIME if record.close_time is None else record.close_time, record.start_time, record.run_id)
        insort(order, run.order)
        self._records[record.run_id] = record

    async def delete_runs(self, keys: Sequence[ExecutionKey]) -> None:
        for key in keys:
            run = self._runs.pop(key, None)
            if run is None:
                continue
            self._move_due(key, run.due_at, None)
            self._work.discard(key)
            record = self._records.pop(key.run_id, None)
            if record is not None and run.order is not None:
                order = self._order[record.namespace_id]
                del order[bisect_left(order, run.order)]
            if self._current.get(key.workflow) == key.run_id:
                del self._current[key.workflow]

    async def read_current(self, workflow: WorkflowKey) -> str | None:
        return self._current.get(workflow)

    async def read_run(self, key: ExecutionKey) -> StoredRun | None:
        run = self._runs.get(key)
        return None if run is None else StoredRun(run.core, dict(run.parts))

    async def read_batches(self, key: ExecutionKey, first_event_id: int, limit: int) -> Sequence[EventBatch]:
        run = self._runs.get(key)
        if run is None:
            return []
        start = bisect_left(run.batches, first_event_id, key=lambda batch: batch.last_event_id)
        return run.batches[start : start + limit]

    async def read_batches_reverse(self, key: ExecutionKey, last_event_id: int, limit: int) -> Sequence[EventBatch]:
        run = self._runs.get(key)
        if run is None:
            return []
        end = bisect_right(run.batches, last_event_id, key=_first_event_id)
        return run.batches[max(end - limit, 0) : end][::-1]

    async def runs_with_work(self, after: ExecutionKey | None, limit: int) -> Sequence[ExecutionKey]:
        return sorted(key for key in self._work if after is None or key > after)[:limit]

    async def runs_due(self, from_ns: int, before_ns: int, limit: int) -> Sequence[tuple[int, ExecutionKey]]:
        start = bisect_left(self._due, from_ns, key=lambda entry: entry[0])
        end = bisect_left(self._due, before_ns, key=lambda entry: entry[0])
        return self._due[start : min(end, start + limit)]

    async def next_due(self, from_ns: int) -> int | None:
        start = bisect_left(self._due, from_ns, key=lambda entry: entry[0])
        return self._due[start][0] if start < len(self._due) else None

    async def list_visibility(self, query: VisibilityQuery, page_size: int, token: bytes) -> VisibilityPage:
        after = decode_position(token, query.order) if token else None
        if query.order:
            page = self._ordered(query, after)[:page_size]
        else:
            page = list(islice(self._shown(query.namespace_id, query.where, after), page_size))
        next_token = encode_position(position_of(query.order, page[-1])) if len(page) == page_size else b""
        return VisibilityPage([msgspec.structs.replace(record, attributes={}) for record in page], next_token)

    def _ordered(self, query: VisibilityQuery, after: Position | None) -> list[VisibilityRecord]:
        def comparison(left: tuple[Position, object], right: tuple[Position, object]) -> int:
            return compare(query.order, left[0], right[0])

        shown = [(position_of(query.order, record), record) for record in self._shown(query.namespace_id, query.where)]
        found = sorted(shown, key=cmp_to_key(comparison))
        return [record for position, record in found if after is None or compare(query.order, position, after) > 0]

    def _shown(self, namespace_id: str, where: Filter | None, after: Position | None = None) -> Iterator[VisibilityRecord]:
        """The records that the condition selects, in the order of lists."""
        order = self._order.get(namespace_id, [])
        end = len(order) if after is None else bisect_left(order, (after.close_time, after.start_time, after.run_id))
        for _, _, run_id in order[:end][::-1]:
            record = self._records[run_id]
            if where is None or filters.holds(record, where):
                yield record

    async def count_visibility(self, namespace_id: str, where: Filter | None = None) -> int:
        return sum(1 for _ in self._shown(namespace_id, where))

    async def group_visibility(self, namespace_id: str, where: Filter | None, attribute: str, limit: int) -> Sequence[Group]:
        values = [filters.attribute(record, attribute) for record in self._shown(namespace_id, where)]
        counts = Counter(tuple(value) if isinstance(value, list) else value for value in values)
        groups = [Group(list(value) if isinstance(value, tuple) else value, count) for value, count in counts.items()]
        return sorted(groups, key=lambda group: group.count, reverse=True)[:limit]

    async def clear_attribute(self, namespace_id: str, attribute: str) -> None:
        for run_id, record in self._records.items():
            if record.namespace_id == namespace_id and attribute in record.attributes:
                left = {name: value for name, value in record.attributes.items() if name != attribute}
                self._records[run_id] = msgspec.structs.replace(record, attributes=left)

    async def read_namespaces(self) -> Sequence[StoredNamespace]:
        return list(self._namespaces.values())

    async def write_namespace(self, namespace: StoredNamespace) -> None:
        for other in self._namespaces.values():
            if other.name == namespace.name and other.id != namespace.id:
                raise NamespaceNameTaken(f"namespace {other.id} already has the name {namespace.name!r}")
        self._namespaces[namespace.id] = namespace
