"""What the functions of `outlast.workflow` ask of whoever runs the workflow: the one border between the public face and `replay`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from outlast import common, converter
    from outlast.workflow import (
        ActivityCancellationType,
        ActivityHandle,
        ChildWorkflowCancellationType,
        ChildWorkflowHandle,
        ContinueAsNewVersioningBehavior,
        EventGroup,
        ExternalWorkflowHandle,
        Info,
        ParentClosePolicy,
        VersioningIntent,
    )

RUNTIME_ATTRIBUTE = "_outlast_workflow_runtime"
"""Where the event loop of a workflow keeps its runtime."""


class Runtime(ABC):
    """The running workflow, as its own code sees it. Implemented by `outlast.replay`; times are in seconds unless they say otherwise."""

    @staticmethod
    def current() -> Runtime:
        """The workflow that this code runs in. Raises when it runs in none."""
        runtime = Runtime.maybe_current()
        if runtime is None:
            from outlast.workflow._exceptions import _NotInWorkflowEventLoopError

            raise _NotInWorkflowEventLoopError("Not in workflow event loop")
        return runtime

    @staticmethod
    def maybe_current() -> Runtime | None:
        """The workflow that this code runs in, None outside of any."""
        try:
            return getattr(asyncio.get_running_loop(), RUNTIME_ATTRIBUTE, None)
        except RuntimeError:
            return None

    # The run

    @abstractmethod
    def info(self) -> Info: ...
    @abstractmethod
    def instance(self) -> Any: ...
    @abstractmethod
    def logger_details(self) -> Mapping[str, Any]: ...
    @abstractmethod
    def extern_functions(self) -> Mapping[str, Callable[..., Any]]: ...
    @abstractmethod
    def payload_converter(self) -> converter.PayloadConverter: ...
    @abstractmethod
    def metric_meter(self) -> common.MetricMeter: ...
    @abstractmethod
    def is_replaying(self) -> bool: ...
    @abstractmethod
    def is_replaying_history_events(self) -> bool: ...
    @abstractmethod
    def is_read_only(self) -> bool: ...
    @abstractmethod
    def is_guarded(self) -> bool:
        """Whether calls that are not deterministic raise in this workflow (where `unsafe.sandbox_unrestricted` does not allow them)."""

    @abstractmethod
    def is_failure_exception(self, err: BaseException) -> bool: ...
    @abstractmethod
    def cancellation_reason(self) -> str | None: ...
    @abstractmethod
    def current_build_id(self) -> str: ...
    @abstractmethod
    def current_deployment_version(self) -> common.WorkerDeploymentVersion | None: ...
    @abstractmethod
    def current_history_length(self) -> int: ...
    @abstractmethod
    def current_history_size_bytes(self) -> int: ...
    @abstractmethod
    def is_continue_as_new_suggested(self) -> bool: ...
    @abstractmethod
    def is_target_worker_deployment_version_changed(self) -> bool: ...
    @abstractmethod
    def current_details(self) -> str: ...
    @abstractmethod
    def set_current_details(self, details: str) -> None: ...
    @abstractmethod
    def has_last_completion_result(self) -> bool: ...
    @abstractmethod
    def last_completion_result(self, type_hint: type | None) -> Any | None: ...
    @abstractmethod
    def last_failure(self) -> BaseException | None: ...

    # Time and chance

    @abstractmethod
    def time_ns(self) -> int: ...
    @abstractmethod
    def random(self) -> Random: ...
    @abstractmethod
    def random_seed(self) -> int: ...
    @abstractmethod
    def register_random_seed_callback(self, callback: Callable[[int], None]) -> None: ...

    # Properties

    @abstractmethod
    def memo(self) -> Mapping[str, Any]: ...
    @abstractmethod
    def memo_value(self, key: str, default: Any, *, type_hint: type | None) -> Any: ...
    @abstractmethod
    def upsert_memo(self, updates: Mapping[str, Any], *, event_groups: Sequence[EventGroup] | None) -> None: ...
    @abstractmethod
    def upsert_search_attributes(
        self,
        attributes: common.SearchAttributes | Sequence[common.SearchAttributeUpdate[Any]],
        *,
        event_groups: Sequence[EventGroup] | None,
    ) -> None: ...
    @abstractmethod
    def patch(self, id: str, *, deprecated: bool, event_groups: Sequence[EventGroup] | None) -> bool: ...

    # Handlers; the name None is the dynamic handler

    @abstractmethod
    def all_handlers_finished(self) -> bool: ...
    @abstractmethod
    def query_handler(self, name: str | None) -> Callable[..., Any] | None: ...
    @abstractmethod
    def set_query_handler(self, name: str | None, handler: Callable[..., Any] | None) -> None: ...
    @abstractmethod
    def signal_handler(self, name: str | None) -> Callable[..., Any] | None: ...
    @abstractmethod
    def set_signal_handler(self, name: str | None, handler: Callable[..., Any] | None) -> None: ...
    @abstractmethod
    def update_handler(self, name: str | None) -> Callable[..., Any] | None: ...
    @abstractmethod
    def update_validator(self, name: str | None) -> Callable[..., Any] | None: ...
    @abstractmethod
    def set_update_handler(self, name: str | None, handler: Callable[..., Any] | None, validator: Callable[..., Any] | None) -> None: ...

    # Waiting

    @abstractmethod
    async def sleep(self, duration: float, *, summary: str | None, event_groups: Sequence[EventGroup] | None) -> None: ...
    @abstractmethod
    async def wait_condition(
        self,
        fn: Callable[[], bool],
        *,
        timeout: float | None,
        timeout_summary: str | None,
        event_groups: Sequence[EventGroup] | None,
    ) -> None: ...

    # Work elsewhere

    @abstractmethod
    def start_activity(
        self,
        activity: Any,
        args: Sequence[Any],
        *,
        task_queue: str | None,
        result_type: type | None,
        schedule_to_close_timeout: timedelta | None,
        schedule_to_start_timeout: timedelta | None,
        start_to_close_timeout: timedelta | None,
        heartbeat_timeout: timedelta | None,
        retry_policy: common.RetryPolicy | None,
        cancellation_type: ActivityCancellationType,
        activity_id: str | None,
        versioning_intent: VersioningIntent | None,
        summary: str | None,
        priority: common.Priority,
        event_groups: Sequence[EventGroup] | None,
    ) -> ActivityHandle[Any]: ...

    @abstractmethod
    def start_local_activity(
        self,
        activity: Any,
        args: Sequence[Any],
        *,
        result_type: type | None,
        schedule_to_close_timeout: timedelta | None,
        schedule_to_start_timeout: timedelta | None,
        start_to_close_timeout: timedelta | None,
        retry_policy: common.RetryPolicy | None,
        local_retry_threshold: timedelta | None,
        cancellation_type: ActivityCancellationType,
        activity_id: str | None,
        summary: str | None,
        event_groups: Sequence[EventGroup] | None,
    ) -> ActivityHandle[Any]: ...

    @abstractmethod
    async def start_child_workflow(
        self,
        workflow: Any,
        args: Sequence[Any],
        *,
        id: str,
        task_queue: str | None,
        result_type: type | None,
        cancellation_type: ChildWorkflowCancellationType,
        parent_close_policy: ParentClosePolicy,
        execution_timeout: timedelta | None,
        run_timeout: timedelta | None,
        task_timeout: timedelta | None,
        id_reuse_policy: common.WorkflowIDReusePolicy,
        retry_policy: common.RetryPolicy | None,
        cron_schedule: str,
        memo: Mapping[str, Any] | None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None,
        versioning_intent: VersioningIntent | None,
        static_summary: str | None,
        static_details: str | None,
        priority: common.Priority,
        versioning_override: common.VersioningOverride | None,
        event_groups: Sequence[EventGroup] | None,
    ) -> ChildWorkflowHandle[Any, Any]: ...

    @abstractmethod
    def external_workflow_handle(self, id: str, *, run_id: str | None) -> ExternalWorkflowHandle[Any]: ...

    @abstractmethod
    def continue_as_new(
        self,
        args: Sequence[Any],
        *,
        workflow: Callable[..., Any] | str | None,
        task_queue: str | None,
        run_timeout: timedelta | None,
        task_timeout: timedelta | None,
        backoff_start_interval: timedelta | None,
        retry_policy: common.RetryPolicy | None,
        memo: Mapping[str, Any] | None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None,
        versioning_intent: VersioningIntent | None,
        initial_versioning_behavior: ContinueAsNewVersioningBehavior | None,
        event_groups: Sequence[EventGroup] | None,
    ) -> NoReturn: ...
