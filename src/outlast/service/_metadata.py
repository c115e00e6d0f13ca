"""The headers that go with calls."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from google.protobuf.message import Message

Header = tuple[str, str | bytes]

CLIENT_NAME = "outlast-python"
_KEPT_MAX = 100


class Headers:
    """A client's headers: its own, its user's, its API key's, and a call's. The later of two with one name wins."""

    def __init__(self, metadata: Mapping[str, str | bytes], api_key: str | None) -> None:
        self._metadata = checked(metadata)
        self._api_key = api_key
        self._kept: dict[str, tuple[Header, ...]] = {}

    def update(self, metadata: Mapping[str, str | bytes]) -> None:
        """Use these headers instead of the user's former ones. Raises ValueError or TypeError for what cannot be a header."""
        self._metadata = checked(metadata)
        self._kept = {}

    def update_api_key(self, api_key: str | None) -> None:
        """Use this API key instead of the former one."""
        self._api_key = api_key
        self._kept = {}

    def of(self, request: Message, metadata: Mapping[str, str | bytes]) -> tuple[Header, ...]:
        """What goes along with this request."""
        namespace: str = getattr(request, "namespace", "")
        if metadata:
            return tuple(self._of(namespace, checked(metadata)).items())
        kept = self._kept.get(namespace)
        if kept is None:
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            kept = self._kept[namespace] = tuple(self._of(namespace, {}).items())
        return kept

    def _of(self, namespace: str, metadata: Mapping[str, str | bytes]) -> dict[str, str | bytes]:
        headers: dict[str, str | bytes] = {"client-name": CLIENT_NAME, "client-version": _client_version()}
        if namespace:
            headers["temporal-namespace"] = namespace
        if self._api_key is not None:
            headers["authorization"] = f"Bearer {self._api_key}"
        return {**headers, **self._metadata, **metadata}


def checked(metadata: Mapping[str, str | bytes]) -> dict[str, str | bytes]:
    """The headers with names in lower case.

    Raises TypeError for a value that does not fit its name, ValueError for one that cannot be sent.
    """
    headers: dict[str, str | bytes] = {}
    for name, value in metadata.items():
        if name.lower().endswith("-bin"):
            if not isinstance(value, bytes):
                raise TypeError(f"Invalid metadata value for binary key {name}: expected bytes")
        elif not isinstance(value, str):
            raise TypeError(f"Invalid metadata value for ASCII key {name}: expected str")
        elif not (value.isascii() and value.isprintable()):
            raise ValueError(f"Invalid metadata value for ASCII key {name}: not printable ASCII")
        headers[name.lower()] = value
    return headers


def _client_version() -> str:
    try:
        return version("outlast")
    except PackageNotFoundError:
        return "0.0.0"
