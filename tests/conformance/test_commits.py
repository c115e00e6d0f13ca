"""What a commit promises: all of it or nothing, later wins, parts and pointers as they were written last."""

import pytest

from outlast.engine.keys import ExecutionKey, PartKey, WorkflowKey
from outlast.server.store.errors import BatchExists
from outlast.server.store.protocol import Store
from tests.conformance.records import batch, key, nothing, record, stored, whole, write

A, B, C = key("a"), key("b"), key("c")
TIMER, ACTIVITY = PartKey("t", "1"), PartKey("a", "1")


async def test_a_fresh_store_holds_nothing(store: Store) -> None:
    assert await whole(store, A) == nothing()
    assert await store.next_due(0) is None
    assert await store.count_visibility(A.namespace_id) == 0
    assert list(await store.read_namespaces()) == []


async def test_close_may_be_called_twice(store: Store) -> None:
    await store.close()
    await store.close()


async def test_an_empty_commit_is_fine(store: Store) -> None:
    await store.commit([])

    assert await store.runs_with_work(None, 10) == []


async def test_a_committed_run_is_read_back(store: Store) -> None:
    parts: dict[PartKey, bytes | None] = {TIMER: b"timer", ACTIVITY: b"\x00\xff"}

    await store.commit([write(A, b"\x00core\xff", parts=parts)])

    assert await store.read_run(A) == stored(b"\x00core\xff", {TIMER: b"timer", ACTIVITY: b"\x00\xff"})


async def test_empty_bytes_are_kept(store: Store) -> None:
    await store.commit([write(A, b"", parts={TIMER: b""}, batches=[batch(1, data=b"")])])

    assert await store.read_run(A) == stored(b"", {TIMER: b""})
    assert list(await store.read_batches(A, 1, 10)) == [batch(1, data=b"")]


async def test_an_unknown_run_is_none(store: Store) -> None:
    await store.commit([write(A)])

    assert await store.read_run(B) is None


@pytest.mark.parametrize("part", ["namespace_id", "workflow_id", "run_id"])
@pytest.mark.parametrize("other", ["", "~"])
async def test_a_run_is_found_by_its_whole_key_only(store: Store, part: str, other: str) -> None:
    await store.commit([write(A, parts={TIMER: b"timer"})])

    assert await store.read_run(A._replace(**{part: other})) is None


async def test_a_later_commit_replaces_the_core(store: Store) -> None:
    await store.commit([write(A, b"first")])
    await store.commit([write(A, b"second, and longer")])

    assert await store.read_run(A) == stored(b"second, and longer")


async def test_parts_that_a_commit_does_not_name_stay(store: Store) -> None:
    await store.commit([write(A, parts={TIMER: b"timer", ACTIVITY: b"activity"})])
    await store.commit([write(A, parts={TIMER: b"changed"})])
    await store.commit([write(A)])

    assert await store.read_run(A) == stored(b"core", {TIMER: b"changed", ACTIVITY: b"activity"})


async def test_a_part_of_none_is_deleted(store: Store) -> None:
    await store.commit([write(A, parts={TIMER: b"timer", ACTIVITY: b"activity"})])
    await store.commit([write(A, parts={TIMER: None, PartKey("t", "never was"): None})])

    assert await store.read_run(A) == stored(b"core", {ACTIVITY: b"activity"})


async def test_parts_of_one_id_and_different_kinds_are_different(store: Store) -> None:
    await store.commit([write(A, parts={PartKey("a", "x"): b"1", PartKey("b", "x"): b"2", PartKey("a", ""): b"3"})])
    await store.commit([write(A, parts={PartKey("a", "x"): None})])

    assert await store.read_run(A) == stored(b"core", {PartKey("b", "x"): b"2", PartKey("a", ""): b"3"})


async def test_runs_do_not_share_parts_or_batches(store: Store) -> None:
    await store.commit(
        [write(A, parts={TIMER: b"of a"}, batches=[batch(1)]), write(B, parts={TIMER: b"of b"}, batches=[batch(1, data=b"b")])]
    )
    await store.commit([write(A, parts={TIMER: None})])

    assert await store.read_run(B) == stored(b"core", {TIMER: b"of b"})
    assert list(await store.read_batches(B, 1, 10)) == [batch(1, data=b"b")]


async def test_within_one_commit_the_later_write_of_a_run_wins(store: Store) -> None:
    await store.commit(
        [
            write(A, b"first", due_at=10, has_work=True, parts={TIMER: b"1", ACTIVITY: b"1"}, batches=[batch(1)], visibility=record(A, 1)),
            write(B, b"between"),
            write(A, b"second", due_at=20, parts={TIMER: None, ACTIVITY: b"2"}, batches=[batch(2)], visibility=record(A, 1, 5)),
        ]
    )

    assert await whole(store, A) == {
        "run": stored(b"second", {ACTIVITY: b"2"}),
        "batches": [batch(1), batch(2)],
        "current": None,
        "has_work": False,
        "due": [20],
        "visibility": [record(A, 1, 5)],
    }


async def test_a_part_deleted_and_put_again_in_one_commit_is_there(store: Store) -> None:
    await store.commit([write(A, parts={TIMER: b"old"})])
    await store.commit([write(A, parts={TIMER: None}), write(A, parts={TIMER: b"new"})])

    assert await store.read_run(A) == stored(b"core", {TIMER: b"new"})


async def test_the_current_run_is_the_one_made_current_last(store: Store) -> None:
    first, second = ExecutionKey("ns", "wf", "run-2"), ExecutionKey("ns", "wf", "run-1")
    await store.commit([write(first, make_current=True)])
    await store.commit([write(second, make_current=True)])
    await store.commit([write(first, b"later, but not made current")])

    assert await store.read_current(first.workflow) == "run-1"


async def test_two_runs_made_current_in_one_commit_leave_the_later(store: Store) -> None:
    first, second = ExecutionKey("ns", "wf", "run-2"), ExecutionKey("ns", "wf", "run-1")
    await store.commit([write(first, make_current=True), write(second, make_current=True)])

    assert await store.read_current(first.workflow) == "run-1"


async def test_current_runs_are_by_namespace_and_workflow_id(store: Store) -> None:
    await store.commit(
        [write(ExecutionKey("ns", "wf", "r1"), make_current=True), write(ExecutionKey("ns2", "wf", "r2"), make_current=True)]
    )

    assert await store.read_current(WorkflowKey("ns", "wf")) == "r1"
    assert await store.read_current(WorkflowKey("ns2", "wf")) == "r2"
    assert await store.read_current(WorkflowKey("ns", "other")) is None


async def test_a_run_that_was_never_made_current_is_not_current(store: Store) -> None:
    await store.commit([write(A)])

    assert await store.read_current(A.workflow) is None


async def test_a_commit_with_a_failing_member_leaves_nothing(store: Store) -> None:
    await store.commit([write(B, b"before", due_at=5, parts={TIMER: b"before"}, batches=[batch(1)], visibility=record(B, 1))])
    before = await whole(store, B)
    full = {"due_at": 9, "has_work": True, "make_current": True}

    with pytest.raises(BatchExists, match="run-b"):
        await store.commit(
            [
                write(A, parts={TIMER: b"x"}, batches=[batch(1)], visibility=record(A, 2), **full),
                write(B, b"after", parts={TIMER: None}, batches=[batch(1)], visibility=record(B, 1, 7), **full),
                write(C, parts={TIMER: b"x"}, batches=[batch(1)], visibility=record(C, 3), **full),
            ]
        )

    assert [await whole(store, A), await whole(store, B), await whole(store, C)] == [nothing(), before, nothing()]
    assert await store.count_visibility(B.namespace_id) == 1


async def test_a_batch_given_twice_in_one_commit_leaves_nothing(store: Store) -> None:
    with pytest.raises(BatchExists, match="run-a"):
        await store.commit([write(B), write(A, batches=[batch(1)]), write(A, batches=[batch(1)])])

    assert [await whole(store, A), await whole(store, B)] == [nothing(), nothing()]


async def test_after_a_failed_commit_the_store_works_on(store: Store) -> None:
    await store.commit([write(A, batches=[batch(1)])])
    with pytest.raises(BatchExists):
        await store.commit([write(A, b"lost", batches=[batch(1)])])

    await store.commit([write(A, b"kept", batches=[batch(2)])])

    assert await store.read_run(A) == stored(b"kept")
    assert list(await store.read_batches(A, 1, 10)) == [batch(1), batch(2)]


async def test_many_runs_in_one_commit(store: Store) -> None:
    keys = [key(f"{n:04}") for n in range(1000)]

    await store.commit(
        [write(k, k.run_id.encode(), due_at=n, has_work=True, batches=[batch(1)], make_current=True) for n, k in enumerate(keys)]
    )

    assert [await store.read_run(k) for k in keys] == [stored(k.run_id.encode()) for k in keys]
    assert list(await store.runs_with_work(None, 2000)) == keys
    assert list(await store.runs_due(0, 5000, 2000)) == list(enumerate(keys))


async def test_big_blobs(store: Store) -> None:
    big = bytes(range(256)) * 40_000

    await store.commit([write(A, big, parts={TIMER: big[1:]}, batches=[batch(1, data=big[2:])])])

    assert await store.read_run(A) == stored(big, {TIMER: big[1:]})
    assert list(await store.read_batches(A, 1, 1)) == [batch(1, data=big[2:])]


@pytest.mark.parametrize("text", ["", "ä", "日本", "😀", "a\x00b", "'; drop table runs; --", '"', "%_", "a" * 1000, "é", "e\u0301", "A"])
async def test_any_text_is_a_key(store: Store, text: str) -> None:
    strange, plain = ExecutionKey(f"n{text}", f"w{text}", f"r{text}"), ExecutionKey("na", "wa", "ra")
    part = PartKey("t", text)
    await store.commit(
        [write(plain, b"plain", make_current=True), write(strange, b"strange", parts={part: b"part"}, has_work=True, make_current=True)]
    )

    assert await store.read_run(strange) == stored(b"strange", {part: b"part"})
    assert await store.read_current(strange.workflow) == f"r{text}"
    assert list(await store.runs_with_work(None, 10)) == [strange]
    assert await store.read_run(plain) == stored(b"plain")
