"""Time skipping: a run that has nothing to do but to wait has the waiting behind it at once (platform.md 9a).

Such a run has a clock of its own: the world's, and what it has skipped. All that is in its state and its events is in its
time; only what the world does to it (when it is looked at again, when it is deleted) is not. It skips at the end of a
decision, never in the middle of one, and each time says so in its history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import (
    HistoryEvent,
    StartChildWorkflowExecutionInitiatedEventAttributes,
    WorkflowExecutionStartedEventAttributes,
)

from outlast.engine.state import Run, TimeSkipping
from outlast.engine.wire import moment, nanoseconds, set_duration, set_time, timestamp

if TYPE_CHECKING:
    from outlast.engine.draft import Draft


def skipped(run: Run) -> int:
    """How far the run's time is ahead of the world's."""
    return run.time_skipping.skipped if run.time_skipping is not None else 0


def skip(draft: Draft) -> None:
    """At the end of a decision: go to the next moment at which something happens, if there is nothing to wait for but time."""
    skipping = draft.run.time_skipping
    if skipping is None or not draft.changed or not skipping.enabled or not _idle(draft):
        return
    target = _next(draft)
    ends = False
    if skipping.target and not skipping.reached:
        ends = not target or target >= skipping.target
        target = min(target or skipping.target, skipping.target)
        if target <= draft.now:
            target = 0
    if target or ends:
        _write(draft, target, ends=ends)


def _idle(draft: Draft) -> bool:
    run = draft.run
    if not run.open or run.paused is not None or run.workflow_task is not None:
        return False
    if len(draft.children) or len(draft.externals):
        return False
    return all(
        activity.pause is None and not activity.offered and activity.attempt_scheduled_time > draft.now for activity in draft.activities
    )


def _next(draft: Draft) -> int:
    """The next moment at which something happens by itself; 0: there is none, or it is now."""
    run, now = draft.run, draft.now
    moments = [timer.fires_at for timer in draft.timers]
    moments += [activity.attempt_scheduled_time for activity in draft.activities]
    if not run.first_task_pending:
        moments += [run.run_expiration, run.execution_expiration]
    elif run.execution_time > run.start_time:
        moments.append(run.execution_time)
    soonest = min((moment for moment in moments if moment), default=0)
    return soonest if soonest > now else 0


def target_reached(draft: Draft) -> None:
    """The fast-forward's target has come, though the run was busy."""
    skipping = draft.run.time_skipping
    if skipping is not None and skipping.due:
        _write(draft, 0, ends=True)


def _write(draft: Draft, target: int, *, ends: bool) -> None:
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED)
    event.worker_may_ignore = True
    attributes = event.workflow_execution_time_skipping_transitioned_event_attributes
    attributes.disabled_after_fast_forward = ends
    set_time(attributes.wall_clock_time, draft.context.now)
    if target:
        set_time(attributes.target_time, target)
    draft.add(event)


def evolve_transitioned(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_time_skipping_transitioned_event_attributes
    before = draft.run.time_skipping
    assert before is not None
    ahead = moment(attributes.target_time) - moment(event.event_time) if attributes.HasField("target_time") else 0
    skips = before.skips + 1
    draft.run.time_skipping = msgspec.structs.replace(
        before,
        skipped=before.skipped + ahead,
        skips=skips,
        reached=before.reached or (attributes.disabled_after_fast_forward and before.target > 0),
        enabled=before.enabled and not attributes.disabled_after_fast_forward and skips < before.skips_max,
    )
    draft.now = draft.context.now + draft.run.time_skipping.skipped


# Configuration


def born(attributes: WorkflowExecutionStartedEventAttributes, start_time: int) -> TimeSkipping | None:
    """What the first event says: the client's wish, and what an earlier run or the parent has skipped."""
    inherited = attributes.time_skipping_state_propagation
    if not attributes.HasField("time_skipping_config") and not inherited.HasField("initial_skipped_duration"):
        return None
    skipping = TimeSkipping(skipped=nanoseconds(inherited.initial_skipped_duration), skips=inherited.initial_skip_count)
    if not attributes.HasField("time_skipping_config"):
        return skipping
    target = moment(inherited.fast_forward_target_time) if inherited.HasField("fast_forward_target_time") else 0
    return _configured(skipping, attributes.time_skipping_config, start_time, target)


def evolve_configured(draft: Draft, config: TimeSkippingConfig | None, when: int) -> None:
    """Take another configuration; None: skip no more. What has been skipped stays skipped."""
    before = draft.run.time_skipping
    if before is None and config is None:
        return
    fresh = TimeSkipping(skipped=before.skipped if before is not None else 0)
    draft.run.time_skipping = fresh if config is None else _configured(fresh, config, when, 0)


def _configured(skipping: TimeSkipping, config: TimeSkippingConfig, now: int, target: int) -> TimeSkipping:
    if config.HasField("fast_forward_config"):
        target = target or now + nanoseconds(config.fast_forward_config.duration)
    else:
        target = 0
    reached = 0 < target <= now
    return msgspec.structs.replace(
        skipping,
        config=config.SerializeToString(),
        enabled=config.enabled and not reached,
        skips_max=config.max_session_skip_count,
        target=target,
        reached=reached,
    )


def config_of(skipping: TimeSkipping | None) -> TimeSkippingConfig | None:
    """The configuration as it is now."""
    if skipping is None or not skipping.skips_max:
        return None
    config = TimeSkippingConfig.FromString(skipping.config)
    config.enabled = skipping.enabled
    return config


# Those that come after


def hand_on(run: Run, following: WorkflowExecutionStartedEventAttributes) -> None:
    """The next run of a chain goes on where this one is."""
    following.ClearField("time_skipping_config")
    following.ClearField("time_skipping_state_propagation")
    skipping = run.time_skipping
    if skipping is None:
        return
    config = config_of(skipping)
    if config is not None:
        following.time_skipping_config.CopyFrom(config)
    if not (skipping.skips or skipping.target):
        return
    inherited = following.time_skipping_state_propagation
    inherited.initial_skip_count = skipping.skips
    if skipping.skipped:
        set_duration(inherited.initial_skipped_duration, skipping.skipped)
    if skipping.target:
        inherited.fast_forward_target_time.CopyFrom(timestamp(skipping.target))


def hand_to_child(run: Run, initiated: StartChildWorkflowExecutionInitiatedEventAttributes) -> None:
    """A child lives in its parent's time, and skips too unless that is not wanted."""
    skipping = run.time_skipping
    if skipping is None:
        return
    if skipping.skipped:
        set_duration(initiated.time_skipping_state_propagation.initial_skipped_duration, skipping.skipped)
    config = config_of(skipping)
    if config is not None and not config.disable_propagation:
        config.ClearField("fast_forward_config")
        initiated.time_skipping_config.CopyFrom(config)
