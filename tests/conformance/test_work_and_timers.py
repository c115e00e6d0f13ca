"""How a shard finds the runs that have something to do, after a start and when their moment has come."""

import pytest

from outlast.engine.keys import ExecutionKey
from outlast.server.store.protocol import Store
from tests.conformance.records import key, write


async def test_runs_with_work_come_once_each_page_by_page(store: Store) -> None:
    keys = [ExecutionKey(f"n{n % 3}", f"w{n % 5}", f"r{n:02}") for n in range(31)]
    await store.commit([write(k, has_work=True) for k in keys])

    pages: list[list[ExecutionKey]] = []
    after: ExecutionKey | None = None
    while page := await store.runs_with_work(after, 7):
        assert len(pages) < 10
        pages.append(list(page))
        after = page[-1]

    assert [len(page) for page in pages] == [7, 7, 7, 7, 3]
    assert sorted(k for page in pages for k in page) == sorted(keys)


async def test_paging_goes_on_when_the_last_run_seen_has_no_work_any_more(store: Store) -> None:
    keys = [key(name) for name in "abcd"]
    await store.commit([write(k, has_work=True) for k in keys])
    page = list(await store.runs_with_work(None, 2))
    await store.commit([write(page[-1], has_work=False)])

    rest = list(await store.runs_with_work(page[-1], 10))

    assert sorted(page + rest) == keys
    assert len(rest) == 2


async def test_a_run_has_work_as_its_last_write_says(store: Store) -> None:
    a, b = key("a"), key("b")
    await store.commit([write(a, has_work=True), write(b)])
    await store.commit([write(a), write(b, has_work=True)])

    assert list(await store.runs_with_work(None, 10)) == [b]


async def test_due_runs_are_of_the_stretch_asked_for_soonest_first(store: Store) -> None:
    await store.commit([write(key(str(n)), due_at=n) for n in (50, 10, 40, 20, 30)] + [write(key("never"))])

    assert list(await store.runs_due(20, 50, 10)) == [(20, key("20")), (30, key("30")), (40, key("40"))]
    assert list(await store.runs_due(20, 50, 2)) == [(20, key("20")), (30, key("30"))]
    assert list(await store.runs_due(51, 1 << 62, 10)) == []
    assert list(await store.runs_due(20, 20, 10)) == []


@pytest.mark.parametrize(("from_ns", "expected"), [(0, 10), (10, 10), (11, 20), (20, 20), (21, None)])
async def test_next_due_is_the_soonest_at_or_after(store: Store, from_ns: int, expected: int | None) -> None:
    await store.commit([write(key("a"), due_at=20), write(key("b"), due_at=10), write(key("c"))])

    assert await store.next_due(from_ns) == expected


async def test_a_run_is_due_once_at_the_moment_written_last(store: Store) -> None:
    a = key("a")
    await store.commit([write(a, due_at=10)])
    await store.commit([write(a, due_at=30)])
    await store.commit([write(a, due_at=20)])

    assert list(await store.runs_due(0, 100, 10)) == [(20, a)]


async def test_a_run_that_loses_its_timer_is_due_no_more(store: Store) -> None:
    a = key("a")
    await store.commit([write(a, due_at=10)])
    await store.commit([write(a, due_at=None)])

    assert list(await store.runs_due(0, 100, 10)) == []
    assert await store.next_due(0) is None


async def test_runs_due_at_one_moment_are_all_found(store: Store) -> None:
    keys = [key(f"{n:02}") for n in range(20)]
    await store.commit([write(k, due_at=1_800_000_000_000_000_000) for k in keys])

    found = await store.runs_due(1_800_000_000_000_000_000, 1_800_000_000_000_000_001, 100)

    assert sorted(k for _, k in found) == keys


async def test_the_latest_moments_fit(store: Store) -> None:
    last = (1 << 63) - 1
    await store.commit([write(key("a"), due_at=last)])

    assert await store.next_due(last) == last
