"""Sets of compatible builds of workers, the way of versioning before deployments. The server calls it deprecated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from temporalio.api.enums.v1 import TaskReachability
from temporalio.api.taskqueue.v1 import BuildIdReachability as BuildIdReachabilityMessage
from temporalio.api.workflowservice.v1 import (
    GetWorkerBuildIdCompatibilityResponse,
    GetWorkerTaskReachabilityResponse,
    UpdateWorkerBuildIdCompatibilityRequest,
)


@dataclass(frozen=True)
class WorkerBuildIdVersionSets:
    """A task queue's sets of compatible builds."""

    version_sets: Sequence[BuildIdVersionSet]
    """The sets; new workflows go to the last one."""

    def default_set(self) -> BuildIdVersionSet:
        """The set that new workflows go to."""
        return self.version_sets[-1]

    def default_build_id(self) -> str:
        """The build that new workflows go to."""
        return self.default_set().default()

    @staticmethod
    def _from_proto(resp: GetWorkerBuildIdCompatibilityResponse) -> WorkerBuildIdVersionSets:
        return WorkerBuildIdVersionSets(version_sets=[BuildIdVersionSet(versions.build_ids) for versions in resp.major_version_sets])


@dataclass(frozen=True)
class BuildIdVersionSet:
    """Builds that can go on with one another's workflows."""

    build_ids: Sequence[str]
    """The builds; the last one gets the tasks."""

    def default(self) -> str:
        """The build that gets the tasks."""
        return self.build_ids[-1]


class BuildIdOp(ABC):
    """A change of the sets."""

    @abstractmethod
    def _as_partial_proto(self) -> UpdateWorkerBuildIdCompatibilityRequest:
        """A request that says what to change, but not on which task queue."""


@dataclass(frozen=True)
class BuildIdOpAddNewDefault(BuildIdOp):
    """Put a new build into a new set, which new workflows then go to."""

    build_id: str

    def _as_partial_proto(self) -> UpdateWorkerBuildIdCompatibilityRequest:
        return UpdateWorkerBuildIdCompatibilityRequest(add_new_build_id_in_new_default_set=self.build_id)


@dataclass(frozen=True)
class BuildIdOpAddNewCompatible(BuildIdOp):
    """Put a new build into the set of another, and first in it; ``promote_set`` lets new workflows go to the set."""

    build_id: str
    existing_compatible_build_id: str
    promote_set: bool = False

    def _as_partial_proto(self) -> UpdateWorkerBuildIdCompatibilityRequest:
        return UpdateWorkerBuildIdCompatibilityRequest(
            add_new_compatible_build_id=UpdateWorkerBuildIdCompatibilityRequest.AddNewCompatibleVersion(
                new_build_id=self.build_id,
                existing_compatible_build_id=self.existing_compatible_build_id,
                make_set_default=self.promote_set,
            )
        )


@dataclass(frozen=True)
class BuildIdOpPromoteSetByBuildId(BuildIdOp):
    """Let new workflows go to the set that has this build."""

    build_id: str

    def _as_partial_proto(self) -> UpdateWorkerBuildIdCompatibilityRequest:
        return UpdateWorkerBuildIdCompatibilityRequest(promote_set_by_build_id=self.build_id)


@dataclass(frozen=True)
class BuildIdOpPromoteBuildIdWithinSet(BuildIdOp):
    """Let this build get the tasks of its set."""

    build_id: str

    def _as_partial_proto(self) -> UpdateWorkerBuildIdCompatibilityRequest:
        return UpdateWorkerBuildIdCompatibilityRequest(promote_build_id_within_set=self.build_id)


@dataclass(frozen=True)
class BuildIdOpMergeSets(BuildIdOp):
    """Make one set of two; its first build is that of the first one."""

    primary_build_id: str
    secondary_build_id: str

    def _as_partial_proto(self) -> UpdateWorkerBuildIdCompatibilityRequest:
        return UpdateWorkerBuildIdCompatibilityRequest(
            merge_sets=UpdateWorkerBuildIdCompatibilityRequest.MergeSets(
                primary_set_build_id=self.primary_build_id, secondary_set_build_id=self.secondary_build_id
            )
        )


@dataclass(frozen=True)
class WorkerTaskReachability:
    """Whether builds may still get tasks."""

    build_id_reachability: Mapping[str, BuildIdReachability]
    """By build."""

    @staticmethod
    def _from_proto(resp: GetWorkerTaskReachabilityResponse) -> WorkerTaskReachability:
        return WorkerTaskReachability({build.build_id: BuildIdReachability._from_proto(build) for build in resp.build_id_reachability})


@dataclass(frozen=True)
class BuildIdReachability:
    """Whether one build may still get tasks."""

    task_queue_reachability: Mapping[str, Sequence[TaskReachabilityType]]
    """Of which kinds, by task queue; none: never again."""

    unretrieved_task_queues: frozenset[str]
    """Task queues that the server did not look at: ask about them alone."""

    @staticmethod
    def _from_proto(message: BuildIdReachabilityMessage) -> BuildIdReachability:
        known: dict[str, Sequence[TaskReachabilityType]] = {}
        unknown: set[str] = set()
        for queue in message.task_queue_reachability:
            if list(queue.reachability) == [TaskReachability.TASK_REACHABILITY_UNSPECIFIED]:
                unknown.add(queue.task_queue)
            else:
                known[queue.task_queue] = [TaskReachabilityType(kind) for kind in queue.reachability]
        return BuildIdReachability(task_queue_reachability=known, unretrieved_task_queues=frozenset(unknown))


class TaskReachabilityType(Enum):
    """Kinds of workflows that a build may get tasks of; the numbers are those of the wire."""

    NEW_WORKFLOWS = 1
    EXISTING_WORKFLOWS = 2
    OPEN_WORKFLOWS = 3
    CLOSED_WORKFLOWS = 4
