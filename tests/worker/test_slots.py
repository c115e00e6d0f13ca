"""Slots: how many tasks a worker takes at a time."""

import asyncio
from datetime import timedelta

import pytest

from outlast.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    WorkerTuner,
)
from outlast.worker._resources import Room, Usage, _ProcFiles
from outlast.worker._slots import ActivitySlot, FixedSlots, ReserveContext, ResourceSlots, SlotKind, slots_of

TARGET = ResourceBasedTunerConfig(0.8, 0.9)


def context(kind: SlotKind) -> ReserveContext:
    return ReserveContext(kind, "queue", "me", "build", None)


class Machine:
    """A machine as busy as a test says, with a clock."""

    def __init__(self) -> None:
        self.usage = Usage(memory=0.1, cpu=0.1)
        self.time = 100.0

    def look(self) -> Usage:
        return self.usage

    def now(self) -> float:
        return self.time


async def test_a_slot_that_is_taken_is_waited_for_and_given_on_in_order() -> None:
    slots = FixedSlots(1)
    first = await slots.reserve()
    order: list[str] = []

    async def wait(name: str) -> None:
        permit = await slots.reserve()
        order.append(name)
        permit.release()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wait("a"))
        tasks.create_task(wait("b"))
        await asyncio.sleep(0)
        first.release()

    assert order == ["a", "b"]
    assert slots.try_reserve() is not None
    assert slots.try_reserve() is None


async def test_a_slot_released_twice_is_free_once() -> None:
    slots = FixedSlots(1)
    permit = await slots.reserve()

    permit.release()
    permit.release()

    assert slots.try_reserve() is not None
    assert slots.try_reserve() is None


async def test_who_is_cancelled_as_its_turn_comes_passes_the_slot_on() -> None:
    slots = FixedSlots(1)
    permit = await slots.reserve()
    waiting = asyncio.create_task(slots.reserve())
    await asyncio.sleep(0)

    permit.release()
    waiting.cancel()
    await asyncio.wait([waiting])

    assert waiting.cancelled()
    assert slots.try_reserve() is not None


def test_on_a_busy_machine_only_the_minimum_is_handed_out() -> None:
    machine = Machine()
    machine.usage = Usage(memory=0.95, cpu=0.2)
    supplier = ResourceBasedSlotSupplier(ResourceBasedSlotConfig(minimum_slots=2, ramp_throttle=timedelta()), TARGET)
    slots = ResourceSlots(supplier, "activity", Room(TARGET, machine.look, machine.now), machine.now)

    handed_out = [slots.try_reserve() for _ in range(4)]

    assert [permit is not None for permit in handed_out] == [True, True, False, False]


def test_on_an_idle_machine_slots_go_up_to_the_maximum_with_pauses_above_the_minimum() -> None:
    machine = Machine()
    supplier = ResourceBasedSlotSupplier(
        ResourceBasedSlotConfig(minimum_slots=1, maximum_slots=3, ramp_throttle=timedelta(seconds=1)), TARGET
    )
    slots = ResourceSlots(supplier, "activity", Room(TARGET, machine.look, machine.now), machine.now)

    at_once = [slots.try_reserve() is not None for _ in range(2)]
    later = []
    for _ in range(3):
        machine.time += 1
        later.append(slots.try_reserve() is not None)

    assert (at_once, later) == ([True, False], [True, True, False])


def test_one_sticky_and_one_other_workflow_slot_are_there_however_busy_the_machine_is() -> None:
    machine = Machine()
    machine.usage = Usage(memory=1.0, cpu=1.0)
    supplier = ResourceBasedSlotSupplier(ResourceBasedSlotConfig(minimum_slots=0), TARGET)
    slots = ResourceSlots(supplier, "workflow", Room(TARGET, machine.look, machine.now), machine.now)

    taken = [slots._take(sticky) is not None for sticky in (True, False, True, False)]

    assert taken == [True, True, False, False]


def test_the_machine_is_looked_at_again_after_a_while_only() -> None:
    machine = Machine()
    room = Room(TARGET, machine.look, machine.now)
    before = room.fits()
    machine.usage = Usage(memory=1.0, cpu=1.0)

    at_once = room.fits()
    machine.time += 1

    assert (before, at_once, room.fits()) == (True, True, False)


def test_the_figures_of_this_machine_are_shares() -> None:
    usage = Room(TARGET)._look()

    assert 0 < usage.memory < 1
    assert 0 <= usage.cpu <= 1


def test_without_psutil_linux_says_how_busy_the_machine_is() -> None:
    files = _ProcFiles()
    sum(range(1_000_000))

    usage = files.look()

    assert 0 < usage.memory < 1
    assert 0 <= usage.cpu <= 1


class Supplier(CustomSlotSupplier):
    """Hands out numbered permits, and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        self.told.append(("reserve", ctx.slot_type, ctx.is_sticky))
        return SlotPermit()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        self.told.append(("used", getattr(ctx.slot_info, "activity_type", None)))

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        self.told.append(("release", ctx.slot_info is not None))


async def test_a_custom_supplier_hears_of_each_slot_from_reservation_to_release() -> None:
    supplier = Supplier()
    tuner = WorkerTuner.create_composite(
        workflow_supplier=supplier,
        activity_supplier=supplier,
        local_activity_supplier=FixedSizeSlotSupplier(1),
        nexus_supplier=FixedSizeSlotSupplier(1),
    )
    slots = slots_of(tuner, context)

    sticky = await slots.workflow.reserve(sticky=True)
    sticky.release()
    used = await slots.activity.reserve()
    used.use(ActivitySlot("greet"))
    used.release()

    assert supplier.told == [
        ("reserve", "workflow", True),
        ("release", False),
        ("reserve", "activity", False),
        ("used", "greet"),
        ("release", True),
    ]
    assert slots.activity.try_reserve() is None


def test_a_supplier_of_no_known_kind_is_refused() -> None:
    tuner = WorkerTuner.create_composite(
        workflow_supplier=object(),  # type: ignore[arg-type]
        activity_supplier=FixedSizeSlotSupplier(1),
        local_activity_supplier=FixedSizeSlotSupplier(1),
        nexus_supplier=FixedSizeSlotSupplier(1),
    )

    with pytest.raises(TypeError, match="Unknown slot supplier"):
        slots_of(tuner, context)
