"""The services: which call is answered by what. What is not in these tables is not built."""

from collections.abc import Mapping

from outlast.server.frontend.activity_executions import ActivityExecutionCalls
from outlast.server.frontend.activity_operations import ActivityOperationCalls
from outlast.server.frontend.calls import Handler
from outlast.server.frontend.history import HistoryCalls
from outlast.server.frontend.operations import OperatorCalls
from outlast.server.frontend.search_attribute_calls import SearchAttributeCalls
from outlast.server.frontend.system import SystemCalls
from outlast.server.frontend.task_queues import TaskQueueCalls
from outlast.server.frontend.time_skipping import TimeSkippingCalls
from outlast.server.frontend.updates import UpdateCalls
from outlast.server.frontend.visibility_calls import VisibilityCalls
from outlast.server.frontend.worker_tasks import WorkerCalls
from outlast.server.frontend.workflows import WorkflowCalls


def handlers(
    system: SystemCalls,
    workflows: WorkflowCalls,
    updates: UpdateCalls,
    operations: OperatorCalls,
    histories: HistoryCalls,
    lists: VisibilityCalls,
    workers: WorkerCalls,
    activities: ActivityOperationCalls,
    activity_executions: ActivityExecutionCalls,
    skipping: TimeSkippingCalls,
    queues: TaskQueueCalls,
) -> Mapping[str, Handler]:
    """Every call of the WorkflowService that is built, by its name on the wire."""
    return {
        "GetSystemInfo": system.get_system_info,
        "GetClusterInfo": system.get_cluster_info,
        "RegisterNamespace": system.register_namespace,
        "DescribeNamespace": system.describe_namespace,
        "ListNamespaces": system.list_namespaces,
        "StartWorkflowExecution": workflows.start,
        "SignalWorkflowExecution": workflows.signal,
        "SignalWithStartWorkflowExecution": workflows.signal_with_start,
        "RequestCancelWorkflowExecution": workflows.request_cancel,
        "TerminateWorkflowExecution": workflows.terminate,
        "DescribeWorkflowExecution": workflows.describe,
        "UpdateWorkflowExecution": updates.update,
        "PollWorkflowExecutionUpdate": updates.poll,
        "ExecuteMultiOperation": updates.multi_operation,
        "ResetWorkflowExecution": operations.reset,
        "PauseWorkflowExecution": operations.pause,
        "UnpauseWorkflowExecution": operations.unpause,
        "UpdateWorkflowExecutionOptions": operations.update_options,
        "PollWorkflowExecutionTimeSkipping": skipping.poll,
        "DeleteWorkflowExecution": operations.delete,
        "GetWorkflowExecutionHistory": histories.get_history,
        "GetWorkflowExecutionHistoryReverse": histories.get_history_reverse,
        **_list_handlers(lists),
        "PollWorkflowTaskQueue": workers.poll_workflow_task,
        "RespondWorkflowTaskCompleted": workers.complete_workflow_task,
        "RespondWorkflowTaskFailed": workers.fail_workflow_task,
        "ResetStickyTaskQueue": workers.reset_sticky,
        "QueryWorkflow": workers.query,
        "RespondQueryTaskCompleted": workers.complete_query,
        "PollActivityTaskQueue": workers.poll_activity,
        "PollNexusTaskQueue": workers.poll_nexus,
        "RecordActivityTaskHeartbeat": workers.heartbeat,
        "RecordActivityTaskHeartbeatById": workers.heartbeat_by_id,
        "RespondActivityTaskCompleted": workers.complete_activity,
        "RespondActivityTaskCompletedById": workers.complete_activity_by_id,
        "RespondActivityTaskFailed": workers.fail_activity,
        "RespondActivityTaskFailedById": workers.fail_activity_by_id,
        "RespondActivityTaskCanceled": workers.cancel_activity,
        "RespondActivityTaskCanceledById": workers.cancel_activity_by_id,
        "PauseActivity": activities.pause,
        "UnpauseActivity": activities.unpause,
        "ResetActivity": activities.reset,
        "UpdateActivityOptions": activities.update_options,
        "PauseActivityExecution": activity_executions.pause,
        "UnpauseActivityExecution": activity_executions.unpause,
        "ResetActivityExecution": activity_executions.reset,
        "UpdateActivityExecutionOptions": activity_executions.update_options,
        "DescribeTaskQueue": queues.describe,
        "ShutdownWorker": queues.shutdown_worker,
    }


def _list_handlers(lists: VisibilityCalls) -> Mapping[str, Handler]:
    return {
        "ListWorkflowExecutions": lists.list,
        "ScanWorkflowExecutions": lists.scan,
        "CountWorkflowExecutions": lists.count,
        "ListOpenWorkflowExecutions": lists.list_open,
        "ListClosedWorkflowExecutions": lists.list_closed,
        "ListArchivedWorkflowExecutions": lists.list_archived,
        "GetSearchAttributes": lists.search_attributes,
    }


def operator_handlers(search_attributes: SearchAttributeCalls) -> Mapping[str, Handler]:
    """Every call of the OperatorService that is built, by its name on the wire."""
    return {
        "AddSearchAttributes": search_attributes.add,
        "RemoveSearchAttributes": search_attributes.remove,
        "ListSearchAttributes": search_attributes.list,
    }
