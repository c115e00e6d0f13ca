"""A workflow from the outside: its result, its state, and what can be asked of it."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, Generic, overload

from outlast import workflow
from outlast.client._handle_updates import WorkflowUpdates
from outlast.client._helpers import single_result
from outlast.client._history import WorkflowHistory, WorkflowHistoryEventAsyncIterator, WorkflowHistoryEventFilterType
from outlast.client._options import NO_ARGS, NO_METADATA
from outlast.client._outcome import next_run, result_of
from outlast.client._workflow_inputs import (
    CancelWorkflowInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    TerminateWorkflowInput,
)
from outlast.common import QueryRejectCondition, _arg_or_args, _arg_unset
from outlast.converter import DataConverter, WorkflowSerializationContext
from outlast.types import (
    LocalReturnType,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)

if TYPE_CHECKING:
    from temporalio.api.workflowservice.v1 import SignalWithStartWorkflowExecutionResponse, StartWorkflowExecutionResponse

    from outlast.client._client import Client
    from outlast.client._executions import WorkflowExecutionDescription


class WorkflowHandle(WorkflowUpdates[SelfType], Generic[SelfType, ReturnType]):
    """A workflow from the outside: its result, its state, and what can be asked of it.

    Comes from :meth:`outlast.client.Client.start_workflow` and :meth:`outlast.client.Client.get_workflow_handle`. All calls take
    ``rpc_metadata``, headers that win over the client's, and ``rpc_timeout``, how long one call to the server may take; all raise
    :class:`outlast.service.RPCError` if the server refuses or cannot be reached.
    """

    def __init__(
        self,
        client: Client,
        id: str,
        *,
        run_id: str | None = None,
        result_run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
        start_workflow_response: StartWorkflowExecutionResponse | SignalWithStartWorkflowExecutionResponse | None = None,
    ) -> None:
        """Made by the client."""
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_run_id = result_run_id
        self._first_execution_run_id = first_execution_run_id
        self._result_type = result_type
        self._start_workflow_response = start_workflow_response

    @functools.cached_property
    def _data_converter(self) -> DataConverter:
        return self._client.data_converter.with_context(
            WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=self._id)
        )

    @property
    def id(self) -> str:
        """Id of the workflow."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """The one run that calls are for; None, as after a start, means the current run."""
        return self._run_id

    @property
    def result_run_id(self) -> str | None:
        """The run whose result, or whose successor's, :meth:`result` waits for: after a start, the run that was started."""
        return self._result_run_id

    @property
    def first_execution_run_id(self) -> str | None:
        """The first of a line of runs: :meth:`cancel` and :meth:`terminate` refuse to touch a workflow that began with another one.

        Known after a start, except for a start with a signal on servers older than 1.32 that found the workflow running.
        """
        return self._first_execution_run_id

    async def result(
        self,
        *,
        follow_runs: bool = True,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ReturnType:
        """Wait for the workflow's result.

        Args:
            follow_runs: Whether to go on to the run that goes on with the work, until one has a result.
            rpc_metadata: Headers of each call; they win over the client's.
            rpc_timeout: How long each call may take, not the wait as a whole.

        Raises:
            WorkflowFailureError: The workflow failed, was cancelled or terminated, or took too long; its cause says which.
            WorkflowContinuedAsNewError: Another run has the result, and ``follow_runs`` is False.
        """
        run_id = self._result_run_id
        while True:
            events = self._fetch_history_events_for_run(
                run_id,
                wait_new_event=True,
                event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT,
                skip_archival=True,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
            event = await anext(events, None)
            if event is None:
                raise RuntimeError("No completion event found")
            run_id = next_run(event) if follow_runs else None
            if not run_id:
                payloads = await result_of(event, self._data_converter)
                result: ReturnType = await single_result(self._data_converter, payloads, self._result_type, "result")
                return result

    async def cancel(
        self, *, reason: str = "", rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Ask the workflow to stop: it gets a cancellation, with the reason, and may clean up or go on."""
        await self._client._impl.cancel_workflow(
            CancelWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionDescription:
        """What the server knows of the run, or of the current run, whoever started it, if the handle came from a start."""
        return await self._client._impl.describe_workflow(
            DescribeWorkflowInput(id=self._id, run_id=self._run_id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """The whole history; see :meth:`fetch_history_events`."""
        events = self.fetch_history_events(
            event_filter_type=event_filter_type, skip_archival=skip_archival, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
        )
        return WorkflowHistory(workflow_id=self.id, events=[event async for event in events])

    def fetch_history_events(
        self,
        *,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistoryEventAsyncIterator:
        """The events of the run one after the other, fetched page by page. No call is made before the first is asked for.

        Args:
            page_size: Most events, or batches of events, in a page; None: the server's choice.
            next_page_token: Where to begin, taken from another iterator.
            wait_new_event: Whether to wait for events to come, until the run ends.
            event_filter_type: All events or only the last.
            skip_archival: Whether to leave out the server's archive.
            rpc_metadata: Headers of each call; they win over the client's.
            rpc_timeout: How long each call may take.
        """
        return self._fetch_history_events_for_run(
            self._run_id,
            page_size=page_size,
            next_page_token=next_page_token,
            wait_new_event=wait_new_event,
            event_filter_type=event_filter_type,
            skip_archival=skip_archival,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )

    def _fetch_history_events_for_run(
        self,
        run_id: str | None,
        *,
        wait_new_event: bool,
        event_filter_type: WorkflowHistoryEventFilterType,
        skip_archival: bool,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
    ) -> WorkflowHistoryEventAsyncIterator:
        return self._client._impl.fetch_workflow_history_events(
            FetchWorkflowHistoryEventsInput(
                id=self._id,
                run_id=run_id,
                page_size=page_size,
                next_page_token=next_page_token,
                wait_new_event=wait_new_event,
                event_filter_type=event_filter_type,
                skip_archival=skip_archival,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    @overload
    async def query(
        self,
        query: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType],
        *,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        *,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[LocalReturnType] | LocalReturnType],
        *,
        args: Sequence[Any],
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        result_type: type | None = None,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any: ...

    async def query(
        self,
        query: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        result_type: type | None = None,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Ask the workflow a question; a worker answers, and the workflow goes on as before.

        Args:
            query: The query method, or its name.
            arg: The one argument.
            args: The arguments, if they are not one.
            result_type: What to convert the answer to, if the query is given by name.
            reject_condition: States of the workflow in which not to ask; None: what the client was made with.
            rpc_metadata: Headers of the call; they win over the client's.
            rpc_timeout: How long the call may take.

        Raises:
            WorkflowQueryRejectedError: The workflow is in such a state.
            WorkflowQueryFailedError: The workflow could not answer.
        """
        name, query_type = _query_name_and_type(query)
        return await self._client._impl.query_workflow(
            QueryWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                query=name,
                args=_arg_or_args(arg, args),
                reject_condition=reject_condition or self._client._config["default_workflow_query_reject_condition"],
                headers={},
                ret_type=query_type or result_type,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncNoParam[SelfType, None],
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Send the workflow a message. It is kept once this returns, and the workflow handles it when a worker gets to it.

        Args:
            signal: The signal method, or its name.
            arg: The one argument.
            args: The arguments, if they are not one.
            rpc_metadata: Headers of the call; they win over the client's.
            rpc_timeout: How long the call may take.
        """
        await self._client._impl.signal_workflow(
            SignalWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                signal=workflow._SignalDefinition.must_name_from_fn_or_str(signal),
                args=_arg_or_args(arg, args),
                headers={},
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def terminate(
        self,
        *args: Any,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """End the workflow at once: it gets no say. The arguments are kept as details."""
        await self._client._impl.terminate_workflow(
            TerminateWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                args=args,
                reason=reason,
                first_execution_run_id=self._first_execution_run_id,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )


def _query_name_and_type(query: str | Callable[..., Any]) -> tuple[str, type | None]:
    if not callable(query):
        return str(query), None
    definition = workflow._QueryDefinition.from_fn(query)
    if definition is None:
        name = getattr(query, "__qualname__", query)
        raise RuntimeError(f"Query definition not found on {name}, is it decorated with @workflow.query?")
    if not definition.name:
        raise RuntimeError("Cannot invoke dynamic query definition")
    return definition.name, definition.ret_type
