"""Child workflows.

asked ──StartChildWorkflowExecutionInitiated──► initiated ──ChildWorkflowExecutionStarted──► started ──completed, …──► done
  └─cancel─► taken back                           └──StartChildWorkflowExecutionFailed──► done

A cancellation becomes a request to the child, if its type says so, and is reported at once (TRY_CANCEL, ABANDON) or when
the child has ended. What comes after the code has heard of the end is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from temporalio.api.failure.v1 import Failure

from outlast.replay import failures, kinds
from outlast.replay.flags import CHECK_IDS_AND_TYPES
from outlast.replay.machines.external import ExternalCancel
from outlast.replay.machines.machine import Machine, Mismatch
from outlast.replay.wire import Fields, make_command
from outlast.workflow._options import ChildWorkflowCancellationType

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.common.v1 import Payloads
    from temporalio.api.history.v1 import HistoryEvent

    from outlast.replay.ledger import Ledger

_AT_ONCE = (ChildWorkflowCancellationType.ABANDON, ChildWorkflowCancellationType.TRY_CANCEL)


class ChildWaiter(Protocol):
    """Who waits for a child's start and for its end."""

    def started(self, run_id: str) -> None: ...
    def refused(self, cause: int, workflow_id: str, workflow_type: str) -> None: ...
    def resolve(self, result: Payloads | None) -> None: ...
    def fail(self, failure: Failure) -> None: ...


class ChildWorkflow(Machine):
    """A child workflow."""

    __slots__ = (
        "_cancellation_type",
        "_heard",
        "_initiated_event_id",
        "_run_id",
        "_started_event_id",
        "_waiter",
        "_workflow_id",
        "_workflow_type",
    )

    def __init__(
        self,
        ledger: Ledger,
        waiter: ChildWaiter,
        workflow_id: str,
        workflow_type: str,
        cancellation_type: ChildWorkflowCancellationType,
        command: Command | None,
    ) -> None:
        super().__init__(ledger)
        self._waiter = waiter
        self._workflow_id = workflow_id
        self._workflow_type = workflow_type
        self._cancellation_type = cancellation_type
        self._initiated_event_id = self._started_event_id = 0
        self._run_id = ""
        self._heard = False
        ledger.ask(kinds.CHILD_INITIATED, self, command)

    def cancel(self, reason: str) -> None:
        """The code that waits for it was cancelled."""
        if self._heard:
            return
        if not self._initiated_event_id:
            self.cancelled_before_sent = True
            message = f"Child Workflow Execution cancelled before scheduled: {reason}"
            self._fail(self._failure(message, failures.canceled(), failures.NON_RETRYABLE))
            return
        if self._cancellation_type != ChildWorkflowCancellationType.ABANDON:
            command = None if self.ledger.replaying else self._cancel_command(reason)
            ExternalCancel(self.ledger, self._workflow_id, None, command)
        if self._cancellation_type in _AT_ONCE:
            self._fail(self._canceled())

    def _cancel_command(self, reason: str) -> Command:
        attributes: Fields = {
            "namespace": self.ledger.namespace,
            "workflow_id": self._workflow_id,
            "run_id": self._run_id,
            "child_workflow_only": True,
            "reason": reason,
        }
        return make_command(8, "request_cancel_external_workflow_execution_command_attributes", attributes)

    def recorded(self, event: HistoryEvent) -> None:
        attributes = event.start_child_workflow_execution_initiated_event_attributes
        if self.ledger.flags.core_allows(CHECK_IDS_AND_TYPES, replaying=not self.ledger.last_slice):
            if attributes.workflow_id != self._workflow_id:
                raise Mismatch(f"the child's id is {attributes.workflow_id!r} in history, {self._workflow_id!r} in the code")
            if attributes.workflow_type.name != self._workflow_type:
                raise Mismatch(f"the child's type is {attributes.workflow_type.name!r} in history, {self._workflow_type!r} in the code")
        self._initiated_event_id = event.event_id
        self.ledger.by_event[event.event_id] = self

    def moved(self, event: HistoryEvent) -> None:
        if event.event_type == kinds.CHILD_STARTED:
            self._started_event_id = event.event_id
            self._run_id = event.child_workflow_execution_started_event_attributes.workflow_execution.run_id
            if not self._heard:
                self.ledger.jobs.add(self._waiter.started, self._run_id)
            return
        del self.ledger.by_event[self._initiated_event_id]
        if not self._heard:
            self._end(event)

    def _end(self, event: HistoryEvent) -> None:
        kind = event.event_type
        if kind == kinds.CHILD_START_FAILED:
            cause = event.start_child_workflow_execution_failed_event_attributes.cause
            self._tell(self._waiter.refused, cause, self._workflow_id, self._workflow_type)
        elif kind == kinds.CHILD_COMPLETED:
            completed = event.child_workflow_execution_completed_event_attributes
            self._tell(self._waiter.resolve, completed.result if completed.HasField("result") else None)
        elif kind == kinds.CHILD_FAILED:
            failed = event.child_workflow_execution_failed_event_attributes
            self._fail(self._failure("Child Workflow execution failed", failed.failure, failed.retry_state))
        elif kind == kinds.CHILD_TIMED_OUT:
            state = event.child_workflow_execution_timed_out_event_attributes.retry_state
            self._fail(self._failure("Child Workflow execution timed out", failures.workflow_timed_out(), state))
        elif kind == kinds.CHILD_TERMINATED:
            self._fail(self._failure("Child Workflow execution terminated", failures.terminated(), failures.NON_RETRYABLE))
        else:
            self._fail(self._canceled())

    def _canceled(self) -> Failure:
        return self._failure("Child Workflow execution cancelled", failures.canceled(), failures.NON_RETRYABLE)

    def _failure(self, message: str, cause: Failure, retry_state: int) -> Failure:
        return failures.child(
            message,
            cause,
            {
                "namespace": self.ledger.namespace,
                "workflow_type": {"name": self._workflow_type},
                "initiated_event_id": self._initiated_event_id,
                "started_event_id": self._started_event_id,
                "retry_state": retry_state,
                "workflow_execution": {"workflow_id": self._workflow_id, "run_id": self._run_id},
            },
        )

    def _fail(self, failure: Failure) -> None:
        self._tell(self._waiter.fail, failure)

    def _tell(self, hear: Callable[..., None], *outcome: Any) -> None:
        self._heard = True
        self.ledger.jobs.add(hear, *outcome)
        del self._waiter

    def describe(self) -> str:
        return f"child workflow {self._workflow_type!r} with id {self._workflow_id!r}"
