"""Every query finds its rows by an index: its cost does not grow with what else the file holds."""

import pytest

from outlast.server.store import filters as f
from outlast.server.store.filters import Compare, Filter, OneOf, StartsWith, VisibilityQuery
from outlast.server.store.sqlite import SqliteStore
from tests.conformance.records import NAMESPACE, batch, key, record, write

A = key("a")
WORKFLOWS = f.IsNull("TemporalNamespaceDivision")
"""What lists ask for when they ask for nothing."""


async def _queries(store: SqliteStore) -> list[str]:
    """The statements of every read and of a commit, with their values."""
    seen: list[str] = []
    for db in (store._points, store._scans, store._lists, store._writer._db):
        db.set_trace_callback(seen.append)
    await store.commit([write(A, due_at=1, has_work=True, batches=[batch(1)], visibility=record(A, 1), make_current=True)])
    await store.commit([write(A, b"again"), write(key("b"))])
    await store.commit([write(A, visibility=record(A, 1, 2))])
    page = await store.list_visibility(VisibilityQuery(NAMESPACE, WORKFLOWS), 1, b"")
    await store.list_visibility(VisibilityQuery(NAMESPACE, WORKFLOWS), 1, page.next_token)
    await store.count_visibility(NAMESPACE, WORKFLOWS)
    await store.group_visibility(NAMESPACE, WORKFLOWS, "ExecutionStatus", 10)
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


def _steps(store: SqliteStore, sql: str) -> list[str]:
    return [step for *_, step in store._lists.execute("explain query plan " + sql).fetchall()]


async def test_no_statement_reads_a_whole_table_or_sorts(sqlite_store: SqliteStore) -> None:
    queries = await _queries(sqlite_store)
    assert len(queries) > 14

    for sql in queries:
        for step in _steps(sqlite_store, sql):
            whole_index = step == "SCAN runs USING INDEX runs_with_work"  # that index holds only what is asked for
            assert not _sorts(sql, step), (sql, step)
            assert whole_index or not step.startswith("SCAN"), (sql, step)


def _sorts(sql: str, step: str) -> bool:
    """Runs of the same nanosecond are sorted among themselves, and the few rows of a grouping."""
    few = step == "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY" or "from counts" in sql
    return step.startswith("USE TEMP B-TREE") and not few


@pytest.mark.parametrize(
    "wanted, index",
    [
        (Compare("WorkflowType", "=", "Order"), "shown_type"),
        (Compare("ExecutionStatus", "=", 3), "shown_status"),
        (Compare("WorkflowId", "=", "order"), "shown_workflow"),
        (StartsWith("WorkflowId", "order-"), "shown_workflow"),
        (Compare("ParentWorkflowId", "=", "order"), "shown_parent"),
        (Compare("Keyword01", "=", "red"), "shown_Keyword01"),
        (OneOf("Keyword01", ["red", "blue"]), "shown_Keyword01"),
        (StartsWith("Keyword01", "re"), "shown_Keyword01"),
        (f.Between("Int01", 1, 2), "shown_Int01"),
        (f.And([OneOf("Keyword01", ["red", "blue"]), Compare("Int01", ">", 0)]), "shown_Keyword01"),
        (Compare("KeywordList01", "=", "a"), "INTEGER PRIMARY KEY"),
        (Compare("Text01", "=", "a"), "INTEGER PRIMARY KEY"),
        (Compare("RunId", "=", "a"), "INTEGER PRIMARY KEY"),
        (Compare("Keyword01", "!=", "red"), "shown_"),
        (f.Not(Compare("KeywordList01", "=", "a")), "shown_usual"),
    ],
)
async def test_what_is_asked_for_is_found_by_its_index(sqlite_store: SqliteStore, wanted: Filter, index: str) -> None:
    await sqlite_store.commit([write(A, visibility=record(A, 1, Keyword01="red", Int01=1, KeywordList01=["a"], Text01="a b"))])
    seen: list[str] = []
    sqlite_store._lists.set_trace_callback(seen.append)
    page = await sqlite_store.list_visibility(VisibilityQuery(NAMESPACE, f.And([WORKFLOWS, wanted])), 1, b"")
    await sqlite_store.list_visibility(VisibilityQuery(NAMESPACE, f.And([WORKFLOWS, wanted])), 1, page.next_token)

    for sql in (each for each in seen if "from shown" in each):
        assert any(index in step for step in _steps(sqlite_store, sql)), _steps(sqlite_store, sql)


async def test_a_word_that_many_runs_have_is_asked_of_each_run_on_a_walk(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outlast.server.store.sqlite.store.COMMON_WORD_RUNS", 3)
    runs = [key(f"{number}") for number in range(4)]
    shown = [record(each, number, KeywordList01=["all", "few"] if number < 2 else ["all"]) for number, each in enumerate(runs)]
    await sqlite_store.commit([write(each, visibility=record) for each, record in zip(runs, shown, strict=True)])
    seen: list[str] = []
    sqlite_store._lists.set_trace_callback(seen.append)

    for word, count, index in (("all", 4, "shown_usual"), ("few", 2, "INTEGER PRIMARY KEY")):
        where = f.And([WORKFLOWS, Compare("KeywordList01", "=", word)])
        page = await sqlite_store.list_visibility(VisibilityQuery(NAMESPACE, where), 10, b"")

        assert len(page.records) == count
        assert any(index in step for step in _steps(sqlite_store, seen[-1]))
