"""What a worker says of itself in each request, made once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from temporalio.api.common.v1 import WorkerVersionCapabilities, WorkerVersionStamp
from temporalio.api.deployment.v1 import WorkerDeploymentOptions
from temporalio.api.enums.v1 import TaskQueueKind, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue, TaskQueueMetadata
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
)

from outlast.runtime import Runtime
from outlast.service import ServiceClient
from outlast.worker._config import WorkerDeploymentConfig

if TYPE_CHECKING:
    from outlast.client import Client


class Server:
    """Where a worker's calls go. Its client can be exchanged while the worker runs."""

    __slots__ = ("_client", "calls", "eager_workers", "in_process")

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def client(self) -> Client:
        return self._client

    @client.setter
    def client(self, client: Client) -> None:
        service = getattr(client.service_client, "worker_service_client", None)
        if not isinstance(service, ServiceClient):
            raise TypeError("Client cannot be used for a worker: its service client has no worker_service_client")
        if service.config.lazy:
            raise RuntimeError("Lazy clients cannot be used for workers")
        self._client = client
        self.calls = service.workflow_service
        self.eager_workers = service.eager_workers
        self.in_process = service.in_process

    @property
    def namespace(self) -> str:
        return self._client.namespace


def runtime_of(client: Client) -> Runtime:
    """The runtime that a client was connected with."""
    return client.service_client.worker_service_client.config.runtime or Runtime.default()


class Wire:
    """The requests of one worker, as far as they are always the same: copy, and fill in the rest."""

    def __init__(
        self,
        *,
        namespace: str,
        task_queue: str,
        identity: str,
        build_id: str,
        use_build_id: bool = False,
        deployment: WorkerDeploymentConfig | None = None,
        sticky: bool = True,
        sticky_timeout: timedelta = timedelta(seconds=10),
        activities_per_second: float | None = None,
    ) -> None:
        self.namespace = namespace
        self.task_queue = task_queue
        self.identity = identity
        self.build_id = build_id
        self.instance_key = str(uuid4())
        self.sticky_queue = f"{identity}-{uuid4().hex}" if sticky else ""
        self.deployment = deployment
        self.deployment_options = _deployment_options(deployment) if deployment else None
        self._stamp = WorkerVersionStamp(build_id=build_id, use_versioning=use_build_id)
        self.poll_workflow_tasks = self._poll_workflow_tasks(TaskQueue(name=task_queue, kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL))
        queue = TaskQueue(name=self.sticky_queue, kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=task_queue)
        self.poll_sticky_tasks = self._poll_workflow_tasks(queue)
        self.poll_activity_tasks = self._poll_activity_tasks(activities_per_second)
        self.workflow_task_completed = self._workflow_task_completed(queue if sticky else None, sticky_timeout)
        self.workflow_task_failed = RespondWorkflowTaskFailedRequest(
            namespace=namespace,
            identity=identity,
            worker_version=self._stamp,
            deployment_options=self.deployment_options,
        )
        answer = {
            "namespace": namespace,
            "identity": identity,
            "worker_version": self._stamp,
            "deployment_options": self.deployment_options,
        }
        self.activity_completed = RespondActivityTaskCompletedRequest(**answer)  # type: ignore[arg-type]
        self.activity_failed = RespondActivityTaskFailedRequest(**answer)  # type: ignore[arg-type]
        self.activity_canceled = RespondActivityTaskCanceledRequest(**answer)  # type: ignore[arg-type]

    def _capabilities(self) -> WorkerVersionCapabilities:
        return WorkerVersionCapabilities(build_id=self._stamp.build_id, use_versioning=self._stamp.use_versioning)

    def _poll_workflow_tasks(self, queue: TaskQueue) -> PollWorkflowTaskQueueRequest:
        return PollWorkflowTaskQueueRequest(
            namespace=self.namespace,
            task_queue=queue,
            identity=self.identity,
            worker_version_capabilities=self._capabilities(),
            deployment_options=self.deployment_options,
            worker_instance_key=self.instance_key,
        )

    def _poll_activity_tasks(self, per_second: float | None) -> PollActivityTaskQueueRequest:
        request = PollActivityTaskQueueRequest(
            namespace=self.namespace,
            task_queue=TaskQueue(name=self.task_queue, kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL),
            identity=self.identity,
            worker_version_capabilities=self._capabilities(),
            deployment_options=self.deployment_options,
            worker_instance_key=self.instance_key,
        )
        if per_second is not None:
            limit = TaskQueueMetadata()
            limit.max_tasks_per_second.value = per_second
            request.task_queue_metadata.CopyFrom(limit)
        return request

    def _workflow_task_completed(self, sticky: TaskQueue | None, timeout: timedelta) -> RespondWorkflowTaskCompletedRequest:
        request = RespondWorkflowTaskCompletedRequest(
            namespace=self.namespace,
            identity=self.identity,
            worker_version_stamp=self._stamp,
            deployment_options=self.deployment_options,
            worker_instance_key=self.instance_key,
            # Without a cache a task in the reply, which brings only what is new, would be of no use.
            return_new_workflow_task=sticky is not None,
            capabilities=RespondWorkflowTaskCompletedRequest.Capabilities(discard_speculative_workflow_task_with_events=True),
        )
        if sticky is not None:
            attributes = StickyExecutionAttributes(worker_task_queue=sticky)
            attributes.schedule_to_start_timeout.FromTimedelta(timeout)
            request.sticky_attributes.CopyFrom(attributes)
        return request


def _deployment_options(deployment: WorkerDeploymentConfig) -> WorkerDeploymentOptions:
    mode = (
        WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
        if deployment.use_worker_versioning
        else WorkerVersioningMode.WORKER_VERSIONING_MODE_UNVERSIONED
    )
    return WorkerDeploymentOptions(
        deployment_name=deployment.version.deployment_name,
        build_id=deployment.version.build_id,
        worker_versioning_mode=mode,
    )
