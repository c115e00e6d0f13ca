"""What a workflow asks for as messages: commands, and the wish for a local activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from outlast.common import TypedSearchAttributes
from outlast.converter import encode_search_attribute_values, encode_typed_search_attribute_value
from outlast.replay import wire
from outlast.replay.machines.local_activity import Wanted
from outlast.replay.wire import Fields, make_command
from outlast.workflow._options import VersioningIntent

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.common.v1 import Payload
    from temporalio.api.sdk.v1 import EventGroupMarker

    from outlast import common
    from outlast.replay.convert import Converter
    from outlast.replay.instance import Instance
    from outlast.replay.interceptor import (
        ContinueAsNewInput,
        SignalChildWorkflowInput,
        SignalExternalWorkflowInput,
        StartActivityInput,
        StartChildWorkflowInput,
        StartLocalActivityInput,
    )

Markers = Sequence["EventGroupMarker"]


def schedule_activity(instance: Instance, input: StartActivityInput, activity_id: str, converter: Converter, markers: Markers) -> Command:
    task_queue = input.task_queue or instance.info.task_queue
    attributes: Fields = {
        "activity_id": activity_id,
        "activity_type": {"name": input.activity},
        "task_queue": _task_queue(task_queue),
        "header": wire.headers(input.headers),
        "input": wire.payloads(converter.encode(input.args)),
        "schedule_to_close_timeout": wire.span(input.schedule_to_close_timeout),
        "schedule_to_start_timeout": wire.span(input.schedule_to_start_timeout),
        "start_to_close_timeout": wire.span(input.start_to_close_timeout),
        "heartbeat_timeout": wire.span(input.heartbeat_timeout),
        "retry_policy": _retry_policy(input.retry_policy),
        "request_eager_execution": not input.disable_eager_execution,
        "use_workflow_build_id": _same_build(instance, input.versioning_intent, task_queue),
        "priority": _priority(input.priority),
    }
    metadata = converter.metadata(input.summary)
    return make_command(1, "schedule_activity_task_command_attributes", attributes, metadata, markers)


def local_activity(
    instance: Instance,
    input: StartLocalActivityInput,
    seq: int,
    attempt: int,
    scheduled_at_ns: int | None,
    converter: Converter,
    markers: Markers,
) -> Wanted:
    """Its input is converted on replay, too: it is run if history ends without its marker."""
    schedule_to_close, start_to_close = input.schedule_to_close_timeout, input.start_to_close_timeout
    schedule_to_start = input.schedule_to_start_timeout
    if schedule_to_close:
        start_to_close = min(start_to_close, schedule_to_close) if start_to_close else None
        schedule_to_start = min(schedule_to_start, schedule_to_close) if schedule_to_start else None
    return Wanted(
        seq=seq,
        activity_id=input.activity_id or str(seq),
        activity_type=input.activity,
        attempt=attempt,
        input=converter.encode(input.args),
        headers=input.headers,
        scheduled_at_ns=scheduled_at_ns if scheduled_at_ns is not None else int(instance.settings.now() * 1e9),
        schedule_to_close_timeout=schedule_to_close,
        schedule_to_start_timeout=schedule_to_start,
        start_to_close_timeout=start_to_close,
        retry_policy=input.retry_policy,
        retry_threshold=input.local_retry_threshold,
        cancellation_type=input.cancellation_type,
        metadata=converter.metadata(input.summary),
        event_groups=markers,
    )


def start_child(instance: Instance, input: StartChildWorkflowInput, converter: Converter, markers: Markers) -> Command:
    task_queue = input.task_queue or instance.info.task_queue
    attributes: Fields = {
        "namespace": instance.info.namespace,
        "workflow_id": input.id,
        "workflow_type": {"name": input.workflow},
        "task_queue": _task_queue(task_queue),
        "input": wire.payloads(converter.encode(input.args)),
        "workflow_execution_timeout": wire.span(input.execution_timeout),
        "workflow_run_timeout": wire.span(input.run_timeout),
        "workflow_task_timeout": wire.span(input.task_timeout),
        "parent_close_policy": int(input.parent_close_policy),
        "workflow_id_reuse_policy": int(input.id_reuse_policy),
        "retry_policy": _retry_policy(input.retry_policy),
        "cron_schedule": input.cron_schedule,
        "header": wire.headers(input.headers),
        "memo": {"fields": _encoded(input.memo, converter)},
        "search_attributes": search_attributes(input.search_attributes),
        "inherit_build_id": _same_build(instance, input.versioning_intent, task_queue),
        "priority": _priority(input.priority),
    }
    if input.versioning_override:
        attributes["versioning_override"] = input.versioning_override._to_proto()
    metadata = converter.metadata(input.static_summary, input.static_details)
    return make_command(11, "start_child_workflow_execution_command_attributes", attributes, metadata, markers)


def signal_child(instance: Instance, input: SignalChildWorkflowInput, converter: Converter, markers: Markers) -> Command:
    execution = {"workflow_id": input.child_workflow_id}
    return _signal(instance.info.namespace, execution, True, input, converter, markers)


def signal_external(input: SignalExternalWorkflowInput, converter: Converter, markers: Markers) -> Command:
    execution = {"workflow_id": input.workflow_id, "run_id": input.workflow_run_id or ""}
    return _signal(input.namespace, execution, False, input, converter, markers)


def _signal(
    namespace: str,
    execution: Fields,
    child: bool,
    input: SignalChildWorkflowInput | SignalExternalWorkflowInput,
    converter: Converter,
    markers: Markers,
) -> Command:
    attributes: Fields = {
        "namespace": namespace,
        "execution": execution,
        "signal_name": input.signal,
        "input": wire.payloads(converter.encode(input.args)),
        "header": wire.headers(input.headers) if input.headers else None,
        "child_workflow_only": child,
    }
    return make_command(12, "signal_external_workflow_execution_command_attributes", attributes, None, markers)


def cancel_external(instance: Instance, workflow_id: str, run_id: str | None, reason: str, markers: Markers) -> Command:
    attributes: Fields = {
        "namespace": instance.info.namespace,
        "workflow_id": workflow_id,
        "run_id": run_id or "",
        "reason": f"Cancel requested by workflow with run id {instance.info.run_id} with reason: {reason}",
    }
    return make_command(8, "request_cancel_external_workflow_execution_command_attributes", attributes, None, markers)


def continue_as_new(instance: Instance, input: ContinueAsNewInput, markers: Markers) -> Command:
    """What the code does not say is taken from this run: memo, retry policy, search attributes."""
    converter, info = instance.converters.own, instance.info
    task_queue = input.task_queue or ""
    retry_policy = input.retry_policy or info.retry_policy
    memo = _encoded(input.memo, converter) if input.memo else dict(instance.initial_memo)
    attributes: Fields = {
        "workflow_type": {"name": input.workflow or info.workflow_type},
        "task_queue": _task_queue(task_queue or info.task_queue),
        "input": wire.payloads(converter.encode(input.args)),
        "workflow_run_timeout": wire.span(input.run_timeout),
        "workflow_task_timeout": wire.span(input.task_timeout),
        "backoff_start_interval": wire.span(input.backoff_start_interval),
        "memo": {"fields": memo} if memo else None,
        "header": wire.headers(input.headers) if input.headers else None,
        "retry_policy": _retry_policy(retry_policy),
        "search_attributes": search_attributes(input.search_attributes) or instance.carried_search_attributes(),
        "inherit_build_id": _same_build(instance, input.versioning_intent, task_queue),
        "initial_versioning_behavior": int(input.initial_versioning_behavior or 0),
    }
    return make_command(10, "continue_as_new_workflow_execution_command_attributes", attributes, None, markers)


def search_attributes(attributes: common.SearchAttributes | TypedSearchAttributes | None) -> Fields | None:
    """A SearchAttributes message."""
    if not attributes:
        return None
    if isinstance(attributes, TypedSearchAttributes):
        fields = {pair.key.name: encode_typed_search_attribute_value(pair.key, pair.value) for pair in attributes}
    else:
        fields = {name: encode_search_attribute_values(values) for name, values in attributes.items()}
    return {"indexed_fields": fields}


def _encoded(values: Mapping[str, Any] | None, converter: Converter) -> dict[str, Payload]:
    return {key: converter.encode_one(value) for key, value in (values or {}).items()}


def _task_queue(name: str) -> Fields:
    return {"name": name, "kind": 1}


def _retry_policy(policy: common.RetryPolicy | None) -> Any:
    if policy is None:
        return None
    from temporalio.api.common.v1 import RetryPolicy

    message = RetryPolicy()
    policy.apply_to_proto(message)
    return message


def _priority(priority: common.Priority | None) -> Any:
    return None if priority is None else priority._to_proto()


def _same_build(instance: Instance, intent: VersioningIntent | None, task_queue: str) -> bool:
    """Whether the work should stay with workers of the build that runs this workflow."""
    if intent is None:
        return not task_queue or task_queue == instance.settings.task_queue
    return intent is VersioningIntent.COMPATIBLE
