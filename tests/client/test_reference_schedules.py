"""Schedules, on the real dev server: ours has none yet."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from outlast.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleListActionStartWorkflow,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from outlast.common import Priority, RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from outlast.converter import DataConverter
from outlast.service import RPCError, RPCStatusCode
from tests.client.waiting import eventually
from tests.client.workflows import KnownGreet

pytestmark = pytest.mark.xdist_group("client-reference")

COLOUR = SearchAttributeKey.for_keyword("Colour")
RED = TypedSearchAttributes([SearchAttributePair(COLOUR, "red")])
NEVER = ScheduleSpec()


def _action(**options: object) -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow(KnownGreet.run, "you", id=f"scheduled-{uuid.uuid4()}", task_queue="nobody", **options)  # type: ignore[call-overload, no-any-return]


def _id() -> str:
    return f"schedule-{uuid.uuid4()}"


async def _created(client: Client, schedule: Schedule, **options: object) -> ScheduleHandle:
    return await client.create_schedule(_id(), schedule, **options)  # type: ignore[arg-type]


async def test_a_schedule_comes_back_as_it_was_sent(reference: Client) -> None:
    schedule = Schedule(
        action=_action(
            execution_timeout=timedelta(hours=3),
            run_timeout=timedelta(hours=2),
            task_timeout=timedelta(seconds=9),
            retry_policy=RetryPolicy(maximum_attempts=20, maximum_interval=timedelta(seconds=100)),
            memo={"a": 1},
            typed_search_attributes=RED,
            static_summary="sum",
            static_details="det",
            priority=Priority(priority_key=2),
        ),
        spec=ScheduleSpec(
            calendars=[
                ScheduleCalendarSpec(
                    second=(ScheduleRange(1, step=1),), minute=(ScheduleRange(2, 3),), hour=(ScheduleRange(4, 5, 6),), comment="why"
                )
            ],
            intervals=[ScheduleIntervalSpec(every=timedelta(days=10), offset=timedelta(days=2))],
            skip=[ScheduleCalendarSpec(year=(ScheduleRange(2050),))],
            start_at=datetime(2060, 7, 8, 9, 10, 11, tzinfo=UTC),
            end_at=datetime(2070, 7, 8, tzinfo=UTC),
            jitter=timedelta(seconds=80),
            time_zone_name="Europe/Berlin",
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=timedelta(minutes=5), pause_on_failure=True),
        state=ScheduleState(note="note", paused=True, limited_actions=True, remaining_actions=30),
    )
    handle = await _created(reference, schedule, memo={"m": "emo"}, search_attributes=RED)

    description = await handle.describe()

    action = description.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    converter = DataConverter.default
    assert await converter.decode(action.args) == ["you"]
    assert action.memo is not None
    assert await converter.decode(list(action.memo.values())) == [1]
    assert await converter.decode([action.static_summary, action.static_details]) == ["sum", "det"]
    sent = schedule.action
    assert isinstance(sent, ScheduleActionStartWorkflow)
    sent.args, sent.memo = action.args, action.memo
    sent.static_summary, sent.static_details = action.static_summary, action.static_details
    assert description.schedule == schedule
    assert description.typed_search_attributes[COLOUR] == "red"
    assert (await description.memo(), await description.memo_value("m")) == ({"m": "emo"}, "emo")
    assert description.info.num_actions == 0
    assert description.info.last_updated_at is None
    await handle.delete()
    with pytest.raises(RPCError) as gone:
        await handle.describe()
    assert gone.value.status is RPCStatusCode.NOT_FOUND


async def test_a_cron_expression_becomes_a_calendar(reference: Client) -> None:
    handle = await _created(reference, Schedule(_action(), ScheduleSpec(cron_expressions=["0 12 * * MON"])))

    spec = (await handle.describe()).schedule.spec

    assert list(spec.cron_expressions) == []
    assert spec.calendars == [ScheduleCalendarSpec(hour=(ScheduleRange(12),), day_of_week=(ScheduleRange(1),))]
    await handle.delete()


async def test_a_schedule_is_changed_by_a_function_async_or_not(reference: Client) -> None:
    handle = await _created(reference, Schedule(_action(), NEVER), search_attributes=RED)

    def longer(given: ScheduleUpdateInput) -> ScheduleUpdate:
        assert isinstance(given.description.schedule.action, ScheduleActionStartWorkflow)
        given.description.schedule.action.task_timeout = timedelta(minutes=7)
        return ScheduleUpdate(given.description.schedule)

    async def without_search_attributes(given: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(given.description.schedule, search_attributes=TypedSearchAttributes.empty)

    await handle.update(longer)
    described = await handle.describe()
    assert isinstance(described.schedule.action, ScheduleActionStartWorkflow)
    assert described.schedule.action.task_timeout == timedelta(minutes=7)
    assert described.typed_search_attributes[COLOUR] == "red"
    await handle.update(lambda given: None)
    assert (await handle.describe()).info.last_updated_at == described.info.last_updated_at
    await handle.update(without_search_attributes)
    changed = await eventually(handle.describe, lambda description: COLOUR not in description.typed_search_attributes)
    assert changed.schedule == described.schedule
    await handle.delete()


async def test_a_schedule_is_paused_triggered_and_goes_on(reference: Client) -> None:
    handle = await _created(reference, Schedule(_action(), NEVER, state=ScheduleState(paused=True)))

    notes = []
    for act in (handle.unpause, lambda: handle.pause(note="one"), lambda: handle.unpause(note="two"), handle.pause):
        await act()  # type: ignore[operator]
        state = (await handle.describe()).schedule.state
        notes.append((state.paused, state.note))
    await handle.trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)
    described = await eventually(handle.describe, lambda description: description.info.num_actions == 1)

    assert notes == [(False, "Unpaused via Python SDK"), (True, "one"), (False, "two"), (True, "Paused via Python SDK")]
    action = described.info.recent_actions[0].action
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)
    assert action.workflow_id.startswith("scheduled-")
    assert described.info.running_actions == [action]
    await handle.delete()


async def test_times_that_have_passed_are_made_up_for(reference: Client) -> None:
    every_minute = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))])
    began = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    backfill = ScheduleBackfill(began, began + timedelta(minutes=1), overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    handle = await _created(reference, Schedule(_action(), every_minute, state=ScheduleState(paused=True)), backfill=[backfill])

    await handle.backfill(ScheduleBackfill(began + timedelta(hours=1), began + timedelta(hours=1), overlap=ScheduleOverlapPolicy.ALLOW_ALL))

    described = await eventually(handle.describe, lambda description: description.info.num_actions == 3)
    assert described.info.next_action_times
    with pytest.raises(ValueError, match="At least one"):
        await handle.backfill()
    await handle.delete()


async def test_a_schedule_that_is_there_or_contradicts_itself_is_refused(reference: Client) -> None:
    handle = await _created(reference, Schedule(_action(), NEVER), trigger_immediately=True)

    with pytest.raises(ScheduleAlreadyRunningError):
        await reference.create_schedule(handle.id, Schedule(_action(), NEVER))
    for state in (ScheduleState(limited_actions=True), ScheduleState(remaining_actions=1)):
        with pytest.raises(ValueError, match="limited actions"):
            await _created(reference, Schedule(_action(), NEVER, state=state))
    await eventually(handle.describe, lambda description: description.info.num_actions == 1)
    await handle.delete()


async def test_schedules_are_listed_page_by_page(reference: Client) -> None:
    handles = [
        await _created(reference, Schedule(_action(), NEVER, state=ScheduleState(note="n", paused=True)), memo={"i": i}) for i in range(3)
    ]
    ids = {handle.id for handle in handles}

    async def listed() -> dict[str, object]:
        return {each.id: each async for each in await reference.list_schedules(page_size=1) if each.id in ids and each.schedule}

    found = await eventually(listed, lambda by_id: by_id.keys() == ids)

    for index, handle in enumerate(handles):
        description = found[handle.id]
        assert description.schedule.action == ScheduleListActionStartWorkflow("greet")  # type: ignore[attr-defined]
        assert (description.schedule.state.note, description.schedule.state.paused) == ("n", True)  # type: ignore[attr-defined]
        assert await description.memo_value("i") == index  # type: ignore[attr-defined]
        await handle.delete()
