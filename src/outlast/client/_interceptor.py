"""Interceptors: code of the user around every call of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outlast.client._activity import ActivityHandle
    from outlast.client._activity_executions import ActivityExecutionAsyncIterator, ActivityExecutionCount, ActivityExecutionDescription
    from outlast.client._activity_inputs import (
        CancelActivityInput,
        CompleteAsyncActivityInput,
        CountActivitiesInput,
        DescribeActivityInput,
        FailAsyncActivityInput,
        HeartbeatAsyncActivityInput,
        ListActivitiesInput,
        PauseActivityInput,
        ReportCancellationAsyncActivityInput,
        StartActivityInput,
        TerminateActivityInput,
        UnpauseActivityInput,
        UpdateActivityOptionsInput,
    )
    from outlast.client._activity_options import ActivityExecutionOptions
    from outlast.client._executions import WorkflowExecutionAsyncIterator, WorkflowExecutionCount, WorkflowExecutionDescription
    from outlast.client._handle import WorkflowHandle
    from outlast.client._history import WorkflowHistoryEventAsyncIterator
    from outlast.client._schedule import ScheduleDescription, ScheduleHandle
    from outlast.client._schedule_inputs import (
        BackfillScheduleInput,
        CreateScheduleInput,
        DeleteScheduleInput,
        DescribeScheduleInput,
        ListSchedulesInput,
        PauseScheduleInput,
        TriggerScheduleInput,
        UnpauseScheduleInput,
        UpdateScheduleInput,
    )
    from outlast.client._schedule_list import ScheduleAsyncIterator
    from outlast.client._update import WorkflowUpdateHandle
    from outlast.client._worker_inputs import (
        GetWorkerBuildIdCompatibilityInput,
        GetWorkerTaskReachabilityInput,
        UpdateWorkerBuildIdCompatibilityInput,
    )
    from outlast.client._worker_versioning import WorkerBuildIdVersionSets, WorkerTaskReachability
    from outlast.client._workflow_inputs import (
        CancelWorkflowInput,
        CountWorkflowsInput,
        DescribeWorkflowInput,
        FetchWorkflowHistoryEventsInput,
        ListWorkflowsInput,
        QueryWorkflowInput,
        SignalWorkflowInput,
        StartWorkflowInput,
        StartWorkflowUpdateInput,
        StartWorkflowUpdateWithStartInput,
        TerminateWorkflowInput,
    )


class Interceptor:
    """Wraps a client's calls. The first of several interceptors is the outermost."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Called once for each client. Returns what its calls go through instead of ``next``, and what calls ``next`` in turn."""
        return next


class OutboundInterceptor:
    """What a client's calls go through: one method for each. All methods call the next interceptor; override those to change."""

    def __init__(self, next: OutboundInterceptor) -> None:
        """Keep the next interceptor; the last one makes the call."""
        self.next = next

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Every start of a workflow, with or without a signal."""
        return await self.next.start_workflow(input)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        """Every request to a workflow to stop."""
        return await self.next.cancel_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        """Every description of a workflow."""
        return await self.next.describe_workflow(input)

    def fetch_workflow_history_events(self, input: FetchWorkflowHistoryEventsInput) -> WorkflowHistoryEventAsyncIterator:
        """Every reading of a history, and so every wait for a result."""
        return self.next.fetch_workflow_history_events(input)

    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        """Every list of workflows."""
        return self.next.list_workflows(input)

    async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
        """Every count of workflows."""
        return await self.next.count_workflows(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        """Every query."""
        return await self.next.query_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        """Every signal."""
        return await self.next.signal_workflow(input)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        """Every termination of a workflow."""
        return await self.next.terminate_workflow(input)

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        """Every start of an activity."""
        return await self.next.start_activity(input)

    async def cancel_activity(self, input: CancelActivityInput) -> None:
        """Every request to an activity to stop."""
        return await self.next.cancel_activity(input)

    async def terminate_activity(self, input: TerminateActivityInput) -> None:
        """Every termination of an activity."""
        return await self.next.terminate_activity(input)

    async def pause_activity(self, input: PauseActivityInput) -> None:
        """Every pause of an activity."""
        return await self.next.pause_activity(input)

    async def unpause_activity(self, input: UnpauseActivityInput) -> None:
        """Every end of a pause of an activity."""
        return await self.next.unpause_activity(input)

    async def update_activity_options(self, input: UpdateActivityOptionsInput) -> ActivityExecutionOptions:
        """Every change of an activity's options."""
        return await self.next.update_activity_options(input)

    async def describe_activity(self, input: DescribeActivityInput) -> ActivityExecutionDescription:
        """Every description of an activity."""
        return await self.next.describe_activity(input)

    def list_activities(self, input: ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        """Every list of activities."""
        return self.next.list_activities(input)

    async def count_activities(self, input: CountActivitiesInput) -> ActivityExecutionCount:
        """Every count of activities."""
        return await self.next.count_activities(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        """Every update."""
        return await self.next.start_workflow_update(input)

    async def start_update_with_start_workflow(self, input: StartWorkflowUpdateWithStartInput) -> WorkflowUpdateHandle[Any]:
        """Every update that starts its workflow if need be."""
        return await self.next.start_update_with_start_workflow(input)

    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:
        """Every heartbeat from outside a worker."""
        return await self.next.heartbeat_async_activity(input)

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
        """Every completion from outside a worker."""
        return await self.next.complete_async_activity(input)

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:
        """Every failure from outside a worker."""
        return await self.next.fail_async_activity(input)

    async def report_cancellation_async_activity(self, input: ReportCancellationAsyncActivityInput) -> None:
        """Every cancellation reported from outside a worker."""
        return await self.next.report_cancellation_async_activity(input)

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        """Every creation of a schedule."""
        return await self.next.create_schedule(input)

    def list_schedules(self, input: ListSchedulesInput) -> ScheduleAsyncIterator:
        """Every list of schedules."""
        return self.next.list_schedules(input)

    async def backfill_schedule(self, input: BackfillScheduleInput) -> None:
        """Every backfill of a schedule."""
        return await self.next.backfill_schedule(input)

    async def delete_schedule(self, input: DeleteScheduleInput) -> None:
        """Every deletion of a schedule."""
        return await self.next.delete_schedule(input)

    async def describe_schedule(self, input: DescribeScheduleInput) -> ScheduleDescription:
        """Every description of a schedule."""
        return await self.next.describe_schedule(input)

    async def pause_schedule(self, input: PauseScheduleInput) -> None:
        """Every pause of a schedule."""
        return await self.next.pause_schedule(input)

    async def trigger_schedule(self, input: TriggerScheduleInput) -> None:
        """Every action of a schedule on demand."""
        return await self.next.trigger_schedule(input)

    async def unpause_schedule(self, input: UnpauseScheduleInput) -> None:
        """Every end of a pause of a schedule."""
        return await self.next.unpause_schedule(input)

    async def update_schedule(self, input: UpdateScheduleInput) -> None:
        """Every change of a schedule."""
        return await self.next.update_schedule(input)

    async def update_worker_build_id_compatibility(self, input: UpdateWorkerBuildIdCompatibilityInput) -> None:
        """Every change of compatible builds."""
        return await self.next.update_worker_build_id_compatibility(input)

    async def get_worker_build_id_compatibility(self, input: GetWorkerBuildIdCompatibilityInput) -> WorkerBuildIdVersionSets:
        """Every reading of compatible builds."""
        return await self.next.get_worker_build_id_compatibility(input)

    async def get_worker_task_reachability(self, input: GetWorkerTaskReachabilityInput) -> WorkerTaskReachability:
        """Every question whether builds may still get tasks."""
        return await self.next.get_worker_task_reachability(input)
