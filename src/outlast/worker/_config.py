"""Settings of a worker, and what is wrong with them."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict

from outlast.common import VersioningBehavior, WorkerDeploymentVersion
from outlast.worker._build_id import load_default_build_id
from outlast.worker._interceptor import Interceptor
from outlast.worker._plugin import Plugin
from outlast.worker._poller import PollerBehavior, PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum
from outlast.worker._polls import activity_pollers, workflow_pollers
from outlast.worker._runner import PatchActivationInput, WorkflowRunner
from outlast.worker._shared_state import SharedStateManager
from outlast.worker._tuning import WorkerTuner

if TYPE_CHECKING:
    from outlast.client import Client


class WorkerConfig(TypedDict, total=False):
    """The arguments of a :class:`Worker`, which says what they mean."""

    client: Client
    task_queue: str
    activities: Sequence[Callable[..., Any]]
    nexus_service_handlers: Sequence[Any]
    workflows: Sequence[type]
    activity_executor: Executor | None
    workflow_task_executor: ThreadPoolExecutor | None
    nexus_task_executor: ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    build_id: str | None
    identity: str | None
    max_cached_workflows: int
    max_concurrent_workflow_tasks: int | None
    max_concurrent_activities: int | None
    max_concurrent_local_activities: int | None
    max_concurrent_nexus_tasks: int | None
    tuner: WorkerTuner | None
    max_concurrent_workflow_task_polls: int | None
    nonsticky_to_sticky_poll_ratio: float
    max_concurrent_activity_task_polls: int | None
    no_remote_activities: bool
    sticky_queue_schedule_to_start_timeout: timedelta
    max_heartbeat_throttle_interval: timedelta
    default_heartbeat_throttle_interval: timedelta
    max_activities_per_second: float | None
    max_task_queue_activities_per_second: float | None
    max_eager_activity_reservations_per_workflow_task: int
    graceful_shutdown_timeout: timedelta
    plugin_shutdown_timeout: timedelta | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    shared_state_manager: SharedStateManager | None
    debug_mode: bool
    disable_eager_activity_execution: bool
    on_fatal_error: Callable[[BaseException], Awaitable[None]] | None
    use_worker_versioning: bool
    disable_safe_workflow_eviction: bool
    deployment_config: WorkerDeploymentConfig | None
    patch_activation_callback: Callable[[PatchActivationInput], bool] | None
    workflow_task_poller_behavior: PollerBehavior
    activity_task_poller_behavior: PollerBehavior
    nexus_task_poller_behavior: PollerBehavior
    disable_payload_error_limit: bool
    max_workflow_task_external_storage_concurrency: int


@dataclass
class WorkerDeploymentConfig:
    """Which deployment version a worker is of."""

    version: WorkerDeploymentVersion
    use_worker_versioning: bool
    """Whether the server sends workflows by version; otherwise the version is only reported."""
    default_versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED
    """For workflows that name none; only with versioning."""


def check(config: WorkerConfig) -> None:
    """Raise ValueError for settings that contradict one another."""
    if config.get("nexus_service_handlers"):
        raise ValueError("Nexus services are not supported yet")
    if not (config.get("activities") or config.get("workflows")):
        raise ValueError("At least one activity, Nexus service, or workflow must be specified")
    _check_versions(config)
    if config.get("max_workflow_task_external_storage_concurrency", 1) < 1:
        raise ValueError("max_workflow_task_external_storage_concurrency must be positive")
    if config.get("max_eager_activity_reservations_per_workflow_task", 3) < 1:
        raise ValueError(
            "max_eager_activity_reservations_per_workflow_task must be positive; "
            "use disable_eager_activity_execution=True to disable eager activity execution"
        )
    _check_rates(config)
    _check_slots(config)
    _check_pollers(config)
    _warn_of_few_threads(config)


def _check_versions(config: WorkerConfig) -> None:
    deployment = config.get("deployment_config")
    if config.get("use_worker_versioning") and not config.get("build_id"):
        raise ValueError("build_id must be specified when use_worker_versioning is True")
    if deployment is None:
        return
    if config.get("build_id") or config.get("use_worker_versioning"):
        raise ValueError("deployment_config cannot be used with build_id or use_worker_versioning")
    if deployment.use_worker_versioning and not (deployment.version.build_id and deployment.version.deployment_name):
        raise ValueError("deployment_config with versioning needs a build_id and a deployment_name")
    if not deployment.use_worker_versioning and deployment.default_versioning_behavior != VersioningBehavior.UNSPECIFIED:
        raise ValueError("default_versioning_behavior must be UNSPECIFIED when use_worker_versioning is False")


def _check_rates(config: WorkerConfig) -> None:
    rate = config.get("max_activities_per_second")
    if rate is not None and rate <= 0:
        raise ValueError(f"max_activities_per_second must be positive, not {rate}")


def _check_slots(config: WorkerConfig) -> None:
    names = "max_concurrent_workflow_tasks", "max_concurrent_activities", "max_concurrent_local_activities", "max_concurrent_nexus_tasks"
    if config.get("tuner") is not None and any(config.get(name) for name in names):
        raise ValueError(
            "Cannot specify max_concurrent_workflow_tasks, max_concurrent_activities, "
            "max_concurrent_local_activities, or max_concurrent_nexus_tasks when also specifying tuner"
        )
    for name in names:
        number = config.get(name)
        if isinstance(number, int) and number < 0:
            raise ValueError(f"{name} must be positive, not {number}")
    if config.get("max_cached_workflows") and config.get("max_concurrent_workflow_tasks") == 1:
        raise ValueError("max_concurrent_workflow_tasks must be at least 2 when workflows are cached")


def _check_pollers(config: WorkerConfig) -> None:
    for name, behavior in (("workflow", workflow_pollers(config)), ("activity", activity_pollers(config))):
        match behavior:
            case PollerBehaviorSimpleMaximum(maximum):
                if maximum < 1:
                    raise ValueError(f"The maximum of {name} pollers must be at least 1, not {maximum}")
            case PollerBehaviorAutoscaling(minimum, maximum, initial):
                if not 1 <= minimum <= initial <= maximum:
                    raise ValueError(f"The numbers of {name} pollers must be 1 <= minimum <= initial <= maximum, not {behavior}")
    behavior = workflow_pollers(config)
    if config.get("max_cached_workflows") and isinstance(behavior, PollerBehaviorSimpleMaximum) and behavior.maximum < 2:
        raise ValueError("The maximum of workflow pollers must be at least 2 when workflows are cached")


def tuner_of(config: WorkerConfig) -> WorkerTuner:
    """The tuner given, or one with the numbers given."""
    return config.get("tuner") or WorkerTuner.create_fixed(
        workflow_slots=config.get("max_concurrent_workflow_tasks"),
        activity_slots=config.get("max_concurrent_activities"),
        local_activity_slots=config.get("max_concurrent_local_activities"),
    )


def build_id_of(config: WorkerConfig) -> str:
    """The build id given, or that of the code that is loaded."""
    deployment = config.get("deployment_config")
    return deployment.version.build_id if deployment else config.get("build_id") or load_default_build_id()


def _warn_of_few_threads(config: WorkerConfig) -> None:
    threads = getattr(config.get("activity_executor"), "_max_workers", None)
    tuner = config.get("tuner")
    activities = (tuner._get_activities_max() if tuner else None) or config.get("max_concurrent_activities") or 0
    if config.get("activities") and isinstance(threads, int) and threads < activities:
        warnings.warn(
            f"Worker max_concurrent_activities is {activities} but activity_executor's max_workers is only {threads}", stacklevel=5
        )
