"""The workflow task: how the server asks a worker what to do next (workflow-core.md, section 2).

At most one is pending for each run. The first attempt is written to history at once; a further attempt is
*transient*: its scheduled and started events get ids on the wire, but are written only when it completes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import (
    EventType,
    SuggestContinueAsNewReason,
    TaskQueueKind,
    TimeoutType,
    WorkflowTaskFailedCause,
)
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent, WorkflowTaskCompletedEventAttributes
from temporalio.api.workflow.v1 import ResetPointInfo, ResetPoints

from outlast.engine import limits
from outlast.engine.machines import task_problems
from outlast.engine.refusals import WORKFLOW_TASK_NOT_FOUND, NotFound
from outlast.engine.search_attributes import keyword_list
from outlast.engine.state import Run, WorkflowTask
from outlast.engine.transition import OfferWorkflowTask
from outlast.engine.triggers import StartWorkflowTask, WorkflowTaskToken
from outlast.engine.wire import moment, nanoseconds, set_duration, set_time
from outlast.engine.work import offer_workflow_task

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

SERVER_IDENTITY = "history-service"
RETURNED_REQUEST_ID = "request-from-RespondWorkflowTaskCompleted"
"""Of a task that is started with the answer to the last one's completion."""
FORCE_CLOSE = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND


def schedule(draft: Draft, original_scheduled_time: int = 0) -> None:
    """Ask for a workflow task, unless one is pending or the run has closed."""
    run = draft.run
    if run.workflow_task is not None or not run.open or run.paused is not None:
        return
    if draft.tasks_wait:
        draft.task_wanted = True
        return
    draft.changed = True
    if run.workflow_task_attempt == 1:
        draft.add(_scheduled_event(draft, 1, draft.now, run.task_timeout))
    else:
        run.workflow_task = _task(run, run.next_event_id, run.workflow_task_attempt, draft.now)
        run.workflow_task.timeout = _timeout(draft, run.workflow_task_attempt)
    task = run.workflow_task
    assert task is not None
    run.first_task_pending = False
    if original_scheduled_time:
        task.original_scheduled_time = original_scheduled_time
    draft.effects.append(offer_workflow_task(run, task))


def _task(run: Run, scheduled_event_id: int, attempt: int, scheduled_time: int) -> WorkflowTask:
    return WorkflowTask(
        scheduled_event_id=scheduled_event_id,
        attempt=attempt,
        scheduled_time=scheduled_time,
        original_scheduled_time=scheduled_time,
        timeout=run.task_timeout,
        sticky_queue=run.sticky_queue,
        schedule_to_start_timeout=run.sticky_timeout if run.sticky_queue else 0,
    )


def _timeout(draft: Draft, attempt: int) -> int:
    """Start-to-close; it grows from the fourth attempt on, so that a slow worker gets through at last.

    The growth is drawn from the upper fifth of its range, so that many runs do not come back at the same time.
    """
    beyond = attempt - limits.WORKFLOW_TASK_BACKOFF_FROM_ATTEMPT
    if beyond < 0:
        return draft.run.task_timeout
    growth = min(limits.WORKFLOW_TASK_BACKOFF_FIRST << min(beyond, 10), limits.WORKFLOW_TASK_BACKOFF_MAX)
    drawn = int(draft.context.fresh_id[-6:], 16) / 0x1000000
    return draft.run.task_timeout + int(growth * (0.8 + 0.2 * drawn))


def _scheduled_event(draft: Draft, attempt: int, when: int, timeout: int) -> HistoryEvent:
    run = draft.run
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
    set_time(event.event_time, when)
    attributes = event.workflow_task_scheduled_event_attributes
    attributes.attempt = attempt
    if run.sticky_queue:
        attributes.task_queue.name = run.sticky_queue
        attributes.task_queue.kind = TaskQueueKind.TASK_QUEUE_KIND_STICKY
        attributes.task_queue.normal_name = run.task_queue
    else:
        attributes.task_queue.name = run.task_queue
        attributes.task_queue.kind = TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    set_duration(attributes.start_to_close_timeout, timeout)
    return event


def evolve_scheduled(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.workflow_task_scheduled_event_attributes
    task = _task(draft.run, event.event_id, attributes.attempt, moment(event.event_time))
    task.timeout = nanoseconds(attributes.start_to_close_timeout)
    draft.run.workflow_task = task
    draft.run.workflow_task_attempt = attributes.attempt
    draft.run.first_task_pending = False


def start(draft: Draft, poll: StartWorkflowTask) -> None:
    """Give the workflow task to a poller, once."""
    run = draft.run
    task = run.workflow_task
    if not run.open or task is None or (task.scheduled_event_id, task.attempt) != (poll.scheduled_event_id, poll.attempt):
        raise NotFound(WORKFLOW_TASK_NOT_FOUND)
    if task.started:
        if task.request_id != poll.request_id:
            raise NotFound(WORKFLOW_TASK_NOT_FOUND)
        return
    if not poll.sticky:
        clear_stickiness(run)
    draft.durable = False
    if task.virtual and run.next_event_id != task.scheduled_event_id:
        # Something was written since it was scheduled, so its virtual id is taken: it becomes a first attempt.
        draft.durable = True
        run.workflow_task = None
        run.workflow_task_attempt = 1
        draft.add(_scheduled_event(draft, 1, draft.now, run.task_timeout))
        task = run.workflow_task
        assert task is not None
    begin(draft, task, poll.request_id, poll.identity, poll.worker_version)


def begin(draft: Draft, task: WorkflowTask, request_id: str, identity: str, worker_version: bytes = b"") -> None:
    """Mark the task as started: by an event, or, for a transient task, by its virtual id."""
    run = draft.run
    draft.changed = True
    task.request_id = request_id
    task.identity = identity
    task.worker_version = worker_version
    task.history_size_bytes = run.history_size_bytes
    task.suggestions = _suggestions(draft)
    if task.virtual:
        task.started_event_id = task.scheduled_event_id + 1
        task.started_time = draft.now
    else:
        draft.add(_started_event(draft, task, draft.now))


def started_together(draft: Draft, request_id: str, identity: str, worker_version: bytes = b"") -> None:
    """Start the task that this very draft scheduled, for the worker that is on the line."""
    task = draft.run.workflow_task
    assert task is not None
    draft.effects = [effect for effect in draft.effects if not isinstance(effect, OfferWorkflowTask)]
    begin(draft, task, request_id, identity, worker_version)
    draft.new_workflow_task = True


def _suggestions(draft: Draft) -> tuple[int, ...]:
    """Why the run had better continue as new. The reference server counts one event more than there are."""
    reasons: list[int] = []
    if draft.run.history_size_bytes >= limits.SUGGEST_CONTINUE_AS_NEW_BYTES:
        reasons.append(SuggestContinueAsNewReason.SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE)
    if draft.run.next_event_id >= draft.context.namespace.events_suggested:
        reasons.append(SuggestContinueAsNewReason.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS)
    if len(draft.updates) >= limits.SUGGEST_CONTINUE_AS_NEW_UPDATES:
        reasons.append(SuggestContinueAsNewReason.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES)
    return tuple(reasons)


def _started_event(draft: Draft, task: WorkflowTask, when: int) -> HistoryEvent:
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)
    set_time(event.event_time, when)
    attributes = event.workflow_task_started_event_attributes
    attributes.scheduled_event_id = task.scheduled_event_id
    attributes.identity = task.identity
    attributes.request_id = task.request_id
    attributes.history_size_bytes = task.history_size_bytes
    if task.worker_version:
        attributes.worker_version.ParseFromString(task.worker_version)
    if task.suggestions:
        attributes.suggest_continue_as_new = True
        attributes.suggest_continue_as_new_reasons.extend(task.suggestions)  # type: ignore[arg-type]
    return event


def evolve_started(draft: Draft, event: HistoryEvent) -> None:
    task = draft.run.workflow_task
    if task is None:
        return
    attributes = event.workflow_task_started_event_attributes
    task.started_event_id = event.event_id
    task.started_time = moment(event.event_time)
    task.identity = attributes.identity
    task.request_id = attributes.request_id
    task.worker_version = attributes.worker_version.SerializeToString()
    task.history_size_bytes = attributes.history_size_bytes
    task.suggestions = tuple(attributes.suggest_continue_as_new_reasons)


def virtual_events(draft: Draft, task: WorkflowTask, identity: str) -> list[HistoryEvent]:
    """The scheduled and (if started) started events of a transient task, as a worker sees them, numbered but not written.

    They do not say the worker's version, which it knows."""
    scheduled = _scheduled_event(draft, task.attempt, task.scheduled_time, task.timeout)
    scheduled.event_id = task.scheduled_event_id
    if not task.started:
        return [scheduled]
    started = _started_event(draft, task, task.started_time)
    started.workflow_task_started_event_attributes.identity = identity
    started.workflow_task_started_event_attributes.ClearField("worker_version")
    started.event_id = task.started_event_id
    return [scheduled, started]


def check_token(run: Run, token: WorkflowTaskToken) -> WorkflowTask:
    """The started task that the token was made for; NotFound when it is another or none."""
    task = run.workflow_task
    if (
        task is None
        or not task.started
        or not run.open
        or task.scheduled_event_id != token.scheduled_event_id
        or task.started_event_id != token.started_event_id
        or task.started_time != token.started_time
        or task.attempt != token.attempt
    ):
        raise NotFound(WORKFLOW_TASK_NOT_FOUND)
    return task


def write_virtual(draft: Draft) -> WorkflowTask:
    """Put a virtual task's events into history, now that it completes."""
    task = draft.run.workflow_task
    assert task is not None
    if task.speculative:
        make_real(draft, task, task.identity)
    elif task.virtual:
        draft.add(_scheduled_event(draft, task.attempt, task.scheduled_time, task.timeout))
        draft.add(_started_event(draft, task, task.started_time))
    return task


def schedule_speculative(draft: Draft) -> None:
    """Ask for a workflow task that is in history only if something comes of it."""
    run = draft.run
    if run.workflow_task is not None or not run.open:
        return
    if run.workflow_task_attempt > 1:
        schedule(draft)
        return
    draft.changed = True
    task = run.workflow_task = _task(run, run.next_event_id, 1, draft.now)
    task.speculative = True
    task.schedule_to_start_timeout = task.schedule_to_start_timeout or limits.SPECULATIVE_SCHEDULE_TO_START
    draft.effects.append(offer_workflow_task(run, task))


def make_real(draft: Draft, task: WorkflowTask, identity: str) -> None:
    """Something else happens: a speculative task becomes one like any other."""
    task.speculative = False
    started_event_id, started_time, request_id = task.started_event_id, task.started_time, task.request_id
    task.started_event_id = 0
    scheduled_time, sticky = task.scheduled_time, (task.sticky_queue, task.schedule_to_start_timeout)
    draft.add(_scheduled_event(draft, 1, scheduled_time, task.timeout))
    real = draft.run.workflow_task
    assert real is not None
    real.sticky_queue, real.schedule_to_start_timeout = sticky
    if started_event_id:
        real.identity, real.request_id = identity, request_id
        real.worker_version = task.worker_version
        real.history_size_bytes = task.history_size_bytes
        real.suggestions = task.suggestions
        draft.add(_started_event(draft, real, started_time))


def evolve_completed(draft: Draft, event: HistoryEvent) -> None:
    run = draft.run
    run.workflow_task = None
    run.workflow_task_attempt = 1
    run.last_started_event_id = event.workflow_task_completed_event_attributes.started_event_id
    run.last_completed_event_id = event.event_id
    run.worker_version = event.workflow_task_completed_event_attributes.worker_version.SerializeToString()
    run.close_attempted = False
    if run.task_problem is not None:
        task_problems.forget(draft)
    _add_reset_point(draft, event)
    _add_build_ids(draft, event.workflow_task_completed_event_attributes)


def _add_reset_point(draft: Draft, event: HistoryEvent) -> None:
    """Remember the first task that each version of the worker's code completed, and list their checksums."""
    attributes = event.workflow_task_completed_event_attributes
    run = draft.run
    version = attributes.binary_checksum, attributes.worker_version.build_id
    if version in run.seen_versions:
        return
    points = ResetPoints.FromString(run.reset_points)
    if version not in _versions(points):
        point = ResetPointInfo(
            binary_checksum=version[0],
            build_id=version[1],
            run_id=run.run_id,
            first_workflow_task_completed_id=event.event_id,
            resettable=not draft.children,
            create_time=event.event_time,
        )
        points.points.append(point)
        del points.points[: -limits.RESET_POINTS_MAX]
        run.reset_points = points.SerializeToString()
        if attributes.binary_checksum:
            checksums = dict.fromkeys(point.binary_checksum for point in points.points if point.binary_checksum)
            _put_keywords(draft, "BinaryChecksums", checksums)
    run.seen_versions = _versions(points)


def _versions(points: ResetPoints) -> tuple[tuple[str, str], ...]:
    return tuple((point.binary_checksum, point.build_id) for point in points.points)


def _add_build_ids(draft: Draft, completed: WorkflowTaskCompletedEventAttributes) -> None:
    """The search attribute BuildIds: every version of the worker's code that the run has seen."""
    version = completed.worker_version
    seen = [*draft.run.assigned_build_ids]
    if not version.use_versioning:
        seen.append("unversioned")
    if version.build_id:
        seen.append(("versioned:" if version.use_versioning else "unversioned:") + version.build_id)
    build_ids = tuple(dict.fromkeys(seen))
    if build_ids == draft.run.assigned_build_ids:
        return
    draft.run.assigned_build_ids = build_ids
    _put_keywords(draft, "BuildIds", build_ids)


def _put_keywords(draft: Draft, name: str, keywords: Iterable[str]) -> None:
    draft.search_attributes.put(name, keyword_list(keywords))
    draft.visible = True


def evolve_ended(draft: Draft, event: HistoryEvent) -> None:
    """Failed or timed out."""
    draft.run.workflow_task = None


def clear_stickiness(run: Run) -> None:
    run.sticky_queue = ""
    run.sticky_timeout = 0


def fail(
    draft: Draft,
    cause: WorkflowTaskFailedCause.ValueType,
    failure: Failure | None,
    identity: str,
    binary_checksum: str = "",
) -> None:
    """End the started task as failed, write what waited for it, and ask for another."""
    end_failed(draft, cause, failure, identity, binary_checksum)
    schedule(draft)


def end_failed(
    draft: Draft,
    cause: WorkflowTaskFailedCause.ValueType,
    failure: Failure | None,
    identity: str,
    binary_checksum: str = "",
) -> None:
    """End the started task as failed and write what waited for it."""
    task = draft.run.workflow_task
    assert task is not None
    if task.speculative:
        make_real(draft, task, task.identity)
        task = draft.run.workflow_task
        assert task is not None
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    attributes = event.workflow_task_failed_event_attributes
    attributes.scheduled_event_id = task.scheduled_event_id
    attributes.started_event_id = task.started_event_id
    attributes.cause = cause
    attributes.identity = identity
    attributes.binary_checksum = binary_checksum
    if failure is not None:
        attributes.failure.CopyFrom(failure)
    _end(draft, event)


def take_back(draft: Draft, cause: WorkflowTaskFailedCause.ValueType) -> None:
    """End a task that nobody has started; no other follows."""
    task = draft.run.workflow_task
    assert task is not None and not task.started
    if task.attempt == 1 and not task.speculative:
        event = draft.event(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        attributes = event.workflow_task_failed_event_attributes
        attributes.scheduled_event_id = task.scheduled_event_id
        attributes.cause = cause
        attributes.identity = SERVER_IDENTITY
        draft.add(event)
    draft.run.workflow_task = None
    draft.changed = True


def time_out(draft: Draft) -> None:
    """The task was not started (sticky) or not completed in time."""
    task = draft.run.workflow_task
    assert task is not None
    event = draft.event(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
    attributes = event.workflow_task_timed_out_event_attributes
    attributes.scheduled_event_id = task.scheduled_event_id
    attributes.started_event_id = task.started_event_id
    if task.started:
        attributes.timeout_type = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
        _end(draft, event)
    else:
        attributes.timeout_type = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
        clear_stickiness(draft.run)
        draft.add(event)
        draft.run.workflow_task_attempt = 1
    schedule(draft)


def _end(draft: Draft, event: HistoryEvent) -> None:
    run = draft.run
    task = run.workflow_task
    assert task is not None
    was_sticky = bool(run.sticky_queue)
    if task.attempt == 1:
        draft.add(event)
    run.workflow_task = None
    draft.changed = True
    clear_stickiness(run)
    flushed = draft.flush_buffer()
    run.workflow_task_attempt = 1 if flushed or was_sticky else task.attempt + 1
    task_problems.note(draft, event, written=task.attempt == 1, counts=not was_sticky)


def force_fail(draft: Draft) -> None:
    """The run closes, or its buffer overflows, while a workflow task is started."""
    task = draft.run.workflow_task
    if task is None:
        return
    if task.started:
        event = draft.event(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        attributes = event.workflow_task_failed_event_attributes
        attributes.scheduled_event_id = task.scheduled_event_id
        attributes.started_event_id = task.started_event_id
        attributes.cause = FORCE_CLOSE
        attributes.identity = SERVER_IDENTITY
        if task.attempt == 1:
            draft.add(event)
    draft.run.workflow_task = None
    draft.flush_buffer()
