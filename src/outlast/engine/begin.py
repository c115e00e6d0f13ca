"""The first transition of a run."""

from temporalio.api.history.v1 import HistoryEvent

from outlast.engine.draft import Draft
from outlast.engine.machines import signal, start, time_skipping, workflow_task
from outlast.engine.state import Execution
from outlast.engine.transition import Transition
from outlast.engine.triggers import Context, Start
from outlast.engine.wire import nanoseconds, set_time


def begin(first: Start, run_id: str, context: Context) -> Transition:
    """Start a run: [WORKFLOW_EXECUTION_STARTED, (SIGNALED), (WORKFLOW_TASK_SCHEDULED)] in one batch.

    The first workflow task is left out while a backoff or the parent holds it back.
    """
    event = HistoryEvent(event_type=start.EVENT_TYPE)
    attributes = event.workflow_execution_started_event_attributes
    attributes.CopyFrom(first.attributes)
    set_time(event.event_time, context.now + nanoseconds(attributes.time_skipping_state_propagation.initial_skipped_duration))
    attributes.original_execution_run_id = attributes.original_execution_run_id or run_id
    attributes.first_execution_run_id = attributes.first_execution_run_id or run_id
    attributes.workflow_id = first.workflow_id
    if first.user_metadata is not None:
        event.user_metadata.CopyFrom(first.user_metadata)
    event.links.extend(first.links)
    backoff = nanoseconds(attributes.first_workflow_task_backoff)
    eager = first.eager_worker is not None and not backoff
    attributes.eager_execution_accepted = eager
    run = start.born(context.namespace, first.request_id, event)
    run.run_id = run_id
    draft = Draft(Execution(run), context)
    draft.add(event)
    if first.signal is not None:
        signal.write(draft, first.signal)
    if not first.parent_holds_first_task and not backoff:
        workflow_task.schedule(draft)
    if eager:
        workflow_task.started_together(draft, first.request_id, first.eager_worker or "")
    draft.changed = True
    time_skipping.skip(draft)
    return draft.freeze()
