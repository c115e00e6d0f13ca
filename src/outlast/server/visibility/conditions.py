"""From the tree of a list filter to a store's conditions: names resolved, values typed, what is not supported refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.server.store.filters import (
    DEPTH_MAX,
    VALUES_MAX,
    And,
    Between,
    Compare,
    Comparison,
    Filter,
    IsNull,
    Literal_,
    Not,
    OneOf,
    Or,
    StartsWith,
    words_of,
)
from outlast.server.visibility.literals import literal, name_of, status_name, type_of
from outlast.server.visibility.names import Named, resolve
from outlast.server.visibility.refusal import InvalidQuery, invalid, unsupported

if TYPE_CHECKING:
    from outlast.engine.triggers import NamespaceView
    from outlast.server.visibility.grammar import Node

_EQUALITY = "=", "!=", "<>"
_MEMBERSHIP = "IN", "NOT IN"
_ORDERED = "<", "<=", ">", ">="
_OPERATORS: dict[int, tuple[str, ...]] = {
    Kind.INDEXED_VALUE_TYPE_KEYWORD: (*_EQUALITY, *_ORDERED, *_MEMBERSHIP, "STARTS_WITH", "NOT STARTS_WITH"),
    Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST: (*_EQUALITY, *_MEMBERSHIP),
    Kind.INDEXED_VALUE_TYPE_TEXT: _EQUALITY,
}
_ALL_OTHERS = (*_EQUALITY, *_ORDERED, *_MEMBERSHIP)
_RANGED = (
    Kind.INDEXED_VALUE_TYPE_DATETIME,
    Kind.INDEXED_VALUE_TYPE_DOUBLE,
    Kind.INDEXED_VALUE_TYPE_INT,
    Kind.INDEXED_VALUE_TYPE_KEYWORD,
)


class Conditions:
    """Translates one filter."""

    def __init__(self, namespace: NamespaceView) -> None:
        self._namespace = namespace
        self._values = 0
        self.named: set[str] = set()
        """The attributes that the filter names, anywhere."""

    def column(self, node: Node) -> Named:
        if node.data != "column":
            raise invalid(f"must be a column name but was {type_of(node)}")
        named = resolve(name_of(node), self._namespace)
        self.named.add(named.attribute)
        return named

    def condition(self, node: Node, depth: int = 0) -> Filter:
        """Raises InvalidQuery. `depth`: in how many others it stands."""
        if depth > DEPTH_MAX:
            raise InvalidQuery(f"conditions are nested more than {DEPTH_MAX} deep")
        match str(node.data):
            case "parentheses" if len(node.children) == 3:
                return self.condition(_inner(node, 1), depth)
            case "negation":
                return Not(self.condition(_inner(node, 1), depth))
            case "and_" | "or_" as rule:
                parts = [self.condition(cast("Node", each), depth + 1) for each in node.children[::2]]
                return And(parts) if rule == "and_" else Or(parts)
            case "comparison" | "not_comparison" | "one_of" | "none_of":
                return self._compared(node)
            case "between" | "not_between" as rule:
                between = self._between(node)
                return between if rule == "between" else Not(between)
            case "is_null":
                return IsNull(self.column(_inner(node, 0)).attribute)
            case "is_not_null":
                return Not(IsNull(self.column(_inner(node, 0)).attribute))
            case "is_true":
                self.column(_inner(node, 0))
                raise invalid("'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'")
            case "column":
                raise invalid("incomplete expression")
            case "function":
                raise unsupported("function expression")
            case _:
                raise unsupported(f"expression of type {type_of(node)}")

    def _compared(self, node: Node) -> Filter:
        named = self.column(_inner(node, 0))
        operator = _operator(node)
        right = node.children[3 if operator.startswith("NOT ") else 2]
        values = self._literals(right, named)
        if operator not in _OPERATORS.get(named.kind, _ALL_OTHERS):
            raise unsupported(f"operator '{operator}' not supported for {named.kind_name} type search attribute '{named.alias}'")
        match operator:
            case "IN":
                return OneOf(named.attribute, values)
            case "NOT IN":
                return Not(OneOf(named.attribute, values))
            case "STARTS_WITH":
                return _starts_with(named, values[0], operator)
            case "NOT STARTS_WITH":
                return Not(_starts_with(named, values[0], operator))
            case _ if named.kind == Kind.INDEXED_VALUE_TYPE_TEXT:
                found = _words(named, str(values[0]))
                return found if operator == "=" else Not(found)
            case _:
                return Compare(named.attribute, cast("Comparison", operator.replace("<>", "!=")), values[0])

    def _between(self, node: Node) -> Between:
        named = self.column(_inner(node, 0))
        if named.kind not in _RANGED:
            raise invalid(f"cannot do range condition on search attribute '{named.alias}' of type {named.kind_name}")
        low, high = (self._literals(each, named)[0] for each in (node.children[-3], node.children[-1]))
        return Between(named.attribute, low, high)

    def _literals(self, right: object, named: Named) -> list[Literal_]:
        """The one value, or those of a list. Raises InvalidQuery."""
        if not hasattr(right, "data"):
            raise invalid("unexpected value type sqlparser.ListArg")
        node = cast("Node", right)
        listed = [cast("Node", each) for each in node.children[1::2]] if node.data == "tuple" else [node]
        self._values += len(listed)
        if self._values > VALUES_MAX:
            raise InvalidQuery(f"more than {VALUES_MAX} values")
        return [literal(each, named) for each in listed]


def _inner(node: Node, place: Literal[0, 1]) -> Node:
    return cast("Node", node.children[place])


def _operator(node: Node) -> str:
    """As refusals name it: in capitals, and with NOT before it."""
    match str(node.data):
        case "one_of":
            return "IN"
        case "none_of":
            return "NOT IN"
        case "not_comparison":
            return f"NOT {str(node.children[2]).upper()}"
        case _:
            return str(node.children[1]).upper().replace("RLIKE", "REGEXP")


def _starts_with(named: Named, prefix: Literal_, operator: str) -> StartsWith:
    if not isinstance(prefix, str):
        prefix = status_name(int(prefix))  # the only keyword that is kept as a number
        raise invalid(f'right-hand side of "{operator.lower()}" operator must be a literal string (got: {prefix})')
    return StartsWith(named.attribute, prefix)


def _words(named: Named, text: str) -> Filter:
    """Any of the words; a text without a word is in nothing."""
    if not text.strip(" "):
        raise invalid(f"no tokens found filtering on Text type search attribute {named.alias}")
    words = words_of(text)
    return OneOf(named.attribute, words) if words else Or([])
