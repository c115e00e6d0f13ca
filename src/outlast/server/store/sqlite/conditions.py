"""Filters as SQL: names come from our own tables, every value of a client's is bound."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple, assert_never

from outlast.engine.search_attributes import COLUMNS
from outlast.server.store.filters import (
    KINDS,
    ONLY_WHEN_CLOSED,
    OPEN_CLOSE_TIME,
    And,
    Between,
    Compare,
    Filter,
    IsNull,
    Literal_,
    Not,
    OneOf,
    Or,
    StartsWith,
    after_prefix,
    has_words,
)
from outlast.server.store.sqlite.schema import WORD_FIELDS

IN_COUNTS = frozenset({"ExecutionStatus", "TemporalNamespaceDivision", "WorkflowType"})
"""Conditions on these alone are answered by the table of counts."""
_OPEN = f'"CloseTime" = {OPEN_CLOSE_TIME}'
_CLOSED_AT = f'nullif("CloseTime", {OPEN_CLOSE_TIME})'
_WIDE = frozenset({"ExecutionStatus", "WorkflowType", "TaskQueue", "TemporalNamespaceDivision"})
"""Many runs have the same of these."""
_JOINS = {And: " and ", Or: " or "}


Leaf = Compare | OneOf | Between | StartsWith | IsNull
Words = tuple[str, tuple[Literal_, ...]]
"""An attribute and the words of which it may have any."""
Common = frozenset[Words | None]


class Sql(NamedTuple):
    """A piece of a statement, and what is bound in it."""

    text: str
    values: tuple[object, ...] = ()
    depth: int = 0
    """How deep conditions are nested in it."""


def column(attribute: str) -> str:
    """The attribute's value as SQL. Raises KeyError for a name that no condition may have."""
    KINDS[attribute]
    if attribute == "CloseTime":
        return _CLOSED_AT
    if attribute == "ExecutionDuration":
        return f'iif({_OPEN}, null, max("CloseTime" - "ExecutionTime", 0))'
    return f'iif({_OPEN}, null, "{attribute}")' if attribute in ONLY_WHEN_CLOSED else f'"{attribute}"'


def condition(wanted: Filter, common: Common = frozenset()) -> Sql:
    """`common`: the word conditions that so many runs meet that they are better asked of each run than looked up."""
    match wanted:
        case And(()) | Or(()):
            return Sql("true" if isinstance(wanted, And) else "false")
        case And(conditions) if any(map(_is_narrow, conditions)):
            return _joined(
                [_unindexed(condition(each, common)) if _is_range(each) else condition(each, common) for each in conditions], " and "
            )
        case And(conditions) | Or(conditions):
            return _joined([condition(each, common) for each in conditions], _JOINS[type(wanted)])
        case Not(Not(doubly)):
            return condition(doubly, common)
        case Not(And(conditions)):
            return condition(Or([Not(each) for each in conditions]), common)
        case Not(Or(conditions)):
            return condition(And([Not(each) for each in conditions]), common)
        case Not(Compare() | OneOf() | Between() | StartsWith() | IsNull() as leaf):
            inner = _leaf(leaf, looked_up=False)
            return Sql(f"not ({inner.text})", inner.values)
        case Compare("CloseTime") | OneOf("CloseTime") | Between("CloseTime"):
            return _of_closed(_leaf(wanted))
        case Compare() | OneOf() | Between() | StartsWith() | IsNull():
            return _leaf(wanted, looked_up=_words(wanted) not in common)
        case _:
            raise AssertionError(f"{wanted} is no filter")


def _leaf(wanted: Leaf, *, looked_up: bool = True) -> Sql:
    match wanted:
        case IsNull("CloseTime"):
            return Sql(_OPEN)
        case IsNull(attribute):
            return Sql(f"{column(attribute)} is null")
        case Compare(attribute, comparison, value):
            if has_words(attribute):
                one = _with_words(attribute, [value], looked_up and comparison == "=")
                return one if comparison == "=" else Sql(f"not {one.text}", one.values)
            if attribute == "RunId":
                return _of_runs([value], comparison) or Sql(f'"RunId" {_operator(comparison)} ?', (value,))
            return Sql(f"{column(attribute)} {_operator(comparison)} ?", (value,))
        case OneOf(attribute, values):
            if has_words(attribute):
                return _with_words(attribute, values, looked_up)
            found = _of_runs(values, "=") if attribute == "RunId" else None
            return found or Sql(f"{column(attribute)} in ({_marks(values)})", tuple(values))
        case Between(attribute, low, high):
            return Sql(f"{column(attribute)} between ? and ?", (low, high))
        case StartsWith(attribute, prefix):
            end = after_prefix(prefix)
            if end is None:
                return Sql(f"{column(attribute)} >= ?", (prefix,))
            return Sql(f"({column(attribute)} >= ? and {column(attribute)} < ?)", (prefix, end))
        case _:
            assert_never(wanted)


def _is_narrow(wanted: Filter) -> bool:
    """Whether few runs meet it, as far as can be told from what it says."""
    match wanted:
        case OneOf(attribute) | Compare(attribute, "="):
            return not has_words(attribute) and attribute not in _WIDE
        case _:
            return False


def _is_range(wanted: Filter) -> bool:
    if isinstance(wanted, Compare):
        return wanted.operator not in ("=", "!=") and wanted.attribute in COLUMNS
    return isinstance(wanted, Between | StartsWith) and wanted.attribute in COLUMNS


def _unindexed(found: Sql) -> Sql:
    """The same for the planner to look up nothing by: beside what is narrow it would rather look up a range, which is not."""
    return found._replace(text=f"+({found.text})")


def _of_closed(compared: Sql) -> Sql:
    """The same so that an index can be used: where nothing stands before it, false is as good as unknown."""
    bare = compared.text.replace(_CLOSED_AT, '"CloseTime"')
    return Sql(f"({bare} and not {_OPEN})", compared.values)


def attributes_in(wanted: Filter | None) -> frozenset[str]:
    """The attributes that the condition looks at."""
    match wanted:
        case None:
            return frozenset()
        case And(conditions) | Or(conditions):
            return frozenset().union(*map(attributes_in, conditions))
        case Not(negated):
            return attributes_in(negated)
        case _:
            return frozenset({wanted.attribute})


def _joined(parts: Sequence[Sql], word: str) -> Sql:
    """As a tree that is as low as can be, the deeper half of each branch first.

    SQLite bounds how deep an expression may be, and reads a chain as one that leans to the left; and it bounds what its parser
    remembers: one thing for what is nested on the left of a word, three for what is on its right.
    """
    lowest = [(part.depth, number, part) for number, part in enumerate(parts)]
    heapify(lowest)
    for number in range(len(parts), 2 * len(parts) - 1):
        second, first = heappop(lowest)[2], heappop(lowest)[2]
        joined = Sql(f"({first.text}){word}({second.text})", first.values + second.values, first.depth + 1)
        heappush(lowest, (joined.depth, number, joined))
    return lowest[0][2]


def _operator(comparison: str) -> str:
    return {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}[comparison]


def _with_words(attribute: str, words: Sequence[Literal_], looked_up: bool) -> Sql:
    has_one = f"field = {WORD_FIELDS[attribute]} and word in ({_marks(words)})"
    if looked_up:
        return Sql(f"run in (select run from words where {has_one})", tuple(words))
    return Sql(f"exists (select run from words where {has_one} and words.run = shown.run)", tuple(words))


def word_conditions(wanted: Filter | None) -> Common:
    """The conditions on words that stand in this one and are not negated."""
    match wanted:
        case And(conditions) | Or(conditions):
            return frozenset().union(*map(word_conditions, conditions))
        case Compare() | OneOf():
            words = _words(wanted)
            return frozenset() if words is None else frozenset({words})
        case _:
            return frozenset()


def is_common(words: Words, limit: int) -> Sql:
    """Whether at least `limit` runs have one of the words: the statement gives a row if so."""
    attribute, sought = words
    has_one = f"field = {WORD_FIELDS[attribute]} and word in ({_marks(sought)})"
    return Sql(f"select run from words where {has_one} limit 1 offset ?", (*sought, limit - 1))


def _words(wanted: Leaf) -> Words | None:
    if isinstance(wanted, Compare | OneOf) and has_words(wanted.attribute):
        return wanted.attribute, tuple(wanted.values if isinstance(wanted, OneOf) else (wanted.value,))
    return None


def _of_runs(run_ids: Sequence[Literal_], comparison: str) -> Sql | None:
    """By the index that every run has anyway."""
    if comparison != "=":
        return None
    return Sql(f"run in (select number from runs where run_id in ({_marks(run_ids)}))", tuple(run_ids))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
