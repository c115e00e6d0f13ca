"""Whether a workflow id may be used (again): the refusals of the id policies (workflow-core.md 1.6)."""

from temporalio.api.enums.v1 import WorkflowIdReusePolicy as Reuse

from outlast.engine import state
from outlast.engine.refusals import AlreadyStarted
from outlast.engine.state import Execution, Run

_FAILED = (state.FAILED, state.CANCELED, state.TERMINATED, state.TIMED_OUT)


def already_running(run: Run) -> AlreadyStarted:
    text = f"Workflow execution is already running. WorkflowId: {run.workflow_id}, RunId: {run.run_id}."
    return AlreadyStarted(text, run.create_request_id, run.run_id, run.first_run_id)


def check_reuse(execution: Execution, reuse: int) -> None:
    """Whether the id of a closed run may be used again."""
    run = execution.run
    if run.open:
        return
    named = f"WorkflowId: {run.workflow_id}, RunId: {run.run_id}. Workflow Id reuse policy:"
    if reuse == Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
        text = f"Workflow execution already finished. {named} reject duplicate workflow Id."
        raise AlreadyStarted(text, run.create_request_id, run.run_id, run.first_run_id)
    if reuse == Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY and run.status not in _FAILED:
        text = f"Workflow execution already finished successfully. {named} allow duplicate workflow Id if last run failed."
        raise AlreadyStarted(text, run.create_request_id, run.run_id, run.first_run_id)
