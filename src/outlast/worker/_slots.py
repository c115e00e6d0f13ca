"""Slots as the pollers use them: reserved before a poll, used by a task, released when it ends."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from outlast.common import WorkerDeploymentVersion
from outlast.worker._resources import Room
from outlast.worker._tuning import (
    DEFAULT_RESOURCE_SLOTS_MAX,
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    ResourceBasedSlotSupplier,
    SlotInfo,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotSupplier,
    WorkerTuner,
)

logger = logging.getLogger("outlast.worker")

SlotKind = Literal["workflow", "activity", "local-activity"]
ROOM_AGAIN_S = 0.01
"""How soon resource based slots look again whether there is room."""
SUPPLIER_AGAIN_S = 1.0
"""How soon a custom supplier that raised is asked again."""


@dataclass(slots=True)
class WorkflowSlot:
    """A workflow task in a slot."""

    workflow_type: str
    is_sticky: bool


@dataclass(slots=True)
class ActivitySlot:
    """An activity, remote or local, in a slot."""

    activity_type: str


@dataclass(slots=True)
class ReserveContext:
    """What a custom supplier learns of who asks."""

    slot_type: SlotKind
    task_queue: str
    worker_identity: str
    worker_build_id: str
    worker_deployment_version: WorkerDeploymentVersion | None
    is_sticky: bool = False


class Permit:
    """A reserved slot. Releasing it twice is releasing it once."""

    __slots__ = ("_slots", "info", "sticky", "supplied")

    def __init__(self, slots: Slots, sticky: bool = False, supplied: SlotPermit | None = None) -> None:
        self._slots: Slots | None = slots
        self.sticky = sticky
        self.supplied = supplied
        self.info: SlotInfo | None = None

    def use(self, info: SlotInfo) -> None:
        """A task came."""
        self.info = info
        if self._slots is not None:
            self._slots._used(self)

    def release(self) -> None:
        """The task ended, or none came."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots._released(self)


class Slots(ABC):
    """The slots of one kind."""

    @abstractmethod
    async def reserve(self, sticky: bool = False) -> Permit:
        """Wait for a slot."""

    @abstractmethod
    def try_reserve(self) -> Permit | None:
        """A slot, if there is one now."""

    def _used(self, permit: Permit) -> None:
        return

    @abstractmethod
    def _released(self, permit: Permit) -> None: ...


class FixedSlots(Slots):
    """So many at a time, first come, first served."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def reserve(self, sticky: bool = False) -> Permit:
        if self._free > 0:
            self._free -= 1
            return Permit(self, sticky)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()
            raise
        return Permit(self, sticky)

    def try_reserve(self) -> Permit | None:
        if self._free <= 0:
            return None
        self._free -= 1
        return Permit(self)

    def _released(self, permit: Permit) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class ResourceSlots(Slots):
    """As many as fit on the machine, between a minimum and a maximum.

    For workflow tasks at least one sticky and one other slot are always handed out: else one queue could starve the other.
    """

    def __init__(self, supplier: ResourceBasedSlotSupplier, kind: SlotKind, room: Room, now: Callable[[], float] = time.monotonic) -> None:
        config = supplier.slot_config
        workflow = kind == "workflow"
        self._minimum = config.minimum_slots if config.minimum_slots is not None else 5 if workflow else 1
        self._maximum = config.maximum_slots if config.maximum_slots is not None else DEFAULT_RESOURCE_SLOTS_MAX
        self._pause_s = config.ramp_throttle.total_seconds() if config.ramp_throttle is not None else 0.0 if workflow else 0.05
        self._workflow = workflow
        self._room = room
        self._now = now
        self._issued = {True: 0, False: 0}
        """By whether they are sticky."""
        self._issued_at = float("-inf")

    async def reserve(self, sticky: bool = False) -> Permit:
        while True:
            permit = self._take(sticky)
            if permit is not None:
                return permit
            await asyncio.sleep(max(ROOM_AGAIN_S, self._issued_at + self._pause_s - self._now()))

    def try_reserve(self) -> Permit | None:
        return self._take(sticky=False)

    def _take(self, sticky: bool) -> Permit | None:
        issued = sum(self._issued.values())
        first = self._workflow and not self._issued[sticky]
        if not (issued < self._minimum or first or self._more(issued)):
            return None
        self._issued[sticky] += 1
        self._issued_at = self._now()
        return Permit(self, sticky)

    def _more(self, issued: int) -> bool:
        return issued < self._maximum and self._now() - self._issued_at >= self._pause_s and self._room.fits()

    def _released(self, permit: Permit) -> None:
        self._issued[permit.sticky] -= 1


class CustomSlots(Slots):
    """Slots of a supplier that the program brings. What it raises is logged; a worker does not end for it."""

    def __init__(self, supplier: CustomSlotSupplier, context: ReserveContext) -> None:
        self._supplier = supplier
        self._contexts = {False: context, True: replace(context, is_sticky=True)}

    async def reserve(self, sticky: bool = False) -> Permit:
        while True:
            try:
                return Permit(self, sticky, await self._supplier.reserve_slot(self._contexts[sticky]))
            except Exception:
                logger.warning("Error in custom slot supplier `reserve_slot`", exc_info=True)
            await asyncio.sleep(SUPPLIER_AGAIN_S)

    def try_reserve(self) -> Permit | None:
        try:
            supplied = self._supplier.try_reserve_slot(self._contexts[False])
        except Exception:
            logger.warning("Error in custom slot supplier `try_reserve_slot`", exc_info=True)
            return None
        return None if supplied is None else Permit(self, supplied=supplied)

    def _used(self, permit: Permit) -> None:
        assert permit.info is not None
        assert permit.supplied is not None
        try:
            self._supplier.mark_slot_used(SlotMarkUsedContext(permit.info, permit.supplied))
        except Exception:
            logger.warning("Error in custom slot supplier `mark_slot_used`", exc_info=True)

    def _released(self, permit: Permit) -> None:
        assert permit.supplied is not None
        try:
            self._supplier.release_slot(SlotReleaseContext(permit.info, permit.supplied))
        except Exception:
            logger.warning("Error in custom slot supplier `release_slot`", exc_info=True)


class MeteredSlots(Slots):
    """Slots whose use is told about."""

    def __init__(self, slots: Slots, used: Callable[[int], None]) -> None:
        """`used` is told how many slots have a task in them, whenever that changes."""
        self._slots = slots
        self._tell = used
        self._count = 0
        used(0)

    async def reserve(self, sticky: bool = False) -> Permit:
        return self._own(await self._slots.reserve(sticky))

    def try_reserve(self) -> Permit | None:
        permit = self._slots.try_reserve()
        return None if permit is None else self._own(permit)

    def _own(self, permit: Permit) -> Permit:
        permit._slots = self
        return permit

    def _used(self, permit: Permit) -> None:
        self._slots._used(permit)
        self._change(1)

    def _released(self, permit: Permit) -> None:
        self._slots._released(permit)
        if permit.info is not None:
            self._change(-1)

    def _change(self, by: int) -> None:
        self._count += by
        self._tell(self._count)


@dataclass(frozen=True, slots=True)
class WorkerSlots:
    """All slots of a worker."""

    workflow: Slots
    activity: Slots
    local_activity: Slots


def slots_of(
    tuner: WorkerTuner,
    context: Callable[[SlotKind], ReserveContext],
    used: Callable[[SlotKind, int, int | None], None] | None = None,
) -> WorkerSlots:
    """The slots that a tuner asks for. Raises `TypeError` for a supplier of no known kind.

    `used` is told how many slots of a kind have a task in them, whenever that changes, and how many there are, where that is fixed.
    """
    rooms: dict[object, Room] = {}

    def make(supplier: SlotSupplier, kind: SlotKind) -> Slots:
        slots = plain(supplier, kind)
        if used is None:
            return slots
        size = supplier.num_slots if isinstance(supplier, FixedSizeSlotSupplier) else None
        return MeteredSlots(slots, lambda count: used(kind, count, size))

    def plain(supplier: SlotSupplier, kind: SlotKind) -> Slots:
        match supplier:
            case FixedSizeSlotSupplier(num_slots):
                return FixedSlots(num_slots)
            case ResourceBasedSlotSupplier(_, target):
                if target not in rooms:
                    rooms[target] = Room(target)
                return ResourceSlots(supplier, kind, rooms[target])
            case CustomSlotSupplier():
                return CustomSlots(supplier, context(kind))
            case _:
                raise TypeError(f"Unknown slot supplier type: {supplier}")

    return WorkerSlots(
        make(tuner._get_workflow_task_slot_supplier(), "workflow"),
        make(tuner._get_activity_task_slot_supplier(), "activity"),
        make(tuner._get_local_activity_task_slot_supplier(), "local-activity"),
    )
