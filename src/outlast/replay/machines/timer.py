"""Timers.

asked ──TimerStarted──► started ──TimerFired──► done
  └──cancel──► taken back   └──cancel──► CancelTimer asked ──TimerCanceled──► done
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from outlast.replay import kinds
from outlast.replay.machines.machine import Machine, Mismatch
from outlast.replay.wire import make_command, span_of_ns

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.api.sdk.v1 import EventGroupMarker, UserMetadata

    from outlast.replay.ledger import Ledger
    from outlast.replay.loop import TimerHandle, WorkflowLoop


class TimerOptions(msgspec.Struct, frozen=True):
    """What a timer's command bears beside its span."""

    metadata: UserMetadata | None = None
    markers: Sequence[EventGroupMarker] = ()


class Timer(Machine):
    """A timer, and the callback that it makes ready when it fires."""

    __slots__ = ("_fired", "_handle", "_loop", "_options", "_over", "_seq", "_started_event_id")

    def __init__(
        self,
        ledger: Ledger,
        loop: WorkflowLoop,
        delay: float,
        handle: TimerHandle,
        options: TimerOptions,
    ) -> None:
        super().__init__(ledger)
        self._loop = loop
        self._handle = handle
        self._options = options
        self._over = False
        self._fired = False
        """Whether history has its end, which the code may not have heard yet."""
        self._seq = str(ledger.next_seq("timer"))
        self._started_event_id = 0
        ledger.ask(kinds.TIMER_STARTED, self, None if ledger.replaying else _start(self._seq, delay, options))

    def cancel(self) -> None:
        """The code no longer waits for it."""
        if self._over:
            return
        self._over = True
        del self._handle
        if not self._started_event_id:
            self.cancelled_before_sent = True
        elif not self._fired:
            command = None if self.ledger.replaying else _cancel(self._seq, self._options)
            self.ledger.ask(kinds.TIMER_CANCELED, self, command)

    def recorded(self, event: HistoryEvent) -> None:
        if event.event_type == kinds.TIMER_STARTED:
            self._started_event_id = event.event_id
            self.ledger.by_event[event.event_id] = self
        else:
            del self.ledger.by_event[self._started_event_id]

    def moved(self, event: HistoryEvent) -> None:
        timer_id = event.timer_fired_event_attributes.timer_id
        if timer_id != self._seq:
            raise Mismatch(f"the timer has id {timer_id!r} in history, the code's has {self._seq!r}")
        del self.ledger.by_event[self._started_event_id]
        self._fired = True
        self.ledger.jobs.add(self._fire)

    def _fire(self) -> None:
        # It may have been cancelled by a signal in the same task.
        if not self._over:
            self._over = True
            self._loop.make_ready(self._handle)
            del self._handle

    def describe(self) -> str:
        return f"timer {self._seq!r}"


def _start(timer_id: str, delay: float, options: TimerOptions) -> Command:
    attributes = {"timer_id": timer_id, "start_to_fire_timeout": span_of_ns(int(delay * 1e9))}
    return make_command(3, "start_timer_command_attributes", attributes, options.metadata, options.markers)


def _cancel(timer_id: str, options: TimerOptions) -> Command:
    return make_command(6, "cancel_timer_command_attributes", {"timer_id": timer_id}, None, options.markers)
