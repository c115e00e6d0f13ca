"""A disk that is full: commits are refused whole, and work goes on when there is room."""

from pathlib import Path

import pytest

from outlast.server.store.errors import StoreFull
from outlast.server.store.protocol import StoredNamespace
from outlast.server.store.sqlite import SqliteStore
from tests.conformance.records import batch, key, nothing, record, whole, write

OLD, NEW = key("old"), key("new")


def _limit(store: SqliteStore, pages_more: int) -> None:
    """Let the file grow by so many pages and no more; SQLite then fails as it does when the disk is full."""
    db = store._writer._db
    (pages,) = db.execute("pragma page_count").fetchone()
    db.execute(f"pragma max_page_count = {pages + pages_more}")


@pytest.mark.parametrize("pages", [0, 1, 5, 50])
async def test_a_commit_to_a_full_disk_writes_nothing_and_later_ones_go_on(sqlite_store: SqliteStore, pages: int) -> None:
    store = sqlite_store
    await store.commit([write(OLD, b"before", due_at=1, batches=[batch(1)], visibility=record(OLD, 1), make_current=True)])
    before = await whole(store, OLD)
    lost = [
        write(OLD, b"after", has_work=True, batches=[batch(2)], visibility=record(OLD, 1, 2)),
        write(NEW, bytes(400_000), batches=[batch(1)], visibility=record(NEW, 1), make_current=True),
    ]
    _limit(store, pages)

    for _ in range(3):
        with pytest.raises(StoreFull, match="no room"):
            await store.commit(lost)

    assert [await whole(store, OLD), await whole(store, NEW)] == [before, nothing()]
    _limit(store, 10_000)
    await store.commit(lost)
    assert await store.read_run(NEW) is not None
    assert (await whole(store, OLD))["batches"] == [batch(1), batch(2)]


async def test_a_namespace_on_a_full_disk_is_refused(sqlite_store: SqliteStore) -> None:
    _limit(sqlite_store, 0)

    with pytest.raises(StoreFull):
        await sqlite_store.write_namespace(StoredNamespace("1", "default", bytes(100_000)))

    assert list(await sqlite_store.read_namespaces()) == []


async def test_what_was_committed_before_the_disk_was_full_outlives_it(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    _limit(store, 200)
    kept = []
    with pytest.raises(StoreFull):
        for n in range(1000):
            await store.commit([write(key(f"{n:04}"), bytes(3000), has_work=True, batches=[batch(1)])])
            kept.append(key(f"{n:04}"))
    await store.close()

    again = SqliteStore(path)
    await again.open()

    assert len(kept) > 10
    assert list(await again.runs_with_work(None, 2000)) == kept
    assert again._points.execute("pragma integrity_check").fetchone() == ("ok",)
    await again.close()
