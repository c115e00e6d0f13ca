"""What SQLite's errors mean to the server."""

import sqlite3

from outlast.server.store.errors import StoreFull, StoreUnavailable


def as_setback(doing: str, error: sqlite3.DatabaseError) -> Exception:
    """The StoreError for a failure of the file; the error itself when it is a bug of ours."""
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)):
        return error
    if getattr(error, "sqlite_errorname", "").startswith("SQLITE_FULL"):
        return StoreFull(f"no room to {doing}: {error}")
    return StoreUnavailable(f"cannot {doing}: {error}")
