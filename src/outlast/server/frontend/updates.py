"""Calls about updates: one, its fate, and one together with a start."""

from uuid import uuid4

from temporalio.api.common.v1 import Link
from temporalio.api.enums.v1 import EventType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.workflowservice.v1 import (
    ExecuteMultiOperationRequest,
    ExecuteMultiOperationResponse,
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowExecutionUpdateResponse,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
    UpdateWorkflowExecutionRequest,
    UpdateWorkflowExecutionResponse,
)

from outlast.engine import limits
from outlast.engine.checks import size_bytes
from outlast.engine.keys import ExecutionKey, WorkflowKey
from outlast.engine.refusals import InvalidArgument, PermissionDenied, Refusal, Unsupported
from outlast.engine.triggers import NamespaceView
from outlast.server.frontend import checks
from outlast.server.frontend.callbacks import check_callbacks, linked
from outlast.server.frontend.calls import Call
from outlast.server.frontend.errors import MultiOperationFailed, RpcError, rpc_error
from outlast.server.frontend.features import UPDATE_CALLBACKS, Features
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.frontend.polls import long_poll_s
from outlast.server.frontend.workflows import WorkflowCalls
from outlast.server.shard.shard import Shard
from outlast.server.shard.updates import COMPLETED, Reached, Updates

_ADMITTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED


class UpdateCalls:
    def __init__(self, shard: Shard, updates: Updates, workflows: WorkflowCalls, namespaces: NamespaceRegistry) -> None:
        self._shard = shard
        self._updates = updates
        self._workflows = workflows
        self._namespaces = namespaces

    async def update(self, request: UpdateWorkflowExecutionRequest, call: Call) -> UpdateWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.workflow_execution)
        _check_update(request, self._workflows.features)
        key = ExecutionKey(namespace.id, request.workflow_execution.workflow_id, request.workflow_execution.run_id)
        return await self._update(key, request, call)

    async def _update(self, key: ExecutionKey, request: UpdateWorkflowExecutionRequest, call: Call) -> UpdateWorkflowExecutionResponse:
        wanted = request.wait_policy.lifecycle_stage or COMPLETED
        reached = await self._updates.update(key, request.request, wanted, long_poll_s(call), request.first_execution_run_id)
        reply = UpdateWorkflowExecutionResponse(stage=reached.stage)
        reply.update_ref.workflow_execution.workflow_id = reached.run.workflow_id
        reply.update_ref.workflow_execution.run_id = reached.run.run_id
        reply.update_ref.update_id = request.request.meta.update_id
        if reached.outcome is not None:
            reply.outcome.CopyFrom(reached.outcome)
        if reached.stage != _ADMITTED:
            reply.link.CopyFrom(_link(reached, request.request.request_id))
        return reply

    async def poll(self, request: PollWorkflowExecutionUpdateRequest, call: Call) -> PollWorkflowExecutionUpdateResponse:
        namespace = self._namespaces.find(request.namespace)
        if not request.HasField("update_ref"):
            raise InvalidArgument("UpdateRef is not set on request.")
        reference = request.update_ref
        checks.check_execution(reference, reference.workflow_execution)
        key = ExecutionKey(namespace.id, reference.workflow_execution.workflow_id, reference.workflow_execution.run_id)
        wanted = request.wait_policy.lifecycle_stage
        reached = await self._updates.poll(key, reference.update_id, wanted, long_poll_s(call) if wanted else 0)
        reply = PollWorkflowExecutionUpdateResponse(stage=reached.stage)
        reply.update_ref.CopyFrom(reference)
        reply.update_ref.workflow_execution.run_id = reached.run.run_id
        if reached.outcome is not None:
            reply.outcome.CopyFrom(reached.outcome)
        return reply

    # Update with start

    async def multi_operation(self, request: ExecuteMultiOperationRequest, call: Call) -> ExecuteMultiOperationResponse:
        """Start a workflow, or use the one that is there, and update it."""
        namespace = self._namespaces.find(request.namespace)
        start, update = _checked_pair(request, namespace, self._workflows.features)
        known = await self._known(namespace, start, update)
        if known is None:
            try:
                started = await self._workflows.begin(start, lambda entity: self._updates.admit(entity, update.request))
            except Refusal as refusal:
                raise MultiOperationFailed([rpc_error(refusal), None]) from refusal
        else:
            started = known
        key = ExecutionKey(namespace.id, start.workflow_id, started.run_id)
        try:
            updated = await self._update(key, update, call)
        except Refusal as refusal:
            raise MultiOperationFailed([None, rpc_error(refusal)]) from refusal
        if not started.started:
            started.first_execution_run_id = ""
        reply = ExecuteMultiOperationResponse()
        reply.responses.add().start_workflow.CopyFrom(started)
        reply.responses.add().update_workflow.CopyFrom(updated)
        return reply

    async def _known(
        self, namespace: NamespaceView, start: StartWorkflowExecutionRequest, update: UpdateWorkflowExecutionRequest
    ) -> StartWorkflowExecutionResponse | None:
        """The current run, if it works on the update or has answered it: then nothing is started, whatever the policies say."""
        entity = await self._shard.find_current(WorkflowKey(namespace.id, start.workflow_id))
        if entity is None or not self._updates.serves(entity, update.request.meta.update_id):
            return None
        run = (await self._shard.readable(entity)).run
        return StartWorkflowExecutionResponse(run_id=run.run_id, status=run.status)  # type: ignore[arg-type]


def _check_update(request: UpdateWorkflowExecutionRequest, features: Features) -> None:
    """Refuse what the reference server refuses; give the update an id if it has none."""
    if not request.HasField("request") or not request.request.HasField("meta"):
        raise InvalidArgument("Update meta is not set on request.")
    meta = request.request.meta
    if size_bytes(meta.update_id) > limits.ID_BYTES_MAX:
        raise InvalidArgument("UpdateId length exceeds limit.")
    if not request.request.HasField("input"):
        raise InvalidArgument("Update input is not set on request.")
    if not request.request.input.name:
        raise InvalidArgument("Update name is not set on request.")
    if request.wait_policy.lifecycle_stage == _ADMITTED:
        raise PermissionDenied("UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported.")
    callbacks = request.request.completion_callbacks
    if callbacks and not features.update_callbacks:
        raise Unsupported(f"completion callbacks of updates are switched off: {UPDATE_CALLBACKS}=false")
    check_callbacks(callbacks, features.callback_addresses)
    checks.check_all_links(linked(request.request, callbacks))
    if callbacks and not request.request.request_id:
        raise InvalidArgument("invalid *update.Request: request_id is required when completion_callbacks are set")
    meta.update_id = meta.update_id or str(uuid4())


def _checked_pair(
    request: ExecuteMultiOperationRequest, namespace: NamespaceView, features: Features
) -> tuple[StartWorkflowExecutionRequest, UpdateWorkflowExecutionRequest]:
    """The start and the update. Raises InvalidArgument or MultiOperationFailed."""
    kinds = [operation.WhichOneof("operation") for operation in request.operations]
    if kinds != ["start_workflow", "update_workflow"]:
        raise InvalidArgument("Operations have to be exactly [Start, Update].")
    start, update = request.operations[0].start_workflow, request.operations[1].update_workflow
    errors: list[RpcError | None] = [None, None]
    try:
        _check_start_of_pair(request, start, namespace, features)
    except Refusal as refusal:
        errors[0] = rpc_error(refusal)
    try:
        _check_update_of_pair(request, start, update, features)
    except Refusal as refusal:
        errors[1] = rpc_error(refusal)
    if any(errors):
        raise MultiOperationFailed(errors)
    return start, update


def _check_start_of_pair(
    request: ExecuteMultiOperationRequest, start: StartWorkflowExecutionRequest, namespace: NamespaceView, features: Features
) -> None:
    _check_namespace(request, start.namespace)
    if start.cron_schedule:
        raise InvalidArgument("CronSchedule is not allowed.")
    if start.request_eager_execution:
        raise InvalidArgument("RequestEagerExecution is not supported.")
    if start.HasField("workflow_start_delay"):
        raise InvalidArgument("WorkflowStartDelay is not supported.")
    checks.check_start(start, namespace, features)


def _check_update_of_pair(
    request: ExecuteMultiOperationRequest, start: StartWorkflowExecutionRequest, update: UpdateWorkflowExecutionRequest, features: Features
) -> None:
    _check_namespace(request, update.namespace)
    checks.check_execution(update, update.workflow_execution)
    if update.workflow_execution.workflow_id != start.workflow_id:
        raise InvalidArgument("WorkflowId is not consistent with previous operation(s).")
    if update.workflow_execution.run_id:
        raise InvalidArgument("RunId is not allowed.")
    if update.first_execution_run_id:
        raise InvalidArgument("FirstExecutionRunId is not allowed.")
    _check_update(update, features)


def _check_namespace(request: ExecuteMultiOperationRequest, name: str) -> None:
    if name and name != request.namespace:
        raise InvalidArgument("Namespace is not consistent with the request's.")


def _link(reached: Reached, request_id: str) -> Link:
    """Where the update is in the history, or that it is not."""
    link = Link()
    if reached.outcome is not None and reached.outcome.HasField("failure"):
        link.workflow.namespace = reached.run.namespace
        link.workflow.workflow_id = reached.run.workflow_id
        link.workflow.run_id = reached.run.run_id
        link.workflow.reason = "Update rejected"
        return link
    event = link.workflow_event
    event.namespace = reached.run.namespace
    event.workflow_id = reached.run.workflow_id
    event.run_id = reached.run.run_id
    event.request_id_ref.request_id = request_id
    event.request_id_ref.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    return link
