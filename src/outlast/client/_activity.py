"""Activities from the outside: those that run without a workflow, and those that are completed by someone else than their worker."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Self

from temporalio.api.activity.v1 import ActivityExecutionOutcome
from temporalio.api.workflowservice.v1 import PollActivityExecutionRequest

from outlast.client._activity_inputs import (
    CancelActivityInput,
    CompleteAsyncActivityInput,
    DescribeActivityInput,
    FailAsyncActivityInput,
    HeartbeatAsyncActivityInput,
    PauseActivityInput,
    ReportCancellationAsyncActivityInput,
    TerminateActivityInput,
    UnpauseActivityInput,
    UpdateActivityOptionsInput,
)
from outlast.client._activity_options import ActivityExecutionOptions, ActivityOptionsUpdate, refuse_repeated
from outlast.client._exceptions import ActivityFailureError
from outlast.client._helpers import single_result
from outlast.client._options import NO_ARGS, NO_METADATA
from outlast.common import _arg_unset
from outlast.converter import ActivitySerializationContext, DataConverter, SerializationContext, WithSerializationContext
from outlast.service import RPCError, RPCStatusCode
from outlast.types import ReturnType

if TYPE_CHECKING:
    from outlast.client._activity_executions import ActivityExecutionDescription
    from outlast.client._client import Client


@dataclass(frozen=True)
class AsyncActivityIDReference:
    """Names an activity by ids, where its task token is not at hand."""

    workflow_id: str | None
    """Workflow that it belongs to; None: it runs without one."""
    run_id: str | None
    """Run of the workflow, or of the activity if it runs without one; None: the current one."""
    activity_id: str
    """Id of the activity."""


class AsyncActivityHandle(WithSerializationContext):
    """Completes an activity from outside its worker, after it has said that it will be: see :func:`outlast.activity.raise_complete_async`.

    All calls take ``rpc_metadata``, headers that win over the client's, and ``rpc_timeout``, how long the call may take.
    """

    def __init__(
        self, client: Client, id_or_token: AsyncActivityIDReference | bytes, data_converter_override: DataConverter | None = None
    ) -> None:
        """Made by :meth:`outlast.client.Client.get_async_activity_handle`."""
        self._client = client
        self._id_or_token = id_or_token
        self._data_converter_override = data_converter_override

    async def heartbeat(
        self, *details: Any, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Report progress, with details that the next attempt would get.

        Raises AsyncActivityCancelledError if the activity is to stop.
        """
        await self._client._impl.heartbeat_async_activity(
            HeartbeatAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def complete(
        self,
        result: Any | None = _arg_unset,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Complete the activity, with a result if one is given."""
        await self._client._impl.complete_async_activity(
            CompleteAsyncActivityInput(
                id_or_token=self._id_or_token,
                result=result,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def fail(
        self,
        error: Exception,
        *,
        last_heartbeat_details: Sequence[Any] = NO_ARGS,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Fail the attempt, and report progress at the same time."""
        await self._client._impl.fail_async_activity(
            FailAsyncActivityInput(
                id_or_token=self._id_or_token,
                error=error,
                last_heartbeat_details=last_heartbeat_details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def report_cancellation(
        self, *details: Any, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Say that the activity has stopped as it was asked to. The server refuses if it was not asked."""
        await self._client._impl.report_cancellation_async_activity(
            ReportCancellationAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    def with_context(self, context: SerializationContext) -> Self:
        """A handle that converts in this context; the same one, if the client's converter does not ask for it.

        Raises TypeError if a subclass has a constructor of its own: it must override this method, too.
        """
        converter = self._client.data_converter.with_context(context)
        if converter is self._client.data_converter:
            return self
        cls = type(self)
        if cls.__init__ is not AsyncActivityHandle.__init__:
            raise TypeError(
                f"{cls.__name__} has a constructor of its own: you must override with_context to return an instance of your class"
            )
        return cls(self._client, self._id_or_token, converter)


class ActivityHandle(Generic[ReturnType]):
    """An activity that runs without a workflow: its result, its state, and what can be asked of it.

    All calls take ``rpc_metadata``, headers that win over the client's, and ``rpc_timeout``, how long one call to the server may take;
    all raise :class:`outlast.service.RPCError` if the server refuses or cannot be reached.
    """

    def __init__(self, client: Client, id: str, *, run_id: str | None = None, result_type: type | None = None) -> None:
        """Made by the client."""
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_type = result_type
        self._known_outcome: ActivityExecutionOutcome | None = None

    @functools.cached_property
    def _data_converter(self) -> DataConverter:
        return self._client.data_converter.with_context(activity_context(self._client.namespace, self._id))

    @property
    def id(self) -> str:
        """Id of the activity."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """The one run that calls are for; None: the current one."""
        return self._run_id

    async def result(self, *, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None) -> ReturnType:
        """Wait for the activity's result.

        Raises ActivityFailureError if it failed, was cancelled or terminated, or took too long; its cause says which.
        """
        outcome = await self._outcome(rpc_metadata, rpc_timeout)
        if outcome.HasField("failure"):
            raise ActivityFailureError(cause=await self._data_converter.decode_failure(outcome.failure))
        result: ReturnType = await single_result(self._data_converter, outcome.result, self._result_type, "activity result")
        return result

    async def _outcome(self, rpc_metadata: Mapping[str, str | bytes], rpc_timeout: timedelta | None) -> ActivityExecutionOutcome:
        request = PollActivityExecutionRequest(namespace=self._client.namespace, activity_id=self._id, run_id=self._run_id or "")
        poll = self._client.workflow_service.poll_activity_execution
        while self._known_outcome is None:
            try:
                reply = await poll(request, retry=True, metadata=rpc_metadata, timeout=rpc_timeout)
            except RPCError as error:
                if error.status is RPCStatusCode.CANCELLED:
                    raise asyncio.CancelledError from error
                if error.status is not RPCStatusCode.DEADLINE_EXCEEDED:
                    raise
            else:
                if reply.HasField("outcome"):
                    self._known_outcome = reply.outcome
        return self._known_outcome

    async def cancel(
        self, *, reason: str | None = None, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Ask the activity to stop. It hears of it by its next heartbeat, and may clean up or go on."""
        await self._client._impl.cancel_activity(
            CancelActivityInput(
                activity_id=self._id, activity_run_id=self._run_id, reason=reason, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def terminate(
        self, *, reason: str | None = None, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """End the activity at once: an attempt that is under way no longer counts."""
        await self._client._impl.terminate_activity(
            TerminateActivityInput(
                activity_id=self._id, activity_run_id=self._run_id, reason=reason, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def pause(
        self, *, reason: str | None = None, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Start no further attempt for now. One that is under way hears of it by its next heartbeat."""
        await self._client._impl.pause_activity(
            PauseActivityInput(
                activity_id=self._id, activity_run_id=self._run_id, reason=reason, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def unpause(
        self,
        *,
        reason: str | None = None,
        jitter: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Let a paused activity go on, after a random time of up to ``jitter``."""
        await self._client._impl.unpause_activity(
            UnpauseActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                jitter=jitter,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionOptions:
        """Change options of the activity, such as ``ActivityOptionsKeys.heartbeat_timeout.value_set(timedelta(seconds=5))``.

        Returns all options as they are then. Raises ValueError if there is no change, or an option is changed twice.
        """
        if not updates:
            raise ValueError("update_options requires at least one update; use restore_original_options() to revert options")
        refuse_repeated(updates)
        return await self._update_options(updates, False, rpc_metadata, rpc_timeout)

    async def restore_original_options(
        self, *, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> ActivityExecutionOptions:
        """Put the options back that the activity was started with, and return them."""
        return await self._update_options((), True, rpc_metadata, rpc_timeout)

    async def _update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        restore_original: bool,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> ActivityExecutionOptions:
        return await self._client._impl.update_activity_options(
            UpdateActivityOptionsInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                updates=updates,
                restore_original=restore_original,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def describe(
        self,
        *,
        include_input: bool = False,
        include_outcome: bool = False,
        include_heartbeat_details: bool = False,
        include_last_failure: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionDescription:
        """What the server knows of the activity; with its arguments, outcome, heartbeat details and last failure, each if asked."""
        return await self._client._impl.describe_activity(
            DescribeActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                include_input=include_input,
                include_outcome=include_outcome,
                include_heartbeat_details=include_heartbeat_details,
                include_last_failure=include_last_failure,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )


def activity_context(namespace: str, id: str, type: str | None = None, task_queue: str | None = None) -> ActivitySerializationContext:
    """The context in which payloads of an activity without a workflow are converted."""
    return ActivitySerializationContext(
        namespace=namespace,
        activity_id=id,
        activity_type=type,
        activity_task_queue=task_queue,
        is_local=False,
        workflow_id=None,
        workflow_type=None,
    )
