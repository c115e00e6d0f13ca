"""Which deployment version of a worker completed a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlast import common

if TYPE_CHECKING:
    from temporalio.api.history.v1 import WorkflowTaskCompletedEventAttributes

    from outlast.replay.protocol import RunSettings


def deployment_of(completed: WorkflowTaskCompletedEventAttributes) -> common.WorkerDeploymentVersion | None:
    """The version in a completed task, in whichever of its forms; None if the worker had none."""
    if completed.HasField("deployment_version"):
        version = completed.deployment_version
        return common.WorkerDeploymentVersion(deployment_name=version.deployment_name, build_id=version.build_id)
    if completed.worker_deployment_version:
        name, separator, build_id = completed.worker_deployment_version.partition(".")
        if separator:
            return common.WorkerDeploymentVersion(deployment_name=name, build_id=build_id)
    build_id = completed.worker_version.build_id if completed.HasField("worker_version") else ""
    if build_id or completed.worker_deployment_name:
        return common.WorkerDeploymentVersion(deployment_name=completed.worker_deployment_name, build_id=build_id)
    return None


def own_version(settings: RunSettings) -> common.WorkerDeploymentVersion | None:
    """The version of this worker; a build id without a deployment counts as one with an empty name."""
    if settings.deployment_version is not None:
        return settings.deployment_version
    return common.WorkerDeploymentVersion(deployment_name="", build_id=settings.build_id) if settings.build_id else None
