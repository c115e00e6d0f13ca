"""What all machines have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlast.replay import kinds

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

    from outlast.replay.ledger import Ledger


class Mismatch(Exception):
    """The event does not fit what the code asked for; the message says in what."""


class Machine:
    """Something that the code asked for, from the command to its last event."""

    __slots__ = ("cancelled_before_sent", "ledger")

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.cancelled_before_sent = False
        """Whether the code took it back in the task in which it asked: its command is not sent then."""

    def recorded(self, event: HistoryEvent) -> None:
        """Apply the event that answers one of its commands.

        Raises:
            Mismatch: The event is about something else.
        """

    def moved(self, event: HistoryEvent) -> None:
        """Apply a later event that names the first one."""
        raise Mismatch(f"{self.describe()} cannot take a {kinds.event_name(event.event_type)}")

    def describe(self) -> str:
        """What the code asked for, in a few words."""
        raise NotImplementedError


class Plain(Machine):
    """A command that nothing more comes of once it has its event."""

    __slots__ = ("what",)

    def __init__(self, ledger: Ledger, what: str) -> None:
        super().__init__(ledger)
        self.what = what

    def describe(self) -> str:
        return self.what
