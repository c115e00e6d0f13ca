"""Calls about a namespace's own search attributes."""

from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    AddSearchAttributesResponse,
    ListSearchAttributesRequest,
    ListSearchAttributesResponse,
    RemoveSearchAttributesRequest,
    RemoveSearchAttributesResponse,
)

from outlast.engine.refusals import InvalidArgument
from outlast.engine.search_attributes import PREDEFINED, RESERVED_PREFIX, SYSTEM, TYPE_NAMES
from outlast.server.frontend.calls import Call
from outlast.server.frontend.namespaces import Namespace, NamespaceRegistry, with_search_attributes

_NO_NAMESPACE = "Namespace is not set on request."
_NO_ATTRIBUTES = "SearchAttributes are not set on request."


class SearchAttributeCalls:
    def __init__(self, namespaces: NamespaceRegistry) -> None:
        self._namespaces = namespaces

    async def add(self, request: AddSearchAttributesRequest, call: Call) -> AddSearchAttributesResponse:
        """All of them or none. One that is there already stays as it is, whatever its type."""
        namespace = self._namespaces.find(request.namespace, empty=_NO_NAMESPACE)
        if not request.search_attributes:
            raise InvalidArgument(_NO_ATTRIBUTES)
        added: dict[str, int] = dict(request.search_attributes.items())
        for name, kind in added.items():
            if _is_reserved(name):
                raise InvalidArgument(f"Search attribute {name} is reserved by system.")
            if kind and kind not in TYPE_NAMES:
                raise InvalidArgument(f"Unknown search attribute type: {kind}.")
        await self._namespaces.change(namespace.name, lambda known: _with(known, added))
        return AddSearchAttributesResponse()

    async def remove(self, request: RemoveSearchAttributesRequest, call: Call) -> RemoveSearchAttributesResponse:
        """Those that nobody knows are gone already."""
        namespace = self._namespaces.find(request.namespace, empty=_NO_NAMESPACE)
        if not request.search_attributes:
            raise InvalidArgument(_NO_ATTRIBUTES)
        removed = set(request.search_attributes)
        for name in request.search_attributes:
            if _is_reserved(name):
                raise InvalidArgument(f"Unable to remove non-custom search attributes: {name}.")
        await self._namespaces.change(namespace.name, lambda known: _without(known, removed))
        return RemoveSearchAttributesResponse()

    async def list(self, request: ListSearchAttributesRequest, call: Call) -> ListSearchAttributesResponse:
        namespace = self._namespaces.find(request.namespace, empty=_NO_NAMESPACE)
        reply = ListSearchAttributesResponse()
        for kept, names in ((reply.custom_attributes, namespace.search_attributes), (reply.system_attributes, SYSTEM | PREDEFINED)):
            for name, kind in names.items():
                kept[name] = kind  # type: ignore[assignment]
        return reply


def _is_reserved(name: str) -> bool:
    return name in SYSTEM or name in PREDEFINED or name.startswith(RESERVED_PREFIX)


def _with(known: Namespace, added: dict[str, int]) -> Namespace:
    new = {name: kind for name, kind in added.items() if name not in known.search_attributes}
    return with_search_attributes(known, known.search_attributes | new)


def _without(known: Namespace, removed: set[str]) -> Namespace:
    left = {name: kind for name, kind in known.search_attributes.items() if name not in removed}
    return with_search_attributes(known, left)
