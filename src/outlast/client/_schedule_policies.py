"""How a schedule acts: overlaps, missed times, pauses, limits, backfills."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from temporalio.api.schedule import v1 as messages

from outlast.client._helpers import duration, span_of, timestamp


class ScheduleOverlapPolicy(IntEnum):
    """What to do when it is time for an action and the last one still runs."""

    SKIP = 1
    """Leave the action out."""
    BUFFER_ONE = 2
    """Act when the running one ends. One action waits at most, others are left out."""
    BUFFER_ALL = 3
    """Act when the running one ends, however many actions wait."""
    CANCEL_OTHER = 4
    """Ask the running one to stop, and act when it has ended."""
    TERMINATE_OTHER = 5
    """End the running one at once, and act."""
    ALLOW_ALL = 6
    """Act all the same. Actions that run side by side have no last result and failure to go on from."""


@dataclass
class ScheduleBackfill:
    """A span of time that has passed, for whose times a schedule acts now."""

    start_at: datetime
    """After this time."""

    end_at: datetime
    """Up to this time, and at it."""

    overlap: ScheduleOverlapPolicy | None = None
    """What to do when the last action still runs. None: what the schedule says."""

    def _to_proto(self) -> messages.BackfillRequest:
        return messages.BackfillRequest(
            start_time=timestamp(self.start_at),
            end_time=timestamp(self.end_at),
            overlap_policy=self.overlap or 0,  # type: ignore[arg-type]
        )


@dataclass
class SchedulePolicy:
    """What a schedule does when things do not go by the clock."""

    overlap: ScheduleOverlapPolicy = dataclasses.field(default_factory=lambda: ScheduleOverlapPolicy.SKIP)
    """When the last action still runs."""

    catchup_window: timedelta | None = None
    """How late it still acts for a time that the server missed. None: the server's choice, a year."""

    pause_on_failure: bool = False
    """Whether a failure pauses it. Not with ``ALLOW_ALL``."""

    @staticmethod
    def _from_proto(pol: messages.SchedulePolicies) -> SchedulePolicy:
        return SchedulePolicy(
            overlap=ScheduleOverlapPolicy(int(pol.overlap_policy)),
            catchup_window=span_of(pol, "catchup_window"),
            pause_on_failure=pol.pause_on_failure,
        )

    def _to_proto(self) -> messages.SchedulePolicies:
        return messages.SchedulePolicies(
            overlap_policy=self.overlap.value,  # type: ignore[arg-type]
            catchup_window=duration(self.catchup_window),
            pause_on_failure=self.pause_on_failure,
        )


@dataclass
class ScheduleState:
    """Whether a schedule acts."""

    note: str | None = None
    """Words for people. Pausing and going on replace them."""

    paused: bool = False
    """It does not act now."""

    limited_actions: bool = False
    """It acts ``remaining_actions`` times more."""

    remaining_actions: int = 0
    """How often it acts, with ``limited_actions``."""

    @staticmethod
    def _from_proto(state: messages.ScheduleState) -> ScheduleState:
        return ScheduleState(
            note=state.notes or None,
            paused=state.paused,
            limited_actions=state.limited_actions,
            remaining_actions=state.remaining_actions,
        )

    def _to_proto(self) -> messages.ScheduleState:
        return messages.ScheduleState(
            notes=self.note or "",
            paused=self.paused,
            limited_actions=self.limited_actions,
            remaining_actions=self.remaining_actions,
        )
