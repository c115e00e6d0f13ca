"""What the last event of a run means to those who wait for its result."""

from __future__ import annotations

from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent

from outlast.client._exceptions import WorkflowContinuedAsNewError, WorkflowFailureError
from outlast.converter import DataConverter
from outlast.exceptions import CancelledError, TerminatedError, TimeoutError, TimeoutType


def next_run(event: HistoryEvent) -> str:
    """Id of the run that goes on with the work: a retry, the next of a cron schedule, a continuation; empty if none does."""
    which = event.WhichOneof("attributes")
    if which == "workflow_execution_continued_as_new_event_attributes":
        run_id = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        if not run_id:
            raise RuntimeError("Unexpectedly missing new run ID from continue as new")
        return run_id
    if which is None:
        return ""
    run: str = getattr(getattr(event, which), "new_execution_run_id", "")
    return run


async def result_of(event: HistoryEvent, converter: DataConverter) -> Payloads:
    """The payloads of the result.

    Raises WorkflowFailureError if the run has none, WorkflowContinuedAsNewError if another run has it.
    """
    match event.WhichOneof("attributes"):
        case "workflow_execution_completed_event_attributes":
            return event.workflow_execution_completed_event_attributes.result
        case "workflow_execution_continued_as_new_event_attributes":
            raise WorkflowContinuedAsNewError(next_run(event))
    raise WorkflowFailureError(cause=await _cause(event, converter))


async def _cause(event: HistoryEvent, converter: DataConverter) -> BaseException:
    match event.WhichOneof("attributes"):
        case "workflow_execution_failed_event_attributes":
            return await converter.decode_failure(event.workflow_execution_failed_event_attributes.failure)
        case "workflow_execution_canceled_event_attributes":
            details = event.workflow_execution_canceled_event_attributes.details
            return CancelledError("Workflow cancelled", *await converter.decode_wrapper(details))
        case "workflow_execution_terminated_event_attributes":
            terminated = event.workflow_execution_terminated_event_attributes
            return TerminatedError(terminated.reason or "Workflow terminated", *await converter.decode_wrapper(terminated.details))
        case "workflow_execution_timed_out_event_attributes":
            return TimeoutError("Workflow timed out", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[])
    raise RuntimeError(f"Unexpected last event: {event}")
