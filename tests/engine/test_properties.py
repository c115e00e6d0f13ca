"""Promises that hold for every run, whatever happens to it: random walks over valid and bad triggers."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outlast.engine import triggers as t
from outlast.engine.decide import decide
from outlast.engine.keys import PartKey
from outlast.engine.refusals import Refusal
from outlast.engine.state import Execution
from outlast.engine.stored import PARTS, decode_execution, encode_core
from outlast.engine.transition import DeliverCallback, OfferActivity
from outlast.engine.work import has_work, next_due, pending_work
from tests.engine.given import NAMESPACE, context, encoded
from tests.engine.moves import first_step, names, walk
from tests.history_checker import check_history

moves = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from([0, 0, 0, 1, 3, 12]))
walks = given(st.integers(0, 10**6), st.lists(moves, min_size=20, max_size=50))
SETTINGS = settings(derandomize=True, max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@SETTINGS
@walks
def test_a_decision_never_changes_the_state_that_it_began_with(seed, moves) -> None:  # type: ignore[no-untyped-def]
    execution, before = first_step(seed).execution, encoded(first_step(seed).execution)

    for step in walk(seed, moves):
        assert encoded(execution) == before
        execution, before = step.execution, encoded(step.execution)


@SETTINGS
@walks
def test_what_is_stored_rebuilds_the_state(seed, moves) -> None:  # type: ignore[no-untyped-def]
    parts: dict[PartKey, bytes] = {}

    for step in walk(seed, moves):
        if step.refusal is None:
            _store(parts, step.last.changes)
            if not step.last.changed:
                assert not step.last.changes

            assert decode_execution(encode_core(step.run), parts) == step.execution
            assert step.run.state_bytes == _weight(step.execution)
            if step.before is not None and not step.last.changed:
                assert step.execution == step.before


def _weight(execution: Execution) -> int:
    """What the parts take, by the books."""
    total = 0
    for name in set(PARTS.values()) - {"origin"}:
        for value in getattr(execution, name).values():
            total += len(value) if isinstance(value, bytes) else 16 if isinstance(value, int) else value.weight
    return total


def _store(parts: dict[PartKey, bytes], changes: Mapping[PartKey, bytes | None]) -> None:
    for key, data in changes.items():
        if data is None:
            del parts[key]  # nothing is deleted that was never stored
        else:
            parts[key] = data


@SETTINGS
@walks
def test_histories_obey_the_grammar(seed, moves) -> None:  # type: ignore[no-untyped-def]
    for step in walk(seed, moves):
        if step.refusal is None:
            assert [event.event_id for event in step.history] == list(range(1, len(step.history) + 1))
            for batch in step.last.batches:
                assert batch.first_event_id == batch.events[0].event_id
            assert step.run.next_event_id == len(step.history) + 1
    assert check_history(step.history) == []
    _nothing_stands_between_start_and_end_of_a_workflow_task(names(step))
    if step.last.successor is not None:
        following = [event for batch in step.last.successor.batches for event in batch.events]
        assert check_history(following) == []
        assert step.last.successor.after.run.run_id == step.run.new_run_id


def _nothing_stands_between_start_and_end_of_a_workflow_task(history: list[str]) -> None:
    for event, following in pairwise(history):
        if event == "WORKFLOW_TASK_STARTED":
            assert following in ("WORKFLOW_TASK_COMPLETED", "WORKFLOW_TASK_FAILED", "WORKFLOW_TASK_TIMED_OUT")


@SETTINGS
@walks
def test_the_index_knows_of_all_work(seed, moves) -> None:  # type: ignore[no-untyped-def]
    for step in walk(seed, moves):
        work = pending_work(step.execution)

        assert has_work(step.execution) == bool(work)
        if step.refusal is None:
            assert step.last.has_work == bool(work)
            # An activity may be offered and canceled by the same completion: its offer is refused when it is taken.
            assert all(effect in work for effect in step.last.effects if not isinstance(effect, OfferActivity))


@SETTINGS
@walks
def test_no_deadline_is_overslept(seed, moves) -> None:  # type: ignore[no-untyped-def]
    for step in walk(seed, moves):
        due = next_due(step.execution)
        deadlines = _deadlines(step.execution)

        if not step.run.open:
            ahead = step.run.time_skipping.skipped if step.run.time_skipping is not None else 0
            deletion = step.run.close_time - ahead + NAMESPACE.retention
            told = not any(not isinstance(effect, DeliverCallback) for effect in pending_work(step.execution))
            assert due == min([*deadlines, deletion] if told else deadlines, default=None)
        elif deadlines:
            assert due == min(deadlines)
        else:
            assert due is None
        if step.refusal is None:
            assert step.last.due_at == due


def _deadlines(execution: Execution) -> list[int]:
    """Every moment at which something is due, by the books: written apart from the code that it checks."""
    run = execution.run
    again = [callback.next_attempt_time for callback in execution.callbacks.values() if callback.next_attempt_time]
    if not run.open:
        return again
    moments = [timer.fires_at for timer in execution.timers.values()]
    for a in execution.activities.values():
        if a.pause is not None:
            continue
        if a.schedule_to_close:
            moments.append(a.scheduled_time + a.schedule_to_close)
        if a.started and a.start_to_close:
            moments.append(a.started_time + a.start_to_close)
        if a.started and a.heartbeat:
            moments.append(max(a.started_time, a.last_heartbeat_time) + a.heartbeat)
        if not a.started and not a.offered:
            moments.append(a.attempt_scheduled_time)
        if not a.started and a.offered and a.schedule_to_start:
            moments.append(a.attempt_scheduled_time + a.schedule_to_start)
    task = run.workflow_task
    if task is not None and task.started:
        moments.append(task.started_time + task.timeout)
    elif task is not None and task.schedule_to_start_timeout:
        moments.append(task.scheduled_time + task.schedule_to_start_timeout)
    if run.first_task_pending and run.execution_time > run.start_time:
        moments.append(run.execution_time)
    moments += [moment for moment in (run.run_expiration, run.execution_expiration) if moment]
    skipping = run.time_skipping
    if skipping is None:
        return moments + again
    if skipping.target and skipping.enabled and not skipping.reached:
        moments.append(skipping.target)
    return [moment - skipping.skipped for moment in moments] + again


@SETTINGS
@walks
def test_after_the_clock_has_come_by_nothing_is_overdue_for_long(seed, moves) -> None:  # type: ignore[no-untyped-def]
    *_, step = walk(seed, moves)

    execution, now = step.execution, step.now
    for turn in range(3 if step.run.time_skipping is None else 30):
        transition = decide(execution, t.TimersDue(), context(now, step.decided + turn + 1))
        execution = transition.after
        if transition.due_at is None or transition.due_at > now:
            return
    raise AssertionError(f"still due at {transition.due_at}, and it is {now}")


@SETTINGS
@walks
def test_a_refused_trigger_leaves_nothing_and_is_refused_again(seed, moves) -> None:  # type: ignore[no-untyped-def]
    for step in walk(seed, moves):
        if step.refusal is not None:
            assert step.before is not None and step.trigger is not None
            before = encoded(step.before)
            with pytest.raises(Refusal) as again:
                decide(step.before, step.trigger, context(step.now, step.decided))

            assert (type(again.value), again.value.message) == (type(step.refusal), step.refusal.message)
            assert encoded(step.before) == before


@SETTINGS
@walks
def test_the_same_trigger_gives_the_same_transition(seed, moves) -> None:  # type: ignore[no-untyped-def]
    for step in walk(seed, moves):
        if step.refusal is None and step.before is not None and step.trigger is not None:
            again = decide(step.before, step.trigger, context(step.now, step.decided))

            assert encoded(again.after) == encoded(step.last.after)
            assert [batch.data for batch in again.batches] == [batch.data for batch in step.last.batches]
            assert again.effects == step.last.effects


def test_the_walks_go_everywhere_and_are_refused_now_and_then() -> None:
    events: set[str] = set()
    triggers: set[str] = set()
    refused = steps = 0
    for seed in range(150):
        moves = [(seed * 7919 + turn * 104_729, seed * 31 + turn, (0, 0, 1, 0, 3, 12)[turn % 6]) for turn in range(40)]
        for step in walk(seed, moves):
            steps += 1
            refused += step.refusal is not None
            triggers.add(type(step.trigger).__name__)
        events.update(names(step))

    assert set(EVENTS.split()) - events == set()
    assert set(TRIGGERS.split()) - triggers == set()
    assert 0.02 < refused / steps < 0.3


# A walk that is taught something new gets it into these tables.
TRIGGERS = """
    Signal RequestCancel Terminate StartWorkflowTask CompleteWorkflowTask FailWorkflowTask ResetSticky StartActivity ReleaseActivity
    Heartbeat CompleteActivity FailActivity CancelActivity TimersDue ChildStarted ChildStartFailed ChildClosed ChildPolicyApplied
    ChildFirstTaskReleased ReleaseFirstTask ParentNotified ExternalTold Attach CallbackAnswered UpdateOptions
"""
EVENTS = """
    WORKFLOW_EXECUTION_STARTED WORKFLOW_EXECUTION_SIGNALED WORKFLOW_EXECUTION_CANCEL_REQUESTED WORKFLOW_EXECUTION_OPTIONS_UPDATED
    WORKFLOW_EXECUTION_COMPLETED WORKFLOW_EXECUTION_FAILED WORKFLOW_EXECUTION_CANCELED WORKFLOW_EXECUTION_TERMINATED
    WORKFLOW_EXECUTION_TIMED_OUT WORKFLOW_EXECUTION_CONTINUED_AS_NEW WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED
    WORKFLOW_TASK_COMPLETED WORKFLOW_TASK_FAILED WORKFLOW_TASK_TIMED_OUT ACTIVITY_TASK_SCHEDULED ACTIVITY_TASK_STARTED
    ACTIVITY_TASK_COMPLETED ACTIVITY_TASK_FAILED ACTIVITY_TASK_TIMED_OUT ACTIVITY_TASK_CANCEL_REQUESTED ACTIVITY_TASK_CANCELED
    TIMER_STARTED TIMER_FIRED TIMER_CANCELED MARKER_RECORDED UPSERT_WORKFLOW_SEARCH_ATTRIBUTES WORKFLOW_PROPERTIES_MODIFIED
    START_CHILD_WORKFLOW_EXECUTION_INITIATED START_CHILD_WORKFLOW_EXECUTION_FAILED CHILD_WORKFLOW_EXECUTION_STARTED
    CHILD_WORKFLOW_EXECUTION_COMPLETED CHILD_WORKFLOW_EXECUTION_FAILED CHILD_WORKFLOW_EXECUTION_CANCELED
    CHILD_WORKFLOW_EXECUTION_TERMINATED CHILD_WORKFLOW_EXECUTION_TIMED_OUT
    SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED EXTERNAL_WORKFLOW_EXECUTION_SIGNALED
    REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
    EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED
"""
