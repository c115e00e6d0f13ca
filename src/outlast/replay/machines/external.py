"""Signals to other workflows, and requests to cancel them.

signal: asked ──…Initiated──► initiated ──ExternalWorkflowExecutionSignaled, …Failed──► done
cancel: asked ──…Initiated──► initiated ──ExternalWorkflowExecutionCancelRequested, …Failed──► done

A signal that has not been sent yet can be taken back; a request to cancel cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from outlast.replay import failures, kinds
from outlast.replay.machines.machine import Machine

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.failure.v1 import Failure
    from temporalio.api.history.v1 import HistoryEvent

    from outlast.replay.ledger import Ledger

Done = Callable[["Failure | None"], None]

_SIGNAL_FAILED_BECAUSE: Final = {
    1: ("ExternalWorkflowExecutionNotFound", "it was not found"),
    2: ("NamespaceNotFound", "it was not found"),
    3: ("SignalCountLimitExceeded", "The per-workflow signal limit was exceeded"),
}
_CANCEL_FAILED_BECAUSE: Final = {
    1: ("ExternalWorkflowExecutionNotFound", "not found"),
    2: ("NamespaceNotFound", "not found"),
}
_UNKNOWN: Final = ("Unspecified", "unknown")


class ExternalSignal(Machine):
    """A signal to a workflow that runs elsewhere, or to a child."""

    __slots__ = ("_done", "_initiated_event_id", "_over", "_workflow_id")

    def __init__(self, ledger: Ledger, workflow_id: str, done: Done, command: Command | None) -> None:
        super().__init__(ledger)
        self._workflow_id = workflow_id
        self._done = done
        self._over = False
        self._initiated_event_id = 0
        ledger.ask(kinds.EXTERNAL_SIGNAL_INITIATED, self, command)

    def cancel(self) -> None:
        """Take it back if it has not been sent."""
        if self._over or self._initiated_event_id:
            return
        self.cancelled_before_sent = self._over = True
        self.ledger.jobs.add(self._done, failures.canceled("Signal was cancelled before being sent"))

    def recorded(self, event: HistoryEvent) -> None:
        self._initiated_event_id = event.event_id
        self.ledger.by_event[event.event_id] = self

    def moved(self, event: HistoryEvent) -> None:
        del self.ledger.by_event[self._initiated_event_id]
        self._over = True
        failure = None
        if event.event_type == kinds.EXTERNAL_SIGNAL_FAILED:
            cause = event.signal_external_workflow_execution_failed_event_attributes.cause
            kind, reason = _SIGNAL_FAILED_BECAUSE.get(cause, _UNKNOWN)
            failure = failures.application(f"Unable to signal external workflow because {reason}", kind)
        self.ledger.jobs.add(self._done, failure)

    def describe(self) -> str:
        return f"signal to workflow {self._workflow_id!r}"


class ExternalCancel(Machine):
    """A request to cancel a workflow that runs elsewhere, or a child. `done` is None if nobody waits for the answer."""

    __slots__ = ("_done", "_initiated_event_id", "_workflow_id")

    def __init__(self, ledger: Ledger, workflow_id: str, done: Done | None, command: Command | None) -> None:
        super().__init__(ledger)
        self._workflow_id = workflow_id
        self._done = done
        self._initiated_event_id = 0
        ledger.ask(kinds.EXTERNAL_CANCEL_INITIATED, self, command)

    def recorded(self, event: HistoryEvent) -> None:
        self._initiated_event_id = event.event_id
        self.ledger.by_event[event.event_id] = self

    def moved(self, event: HistoryEvent) -> None:
        del self.ledger.by_event[self._initiated_event_id]
        if self._done is None:
            return
        failure = None
        if event.event_type == kinds.EXTERNAL_CANCEL_FAILED:
            cause = event.request_cancel_external_workflow_execution_failed_event_attributes.cause
            kind, reason = _CANCEL_FAILED_BECAUSE.get(cause, _UNKNOWN)
            failure = failures.application(f"Unable to cancel external workflow because {reason}", kind)
        self.ledger.jobs.add(self._done, failure)

    def describe(self) -> str:
        return f"request to cancel workflow {self._workflow_id!r}"
