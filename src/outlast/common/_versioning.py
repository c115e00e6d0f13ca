"""Versions of worker deployments, and which of them runs a workflow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import temporalio.api.deployment.v1
    import temporalio.api.workflow.v1


class VersioningBehavior(IntEnum):
    """When a running workflow may move to a worker of another version."""

    UNSPECIFIED = 0
    """Not said: workers that are versioned refuse such workflows."""
    PINNED = 1
    """Never by itself: it stays with its version until it is moved by hand."""
    AUTO_UPGRADE = 2
    """At its next task, to the current version of the deployment."""


@dataclass(frozen=True)
class WorkerDeploymentVersion:
    """One version of a worker deployment."""

    deployment_name: str
    build_id: str

    def to_canonical_string(self) -> str:
        """The version as one text, `deployment.build`."""
        return f"{self.deployment_name}.{self.build_id}"

    @staticmethod
    def from_canonical_string(canonical: str) -> WorkerDeploymentVersion:
        """The version that a text names.

        Raises:
            ValueError: There is no dot in it.
        """
        name, dot, build_id = canonical.partition(".")
        if not dot:
            raise ValueError(f"Cannot parse version string: {canonical}, must be in format <deployment_name>.<build_id>")
        return WorkerDeploymentVersion(name, build_id)

    def _to_proto(self) -> temporalio.api.deployment.v1.WorkerDeploymentVersion:
        from temporalio.api.deployment.v1 import WorkerDeploymentVersion as VersionMessage

        return VersionMessage(deployment_name=self.deployment_name, build_id=self.build_id)


class VersioningOverride(ABC):
    """A versioning behavior given to one workflow, in place of the one of its worker."""

    @abstractmethod
    def _to_proto(self) -> temporalio.api.workflow.v1.VersioningOverride: ...


@dataclass(frozen=True)
class PinnedVersioningOverride(VersioningOverride):
    """The workflow stays with this version."""

    version: WorkerDeploymentVersion

    def _to_proto(self) -> temporalio.api.workflow.v1.VersioningOverride:
        from temporalio.api.enums.v1 import VersioningBehavior as BehaviorMessage
        from temporalio.api.workflow.v1 import VersioningOverride as OverrideMessage

        # Servers before 1.28 read only `behavior` and `pinned_version`.
        return OverrideMessage(
            behavior=BehaviorMessage.VERSIONING_BEHAVIOR_PINNED,
            pinned_version=self.version.to_canonical_string(),
            pinned=OverrideMessage.PinnedOverride(
                version=self.version._to_proto(),
                behavior=OverrideMessage.PinnedOverrideBehavior.PINNED_OVERRIDE_BEHAVIOR_PINNED,
            ),
        )


@dataclass(frozen=True)
class AutoUpgradeVersioningOverride(VersioningOverride):
    """The workflow moves to the current version of its deployment at its next task."""

    def _to_proto(self) -> temporalio.api.workflow.v1.VersioningOverride:
        from temporalio.api.enums.v1 import VersioningBehavior as BehaviorMessage
        from temporalio.api.workflow.v1 import VersioningOverride as OverrideMessage

        return OverrideMessage(behavior=BehaviorMessage.VERSIONING_BEHAVIOR_AUTO_UPGRADE, auto_upgrade=True)


@dataclass(frozen=True)
class OneTimeVersioningOverride(VersioningOverride):
    """The workflow's tasks go to this version until one of them completes there. Experimental; needs a server from 1.32 on."""

    target_version: WorkerDeploymentVersion

    def _to_proto(self) -> temporalio.api.workflow.v1.VersioningOverride:
        from temporalio.api.workflow.v1 import VersioningOverride as OverrideMessage

        return OverrideMessage(one_time=OverrideMessage.OneTimeOverride(target_deployment_version=self.target_version._to_proto()))
