"""Calls of workers: polls and answers."""

from collections.abc import Mapping

from temporalio.api.common.v1 import Payloads, Priority, WorkerVersionStamp
from temporalio.api.enums.v1 import QueryResultType, TaskQueueKind
from temporalio.api.failure.v1 import Failure
from temporalio.api.query.v1 import QueryRejected, WorkflowQuery, WorkflowQueryResult
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    PollNexusTaskQueueRequest,
    PollNexusTaskQueueResponse,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    QueryWorkflowRequest,
    QueryWorkflowResponse,
    RecordActivityTaskHeartbeatByIdRequest,
    RecordActivityTaskHeartbeatByIdResponse,
    RecordActivityTaskHeartbeatRequest,
    RecordActivityTaskHeartbeatResponse,
    ResetStickyTaskQueueRequest,
    ResetStickyTaskQueueResponse,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCanceledByIdResponse,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCanceledResponse,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskCompletedByIdResponse,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskCompletedResponse,
    RespondActivityTaskFailedByIdRequest,
    RespondActivityTaskFailedByIdResponse,
    RespondActivityTaskFailedRequest,
    RespondActivityTaskFailedResponse,
    RespondQueryTaskCompletedRequest,
    RespondQueryTaskCompletedResponse,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedRequest,
    RespondWorkflowTaskFailedResponse,
)

from outlast.engine import triggers as t
from outlast.engine.failures import accepted, server_failure
from outlast.engine.keys import ExecutionKey
from outlast.engine.refusals import InvalidArgument, NotFound
from outlast.engine.retry import to_wire
from outlast.engine.wire import framed, set_time
from outlast.server.frontend import checks
from outlast.server.frontend.calls import Call
from outlast.server.frontend.limits import QUERY_S_MAX
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.frontend.polls import task_poll_s
from outlast.server.frontend.tokens import (
    ActivityPass,
    HistoryPosition,
    QueryPass,
    WorkflowTaskPass,
    decode_any,
    decode_task,
    encode,
    of_kind,
)
from outlast.server.handover import Poller, QueueKind, QueueName
from outlast.server.shard.ids import new_run_id
from outlast.server.shard.protocol import StartedActivity, StartedWorkflowTask
from outlast.server.shard.queries import Queries, Rejected
from outlast.server.shard.shard import Shard
from outlast.server.shard.tasks import Tasks

_HISTORY_FIELD = PollWorkflowTaskQueueResponse.DESCRIPTOR.fields_by_name["history"].number


class WorkerCalls:
    def __init__(self, shard: Shard, tasks: Tasks, queries: Queries, namespaces: NamespaceRegistry) -> None:
        self._shard = shard
        self._tasks = tasks
        self._queries = queries
        self._namespaces = namespaces

    # Workflow tasks

    async def poll_workflow_task(self, request: PollWorkflowTaskQueueRequest, call: Call) -> bytes:
        namespace = self._namespaces.find(request.namespace)
        checks.check_identity(request.identity)
        checks.check_task_queue(request, "task_queue", request.task_queue)
        timeout_s = task_poll_s(call)
        sticky = request.task_queue.kind == TaskQueueKind.TASK_QUEUE_KIND_STICKY
        queue = QueueName(namespace.id, request.task_queue.name, QueueKind.WORKFLOW, sticky)
        poller = Poller(request.identity, new_run_id(), request.worker_instance_key, worker_version=_version(request))
        task = await self._shard.matching.poll(queue, poller, timeout_s)
        if task is None:
            return b""
        assert isinstance(task, StartedWorkflowTask)
        return workflow_task_reply(task, request.task_queue)

    async def complete_workflow_task(self, request: RespondWorkflowTaskCompletedRequest, call: Call) -> bytes:
        token = decode_task(request.task_token, WorkflowTaskPass)
        self._check_namespace(request.namespace, token.key)
        checks.check_identity(request.identity)
        completed = await self._tasks.complete_workflow_task(token.key, token.task, request)
        reply = b""
        if completed.workflow_task is not None:
            reply += framed(1, workflow_task_reply(completed.workflow_task, TaskQueue()))
        for activity in completed.activities:
            reply += framed(2, activity_reply(activity).SerializeToString())
        reset = RespondWorkflowTaskCompletedResponse(reset_history_event_id=completed.reset_history_event_id)
        return reply + reset.SerializeToString()

    async def fail_workflow_task(self, request: RespondWorkflowTaskFailedRequest, call: Call) -> RespondWorkflowTaskFailedResponse:
        token = decode_task(request.task_token, WorkflowTaskPass)
        self._check_namespace(request.namespace, token.key)
        checks.check_identity(request.identity)
        await self._shard.update(token.key, t.FailWorkflowTask(token.task, request))
        return RespondWorkflowTaskFailedResponse()

    async def reset_sticky(self, request: ResetStickyTaskQueueRequest, call: Call) -> ResetStickyTaskQueueResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.execution)
        key = ExecutionKey(namespace.id, request.execution.workflow_id, request.execution.run_id)
        await self._shard.update(key, t.ResetSticky())
        return ResetStickyTaskQueueResponse()

    def _check_namespace(self, name: str, key: ExecutionKey) -> None:
        if name and self._namespaces.find(name).id != key.namespace_id:
            raise InvalidArgument("Operation requested with a token from a different namespace.")

    # Queries

    async def query(self, request: QueryWorkflowRequest, call: Call) -> QueryWorkflowResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.execution)
        if not request.HasField("query"):
            raise InvalidArgument("WorkflowQuery is not set on request.")
        if not request.query.query_type:
            raise InvalidArgument("QueryType is not set on request.")
        checks.check_blob(request.query.query_args, namespace)
        key = ExecutionKey(namespace.id, request.execution.workflow_id, request.execution.run_id)
        left = call.seconds_left()
        timeout_s = QUERY_S_MAX if left is None else min(left, QUERY_S_MAX)
        result = await self._queries.query(key, request.query, request.query_reject_condition, timeout_s)
        if isinstance(result, Rejected):
            status = QueryRejected(status=result.status)  # type: ignore[arg-type]
            return QueryWorkflowResponse(query_rejected=status)
        return QueryWorkflowResponse(query_result=result.answer)

    async def complete_query(self, request: RespondQueryTaskCompletedRequest, call: Call) -> RespondQueryTaskCompletedResponse:
        token = decode_task(request.task_token, QueryPass)
        result = WorkflowQueryResult(result_type=request.completed_type, error_message=request.error_message)
        if request.completed_type == QueryResultType.QUERY_RESULT_TYPE_ANSWERED:
            result.answer.CopyFrom(request.query_result)
        if request.HasField("failure"):
            result.failure.CopyFrom(request.failure)
        if not self._shard.matching.complete_query(token.query_id, result):
            raise NotFound("query task not found, or already expired")
        return RespondQueryTaskCompletedResponse()

    # Activities

    async def poll_activity(self, request: PollActivityTaskQueueRequest, call: Call) -> PollActivityTaskQueueResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_identity(request.identity)
        checks.check_task_queue(request, "task_queue", request.task_queue)
        timeout_s = task_poll_s(call)
        queue = QueueName(namespace.id, request.task_queue.name, QueueKind.ACTIVITY)
        rate = request.task_queue_metadata.max_tasks_per_second
        rate_per_second = rate.value if request.task_queue_metadata.HasField("max_tasks_per_second") else 100_000.0
        poller = Poller(request.identity, new_run_id(), request.worker_instance_key, rate_per_second, _version(request))
        task = await self._shard.matching.poll(queue, poller, timeout_s)
        if task is None:
            return PollActivityTaskQueueResponse()
        assert isinstance(task, StartedActivity)
        return activity_reply(task)

    async def poll_nexus(self, request: PollNexusTaskQueueRequest, call: Call) -> PollNexusTaskQueueResponse:
        """Wait with the worker: there are no endpoints here, so nothing comes."""
        namespace = self._namespaces.find(request.namespace)
        checks.check_identity(request.identity)
        checks.check_task_queue(request, "task_queue", request.task_queue)
        queue = QueueName(namespace.id, request.task_queue.name, QueueKind.NEXUS)
        poller = Poller(request.identity, new_run_id(), request.worker_instance_key)
        task = await self._shard.matching.poll(queue, poller, task_poll_s(call))
        assert task is None
        return PollNexusTaskQueueResponse()

    async def heartbeat(self, request: RecordActivityTaskHeartbeatRequest, call: Call) -> RecordActivityTaskHeartbeatResponse:
        token = self._activity_pass(request)
        details = request.details if request.HasField("details") else None
        transition = await self._shard.update(token.key, t.Heartbeat(token.activity, details, request.identity))
        return RecordActivityTaskHeartbeatResponse(
            cancel_requested=transition.cancel_requested,
            activity_paused=transition.activity_paused,
            activity_reset=transition.activity_reset,
        )

    async def heartbeat_by_id(self, request: RecordActivityTaskHeartbeatByIdRequest, call: Call) -> RecordActivityTaskHeartbeatByIdResponse:
        key, token = self._by_id(request)
        details = request.details if request.HasField("details") else None
        transition = await self._shard.update(key, t.Heartbeat(token, details, request.identity))
        return RecordActivityTaskHeartbeatByIdResponse(
            cancel_requested=transition.cancel_requested,
            activity_paused=transition.activity_paused,
            activity_reset=transition.activity_reset,
        )

    async def complete_activity(self, request: RespondActivityTaskCompletedRequest, call: Call) -> RespondActivityTaskCompletedResponse:
        token = self._activity_pass(request)
        result = request.result if request.HasField("result") else None
        checks.check_identity(request.identity)
        await self._shard.update(token.key, t.CompleteActivity(token.activity, result, request.identity))
        return RespondActivityTaskCompletedResponse()

    async def complete_activity_by_id(
        self, request: RespondActivityTaskCompletedByIdRequest, call: Call
    ) -> RespondActivityTaskCompletedByIdResponse:
        key, token = self._by_id(request)
        result = request.result if request.HasField("result") else None
        await self._shard.update(key, t.CompleteActivity(token, result, request.identity))
        return RespondActivityTaskCompletedByIdResponse()

    async def fail_activity(self, request: RespondActivityTaskFailedRequest, call: Call) -> RespondActivityTaskFailedResponse:
        token = self._activity_pass(request)
        checks.check_identity(request.identity)
        bytes_max = self._namespaces.view(token.key.namespace_id).blob_bytes_max
        await self._shard.update(token.key, _failed(request, token.activity, bytes_max))
        return RespondActivityTaskFailedResponse(failures=_cut_failures(request, bytes_max))

    async def fail_activity_by_id(self, request: RespondActivityTaskFailedByIdRequest, call: Call) -> RespondActivityTaskFailedByIdResponse:
        key, token = self._by_id(request)
        bytes_max = self._namespaces.view(key.namespace_id).blob_bytes_max
        await self._shard.update(key, _failed(request, token, bytes_max))
        return RespondActivityTaskFailedByIdResponse(failures=_cut_failures(request, bytes_max))

    async def cancel_activity(self, request: RespondActivityTaskCanceledRequest, call: Call) -> RespondActivityTaskCanceledResponse:
        token = self._activity_pass(request)
        checks.check_identity(request.identity)
        await self._shard.update(token.key, t.CancelActivity(token.activity, _details(request), request.identity))
        return RespondActivityTaskCanceledResponse()

    async def cancel_activity_by_id(
        self, request: RespondActivityTaskCanceledByIdRequest, call: Call
    ) -> RespondActivityTaskCanceledByIdResponse:
        key, token = self._by_id(request)
        await self._shard.update(key, t.CancelActivity(token, _details(request), request.identity))
        return RespondActivityTaskCanceledByIdResponse()

    def _activity_pass(
        self,
        request: RecordActivityTaskHeartbeatRequest
        | RespondActivityTaskCompletedRequest
        | RespondActivityTaskFailedRequest
        | RespondActivityTaskCanceledRequest,
    ) -> ActivityPass:
        token = decode_any(request.task_token)
        if not isinstance(token, QueryPass):
            self._check_namespace(request.namespace, token.key)
        return of_kind(token, ActivityPass)

    def _by_id(
        self,
        request: RecordActivityTaskHeartbeatByIdRequest
        | RespondActivityTaskCompletedByIdRequest
        | RespondActivityTaskFailedByIdRequest
        | RespondActivityTaskCanceledByIdRequest,
    ) -> tuple[ExecutionKey, t.ActivityToken]:
        namespace = self._namespaces.find(request.namespace)
        if not isinstance(request, RecordActivityTaskHeartbeatByIdRequest):
            checks.check_identity(request.identity)
        if not request.activity_id:
            raise InvalidArgument("ActivityId is not set on request.")
        if not request.workflow_id:
            raise InvalidArgument("WorkflowId is not set on request.")
        checks.check_run_id(request.run_id)
        key = ExecutionKey(namespace.id, request.workflow_id, request.run_id)
        return key, t.ActivityToken(activity_id=request.activity_id)


def _cut_failures(request: RespondActivityTaskFailedRequest | RespondActivityTaskFailedByIdRequest, bytes_max: int) -> list[Failure]:
    """What the worker is told about what was too large."""
    fits = request.last_heartbeat_details.ByteSize() <= bytes_max
    cut = [] if fits else [server_failure("Heartbeat details exceed size limit.")]
    kept = accepted(request.failure, bytes_max)
    return cut if kept is request.failure else [*cut, kept]


def _failed(
    request: RespondActivityTaskFailedRequest | RespondActivityTaskFailedByIdRequest, token: t.ActivityToken, bytes_max: int
) -> t.FailActivity:
    failure = request.failure if request.HasField("failure") else None
    if failure is not None and not failure.HasField("application_failure_info"):
        raise InvalidArgument("Failure must have ApplicationFailureInfo.")
    has_details = request.HasField("last_heartbeat_details") and request.last_heartbeat_details.ByteSize() <= bytes_max
    details = request.last_heartbeat_details if has_details else None
    return t.FailActivity(token, failure, request.identity, details)


def _details(
    request: RespondActivityTaskCanceledRequest | RespondActivityTaskCanceledByIdRequest,
) -> Payloads | None:
    return request.details if request.HasField("details") else None


def _version(poll: PollWorkflowTaskQueueRequest | PollActivityTaskQueueRequest) -> bytes:
    """The stamp that the worker's events will carry."""
    told = poll.worker_version_capabilities
    return WorkerVersionStamp(build_id=told.build_id, use_versioning=told.use_versioning).SerializeToString()


# Replies


def workflow_task_reply(started: StartedWorkflowTask, polled: TaskQueue) -> bytes:
    """The poll's reply; its history is joined from stored bytes, never parsed."""
    run, task = started.run, started.task
    reply = PollWorkflowTaskQueueResponse(attempt=1)
    reply.workflow_execution.workflow_id = run.workflow_id
    reply.workflow_execution.run_id = run.run_id
    reply.workflow_type.name = run.workflow_type
    reply.previous_started_event_id = started.previous_started_event_id
    reply.workflow_execution_task_queue.name = run.task_queue
    reply.workflow_execution_task_queue.kind = TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    reply.backlog_count_hint = started.backlog_count
    key = ExecutionKey(run.namespace_id, run.workflow_id, run.run_id)
    if task is not None:
        token = WorkflowTaskPass(key, task.scheduled_event_id, task.started_event_id, task.started_time, task.attempt)
        reply.task_token = encode(token)
        reply.started_event_id = task.started_event_id
        reply.attempt = task.attempt
        set_time(reply.scheduled_time, task.scheduled_time)
        set_time(reply.started_time, task.started_time)
        _add_queries(reply, started.queries)
        reply.messages.extend(started.messages)
    if started.query is not None:
        reply.task_token = encode(QueryPass(run.namespace_id, started.query_id))
        reply.query.CopyFrom(started.query)
    if started.history.next_event_id:
        position = HistoryPosition(run.run_id, started.history.next_event_id, started.last_event_id)
        reply.next_page_token = encode(position)
    return reply.SerializeToString() + framed(_HISTORY_FIELD, started.history.data)


def _add_queries(reply: PollWorkflowTaskQueueResponse, queries: Mapping[str, WorkflowQuery]) -> None:
    for query_id, query in queries.items():
        reply.queries[query_id].CopyFrom(query)


def activity_reply(started: StartedActivity) -> PollActivityTaskQueueResponse:
    run, activity, scheduled = started.run, started.activity, started.scheduled
    key = ExecutionKey(run.namespace_id, run.workflow_id, run.run_id)
    token = ActivityPass(key, activity.scheduled_event_id, activity.attempt, activity.started_time)
    reply = PollActivityTaskQueueResponse(
        task_token=encode(token),
        workflow_namespace=run.namespace,
        activity_id=activity.activity_id,
        attempt=activity.attempt,
        activity_type=scheduled.activity_type,
        schedule_to_close_timeout=scheduled.schedule_to_close_timeout,
        start_to_close_timeout=scheduled.start_to_close_timeout,
        heartbeat_timeout=scheduled.heartbeat_timeout,
        retry_policy=to_wire(activity.retry_policy),
    )
    reply.workflow_type.name = run.workflow_type
    reply.workflow_execution.workflow_id = run.workflow_id
    reply.workflow_execution.run_id = run.run_id
    if scheduled.HasField("header"):
        reply.header.CopyFrom(scheduled.header)
    if scheduled.HasField("input"):
        reply.input.CopyFrom(scheduled.input)
    if activity.heartbeat_details:
        reply.heartbeat_details.ParseFromString(activity.heartbeat_details)
    set_time(reply.scheduled_time, activity.scheduled_time)
    set_time(reply.current_attempt_scheduled_time, activity.attempt_scheduled_time)
    set_time(reply.started_time, activity.started_time)
    _add_priority(reply, run.priority, activity.priority)
    return reply


def _add_priority(reply: PollActivityTaskQueueResponse, of_run: bytes | None, of_activity: bytes | None) -> None:
    """The activity's priority over the workflow's, field by field."""
    for priority in (of_run, of_activity):
        if priority is not None:
            reply.priority.MergeFrom(Priority.FromString(priority))
