"""Calls of operators: hold a workflow, let it go on, change its options, reset it, delete it."""

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.enums.v1 import ResetReapplyType
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DeleteWorkflowExecutionResponse,
    PauseWorkflowExecutionRequest,
    PauseWorkflowExecutionResponse,
    ResetWorkflowExecutionRequest,
    ResetWorkflowExecutionResponse,
    UnpauseWorkflowExecutionRequest,
    UnpauseWorkflowExecutionResponse,
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionOptionsResponse,
)

from outlast.engine import limits
from outlast.engine.checks import is_run_id, size_bytes
from outlast.engine.keys import ExecutionKey
from outlast.engine.machines.options import mask_flaw, options_of, partial_flaw
from outlast.engine.machines.reset import SIGNALS, UPDATES
from outlast.engine.refusals import InvalidArgument, Unsupported
from outlast.engine.triggers import Delete, NamespaceView, PauseWorkflow, UnpauseWorkflow, UpdateOptions
from outlast.server.frontend import checks
from outlast.server.frontend.calls import Call
from outlast.server.frontend.features import Features
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.shard.resets import Resets
from outlast.server.shard.shard import Shard


class OperatorCalls:
    def __init__(self, shard: Shard, resets: Resets, namespaces: NamespaceRegistry, features: Features) -> None:
        self._shard = shard
        self._resets = resets
        self._namespaces = namespaces
        self._features = features

    async def pause(self, request: PauseWorkflowExecutionRequest, call: Call) -> PauseWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        if not self._features.pause:
            raise Unsupported(f"workflow pause is not enabled for namespace: {namespace.name}")
        key = _key(request, namespace)
        await self._shard.update(key, PauseWorkflow(request.identity, request.reason, request.request_id))
        return PauseWorkflowExecutionResponse()

    async def unpause(self, request: UnpauseWorkflowExecutionRequest, call: Call) -> UnpauseWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        key = _key(request, namespace)
        await self._shard.update(key, UnpauseWorkflow(request.identity, request.reason, request.request_id))
        return UnpauseWorkflowExecutionResponse()

    async def reset(self, request: ResetWorkflowExecutionRequest, call: Call) -> ResetWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.workflow_execution)
        if not request.request_id:
            raise InvalidArgument("RequestId is not set on request.")
        if size_bytes(request.request_id) > limits.ID_BYTES_MAX:
            raise InvalidArgument("RequestId length exceeds limit.")
        for operation in request.post_reset_operations:
            options = operation.update_workflow_options.workflow_execution_options
            if options.HasField("time_skipping_config"):
                checks.check_time_skipping(options.time_skipping_config, self._features)
        key = ExecutionKey(namespace.id, request.workflow_execution.workflow_id, request.workflow_execution.run_id)
        run_id = await self._resets.reset(
            key, request.workflow_task_finish_event_id, request.reason, _excluded(request), request.post_reset_operations
        )
        return ResetWorkflowExecutionResponse(run_id=run_id)

    async def update_options(self, request: UpdateWorkflowExecutionOptionsRequest, call: Call) -> UpdateWorkflowExecutionOptionsResponse:
        namespace = self._namespaces.find(request.namespace)
        if not request.workflow_execution.workflow_id:
            raise InvalidArgument("WorkflowId is not set on request.")
        checks.check_execution(request, request.workflow_execution)
        if not request.HasField("workflow_execution_options"):
            raise InvalidArgument("WorkflowExecutionOptions is required")
        if not request.HasField("update_mask"):
            raise InvalidArgument("UpdateMask is required")
        _check_mask(request.update_mask)
        checks.check_priority(request.workflow_execution_options.priority)
        if request.workflow_execution_options.HasField("time_skipping_config"):
            checks.check_time_skipping(request.workflow_execution_options.time_skipping_config, self._features)
        key = ExecutionKey(namespace.id, request.workflow_execution.workflow_id, request.workflow_execution.run_id)
        trigger = UpdateOptions(request.workflow_execution_options, tuple(request.update_mask.paths), request.identity)
        transition = await self._shard.update(key, trigger)
        return UpdateWorkflowExecutionOptionsResponse(workflow_execution_options=options_of(transition.after.run))

    async def delete(self, request: DeleteWorkflowExecutionRequest, call: Call) -> DeleteWorkflowExecutionResponse:
        """The run is gone soon after the answer: first its parent and its children must hear that it has ended."""
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.workflow_execution)
        key = ExecutionKey(namespace.id, request.workflow_execution.workflow_id, request.workflow_execution.run_id)
        await self._shard.update(key, Delete())
        return DeleteWorkflowExecutionResponse()


def _excluded(request: ResetWorkflowExecutionRequest) -> frozenset[int]:
    """The kinds of events that are not to be applied again; the deprecated type counts as well."""
    excluded: set[int] = set(request.reset_reapply_exclude_types)
    if request.reset_reapply_type == ResetReapplyType.RESET_REAPPLY_TYPE_SIGNAL:
        excluded.add(UPDATES)
    elif request.reset_reapply_type == ResetReapplyType.RESET_REAPPLY_TYPE_NONE:
        excluded |= {SIGNALS, UPDATES}
    return frozenset(excluded)


def _check_mask(mask: FieldMask) -> None:
    if flaw := mask_flaw(mask):
        raise InvalidArgument(f"error parsing UpdateMask: {flaw}")
    if flaw := partial_flaw(mask):
        raise InvalidArgument(f"error applying update_options: {flaw}")


def _key(request: PauseWorkflowExecutionRequest | UnpauseWorkflowExecutionRequest, namespace: NamespaceView) -> ExecutionKey:
    """The run to hold or to let go on, from a request whose texts are not too long."""
    if not request.workflow_id:
        raise InvalidArgument("Can't load workflow execution.  WorkflowId not set.")
    if request.run_id and not is_run_id(request.run_id):
        raise InvalidArgument("RunId is not valid UUID.")
    for name, text in (("reason", request.reason), ("request id", request.request_id), ("identity", request.identity)):
        if size_bytes(text) > limits.ID_BYTES_MAX:
            raise InvalidArgument(f"{name} is too long.")
    return ExecutionKey(namespace.id, request.workflow_id, request.run_id)
