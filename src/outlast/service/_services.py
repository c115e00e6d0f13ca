"""The services of a Temporal server and their procedures. `tests/service` compares them with the messages' own description."""

from google.protobuf.empty_pb2 import Empty
from grpc_health.v1 import health_pb2 as health
from temporalio.api.operatorservice import v1 as operator
from temporalio.api.testservice import v1 as testing
from temporalio.api.workflowservice import v1 as workflow

from outlast.service._rpc import Rpc, Service


class WorkflowService(Service):
    """Workflows, activities, schedules, task queues, namespaces."""

    _short_name = "workflow"
    _full_name = "temporal.api.workflowservice.v1.WorkflowService"

    count_activity_executions = Rpc(workflow.CountActivityExecutionsRequest, workflow.CountActivityExecutionsResponse)
    count_nexus_operation_executions = Rpc(workflow.CountNexusOperationExecutionsRequest, workflow.CountNexusOperationExecutionsResponse)
    count_schedules = Rpc(workflow.CountSchedulesRequest, workflow.CountSchedulesResponse)
    count_workers = Rpc(workflow.CountWorkersRequest, workflow.CountWorkersResponse)
    count_workflow_executions = Rpc(workflow.CountWorkflowExecutionsRequest, workflow.CountWorkflowExecutionsResponse)
    create_schedule = Rpc(workflow.CreateScheduleRequest, workflow.CreateScheduleResponse)
    create_worker_deployment = Rpc(workflow.CreateWorkerDeploymentRequest, workflow.CreateWorkerDeploymentResponse)
    create_worker_deployment_version = Rpc(workflow.CreateWorkerDeploymentVersionRequest, workflow.CreateWorkerDeploymentVersionResponse)
    create_workflow_rule = Rpc(workflow.CreateWorkflowRuleRequest, workflow.CreateWorkflowRuleResponse)
    delete_activity_execution = Rpc(workflow.DeleteActivityExecutionRequest, workflow.DeleteActivityExecutionResponse)
    delete_nexus_operation_execution = Rpc(workflow.DeleteNexusOperationExecutionRequest, workflow.DeleteNexusOperationExecutionResponse)
    delete_schedule = Rpc(workflow.DeleteScheduleRequest, workflow.DeleteScheduleResponse)
    delete_worker_deployment = Rpc(workflow.DeleteWorkerDeploymentRequest, workflow.DeleteWorkerDeploymentResponse)
    delete_worker_deployment_version = Rpc(workflow.DeleteWorkerDeploymentVersionRequest, workflow.DeleteWorkerDeploymentVersionResponse)
    delete_workflow_execution = Rpc(workflow.DeleteWorkflowExecutionRequest, workflow.DeleteWorkflowExecutionResponse)
    delete_workflow_rule = Rpc(workflow.DeleteWorkflowRuleRequest, workflow.DeleteWorkflowRuleResponse)
    deprecate_namespace = Rpc(workflow.DeprecateNamespaceRequest, workflow.DeprecateNamespaceResponse)
    describe_activity_execution = Rpc(workflow.DescribeActivityExecutionRequest, workflow.DescribeActivityExecutionResponse)
    describe_batch_operation = Rpc(workflow.DescribeBatchOperationRequest, workflow.DescribeBatchOperationResponse)
    describe_deployment = Rpc(workflow.DescribeDeploymentRequest, workflow.DescribeDeploymentResponse)
    describe_namespace = Rpc(workflow.DescribeNamespaceRequest, workflow.DescribeNamespaceResponse)
    describe_nexus_operation_execution = Rpc(
        workflow.DescribeNexusOperationExecutionRequest, workflow.DescribeNexusOperationExecutionResponse
    )
    describe_schedule = Rpc(workflow.DescribeScheduleRequest, workflow.DescribeScheduleResponse)
    describe_task_queue = Rpc(workflow.DescribeTaskQueueRequest, workflow.DescribeTaskQueueResponse)
    describe_worker = Rpc(workflow.DescribeWorkerRequest, workflow.DescribeWorkerResponse)
    describe_worker_deployment = Rpc(workflow.DescribeWorkerDeploymentRequest, workflow.DescribeWorkerDeploymentResponse)
    describe_worker_deployment_version = Rpc(
        workflow.DescribeWorkerDeploymentVersionRequest, workflow.DescribeWorkerDeploymentVersionResponse
    )
    describe_workflow_execution = Rpc(workflow.DescribeWorkflowExecutionRequest, workflow.DescribeWorkflowExecutionResponse)
    describe_workflow_rule = Rpc(workflow.DescribeWorkflowRuleRequest, workflow.DescribeWorkflowRuleResponse)
    execute_multi_operation = Rpc(workflow.ExecuteMultiOperationRequest, workflow.ExecuteMultiOperationResponse)
    fetch_worker_config = Rpc(workflow.FetchWorkerConfigRequest, workflow.FetchWorkerConfigResponse)
    get_cluster_info = Rpc(workflow.GetClusterInfoRequest, workflow.GetClusterInfoResponse)
    get_current_deployment = Rpc(workflow.GetCurrentDeploymentRequest, workflow.GetCurrentDeploymentResponse)
    get_deployment_reachability = Rpc(workflow.GetDeploymentReachabilityRequest, workflow.GetDeploymentReachabilityResponse)
    get_search_attributes = Rpc(workflow.GetSearchAttributesRequest, workflow.GetSearchAttributesResponse)
    get_system_info = Rpc(workflow.GetSystemInfoRequest, workflow.GetSystemInfoResponse)
    get_worker_build_id_compatibility = Rpc(workflow.GetWorkerBuildIdCompatibilityRequest, workflow.GetWorkerBuildIdCompatibilityResponse)
    get_worker_task_reachability = Rpc(workflow.GetWorkerTaskReachabilityRequest, workflow.GetWorkerTaskReachabilityResponse)
    get_worker_versioning_rules = Rpc(workflow.GetWorkerVersioningRulesRequest, workflow.GetWorkerVersioningRulesResponse)
    get_workflow_execution_history = Rpc(workflow.GetWorkflowExecutionHistoryRequest, workflow.GetWorkflowExecutionHistoryResponse)
    get_workflow_execution_history_reverse = Rpc(
        workflow.GetWorkflowExecutionHistoryReverseRequest, workflow.GetWorkflowExecutionHistoryReverseResponse
    )
    list_activity_executions = Rpc(workflow.ListActivityExecutionsRequest, workflow.ListActivityExecutionsResponse)
    list_archived_workflow_executions = Rpc(workflow.ListArchivedWorkflowExecutionsRequest, workflow.ListArchivedWorkflowExecutionsResponse)
    list_batch_operations = Rpc(workflow.ListBatchOperationsRequest, workflow.ListBatchOperationsResponse)
    list_closed_workflow_executions = Rpc(workflow.ListClosedWorkflowExecutionsRequest, workflow.ListClosedWorkflowExecutionsResponse)
    list_deployments = Rpc(workflow.ListDeploymentsRequest, workflow.ListDeploymentsResponse)
    list_namespaces = Rpc(workflow.ListNamespacesRequest, workflow.ListNamespacesResponse)
    list_nexus_operation_executions = Rpc(workflow.ListNexusOperationExecutionsRequest, workflow.ListNexusOperationExecutionsResponse)
    list_open_workflow_executions = Rpc(workflow.ListOpenWorkflowExecutionsRequest, workflow.ListOpenWorkflowExecutionsResponse)
    list_schedule_matching_times = Rpc(workflow.ListScheduleMatchingTimesRequest, workflow.ListScheduleMatchingTimesResponse)
    list_schedules = Rpc(workflow.ListSchedulesRequest, workflow.ListSchedulesResponse)
    list_task_queue_partitions = Rpc(workflow.ListTaskQueuePartitionsRequest, workflow.ListTaskQueuePartitionsResponse)
    list_worker_deployments = Rpc(workflow.ListWorkerDeploymentsRequest, workflow.ListWorkerDeploymentsResponse)
    list_workers = Rpc(workflow.ListWorkersRequest, workflow.ListWorkersResponse)
    list_workflow_executions = Rpc(workflow.ListWorkflowExecutionsRequest, workflow.ListWorkflowExecutionsResponse)
    list_workflow_rules = Rpc(workflow.ListWorkflowRulesRequest, workflow.ListWorkflowRulesResponse)
    patch_schedule = Rpc(workflow.PatchScheduleRequest, workflow.PatchScheduleResponse)
    pause_activity = Rpc(workflow.PauseActivityRequest, workflow.PauseActivityResponse)
    pause_activity_execution = Rpc(workflow.PauseActivityExecutionRequest, workflow.PauseActivityExecutionResponse)
    pause_workflow_execution = Rpc(workflow.PauseWorkflowExecutionRequest, workflow.PauseWorkflowExecutionResponse)
    poll_activity_execution = Rpc(workflow.PollActivityExecutionRequest, workflow.PollActivityExecutionResponse)
    poll_activity_task_queue = Rpc(workflow.PollActivityTaskQueueRequest, workflow.PollActivityTaskQueueResponse)
    poll_nexus_operation_execution = Rpc(workflow.PollNexusOperationExecutionRequest, workflow.PollNexusOperationExecutionResponse)
    poll_nexus_task_queue = Rpc(workflow.PollNexusTaskQueueRequest, workflow.PollNexusTaskQueueResponse)
    poll_workflow_execution_time_skipping = Rpc(
        workflow.PollWorkflowExecutionTimeSkippingRequest, workflow.PollWorkflowExecutionTimeSkippingResponse
    )
    poll_workflow_execution_update = Rpc(workflow.PollWorkflowExecutionUpdateRequest, workflow.PollWorkflowExecutionUpdateResponse)
    poll_workflow_task_queue = Rpc(workflow.PollWorkflowTaskQueueRequest, workflow.PollWorkflowTaskQueueResponse)
    query_workflow = Rpc(workflow.QueryWorkflowRequest, workflow.QueryWorkflowResponse)
    record_activity_task_heartbeat = Rpc(workflow.RecordActivityTaskHeartbeatRequest, workflow.RecordActivityTaskHeartbeatResponse)
    record_activity_task_heartbeat_by_id = Rpc(
        workflow.RecordActivityTaskHeartbeatByIdRequest, workflow.RecordActivityTaskHeartbeatByIdResponse
    )
    record_worker_heartbeat = Rpc(workflow.RecordWorkerHeartbeatRequest, workflow.RecordWorkerHeartbeatResponse)
    register_namespace = Rpc(workflow.RegisterNamespaceRequest, workflow.RegisterNamespaceResponse)
    request_cancel_activity_execution = Rpc(workflow.RequestCancelActivityExecutionRequest, workflow.RequestCancelActivityExecutionResponse)
    request_cancel_nexus_operation_execution = Rpc(
        workflow.RequestCancelNexusOperationExecutionRequest, workflow.RequestCancelNexusOperationExecutionResponse
    )
    request_cancel_workflow_execution = Rpc(workflow.RequestCancelWorkflowExecutionRequest, workflow.RequestCancelWorkflowExecutionResponse)
    reset_activity = Rpc(workflow.ResetActivityRequest, workflow.ResetActivityResponse)
    reset_activity_execution = Rpc(workflow.ResetActivityExecutionRequest, workflow.ResetActivityExecutionResponse)
    reset_sticky_task_queue = Rpc(workflow.ResetStickyTaskQueueRequest, workflow.ResetStickyTaskQueueResponse)
    reset_workflow_execution = Rpc(workflow.ResetWorkflowExecutionRequest, workflow.ResetWorkflowExecutionResponse)
    respond_activity_task_canceled = Rpc(workflow.RespondActivityTaskCanceledRequest, workflow.RespondActivityTaskCanceledResponse)
    respond_activity_task_canceled_by_id = Rpc(
        workflow.RespondActivityTaskCanceledByIdRequest, workflow.RespondActivityTaskCanceledByIdResponse
    )
    respond_activity_task_completed = Rpc(workflow.RespondActivityTaskCompletedRequest, workflow.RespondActivityTaskCompletedResponse)
    respond_activity_task_completed_by_id = Rpc(
        workflow.RespondActivityTaskCompletedByIdRequest, workflow.RespondActivityTaskCompletedByIdResponse
    )
    respond_activity_task_failed = Rpc(workflow.RespondActivityTaskFailedRequest, workflow.RespondActivityTaskFailedResponse)
    respond_activity_task_failed_by_id = Rpc(workflow.RespondActivityTaskFailedByIdRequest, workflow.RespondActivityTaskFailedByIdResponse)
    respond_nexus_task_completed = Rpc(workflow.RespondNexusTaskCompletedRequest, workflow.RespondNexusTaskCompletedResponse)
    respond_nexus_task_failed = Rpc(workflow.RespondNexusTaskFailedRequest, workflow.RespondNexusTaskFailedResponse)
    respond_query_task_completed = Rpc(workflow.RespondQueryTaskCompletedRequest, workflow.RespondQueryTaskCompletedResponse)
    respond_workflow_task_completed = Rpc(workflow.RespondWorkflowTaskCompletedRequest, workflow.RespondWorkflowTaskCompletedResponse)
    respond_workflow_task_failed = Rpc(workflow.RespondWorkflowTaskFailedRequest, workflow.RespondWorkflowTaskFailedResponse)
    scan_workflow_executions = Rpc(workflow.ScanWorkflowExecutionsRequest, workflow.ScanWorkflowExecutionsResponse)
    set_current_deployment = Rpc(workflow.SetCurrentDeploymentRequest, workflow.SetCurrentDeploymentResponse)
    set_worker_deployment_current_version = Rpc(
        workflow.SetWorkerDeploymentCurrentVersionRequest, workflow.SetWorkerDeploymentCurrentVersionResponse
    )
    set_worker_deployment_manager = Rpc(workflow.SetWorkerDeploymentManagerRequest, workflow.SetWorkerDeploymentManagerResponse)
    set_worker_deployment_ramping_version = Rpc(
        workflow.SetWorkerDeploymentRampingVersionRequest, workflow.SetWorkerDeploymentRampingVersionResponse
    )
    shutdown_worker = Rpc(workflow.ShutdownWorkerRequest, workflow.ShutdownWorkerResponse)
    signal_with_start_workflow_execution = Rpc(
        workflow.SignalWithStartWorkflowExecutionRequest, workflow.SignalWithStartWorkflowExecutionResponse
    )
    signal_workflow_execution = Rpc(workflow.SignalWorkflowExecutionRequest, workflow.SignalWorkflowExecutionResponse)
    start_activity_execution = Rpc(workflow.StartActivityExecutionRequest, workflow.StartActivityExecutionResponse)
    start_batch_operation = Rpc(workflow.StartBatchOperationRequest, workflow.StartBatchOperationResponse)
    start_nexus_operation_execution = Rpc(workflow.StartNexusOperationExecutionRequest, workflow.StartNexusOperationExecutionResponse)
    start_workflow_execution = Rpc(workflow.StartWorkflowExecutionRequest, workflow.StartWorkflowExecutionResponse)
    stop_batch_operation = Rpc(workflow.StopBatchOperationRequest, workflow.StopBatchOperationResponse)
    terminate_activity_execution = Rpc(workflow.TerminateActivityExecutionRequest, workflow.TerminateActivityExecutionResponse)
    terminate_nexus_operation_execution = Rpc(
        workflow.TerminateNexusOperationExecutionRequest, workflow.TerminateNexusOperationExecutionResponse
    )
    terminate_workflow_execution = Rpc(workflow.TerminateWorkflowExecutionRequest, workflow.TerminateWorkflowExecutionResponse)
    trigger_workflow_rule = Rpc(workflow.TriggerWorkflowRuleRequest, workflow.TriggerWorkflowRuleResponse)
    unpause_activity = Rpc(workflow.UnpauseActivityRequest, workflow.UnpauseActivityResponse)
    unpause_activity_execution = Rpc(workflow.UnpauseActivityExecutionRequest, workflow.UnpauseActivityExecutionResponse)
    unpause_workflow_execution = Rpc(workflow.UnpauseWorkflowExecutionRequest, workflow.UnpauseWorkflowExecutionResponse)
    update_activity_execution_options = Rpc(workflow.UpdateActivityExecutionOptionsRequest, workflow.UpdateActivityExecutionOptionsResponse)
    update_activity_options = Rpc(workflow.UpdateActivityOptionsRequest, workflow.UpdateActivityOptionsResponse)
    update_namespace = Rpc(workflow.UpdateNamespaceRequest, workflow.UpdateNamespaceResponse)
    update_schedule = Rpc(workflow.UpdateScheduleRequest, workflow.UpdateScheduleResponse)
    update_task_queue_config = Rpc(workflow.UpdateTaskQueueConfigRequest, workflow.UpdateTaskQueueConfigResponse)
    update_worker_build_id_compatibility = Rpc(
        workflow.UpdateWorkerBuildIdCompatibilityRequest, workflow.UpdateWorkerBuildIdCompatibilityResponse
    )
    update_worker_config = Rpc(workflow.UpdateWorkerConfigRequest, workflow.UpdateWorkerConfigResponse)
    update_worker_deployment_version_compute_config = Rpc(
        workflow.UpdateWorkerDeploymentVersionComputeConfigRequest, workflow.UpdateWorkerDeploymentVersionComputeConfigResponse
    )
    update_worker_deployment_version_metadata = Rpc(
        workflow.UpdateWorkerDeploymentVersionMetadataRequest, workflow.UpdateWorkerDeploymentVersionMetadataResponse
    )
    update_worker_versioning_rules = Rpc(workflow.UpdateWorkerVersioningRulesRequest, workflow.UpdateWorkerVersioningRulesResponse)
    update_workflow_execution = Rpc(workflow.UpdateWorkflowExecutionRequest, workflow.UpdateWorkflowExecutionResponse)
    update_workflow_execution_options = Rpc(workflow.UpdateWorkflowExecutionOptionsRequest, workflow.UpdateWorkflowExecutionOptionsResponse)
    validate_worker_deployment_version_compute_config = Rpc(
        workflow.ValidateWorkerDeploymentVersionComputeConfigRequest, workflow.ValidateWorkerDeploymentVersionComputeConfigResponse
    )


class OperatorService(Service):
    """Search attributes, Nexus endpoints, clusters."""

    _short_name = "operator"
    _full_name = "temporal.api.operatorservice.v1.OperatorService"

    add_or_update_remote_cluster = Rpc(operator.AddOrUpdateRemoteClusterRequest, operator.AddOrUpdateRemoteClusterResponse)
    add_search_attributes = Rpc(operator.AddSearchAttributesRequest, operator.AddSearchAttributesResponse)
    create_nexus_endpoint = Rpc(operator.CreateNexusEndpointRequest, operator.CreateNexusEndpointResponse)
    delete_namespace = Rpc(operator.DeleteNamespaceRequest, operator.DeleteNamespaceResponse)
    delete_nexus_endpoint = Rpc(operator.DeleteNexusEndpointRequest, operator.DeleteNexusEndpointResponse)
    get_nexus_endpoint = Rpc(operator.GetNexusEndpointRequest, operator.GetNexusEndpointResponse)
    list_clusters = Rpc(operator.ListClustersRequest, operator.ListClustersResponse)
    list_nexus_endpoints = Rpc(operator.ListNexusEndpointsRequest, operator.ListNexusEndpointsResponse)
    list_search_attributes = Rpc(operator.ListSearchAttributesRequest, operator.ListSearchAttributesResponse)
    remove_remote_cluster = Rpc(operator.RemoveRemoteClusterRequest, operator.RemoveRemoteClusterResponse)
    remove_search_attributes = Rpc(operator.RemoveSearchAttributesRequest, operator.RemoveSearchAttributesResponse)
    update_nexus_endpoint = Rpc(operator.UpdateNexusEndpointRequest, operator.UpdateNexusEndpointResponse)


class TestService(Service):
    """The clock of a server that skips time."""

    _short_name = "test"
    _full_name = "temporal.api.testservice.v1.TestService"

    get_current_time = Rpc(Empty, testing.GetCurrentTimeResponse)
    lock_time_skipping = Rpc(testing.LockTimeSkippingRequest, testing.LockTimeSkippingResponse)
    sleep = Rpc(testing.SleepRequest, testing.SleepResponse)
    sleep_until = Rpc(testing.SleepUntilRequest, testing.SleepResponse)
    unlock_time_skipping = Rpc(testing.UnlockTimeSkippingRequest, testing.UnlockTimeSkippingResponse)
    unlock_time_skipping_with_sleep = Rpc(testing.SleepRequest, testing.SleepResponse)


class HealthService(Service):
    """Whether the server serves."""

    _short_name = "health"
    _full_name = "grpc.health.v1.Health"

    check = Rpc(health.HealthCheckRequest, health.HealthCheckResponse)


FULL_NAMES = {service._short_name: service._full_name for service in (WorkflowService, OperatorService, TestService, HealthService)}
