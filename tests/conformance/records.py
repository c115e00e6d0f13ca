"""Records for store tests: small, made from a name, and full of characters that a careless store would spoil."""

from collections.abc import Callable, Sequence

from outlast.engine.keys import ExecutionKey, PartKey, WorkflowKey
from outlast.engine.search_attributes import Value
from outlast.server.store.filters import VisibilityQuery
from outlast.server.store.protocol import EventBatch, RunWrite, Store, StoredRun, VisibilityRecord

NAMESPACE = "8a1c2e64-namespace"
StoreMaker = Callable[[], Store]


def key(name: str, namespace_id: str = NAMESPACE) -> ExecutionKey:
    return ExecutionKey(namespace_id, f"workflow-{name}", f"run-{name}")


def batch(first_event_id: int, event_count: int = 1, data: bytes | None = None) -> EventBatch:
    return EventBatch(first_event_id, event_count, f"events from {first_event_id}".encode() if data is None else data)


def write(
    key: ExecutionKey,
    core: bytes = b"core",
    *,
    due_at: int | None = None,
    has_work: bool = False,
    parts: dict[PartKey, bytes | None] | None = None,
    batches: Sequence[EventBatch] = (),
    visibility: VisibilityRecord | None = None,
    make_current: bool = False,
) -> RunWrite:
    return RunWrite(key, core, due_at, has_work, parts or {}, batches, visibility, make_current)


def record(key: ExecutionKey, start_time: int, close_time: int | None = None, status: int = 1, **attributes: Value) -> VisibilityRecord:
    return VisibilityRecord(
        namespace_id=key.namespace_id,
        workflow_id=key.workflow_id,
        run_id=key.run_id,
        workflow_type="Größe",
        task_queue="queue\x00with a NUL",
        status=status,
        start_time=start_time,
        execution_time=start_time + 1,
        close_time=close_time,
        history_length=3,
        history_size_bytes=1 << 40,
        state_transition_count=2,
        memo=b"\x00memo\xff",
        search_attributes=b"\xff\x00" + repr(attributes).encode(),
        parent_workflow_id="",
        parent_run_id="",
        root_workflow_id=key.workflow_id,
        root_run_id=key.run_id,
        attributes=attributes,
    )


async def whole(store: Store, key: ExecutionKey, namespace_id: str = NAMESPACE) -> dict[str, object]:
    """Everything that the store tells about one run, to compare before with after."""
    work = await store.runs_with_work(None, 10_000)
    due = await store.runs_due(0, 1 << 62, 10_000)
    page = await store.list_visibility(VisibilityQuery(namespace_id), 10_000, b"")
    return {
        "run": await store.read_run(key),
        "batches": list(await store.read_batches(key, 1, 10_000)),
        "current": await store.read_current(WorkflowKey(key.namespace_id, key.workflow_id)),
        "has_work": key in work,
        "due": [due_at for due_at, each in due if each == key],
        "visibility": [each for each in page.records if each.run_id == key.run_id],
    }


def nothing() -> dict[str, object]:
    """What `whole` gives for a run that the store does not hold."""
    return {"run": None, "batches": [], "current": None, "has_work": False, "due": [], "visibility": []}


def stored(core: bytes, parts: dict[PartKey, bytes] | None = None) -> StoredRun:
    return StoredRun(core, parts or {})
