"""Every query finds its rows by an index: its cost does not grow with what else the file holds."""

from outlast.server.store.sqlite import SqliteStore
from tests.conformance.records import NAMESPACE, batch, key, record, write

A = key("a")


async def _queries(store: SqliteStore) -> list[str]:
    """The statements of every read and of a commit, with their values."""
    seen: list[str] = []
    for db in (store._points, store._scans, store._writer._db):
        db.set_trace_callback(seen.append)
    await store.commit([write(A, due_at=1, has_work=True, batches=[batch(1)], visibility=record(A, 1), make_current=True)])
    await store.commit([write(A, b"again"), write(key("b"))])
    await store.commit([write(A, visibility=record(A, 1, 2))])
    page = await store.list_visibility(NAMESPACE, 1, b"")
    await store.list_visibility(NAMESPACE, 1, page.next_token)
    await store.count_visibility(NAMESPACE)
    await store.read_current(A.workflow)
    await store.read_run(A)
    await store.read_batches(A, 1, 10)
    await store.read_batches_reverse(A, 1, 10)
    await store.runs_with_work(None, 10)
    await store.runs_with_work(A, 10)
    await store.runs_due(0, 10, 10)
    await store.next_due(0)
    await store.delete_runs([A])
    return [sql for sql in dict.fromkeys(seen) if sql.lower().startswith(("select", "with", "update", "insert", "delete"))]


async def test_no_statement_reads_a_whole_table_or_sorts(sqlite_store: SqliteStore) -> None:
    queries = await _queries(sqlite_store)
    assert len(queries) > 14

    for sql in queries:
        for *_, step in sqlite_store._scans.execute("explain query plan " + sql).fetchall():
            whole_index = step == "SCAN runs USING INDEX runs_with_work"  # that index holds only what is asked for
            assert not step.startswith("USE TEMP B-TREE"), (sql, step)
            assert whole_index or not step.startswith("SCAN"), (sql, step)
