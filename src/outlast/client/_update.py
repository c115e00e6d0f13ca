"""An update that was sent to a workflow."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Generic

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.update.v1 import Outcome, UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest

from outlast.client._exceptions import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from outlast.client._helpers import single_result
from outlast.client._options import NO_METADATA
from outlast.converter import DataConverter, WorkflowSerializationContext
from outlast.service import RPCError, RPCStatusCode
from outlast.types import LocalReturnType

if TYPE_CHECKING:
    from outlast.client._client import Client

GAVE_UP = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


class WorkflowUpdateStage(IntEnum):
    """How far an update has come."""

    ADMITTED = 1
    """The server has it. A call cannot wait for this alone."""
    ACCEPTED = 2
    """The workflow's validator let it pass."""
    COMPLETED = 3
    """It has a result, or failed."""


class WorkflowUpdateHandle(Generic[LocalReturnType]):
    """An update that was sent to a workflow, and its result in time."""

    def __init__(
        self,
        client: Client,
        id: str,
        workflow_id: str,
        *,
        workflow_run_id: str | None = None,
        result_type: type | None = None,
        known_outcome: Outcome | None = None,
    ) -> None:
        """Made by :meth:`WorkflowHandle.start_update` and :meth:`WorkflowHandle.get_update_handle`."""
        self._client = client
        self._id = id
        self._workflow_id = workflow_id
        self._workflow_run_id = workflow_run_id
        self._result_type = result_type
        self._known_outcome = known_outcome

    @functools.cached_property
    def _data_converter(self) -> DataConverter:
        return self._client.data_converter.with_context(
            WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=self._workflow_id)
        )

    @property
    def id(self) -> str:
        """Id of the update."""
        return self._id

    @property
    def workflow_id(self) -> str:
        """Id of the workflow."""
        return self._workflow_id

    @property
    def workflow_run_id(self) -> str | None:
        """Id of the run that it was sent to, if known."""
        return self._workflow_run_id

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> LocalReturnType:
        """Wait for the result.

        Args:
            rpc_metadata: Headers of each call; they win over the client's.
            rpc_timeout: How long each call may take, not the wait as a whole.

        Raises:
            WorkflowUpdateFailedError: The update was rejected or failed.
            WorkflowUpdateRPCTimeoutOrCancelledError: A call took too long, or the wait was cancelled; the update goes on.
            RPCError: The server could not be asked.
        """
        await self._poll_until_outcome(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        outcome = self._known_outcome
        assert outcome
        if outcome.HasField("failure"):
            raise WorkflowUpdateFailedError(await self._data_converter.decode_failure(outcome.failure))
        result: LocalReturnType = await single_result(self._data_converter, outcome.success, self._result_type, "update result")
        return result

    async def _poll_until_outcome(
        self, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        if self._known_outcome:
            return
        request = PollWorkflowExecutionUpdateRequest(
            namespace=self._client.namespace,
            update_ref=UpdateRef(
                workflow_execution=WorkflowExecution(workflow_id=self._workflow_id, run_id=self._workflow_run_id or ""),
                update_id=self._id,
            ),
            identity=self._client.identity,
            wait_policy=WaitPolicy(lifecycle_stage=WorkflowUpdateStage.COMPLETED.value),  # type: ignore[arg-type]
        )
        poll = self._client.workflow_service.poll_workflow_execution_update
        try:
            while self._known_outcome is None:
                reply = await poll(request, retry=True, metadata=rpc_metadata, timeout=rpc_timeout)
                if reply.HasField("outcome"):
                    self._known_outcome = reply.outcome
        except asyncio.CancelledError as error:
            raise WorkflowUpdateRPCTimeoutOrCancelledError from error
        except RPCError as error:
            if error.status in GAVE_UP:
                raise WorkflowUpdateRPCTimeoutOrCancelledError from error
            raise


def refuse_admitted(stage: WorkflowUpdateStage) -> None:
    """Raise ValueError for the stage that a call cannot wait for."""
    if stage == WorkflowUpdateStage.ADMITTED:
        raise ValueError("ADMITTED wait stage not supported")
