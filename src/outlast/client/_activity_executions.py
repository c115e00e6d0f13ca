"""What the server tells of activities that run without a workflow: listed, described, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self

from temporalio.api.activity.v1 import ActivityExecutionInfo, ActivityExecutionListInfo, ActivityExecutionOutcome, CallbackInfo
from temporalio.api.common.v1 import Payloads
from temporalio.api.workflowservice.v1 import (
    CountActivityExecutionsResponse,
    DescribeActivityExecutionResponse,
    ListActivityExecutionsRequest,
)

from outlast.client._helpers import single_result, span_of, time_of
from outlast.client._pages import Pages
from outlast.common import Priority, RetryPolicy, SearchAttributeValue, TypedSearchAttributes, WorkerDeploymentVersion
from outlast.converter import DataConverter, decode_typed_search_attributes
from outlast.converter._search_attributes import _decode_search_attribute_value

if TYPE_CHECKING:
    from outlast.client._activity_inputs import ListActivitiesInput
    from outlast.client._client import Client


class ActivityExecutionStatus(IntEnum):
    """Where an activity is in its life."""

    UNSPECIFIED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    TIMED_OUT = 6
    PAUSED = 7


class PendingActivityState(IntEnum):
    """What a running activity waits for."""

    UNSPECIFIED = 0
    SCHEDULED = 1
    """For a worker, or for the next attempt to be due."""
    STARTED = 2
    """For the attempt that is under way."""
    CANCEL_REQUESTED = 3
    """For the attempt that was asked to stop."""
    PAUSED = 4
    """For the pause to end."""
    PAUSE_REQUESTED = 5
    """For the attempt that is the last before the pause."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecution:
    """An activity, as listed."""

    activity_id: str
    """Its id."""

    activity_run_id: str | None
    """Id of the run: the same id may be used again."""

    activity_type: str
    """Name of its type."""

    close_time: datetime | None
    """When it ended."""

    execution_duration: timedelta | None
    """How long it took, from schedule to end."""

    execution_time: datetime | None
    """When its first attempt was or will be due."""

    namespace: str
    """Where it runs."""

    schedule_time: datetime
    """When it was scheduled."""

    status: ActivityExecutionStatus
    """Where it is in its life."""

    task_queue: str
    """Task queue of the workers that run it."""

    typed_search_attributes: TypedSearchAttributes
    """Values that it can be found by."""

    raw_info: ActivityExecutionListInfo | ActivityExecutionInfo = field(repr=False)
    """All that the server told."""

    @classmethod
    def _from_raw_info(cls, info: ActivityExecutionListInfo | ActivityExecutionInfo, namespace: str, **kwargs: Any) -> Self:
        return cls(
            raw_info=info,
            activity_id=info.activity_id,
            activity_run_id=info.run_id or None,
            activity_type=info.activity_type.name,
            close_time=time_of(info, "close_time"),
            execution_duration=span_of(info, "execution_duration"),
            execution_time=time_of(info, "execution_time"),
            namespace=namespace,
            schedule_time=time_of(info, "schedule_time") or datetime.min,
            status=ActivityExecutionStatus(info.status),
            task_queue=info.task_queue,
            typed_search_attributes=decode_typed_search_attributes(info.search_attributes),
            **kwargs,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecutionDescription(ActivityExecution):
    """An activity, as described. Payloads are there only if the call asked for them."""

    attempt: int
    """Number of the current attempt, from 1."""

    canceled_reason: str | None
    """Why it was asked to stop."""

    close_time: datetime | None
    """When it ended."""

    current_retry_interval: timedelta | None
    """How long after the last attempt the next one is due."""

    expiration_time: datetime | None
    """When its time is up, retries included."""

    heartbeat_timeout: timedelta | None
    """How long an attempt may go without a heartbeat."""

    last_attempt_complete_time: datetime | None
    """When the last attempt ended."""

    last_deployment_version: WorkerDeploymentVersion | None
    """Version of the worker that ran the last attempt."""

    last_heartbeat_time: datetime | None
    """When the last heartbeat came."""

    last_started_time: datetime | None
    """When the last attempt began."""

    last_worker_identity: str | None
    """Who ran the last attempt."""

    next_attempt_schedule_time: datetime | None
    """When the next attempt is due."""

    priority: Priority
    """Which tasks go first when workers are busy."""

    retry_policy: RetryPolicy | None
    """Whether and when it is tried again."""

    run_state: PendingActivityState | None
    """What it waits for, while it runs."""

    schedule_to_close_timeout: timedelta | None
    """How long it may take in all, retries included."""

    schedule_to_start_timeout: timedelta | None
    """How long it may wait for a worker."""

    start_to_close_timeout: timedelta | None
    """How long one attempt may take."""

    start_delay: timedelta | None
    """How long it waited before its first attempt."""

    total_heartbeat_count: int
    """How many heartbeats came, in all attempts."""

    raw_info: ActivityExecutionInfo = field(repr=False)
    """All that the server told, but for what follows."""

    raw_callbacks: Sequence[CallbackInfo] = field(repr=False)
    """Who is told of its end."""

    raw_input: Payloads | None = field(repr=False)
    """Its arguments."""

    raw_outcome: ActivityExecutionOutcome | None = field(repr=False)
    """How it ended."""

    data_converter: DataConverter = field(repr=False)
    """Converts this activity's payloads."""

    @classmethod
    def _from_resp(cls, resp: DescribeActivityExecutionResponse, namespace: str, data_converter: DataConverter) -> Self:
        info = resp.info
        version = info.last_deployment_version
        return cls._from_raw_info(
            info=info,
            namespace=namespace,
            **{name: time_of(info, name) for name in _TIMES},
            **{name: span_of(info, name) for name in _SPANS},
            attempt=info.attempt,
            canceled_reason=info.canceled_reason or None,
            last_deployment_version=WorkerDeploymentVersion(deployment_name=version.deployment_name, build_id=version.build_id)
            if info.HasField("last_deployment_version")
            else None,
            last_worker_identity=info.last_worker_identity or None,
            priority=Priority._from_proto(info.priority),
            retry_policy=RetryPolicy.from_proto(info.retry_policy) if info.HasField("retry_policy") else None,
            run_state=PendingActivityState(info.run_state) if info.run_state else None,
            total_heartbeat_count=info.total_heartbeat_count,
            raw_callbacks=resp.callbacks,
            raw_input=resp.input if resp.HasField("input") else None,
            raw_outcome=resp.outcome if resp.HasField("outcome") else None,
            data_converter=data_converter,
        )

    def has_heartbeat_details(self) -> bool:
        """Whether the details of the last heartbeat are there."""
        return self.raw_info.HasField("heartbeat_details")

    async def heartbeat_details(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The details of the last heartbeat, converted to types if they are given; None if they are not there."""
        return (
            await self.data_converter.decode_wrapper(self.raw_info.heartbeat_details, type_hints) if self.has_heartbeat_details() else None
        )

    def has_last_failure(self) -> bool:
        """Whether the failure of the last attempt is there."""
        return self.raw_info.HasField("last_failure")

    async def last_failure(self) -> BaseException | None:
        """The failure of the last attempt; None if it is not there."""
        return await self.data_converter.decode_failure(self.raw_info.last_failure) if self.has_last_failure() else None

    def has_input(self) -> bool:
        """Whether the arguments are there."""
        return self.raw_input is not None

    async def input(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The arguments, converted to types if they are given; None if they are not there."""
        return await self.data_converter.decode_wrapper(self.raw_input, type_hints) if self.has_input() else None

    def has_result(self) -> bool:
        """Whether the result is there."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("result")

    async def result(self, type_hint: type | None = None) -> Any | None:
        """The result, converted to a type if one is given; None if it is not there."""
        if self.raw_outcome is None or not self.raw_outcome.HasField("result"):
            return None
        return await single_result(self.data_converter, self.raw_outcome.result, type_hint, "activity result")

    def has_outcome_failure(self) -> bool:
        """Whether the failure that it ended with is there."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("failure")

    async def outcome_failure(self) -> BaseException | None:
        """The failure that it ended with; None if it is not there."""
        if self.raw_outcome is None or not self.raw_outcome.HasField("failure"):
            return None
        return await self.data_converter.decode_failure(self.raw_outcome.failure)


_TIMES = ("expiration_time", "last_attempt_complete_time", "last_heartbeat_time", "last_started_time", "next_attempt_schedule_time")
_SPANS = (
    "current_retry_interval",
    "heartbeat_timeout",
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_delay",
    "start_to_close_timeout",
)


@dataclass(frozen=True)
class ActivityExecutionCount:
    """How many activities a query found."""

    count: int
    """How many, roughly; with ``GROUP BY``, the sum of the groups."""

    groups: Sequence[ActivityExecutionCountAggregationGroup]
    """The groups, if the query says ``GROUP BY``."""

    @staticmethod
    def _from_raw(resp: CountActivityExecutionsResponse) -> ActivityExecutionCount:
        groups = [ActivityExecutionCountAggregationGroup._from_raw(group) for group in resp.groups]
        return ActivityExecutionCount(count=resp.count, groups=groups)


@dataclass(frozen=True)
class ActivityExecutionCountAggregationGroup:
    """How many activities share these values."""

    count: int
    """How many, roughly."""

    group_values: Sequence[SearchAttributeValue]
    """What they share."""

    @staticmethod
    def _from_raw(raw: CountActivityExecutionsResponse.AggregationGroup) -> ActivityExecutionCountAggregationGroup:
        values = [_decode_search_attribute_value(value) for value in raw.group_values]
        return ActivityExecutionCountAggregationGroup(count=raw.count, group_values=values)


class ActivityExecutionAsyncIterator(Pages[ActivityExecution]):
    """The activities that a query found, fetched page by page."""

    def __init__(self, client: Client, input: ListActivitiesInput) -> None:
        """Made by :meth:`outlast.client.Client.list_activities`."""
        super().__init__(input.next_page_token)
        self._client = client
        self._input = input
        self._limit = input.limit

    async def _fetch(self, page_size: int | None, token: bytes) -> tuple[Sequence[ActivityExecution], bytes]:
        reply = await self._client.workflow_service.list_activity_executions(
            ListActivityExecutionsRequest(
                namespace=self._client.namespace,
                page_size=self._within_limit(page_size or self._input.page_size),
                next_page_token=token,
                query=self._input.query or "",
            ),
            retry=True,
            metadata=self._input.rpc_metadata,
            timeout=self._input.rpc_timeout,
        )
        return [ActivityExecution._from_raw_info(info, self._client.namespace) for info in reply.executions], reply.next_page_token
