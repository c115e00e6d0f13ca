"""Activities.

asked ──ActivityTaskScheduled──► scheduled ──ActivityTaskStarted──► started ──completed, failed, timed out, canceled──► done
  └─cancel─► taken back              └──────── cancel ────────┴─► RequestCancelActivityTask asked, or abandoned

What the code hears of a cancellation depends on its type: at once (TRY_CANCEL, ABANDON), or when the activity has ended
(WAIT_CANCELLATION_COMPLETED). What comes after the code has heard is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from temporalio.api.failure.v1 import Failure

from outlast.replay import failures, kinds
from outlast.replay.flags import CHECK_IDS_AND_TYPES
from outlast.replay.machines.machine import Machine, Mismatch
from outlast.replay.wire import make_command
from outlast.workflow._options import ActivityCancellationType

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.common.v1 import Payloads
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.api.sdk.v1 import EventGroupMarker

    from outlast.replay.ledger import Ledger


class Waiter(Protocol):
    """Who waits for the result of something."""

    def resolve(self, result: Payloads | None) -> None: ...
    def fail(self, failure: Failure) -> None: ...


class Activity(Machine):
    """An activity that a worker of its task queue runs."""

    __slots__ = (
        "_activity_id",
        "_activity_type",
        "_cancel_asked",
        "_cancellation_type",
        "_heard",
        "_markers",
        "_scheduled_event_id",
        "_waiter",
    )

    def __init__(
        self,
        ledger: Ledger,
        waiter: Waiter,
        activity_id: str,
        activity_type: str,
        cancellation_type: ActivityCancellationType,
        command: Command | None,
        markers: Sequence[EventGroupMarker],
    ) -> None:
        super().__init__(ledger)
        self._waiter = waiter
        self._activity_id = activity_id
        self._activity_type = activity_type
        self._cancellation_type = cancellation_type
        self._markers = markers
        self._scheduled_event_id = 0
        self._cancel_asked = False
        self._heard = False
        """Whether the code knows the end."""
        ledger.ask(kinds.ACTIVITY_SCHEDULED, self, command)

    def cancel(self) -> None:
        """The code that waits for it was cancelled."""
        if self._heard or self._cancel_asked:
            return
        if not self._scheduled_event_id:
            self.cancelled_before_sent = True
        elif self._cancellation_type != ActivityCancellationType.ABANDON:
            self._ask_cancel()
            if self._cancellation_type == ActivityCancellationType.WAIT_CANCELLATION_COMPLETED:
                return
        self._fail(self._cancelled_failure())

    def _ask_cancel(self) -> None:
        self._cancel_asked = True
        command = None
        if not self.ledger.replaying:
            attributes = {"scheduled_event_id": self._scheduled_event_id}
            command = make_command(2, "request_cancel_activity_task_command_attributes", attributes, None, self._markers)
        self.ledger.ask(kinds.ACTIVITY_CANCEL_REQUESTED, self, command)

    def recorded(self, event: HistoryEvent) -> None:
        if event.event_type == kinds.ACTIVITY_CANCEL_REQUESTED:
            return
        attributes = event.activity_task_scheduled_event_attributes
        if self.ledger.flags.core_allows(CHECK_IDS_AND_TYPES, replaying=not self.ledger.last_slice):
            if attributes.activity_id != self._activity_id:
                raise Mismatch(f"the activity's id is {attributes.activity_id!r} in history, {self._activity_id!r} in the code")
            if attributes.activity_type.name != self._activity_type:
                raise Mismatch(f"the activity's type is {attributes.activity_type.name!r} in history, {self._activity_type!r} in the code")
        self._scheduled_event_id = event.event_id
        self.ledger.by_event[event.event_id] = self

    def moved(self, event: HistoryEvent) -> None:
        kind = event.event_type
        if kind == kinds.ACTIVITY_STARTED:
            return
        del self.ledger.by_event[self._scheduled_event_id]
        if self._heard:
            return
        if kind == kinds.ACTIVITY_COMPLETED:
            completed = event.activity_task_completed_event_attributes
            self._tell(self._waiter.resolve, completed.result if completed.HasField("result") else None)
        elif kind == kinds.ACTIVITY_FAILED:
            self._fail(failures.activity_failed(event.activity_task_failed_event_attributes, self._activity_type, self._activity_id))
        elif kind == kinds.ACTIVITY_TIMED_OUT:
            self._fail(failures.activity_timed_out(event.activity_task_timed_out_event_attributes, self._activity_type, self._activity_id))
        else:
            canceled = event.activity_task_canceled_event_attributes
            self._fail(failures.activity_canceled(self._activity_type, self._activity_id, canceled))

    def _cancelled_failure(self) -> Failure:
        return failures.activity_canceled(self._activity_type, self._activity_id)

    def _fail(self, failure: Failure) -> None:
        self._tell(self._waiter.fail, failure)

    def _tell(self, hear: Callable[[Any], None], outcome: Any) -> None:
        self._heard = True
        self.ledger.jobs.add(hear, outcome)
        del self._waiter

    def describe(self) -> str:
        return f"activity {self._activity_type!r} with id {self._activity_id!r}"
