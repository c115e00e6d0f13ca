"""The language of list filters: what is understood, what is refused, and the bounds."""

import subprocess
import sys

import pytest

from outlast.server.store.filters import DEPTH_MAX, VALUES_MAX, And, Between, Compare, Filter, IsNull, Not, OneOf, Or, Order, StartsWith
from outlast.server.visibility.limits import NESTING_MAX, QUERY_BYTES_MAX
from outlast.server.visibility.query import OF_WORKFLOWS, list_query
from outlast.server.visibility.refusal import InvalidQuery
from tests.visibility.test_fuzz import VIEW

SECOND = 1_000_000_000


def where(text: str) -> Filter:
    """The condition without that on the division, which comes first."""
    found = list_query(text, VIEW).where
    assert isinstance(found, And) and found.conditions[0] == OF_WORKFLOWS
    return found.conditions[1]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("CK = 'a'", Compare("Keyword01", "=", "a")),
        ("CK <> 'a'", Compare("Keyword01", "!=", "a")),
        ("`CK` NOT IN ('a', \"b\")", Not(OneOf("Keyword01", ["a", "b"]))),
        ("CK not starts_with 'a'", Not(StartsWith("Keyword01", "a"))),
        ("CK NOT BETWEEN 'a' AND 'b' AND CI IS NOT NULL", And([Not(Between("Keyword01", "a", "b")), Not(IsNull("Int01"))])),
        ("CI = - - +5", Compare("Int01", "=", 5)),
        ("CX = 'Hello, World'", OneOf("Text01", ["hello", "world"])),
        ("CX != '...'", Not(Or([]))),
        (
            "CK = 'a' OR CI = 1 AND CB = true",
            Or([Compare("Keyword01", "=", "a"), And([Compare("Int01", "=", 1), Compare("Bool01", "=", True)])]),
        ),
        ("ExecutionStatus = 'TimedOut'", Compare("ExecutionStatus", "=", 7)),
        ("ExecutionDuration > '1d2h'", Compare("ExecutionDuration", ">", 26 * 3600 * SECOND)),
        ("ExecutionDuration > '-1.5s'", Compare("ExecutionDuration", ">", -3 * SECOND // 2)),
        ("CT < '1970-01-01T01:00:00.000000001+01:00'", Compare("Datetime01", "<", 1)),
        ("CT < '9999-12-31T23:59:59Z'", Compare("Datetime01", "<", (1 << 63) - 2)),
        ("ScheduleId = 'a'", Compare("WorkflowId", "=", "a")),
        ("Keyword07 = 'a'", Compare("Keyword07", "=", "a")),
    ],
)
def test_a_filter_means_these_conditions(text: str, expected: Filter) -> None:
    assert where(text) == expected


def test_a_division_that_is_named_is_not_presumed() -> None:
    assert list_query("TemporalNamespaceDivision = 'x'", VIEW).where == Compare("TemporalNamespaceDivision", "=", "x")
    assert list_query("GROUP BY TemporalNamespaceDivision", VIEW).where == And([])
    assert list_query(" \n", VIEW).where == OF_WORKFLOWS


def test_orders_and_groups_are_told() -> None:
    query = list_query("CI > 1 GROUP BY CK ORDER BY CI DESC, `StartTime`", VIEW)

    assert query.group_by is not None and query.group_by.attribute == "Keyword01"
    assert list(query.order) == [Order("Int01", descending=True), Order("StartTime")]


@pytest.mark.parametrize(
    "text, refusal",
    [
        ("x" * (QUERY_BYTES_MAX + 1), "longer than"),
        ("(" * (NESTING_MAX + 1) + "CK = 'a'" + ")" * (NESTING_MAX + 1), "max nesting level reached"),
        ("NOT " * (NESTING_MAX + 1) + "CK = 'a'", "max nesting level reached"),
        ("(CK = 'a' OR CI = 1 AND " * (DEPTH_MAX // 2 + 1) + "CB = true" + ")" * (DEPTH_MAX // 2 + 1), "nested more than"),
        (f"CI IN ({','.join('1' * (VALUES_MAX + 1))})", "more than 10000 values"),
        (" OR ".join(["CI IN (" + ",".join("1" * 999) + ")"] * 11), "more than 10000 values"),
    ],
)
def test_a_filter_has_bounds(text: str, refusal: str) -> None:
    with pytest.raises(InvalidQuery, match=refusal):
        list_query(text, VIEW)


@pytest.mark.parametrize(
    "text",
    [
        "(" * NESTING_MAX + "CK = 'a'" + ")" * NESTING_MAX,
        "NOT " * NESTING_MAX + "CK = 'a'",
        "(CK = 'a' OR CI = 1 AND " * (DEPTH_MAX // 2) + "CB = true" + ")" * (DEPTH_MAX // 2),
        f"CI IN ({','.join('1' * VALUES_MAX)})",
    ],
)
def test_what_is_just_within_the_bounds_is_understood(text: str) -> None:
    list_query(text, VIEW)


def test_a_server_that_is_asked_for_no_filter_does_not_load_the_parser() -> None:
    code = "import sys, outlast.server.node; assert 'lark' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
