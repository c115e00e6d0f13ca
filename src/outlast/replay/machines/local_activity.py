"""Local activities: run by the worker itself while the workflow task stays open, and remembered by a marker.

now:    requested ──outcome──► marker asked ──MarkerRecorded──► done
replay: waiting for its marker ──found ahead──► resolved ──MarkerRecorded──► done
            └──history ends without one──► requested

An attempt that fails is tried again at once if the pause is short (`retry_threshold`); otherwise a marker with the pause is
written, and the code waits for a timer and asks again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure

from outlast.replay import failures, kinds, markers
from outlast.replay.flags import CHECK_IDS_AND_TYPES
from outlast.replay.machines.machine import Machine, Mismatch
from outlast.replay.markers import LocalActivityMark
from outlast.replay.protocol import LocalActivity as Attempt
from outlast.replay.protocol import LocalActivityOutcome
from outlast.replay.wire import Fields, make_command
from outlast.workflow._options import ActivityCancellationType

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.api.sdk.v1 import EventGroupMarker, UserMetadata

    from outlast import common
    from outlast.replay.ledger import Ledger

_START_TO_CLOSE = 1
_RETRY_THRESHOLD_DEFAULT = timedelta(minutes=1)


class Backoff(msgspec.Struct, frozen=True):
    """The code must wait, and then ask again for this attempt."""

    attempt: int
    pause_ns: int
    scheduled_at_ns: int | None


class LocalWaiter(Protocol):
    """Who waits for the result."""

    def resolve(self, result: Payloads | None) -> None: ...
    def fail(self, failure: Failure) -> None: ...
    def back_off(self, backoff: Backoff) -> None: ...


class Wanted(msgspec.Struct, frozen=True):
    """What the code asked for."""

    seq: int
    activity_id: str
    activity_type: str
    attempt: int
    input: Sequence[Payload]
    headers: Mapping[str, Payload]
    scheduled_at_ns: int
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: common.RetryPolicy | None
    retry_threshold: timedelta | None
    cancellation_type: ActivityCancellationType
    metadata: UserMetadata | None = None
    event_groups: Sequence[EventGroupMarker] = ()

    def try_now(self, attempt: int, start_after: timedelta = timedelta(0)) -> Attempt:
        """What the worker is told to do for one attempt."""
        return Attempt(
            seq=self.seq,
            activity_id=self.activity_id,
            activity_type=self.activity_type,
            attempt=attempt,
            input=self.input,
            headers=self.headers,
            scheduled_at=self.scheduled_at_ns / 1e9,
            schedule_to_close_timeout=self.schedule_to_close_timeout,
            schedule_to_start_timeout=self.schedule_to_start_timeout,
            start_to_close_timeout=self.start_to_close_timeout,
            retry_policy=self.retry_policy,
            start_after=start_after,
        )


class LocalActivities:
    """The local activities of one run, and what the worker must be told about them."""

    def __init__(self) -> None:
        self.to_start: list[Attempt] = []
        self.to_cancel: list[int] = []
        self.under_way: set[int] = set()
        """Those whose outcome is awaited; while there are any, the task stays open."""
        self.found_ahead: dict[int, LocalActivityMark] = {}
        self.by_seq: dict[int, LocalActivity] = {}

    def request(self, attempt: Attempt) -> None:
        self.under_way.add(attempt.seq)
        self.to_start.append(attempt)

    def withdraw(self, seq: int) -> bool:
        """Take back what the worker has not been told yet. False if it has."""
        kept = [attempt for attempt in self.to_start if attempt.seq != seq]
        withdrawn = len(kept) < len(self.to_start)
        self.to_start = kept
        return withdrawn

    def over(self, seq: int) -> None:
        self.withdraw(seq)
        self.under_way.discard(seq)

    def replay_ended(self) -> None:
        """Those that still wait for a marker will get none: run them."""
        for activity in list(self.by_seq.values()):
            activity.replay_ended()


class LocalActivity(Machine):
    """One local activity; after a long pause, another one takes its place."""

    __slots__ = (
        "_attempt",
        "_heard",
        "_live",
        "_marker_asked",
        "_outcome",
        "_over",
        "_started_at_ns",
        "_waiter",
        "_wanted",
    )

    def __init__(self, ledger: Ledger, waiter: LocalWaiter, wanted: Wanted) -> None:
        super().__init__(ledger)
        self._waiter = waiter
        self._wanted = wanted
        self._attempt = wanted.attempt
        self._started_at_ns = ledger.now_ns
        self._live = not ledger.replaying
        """Whether it is run, and not looked up in history."""
        self._heard = False
        self._marker_asked = False
        self._over = False
        self._outcome = ""
        """Live: how it ended, to be compared with its marker."""
        ledger.local_activities.by_seq[wanted.seq] = self
        found = ledger.local_activities.found_ahead.pop(wanted.seq, None)
        if self._live:
            ledger.local_activities.request(wanted.try_now(self._attempt))
        elif found is not None:
            self._hear(found)

    @property
    def awaits_marker(self) -> bool:
        """Whether its marker is taken as news, and not as the answer to a command."""
        return not self._live and not self._over

    def found_ahead(self, mark: LocalActivityMark) -> None:
        """Its marker stands after this task."""
        if self._live or self._heard or self._over:
            self.ledger.local_activities.found_ahead[mark.seq] = mark
        else:
            self._hear(mark)

    def replay_ended(self) -> None:
        if self._live or self._heard or self._over:
            return
        self._live = True
        self.ledger.local_activities.request(self._wanted.try_now(self._attempt))

    def cancel(self) -> None:
        """The code that waits for it was cancelled."""
        waits = self._wanted.cancellation_type == ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
        if self._live and not self._marker_asked:
            if self._wanted.cancellation_type != ActivityCancellationType.ABANDON:
                self._request_cancel(waits=waits)
            if not waits:
                self._end(failure=failures.canceled("Activity cancelled"), completed_at_ns=None, cancelled=True)
        elif not self._live and not self._over and not self._heard:
            found = self.ledger.local_activities.found_ahead.pop(self._wanted.seq, None)
            if found is not None:
                self._hear(found)

    def _request_cancel(self, *, waits: bool) -> None:
        activities = self.ledger.local_activities
        if activities.withdraw(self._wanted.seq):
            activities.under_way.discard(self._wanted.seq)
            if waits:
                self._end(failure=failures.canceled("Activity cancelled"), completed_at_ns=self._started_at_ns, cancelled=True)
        else:
            activities.to_cancel.append(self._wanted.seq)

    def attempt_ended(self, outcome: LocalActivityOutcome) -> None:
        """The worker tells how an attempt ended."""
        activities = self.ledger.local_activities
        if self._marker_asked or self._over:
            activities.over(outcome.seq)
            return
        failure = outcome.failure
        if outcome.timed_out is not None:
            failure = failures.timed_out(outcome.timed_out)
        elif outcome.cancelled and failure is None:
            failure = failures.canceled("Activity cancelled")
        pause = self._pause(outcome, failure)
        if pause is not None and pause <= (self._wanted.retry_threshold or _RETRY_THRESHOLD_DEFAULT):
            self._attempt += 1
            activities.request(self._wanted.try_now(self._attempt, pause))
            return
        activities.over(outcome.seq)
        self._end(
            result=outcome.result,
            failure=failure,
            completed_at_ns=self._started_at_ns + int(outcome.runtime.total_seconds() * 1e9),
            cancelled=outcome.cancelled,
            timed_out=outcome.timed_out is not None,
            backoff_ns=None if pause is None else int(pause.total_seconds() * 1e9),
        )

    def _pause(self, outcome: LocalActivityOutcome, failure: Failure | None) -> timedelta | None:
        """How long to wait before the next attempt; None if there is none."""
        if failure is None or outcome.cancelled or outcome.timed_out not in (None, _START_TO_CLOSE):
            return None
        return next_pause(self._wanted.retry_policy, self._attempt, failure)

    def _end(
        self,
        *,
        completed_at_ns: int | None,
        result: Payloads | None = None,
        failure: Failure | None = None,
        cancelled: bool = False,
        timed_out: bool = False,
        backoff_ns: int | None = None,
    ) -> None:
        """It has ended now: tell the code, and write the marker."""
        mark = LocalActivityMark(
            seq=self._wanted.seq,
            attempt=self._attempt,
            activity_id=self._wanted.activity_id,
            activity_type=self._wanted.activity_type,
            completed_at_ns=completed_at_ns,
            backoff_ns=backoff_ns,
            scheduled_at_ns=self._wanted.scheduled_at_ns,
            result=result.payloads[0] if result is not None and result.payloads else None,
            failure=failure,
        )
        self._marker_asked = True
        self._outcome = "completed" if failure is None else "cancelled" if cancelled else "failed"
        self._hear(mark, timed_out=timed_out)
        if self._wanted.cancellation_type == ActivityCancellationType.ABANDON and (cancelled or timed_out):
            self.ledger.local_activities.over(self._wanted.seq)
        self.ledger.ask(kinds.MARKER_RECORDED, self, self._marker(mark))

    def _marker(self, mark: LocalActivityMark) -> Command:
        attributes: Fields = {"marker_name": markers.LOCAL_ACTIVITY, "details": markers.local_activity_details(mark)}
        if mark.failure is not None:
            attributes["failure"] = mark.failure
        return make_command(9, "record_marker_command_attributes", attributes, self._wanted.metadata, self._wanted.event_groups)

    def _hear(self, mark: LocalActivityMark, *, timed_out: bool = False) -> None:
        """Tell the code what the marker says, and move the workflow's clock to it."""
        self._heard = True
        jobs = self.ledger.jobs
        if mark.backoff_ns is not None:
            jobs.add(self._waiter.back_off, Backoff(mark.attempt + 1, mark.backoff_ns, mark.scheduled_at_ns))
        elif mark.failure is not None:
            jobs.add(self._waiter.fail, self._wrapped(mark.failure, timed_out=timed_out))
        else:
            jobs.add(self._waiter.resolve, Payloads(payloads=[mark.result]) if mark.result is not None else None)
        del self._waiter
        if mark.completed_at_ns is not None:
            self.ledger.now_ns = max(self.ledger.now_ns, mark.completed_at_ns)

    def _wrapped(self, failure: Failure, *, timed_out: bool) -> Failure:
        if timed_out or failure.HasField("timeout_failure_info"):
            message = "Local Activity timed out"
        elif failure.HasField("canceled_failure_info"):
            message = "Local Activity cancelled"
        else:
            return failure
        return failures.local_activity_wrapped(message, failure, self._wanted.activity_type, self._wanted.activity_id)

    def recorded(self, event: HistoryEvent) -> None:
        if not markers.is_local_activity(event):
            raise Mismatch(f"history has a marker {event.marker_recorded_event_attributes.marker_name!r}, the code {self.describe()}")
        mark = markers.read_local_activity(event.marker_recorded_event_attributes)
        self._check(mark)
        self._over = True
        self.ledger.local_activities.by_seq.pop(self._wanted.seq, None)
        if not self._heard:
            self._hear(mark)

    def _check(self, mark: LocalActivityMark) -> None:
        if mark.seq != self._wanted.seq:
            raise Mismatch(f"the local activity has number {mark.seq} in history, {self._wanted.seq} in the code")
        if (self._outcome == "completed" and mark.failure is not None) or (self._outcome == "failed" and mark.failure is None):
            raise Mismatch(f"the local activity {self._outcome} here, but not in history")
        if not self.ledger.flags.core_allows(CHECK_IDS_AND_TYPES, replaying=not self._live):
            return
        if mark.activity_id != self._wanted.activity_id:
            raise Mismatch(f"the local activity's id is {mark.activity_id!r} in history, {self._wanted.activity_id!r} in the code")
        if mark.activity_type != self._wanted.activity_type:
            raise Mismatch(f"the local activity's type is {mark.activity_type!r} in history, {self._wanted.activity_type!r} in the code")

    def describe(self) -> str:
        return f"local activity {self._wanted.activity_type!r} with id {self._wanted.activity_id!r}"


def next_pause(policy: common.RetryPolicy | None, attempt: int, failure: Failure) -> timedelta | None:
    """How long to wait after a failed attempt (the first is 1); None if there is no further one."""
    initial = policy.initial_interval if policy else timedelta(seconds=1)
    maximum_attempts = policy.maximum_attempts if policy else 0
    if maximum_attempts and attempt >= maximum_attempts:
        return None
    application = failure.application_failure_info if failure.HasField("application_failure_info") else None
    kind = application.type if application else ""
    refused = (policy.non_retryable_error_types if policy else None) or ()
    if (application and application.non_retryable) or kind.lower() in (other.lower() for other in refused):
        return None
    if application and application.HasField("next_retry_delay"):
        return application.next_retry_delay.ToTimedelta()
    longest = (policy.maximum_interval if policy else None) or initial * 100
    coefficient = policy.backoff_coefficient if policy and policy.backoff_coefficient >= 1 else 2.0
    try:
        return min(initial * coefficient ** (attempt - 1), max(longest, initial))
    except OverflowError:
        return max(longest, initial)
