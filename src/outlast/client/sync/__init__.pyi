"""The client without async. Generated from the asynchronous one by `python3 dev.py fix`: do not change."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Concatenate, Generic, Protocol, Self, TypeVar, Unpack, overload

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from temporalio.api.activity.v1 import ActivityExecutionInfo, ActivityExecutionOutcome, CallbackInfo
from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.operatorservice import v1 as operator
from temporalio.api.schedule import v1 as messages
from temporalio.api.testservice import v1 as testing
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice import v1 as workflowservice
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse, DescribeWorkflowExecutionResponse

from outlast import workflow
from outlast.client import (
    ActivityCancellationDetails,
    ActivityExecution,
    ActivityExecutionCount,
    ActivityExecutionCountAggregationGroup,
    ActivityExecutionOptions,
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityOptionsKey,
    ActivityOptionsKeys,
    ActivityOptionsUpdate,
    ActivitySerializationContext,
    AnyType,
    AsyncActivityCancelledError,
    AsyncActivityIDReference,
    BackfillScheduleInput,
    BuildIdOp,
    BuildIdOpAddNewCompatible,
    BuildIdOpAddNewDefault,
    BuildIdOpMergeSets,
    BuildIdOpPromoteBuildIdWithinSet,
    BuildIdOpPromoteSetByBuildId,
    BuildIdReachability,
    BuildIdVersionSet,
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    CancelActivityInput,
    CancelWorkflowInput,
    ClientConfig,
    ClientConnectConfig,
    CompleteAsyncActivityInput,
    ConnectConfig,
    CountActivitiesInput,
    CountWorkflowsInput,
    CreateScheduleInput,
    DataConverter,
    DeleteScheduleInput,
    DescribeActivityInput,
    DescribeScheduleInput,
    DescribeWorkflowInput,
    DnsLoadBalancingConfig,
    FailAsyncActivityInput,
    FetchWorkflowHistoryEventsInput,
    GetWorkerBuildIdCompatibilityInput,
    GetWorkerTaskReachabilityInput,
    GrpcCompression,
    HeaderCodecBehavior,
    HeartbeatAsyncActivityInput,
    HttpConnectProxyConfig,
    Interceptor,
    KeepAliveConfig,
    ListActivitiesInput,
    ListSchedulesInput,
    ListWorkflowsInput,
    LocalReturnType,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    MultiParamSpec,
    OutboundInterceptor,
    ParamType,
    PauseActivityInput,
    PauseScheduleInput,
    PayloadLimitsConfig,
    PendingActivityState,
    Plugin,
    QueryWorkflowInput,
    ReportCancellationAsyncActivityInput,
    RetryConfig,
    ReturnType,
    RPCError,
    RPCStatusCode,
    RPCTimeoutOrCancelledError,
    Schedule,
    ScheduleAction,
    ScheduleActionExecution,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleInfo,
    ScheduleIntervalSpec,
    ScheduleListAction,
    ScheduleListActionStartWorkflow,
    ScheduleListInfo,
    ScheduleListSchedule,
    ScheduleListState,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    SelfType,
    SerializationContext,
    ServiceClient,
    SignalWorkflowInput,
    StartActivityInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    TaskReachabilityType,
    TerminateActivityInput,
    TerminateWorkflowInput,
    TLSConfig,
    TriggerScheduleInput,
    UnpauseActivityInput,
    UnpauseScheduleInput,
    UpdateActivityOptionsInput,
    UpdateScheduleInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
    UpdateWorkerBuildIdCompatibilityInput,
    WithSerializationContext,
    WorkerBuildIdVersionSets,
    WorkerTaskReachability,
    WorkflowContinuedAsNewError,
    WorkflowExecutionCount,
    WorkflowExecutionCountAggregationGroup,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistory,
    WorkflowHistoryEventFilterType,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowSerializationContext,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from outlast.client._options import StartActivityOptions, StartWorkflowOptions, StartWorkflowWithUpdateOptions
from outlast.common import Priority, QueryRejectCondition, RetryPolicy, SearchAttributes, TypedSearchAttributes, WorkerDeploymentVersion
from outlast.runtime import Runtime

__all__ = [
    "ActivityCancellationDetails",
    "ActivityExecution",
    "ActivityExecutionCount",
    "ActivityExecutionCountAggregationGroup",
    "ActivityExecutionDescription",
    "ActivityExecutionIterator",
    "ActivityExecutionOptions",
    "ActivityExecutionStatus",
    "ActivityFailureError",
    "ActivityHandle",
    "ActivityOptionsKey",
    "ActivityOptionsKeys",
    "ActivityOptionsUpdate",
    "ActivitySerializationContext",
    "AnyType",
    "AsyncActivityCancelledError",
    "AsyncActivityHandle",
    "AsyncActivityIDReference",
    "BackfillScheduleInput",
    "BuildIdOp",
    "BuildIdOpAddNewCompatible",
    "BuildIdOpAddNewDefault",
    "BuildIdOpMergeSets",
    "BuildIdOpPromoteBuildIdWithinSet",
    "BuildIdOpPromoteSetByBuildId",
    "BuildIdReachability",
    "BuildIdVersionSet",
    "CallableAsyncNoParam",
    "CallableAsyncSingleParam",
    "CallableSyncNoParam",
    "CallableSyncSingleParam",
    "CancelActivityInput",
    "CancelWorkflowInput",
    "Client",
    "ClientConfig",
    "ClientConnectConfig",
    "CompleteAsyncActivityInput",
    "ConnectConfig",
    "CountActivitiesInput",
    "CountWorkflowsInput",
    "CreateScheduleInput",
    "DataConverter",
    "DeleteScheduleInput",
    "DescribeActivityInput",
    "DescribeScheduleInput",
    "DescribeWorkflowInput",
    "DnsLoadBalancingConfig",
    "FailAsyncActivityInput",
    "FetchWorkflowHistoryEventsInput",
    "GetWorkerBuildIdCompatibilityInput",
    "GetWorkerTaskReachabilityInput",
    "GrpcCompression",
    "HeaderCodecBehavior",
    "HeartbeatAsyncActivityInput",
    "HttpConnectProxyConfig",
    "Interceptor",
    "KeepAliveConfig",
    "ListActivitiesInput",
    "ListSchedulesInput",
    "ListWorkflowsInput",
    "LocalReturnType",
    "MethodAsyncNoParam",
    "MethodAsyncSingleParam",
    "MethodSyncOrAsyncNoParam",
    "MethodSyncOrAsyncSingleParam",
    "MultiParamSpec",
    "OutboundInterceptor",
    "ParamType",
    "PauseActivityInput",
    "PauseScheduleInput",
    "PayloadLimitsConfig",
    "PendingActivityState",
    "Plugin",
    "QueryWorkflowInput",
    "RPCError",
    "RPCStatusCode",
    "RPCTimeoutOrCancelledError",
    "ReportCancellationAsyncActivityInput",
    "RetryConfig",
    "ReturnType",
    "Schedule",
    "ScheduleAction",
    "ScheduleActionExecution",
    "ScheduleActionExecutionStartWorkflow",
    "ScheduleActionResult",
    "ScheduleActionStartWorkflow",
    "ScheduleAlreadyRunningError",
    "ScheduleBackfill",
    "ScheduleCalendarSpec",
    "ScheduleDescription",
    "ScheduleHandle",
    "ScheduleInfo",
    "ScheduleIntervalSpec",
    "ScheduleIterator",
    "ScheduleListAction",
    "ScheduleListActionStartWorkflow",
    "ScheduleListDescription",
    "ScheduleListInfo",
    "ScheduleListSchedule",
    "ScheduleListState",
    "ScheduleOverlapPolicy",
    "SchedulePolicy",
    "ScheduleRange",
    "ScheduleSpec",
    "ScheduleState",
    "ScheduleUpdate",
    "ScheduleUpdateInput",
    "SelfType",
    "SerializationContext",
    "ServiceClient",
    "SignalWorkflowInput",
    "StartActivityInput",
    "StartWorkflowInput",
    "StartWorkflowUpdateInput",
    "StartWorkflowUpdateWithStartInput",
    "TLSConfig",
    "TaskReachabilityType",
    "TerminateActivityInput",
    "TerminateWorkflowInput",
    "TriggerScheduleInput",
    "UnpauseActivityInput",
    "UnpauseScheduleInput",
    "UpdateActivityOptionsInput",
    "UpdateScheduleInput",
    "UpdateWithStartStartWorkflowInput",
    "UpdateWithStartUpdateWorkflowInput",
    "UpdateWorkerBuildIdCompatibilityInput",
    "WithSerializationContext",
    "WithStartWorkflowOperation",
    "WorkerBuildIdVersionSets",
    "WorkerTaskReachability",
    "WorkflowContinuedAsNewError",
    "WorkflowExecution",
    "WorkflowExecutionCount",
    "WorkflowExecutionCountAggregationGroup",
    "WorkflowExecutionDescription",
    "WorkflowExecutionIterator",
    "WorkflowExecutionStatus",
    "WorkflowFailureError",
    "WorkflowHandle",
    "WorkflowHistory",
    "WorkflowHistoryEventFilterType",
    "WorkflowHistoryEventIterator",
    "WorkflowQueryFailedError",
    "WorkflowQueryRejectedError",
    "WorkflowSerializationContext",
    "WorkflowUpdateFailedError",
    "WorkflowUpdateHandle",
    "WorkflowUpdateRPCTimeoutOrCancelledError",
    "WorkflowUpdateStage",
]
_Request = TypeVar("_Request", bound=Message, contravariant=True)
_Response = TypeVar("_Response", bound=Message, covariant=True)

class _Call(Protocol[_Request, _Response]):
    def __call__(
        self, req: _Request, retry: bool = False, metadata: Mapping[str, str | bytes] = ..., timeout: timedelta | None = None
    ) -> _Response: ...

class WorkflowUpdateHandle(Generic[LocalReturnType]):
    """An update that was sent to a workflow, and its result in time."""

    @property
    def id(self) -> str:
        """Id of the update."""

    @property
    def workflow_id(self) -> str:
        """Id of the workflow."""

    @property
    def workflow_run_id(self) -> str | None:
        """Id of the run that it was sent to, if known."""

    def result(self, *, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None) -> LocalReturnType:
        """Wait for the result.

        Args:
            rpc_metadata: Headers of each call; they win over the client's.
            rpc_timeout: How long each call may take, not the wait as a whole.

        Raises:
            WorkflowUpdateFailedError: The update was rejected or failed.
            WorkflowUpdateRPCTimeoutOrCancelledError: A call took too long, or the wait was cancelled; the update goes on.
            RPCError: The server could not be asked.
        """

class WorkflowHandle(Generic[SelfType, ReturnType]):
    """A workflow from the outside: its result, its state, and what can be asked of it.

    Comes from :meth:`outlast.client.Client.start_workflow` and :meth:`outlast.client.Client.get_workflow_handle`. All calls take
    ``rpc_metadata``, headers that win over the client's, and ``rpc_timeout``, how long one call to the server may take; all raise
    :class:`outlast.service.RPCError` if the server refuses or cannot be reached.
    """

    @overload
    def execute_update(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def execute_update(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def execute_update(
        self,
        update: workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: MultiParamSpec.args,  # type: ignore[valid-type]
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def execute_update(
        self,
        update: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> Any: ...
    @overload
    def start_update(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    def start_update(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    def start_update(
        self,
        update: workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: MultiParamSpec.args,  # type: ignore[valid-type]
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    def start_update(
        self,
        update: str,
        arg: Any = ...,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = ...,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]: ...
    def get_update_handle(
        self, id: str, *, workflow_run_id: str | None = None, result_type: type | None = None
    ) -> WorkflowUpdateHandle[Any]:
        """An update that was sent before, by its id. See :meth:`get_update_handle_for` for one with types.

        Args:
            id: Id of the update.
            workflow_run_id: The run that it was sent to; None: this handle's run.
            result_type: What to convert the result to.
        """

    def get_update_handle_for(
        self, update: workflow.UpdateMethodMultiParam[Any, LocalReturnType], id: str, *, workflow_run_id: str | None = None
    ) -> WorkflowUpdateHandle[LocalReturnType]:
        """An update that was sent before, by its id, with the types of its method.

        Args:
            update: The update method.
            id: Id of the update.
            workflow_run_id: The run that it was sent to; None: this handle's run.
        """

    @property
    def id(self) -> str:
        """Id of the workflow."""

    @property
    def run_id(self) -> str | None:
        """The one run that calls are for; None, as after a start, means the current run."""

    @property
    def result_run_id(self) -> str | None:
        """The run whose result, or whose successor's, :meth:`result` waits for: after a start, the run that was started."""

    @property
    def first_execution_run_id(self) -> str | None:
        """The first of a line of runs: :meth:`cancel` and :meth:`terminate` refuse to touch a workflow that began with another one.

        Known after a start, except for a start with a signal on servers older than 1.32 that found the workflow running.
        """

    def result(
        self, *, follow_runs: bool = True, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
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

    def cancel(self, *, reason: str = "", rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None) -> None:
        """Ask the workflow to stop: it gets a cancellation, with the reason, and may clean up or go on."""

    def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionDescription:
        """What the server knows of the run, or of the current run, whoever started it, if the handle came from a start."""

    def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = ...,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """The whole history; see :meth:`fetch_history_events`."""

    def fetch_history_events(
        self,
        *,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = ...,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistoryEventIterator:
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

    @overload
    def query(
        self,
        query: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType],
        *,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def query(
        self,
        query: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        *,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def query(
        self,
        query: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[LocalReturnType] | LocalReturnType],
        *,
        args: Sequence[Any],
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def query(
        self,
        query: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = None,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> Any: ...
    @overload
    def signal(
        self,
        signal: MethodSyncOrAsyncNoParam[SelfType, None],
        *,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...
    @overload
    def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        *,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...
    @overload
    def signal(
        self,
        signal: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...
    @overload
    def signal(
        self,
        signal: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...
    def terminate(
        self, *args: Any, reason: str | None = None, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """End the workflow at once: it gets no say. The arguments are kept as details."""

class WorkflowExecution:
    """One run of a workflow, as listed."""

    close_time: datetime | None
    execution_time: datetime | None
    history_length: int
    id: str
    namespace: str
    parent_id: str | None
    parent_run_id: str | None
    root_id: str | None
    root_run_id: str | None
    raw_info: WorkflowExecutionInfo
    run_id: str
    search_attributes: SearchAttributes
    start_time: datetime
    status: WorkflowExecutionStatus | None
    task_queue: str
    typed_search_attributes: TypedSearchAttributes
    workflow_type: str

    @property
    def data_converter(self) -> DataConverter:
        """Converts this workflow's payloads."""

    def memo(self) -> Mapping[str, Any]:
        """The memo, each value as it converts without a type: a dataclass comes as a dictionary. See :meth:`memo_value`."""

    @overload
    def memo_value(self, key: str, default: Any = ...) -> Any: ...
    @overload
    def memo_value(self, key: str, *, type_hint: type[ParamType]) -> ParamType: ...
    @overload
    def memo_value(self, key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...

class WorkflowExecutionDescription:
    """One run of a workflow, as described."""

    close_time: datetime | None
    execution_time: datetime | None
    history_length: int
    id: str
    namespace: str
    parent_id: str | None
    parent_run_id: str | None
    root_id: str | None
    root_run_id: str | None
    raw_info: WorkflowExecutionInfo
    run_id: str
    search_attributes: SearchAttributes
    start_time: datetime
    status: WorkflowExecutionStatus | None
    task_queue: str
    typed_search_attributes: TypedSearchAttributes
    workflow_type: str

    @property
    def data_converter(self) -> DataConverter:
        """Converts this workflow's payloads."""

    def memo(self) -> Mapping[str, Any]:
        """The memo, each value as it converts without a type: a dataclass comes as a dictionary. See :meth:`memo_value`."""

    @overload
    def memo_value(self, key: str, default: Any = ...) -> Any: ...
    @overload
    def memo_value(self, key: str, *, type_hint: type[ParamType]) -> ParamType: ...
    @overload
    def memo_value(self, key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...
    raw_description: DescribeWorkflowExecutionResponse

    def static_summary(self) -> str | None:
        """One line on what it is, for people; may be Markdown."""

    def static_details(self) -> str | None:
        """Some lines on what it is, for people; may be Markdown."""

class WorkflowExecutionIterator:
    """The workflows that a query found, fetched page by page."""

    @property
    def current_page_index(self) -> int:
        """Index in the current page of the item that comes next."""

    @property
    def current_page(self) -> Sequence[WorkflowExecution] | None:
        """The page that items come from now; None before the first one."""

    @property
    def next_page_token(self) -> bytes | None:
        """Where the next page begins; None if there is none, or before the first one."""

    def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetch the next page, whether the current one is used up or not, in this size instead of the usual one."""

    def map_histories(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = ...,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> Iterator[WorkflowHistory]:
        """The histories of the workflows that are still to come, one after the other, for a :class:`outlast.worker.Replayer`."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> WorkflowExecution: ...

class WorkflowHistoryEventIterator:
    """The events of a run, fetched page by page, and waited for if that was asked."""

    @property
    def current_page_index(self) -> int:
        """Index in the current page of the item that comes next."""

    @property
    def current_page(self) -> Sequence[HistoryEvent] | None:
        """The page that items come from now; None before the first one."""

    @property
    def next_page_token(self) -> bytes | None:
        """Where the next page begins; None if there is none, or before the first one."""

    def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetch the next page, whether the current one is used up or not, in this size instead of the usual one."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> HistoryEvent: ...

class ActivityHandle(Generic[ReturnType]):
    """An activity that runs without a workflow: its result, its state, and what can be asked of it.

    All calls take ``rpc_metadata``, headers that win over the client's, and ``rpc_timeout``, how long one call to the server may take;
    all raise :class:`outlast.service.RPCError` if the server refuses or cannot be reached.
    """

    @property
    def id(self) -> str:
        """Id of the activity."""

    @property
    def run_id(self) -> str | None:
        """The one run that calls are for; None: the current one."""

    def result(self, *, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None) -> ReturnType:
        """Wait for the activity's result.

        Raises ActivityFailureError if it failed, was cancelled or terminated, or took too long; its cause says which.
        """

    def cancel(
        self, *, reason: str | None = None, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """Ask the activity to stop. It hears of it by its next heartbeat, and may clean up or go on."""

    def terminate(
        self, *, reason: str | None = None, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """End the activity at once: an attempt that is under way no longer counts."""

    def pause(
        self, *, reason: str | None = None, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """Start no further attempt for now. One that is under way hears of it by its next heartbeat."""

    def unpause(
        self,
        *,
        reason: str | None = None,
        jitter: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Let a paused activity go on, after a random time of up to ``jitter``."""

    def update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionOptions:
        """Change options of the activity, such as ``ActivityOptionsKeys.heartbeat_timeout.value_set(timedelta(seconds=5))``.

        Returns all options as they are then. Raises ValueError if there is no change, or an option is changed twice.
        """

    def restore_original_options(
        self, *, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> ActivityExecutionOptions:
        """Put the options back that the activity was started with, and return them."""

    def describe(
        self,
        *,
        include_input: bool = False,
        include_outcome: bool = False,
        include_heartbeat_details: bool = False,
        include_last_failure: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionDescription:
        """What the server knows of the activity; with its arguments, outcome, heartbeat details and last failure, each if asked."""

class AsyncActivityHandle:
    """Completes an activity from outside its worker, after it has said that it will be: see :func:`outlast.activity.raise_complete_async`.

    All calls take ``rpc_metadata``, headers that win over the client's, and ``rpc_timeout``, how long the call may take.
    """

    def heartbeat(self, *details: Any, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None) -> None:
        """Report progress, with details that the next attempt would get.

        Raises AsyncActivityCancelledError if the activity is to stop.
        """

    def complete(
        self, result: Any | None = ..., *, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """Complete the activity, with a result if one is given."""

    def fail(
        self,
        error: Exception,
        *,
        last_heartbeat_details: Sequence[Any] = ...,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Fail the attempt, and report progress at the same time."""

    def report_cancellation(
        self, *details: Any, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """Say that the activity has stopped as it was asked to. The server refuses if it was not asked."""

    def with_context(self, context: SerializationContext) -> Self:
        """A handle that converts in this context; the same one, if the client's converter does not ask for it.

        Raises TypeError if a subclass has a constructor of its own: it must override this method, too.
        """

class ActivityExecutionDescription:
    """An activity, as described. Payloads are there only if the call asked for them."""

    activity_id: str
    activity_run_id: str | None
    activity_type: str
    execution_duration: timedelta | None
    execution_time: datetime | None
    namespace: str
    schedule_time: datetime
    status: ActivityExecutionStatus
    task_queue: str
    typed_search_attributes: TypedSearchAttributes
    attempt: int
    canceled_reason: str | None
    close_time: datetime | None
    current_retry_interval: timedelta | None
    expiration_time: datetime | None
    heartbeat_timeout: timedelta | None
    last_attempt_complete_time: datetime | None
    last_deployment_version: WorkerDeploymentVersion | None
    last_heartbeat_time: datetime | None
    last_started_time: datetime | None
    last_worker_identity: str | None
    next_attempt_schedule_time: datetime | None
    priority: Priority
    retry_policy: RetryPolicy | None
    run_state: PendingActivityState | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    start_delay: timedelta | None
    total_heartbeat_count: int
    raw_info: ActivityExecutionInfo
    raw_callbacks: Sequence[CallbackInfo]
    raw_input: Payloads | None
    raw_outcome: ActivityExecutionOutcome | None
    data_converter: DataConverter

    def has_heartbeat_details(self) -> bool:
        """Whether the details of the last heartbeat are there."""

    def heartbeat_details(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The details of the last heartbeat, converted to types if they are given; None if they are not there."""

    def has_last_failure(self) -> bool:
        """Whether the failure of the last attempt is there."""

    def last_failure(self) -> BaseException | None:
        """The failure of the last attempt; None if it is not there."""

    def has_input(self) -> bool:
        """Whether the arguments are there."""

    def input(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The arguments, converted to types if they are given; None if they are not there."""

    def has_result(self) -> bool:
        """Whether the result is there."""

    def result(self, type_hint: type | None = None) -> Any | None:
        """The result, converted to a type if one is given; None if it is not there."""

    def has_outcome_failure(self) -> bool:
        """Whether the failure that it ended with is there."""

    def outcome_failure(self) -> BaseException | None:
        """The failure that it ended with; None if it is not there."""

class ActivityExecutionIterator:
    """The activities that a query found, fetched page by page."""

    @property
    def current_page_index(self) -> int:
        """Index in the current page of the item that comes next."""

    @property
    def current_page(self) -> Sequence[ActivityExecution] | None:
        """The page that items come from now; None before the first one."""

    @property
    def next_page_token(self) -> bytes | None:
        """Where the next page begins; None if there is none, or before the first one."""

    def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetch the next page, whether the current one is used up or not, in this size instead of the usual one."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> ActivityExecution: ...

class ScheduleDescription:
    """A schedule, as described."""

    def memo(self) -> Mapping[str, Any]:
        """The memo, each value as it converts without a type: a dataclass comes as a dictionary. See :meth:`memo_value`."""

    @overload
    def memo_value(self, key: str, default: Any = ...) -> Any: ...
    @overload
    def memo_value(self, key: str, *, type_hint: type[ParamType]) -> ParamType: ...
    @overload
    def memo_value(self, key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...
    id: str
    schedule: Schedule
    info: ScheduleInfo
    typed_search_attributes: TypedSearchAttributes
    search_attributes: SearchAttributes
    data_converter: DataConverter
    raw_description: DescribeScheduleResponse

class ScheduleListDescription:
    """A schedule, as listed."""

    def memo(self) -> Mapping[str, Any]:
        """The memo, each value as it converts without a type: a dataclass comes as a dictionary. See :meth:`memo_value`."""

    @overload
    def memo_value(self, key: str, default: Any = ...) -> Any: ...
    @overload
    def memo_value(self, key: str, *, type_hint: type[ParamType]) -> ParamType: ...
    @overload
    def memo_value(self, key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...
    id: str
    schedule: ScheduleListSchedule | None
    info: ScheduleListInfo | None
    typed_search_attributes: TypedSearchAttributes
    search_attributes: SearchAttributes
    data_converter: DataConverter
    raw_entry: messages.ScheduleListEntry

class ScheduleIterator:
    """The schedules that a query found, fetched page by page."""

    @property
    def current_page_index(self) -> int:
        """Index in the current page of the item that comes next."""

    @property
    def current_page(self) -> Sequence[ScheduleListDescription] | None:
        """The page that items come from now; None before the first one."""

    @property
    def next_page_token(self) -> bytes | None:
        """Where the next page begins; None if there is none, or before the first one."""

    def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetch the next page, whether the current one is used up or not, in this size instead of the usual one."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> ScheduleListDescription: ...

class ScheduleUpdateInput:
    """What the function given to :meth:`ScheduleHandle.update` gets."""

    description: ScheduleDescription

class WorkflowService:
    """Workflows, activities, schedules, task queues, namespaces."""

    count_activity_executions: _Call[workflowservice.CountActivityExecutionsRequest, workflowservice.CountActivityExecutionsResponse]
    count_nexus_operation_executions: _Call[
        workflowservice.CountNexusOperationExecutionsRequest, workflowservice.CountNexusOperationExecutionsResponse
    ]
    count_schedules: _Call[workflowservice.CountSchedulesRequest, workflowservice.CountSchedulesResponse]
    count_workers: _Call[workflowservice.CountWorkersRequest, workflowservice.CountWorkersResponse]
    count_workflow_executions: _Call[workflowservice.CountWorkflowExecutionsRequest, workflowservice.CountWorkflowExecutionsResponse]
    create_schedule: _Call[workflowservice.CreateScheduleRequest, workflowservice.CreateScheduleResponse]
    create_worker_deployment: _Call[workflowservice.CreateWorkerDeploymentRequest, workflowservice.CreateWorkerDeploymentResponse]
    create_worker_deployment_version: _Call[
        workflowservice.CreateWorkerDeploymentVersionRequest, workflowservice.CreateWorkerDeploymentVersionResponse
    ]
    create_workflow_rule: _Call[workflowservice.CreateWorkflowRuleRequest, workflowservice.CreateWorkflowRuleResponse]
    delete_activity_execution: _Call[workflowservice.DeleteActivityExecutionRequest, workflowservice.DeleteActivityExecutionResponse]
    delete_nexus_operation_execution: _Call[
        workflowservice.DeleteNexusOperationExecutionRequest, workflowservice.DeleteNexusOperationExecutionResponse
    ]
    delete_schedule: _Call[workflowservice.DeleteScheduleRequest, workflowservice.DeleteScheduleResponse]
    delete_worker_deployment: _Call[workflowservice.DeleteWorkerDeploymentRequest, workflowservice.DeleteWorkerDeploymentResponse]
    delete_worker_deployment_version: _Call[
        workflowservice.DeleteWorkerDeploymentVersionRequest, workflowservice.DeleteWorkerDeploymentVersionResponse
    ]
    delete_workflow_execution: _Call[workflowservice.DeleteWorkflowExecutionRequest, workflowservice.DeleteWorkflowExecutionResponse]
    delete_workflow_rule: _Call[workflowservice.DeleteWorkflowRuleRequest, workflowservice.DeleteWorkflowRuleResponse]
    deprecate_namespace: _Call[workflowservice.DeprecateNamespaceRequest, workflowservice.DeprecateNamespaceResponse]
    describe_activity_execution: _Call[workflowservice.DescribeActivityExecutionRequest, workflowservice.DescribeActivityExecutionResponse]
    describe_batch_operation: _Call[workflowservice.DescribeBatchOperationRequest, workflowservice.DescribeBatchOperationResponse]
    describe_deployment: _Call[workflowservice.DescribeDeploymentRequest, workflowservice.DescribeDeploymentResponse]
    describe_namespace: _Call[workflowservice.DescribeNamespaceRequest, workflowservice.DescribeNamespaceResponse]
    describe_nexus_operation_execution: _Call[
        workflowservice.DescribeNexusOperationExecutionRequest, workflowservice.DescribeNexusOperationExecutionResponse
    ]
    describe_schedule: _Call[workflowservice.DescribeScheduleRequest, workflowservice.DescribeScheduleResponse]
    describe_task_queue: _Call[workflowservice.DescribeTaskQueueRequest, workflowservice.DescribeTaskQueueResponse]
    describe_worker: _Call[workflowservice.DescribeWorkerRequest, workflowservice.DescribeWorkerResponse]
    describe_worker_deployment: _Call[workflowservice.DescribeWorkerDeploymentRequest, workflowservice.DescribeWorkerDeploymentResponse]
    describe_worker_deployment_version: _Call[
        workflowservice.DescribeWorkerDeploymentVersionRequest, workflowservice.DescribeWorkerDeploymentVersionResponse
    ]
    describe_workflow_execution: _Call[workflowservice.DescribeWorkflowExecutionRequest, workflowservice.DescribeWorkflowExecutionResponse]
    describe_workflow_rule: _Call[workflowservice.DescribeWorkflowRuleRequest, workflowservice.DescribeWorkflowRuleResponse]
    execute_multi_operation: _Call[workflowservice.ExecuteMultiOperationRequest, workflowservice.ExecuteMultiOperationResponse]
    fetch_worker_config: _Call[workflowservice.FetchWorkerConfigRequest, workflowservice.FetchWorkerConfigResponse]
    get_cluster_info: _Call[workflowservice.GetClusterInfoRequest, workflowservice.GetClusterInfoResponse]
    get_current_deployment: _Call[workflowservice.GetCurrentDeploymentRequest, workflowservice.GetCurrentDeploymentResponse]
    get_deployment_reachability: _Call[workflowservice.GetDeploymentReachabilityRequest, workflowservice.GetDeploymentReachabilityResponse]
    get_search_attributes: _Call[workflowservice.GetSearchAttributesRequest, workflowservice.GetSearchAttributesResponse]
    get_system_info: _Call[workflowservice.GetSystemInfoRequest, workflowservice.GetSystemInfoResponse]
    get_worker_build_id_compatibility: _Call[
        workflowservice.GetWorkerBuildIdCompatibilityRequest, workflowservice.GetWorkerBuildIdCompatibilityResponse
    ]
    get_worker_task_reachability: _Call[workflowservice.GetWorkerTaskReachabilityRequest, workflowservice.GetWorkerTaskReachabilityResponse]
    get_worker_versioning_rules: _Call[workflowservice.GetWorkerVersioningRulesRequest, workflowservice.GetWorkerVersioningRulesResponse]
    get_workflow_execution_history: _Call[
        workflowservice.GetWorkflowExecutionHistoryRequest, workflowservice.GetWorkflowExecutionHistoryResponse
    ]
    get_workflow_execution_history_reverse: _Call[
        workflowservice.GetWorkflowExecutionHistoryReverseRequest, workflowservice.GetWorkflowExecutionHistoryReverseResponse
    ]
    list_activity_executions: _Call[workflowservice.ListActivityExecutionsRequest, workflowservice.ListActivityExecutionsResponse]
    list_archived_workflow_executions: _Call[
        workflowservice.ListArchivedWorkflowExecutionsRequest, workflowservice.ListArchivedWorkflowExecutionsResponse
    ]
    list_batch_operations: _Call[workflowservice.ListBatchOperationsRequest, workflowservice.ListBatchOperationsResponse]
    list_closed_workflow_executions: _Call[
        workflowservice.ListClosedWorkflowExecutionsRequest, workflowservice.ListClosedWorkflowExecutionsResponse
    ]
    list_deployments: _Call[workflowservice.ListDeploymentsRequest, workflowservice.ListDeploymentsResponse]
    list_namespaces: _Call[workflowservice.ListNamespacesRequest, workflowservice.ListNamespacesResponse]
    list_nexus_operation_executions: _Call[
        workflowservice.ListNexusOperationExecutionsRequest, workflowservice.ListNexusOperationExecutionsResponse
    ]
    list_open_workflow_executions: _Call[
        workflowservice.ListOpenWorkflowExecutionsRequest, workflowservice.ListOpenWorkflowExecutionsResponse
    ]
    list_schedule_matching_times: _Call[workflowservice.ListScheduleMatchingTimesRequest, workflowservice.ListScheduleMatchingTimesResponse]
    list_schedules: _Call[workflowservice.ListSchedulesRequest, workflowservice.ListSchedulesResponse]
    list_task_queue_partitions: _Call[workflowservice.ListTaskQueuePartitionsRequest, workflowservice.ListTaskQueuePartitionsResponse]
    list_worker_deployments: _Call[workflowservice.ListWorkerDeploymentsRequest, workflowservice.ListWorkerDeploymentsResponse]
    list_workers: _Call[workflowservice.ListWorkersRequest, workflowservice.ListWorkersResponse]
    list_workflow_executions: _Call[workflowservice.ListWorkflowExecutionsRequest, workflowservice.ListWorkflowExecutionsResponse]
    list_workflow_rules: _Call[workflowservice.ListWorkflowRulesRequest, workflowservice.ListWorkflowRulesResponse]
    patch_schedule: _Call[workflowservice.PatchScheduleRequest, workflowservice.PatchScheduleResponse]
    pause_activity: _Call[workflowservice.PauseActivityRequest, workflowservice.PauseActivityResponse]
    pause_activity_execution: _Call[workflowservice.PauseActivityExecutionRequest, workflowservice.PauseActivityExecutionResponse]
    pause_workflow_execution: _Call[workflowservice.PauseWorkflowExecutionRequest, workflowservice.PauseWorkflowExecutionResponse]
    poll_activity_execution: _Call[workflowservice.PollActivityExecutionRequest, workflowservice.PollActivityExecutionResponse]
    poll_activity_task_queue: _Call[workflowservice.PollActivityTaskQueueRequest, workflowservice.PollActivityTaskQueueResponse]
    poll_nexus_operation_execution: _Call[
        workflowservice.PollNexusOperationExecutionRequest, workflowservice.PollNexusOperationExecutionResponse
    ]
    poll_nexus_task_queue: _Call[workflowservice.PollNexusTaskQueueRequest, workflowservice.PollNexusTaskQueueResponse]
    poll_workflow_execution_time_skipping: _Call[
        workflowservice.PollWorkflowExecutionTimeSkippingRequest, workflowservice.PollWorkflowExecutionTimeSkippingResponse
    ]
    poll_workflow_execution_update: _Call[
        workflowservice.PollWorkflowExecutionUpdateRequest, workflowservice.PollWorkflowExecutionUpdateResponse
    ]
    poll_workflow_task_queue: _Call[workflowservice.PollWorkflowTaskQueueRequest, workflowservice.PollWorkflowTaskQueueResponse]
    query_workflow: _Call[workflowservice.QueryWorkflowRequest, workflowservice.QueryWorkflowResponse]
    record_activity_task_heartbeat: _Call[
        workflowservice.RecordActivityTaskHeartbeatRequest, workflowservice.RecordActivityTaskHeartbeatResponse
    ]
    record_activity_task_heartbeat_by_id: _Call[
        workflowservice.RecordActivityTaskHeartbeatByIdRequest, workflowservice.RecordActivityTaskHeartbeatByIdResponse
    ]
    record_worker_heartbeat: _Call[workflowservice.RecordWorkerHeartbeatRequest, workflowservice.RecordWorkerHeartbeatResponse]
    register_namespace: _Call[workflowservice.RegisterNamespaceRequest, workflowservice.RegisterNamespaceResponse]
    request_cancel_activity_execution: _Call[
        workflowservice.RequestCancelActivityExecutionRequest, workflowservice.RequestCancelActivityExecutionResponse
    ]
    request_cancel_nexus_operation_execution: _Call[
        workflowservice.RequestCancelNexusOperationExecutionRequest, workflowservice.RequestCancelNexusOperationExecutionResponse
    ]
    request_cancel_workflow_execution: _Call[
        workflowservice.RequestCancelWorkflowExecutionRequest, workflowservice.RequestCancelWorkflowExecutionResponse
    ]
    reset_activity: _Call[workflowservice.ResetActivityRequest, workflowservice.ResetActivityResponse]
    reset_activity_execution: _Call[workflowservice.ResetActivityExecutionRequest, workflowservice.ResetActivityExecutionResponse]
    reset_sticky_task_queue: _Call[workflowservice.ResetStickyTaskQueueRequest, workflowservice.ResetStickyTaskQueueResponse]
    reset_workflow_execution: _Call[workflowservice.ResetWorkflowExecutionRequest, workflowservice.ResetWorkflowExecutionResponse]
    respond_activity_task_canceled: _Call[
        workflowservice.RespondActivityTaskCanceledRequest, workflowservice.RespondActivityTaskCanceledResponse
    ]
    respond_activity_task_canceled_by_id: _Call[
        workflowservice.RespondActivityTaskCanceledByIdRequest, workflowservice.RespondActivityTaskCanceledByIdResponse
    ]
    respond_activity_task_completed: _Call[
        workflowservice.RespondActivityTaskCompletedRequest, workflowservice.RespondActivityTaskCompletedResponse
    ]
    respond_activity_task_completed_by_id: _Call[
        workflowservice.RespondActivityTaskCompletedByIdRequest, workflowservice.RespondActivityTaskCompletedByIdResponse
    ]
    respond_activity_task_failed: _Call[workflowservice.RespondActivityTaskFailedRequest, workflowservice.RespondActivityTaskFailedResponse]
    respond_activity_task_failed_by_id: _Call[
        workflowservice.RespondActivityTaskFailedByIdRequest, workflowservice.RespondActivityTaskFailedByIdResponse
    ]
    respond_nexus_task_completed: _Call[workflowservice.RespondNexusTaskCompletedRequest, workflowservice.RespondNexusTaskCompletedResponse]
    respond_nexus_task_failed: _Call[workflowservice.RespondNexusTaskFailedRequest, workflowservice.RespondNexusTaskFailedResponse]
    respond_query_task_completed: _Call[workflowservice.RespondQueryTaskCompletedRequest, workflowservice.RespondQueryTaskCompletedResponse]
    respond_workflow_task_completed: _Call[
        workflowservice.RespondWorkflowTaskCompletedRequest, workflowservice.RespondWorkflowTaskCompletedResponse
    ]
    respond_workflow_task_failed: _Call[workflowservice.RespondWorkflowTaskFailedRequest, workflowservice.RespondWorkflowTaskFailedResponse]
    scan_workflow_executions: _Call[workflowservice.ScanWorkflowExecutionsRequest, workflowservice.ScanWorkflowExecutionsResponse]
    set_current_deployment: _Call[workflowservice.SetCurrentDeploymentRequest, workflowservice.SetCurrentDeploymentResponse]
    set_worker_deployment_current_version: _Call[
        workflowservice.SetWorkerDeploymentCurrentVersionRequest, workflowservice.SetWorkerDeploymentCurrentVersionResponse
    ]
    set_worker_deployment_manager: _Call[
        workflowservice.SetWorkerDeploymentManagerRequest, workflowservice.SetWorkerDeploymentManagerResponse
    ]
    set_worker_deployment_ramping_version: _Call[
        workflowservice.SetWorkerDeploymentRampingVersionRequest, workflowservice.SetWorkerDeploymentRampingVersionResponse
    ]
    shutdown_worker: _Call[workflowservice.ShutdownWorkerRequest, workflowservice.ShutdownWorkerResponse]
    signal_with_start_workflow_execution: _Call[
        workflowservice.SignalWithStartWorkflowExecutionRequest, workflowservice.SignalWithStartWorkflowExecutionResponse
    ]
    signal_workflow_execution: _Call[workflowservice.SignalWorkflowExecutionRequest, workflowservice.SignalWorkflowExecutionResponse]
    start_activity_execution: _Call[workflowservice.StartActivityExecutionRequest, workflowservice.StartActivityExecutionResponse]
    start_batch_operation: _Call[workflowservice.StartBatchOperationRequest, workflowservice.StartBatchOperationResponse]
    start_nexus_operation_execution: _Call[
        workflowservice.StartNexusOperationExecutionRequest, workflowservice.StartNexusOperationExecutionResponse
    ]
    start_workflow_execution: _Call[workflowservice.StartWorkflowExecutionRequest, workflowservice.StartWorkflowExecutionResponse]
    stop_batch_operation: _Call[workflowservice.StopBatchOperationRequest, workflowservice.StopBatchOperationResponse]
    terminate_activity_execution: _Call[
        workflowservice.TerminateActivityExecutionRequest, workflowservice.TerminateActivityExecutionResponse
    ]
    terminate_nexus_operation_execution: _Call[
        workflowservice.TerminateNexusOperationExecutionRequest, workflowservice.TerminateNexusOperationExecutionResponse
    ]
    terminate_workflow_execution: _Call[
        workflowservice.TerminateWorkflowExecutionRequest, workflowservice.TerminateWorkflowExecutionResponse
    ]
    trigger_workflow_rule: _Call[workflowservice.TriggerWorkflowRuleRequest, workflowservice.TriggerWorkflowRuleResponse]
    unpause_activity: _Call[workflowservice.UnpauseActivityRequest, workflowservice.UnpauseActivityResponse]
    unpause_activity_execution: _Call[workflowservice.UnpauseActivityExecutionRequest, workflowservice.UnpauseActivityExecutionResponse]
    unpause_workflow_execution: _Call[workflowservice.UnpauseWorkflowExecutionRequest, workflowservice.UnpauseWorkflowExecutionResponse]
    update_activity_execution_options: _Call[
        workflowservice.UpdateActivityExecutionOptionsRequest, workflowservice.UpdateActivityExecutionOptionsResponse
    ]
    update_activity_options: _Call[workflowservice.UpdateActivityOptionsRequest, workflowservice.UpdateActivityOptionsResponse]
    update_namespace: _Call[workflowservice.UpdateNamespaceRequest, workflowservice.UpdateNamespaceResponse]
    update_schedule: _Call[workflowservice.UpdateScheduleRequest, workflowservice.UpdateScheduleResponse]
    update_task_queue_config: _Call[workflowservice.UpdateTaskQueueConfigRequest, workflowservice.UpdateTaskQueueConfigResponse]
    update_worker_build_id_compatibility: _Call[
        workflowservice.UpdateWorkerBuildIdCompatibilityRequest, workflowservice.UpdateWorkerBuildIdCompatibilityResponse
    ]
    update_worker_config: _Call[workflowservice.UpdateWorkerConfigRequest, workflowservice.UpdateWorkerConfigResponse]
    update_worker_deployment_version_compute_config: _Call[
        workflowservice.UpdateWorkerDeploymentVersionComputeConfigRequest,
        workflowservice.UpdateWorkerDeploymentVersionComputeConfigResponse,
    ]
    update_worker_deployment_version_metadata: _Call[
        workflowservice.UpdateWorkerDeploymentVersionMetadataRequest, workflowservice.UpdateWorkerDeploymentVersionMetadataResponse
    ]
    update_worker_versioning_rules: _Call[
        workflowservice.UpdateWorkerVersioningRulesRequest, workflowservice.UpdateWorkerVersioningRulesResponse
    ]
    update_workflow_execution: _Call[workflowservice.UpdateWorkflowExecutionRequest, workflowservice.UpdateWorkflowExecutionResponse]
    update_workflow_execution_options: _Call[
        workflowservice.UpdateWorkflowExecutionOptionsRequest, workflowservice.UpdateWorkflowExecutionOptionsResponse
    ]
    validate_worker_deployment_version_compute_config: _Call[
        workflowservice.ValidateWorkerDeploymentVersionComputeConfigRequest,
        workflowservice.ValidateWorkerDeploymentVersionComputeConfigResponse,
    ]

class OperatorService:
    """Search attributes, Nexus endpoints, clusters."""

    add_or_update_remote_cluster: _Call[operator.AddOrUpdateRemoteClusterRequest, operator.AddOrUpdateRemoteClusterResponse]
    add_search_attributes: _Call[operator.AddSearchAttributesRequest, operator.AddSearchAttributesResponse]
    create_nexus_endpoint: _Call[operator.CreateNexusEndpointRequest, operator.CreateNexusEndpointResponse]
    delete_namespace: _Call[operator.DeleteNamespaceRequest, operator.DeleteNamespaceResponse]
    delete_nexus_endpoint: _Call[operator.DeleteNexusEndpointRequest, operator.DeleteNexusEndpointResponse]
    get_nexus_endpoint: _Call[operator.GetNexusEndpointRequest, operator.GetNexusEndpointResponse]
    list_clusters: _Call[operator.ListClustersRequest, operator.ListClustersResponse]
    list_nexus_endpoints: _Call[operator.ListNexusEndpointsRequest, operator.ListNexusEndpointsResponse]
    list_search_attributes: _Call[operator.ListSearchAttributesRequest, operator.ListSearchAttributesResponse]
    remove_remote_cluster: _Call[operator.RemoveRemoteClusterRequest, operator.RemoveRemoteClusterResponse]
    remove_search_attributes: _Call[operator.RemoveSearchAttributesRequest, operator.RemoveSearchAttributesResponse]
    update_nexus_endpoint: _Call[operator.UpdateNexusEndpointRequest, operator.UpdateNexusEndpointResponse]

class TestService:
    """The clock of a server that skips time."""

    get_current_time: _Call[Empty, testing.GetCurrentTimeResponse]
    lock_time_skipping: _Call[testing.LockTimeSkippingRequest, testing.LockTimeSkippingResponse]
    sleep: _Call[testing.SleepRequest, testing.SleepResponse]
    sleep_until: _Call[testing.SleepUntilRequest, testing.SleepResponse]
    unlock_time_skipping: _Call[testing.UnlockTimeSkippingRequest, testing.UnlockTimeSkippingResponse]
    unlock_time_skipping_with_sleep: _Call[testing.SleepRequest, testing.SleepResponse]

class WithStartWorkflowOperation(Generic[SelfType, ReturnType]):
    """How an update-with-start starts the workflow if it does not run. Good for one call, and made while the event loop runs."""

    @overload
    def __init__(self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartWorkflowWithUpdateOptions]) -> None: ...
    @overload
    def __init__(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartWorkflowWithUpdateOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartWorkflowWithUpdateOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = None,
        **options: Unpack[StartWorkflowWithUpdateOptions],
    ) -> None: ...
    def workflow_handle(self) -> WorkflowHandle[SelfType, ReturnType]:
        """Wait until the workflow runs: its handle. Raises what the start raised."""

class ScheduleHandle:
    """A schedule from the outside.

    Comes from :meth:`outlast.client.Client.create_schedule` and :meth:`outlast.client.Client.get_schedule_handle`. All calls take
    ``rpc_metadata``, headers that win over the client's, and ``rpc_timeout``, how long the call may take; all raise
    :class:`outlast.service.RPCError` if the server refuses or cannot be reached.
    """

    id: str

    def __init__(self, client: Client, id: str) -> None:
        """Made by the client."""

    def backfill(
        self, *backfill: ScheduleBackfill, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """Act now for the times in these spans. Raises ValueError if there are none."""

    def delete(self, *, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None) -> None:
        """Delete the schedule. What it started goes on."""

    def describe(self, *, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None) -> ScheduleDescription:
        """What the server knows of the schedule."""

    def pause(
        self, *, note: str | None = None, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """Act no more until :meth:`unpause`. The note replaces the schedule's."""

    def trigger(
        self,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Act now. ``overlap`` says what to do when the last action still runs; None: what the schedule says."""

    def unpause(
        self, *, note: str | None = None, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """Act again. The note replaces the schedule's."""

    @overload
    def update(
        self,
        updater: Callable[[ScheduleUpdateInput], ScheduleUpdate | None],
        *,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...
    @overload
    def update(
        self,
        updater: Callable[[ScheduleUpdateInput], Awaitable[ScheduleUpdate | None]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> None: ...

class Client:
    """Starts workflows, talks to them and waits for their results; and all else that programs ask of a server.

    Comes from :meth:`connect` for a server, from ``outlast.Outlast.open`` for one in the same process. A client of another namespace over
    the same connection is made from :attr:`service_client`. Belongs to the event loop that it is used in: other threads use
    :mod:`outlast.client.sync`, or ``asyncio.run_coroutine_threadsafe``. Does not survive a fork.
    """

    def create_schedule(
        self,
        id: str,
        schedule: Schedule,
        *,
        trigger_immediately: bool = False,
        backfill: Sequence[ScheduleBackfill] = ...,
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleHandle:
        """Create a schedule.

        Args:
            id: Its id.
            schedule: What to do, and when.
            trigger_immediately: Whether to act at once, too.
            backfill: Times that have passed, for which to act now.
            memo: Values that are shown with the schedule, not with what it starts.
            search_attributes: Values that the schedule can be found by, not what it starts.
            rpc_metadata: Headers of the call; they win over the client's.
            rpc_timeout: How long the call may take.

        Raises:
            ScheduleAlreadyRunningError: There is a schedule of this id.
            ValueError: The schedule's limit of actions contradicts itself.
        """

    def get_schedule_handle(self, id: str) -> ScheduleHandle:
        """A schedule by its id, without asking the server."""

    def list_schedules(
        self,
        query: str | None = None,
        *,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleIterator:
        """The schedules that a query finds: to be awaited, and then run through with ``async for``. See :meth:`list_workflows`."""

    def update_worker_build_id_compatibility(
        self, task_queue: str, operation: BuildIdOp, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> None:
        """Change a task queue's sets of compatible builds. Deprecated by the server: version deployments instead."""

    def get_worker_build_id_compatibility(
        self,
        task_queue: str,
        max_sets: int | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkerBuildIdVersionSets:
        """A task queue's sets of compatible builds, the last ``max_sets`` of them. Deprecated by the server."""

    def get_worker_task_reachability(
        self,
        build_ids: Sequence[str],
        task_queues: Sequence[str] = ...,
        reachability_type: TaskReachabilityType | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkerTaskReachability:
        """Whether builds may still get tasks, of any kind or one, on all task queues or some. Deprecated by the server."""

    def list_activities(
        self,
        query: str,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionIterator:
        """The activities without a workflow that a query finds, one after the other; see :meth:`list_workflows`."""

    def count_activities(
        self, query: str | None = None, *, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> ActivityExecutionCount:
        """How many activities without a workflow a query finds; see :meth:`count_workflows`."""

    @overload
    def get_activity_handle(self, activity_id: str, *, run_id: str | None = None) -> ActivityHandle[Any]: ...
    @overload
    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = None, result_type: type[ReturnType]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def get_async_activity_handle(self, *, activity_id: str, run_id: str | None = None) -> AsyncActivityHandle: ...
    @overload
    def get_async_activity_handle(self, *, workflow_id: str, run_id: str | None, activity_id: str) -> AsyncActivityHandle: ...
    @overload
    def get_async_activity_handle(self, *, task_token: bytes) -> AsyncActivityHandle: ...
    @overload
    def start_activity(
        self, activity: CallableAsyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity(
        self, activity: CallableSyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity(
        self, activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity(
        self, activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity(
        self, activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity(
        self, activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = None,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[Any]: ...
    @overload
    def execute_activity(self, activity: CallableAsyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]) -> ReturnType: ...
    @overload
    def execute_activity(self, activity: CallableSyncNoParam[ReturnType], **options: Unpack[StartActivityOptions]) -> ReturnType: ...
    @overload
    def execute_activity(
        self, activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity(
        self, activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity(
        self, activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity(
        self, activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = None,
        **options: Unpack[StartActivityOptions],
    ) -> Any: ...
    @overload
    def start_activity_class(
        self, activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity_class(
        self, activity: type[CallableSyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity_class(
        self, activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity_class(
        self, activity: type[CallableSyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity_class(
        self, activity: type[Callable[..., Awaitable[ReturnType]]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity_class(
        self, activity: type[Callable[..., ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def execute_activity_class(
        self, activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity_class(
        self, activity: type[CallableSyncNoParam[ReturnType]], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity_class(
        self, activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity_class(
        self, activity: type[CallableSyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity_class(
        self, activity: type[Callable[..., Awaitable[ReturnType]]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity_class(
        self, activity: type[Callable[..., ReturnType]], *, args: Sequence[Any], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def start_activity_method(
        self, activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity_method(
        self, activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def start_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...
    @overload
    def execute_activity_method(
        self, activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity_method(
        self, activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[StartActivityOptions]
    ) -> ReturnType: ...
    @overload
    def execute_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    def execute_activity_method(
        self,
        activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
        *,
        args: Sequence[Any],
        **options: Unpack[StartActivityOptions],
    ) -> ReturnType: ...
    @overload
    def execute_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def execute_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def execute_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: MultiParamSpec.args,  # type: ignore[valid-type]
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> LocalReturnType: ...
    @overload
    def execute_update_with_start_workflow(
        self,
        update: str,
        arg: Any = ...,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = ...,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> Any: ...
    @overload
    def start_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    def start_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    def start_update_with_start_workflow(
        self,
        update: workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: MultiParamSpec.args,  # type: ignore[valid-type]
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...
    @overload
    def start_update_with_start_workflow(
        self,
        update: str,
        arg: Any = ...,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = ...,
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]: ...
    @overload
    def start_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartWorkflowOptions]
    ) -> WorkflowHandle[SelfType, ReturnType]: ...
    @overload
    def start_workflow(
        self, workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[StartWorkflowOptions]
    ) -> WorkflowHandle[SelfType, ReturnType]: ...
    @overload
    def start_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[SelfType, ReturnType]: ...
    @overload
    def start_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = None,
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[Any, Any]: ...
    @overload
    def execute_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartWorkflowOptions]
    ) -> ReturnType: ...
    @overload
    def execute_workflow(
        self, workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[StartWorkflowOptions]
    ) -> ReturnType: ...
    @overload
    def execute_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartWorkflowOptions],
    ) -> ReturnType: ...
    @overload
    def execute_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = None,
        **options: Unpack[StartWorkflowOptions],
    ) -> Any: ...
    def get_workflow_handle(
        self, workflow_id: str, *, run_id: str | None = None, first_execution_run_id: str | None = None, result_type: type | None = None
    ) -> WorkflowHandle[Any, Any]:
        """A workflow by its id, without asking the server. See :meth:`get_workflow_handle_for` for one with types.

        Args:
            workflow_id: Id of the workflow.
            run_id: The one run that calls are for; None: the current one.
            first_execution_run_id: The first of the line of runs that :meth:`WorkflowHandle.cancel` and ``terminate`` may touch.
            result_type: What to convert the result to.
        """

    def get_workflow_handle_for(
        self,
        workflow: MethodAsyncNoParam[SelfType, ReturnType] | MethodAsyncSingleParam[SelfType, Any, ReturnType],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[SelfType, ReturnType]:
        """A workflow by its id, with the types of its run method; see :meth:`get_workflow_handle`."""

    def list_workflows(
        self,
        query: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionIterator:
        """The workflows that a query finds, one after the other. No call is made before the first is asked for.

        Args:
            query: A list filter, such as ``WorkflowType = 'Order' AND ExecutionStatus = 'Running'``. None: all.
            limit: Most workflows to give; None: all.
            page_size: Most workflows in a page.
            next_page_token: Where to begin, taken from another iterator.
            rpc_metadata: Headers of each call; they win over the client's.
            rpc_timeout: How long each call may take.
        """

    def count_workflows(
        self, query: str | None = None, rpc_metadata: Mapping[str, str | bytes] = ..., rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionCount:
        """How many workflows a query finds; ``GROUP BY ExecutionStatus`` counts by status. See :meth:`list_workflows`."""

    @classmethod
    def connect(
        cls,
        target_host: str,
        *,
        namespace: str = "default",
        api_key: str | None = None,
        data_converter: DataConverter = ...,
        plugins: Sequence[Plugin] = ...,
        interceptors: Sequence[Interceptor] = ...,
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        tls: bool | TLSConfig | None = None,
        retry_config: RetryConfig | None = None,
        keep_alive_config: KeepAliveConfig | None = ...,
        connect_timeout: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = ...,
        identity: str | None = None,
        lazy: bool = False,
        runtime: Runtime | None = None,
        http_connect_proxy_config: HttpConnectProxyConfig | None = None,
        dns_load_balancing_config: DnsLoadBalancingConfig | None = None,
        grpc_compression: GrpcCompression = ...,
        payload_limits: PayloadLimitsConfig = ...,
        header_codec_behavior: HeaderCodecBehavior = ...,
    ) -> Self:
        """Connect to a server. The parameters are explained at :class:`outlast.client.ClientConnectConfig`.

        Raises:
            RuntimeError: The server does not answer.
            ValueError: Settings contradict one another.
        """

    def __init__(
        self,
        service_client: ServiceClient,
        *,
        namespace: str = "default",
        data_converter: DataConverter = ...,
        plugins: Sequence[Plugin] = ...,
        interceptors: Sequence[Interceptor] = ...,
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = ...,
    ) -> None:
        """Make a client of a connection; see :meth:`connect` for the parameters."""

    def config(self, *, active_config: bool = False) -> ClientConfig:
        """A copy of what the client was made with, or, if ``active_config``, of what plugins made of it."""

    @property
    def service_client(self) -> ServiceClient:
        """The connection: calls by message."""

    @property
    def workflow_service(self) -> WorkflowService:
        """Calls by message to the service for workflows."""

    @property
    def operator_service(self) -> OperatorService:
        """Calls by message to the service for operators."""

    @property
    def test_service(self) -> TestService:
        """Calls by message to the service of test servers."""

    @property
    def namespace(self) -> str:
        """Where calls are made."""

    @property
    def identity(self) -> str:
        """Who calls, as histories show it."""

    @property
    def data_converter(self) -> DataConverter:
        """Converts values to payloads and back."""

    @property
    def rpc_metadata(self) -> Mapping[str, str | bytes]:
        """Headers of all calls. Set another mapping to change them; do not change the mapping itself.

        Raises TypeError or ValueError for what cannot be a header: names that end in ``-bin`` have bytes, others printable ASCII.
        """

    @rpc_metadata.setter
    def rpc_metadata(self, value: Mapping[str, str | bytes]) -> None: ...
    @property
    def api_key(self) -> str | None:
        """The API key of all calls. Set another one to change it."""

    @api_key.setter
    def api_key(self, value: str | None) -> None: ...
    def close(self) -> None:
        """Close the connection. Calls that wait fail; a later call connects anew."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
