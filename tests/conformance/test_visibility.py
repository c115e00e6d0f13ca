"""Lists and counts of runs."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from outlast.engine.keys import ExecutionKey
from outlast.server.store.errors import BadPageToken
from outlast.server.store.filters import VisibilityQuery
from outlast.server.store.protocol import Store, VisibilityRecord
from tests.conformance.records import NAMESPACE, key, record, write

OTHER = "other-namespace"


async def _show(store: Store, records: Sequence[VisibilityRecord]) -> None:
    await store.commit([write(ExecutionKey(r.namespace_id, r.workflow_id, r.run_id), visibility=r) for r in records])


async def _all(store: Store, page_size: int, namespace_id: str = NAMESPACE) -> list[VisibilityRecord]:
    found: list[VisibilityRecord] = []
    token = b""
    while True:
        page = await store.list_visibility(VisibilityQuery(namespace_id), page_size, token)
        assert len(page.records) <= page_size and len(found) < 1000
        found += page.records
        if not page.next_token:
            return found
        token = page.next_token


def _mixed(count: int) -> list[VisibilityRecord]:
    """Newest first, with many equal times."""
    rows = [record(key(f"{n:03}"), n % 5, None if n % 3 == 0 else n % 7) for n in range(count)]
    return sorted(rows, key=lambda r: (r.close_time is None, r.close_time or 0, r.start_time, r.run_id), reverse=True)


async def test_a_record_is_read_back_as_it_was(store: Store) -> None:
    kept = record(key("a"), 1_700_000_000_000_000_000, 1_700_000_000_000_000_009)
    await _show(store, [kept])

    page = await store.list_visibility(VisibilityQuery(NAMESPACE), 10, b"")

    assert list(page.records) == [kept]
    assert page.next_token == b""


async def test_open_runs_come_first_then_the_latest_closed(store: Store) -> None:
    expected = [
        record(key("d"), 9, None),
        record(key("e"), 2, None),
        record(key("a"), 1, 50),
        record(key("c"), 8, 40),
        record(key("y"), 7, 40),
        record(key("x"), 7, 40),
    ]
    await _show(store, sorted(expected, key=lambda r: r.run_id))

    assert await _all(store, 100) == expected


@pytest.mark.parametrize("page_size", [1, 2, 7, 39, 40, 41])
async def test_pages_give_every_record_once_and_in_order(store: Store, page_size: int) -> None:
    expected = _mixed(40)
    await _show(store, random.Random(1).sample(expected, len(expected)))

    assert await _all(store, page_size) == expected


async def test_a_page_that_is_not_full_has_no_token(store: Store) -> None:
    await _show(store, _mixed(3))

    assert (await store.list_visibility(VisibilityQuery(NAMESPACE), 4, b"")).next_token == b""
    assert (await store.list_visibility(VisibilityQuery(NAMESPACE), 2, b"")).next_token != b""


async def test_a_record_replaces_the_one_before(store: Store) -> None:
    a, b = key("a"), key("b")
    await _show(store, [record(a, 1), record(b, 2)])
    await _show(store, [record(a, 1, 10, status=2)])

    assert await _all(store, 10) == [record(b, 2), record(a, 1, 10, status=2)]
    assert await store.count_visibility(NAMESPACE) == 2


async def test_a_write_without_a_record_leaves_it(store: Store) -> None:
    await _show(store, [record(key("a"), 1)])
    await store.commit([write(key("a"), b"later")])

    assert await _all(store, 10) == [record(key("a"), 1)]


async def test_runs_without_a_record_are_not_listed(store: Store) -> None:
    await store.commit([write(key("a"))])

    assert await _all(store, 10) == []
    assert await store.count_visibility(NAMESPACE) == 0


async def test_namespaces_are_listed_and_counted_apart(store: Store) -> None:
    here, there = _mixed(5), [record(key(f"o{n}", OTHER), n) for n in range(3)]
    await _show(store, here + there)

    assert await _all(store, 2) == here
    assert await _all(store, 2, OTHER) == there[::-1]
    counts = [await store.count_visibility(n) for n in (NAMESPACE, OTHER, "unknown")]
    assert counts == [5, 3, 0]


async def test_paging_goes_on_when_the_last_record_seen_has_moved(store: Store) -> None:
    """A run that closes between two pages may be seen twice; no other run is lost or doubled."""
    expected = [record(key(str(n)), 10 - n) for n in range(6)]
    await _show(store, expected)
    first = await store.list_visibility(VisibilityQuery(NAMESPACE), 3, b"")
    await _show(store, [msgspec.structs.replace(first.records[-1], close_time=5)])

    second = await store.list_visibility(VisibilityQuery(NAMESPACE), 3, first.next_token)

    assert list(second.records) == expected[3:]


FOREIGN_TOKENS = [
    *(b"x", b"\xff\xfe", b"{}", b"[]", b"null", b"[1,2]", b"[1,2,3]", b"[1,2,null]"),
    *(b'["a",2,"r"]', b'[1,2,"\xff"]', b'[1,2,"r"] trailing'),
    *(b'[18446744073709551615,1,"r"]', b'[1,-18446744073709551615,"r"]', b'[1,9223372036854775808,"r"]'),
]


@pytest.mark.parametrize("token", FOREIGN_TOKENS)
async def test_a_foreign_token_is_refused(store: Store, token: bytes) -> None:
    await _show(store, _mixed(5))

    with pytest.raises(BadPageToken):
        await store.list_visibility(VisibilityQuery(NAMESPACE), 2, token)
