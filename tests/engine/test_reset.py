"""A reset: what the new run is made of. (What comes along is shown event for event by the oracle's `resets`.)"""

import pytest
from temporalio.api.common.v1 import Callback, Priority, TimeSkippingConfig
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions

from outlast.engine import triggers as t
from outlast.engine.limits import SECOND
from outlast.engine.machines.options import options_of
from outlast.engine.machines.reset import Reset, begin_again, check_operations
from outlast.engine.refusals import InvalidArgument
from outlast.engine.state import STANDBY
from outlast.engine.transition import Transition
from tests.engine import ask
from tests.engine.given import Given, context, do, given_started, name, told

DAY = 24 * 3600


def reset(given: Given, kept: int, *operations: PostResetOperation) -> Transition:
    """A new run that keeps the first `kept` events."""
    prefix = [[event for event in given.history if event.event_id <= kept]]
    later = [event for event in given.history if event.event_id > kept]
    return begin_again(Reset(prefix, later, given.run.run_id, "r", "again", operations=operations), context(given.now, 77))


def new_options(options: WorkflowExecutionOptions, *paths: str) -> PostResetOperation:
    operation = PostResetOperation()
    operation.update_workflow_options.workflow_execution_options.CopyFrom(options)
    operation.update_workflow_options.update_mask.paths.extend(paths)
    return operation


def written(new: Transition) -> list[str]:
    return [name(event) for batch in new.batches for event in batch.events]


def test_the_new_runs_options_are_changed_after_all_else_and_before_its_task() -> None:
    given = told(do(given_started(), ask.timer()), t.Signal("later"))
    priority = WorkflowExecutionOptions(priority=Priority(priority_key=5))

    new = reset(given, 3, new_options(priority, "priority"), new_options(priority, "priority"))

    assert written(new)[3:] == [
        "WORKFLOW_TASK_FAILED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "WORKFLOW_EXECUTION_OPTIONS_UPDATED",
        "WORKFLOW_TASK_SCHEDULED",
    ]
    assert options_of(new.after.run) == priority


@pytest.mark.parametrize(
    "operation",
    [
        PostResetOperation(),
        PostResetOperation(signal_workflow=PostResetOperation.SignalWorkflow(signal_name="s")),
        new_options(WorkflowExecutionOptions(), "nonsense"),
        new_options(WorkflowExecutionOptions(), "time_skipping_config.enabled"),
    ],
)
def test_operations_that_cannot_be_are_refused(operation: PostResetOperation) -> None:
    with pytest.raises(InvalidArgument):
        check_operations([operation])


def test_callbacks_wait_for_the_end_of_the_new_run() -> None:
    callback = Callback(nexus=Callback.Nexus(url="http://127.0.0.1:1/done"))
    given = do(given_started(completion_callbacks=[callback]), ask.completed("1"))

    new = reset(given, 3)

    assert [callback.state for callback in new.after.callbacks.values()] == [STANDBY]


def test_the_new_run_begins_in_the_time_that_the_kept_history_has_skipped() -> None:
    skipping = TimeSkippingConfig(enabled=True, max_session_skip_count=200)
    given = told(do(given_started(time_skipping_config=skipping), ask.timer("nap", DAY)), t.TimersDue())
    given = do(given, ask.timer("again", DAY))

    new = reset(given, 9)

    run = new.after.run
    assert run.time_skipping is not None
    assert run.time_skipping.skipped == DAY * SECOND
    assert run.start_time == given.now + DAY * SECOND
