"""Metrics of a client's requests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice import v1 as ws

from outlast.runtime import MetricBuffer, Runtime, TelemetryConfig
from outlast.server.node import Node
from outlast.service import ConnectConfig, RPCError, ServiceClient


async def test_requests_are_counted_and_timed_by_procedure(node: Node) -> None:
    buffer = MetricBuffer(1000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    client = await ServiceClient.connect(ConnectConfig(node.address, runtime=runtime))
    buffer.retrieve_updates()
    missing = WorkflowExecution(workflow_id="nobody")

    await client.workflow_service.describe_namespace(ws.DescribeNamespaceRequest(namespace="default"))
    with pytest.raises(RPCError):
        await client.workflow_service.describe_workflow_execution(
            ws.DescribeWorkflowExecutionRequest(namespace="default", execution=missing), retry=True
        )
    with pytest.raises(RPCError):
        await client.workflow_service.get_workflow_execution_history(
            ws.GetWorkflowExecutionHistoryRequest(namespace="default", execution=missing, wait_new_event=True), retry=True
        )

    seen = [
        (update.metric.name, update.attributes["operation"], update.attributes["namespace"], update.attributes.get("status_code"))
        for update in buffer.retrieve_updates()
    ]
    assert seen == [
        ("temporal_request", "DescribeNamespace", "default", None),
        ("temporal_request_latency", "DescribeNamespace", "default", None),
        ("temporal_request", "DescribeWorkflowExecution", "default", None),
        ("temporal_request_failure", "DescribeWorkflowExecution", "default", "NOT_FOUND"),
        ("temporal_request_latency", "DescribeWorkflowExecution", "default", None),
        ("temporal_long_request", "GetWorkflowExecutionHistory", "default", None),
        ("temporal_long_request_failure", "GetWorkflowExecutionHistory", "default", "NOT_FOUND"),
        ("temporal_long_request_latency", "GetWorkflowExecutionHistory", "default", None),
    ]


async def test_a_request_about_a_task_queue_names_it(node: Node) -> None:
    buffer = MetricBuffer(1000)
    client = await ServiceClient.connect(ConnectConfig(node.address, runtime=Runtime(telemetry=TelemetryConfig(metrics=buffer))))
    request = ws.PollWorkflowTaskQueueRequest(namespace="default")
    request.task_queue.name, request.task_queue.normal_name = "sticky", "normal"

    with pytest.raises(RPCError):
        await client.workflow_service.poll_workflow_task_queue(request, timeout=timedelta(milliseconds=50))

    assert buffer.retrieve_updates()[-1].attributes["task_queue"] == "normal"
