"""The store in one SQLite file: embedded, and for one server."""

from outlast.server.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
