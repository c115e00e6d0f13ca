"""The registry of namespaces: read once, kept in memory, written through."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from uuid import NAMESPACE_DNS, uuid4, uuid5

import msgspec
from temporalio.api.enums.v1 import ArchivalState, IndexedValueType, NamespaceState
from temporalio.api.namespace.v1 import NamespaceInfo
from temporalio.api.workflowservice.v1 import DescribeNamespaceResponse

from outlast.engine.limits import (
    ID_BYTES_MAX,
    MEMO_BYTES_MAX,
    SECOND,
    TASK_COMPLETION_BYTES_MAX,
)
from outlast.engine.refusals import InvalidArgument, NamespaceNotFound
from outlast.engine.search_attributes import COLUMNS, COLUMNS_OF_KIND, TYPE_NAMES
from outlast.engine.triggers import NamespaceView
from outlast.server.frontend.bounds import Bounds
from outlast.server.frontend.features import Features
from outlast.server.store.protocol import Store, StoredNamespace

SYSTEM_NAMESPACE_ID = "32049b68-7872-4094-8e63-d0dd59896a83"
_DAY_S = 86_400
RETENTION_S = _DAY_S
"""How long a closed run is kept where nobody has said."""


class Namespace(msgspec.Struct, frozen=True):
    """What is kept of a namespace."""

    id: str
    name: str
    description: str = ""
    owner_email: str = ""
    retention_s: int = RETENTION_S
    data: dict[str, str] = {}
    search_attributes: dict[str, int] = {}
    """Custom search attributes: name to `IndexedValueType`."""
    columns: dict[str, str] = {}
    """Where lists keep each of them: name to column."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Namespace).decode
SYSTEM = Namespace(
    SYSTEM_NAMESPACE_ID,
    "temporal-system",
    "Temporal internal system namespace",
    "temporal-core@temporal.io",
    7 * _DAY_S,
)
"""Part of every server that speaks the protocol: tools expect to see it."""


class NamespaceRegistry:
    """Every namespace, by name and by id."""

    def __init__(self, store: Store, bounds: Bounds, retention_s: int = RETENTION_S, *, any_name: bool = False) -> None:
        """`retention_s` is that of namespaces which are made here. With `any_name` every name is one, in memory from its first use on."""
        self._store = store
        self.bounds = bounds
        self._retention_s = retention_s
        self._any_name = any_name
        self._by_name: dict[str, Namespace] = {}
        self._views: dict[str, NamespaceView] = {}
        self._ids: dict[str, str] = {}
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        self._keep(SYSTEM)
        for stored in await self._store.read_namespaces():
            self._keep(_decode(stored.data))

    def _keep(self, namespace: Namespace) -> None:
        self._by_name[namespace.name] = namespace
        self._views[namespace.id] = NamespaceView(
            namespace.id,
            namespace.name,
            namespace.search_attributes,
            namespace.retention_s * SECOND,
            self.bounds.events_suggested,
            self.bounds.blob_bytes_max,
            namespace.columns,
        )
        self._ids[namespace.name] = namespace.id

    async def register(self, namespace: Namespace) -> None:
        """Durable when this returns."""
        await self._store.write_namespace(StoredNamespace(namespace.id, namespace.name, _encode(namespace)))
        self._keep(namespace)

    async def change(self, name: str, change: Callable[[Namespace], Namespace]) -> None:
        """Replace a namespace that is registered; one change after the other. Durable when this returns."""
        async with self._changing:
            known = self._by_name[name]
            changed = change(known)
            if changed != known:
                await self._clear_new_columns(known, changed)
                await self.register(changed)

    async def _clear_new_columns(self, known: Namespace, changed: Namespace) -> None:
        """A column that another search attribute had, until it was removed, must not show its values under a new name."""
        for column in sorted(set(changed.columns.values()) - set(known.columns.values())):
            await self._store.clear_attribute(known.id, column)

    async def ensure(self, name: str, search_attributes: Mapping[str, int]) -> None:
        """Have a namespace of this name with these custom search attributes, as a server's flags ask."""
        known = self._by_name.get(name) or Namespace(str(uuid4()), name, retention_s=self._retention_s)
        merged = {**known.search_attributes, **search_attributes}
        if name not in self._by_name or merged != known.search_attributes:
            changed = with_search_attributes(known, merged)
            await self._clear_new_columns(known, changed)
            await self.register(changed)

    def find(self, name: str, *, empty: str = "Namespace is empty.") -> NamespaceView:
        """The namespace of this name. Raises InvalidArgument or NamespaceNotFound."""
        if not name:
            raise InvalidArgument(empty)
        if len(name) > ID_BYTES_MAX:
            raise InvalidArgument("Namespace length exceeds limit.")
        namespace = self._by_name.get(name)
        if namespace is None and self._any_name:
            namespace = Namespace(str(uuid5(NAMESPACE_DNS, name)), name, retention_s=self._retention_s)
            self._keep(namespace)
        if namespace is None:
            raise NamespaceNotFound(name)
        return self._views[namespace.id]

    def get(self, name: str) -> Namespace | None:
        return self._by_name.get(name)

    def get_by_id(self, namespace_id: str) -> Namespace | None:
        view = self._views.get(namespace_id)
        return None if view is None else self._by_name[view.name]

    def all(self) -> list[Namespace]:
        return sorted(self._by_name.values(), key=lambda namespace: namespace.name)

    def view(self, namespace_id: str) -> NamespaceView:
        return self._views[namespace_id]

    def ids(self) -> Mapping[str, str]:
        return MappingProxyType(self._ids)


def with_search_attributes(namespace: Namespace, attributes: Mapping[str, int]) -> Namespace:
    """The namespace with exactly these custom search attributes; one that is new gets a column that is free.

    Raises InvalidArgument when there is none.
    """
    columns = {name: column for name, column in namespace.columns.items() if name in attributes}
    taken = set(columns.values())
    for name, kind in attributes.items():
        if name not in columns:
            column = next((each for each, of in COLUMNS.items() if of == kind and each not in taken), None)
            if column is None:
                allowed, kind_name = COLUMNS_OF_KIND.get(kind, 0), TYPE_NAMES.get(kind, "Unspecified")
                text = f"cannot have more than {allowed} search attribute of type {kind_name}"
                raise InvalidArgument(f"Unable to create search attributes: {text}.")
            columns[name] = column
            taken.add(column)
    return msgspec.structs.replace(namespace, search_attributes=dict(attributes), columns=columns)


def describe(namespace: Namespace, bounds: Bounds, features: Features) -> DescribeNamespaceResponse:
    """The namespace as clients see it. Capabilities name what this server has, and nothing else."""
    described = DescribeNamespaceResponse()
    info = described.namespace_info
    info.name = namespace.name
    info.id = namespace.id
    info.state = NamespaceState.NAMESPACE_STATE_REGISTERED
    info.description = namespace.description
    info.owner_email = namespace.owner_email
    info.data.update(namespace.data)
    _capabilities(info.capabilities, features)
    info.limits.blob_size_limit_error = bounds.blob_bytes_error
    info.limits.memo_size_limit_error = MEMO_BYTES_MAX
    info.limits.workflow_task_completion_size_limit_error = TASK_COMPLETION_BYTES_MAX
    config = described.config
    config.workflow_execution_retention_ttl.seconds = namespace.retention_s
    config.bad_binaries.SetInParent()
    config.custom_search_attribute_aliases.update({column: name for name, column in namespace.columns.items()})
    config.history_archival_state = ArchivalState.ARCHIVAL_STATE_DISABLED
    config.visibility_archival_state = ArchivalState.ARCHIVAL_STATE_DISABLED
    described.replication_config.active_cluster_name = "active"
    described.replication_config.clusters.add(cluster_name="active")
    return described


def _capabilities(has: NamespaceInfo.Capabilities, features: Features) -> None:
    has.eager_workflow_start = True
    has.sync_update = True
    has.async_update = True
    has.workflow_pause = features.pause
    has.workflow_update_callbacks = features.update_callbacks


SEARCH_ATTRIBUTE_TYPES = {
    "Text": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}
"""The types of custom search attributes, by their names on the command line."""
