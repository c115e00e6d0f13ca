"""Builds the parts of a worker from its settings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from outlast import workflow
from outlast.common import HeaderCodecBehavior, MetricMeter, VersioningBehavior
from outlast.replay.protocol import RunSettings
from outlast.replay.run import WorkflowRun
from outlast.worker._activity_definitions import ActivityDefinitions
from outlast.worker._activity_runner import ActivityRunner
from outlast.worker._activity_worker import ActivityPolls, ActivityWorker
from outlast.worker._answers import Answers
from outlast.worker._codec import WorkflowCodec
from outlast.worker._config import WorkerConfig, build_id_of, tuner_of
from outlast.worker._interceptor import Interceptor
from outlast.worker._local_activities import LocalActivities
from outlast.worker._metrics import WorkerMetrics
from outlast.worker._polls import activity_polls, workflow_polls
from outlast.worker._runner import PatchActivationInput
from outlast.worker._slots import ReserveContext, SlotKind, WorkerSlots, slots_of
from outlast.worker._tuning import WorkerTuner
from outlast.worker._wire import Server, Wire
from outlast.worker._workflow_definitions import workflow_definitions, workflow_interceptors
from outlast.worker._workflow_worker import WorkflowWorker

if TYPE_CHECKING:
    from outlast.client import ClientConfig
    from outlast.runtime import Runtime


class Parts(NamedTuple):
    """What a worker is made of. A worker without workflows, or without activities, lacks that side."""

    wire: Wire
    workflows: WorkflowWorker | None
    activities: ActivityWorker | None
    local_activities: LocalActivities
    metrics: WorkerMetrics | None


def build(config: WorkerConfig, server: Server, client_config: ClientConfig, runtime: Runtime) -> Parts:
    """The parts, ready to run. Raises ValueError, TypeError or RuntimeError for activities or workflows that cannot be run."""
    interceptors = [*(each for each in client_config["interceptors"] if isinstance(each, Interceptor)), *config.get("interceptors", ())]
    wire = _wire(config, server)
    metric_meter = runtime.metric_meter
    metrics = WorkerMetrics.of(runtime, server.namespace, config["task_queue"])
    tuner = tuner_of(config)
    slots = _slots(tuner, wire, metrics)
    runner = _activity_runner(config, server, client_config, interceptors, metric_meter)
    activities = None
    if runner is not None:
        activities = ActivityWorker(server, wire, runner, slots.activity, _activity_polls(config, tuner, server), metrics)
    local_activities = LocalActivities(runner, slots.local_activity, metrics=metrics)
    workflows = None
    if config.get("workflows"):
        codec = _codec(client_config, server.namespace, config["task_queue"])
        answers = _answers(config, server, wire, codec, activities)
        settings = _run_settings(config, server, client_config, interceptors, metric_meter, wire, runner)
        workflows = WorkflowWorker(
            server,
            wire,
            settings,
            WorkflowRun,
            slots.workflow,
            workflow_polls(config, tuner, in_process=server.in_process),
            answers,
            codec,
            local_activities,
            cached_max=config["max_cached_workflows"],
            watched=not debugged(config),
            metrics=metrics,
        )
    return Parts(wire, workflows, activities, local_activities, metrics)


def debugged(config: WorkerConfig) -> bool:
    """Whether workflow code may take as long as it likes, since somebody steps through it."""
    return config.get("debug_mode", False) or bool(os.environ.get("TEMPORAL_DEBUG"))


def _wire(config: WorkerConfig, server: Server) -> Wire:
    return Wire(
        namespace=server.namespace,
        task_queue=config["task_queue"],
        identity=config.get("identity") or server.client.identity,
        build_id=build_id_of(config),
        use_build_id=config.get("use_worker_versioning", False),
        deployment=config.get("deployment_config"),
        sticky=config["max_cached_workflows"] > 0,
        sticky_timeout=config["sticky_queue_schedule_to_start_timeout"],
        activities_per_second=config.get("max_task_queue_activities_per_second"),
    )


def _slots(tuner: WorkerTuner, wire: Wire, metrics: WorkerMetrics | None) -> WorkerSlots:
    version = wire.deployment.version if wire.deployment else None

    def context(kind: SlotKind) -> ReserveContext:
        return ReserveContext(kind, wire.task_queue, wire.identity, wire.build_id, version)

    return slots_of(tuner, context, None if metrics is None else metrics.slots)


def _activity_runner(
    config: WorkerConfig, server: Server, client_config: ClientConfig, interceptors: Sequence[Interceptor], metric_meter: MetricMeter
) -> ActivityRunner | None:
    functions = config.get("activities")
    if not functions:
        return None
    executor, shared_state = config.get("activity_executor"), config.get("shared_state_manager")
    return ActivityRunner(
        server,
        config["task_queue"],
        ActivityDefinitions(functions, executor, shared_state),
        client_config["data_converter"],
        executor=executor,
        shared_state=shared_state,
        interceptors=interceptors,
        metric_meter=metric_meter,
        headers_encoded=client_config["header_codec_behavior"] is HeaderCodecBehavior.CODEC,
    )


def _activity_polls(config: WorkerConfig, tuner: WorkerTuner, server: Server) -> ActivityPolls:
    remote = not config.get("no_remote_activities")
    return ActivityPolls(
        activity_polls(config, tuner, in_process=server.in_process),
        per_second=config.get("max_activities_per_second"),
        polled=remote,
        eager=remote and not config.get("max_task_queue_activities_per_second"),
        heartbeat_default_s=config["default_heartbeat_throttle_interval"].total_seconds(),
        heartbeat_max_s=config["max_heartbeat_throttle_interval"].total_seconds(),
    )


def _codec(client_config: ClientConfig, namespace: str, task_queue: str) -> WorkflowCodec | None:
    converter = client_config["data_converter"]
    if converter.payload_codec is None:
        return None
    headers = client_config["header_codec_behavior"] is not HeaderCodecBehavior.NO_CODEC
    return WorkflowCodec(converter, namespace, task_queue, headers)


def _answers(config: WorkerConfig, server: Server, wire: Wire, codec: WorkflowCodec | None, activities: ActivityWorker | None) -> Answers:
    behavior = wire.deployment.default_versioning_behavior if wire.deployment else VersioningBehavior.UNSPECIFIED
    eager_max = config.get("max_eager_activity_reservations_per_workflow_task", 3)
    return Answers(server, wire, codec, activities, eager_max, behavior.value)


def _run_settings(
    config: WorkerConfig,
    server: Server,
    client_config: ClientConfig,
    interceptors: Sequence[Interceptor],
    metric_meter: MetricMeter,
    wire: Wire,
    runner: ActivityRunner | None,
) -> RunSettings:
    workflow_runner = config["workflow_runner"]
    failure_types = config.get("workflow_failure_exception_types", ())
    workflow_runner.set_worker_level_failure_exception_types(failure_types)
    deployment = wire.deployment
    versions_needed = (
        deployment is not None
        and deployment.use_worker_versioning
        and deployment.default_versioning_behavior is VersioningBehavior.UNSPECIFIED
    )
    extern_functions: dict[str, Callable[..., Any]] = {}
    return RunSettings(
        namespace=server.namespace,
        task_queue=config["task_queue"],
        definitions=workflow_definitions(
            config["workflows"], workflow_runner, config["unsandboxed_workflow_runner"], versions_needed=versions_needed
        ),
        data_converter=client_config["data_converter"],
        interceptors=workflow_interceptors(interceptors, extern_functions),
        extern_functions=extern_functions,
        failure_exception_types=failure_types,
        metric_meter=metric_meter,
        build_id=wire.build_id,
        deployment_version=deployment.version if deployment else None,
        disable_eager_activities=config.get("disable_eager_activity_execution", False),
        guarded=workflow_runner.guarded,
        check_local_activity=_local_activity_check(runner),
        patch_activation=_patch_activation(config),
        sdk_version=version("outlast"),
        now=time.time,
    )


def _patch_activation(config: WorkerConfig) -> Callable[[workflow.Info, str], bool] | None:
    callback = config.get("patch_activation_callback")
    return None if callback is None else lambda info, patch_id: callback(PatchActivationInput(info, patch_id))


def _local_activity_check(runner: ActivityRunner | None) -> Callable[[str], None]:
    def check(activity_type: str) -> None:
        if runner is None:
            raise ValueError(f"Activity function {activity_type} is not registered on this worker, no available activities.")
        runner.definitions.check(activity_type)

    return check
