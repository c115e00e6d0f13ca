"""Conditions, orders and groups: every store means the same by them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outlast.engine.search_attributes import Value
from outlast.server.store.errors import BadPageToken
from outlast.server.store.filters import (
    DEPTH_MAX,
    KINDS,
    VALUES_MAX,
    And,
    Between,
    Compare,
    Filter,
    IsNull,
    Not,
    OneOf,
    Or,
    Order,
    StartsWith,
    VisibilityQuery,
)
from outlast.server.store.memory import MemoryStore
from outlast.server.store.protocol import Group, Store, VisibilityRecord
from outlast.server.store.sqlite import SqliteStore
from tests.conformance.records import NAMESPACE, key, record, write

ATTRIBUTES: dict[str, dict[str, Value]] = {
    "a": {"Keyword01": "red", "Int01": 5, "Double01": 1.5, "Bool01": True, "Datetime01": 1_000, "Text01": "Ein großer, roter Ball"},
    "b": {"Keyword01": "Red", "Int01": -5, "Double01": 2.0, "Bool01": False, "KeywordList01": ["x", "y z"], "Text01": "ein ball"},
    "c": {"Keyword01": "red-ish", "Int01": 0, "KeywordList01": ["x"], "TemporalNamespaceDivision": "Other"},
    "d": {},
    "e": {"Keyword01": "", "KeywordList01": ["X", "z"], "Text01": "!"},
}


async def fill(store: Store) -> None:
    """Five runs, the last two closed."""
    for number, (name, attributes) in enumerate(ATTRIBUTES.items()):
        closed = 100 + number if name in "de" else None
        shown = record(key(name), number, closed, status=2 if closed else 1, **attributes)
        shown = msgspec.structs.replace(shown, workflow_type="T" if name in "ab" else "Ü", parent_workflow_id="p" if name == "a" else "")
        await store.commit([write(key(name), visibility=shown)])


async def found(store: Store, where: Filter | None, order: Sequence[Order] = (), page_size: int = 2) -> str:
    """The names of the runs, in their order; read page by page, and counted."""
    names: list[str] = []
    token = b""
    query = VisibilityQuery(NAMESPACE, where, order)
    while True:
        page = await store.list_visibility(query, page_size, token)
        names += [each.run_id.removeprefix("run-") for each in page.records]
        token = page.next_token
        if not token:
            break
        assert len(names) < 100
    assert await store.count_visibility(NAMESPACE, where) == len(names)
    return "".join(names)


CASES: list[tuple[Filter, str]] = [
    (Compare("Keyword01", "=", "red"), "a"),
    (Compare("Keyword01", "!=", "red"), "cbe"),
    (Not(Compare("Keyword01", "=", "red")), "cbe"),
    (Compare("Keyword01", "<", "a"), "be"),
    (Compare("Keyword01", ">=", "red"), "ca"),
    (OneOf("Keyword01", ["red", "Red"]), "ba"),
    (Not(OneOf("Keyword01", ["red", "Red"])), "ce"),
    (StartsWith("Keyword01", "red"), "ca"),
    (Not(StartsWith("Keyword01", "red")), "be"),
    (StartsWith("Keyword01", ""), "cbae"),
    (IsNull("Keyword01"), "d"),
    (Not(IsNull("Keyword01")), "cbae"),
    (Between("Int01", -5, 0), "cb"),
    (Not(Between("Int01", -5, 0)), "a"),
    (Compare("Int01", ">", -0.5), "ca"),
    (Compare("Int01", "<", 1e30), "cba"),
    (Compare("Double01", "=", 2), "b"),
    (Compare("Bool01", "=", True), "a"),
    (Compare("Bool01", "!=", True), "b"),
    (Compare("Datetime01", "<=", 1_000), "a"),
    (Compare("KeywordList01", "=", "x"), "cb"),
    (Compare("KeywordList01", "!=", "x"), "aed"),
    (Not(Compare("KeywordList01", "=", "x")), "aed"),
    (OneOf("KeywordList01", ["X", "y z"]), "be"),
    (Not(OneOf("KeywordList01", ["X", "y z"])), "cad"),
    (Compare("KeywordList01", "=", "y"), ""),
    (IsNull("KeywordList01"), "ad"),
    (OneOf("Text01", ["ball", "nothing"]), "ba"),
    (OneOf("Text01", ["grosser"]), "a"),
    (Not(OneOf("Text01", ["ball"])), "ced"),
    (IsNull("Text01"), "cd"),
    (Compare("ExecutionStatus", "=", 2), "ed"),
    (Compare("WorkflowType", "=", "T"), "ba"),
    (And([Compare("WorkflowType", "=", "Ü"), Compare("ExecutionStatus", "=", 1)]), "c"),
    (Or([Compare("WorkflowType", "=", "T"), Compare("ExecutionStatus", "=", 2)]), "baed"),
    (IsNull("CloseTime"), "cba"),
    (Compare("CloseTime", ">", 103), "e"),
    (Compare("CloseTime", "!=", 103), "e"),
    (Not(Compare("CloseTime", ">", 103)), "d"),
    (Not(Between("CloseTime", 0, 103)), "e"),
    (Or([Compare("CloseTime", ">", 103), IsNull("CloseTime")]), "cbae"),
    (Compare("CloseTime", "<", 104), "d"),
    (Compare("CloseTime", "<", (1 << 63) - 2), "ed"),
    (IsNull("HistoryLength"), "cba"),
    (Compare("HistoryLength", "=", 3), "ed"),
    (Compare("ExecutionDuration", "=", 99), "ed"),
    (IsNull("ExecutionDuration"), "cba"),
    (Compare("ParentWorkflowId", "=", "p"), "a"),
    (IsNull("ParentWorkflowId"), "cbed"),
    (Compare("RunId", "=", "run-c"), "c"),
    (Compare("RunId", "!=", "run-c"), "baed"),
    (Compare("WorkflowId", "=", "workflow-b"), "b"),
    (StartsWith("WorkflowId", "workflow-"), "cbaed"),
    (IsNull("TemporalNamespaceDivision"), "baed"),
    (Compare("TemporalNamespaceDivision", "=", "Other"), "c"),
    (And([]), "cbaed"),
    (Or([]), ""),
]


@pytest.mark.parametrize("where, expected", CASES)
async def test_a_condition_selects_what_it_says(store: Store, where: Filter, expected: str) -> None:
    await fill(store)

    assert await found(store, where) == expected


@pytest.mark.parametrize(
    "order, expected",
    [
        ([Order("Int01")], "bcaed"),
        ([Order("Int01", descending=True)], "acbed"),
        ([Order("Keyword01")], "ebacd"),
        ([Order("Bool01", descending=True)], "abced"),
        ([Order("WorkflowType"), Order("StartTime")], "abcde"),
        ([Order("WorkflowType", descending=True), Order("StartTime")], "cdeab"),
        ([Order("CloseTime")], "decba"),
        ([Order("KeywordList01")], "ebcad"),
        ([Order("ExecutionDuration"), Order("RunId")], "deabc"),
        ([Order("ExecutionStatus", descending=True), Order("RunId", descending=True)], "edcba"),
    ],
)
@pytest.mark.parametrize("page_size", [1, 2, 5, 6])
async def test_any_attribute_orders_a_list_and_runs_without_it_come_last(
    store: Store, order: Sequence[Order], expected: str, page_size: int
) -> None:
    await fill(store)

    assert await found(store, None, order, page_size) == expected


@pytest.mark.parametrize(
    "attribute, expected",
    [
        ("ExecutionStatus", {(1, 3), (2, 2)}),
        ("WorkflowType", {("T", 2), ("Ü", 3)}),
        ("Keyword01", {("red", 1), ("Red", 1), ("red-ish", 1), ("", 1), (None, 1)}),
        ("Bool01", {(True, 1), (False, 1), (None, 3)}),
        ("KeywordList01", {("x", "y z", 1), ("x", 1), ("X", "z", 1), (None, 2)}),
        ("CloseTime", {(103, 1), (104, 1), (None, 3)}),
        ("TemporalNamespaceDivision", {(None, 4), ("Other", 1)}),
    ],
)
async def test_runs_are_counted_by_the_values_of_any_attribute(store: Store, attribute: str, expected: set[object]) -> None:
    await fill(store)

    groups = await store.group_visibility(NAMESPACE, None, attribute, 10)

    assert {(*group.value, group.count) if isinstance(group.value, list) else (group.value, group.count) for group in groups} == expected
    assert [group.count for group in groups] == sorted((group.count for group in groups), reverse=True)
    assert all(isinstance(group.value, bool) for group in groups if attribute == "Bool01" and group.value is not None)


async def test_only_the_largest_groups_are_given(store: Store) -> None:
    await fill(store)

    assert await store.group_visibility(NAMESPACE, None, "WorkflowType", 1) == [Group("Ü", 3)]
    assert await store.group_visibility(NAMESPACE, Compare("ExecutionStatus", "=", 9), "WorkflowType", 9) == []


async def test_what_an_attribute_was_is_found_no_more(store: Store) -> None:
    """Changed, taken away, and new; in lists, counts and groups."""
    await fill(store)
    changed = record(key("b"), 1, None, 1, KeywordList01=["y"], Text01="new words", Int02=7, TemporalNamespaceDivision="Other")
    await store.commit([write(key("b"), visibility=msgspec.structs.replace(changed, workflow_type="T"))])

    assert await found(store, Compare("KeywordList01", "=", "x")) == "c"
    assert await found(store, Compare("KeywordList01", "=", "y")) == "b"
    assert await found(store, OneOf("Text01", ["ball"])) == "a"
    assert await found(store, OneOf("Text01", ["new"])) == "b"
    assert await found(store, Compare("Keyword01", "=", "Red")) == ""
    assert await found(store, Compare("Int02", "=", 7)) == "b"
    assert await found(store, And([IsNull("TemporalNamespaceDivision"), Compare("WorkflowType", "=", "T")])) == "a"
    assert await found(store, And([Compare("TemporalNamespaceDivision", "=", "Other"), Compare("WorkflowType", "=", "T")])) == "b"


async def test_a_run_that_closes_moves_in_every_count_and_keeps_its_attributes(store: Store) -> None:
    await fill(store)
    closed = msgspec.structs.replace(record(key("a"), 0, 50, 4, **ATTRIBUTES["a"]), workflow_type="T")
    await store.commit([write(key("a"), visibility=closed)])

    assert await found(store, Compare("ExecutionStatus", "=", 1)) == "cb"
    assert await found(store, Compare("ExecutionStatus", "=", 4)) == "a"
    assert await found(store, Compare("Keyword01", "=", "red")) == "a"
    assert await found(store, OneOf("Text01", ["ball"])) == "ba"


async def test_a_deleted_run_is_found_by_nothing(store: Store) -> None:
    await fill(store)

    await store.delete_runs([key("a"), key("d"), key("unknown")])

    assert await found(store, None) == "cbe"
    assert await found(store, Compare("Keyword01", "=", "red")) == ""
    assert await found(store, OneOf("Text01", ["ball"])) == "b"
    assert await found(store, Compare("ExecutionStatus", "=", 2)) == "e"
    assert await store.group_visibility(NAMESPACE, None, "WorkflowType", 9) == [Group("Ü", 2), Group("T", 1)]


async def test_an_attribute_that_is_cleared_is_cleared_in_its_namespace_alone(store: Store) -> None:
    await fill(store)
    other = record(key("o", "other"), 1, Keyword01="red")
    await store.commit([write(key("o", "other"), visibility=other)])

    for name in ("Keyword01", "KeywordList01", "Text01", "Keyword02"):
        await store.clear_attribute(NAMESPACE, name)

    assert await found(store, IsNull("Keyword01")) == "cbaed"
    assert await found(store, OneOf("KeywordList01", ["x", "X"])) == ""
    assert await found(store, OneOf("Text01", ["ball"])) == ""
    assert await found(store, Compare("Int01", "=", 5)) == "a"
    assert await store.count_visibility("other", Compare("Keyword01", "=", "red")) == 1


async def test_more_runs_than_one_transaction_clears_are_cleared(store: Store) -> None:
    runs = [key(f"{number}") for number in range(1_100)]
    await store.commit([write(each, visibility=record(each, 1, Keyword01="red")) for each in runs])

    await store.clear_attribute(NAMESPACE, "Keyword01")

    assert await store.count_visibility(NAMESPACE, IsNull("Keyword01")) == 1_100


async def test_a_token_of_another_order_is_refused(store: Store) -> None:
    await fill(store)
    plain = await store.list_visibility(VisibilityQuery(NAMESPACE), 1, b"")
    by_number = await store.list_visibility(VisibilityQuery(NAMESPACE, None, [Order("Int01")]), 1, b"")

    for order, token in (
        ([Order("Int01")], plain.next_token),
        ([], by_number.next_token),
        ([Order("Keyword01")], by_number.next_token),
        ([Order("ExecutionStatus")], b'[1,1,"r",["x"]]'),
        ([Order("WorkflowType")], b'[1,1,"r",[1]]'),
        ([Order("Bool01")], b'[1,1,"r",[1.5]]'),
    ):
        with pytest.raises(BadPageToken):
            await store.list_visibility(VisibilityQuery(NAMESPACE, None, order), 1, token)


async def test_long_and_deep_conditions_are_answered(store: Store) -> None:
    await fill(store)
    chain: list[Filter] = [Compare("Keyword01", "!=", f"no {number}") for number in range(3_000)]
    deep: Filter = Compare("Keyword01", "=", "red")
    for _ in range(DEPTH_MAX // 2):
        deep = Not(Or([Compare("Int01", "=", 77), Not(And([*chain[:9], Not(Not(deep))]))]))

    assert await found(store, And(chain)) == "cbae"
    assert await found(store, Or(chain)) == "cbae"
    assert await found(store, OneOf("Keyword01", [f"no {number}" for number in range(VALUES_MAX)])) == ""
    assert await found(store, deep) == "a"


TEXTS = st.sampled_from(["", "a", "b", "ab", "a b", "A", "ä", "'", "%", "_", "a%", "\x00", "a\x00b", "😀", "\ud7ff", "\U0010ffff", '"'])
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([-(1 << 63), (1 << 63) - 1]))
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "Keyword01": TEXTS,
    "Int01": NUMBERS,
    "Double01": st.sampled_from([-1.5, 0.0, 1.0, 1e300]),
    "Bool01": st.booleans(),
    "Datetime01": NUMBERS,
    "Text01": TEXTS,
    "KeywordList01": st.lists(TEXTS, min_size=1, max_size=3),
}
NAMES = [*VALUES, "WorkflowType", "ExecutionStatus", "CloseTime", "StartTime", "HistoryLength", "TemporalNamespaceDivision"]


@st.composite
def records(draw: st.DrawFn) -> list[VisibilityRecord]:
    made = []
    for number in range(draw(st.integers(0, 6))):
        attributes = draw(st.fixed_dictionaries({}, optional=VALUES))
        if draw(st.booleans()):
            attributes["TemporalNamespaceDivision"] = draw(TEXTS)
        shown = record(
            key(f"{number}"), draw(st.integers(0, 2)), draw(st.none() | st.integers(3, 5)), draw(st.integers(1, 3)), **attributes
        )
        made.append(msgspec.structs.replace(shown, workflow_type=draw(TEXTS)))
    return made


def literals(name: str) -> st.SearchStrategy[str | int | float | bool]:
    if name in ("ExecutionStatus", "CloseTime", "StartTime", "HistoryLength"):
        return st.integers(0, 5)
    if name == "KeywordList01" or name not in VALUES:
        return TEXTS
    return VALUES[name]  # type: ignore[return-value]


@st.composite
def leaves(draw: st.DrawFn) -> Filter:
    name = draw(st.sampled_from(NAMES))
    value = literals(name)
    if name in ("Text01", "KeywordList01"):
        listed: Filter = OneOf(name, draw(st.lists(value, min_size=1, max_size=3)))
        return draw(st.sampled_from([listed, IsNull(name)]))
    kinds = ["compare", "one of", "between", "null"] + (
        ["prefix"] if KINDS[name] == KINDS["Keyword01"] and name != "ExecutionStatus" else []
    )
    match draw(st.sampled_from(kinds)):
        case "compare":
            return Compare(name, draw(st.sampled_from(("=", "!=", "<", "<=", ">", ">="))), draw(value))
        case "one of":
            return OneOf(name, draw(st.lists(value, min_size=1, max_size=3)))
        case "between":
            return Between(name, draw(value), draw(value))
        case "prefix":
            return StartsWith(name, str(draw(value)))
        case _:
            return IsNull(name)


FILTERS: st.SearchStrategy[Filter] = st.recursive(
    leaves(),
    lambda inner: st.one_of(st.builds(Not, inner), st.builds(And, st.lists(inner, max_size=3)), st.builds(Or, st.lists(inner, max_size=3))),
    max_leaves=5,
)
ORDERS = st.lists(st.builds(Order, st.sampled_from([name for name in NAMES if name != "Text01"]), st.booleans()), max_size=2)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records(), FILTERS, ORDERS, st.sampled_from(NAMES))
async def test_sqlite_selects_orders_and_groups_as_the_memory_store_does(
    tmp_path_factory: pytest.TempPathFactory, shown: list[VisibilityRecord], where: Filter, order: list[Order], attribute: str
) -> None:
    stores: list[Store] = [MemoryStore(), SqliteStore(Path(tmp_path_factory.mktemp("same")) / "outlast.db", {"synchronous": "off"})]
    answers = []
    for store in stores:
        await store.open()
        await store.commit([write(key(each.run_id.removeprefix("run-")), visibility=each) for each in shown])
        groups = await store.group_visibility(NAMESPACE, where, attribute, 100)
        answers.append((await found(store, where, order), sorted(map(repr, groups))))
        await store.close()

    assert answers[0] == answers[1]
