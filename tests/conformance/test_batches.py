"""Reading history: whole batches, in order, from either end."""

import pytest

from outlast.server.store.protocol import EventBatch, Store
from tests.conformance.records import batch, key, write

A, B = key("a"), key("b")
BATCHES = [batch(1, 2), batch(3, 1), batch(4, 3), batch(7, 1)]


async def _fill(store: Store) -> None:
    await store.commit([write(A, batches=BATCHES[:1])])
    await store.commit([write(A, batches=BATCHES[1:3]), write(B, batches=[batch(1, 9, b"of b")])])
    await store.commit([write(A, batches=BATCHES[3:])])


@pytest.mark.parametrize(
    ("first_event_id", "expected"),
    [(0, BATCHES), (1, BATCHES), (2, BATCHES), (3, BATCHES[1:]), (4, BATCHES[2:]), (6, BATCHES[2:]), (7, BATCHES[3:]), (8, [])],
)
async def test_batches_start_with_the_one_that_contains_the_event(store: Store, first_event_id: int, expected: list[EventBatch]) -> None:
    await _fill(store)

    assert list(await store.read_batches(A, first_event_id, 10)) == expected


@pytest.mark.parametrize(
    ("last_event_id", "expected"),
    [(99, BATCHES), (7, BATCHES), (6, BATCHES[:3]), (4, BATCHES[:3]), (3, BATCHES[:2]), (2, BATCHES[:1]), (1, BATCHES[:1]), (0, [])],
)
async def test_batches_in_reverse_start_with_the_one_that_contains_the_event(
    store: Store, last_event_id: int, expected: list[EventBatch]
) -> None:
    await _fill(store)

    assert list(await store.read_batches_reverse(A, last_event_id, 10)) == expected[::-1]


async def test_a_limit_bounds_the_batches(store: Store) -> None:
    await _fill(store)

    assert list(await store.read_batches(A, 2, 2)) == BATCHES[:2]
    assert list(await store.read_batches(A, 3, 1)) == BATCHES[1:2]
    assert list(await store.read_batches_reverse(A, 5, 2)) == [BATCHES[2], BATCHES[1]]


async def test_a_limit_holds_past_a_batch_that_ends_before_the_event(store: Store) -> None:
    await store.commit([write(A, batches=[batch(1, 2), batch(5, 1), batch(6, 1)])])

    assert list(await store.read_batches(A, 3, 2)) == [batch(5, 1), batch(6, 1)]


async def test_an_unknown_run_has_no_batches(store: Store) -> None:
    await _fill(store)

    assert list(await store.read_batches(key("other"), 1, 10)) == []
    assert list(await store.read_batches_reverse(key("other"), 9, 10)) == []


async def test_a_long_history_is_read_page_by_page(store: Store) -> None:
    history = [batch(1 + 2 * n, 2) for n in range(500)]
    for start in range(0, 500, 100):
        await store.commit([write(A, batches=history[start : start + 100])])

    pages, first = [], 1
    while page := await store.read_batches(A, first, 33):
        assert len(pages) < 500
        pages += page
        first = page[-1].last_event_id + 1

    assert pages == history
