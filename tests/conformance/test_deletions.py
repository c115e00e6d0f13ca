"""Deleting runs: all of them and all of each, in one go, and nothing beside them."""

import pytest

from outlast.engine.keys import ExecutionKey, PartKey, WorkflowKey
from outlast.server.store.filters import VisibilityQuery
from outlast.server.store.protocol import RunWrite, Store
from tests.conformance.records import batch, key, nothing, record, whole, write

A, B, C = key("a"), key("b"), key("c")
PART = PartKey("t", "timer")


def full(key: ExecutionKey, time: int) -> RunWrite:
    """A run that has something in every table."""
    batches = [batch(1, 2), batch(3)]
    visibility = record(key, time, time + 1)
    return write(key, due_at=time, has_work=True, parts={PART: b"part"}, batches=batches, visibility=visibility, make_current=True)


async def test_of_a_deleted_run_nothing_is_left(store: Store) -> None:
    await store.commit([full(A, 1), full(B, 2), full(C, 3)])
    others = [await whole(store, B), await whole(store, C)]

    await store.delete_runs([A])

    assert await whole(store, A) == nothing()
    assert [await whole(store, B), await whole(store, C)] == others
    assert await store.count_visibility(A.namespace_id) == 2
    assert await store.next_due(0) == 2


async def test_many_are_deleted_in_one_go(store: Store) -> None:
    keys = [key(f"{number:03}") for number in range(250)]
    await store.commit([full(each, number) for number, each in enumerate(keys)])

    await store.delete_runs(keys[:249])

    assert await store.runs_with_work(None, 1000) == [keys[249]]
    assert await store.count_visibility(A.namespace_id) == 1
    assert list(await store.runs_due(0, 1 << 60, 1000)) == [(249, keys[249])]


async def test_an_older_run_does_not_become_current_again(store: Store) -> None:
    older, newer = ExecutionKey("ns", "wf", "run-1"), ExecutionKey("ns", "wf", "run-2")
    await store.commit([full(older, 1)])
    await store.commit([full(newer, 2)])

    await store.delete_runs([newer])

    assert await store.read_current(WorkflowKey("ns", "wf")) is None
    assert await store.read_run(older) is not None


async def test_the_current_run_stays_current_when_an_older_one_is_deleted(store: Store) -> None:
    older, newer = ExecutionKey("ns", "wf", "run-1"), ExecutionKey("ns", "wf", "run-2")
    await store.commit([full(older, 1)])
    await store.commit([full(newer, 2)])

    await store.delete_runs([older])

    assert await store.read_current(WorkflowKey("ns", "wf")) == "run-2"
    assert await store.read_run(older) is None


@pytest.mark.parametrize("keys", [[], [B], [B, B], [A, B, A]])
async def test_a_run_that_is_not_there_is_no_error(store: Store, keys: list[ExecutionKey]) -> None:
    await store.commit([full(A, 1)])

    await store.delete_runs(keys)
    await store.delete_runs(keys)

    assert (await store.read_run(A) is None) == (A in keys)


async def test_a_deleted_run_may_be_written_anew(store: Store) -> None:
    await store.commit([full(A, 1)])
    await store.delete_runs([A])

    await store.commit([write(A, b"anew", batches=[batch(1)])])

    assert (await whole(store, A))["batches"] == [batch(1)]
    assert (await whole(store, A))["visibility"] == []


async def test_a_run_that_was_never_shown_can_be_deleted(store: Store) -> None:
    await store.commit([write(A), full(B, 1)])

    await store.delete_runs([A])

    assert await whole(store, A) == nothing()
    assert await store.count_visibility(A.namespace_id) == 1


async def test_a_page_of_a_list_goes_on_after_the_run_that_it_ended_with_is_gone(store: Store) -> None:
    keys = [key(name) for name in "abcd"]
    await store.commit([full(each, number) for number, each in enumerate(keys)])
    page = await store.list_visibility(VisibilityQuery(A.namespace_id), 2, b"")
    await store.delete_runs([keys[2]])

    rest = await store.list_visibility(VisibilityQuery(A.namespace_id), 10, page.next_token)

    assert [each.run_id for each in rest.records] == ["run-b", "run-a"]
