"""The namespace records."""

import pytest

from outlast.server.store.errors import NamespaceNameTaken
from outlast.server.store.protocol import Store, StoredNamespace


async def _names(store: Store) -> dict[str, StoredNamespace]:
    return {namespace.id: namespace for namespace in await store.read_namespaces()}


async def test_namespaces_are_read_back(store: Store) -> None:
    first, second = StoredNamespace("1", "default", b"\x00\xff"), StoredNamespace("2", "Größe", b"")
    await store.write_namespace(first)
    await store.write_namespace(second)

    assert await _names(store) == {"1": first, "2": second}


async def test_a_namespace_is_replaced_by_id(store: Store) -> None:
    await store.write_namespace(StoredNamespace("1", "old", b"old"))
    await store.write_namespace(StoredNamespace("1", "new", b"new"))

    assert await _names(store) == {"1": StoredNamespace("1", "new", b"new")}


async def test_a_name_of_another_namespace_is_refused(store: Store) -> None:
    first, second = StoredNamespace("1", "default", b"1"), StoredNamespace("2", "other", b"2")
    await store.write_namespace(first)
    await store.write_namespace(second)

    for taken in (StoredNamespace("3", "default", b"3"), StoredNamespace("2", "default", b"3")):
        with pytest.raises(NamespaceNameTaken, match="default"):
            await store.write_namespace(taken)

    assert await _names(store) == {"1": first, "2": second}
