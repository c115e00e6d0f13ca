"""What the text of a list filter asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.server.store.filters import And, Filter, IsNull, Order
from outlast.server.visibility.conditions import Conditions
from outlast.server.visibility.grammar import parse, subtrees
from outlast.server.visibility.limits import QUERY_BYTES_MAX
from outlast.server.visibility.names import Named
from outlast.server.visibility.refusal import InvalidQuery, unsupported

if TYPE_CHECKING:
    from outlast.engine.triggers import NamespaceView
    from outlast.server.visibility.grammar import Node

DIVISION = "TemporalNamespaceDivision"
OF_WORKFLOWS = IsNull(DIVISION)
"""What is asked for unless the filter names the division: workflows, and not what the server keeps for itself."""


class ListQuery(msgspec.Struct, frozen=True):
    """A filter that was understood."""

    where: Filter
    group_by: Named | None = None
    order: Sequence[Order] = ()


def list_query(text: str, namespace: NamespaceView) -> ListQuery:
    """Raises InvalidQuery, whatever the text is."""
    if not text.strip():
        return ListQuery(OF_WORKFLOWS)
    if len(text.encode()) > QUERY_BYTES_MAX:
        raise InvalidQuery(f"longer than {QUERY_BYTES_MAX} bytes")
    clauses = {str(each.data): each for each in subtrees(parse(text))}
    if "limit" in clauses:
        raise unsupported("'LIMIT' clause")
    conditions = Conditions(namespace)
    where = [conditions.condition(each) for each in _parts(clauses, "where")]
    group_by = _group_by(_parts(clauses, "group_by"), conditions)
    order = [_order(each, conditions) for each in _parts(clauses, "order_by")]
    if DIVISION not in conditions.named:
        where.insert(0, OF_WORKFLOWS)
    return ListQuery(where[0] if len(where) == 1 else And(where), group_by, order)


def _parts(clauses: Mapping[str, Node], name: str) -> list[Node]:
    return subtrees(clauses[name]) if name in clauses else []


def _group_by(columns: Sequence[Node], conditions: Conditions) -> Named | None:
    if len(columns) > 1:
        raise unsupported("'GROUP BY' clause supports only a single field")
    return conditions.column(columns[0]) if columns else None


def _order(node: Node, conditions: Conditions) -> Order:
    named = conditions.column(subtrees(node)[0])
    if named.kind == Kind.INDEXED_VALUE_TYPE_TEXT:
        raise unsupported("unable to sort by search attribute type Text")
    return Order(named.attribute, str(node.children[-1]).upper() == "DESC")
