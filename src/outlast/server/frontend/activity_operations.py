"""Calls of operators about the pending activities of a workflow."""

from temporalio.api.workflowservice.v1 import (
    PauseActivityRequest,
    PauseActivityResponse,
    ResetActivityRequest,
    ResetActivityResponse,
    UnpauseActivityRequest,
    UnpauseActivityResponse,
    UpdateActivityOptionsRequest,
    UpdateActivityOptionsResponse,
)

from outlast.engine import triggers as t
from outlast.engine.checks import is_run_id
from outlast.engine.keys import ExecutionKey
from outlast.engine.refusals import InvalidArgument
from outlast.server.frontend.calls import Call
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.shard.shard import Shard


class ActivityOperationCalls:
    def __init__(self, shard: Shard, namespaces: NamespaceRegistry) -> None:
        self._shard = shard
        self._namespaces = namespaces

    async def pause(self, request: PauseActivityRequest, call: Call) -> PauseActivityResponse:
        await self._shard.update(self._addressed(request), t.PauseActivity(request))
        return PauseActivityResponse()

    async def unpause(self, request: UnpauseActivityRequest, call: Call) -> UnpauseActivityResponse:
        await self._shard.update(self._addressed(request), t.UnpauseActivity(request))
        return UnpauseActivityResponse()

    async def reset(self, request: ResetActivityRequest, call: Call) -> ResetActivityResponse:
        await self._shard.update(self._addressed(request), t.ResetActivity(request))
        return ResetActivityResponse()

    async def update_options(self, request: UpdateActivityOptionsRequest, call: Call) -> UpdateActivityOptionsResponse:
        transition = await self._shard.update(self._addressed(request), t.UpdateActivityOptions(request))
        return UpdateActivityOptionsResponse(activity_options=transition.activity_options)

    def _addressed(
        self, request: PauseActivityRequest | UnpauseActivityRequest | ResetActivityRequest | UpdateActivityOptionsRequest
    ) -> ExecutionKey:
        """The run that the request is about. The order of the checks, and the lack of others, is the reference server's."""
        namespace = self._namespaces.find(request.namespace)
        if not request.execution.workflow_id:
            raise InvalidArgument("WorkflowId is not set on request.")
        if request.WhichOneof("activity") is None:
            raise InvalidArgument("Either Activity.Id or Activity.Type should be set on request.")
        if request.execution.run_id and not is_run_id(request.execution.run_id):
            raise InvalidArgument("RunId is not valid UUID.")
        return ExecutionKey(namespace.id, request.execution.workflow_id, request.execution.run_id)
