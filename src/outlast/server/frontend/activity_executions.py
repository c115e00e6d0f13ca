"""The newer calls of operators about activities: those of a workflow, by its id. Standalone activities are not built yet."""

from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import (
    PauseActivityExecutionRequest,
    PauseActivityExecutionResponse,
    PauseActivityRequest,
    ResetActivityExecutionRequest,
    ResetActivityExecutionResponse,
    ResetActivityRequest,
    UnpauseActivityExecutionRequest,
    UnpauseActivityExecutionResponse,
    UnpauseActivityRequest,
    UpdateActivityExecutionOptionsRequest,
    UpdateActivityExecutionOptionsResponse,
    UpdateActivityOptionsRequest,
)

from outlast.engine import triggers as t
from outlast.engine.checks import duration_flaw, is_run_id, size_bytes
from outlast.engine.keys import ExecutionKey
from outlast.engine.limits import BLOB_BYTES_MAX, ID_BYTES_MAX
from outlast.engine.refusals import InvalidArgument, Unsupported
from outlast.server.frontend import checks
from outlast.server.frontend.calls import Call
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.shard.shard import Shard

_Request = (
    PauseActivityExecutionRequest | UnpauseActivityExecutionRequest | ResetActivityExecutionRequest | UpdateActivityExecutionOptionsRequest
)
_TIMEOUTS = ("schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout", "heartbeat_timeout")
_PATHS = frozenset(
    {
        *_TIMEOUTS,
        "task_queue.name",
        "priority",
        "priority.priority_key",
        "priority.fairness_key",
        "priority.fairness_weight",
        "retry_policy",
        "retry_policy.initial_interval",
        "retry_policy.backoff_coefficient",
        "retry_policy.maximum_interval",
        "retry_policy.maximum_attempts",
        "start_delay",
    }
)


class ActivityExecutionCalls:
    def __init__(self, shard: Shard, namespaces: NamespaceRegistry) -> None:
        self._shard = shard
        self._namespaces = namespaces

    async def pause(self, request: PauseActivityExecutionRequest, call: Call) -> PauseActivityExecutionResponse:
        key = self._addressed(request)
        if size_bytes(request.reason) > BLOB_BYTES_MAX:
            raise InvalidArgument("reason exceeds length limit")
        older = PauseActivityRequest(
            id=request.activity_id, reason=request.reason, identity=request.identity, request_id=request.request_id or str(uuid4())
        )
        await self._shard.update(key, t.PauseActivity(older))
        return PauseActivityExecutionResponse()

    async def unpause(self, request: UnpauseActivityExecutionRequest, call: Call) -> UnpauseActivityExecutionResponse:
        key = self._addressed(request)
        _check_jitter(request.jitter)
        older = UnpauseActivityRequest(id=request.activity_id, identity=request.identity, jitter=request.jitter)
        await self._shard.update(key, t.UnpauseActivity(older))
        return UnpauseActivityExecutionResponse()

    async def reset(self, request: ResetActivityExecutionRequest, call: Call) -> ResetActivityExecutionResponse:
        key = self._addressed(request)
        _check_jitter(request.jitter)
        older = ResetActivityRequest(
            id=request.activity_id,
            identity=request.identity,
            reset_heartbeat=request.reset_heartbeat,
            keep_paused=request.keep_paused,
            jitter=request.jitter,
            restore_original_options=request.restore_original_options,
        )
        await self._shard.update(key, t.ResetActivity(older))
        return ResetActivityExecutionResponse()

    async def update_options(self, request: UpdateActivityExecutionOptionsRequest, call: Call) -> UpdateActivityExecutionOptionsResponse:
        key = self._addressed(request)
        _check_options(request)
        older = UpdateActivityOptionsRequest(
            id=request.activity_id,
            identity=request.identity,
            activity_options=request.activity_options if request.HasField("activity_options") else None,
            update_mask=request.update_mask if request.HasField("update_mask") else None,
            restore_original=request.restore_original,
        )
        transition = await self._shard.update(key, t.UpdateActivityOptions(older))
        return UpdateActivityExecutionOptionsResponse(activity_options=transition.activity_options)

    def _addressed(self, request: _Request) -> ExecutionKey:
        """The run that has the activity, from a request whose ids are sound."""
        namespace = self._namespaces.find(request.namespace)
        if not request.workflow_id:
            raise Unsupported("standalone activities are not built yet; with a workflow_id this works for the activities of a workflow")
        for name, text in (("request ID", request.request_id), ("activity ID", request.activity_id), ("identity", request.identity)):
            if name == "activity ID" and not text:
                raise InvalidArgument("activity ID is required")
            if size_bytes(text) > ID_BYTES_MAX:
                raise InvalidArgument(f"{name} exceeds length limit. Length={size_bytes(text)} Limit={ID_BYTES_MAX}")
        if request.run_id and not is_run_id(request.run_id):
            raise InvalidArgument("invalid run id: must be a valid UUID")
        return ExecutionKey(namespace.id, request.workflow_id, request.run_id)


def _check_jitter(jitter: Duration) -> None:
    if flaw := duration_flaw(jitter):
        raise InvalidArgument(f"invalid jitter: {flaw}")


def _check_options(request: UpdateActivityExecutionOptionsRequest) -> None:
    """Stricter than the older call: a path that cannot be changed is refused. The activity judges the rest."""
    if request.update_mask.paths and request.restore_original:
        raise InvalidArgument("Both UpdateMask and RestoreOriginal are provided")
    if request.restore_original:
        return
    if not request.HasField("activity_options"):
        raise InvalidArgument("ActivityOptions are not provided")
    if not request.HasField("update_mask"):
        raise InvalidArgument("UpdateMask is not provided")
    if not request.update_mask.paths:
        raise InvalidArgument("UpdateMask must specify at least one path")
    for path in request.update_mask.paths:
        if _snake(path) not in _PATHS:
            raise InvalidArgument(f'unsupported update_mask path: "{path}"')
    for path in map(_snake, request.update_mask.paths):
        if path in _TIMEOUTS and (flaw := duration_flaw(getattr(request.activity_options, path))):
            name = "".join(word.capitalize() for word in path.split("_"))
            raise InvalidArgument(f"invalid {name}: {flaw}")
        if path.startswith("priority"):
            checks.check_priority(request.activity_options.priority)


def _snake(path: str) -> str:
    return "".join(f"_{character.lower()}" if character.isupper() else character for character in path)
