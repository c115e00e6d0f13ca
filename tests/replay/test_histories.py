"""Histories that an official worker wrote replay here, and our answers to their tasks are the ones that it gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from outlast.replay import kinds
from outlast.replay.run import WorkflowRun
from tests.replay.histories import SETTINGS, Worker, as_task, check_commands, histories, load, requests, tasks

ALL = histories()
# Races: local activities ended while code ran, and which of them came together is not in history. Troubles: when an official
# worker replays a local activity that timed out, it raises TimeoutError, and not the ActivityError that it raised at first.
IN_MEMORY = [path for path in ALL if not path.stem.startswith("races") and path.stem != "local-activity-troubles-uncached"]


def _name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_a_history_replays_to_its_end(path: Path) -> None:
    events = load(path)
    run = WorkflowRun(SETTINGS, "run")

    step = run.activate(as_task(events, workflow_id=path.stem, replay_only=True))

    assert step.failure is None, step.failure.message
    assert step.closed
    run.evict()


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_each_task_is_answered_as_it_was(path: Path) -> None:
    for history, answered in tasks(load(path)):
        run = WorkflowRun(SETTINGS, "run")

        step = run.activate(as_task(history, workflow_id=path.stem))

        assert step.failure is None, step.failure.message
        # What came with the task, updates and local activities, is not in its history.
        if not step.waiting and not any(event.event_type == kinds.UPDATE_ACCEPTED for event in answered):
            check_commands(step.commands, answered)
        run.evict()


@pytest.mark.parametrize("path", IN_MEMORY, ids=_name)
def test_a_run_in_memory_answers_task_by_task_as_it_was(path: Path) -> None:
    run, worker, seen = WorkflowRun(SETTINGS, "run"), Worker(), 0
    for history, answered in tasks(load(path)):
        task = as_task(history, workflow_id=path.stem, previous=seen, after=seen, messages=requests(answered))
        step = run.activate(task)
        while step.waiting and (outcome := worker.outcome(step, answered)) is not None:
            step = run.resolve_local_activity(outcome)
        if step.waiting:
            step = run.heartbeat()

        assert step.failure is None, step.failure.message
        check_commands(step.commands, answered)
        seen = history[-1].event_id
    run.evict()
