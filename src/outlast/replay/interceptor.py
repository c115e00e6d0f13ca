"""Interceptors of workflows: chains of objects around what comes into a workflow and what it asks for, and their inputs.

Re-exported by `outlast.worker`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from temporalio.api.common.v1 import Payload

    from outlast import common, workflow
    from outlast.workflow import (
        ActivityCancellationType,
        ChildWorkflowCancellationType,
        ContinueAsNewVersioningBehavior,
        EventGroup,
        ParentClosePolicy,
        VersioningIntent,
    )


@dataclass
class ContinueAsNewInput:
    """A call of `workflow.continue_as_new`."""

    workflow: str | None
    args: Sequence[Any]
    task_queue: str | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    backoff_start_interval: timedelta | None
    retry_policy: common.RetryPolicy | None
    memo: Mapping[str, Any] | None
    search_attributes: common.SearchAttributes | common.TypedSearchAttributes | None
    headers: Mapping[str, Payload]
    versioning_intent: VersioningIntent | None
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None
    event_groups: Sequence[EventGroup] | None = None
    arg_types: list[type] | None = None


@dataclass
class ExecuteWorkflowInput:
    """The run of a workflow; `run_fn` is not bound to the object."""

    type: type
    run_fn: Callable[..., Awaitable[Any]]
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleSignalInput:
    """A signal that came."""

    signal: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleQueryInput:
    """A query to answer."""

    id: str
    query: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class HandleUpdateInput:
    """An update to judge and to handle."""

    id: str
    update: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]


@dataclass
class SignalChildWorkflowInput:
    """A signal to a child workflow."""

    signal: str
    args: Sequence[Any]
    child_workflow_id: str
    headers: Mapping[str, Payload]
    event_groups: Sequence[EventGroup] | None = None


@dataclass
class SignalExternalWorkflowInput:
    """A signal to another workflow."""

    signal: str
    args: Sequence[Any]
    namespace: str
    workflow_id: str
    workflow_run_id: str | None
    headers: Mapping[str, Payload]
    event_groups: Sequence[EventGroup] | None = None


@dataclass
class StartActivityInput:
    """An activity to start."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None
    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: common.RetryPolicy | None
    cancellation_type: ActivityCancellationType
    headers: Mapping[str, Payload]
    disable_eager_execution: bool
    versioning_intent: VersioningIntent | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None = field(default=None, kw_only=True)
    priority: common.Priority
    arg_types: list[type] | None
    ret_type: type | None


@dataclass
class StartChildWorkflowInput:
    """A child workflow to start."""

    workflow: str
    args: Sequence[Any]
    id: str
    task_queue: str | None
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: common.WorkflowIDReusePolicy
    retry_policy: common.RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: common.SearchAttributes | common.TypedSearchAttributes | None
    headers: Mapping[str, Payload]
    versioning_intent: VersioningIntent | None
    static_summary: str | None
    static_details: str | None
    versioning_override: common.VersioningOverride | None = field(default=None, kw_only=True)
    event_groups: Sequence[EventGroup] | None = field(default=None, kw_only=True)
    priority: common.Priority
    arg_types: list[type] | None
    ret_type: type | None


@dataclass
class StartLocalActivityInput:
    """A local activity to start."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: common.RetryPolicy | None
    local_retry_threshold: timedelta | None
    cancellation_type: ActivityCancellationType
    headers: Mapping[str, Payload]
    summary: str | None
    event_groups: Sequence[EventGroup] | None = None
    arg_types: list[type] | None = None
    ret_type: type | None = None


class WorkflowInboundInterceptor:
    """Base of what wraps the run of a workflow and its handlers; passes everything on. It is bound by the rules of workflow code."""

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        """Wrap the next in the chain."""
        self.next = next

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Take the outbound side. To wrap it, too, hand one's own to `next.init`."""
        self.next.init(outbound)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        """Run the workflow."""
        return await self.next.execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """Handle a signal."""
        return await self.next.handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        """Answer a query."""
        return await self.next.handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """Judge an update before it is accepted."""
        self.next.handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        """Handle an update that was accepted."""
        return await self.next.handle_update_handler(input)


class WorkflowOutboundInterceptor:
    """Base of what wraps the calls that a workflow makes; passes everything on."""

    def __init__(self, next: WorkflowOutboundInterceptor) -> None:
        """Wrap the next in the chain."""
        self.next = next

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """Called for `workflow.continue_as_new`."""
        self.next.continue_as_new(input)

    def info(self) -> workflow.Info:
        """Called for `workflow.info`."""
        return self.next.info()

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        """Called for `ChildWorkflowHandle.signal`."""
        return await self.next.signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        """Called for `ExternalWorkflowHandle.signal`."""
        return await self.next.signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        """Called for `workflow.start_activity` and `workflow.execute_activity`."""
        return self.next.start_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        """Called for `workflow.start_child_workflow` and `workflow.execute_child_workflow`."""
        return await self.next.start_child_workflow(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        """Called for `workflow.start_local_activity` and `workflow.execute_local_activity`."""
        return self.next.start_local_activity(input)
