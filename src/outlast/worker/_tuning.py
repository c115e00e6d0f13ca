"""How many tasks a worker takes at a time: the tuner, and the slot suppliers that it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from outlast.common import WorkerDeploymentVersion

DEFAULT_SLOTS = 100
DEFAULT_RESOURCE_SLOTS_MAX = 500


@dataclass(frozen=True)
class FixedSizeSlotSupplier:
    """Hands out up to a fixed number of slots."""

    num_slots: int


@dataclass(frozen=True)
class ResourceBasedTunerConfig:
    """How much of the machine a `ResourceBasedSlotSupplier` may use up before it stops handing out slots."""

    target_memory_usage: float
    """Share of the machine's memory, 0 to 1. Leave room (0.8 is plenty): what a workflow will need is not known beforehand."""
    target_cpu_usage: float
    """Share of the machine's processors, 0 to 1."""


@dataclass(frozen=True)
class ResourceBasedSlotConfig:
    """Bounds of one kind of slot under a `ResourceBasedSlotSupplier`."""

    minimum_slots: int | None = None
    """So many are handed out whatever the load is. Unless given, 5 for workflow tasks and 1 for everything else."""
    maximum_slots: int | None = None
    """Never more than this. Unless given, 500."""
    ramp_throttle: timedelta | None = None
    """Pause between two slots above the minimum, so that the load of the last can show. Unless given, 50 ms; none for workflow tasks."""


@dataclass(frozen=True)
class ResourceBasedSlotSupplier:
    """Hands out slots for as long as the machine has room."""

    slot_config: ResourceBasedSlotConfig
    tuner_config: ResourceBasedTunerConfig
    """Must be the same in all resource based suppliers of one tuner."""


class SlotPermit:
    """The right to run one task. A `CustomSlotSupplier` may hand out a subclass that carries data of its own."""


class SlotReserveContext(Protocol):
    """What a `CustomSlotSupplier` is told when a slot is asked of it."""

    slot_type: Literal["workflow", "activity", "local-activity"]
    task_queue: str
    worker_identity: str
    worker_build_id: str
    """Deprecated: see `worker_deployment_version`."""
    worker_deployment_version: WorkerDeploymentVersion | None
    is_sticky: bool
    """Whether the slot is for a poll of the worker's own (sticky) queue."""


@runtime_checkable
class WorkflowSlotInfo(Protocol):
    """A workflow task that uses a slot."""

    workflow_type: str
    is_sticky: bool


@runtime_checkable
class ActivitySlotInfo(Protocol):
    """An activity task that uses a slot."""

    activity_type: str


@runtime_checkable
class LocalActivitySlotInfo(Protocol):
    """A local activity that uses a slot."""

    activity_type: str


@runtime_checkable
class NexusSlotInfo(Protocol):
    """A Nexus task that uses a slot."""

    service: str
    operation: str


SlotInfo: TypeAlias = WorkflowSlotInfo | ActivitySlotInfo | LocalActivitySlotInfo | NexusSlotInfo


@dataclass(frozen=True)
class SlotMarkUsedContext:
    """What a `CustomSlotSupplier` is told when a slot that it handed out gets a task."""

    slot_info: SlotInfo
    permit: SlotPermit


@dataclass(frozen=True)
class SlotReleaseContext:
    """What a `CustomSlotSupplier` is told when a slot is free again."""

    slot_info: SlotInfo | None
    """None when no task ever used the slot."""
    permit: SlotPermit


class CustomSlotSupplier(ABC):
    """Base of slot suppliers that programs write themselves. What its methods raise is logged, and costs a slot at most."""

    @abstractmethod
    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """Wait until a task may be polled for, and return the permit. Cancelled when the worker shuts down."""

    @abstractmethod
    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """Return a permit if there is one at this moment: for tasks that come without a poll, such as eager activities."""

    @abstractmethod
    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """Take notice that a task came for a slot; that may be long after it was reserved. Must not block."""

    @abstractmethod
    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """Take a slot back: its task ended, or none came for it. Must not block."""


SlotSupplier: TypeAlias = FixedSizeSlotSupplier | ResourceBasedSlotSupplier | CustomSlotSupplier


class WorkerTuner(ABC):
    """Says, for each kind of task, how many a worker takes at a time."""

    @classmethod
    def create_resource_based(
        cls,
        *,
        target_memory_usage: float,
        target_cpu_usage: float,
        workflow_config: ResourceBasedSlotConfig | None = None,
        activity_config: ResourceBasedSlotConfig | None = None,
        local_activity_config: ResourceBasedSlotConfig | None = None,
        nexus_config: ResourceBasedSlotConfig | None = None,
    ) -> WorkerTuner:
        """A tuner that takes tasks until the machine is as busy as the targets (0 to 1) say."""
        target = ResourceBasedTunerConfig(target_memory_usage, target_cpu_usage)
        bounds = workflow_config, activity_config, local_activity_config, nexus_config
        return _CompositeTuner(*(ResourceBasedSlotSupplier(each or ResourceBasedSlotConfig(), target) for each in bounds))

    @classmethod
    def create_fixed(
        cls,
        *,
        workflow_slots: int | None = None,
        activity_slots: int | None = None,
        local_activity_slots: int | None = None,
        nexus_slots: int | None = None,
    ) -> WorkerTuner:
        """A tuner with fixed numbers; 100 of each kind that is not given."""
        numbers = workflow_slots, activity_slots, local_activity_slots, nexus_slots
        return _CompositeTuner(*(FixedSizeSlotSupplier(each or DEFAULT_SLOTS) for each in numbers))

    @classmethod
    def create_composite(
        cls,
        *,
        workflow_supplier: SlotSupplier,
        activity_supplier: SlotSupplier,
        local_activity_supplier: SlotSupplier,
        nexus_supplier: SlotSupplier,
    ) -> WorkerTuner:
        """A tuner with a supplier of its own for each kind of task."""
        return _CompositeTuner(workflow_supplier, activity_supplier, local_activity_supplier, nexus_supplier)

    @abstractmethod
    def _get_workflow_task_slot_supplier(self) -> SlotSupplier: ...

    @abstractmethod
    def _get_activity_task_slot_supplier(self) -> SlotSupplier: ...

    @abstractmethod
    def _get_local_activity_task_slot_supplier(self) -> SlotSupplier: ...

    @abstractmethod
    def _get_nexus_slot_supplier(self) -> SlotSupplier: ...

    def _get_activities_max(self) -> int | None:
        return _most_slots(self._get_activity_task_slot_supplier())


def _most_slots(supplier: SlotSupplier) -> int | None:
    match supplier:
        case FixedSizeSlotSupplier(num_slots):
            return num_slots
        case ResourceBasedSlotSupplier(slot_config):
            return slot_config.maximum_slots or DEFAULT_RESOURCE_SLOTS_MAX
        case _:
            return None


@dataclass(frozen=True)
class _CompositeTuner(WorkerTuner):
    workflow_slot_supplier: SlotSupplier
    activity_slot_supplier: SlotSupplier
    local_activity_slot_supplier: SlotSupplier
    nexus_slot_supplier: SlotSupplier

    def _get_workflow_task_slot_supplier(self) -> SlotSupplier:
        return self.workflow_slot_supplier

    def _get_activity_task_slot_supplier(self) -> SlotSupplier:
        return self.activity_slot_supplier

    def _get_local_activity_task_slot_supplier(self) -> SlotSupplier:
        return self.local_activity_slot_supplier

    def _get_nexus_slot_supplier(self) -> SlotSupplier:
        return self.nexus_slot_supplier
