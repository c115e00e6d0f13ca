"""Which attribute a name in a list filter means."""

from typing import NamedTuple

from outlast.engine.search_attributes import RESERVED_PREFIX, TYPE_NAMES
from outlast.engine.triggers import NamespaceView
from outlast.server.store.filters import KINDS
from outlast.server.visibility.refusal import InvalidQuery

_SCHEDULE_ID = "ScheduleId"


class Named(NamedTuple):
    """An attribute, as the client called it."""

    alias: str
    attribute: str
    """Its name in a store's conditions."""
    kind: int

    @property
    def kind_name(self) -> str:
        return TYPE_NAMES[self.kind]


def resolve(alias: str, namespace: NamespaceView) -> Named:
    """The namespace's own attributes first; then those that all have, with and without "Temporal" before their names.

    Raises InvalidQuery.
    """
    attribute = _attribute(alias, namespace)
    if attribute is None:
        raise InvalidQuery(f"invalid search attribute: {alias}")
    return Named(alias, attribute, KINDS[attribute])


def _attribute(alias: str, namespace: NamespaceView) -> str | None:
    if not alias.startswith(RESERVED_PREFIX) and alias in namespace.columns:
        return namespace.columns[alias]
    bare = alias.removeprefix(RESERVED_PREFIX)
    if bare == _SCHEDULE_ID:
        return "WorkflowId"
    return next((name for name in (alias, RESERVED_PREFIX + alias, bare) if name in KINDS), None)
