"""Whatever text is sent as a list filter: it is understood or refused, and nothing of it gets into SQL."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outlast.engine.triggers import NamespaceView
from outlast.server.store.filters import KINDS, And, Compare, Filter, StartsWith, VisibilityQuery
from outlast.server.store.memory import MemoryStore
from outlast.server.store.sqlite import SqliteStore
from outlast.server.store.sqlite.lists import count_statement, group_statement, page_statement
from outlast.server.visibility.query import ListQuery, list_query
from outlast.server.visibility.refusal import InvalidQuery
from tests.conformance.records import NAMESPACE, key, record, write

COLUMNS = {"CX": "Text01", "CK": "Keyword01", "CI": "Int01", "CD": "Double01", "CB": "Bool01", "CT": "Datetime01", "CL": "KeywordList01"}
VIEW = NamespaceView("n", "mine", {name: KINDS[column] for name, column in COLUMNS.items()}, columns=COLUMNS)
EVIL = [
    *("'", "''", '"', "`", "\\", "\\'", ";", "--", "/*", "*/", "#", "\0", "%", "_", "?", "?1", ":a", "::a", "@a", "$1", "x'41'"),
    *("' or '1'='1", "'; drop table runs; --", "') or 1=1 --", "\\'; drop table runs; --", '" or ""="', "union select core from runs"),
    *(
        "(select core from runs)",
        "sqlite_schema",
        "load_extension('x')",
        "\x00'; drop table runs",
        "😀",
        "\ud7ff",
        "\U0010ffff",
        "ｆｕｌｌ",
    ),
]
WORDS = [
    *COLUMNS,
    *("WorkflowId", "RunId", "ExecutionStatus", "CloseTime", "StartTime", "ExecutionDuration", "BuildIds", "TemporalNamespaceDivision"),
    *("=", "!=", "<>", "<", "<=", ">", ">=", "<=>", "(", ")", ",", "and", "or", "not", "in", "between", "starts_with", "is", "null"),
    *("like", "group by", "order by", "desc", "limit", "having", "true", "false", "1", "-1", "1.5", "1e9", "0x1", "99999999999999999999"),
    *("'a'", '"a"', "'2024-01-01T00:00:00Z'", "'Running'", "'1h'", "'9999-12-31T23:59:59Z'", "'0001-01-01T00:00:00Z'"),
]
SOUP = st.lists(st.sampled_from([*WORDS, *EVIL]) | st.text(max_size=4), max_size=14).map(" ".join)
PRESSED = st.lists(st.sampled_from([*WORDS, *EVIL]), max_size=8).map("".join)
CONTENTS = st.text(max_size=12) | st.lists(st.sampled_from(EVIL), max_size=3).map("".join)
"""What may stand between quotes."""


def quoted(content: str, quote: str = "'") -> str:
    return quote + content.replace("\\", "\\\\").replace(quote, quote * 2) + quote


@st.composite
def sentences(draw: st.DrawFn) -> str:
    """Filters that are nearly always understood."""
    literals = {
        **dict.fromkeys(("CK", "CL", "CX", "WorkflowId", "RunId"), CONTENTS.map(quoted)),
        **dict.fromkeys(("CI", "CD", "CT", "ExecutionDuration", "StartTime", "CloseTime"), st.integers(-(1 << 70), 1 << 70).map(str)),
        "CB": st.sampled_from(["true", "false"]),
        "ExecutionStatus": st.sampled_from(["1", "'Running'", "'Failed'"]),
    }
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(sorted(literals)))
        one, other = draw(literals[name]), draw(literals[name])
        conditions = [f"{name} = {one}", f"{name} != {one}", f"{name} > {one}", f"{name} in ({one}, {other})", f"not {name} = {one}"]
        conditions += [f"{name} between {one} and {other}", f"{name} starts_with {one}", f"{name} not in ({one})", f"{name} is null"]
        parts.append(draw(st.sampled_from(conditions)))
    joined = draw(st.sampled_from([" and ", " or ", ") or (", ") and not ("])).join(parts)
    return f"({joined}) " + draw(st.sampled_from(["", "group by CK", "group by CL", "order by CI desc, CK", "order by CloseTime"]))


TEXTS = st.one_of(SOUP, PRESSED, sentences(), CONTENTS)
SQL = re.compile(r'"(\w+)"|(\w+)|[ .,()=<>?*\n+-]')
SQL_TEXT = """select exists from where and or not in is null order by desc asc nulls last limit place number places namespace_id run
field word words runs run_id shown counts coalesce sum amount count group having iif nullif max between true false memo
search_attributes"""
SQL_WORDS = frozenset(SQL_TEXT.split())


def understood(text: str) -> ListQuery | None:
    try:
        return list_query(text, VIEW)
    except InvalidQuery as refusal:
        assert str(refusal).startswith("invalid query: ")
        return None


def check(sql: str) -> None:
    """Every word is ours: an attribute's name, one of SQL's or of the tables', or a number that stands in the code."""
    assert SQL.sub("", sql) == ""
    for name, word in SQL.findall(sql):
        assert not name or name in KINDS
        assert not word or word in SQL_WORDS or word.isdigit(), word


def texts_in(condition: Filter) -> list[str]:
    if isinstance(condition, And):
        return [text for each in condition.conditions for text in texts_in(each)]
    if isinstance(condition, Compare):
        return [str(condition.value)]
    return [condition.prefix] if isinstance(condition, StartsWith) else []


@settings(max_examples=600, deadline=None)
@given(TEXTS)
@example("CK = '\\")
@example("CK = '" + "\\'" * 50)
@example("(" * 5_000)
@example("not " * 5_000 + "CK = 'a'")
@example("- " * 5_000)
@example("CK = 'a' and " * 2_000)
@example("(CK = 'a' or (CI = 1 and " * 60)
@example("CK in (" + "'a'," * 12_000)
def test_a_text_is_understood_or_refused_and_its_sql_has_only_words_of_ours(text: str) -> None:
    query = understood(text)

    if query is not None:
        check(page_statement(VisibilityQuery("n", query.where, query.order), None, 10).text)
        check(count_statement("n", query.where).text)
        if query.group_by is not None:
            check(group_statement("n", query.where, query.group_by.attribute, 10).text)


@settings(max_examples=150, deadline=None)
@given(CONTENTS, st.sampled_from(["'", '"']))
def test_what_stands_between_quotes_arrives_as_it_is(content: str, quote: str) -> None:
    for operator in ("=", "starts_with"):
        query = list_query(f"CK {operator} {quoted(content, quote)}", VIEW)

        assert texts_in(query.where) == [content]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(TEXTS | sentences(), min_size=1, max_size=8))
async def test_what_is_understood_is_answered_by_every_store_alike(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    stores = MemoryStore(), SqliteStore(Path(tmp_path_factory.mktemp("fuzz")) / "outlast.db", {"synchronous": "off"})
    shown = [
        record(key(f"{n}"), n, n if n % 2 else None, Keyword01="a'", Int01=n, KeywordList01=["a", "'"], Text01="a b") for n in range(4)
    ]
    for store in stores:
        await store.open()
        await store.commit([write(key(each.run_id.removeprefix("run-")), visibility=each) for each in shown])

    for query in filter(None, map(understood, texts)):
        answers = []
        for store in stores:
            page = await store.list_visibility(VisibilityQuery(NAMESPACE, query.where, query.order), 10, b"")
            groups = await store.group_visibility(NAMESPACE, query.where, query.group_by.attribute, 10) if query.group_by else []
            answers.append((page.records, await store.count_visibility(NAMESPACE, query.where), sorted(map(repr, groups))))
        assert answers[0] == answers[1]
    assert await stores[1].count_visibility(NAMESPACE) == 4
    for store in stores:
        await store.close()
