"""Calls about task queues and workers."""

from temporalio.api.enums.v1 import RateLimitSource, TaskQueueKind, TaskQueueType
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    ShutdownWorkerRequest,
    ShutdownWorkerResponse,
)

from outlast.engine.wire import set_duration, set_time
from outlast.server.frontend import checks
from outlast.server.frontend.calls import Call
from outlast.server.frontend.features import Features
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.handover import QueueDescription, QueueKind, QueueName
from outlast.server.shard.protocol import WorkflowWork
from outlast.server.shard.shard import Shard

_UNSET_S = -62135596800
_SYSTEM_RATE = 4000.0


def _add_stats(reply: DescribeTaskQueueResponse, described: QueueDescription) -> None:
    for stats in (reply.stats, reply.stats_by_priority_key[3]):
        stats.approximate_backlog_count = described.backlog_count
        set_duration(stats.approximate_backlog_age, described.oldest_offer_age_ns)
        stats.tasks_add_rate = described.add_rate
        stats.tasks_dispatch_rate = described.dispatch_rate


class TaskQueueCalls:
    def __init__(self, shard: Shard, namespaces: NamespaceRegistry, features: Features) -> None:
        self._shard = shard
        self._namespaces = namespaces
        self._features = features

    async def describe(self, request: DescribeTaskQueueRequest, call: Call) -> DescribeTaskQueueResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_task_queue(request, "task_queue", request.task_queue)
        is_activity = request.task_queue_type == TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        kind = QueueKind.ACTIVITY if is_activity else QueueKind.WORKFLOW
        sticky = request.task_queue.kind == TaskQueueKind.TASK_QUEUE_KIND_STICKY
        described = self._shard.matching.describe(QueueName(namespace.id, request.task_queue.name, kind, sticky))
        reply = DescribeTaskQueueResponse()
        for poller in described.pollers:
            info = reply.pollers.add(identity=poller.identity, rate_per_second=poller.rate_per_second)
            set_time(info.last_access_time, poller.last_access_ns)
        reply.versioning_info.current_version = "__unversioned__"
        reply.versioning_info.update_time.seconds = _UNSET_S
        reply.effective_rate_limit.requests_per_second = _SYSTEM_RATE
        reply.effective_rate_limit.rate_limit_source = RateLimitSource.RATE_LIMIT_SOURCE_SYSTEM
        if request.include_task_queue_status:
            reply.task_queue_status.backlog_count_hint = described.backlog_count
        if request.report_stats:
            _add_stats(reply, described)
        return reply

    async def shutdown_worker(self, request: ShutdownWorkerRequest, call: Call) -> ShutdownWorkerResponse:
        """The worker's polls and its sticky queue end: what that held goes to the normal queue at once."""
        namespace = self._namespaces.find(request.namespace)
        if request.worker_instance_key and request.task_queue and self._features.stop_polls:
            self._shard.matching.stop_polls(namespace.id, request.worker_instance_key)
        if request.sticky_task_queue:
            queue = QueueName(namespace.id, request.sticky_task_queue, QueueKind.WORKFLOW, sticky=True)
            for work in self._shard.matching.shutdown_worker(queue):
                if isinstance(work, WorkflowWork):
                    entity = await self._shard.find(work.key)
                    normal = QueueName(namespace.id, entity.execution.run.task_queue, QueueKind.WORKFLOW)
                    self._shard.offer(normal, work)
        return ShutdownWorkerResponse()
