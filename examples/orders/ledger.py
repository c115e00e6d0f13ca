"""The ledger: what really happened to the orders, kept outside of any workflow in an append-only SQLite file.

It plays the warehouse, the bank and the carrier. An effect is written under its order and step, and the file refuses a
second one, as a bank does that is given an idempotency key.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from examples.orders.limits import LEDGER_LOCK_S_MAX

Step = Literal["check", "reserve", "charge", "ship"]
Kind = Literal["tried", "failed", "done", "repeated"]
"""tried: an attempt began. failed: it failed. done: its effect happened. repeated: the effect was there from an earlier attempt."""

SCHEMA = """
create table if not exists entries (
    id integer primary key, at text default (strftime('%Y-%m-%dT%H:%M:%fZ')),
    order_id text not null, step text not null, attempt integer not null, kind text not null, detail text not null);
create unique index if not exists once on entries (order_id, step) where kind = 'done';
create trigger if not exists no_update before update on entries begin select raise(abort, 'the ledger is append-only'); end;
create trigger if not exists no_delete before delete on entries begin select raise(abort, 'the ledger is append-only'); end;
"""


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    order_id: str
    step: Step
    attempt: int
    kind: Kind
    detail: str


class Ledger:
    """The file. Any number of threads and processes may use it; each call is one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._connect()) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.executescript(SCHEMA)

    def append(self, entry: Entry) -> None:
        """Write one entry durably. Raises sqlite3.IntegrityError for a second 'done' of an order's step."""
        with self._writing() as connection:
            _insert(connection, entry)

    def do_once(self, order_id: str, step: Step, attempt: int, effect: Callable[[list[Entry]], str]) -> str:
        """Make the effect unless an earlier attempt made it; its detail either way.

        `effect` gets what this step has done for other orders, and may raise to refuse: then nothing is written.
        """
        with self._writing() as connection:
            done = [entry for entry in _entries(connection) if entry.step == step and entry.kind == "done"]
            for entry in done:
                if entry.order_id == order_id:
                    _insert(connection, Entry(order_id, step, attempt, "repeated", entry.detail))
                    return entry.detail
            detail = effect(done)
            _insert(connection, Entry(order_id, step, attempt, "done", detail))
            return detail

    def entries(self) -> list[Entry]:
        """Everything, oldest first."""
        with closing(self._connect()) as connection:
            return _entries(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=LEDGER_LOCK_S_MAX, isolation_level=None)
        connection.execute("pragma synchronous = full")
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as connection:
            connection.execute("begin immediate")
            yield connection
            connection.execute("commit")


def _insert(connection: sqlite3.Connection, entry: Entry) -> None:
    connection.execute(
        "insert into entries (order_id, step, attempt, kind, detail) values (?, ?, ?, ?, ?)",
        (entry.order_id, entry.step, entry.attempt, entry.kind, entry.detail),
    )


def _entries(connection: sqlite3.Connection) -> list[Entry]:
    return [Entry(*row) for row in connection.execute("select order_id, step, attempt, kind, detail from entries order by id")]
