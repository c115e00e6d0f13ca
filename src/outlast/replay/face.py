"""The runtime as workflow code meets it: `outlast.workflow` calls it, it asks the running instance."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from outlast import activity as activities
from outlast import common, converter, workflow
from outlast.replay import properties
from outlast.replay.guard import unguarded
from outlast.replay.handles import ExternalHandle
from outlast.replay.interceptor import ContinueAsNewInput, StartActivityInput, StartChildWorkflowInput, StartLocalActivityInput
from outlast.replay.machines import patch
from outlast.replay.metrics import replay_safe
from outlast.workflow._event_groups import _capture_event_group_markers
from outlast.workflow._runtime import Runtime

if TYPE_CHECKING:
    from outlast.replay.instance import Instance

EventGroups = Sequence["workflow.EventGroup"] | None


class Face(Runtime):
    """The runtime of one run."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._meter: common.MetricMeter | None = None

    # The run

    def info(self) -> workflow.Info:
        return self._instance.outbound.info()

    def instance(self) -> Any:
        return self._instance.object

    def logger_details(self) -> Mapping[str, Any]:
        return self._instance.info._logger_details()

    def extern_functions(self) -> Mapping[str, Callable[..., Any]]:
        functions = self._instance.settings.extern_functions
        return {name: unguarded(function) for name, function in functions.items()}

    def payload_converter(self) -> converter.PayloadConverter:
        return self._instance.converters.own.payload

    def metric_meter(self) -> common.MetricMeter:
        if self._meter is None:
            self._meter = replay_safe(self._instance)
        return self._meter

    def is_replaying(self) -> bool:
        return self._instance.replaying

    def is_replaying_history_events(self) -> bool:
        return self._instance.replaying and not self._instance.in_query

    def is_read_only(self) -> bool:
        return self._instance.loop.read_only

    def is_guarded(self) -> bool:
        return self._instance.loop.guarded

    def is_failure_exception(self, err: BaseException) -> bool:
        return self._instance.fails_workflow(err)

    def cancellation_reason(self) -> str | None:
        return self._instance.cancel_reason

    def current_build_id(self) -> str:
        version = self._instance.ledger.deployment
        return version.build_id if version else ""

    def current_deployment_version(self) -> common.WorkerDeploymentVersion | None:
        return self._instance.ledger.deployment

    def current_history_length(self) -> int:
        return self._instance.ledger.history_length

    def current_history_size_bytes(self) -> int:
        return self._instance.ledger.history_bytes

    def is_continue_as_new_suggested(self) -> bool:
        return self._instance.ledger.continue_as_new_suggested

    def is_target_worker_deployment_version_changed(self) -> bool:
        return self._instance.ledger.target_version_changed

    def current_details(self) -> str:
        return self._instance.details

    def set_current_details(self, details: str) -> None:
        self._instance.loop.assert_writable("set current details")
        self._instance.details = details

    def has_last_completion_result(self) -> bool:
        return len(self._instance.started.last_completion_result.payloads) > 0

    def last_completion_result(self, type_hint: type | None) -> Any | None:
        payloads = self._instance.started.last_completion_result.payloads
        if len(payloads) > 1:
            warnings.warn(f"Expected single last completion result, got {len(payloads)}", stacklevel=3)
        if len(payloads) != 1:
            return None
        return self._instance.converters.own.payload.from_payloads(payloads, [type_hint] if type_hint else None)[0]

    def last_failure(self) -> BaseException | None:
        started = self._instance.started
        return self._instance.converters.own.error(started.continued_failure) if started.HasField("continued_failure") else None

    # Time and chance

    def time_ns(self) -> int:
        return self._instance.loop.now_ns

    def random(self) -> Random:
        self._instance.loop.assert_writable("random")
        return self._instance.random

    def random_seed(self) -> int:
        return self._instance.seed

    def register_random_seed_callback(self, callback: Callable[[int], None]) -> None:
        self._instance.loop.assert_writable("register random seed callback")
        self._instance.seed_callbacks.append(callback)

    # Properties

    def memo(self) -> Mapping[str, Any]:
        return properties.memo(self._instance)

    def memo_value(self, key: str, default: Any, *, type_hint: type | None) -> Any:
        return properties.memo_value(self._instance, key, default, type_hint)

    def upsert_memo(self, updates: Mapping[str, Any], *, event_groups: EventGroups) -> None:
        properties.upsert_memo(self._instance, updates, _capture_event_group_markers(event_groups))

    def upsert_search_attributes(
        self, attributes: common.SearchAttributes | Sequence[common.SearchAttributeUpdate[Any]], *, event_groups: EventGroups
    ) -> None:
        properties.upsert_search_attributes(self._instance, attributes, _capture_event_group_markers(event_groups))

    def patch(self, id: str, *, deprecated: bool, event_groups: EventGroups) -> bool:
        instance = self._instance
        instance.loop.assert_writable("patch")
        if id in instance.patches:
            return instance.patches[id]
        taken = not instance.replaying or id in instance.patches_found
        decide = instance.settings.patch_activation
        if decide is not None and not deprecated and not instance.replaying and id not in instance.patches_found:
            with instance.read_only(in_query=False):
                taken = decide(instance.info, id)
            if type(taken) is not bool:
                raise TypeError("Patch activation callback must return true or false")
        instance.patches[id] = taken
        if taken:
            patch.mark(instance.ledger, id, deprecated=deprecated, event_groups=_capture_event_group_markers(event_groups))
        return taken

    # Handlers

    def all_handlers_finished(self) -> bool:
        return self._instance.handlers.finished

    def query_handler(self, name: str | None) -> Callable[..., Any] | None:
        handlers = self._instance.handlers
        return handlers.bound(handlers.queries.get(name))

    def set_query_handler(self, name: str | None, handler: Callable[..., Any] | None) -> None:
        self._instance.loop.assert_writable("set query handler")
        queries = self._instance.handlers.queries
        if handler is None:
            queries.pop(name, None)
            return
        definition = workflow._QueryDefinition(name=name, fn=handler, is_method=False)
        queries[name] = definition
        if definition.is_async:
            warnings.warn("Queries as async def functions are deprecated", DeprecationWarning, stacklevel=3)
        if definition.dynamic_vararg:
            _warn_of_vararg("queries")

    def signal_handler(self, name: str | None) -> Callable[..., Any] | None:
        handlers = self._instance.handlers
        return handlers.bound(handlers.signals.get(name))

    def set_signal_handler(self, name: str | None, handler: Callable[..., Any] | None) -> None:
        self._instance.loop.assert_writable("set signal handler")
        handlers = self._instance.handlers
        if handler is None:
            handlers.signals.pop(name, None)
            return
        definition = workflow._SignalDefinition(name=name, fn=handler, is_method=False)
        handlers.signals[name] = definition
        if definition.dynamic_vararg:
            _warn_of_vararg("signals")
        handlers.deliver_buffered(name, definition)

    def update_handler(self, name: str | None) -> Callable[..., Any] | None:
        handlers = self._instance.handlers
        return handlers.bound(handlers.updates.get(name))

    def update_validator(self, name: str | None) -> Callable[..., Any] | None:
        return self._instance.handlers.validator(name)

    def set_update_handler(self, name: str | None, handler: Callable[..., Any] | None, validator: Callable[..., Any] | None) -> None:
        self._instance.loop.assert_writable("set update handler")
        updates = self._instance.handlers.updates
        if handler is None:
            updates.pop(name, None)
            return
        definition = workflow._UpdateDefinition(name=name, fn=handler, is_method=False)
        if validator is not None:
            definition.set_validator(validator)
        updates[name] = definition

    # Waiting

    async def sleep(self, duration: float, *, summary: str | None, event_groups: EventGroups) -> None:
        await self._instance.sleep(duration, summary, event_groups)

    async def wait_condition(
        self, fn: Callable[[], bool], *, timeout: float | None, timeout_summary: str | None, event_groups: EventGroups
    ) -> None:
        self._instance.loop.assert_writable("wait condition")
        await self._instance.wait_condition(fn, timeout, timeout_summary, event_groups)

    # Work elsewhere

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
        cancellation_type: workflow.ActivityCancellationType,
        activity_id: str | None,
        versioning_intent: workflow.VersioningIntent | None,
        summary: str | None,
        priority: common.Priority,
        event_groups: EventGroups,
    ) -> workflow.ActivityHandle[Any]:
        self._instance.loop.assert_writable("start activity")
        name, arg_types, ret_type = _activity(activity, result_type)
        return self._instance.outbound.start_activity(
            StartActivityInput(
                activity=name,
                args=args,
                activity_id=activity_id,
                task_queue=task_queue,
                schedule_to_close_timeout=schedule_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                start_to_close_timeout=start_to_close_timeout,
                heartbeat_timeout=heartbeat_timeout,
                retry_policy=retry_policy,
                cancellation_type=cancellation_type,
                headers={},
                disable_eager_execution=self._instance.settings.disable_eager_activities,
                versioning_intent=versioning_intent,
                summary=summary,
                event_groups=event_groups,
                priority=priority,
                arg_types=arg_types,
                ret_type=ret_type,
            )
        )

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
        cancellation_type: workflow.ActivityCancellationType,
        activity_id: str | None,
        summary: str | None,
        event_groups: EventGroups,
    ) -> workflow.ActivityHandle[Any]:
        self._instance.loop.assert_writable("start local activity")
        name, arg_types, ret_type = _activity(activity, result_type)
        if (check := self._instance.settings.check_local_activity) is not None:
            check(name)
        return self._instance.outbound.start_local_activity(
            StartLocalActivityInput(
                activity=name,
                args=args,
                activity_id=activity_id,
                schedule_to_close_timeout=schedule_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                start_to_close_timeout=start_to_close_timeout,
                retry_policy=retry_policy,
                local_retry_threshold=local_retry_threshold,
                cancellation_type=cancellation_type,
                headers={},
                summary=summary,
                event_groups=event_groups,
                arg_types=arg_types,
                ret_type=ret_type,
            )
        )

    async def start_child_workflow(
        self,
        workflow: Any,
        args: Sequence[Any],
        *,
        id: str,
        task_queue: str | None,
        result_type: type | None,
        cancellation_type: workflow.ChildWorkflowCancellationType,
        parent_close_policy: workflow.ParentClosePolicy,
        execution_timeout: timedelta | None,
        run_timeout: timedelta | None,
        task_timeout: timedelta | None,
        id_reuse_policy: common.WorkflowIDReusePolicy,
        retry_policy: common.RetryPolicy | None,
        cron_schedule: str,
        memo: Mapping[str, Any] | None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None,
        versioning_intent: workflow.VersioningIntent | None,
        static_summary: str | None,
        static_details: str | None,
        priority: common.Priority,
        versioning_override: common.VersioningOverride | None,
        event_groups: EventGroups,
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        self._instance.loop.assert_writable("start child workflow")
        name, arg_types, ret_type = _child(workflow, result_type)
        return await self._instance.outbound.start_child_workflow(
            StartChildWorkflowInput(
                workflow=name,
                args=args,
                id=id,
                task_queue=task_queue,
                cancellation_type=cancellation_type,
                parent_close_policy=parent_close_policy,
                execution_timeout=execution_timeout,
                run_timeout=run_timeout,
                task_timeout=task_timeout,
                id_reuse_policy=id_reuse_policy,
                retry_policy=retry_policy,
                cron_schedule=cron_schedule,
                memo=memo,
                search_attributes=search_attributes,
                headers={},
                versioning_intent=versioning_intent,
                static_summary=static_summary,
                static_details=static_details,
                versioning_override=versioning_override,
                event_groups=event_groups,
                priority=priority,
                arg_types=arg_types,
                ret_type=ret_type,
            )
        )

    def external_workflow_handle(self, id: str, *, run_id: str | None) -> workflow.ExternalWorkflowHandle[Any]:
        return ExternalHandle(self._instance, id, run_id)

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
        versioning_intent: workflow.VersioningIntent | None,
        initial_versioning_behavior: workflow.ContinueAsNewVersioningBehavior | None,
        event_groups: EventGroups,
    ) -> NoReturn:
        self._instance.loop.assert_writable("continue as new")
        name, arg_types = _next_workflow(workflow)
        self._instance.outbound.continue_as_new(
            ContinueAsNewInput(
                workflow=name,
                args=args,
                task_queue=task_queue,
                run_timeout=run_timeout,
                task_timeout=task_timeout,
                backoff_start_interval=backoff_start_interval,
                retry_policy=retry_policy,
                memo=memo,
                search_attributes=search_attributes,
                headers={},
                versioning_intent=versioning_intent,
                initial_versioning_behavior=initial_versioning_behavior,
                event_groups=event_groups,
                arg_types=arg_types,
            )
        )


def _activity(activity: Any, result_type: type | None) -> tuple[str, list[type] | None, type | None]:
    if isinstance(activity, str):
        return activity, None, result_type
    if not callable(activity):
        raise TypeError("Activity must be a string or callable")
    definition = activities._Definition.must_from_callable(activity)
    if not definition.name:
        raise ValueError("Cannot invoke dynamic activity explicitly")
    return definition.name, definition.arg_types, definition.ret_type


def _child(child: Any, result_type: type | None) -> tuple[str, list[type] | None, type | None]:
    if isinstance(child, str):
        return child, None, result_type
    if not callable(child):
        raise TypeError("Workflow must be a string or callable")
    definition = workflow._Definition.must_from_run_fn(child)
    if not definition.name:
        raise TypeError("Cannot invoke dynamic workflow explicitly")
    return definition.name, definition.arg_types, definition.ret_type


def _next_workflow(following: Any) -> tuple[str | None, list[type] | None]:
    if following is None or isinstance(following, str):
        return following, None
    if not callable(following):
        raise TypeError("Workflow must be None, a string, or callable")
    definition = workflow._Definition.must_from_run_fn(following)
    return definition.name, definition.arg_types


def _warn_of_vararg(what: str) -> None:
    warnings.warn(f"Dynamic {what} with vararg third param is deprecated, use Sequence[RawValue]", DeprecationWarning, stacklevel=4)
