"""One run: workflow tasks in, commands out. It applies history slice by slice, as far as the code must be told of it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult

from outlast.exceptions import ApplicationError
from outlast.replay import kinds, markers
from outlast.replay.flags import Flags
from outlast.replay.history import end_of_slice, last_completed_start
from outlast.replay.info import make_info
from outlast.replay.instance import Instance
from outlast.replay.ledger import Jobs, Ledger
from outlast.replay.machines.machine import Mismatch
from outlast.replay.machines.update import Update, UpdateRequest, read_accepted, read_admitted, read_message
from outlast.replay.protocol import LocalActivityOutcome, RunSettings, Step, WorkflowTask
from outlast.replay.reconcile import answer, difference
from outlast.replay.versions import deployment_of, own_version
from outlast.replay.wire import to_ns
from outlast.workflow import NondeterminismError

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

_logger = logging.getLogger("outlast.workflow")
_UNHANDLED_FAILURE = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
_NON_DETERMINISTIC = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
_RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
_LONE_QUERY = ""


class HistoryError(RuntimeError):
    """The history is not one that a server writes."""


class WorkflowRun:
    """A run of a workflow in the memory of a worker. See `outlast.replay.protocol.Run`."""

    def __init__(self, settings: RunSettings, run_id: str) -> None:
        self.run_id = run_id
        self._settings = settings
        self._flags = Flags(settings.sdk_version, settings.python_flags)
        self._ledger = Ledger(self._flags, settings.namespace, settings.task_queue, run_id)
        self._local = self._ledger.local_activities
        self._instance: Instance | None = None
        self._task: WorkflowTask | None = None
        self._events: Sequence[HistoryEvent] = ()
        self._next = 0
        """Index of the first event of the slice to come."""
        self._end = 0
        """Index after that slice."""
        self._messages: deque[UpdateRequest] = deque()
        self._applied_id = 0
        """The last event that was applied."""
        self._started_id = 0
        """The start of the last task that was applied."""
        self._previous_id = 0
        """The start of the last task that some worker completed: what was before it is replayed."""
        self._over = False
        """Whether history has the end of the run."""
        self._query_results: dict[str, WorkflowQueryResult] = {}
        self._version = own_version(settings)

    # What a worker calls

    def activate(self, task: WorkflowTask) -> Step:
        """Apply a task."""
        self._task = task
        try:
            self._take_over(task)
            self._advance()
            return self._finish(task)
        except Exception as err:  # noqa: BLE001 - workflow code may raise anything; it is reported to the server
            return self._failed(task, err)

    def resolve_local_activity(self, outcome: LocalActivityOutcome) -> Step:
        """Go on after an attempt of a local activity ended."""
        task = self._task
        try:
            activity = self._local.by_seq.get(outcome.seq)
            if activity is not None:
                activity.attempt_ended(outcome)
            else:
                self._local.over(outcome.seq)
            if task is None:
                return self._local_work(Step(waiting=bool(self._local.under_way)))
            self._advance()
            return self._finish(task)
        except Exception as err:
            if task is None:
                raise
            return self._failed(task, err)

    def heartbeat(self) -> Step:
        """Commands for a completion that only keeps the task alive."""
        self._task = None
        return self._answer()

    def forget_task(self, started_event_id: int) -> None:
        """The server dropped the last task, and its events, since all it brought were updates that were rejected.

        `started_event_id` is the reset_history_event_id of the server's answer.
        """
        self._started_id = started_event_id
        self._applied_id -= 2

    def evict(self) -> None:
        """Tear the coroutines down."""
        if self._instance is not None:
            self._instance.evict()
            self._instance = None
            self._ledger.forget()

    # Applying history

    def _take_over(self, task: WorkflowTask) -> None:
        """Take the events of a task that have not been applied yet."""
        if task.query is not None and not task.started_event_id and task.previous_started_event_id < self._started_id:
            raise HistoryError("Query expired")
        events = task.events
        if events and events[0].event_id <= self._applied_id:
            events = events[self._applied_id + 1 - events[0].event_id :]
        self._events = events
        self._next = 0
        self._end = end_of_slice(events, 0)
        self._messages.extend(read_message(message) for message in task.messages)
        self._previous_id = last_completed_start(events) if task.replay_only else task.previous_started_event_id
        self._ledger.replaying = self._previous_id > 0

    def _learn_of_workers(self, start: int, end: int) -> None:
        """Learn the flags and versions with which tasks were completed: those in a slice, and the one that answered it."""
        for index in range(start, len(self._events)):
            event = self._events[index]
            if event.event_type == kinds.TASK_COMPLETED:
                attributes = event.workflow_task_completed_event_attributes
                self._flags.seen(attributes)
                self._ledger.deployment = deployment_of(attributes) or self._ledger.deployment
                if index >= end:
                    return

    def _advance(self) -> None:
        """Apply slices, and let the code run on each, until history and what it led to are used up."""
        while self._next < len(self._events) and not self._over:
            self._apply_slice()
            self._run_code()
        self._events, self._next, self._end = (), 0, 0
        self._ledger.replaying = False
        self._run_code()

    def _apply_slice(self) -> None:
        start, end = self._next, self._end
        events, ledger = self._events, self._ledger
        ledger.last_slice = end >= len(events)
        self._next, self._end = end, end_of_slice(events, end)
        self._learn_of_workers(start, end)
        task_start = events[end - 1] if events[end - 1].event_type == kinds.TASK_STARTED else None
        skip = False
        for index in range(start, end):
            event = events[index]
            if event.event_id != self._applied_id + 1:
                raise HistoryError(f"History has a gap: event {event.event_id} comes after {self._applied_id}")
            self._end_replay(event)
            self._hand_over_messages(event.event_id - 1)
            if skip:
                skip = False
            else:
                skip = self._apply(event, events[index + 1] if index + 1 < end else None, task_start)
            self._applied_id = event.event_id
        if ledger.last_slice:
            self._hand_over_messages(self._applied_id)
        self._look_ahead()

    def _end_replay(self, event: HistoryEvent) -> None:
        """Replay is over at the first event of the last slice that is news to every worker."""
        if (
            self._ledger.replaying
            and self._ledger.last_slice
            and event.event_id > self._previous_id
            and event.event_type != kinds.TASK_COMPLETED
            and event.event_type not in kinds.COMMAND_EVENTS
        ):
            self._ledger.replaying = False

    def _apply(self, event: HistoryEvent, following: HistoryEvent | None, task_start: HistoryEvent | None) -> bool:
        """Apply an event. True if the next one is to be skipped."""
        kind, ledger = event.event_type, self._ledger
        if kind in kinds.FINAL_EVENTS:
            self._over = True
        if kind in kinds.COMMAND_EVENTS:
            return answer(ledger, event, following)
        if kind in kinds.FOLLOWS:
            self._move_machine(event)
        elif kind == kinds.TASK_STARTED:
            self._task_started(event, task_start)
        elif kind == kinds.SIGNALED:
            ledger.jobs.add_signal(self._the_instance().handlers.signal, event)
        elif kind == kinds.WORKFLOW_STARTED:
            self._begin(event, task_start)
        elif kind == kinds.CANCEL_REQUESTED:
            cause = event.workflow_execution_cancel_requested_event_attributes.cause
            ledger.jobs.add(self._the_instance().cancel, cause)
        elif kind == kinds.TASK_FAILED:
            self._task_failed(event)
        elif kind == kinds.UPDATE_ADMITTED:
            self._admitted(event)
        elif kind not in _WITHOUT_EFFECT and not event.worker_may_ignore:
            raise HistoryError(f"Event {event.event_id} is of a kind that this worker does not know: {kinds.event_name(kind)}")
        return False

    def _move_machine(self, event: HistoryEvent) -> None:
        attributes, field = kinds.FOLLOWS[event.event_type]
        machine = self._ledger.by_event.get(getattr(getattr(event, attributes), field))
        if machine is None:
            raise difference(event, None, "what this event is about was never asked for")
        try:
            machine.moved(event)
        except Mismatch as err:
            raise difference(event, None, str(err)) from None

    def _begin(self, event: HistoryEvent, task_start: HistoryEvent | None) -> None:
        ledger, task = self._ledger, self._task
        assert task is not None
        ledger.now_ns = to_ns(event.event_time)
        started = event.workflow_execution_started_event_attributes
        definition = self._settings.definitions.get(started.workflow_type.name) or self._settings.definitions.get(None)
        if definition is None:
            known = ", ".join(sorted(name for name in self._settings.definitions if name))
            raise ApplicationError(
                f"Workflow class {started.workflow_type.name} is not registered on this worker, available workflows: {known}",
                type="NotFoundError",
            )
        now_ns = to_ns(task_start.event_time) if task_start is not None else ledger.now_ns
        info = make_info(self._settings, task, event, now_ns)
        self._instance = Instance(self._settings, definition, info, ledger, started)
        ledger.jobs.add(self._instance.start)

    def _task_started(self, event: HistoryEvent, task_start: HistoryEvent | None) -> None:
        attributes, ledger = event.workflow_task_started_event_attributes, self._ledger
        ledger.history_bytes = attributes.history_size_bytes
        ledger.continue_as_new_suggested = attributes.suggest_continue_as_new
        ledger.target_version_changed = attributes.target_worker_deployment_version_changed
        if event is not task_start:
            return
        self._started_id = event.event_id
        ledger.now_ns = max(ledger.now_ns, to_ns(event.event_time))
        if not ledger.replaying:
            self._local.replay_ended()

    def _task_failed(self, event: HistoryEvent) -> None:
        attributes = event.workflow_task_failed_event_attributes
        if attributes.cause == _RESET:
            self._ledger.jobs.add(self._the_instance().reseed, attributes.new_run_id)

    def _the_instance(self) -> Instance:
        if self._instance is None:
            raise HistoryError("History does not begin with the start of the workflow")
        return self._instance

    # Updates

    def _admitted(self, event: HistoryEvent) -> None:
        """A request that history keeps. On replay it counts if it was accepted, which is found ahead."""
        if not self._ledger.replaying:
            self._messages.append(read_admitted(event))

    def _hand_over_messages(self, event_id: int) -> None:
        while self._messages and self._messages[0].handed_over_at <= event_id:
            self._hand_over(self._messages.popleft())

    def _hand_over(self, request: UpdateRequest) -> None:
        update = Update(self._ledger, request)
        self._ledger.jobs.add_update(self._the_instance().handlers.update, update)

    # What stands after a task, and was known in it

    def _look_ahead(self) -> None:
        """Patches, results of local activities and accepted updates are written at the end of the task in which they came."""
        ledger = self._ledger
        local: list[HistoryEvent] = []
        for index in range(self._next, self._end):
            event = self._events[index]
            if event.event_type == kinds.MARKER_RECORDED:
                if (patch := markers.read_patch(event)) is not None:
                    ledger.patch_markers.setdefault(patch[0], False)
                    ledger.jobs.add_patch(patch[0])
                elif markers.is_local_activity(event):
                    self._found_local_activity(event)
            elif event.event_type == kinds.UPDATE_ACCEPTED:
                local.append(event)
        for event in local:
            self._hand_over(read_accepted(event))

    def _found_local_activity(self, event: HistoryEvent) -> None:
        mark = markers.read_local_activity(event.marker_recorded_event_attributes)
        activity = self._local.by_seq.get(mark.seq)
        if activity is None:
            self._local.found_ahead[mark.seq] = mark
        else:
            activity.found_ahead(mark)

    # Running the code

    def _run_code(self) -> None:
        """Let the code run on what has come in, and on what comes of that at once."""
        ledger = self._ledger
        while ledger.jobs and (self._task is not None):
            jobs, ledger.jobs = ledger.jobs, Jobs()
            ledger.history_length = self._applied_id
            if not ledger.replaying:
                ledger.deployment = self._version
            self._the_instance().activate(jobs, replaying=ledger.replaying)

    def _finish(self, task: WorkflowTask) -> Step:
        if task.replay_only:
            self._task = None
            return Step(closed=self._over)
        if self._local.under_way and self._ledger.terminal is None and task.query is None:
            return self._local_work(Step(waiting=True))
        self._answer_queries(task)
        step = self._local_work(Step()) if task.query is not None else self._answer()
        step.query_results = {key: value for key, value in self._query_results.items() if key != _LONE_QUERY}
        step.query_result = self._query_results.get(_LONE_QUERY)
        self._query_results = {}
        self._task = None
        return step

    def _answer(self) -> Step:
        """All that the code wants of the server."""
        ledger = self._ledger
        if self._over:
            return Step(closed=True)
        behavior = self._instance.versioning_behavior if self._instance is not None else None
        step = Step(
            commands=ledger.commands(),
            messages=ledger.outbox,
            metadata=self._flags.metadata(),
            versioning_behavior=int(behavior or 0),
            closed=ledger.terminal is not None,
        )
        ledger.outbox = []
        return self._local_work(step)

    def _local_work(self, step: Step) -> Step:
        local = self._local
        if self._ledger.terminal is not None:
            step.cancel_local_activities = sorted(local.under_way)
            local.under_way.clear()
        else:
            step.local_activities, local.to_start = local.to_start, []
            step.cancel_local_activities, local.to_cancel = local.to_cancel, []
        return step

    def _answer_queries(self, task: WorkflowTask) -> None:
        queries: dict[str, WorkflowQuery] = dict(task.queries)
        if task.query is not None:
            queries[_LONE_QUERY] = task.query
        for query_id, query in queries.items():
            instance = self._the_instance()
            instance.query(instance.handlers.query(query_id, query, self._query_results.__setitem__))

    # Failing a task

    def _failed(self, task: WorkflowTask, err: Exception) -> Step:
        self._task = None
        details: dict[str, object] = {"__temporal_error_identifier": "WorkflowTaskFailure"}
        if self._instance is not None:
            details["temporal_workflow"] = self._instance.info._logger_details()
        message = "Failed activation on workflow %s with ID %s and run ID %s"
        _logger.warning(message, task.workflow_type, task.workflow_id, task.run_id, exc_info=err, extra=details)
        failure = self._to_failure(err)
        if task.query is not None:
            result = WorkflowQueryResult(result_type=2, error_message=failure.message, failure=failure)  # type: ignore[arg-type]
            return Step(query_result=result, failure=failure)
        is_nondeterminism = type(err) is NondeterminismError
        if is_nondeterminism and issubclass(NondeterminismError, tuple(self._settings.failure_exception_types)):
            return self._fail_workflow(failure)
        return Step(failure=failure, failure_cause=_NON_DETERMINISTIC if is_nondeterminism else _UNHANDLED_FAILURE)

    def _fail_workflow(self, failure: Failure) -> Step:
        from outlast.replay.wire import make_command

        command = make_command(5, "fail_workflow_execution_command_attributes", {"failure": failure})
        return Step(commands=[command], metadata=self._flags.metadata(), closed=True)

    def _to_failure(self, err: Exception) -> Failure:
        failure = Failure()
        converter = self._settings.data_converter
        try:
            converter.failure_converter.to_failure(err, converter.payload_converter, failure)
        except Exception as inner:
            _logger.exception("Failed converting the error of a workflow task")
            failure = Failure(message=f"Failed converting activation exception: {inner}", application_failure_info={})  # type: ignore[arg-type]
        return failure


_WITHOUT_EFFECT = frozenset(
    {kinds.TASK_SCHEDULED, kinds.TASK_COMPLETED, kinds.TASK_TIMED_OUT, kinds.WORKFLOW_TIMED_OUT, kinds.WORKFLOW_TERMINATED}
)
