"""Continue-as-new: a run that ends by starting its own successor (workflow-core.md 1.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.command.v1 import ContinueAsNewWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1 import (
    ContinueAsNewInitiator,
    TaskQueueKind,
    WorkflowTaskFailedCause,
)
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionStartedEventAttributes,
)

from outlast.engine import limits, wire
from outlast.engine.checks import duration_flaw, queue_name_flaw, shown, size_bytes, too_long
from outlast.engine.machines import close
from outlast.engine.machines import start as first_event
from outlast.engine.machines.properties import admit_search_attributes
from outlast.engine.refusals import BadCommand, InvalidArgument
from outlast.engine.retry import check_retry_policy, filled
from outlast.engine.wire import nanoseconds, set_duration

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

BAD = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES
_NAME = "ContinueAsNewWorkflowExecutionCommand"
_FROM_COMMAND_ALONE = ("input", "header", "memo", "search_attributes", "last_completion_result")


def check(draft: Draft, command: ContinueAsNewWorkflowExecutionCommandAttributes) -> None:
    """Refuse what the reference server refuses, with its texts. The cron schedule is not looked at here."""
    workflow_type = command.workflow_type.name or draft.run.workflow_type
    if size_bytes(workflow_type) > limits.ID_BYTES_MAX:
        raise BadCommand(BAD, f"WorkflowType on {_NAME} exceeds length limit. {too_long('WorkflowType', workflow_type)}")
    suffix = f"WorkflowType={workflow_type} TaskQueue={shown(command.task_queue, draft.run.task_queue)}"
    if command.task_queue.name and (flaw := queue_name_flaw(command.task_queue.name)):
        raise BadCommand(BAD, f"error validating {_NAME} TaskQueue: {flaw}. {suffix}")
    for name, span in (
        ("WorkflowRunTimeout", command.workflow_run_timeout),
        ("WorkflowTaskTimeout", command.workflow_task_timeout),
        ("BackoffStartInterval", command.backoff_start_interval),
    ):
        if flaw := duration_flaw(span):
            raise BadCommand(BAD, f"Invalid {name} on {_NAME}: {flaw}. {suffix}")
    if command.HasField("retry_policy"):
        try:
            check_retry_policy(filled(command.retry_policy))
        except InvalidArgument as refusal:
            raise BadCommand(BAD, f"invalid WorkflowRetryPolicy on {_NAME}: {refusal.message}. {suffix}") from None
    admit_search_attributes(draft, command.search_attributes, BAD)
    if command.input.ByteSize() > draft.context.namespace.blob_bytes_max:
        raise BadCommand(BAD, f"{_NAME}Attributes. Input exceeds size limit.", terminates=True)
    if command.memo.ByteSize() > limits.MEMO_BYTES_MAX:
        raise BadCommand(BAD, f"{_NAME}Attributes. Memo exceeds size limit.", terminates=True)


def continue_as_new(draft: Draft, command: ContinueAsNewWorkflowExecutionCommandAttributes, event: HistoryEvent) -> None:
    check(draft, command)
    run = draft.run
    following = WorkflowExecutionStartedEventAttributes(workflow_id=run.workflow_id)
    following.workflow_type.name = command.workflow_type.name or run.workflow_type
    following.task_queue.name = command.task_queue.name or run.task_queue
    following.task_queue.kind = command.task_queue.kind or TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    for name in _FROM_COMMAND_ALONE:
        if wire.has(command, name):
            getattr(following, name).CopyFrom(getattr(command, name))
    if command.HasField("retry_policy"):
        following.retry_policy.CopyFrom(filled(command.retry_policy))
    if command.HasField("search_attributes"):
        following.search_attributes.CopyFrom(admit_search_attributes(draft, command.search_attributes))
    if command.HasField("failure"):
        following.continued_failure.CopyFrom(command.failure)
    following.cron_schedule = command.cron_schedule
    following.initiator = command.initiator or ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW
    by_retry = following.initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY
    following.attempt = run.attempt + 1 if by_retry else 1
    first_event.set_timeouts(
        following,
        run.execution_timeout or 0,
        nanoseconds(command.workflow_run_timeout) or run.run_timeout or 0,
        nanoseconds(command.workflow_task_timeout) or run.task_timeout,
    )
    following.workflow_run_timeout.SetInParent()
    backoff = _backoff(draft.now - run.start_time, nanoseconds(command.backoff_start_interval))
    if backoff or command.HasField("backoff_start_interval"):
        set_duration(following.first_workflow_task_backoff, backoff)

    attributes = event.workflow_execution_continued_as_new_event_attributes
    attributes.new_execution_run_id = draft.context.fresh_id
    attributes.workflow_type.CopyFrom(following.workflow_type)
    attributes.task_queue.CopyFrom(following.task_queue)
    attributes.workflow_run_timeout.CopyFrom(following.workflow_run_timeout)
    attributes.workflow_task_timeout.CopyFrom(following.workflow_task_timeout)
    attributes.initiator = command.initiator
    for name in (*_FROM_COMMAND_ALONE, "failure", "backoff_start_interval"):
        if wire.has(command, name):
            getattr(attributes, name).CopyFrom(getattr(command, name))
    if following.HasField("search_attributes"):
        attributes.search_attributes.CopyFrom(following.search_attributes)
    attributes.inherit_build_id = command.inherit_build_id
    attributes.initial_versioning_behavior = command.initial_versioning_behavior
    start = close.following_run(draft, following)
    draft.add(event)
    close.succeed(draft, start)


def _backoff(lifetime: int, asked: int) -> int:
    """A run that lived too short holds its successor back, so that a tight loop cannot flood the server."""
    if lifetime + asked < limits.RUN_LIFETIME_MIN:
        return limits.RUN_LIFETIME_MIN - lifetime
    return asked
