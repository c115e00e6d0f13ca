"""Counts and times what a worker does, under the names that all Temporal SDKs give these metrics."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import ApplicationErrorCategory, CommandType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure

from outlast.common import MetricCounter, MetricGauge, MetricHistogramTimedelta, MetricMeter
from outlast.worker._slots import SlotKind

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp
    from temporalio.api.workflowservice.v1 import PollActivityTaskQueueResponse, PollWorkflowTaskQueueResponse

    from outlast.runtime import Runtime

_NON_DETERMINISTIC = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
_BENIGN = ApplicationErrorCategory.APPLICATION_ERROR_CATEGORY_BENIGN

_WORKER_TYPES: Mapping[SlotKind, str] = {
    "workflow": "WorkflowWorker",
    "activity": "ActivityWorker",
    "local-activity": "LocalActivityWorker",
}


class WorkerMetrics:
    """The metrics of one worker. Times are those of the machine; what the server noted is compared with them."""

    def __init__(self, runtime: Runtime, namespace: str, task_queue: str) -> None:
        self._meter = runtime.metric_meter.with_additional_attributes({"namespace": namespace, "task_queue": task_queue})
        self._prefix = runtime._metric_prefix
        counter, duration = self._counter, self._duration
        self._started = counter("worker_start", "Workers that were started")
        self._workflow_ends = {
            CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: counter("workflow_completed", "Workflows that completed"),
            CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: counter("workflow_canceled", "Workflows that ended cancelled"),
            CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: counter("workflow_failed", "Workflows that failed"),
            CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: counter(
                "workflow_continue_as_new", "Workflows that continued as new"
            ),
        }
        self._workflow_latency = duration("workflow_endtoend_latency", "From a run's start to its end")
        self._workflow_polls = counter("workflow_task_queue_poll_succeed", "Polls that brought a workflow task")
        self._workflow_polls_empty = counter("workflow_task_queue_poll_empty", "Polls for workflow tasks that brought none")
        self._workflow_task_wait = duration("workflow_task_schedule_to_start_latency", "How long workflow tasks waited for a worker")
        self._workflow_task_latency = duration("workflow_task_execution_latency", "From a workflow task's arrival to its answer")
        self._replay_latency = duration(
            "workflow_task_replay_latency", "How long it took to apply the history of a run that was not cached"
        )
        self._workflow_task_failed = counter("workflow_task_execution_failed", "Workflow tasks that failed")
        self._cache_hit = counter("sticky_cache_hit", "Workflow tasks whose run was cached")
        self._cache_miss = counter("sticky_cache_miss", "Sticky workflow tasks whose run was not cached any more")
        self._cache_evictions = counter("sticky_cache_total_forced_eviction", "Runs that the cache had no room for")
        self._cache_size = self._gauge("sticky_cache_size", "Runs in the cache")
        self._pollers = self._gauge("num_pollers", "Polls under way")
        self._polling: Counter[str] = Counter()
        self._slots_used = self._gauge("worker_task_slots_used", "Slots with a task in them")
        self._slots_available = self._gauge("worker_task_slots_available", "Slots without a task; of suppliers of a fixed size")
        self._activity_received = counter("activity_task_received", "Activity tasks that came")
        self._activity_polls_empty = counter("activity_poll_no_task", "Polls for activity tasks that brought none")
        self._activity_wait = duration("activity_schedule_to_start_latency", "How long activity tasks waited for a worker")
        self._activity_latency = duration("activity_execution_latency", "From an activity task's arrival to the end of its code")
        self._activity_failed = counter("activity_execution_failed", "Attempts of activities that failed")
        self._activity_succeeded = duration("activity_succeed_endtoend_latency", "From the schedule of an activity to its success")
        self._local_total = counter("local_activity_total", "Attempts of local activities")
        self._local_latency = duration("local_activity_execution_latency", "How long attempts of local activities ran")
        self._local_failed = counter("local_activity_execution_failed", "Attempts of local activities that failed")
        self._local_cancelled = counter("local_activity_execution_cancelled", "Local activities that were cancelled")
        self._local_succeeded = duration("local_activity_succeed_endtoend_latency", "From the schedule of a local activity to its success")

    @classmethod
    def of(cls, runtime: Runtime, namespace: str, task_queue: str) -> WorkerMetrics | None:
        """Metrics that this runtime takes; None if it takes none."""
        return None if runtime.metric_meter is MetricMeter.noop else cls(runtime, namespace, task_queue)

    def _counter(self, name: str, description: str) -> MetricCounter:
        return self._meter.create_counter(self._prefix + name, description)

    def _duration(self, name: str, description: str) -> MetricHistogramTimedelta:
        return self._meter.create_histogram_timedelta(self._prefix + name, description, "duration")

    def _gauge(self, name: str, description: str) -> MetricGauge:
        return self._meter.create_gauge(self._prefix + name, description)

    def started(self) -> None:
        """The worker begins."""
        self._started.add(1)

    @contextmanager
    def polling(self, poller_type: str) -> Iterator[None]:
        """In this block, a poll is under way."""
        attributes = {"poller_type": poller_type}
        self._polling[poller_type] += 1
        self._pollers.set(self._polling[poller_type], attributes)
        try:
            yield
        finally:
            self._polling[poller_type] -= 1
            self._pollers.set(self._polling[poller_type], attributes)

    def slots(self, kind: SlotKind, used: int, size: int | None) -> None:
        """So many slots are used; `size` is how many there are, where that is fixed."""
        attributes = {"worker_type": _WORKER_TYPES[kind]}
        self._slots_used.set(used, attributes)
        if size is not None:
            self._slots_available.set(size - used, attributes)

    # Workflows

    def workflow_polled(self, task: PollWorkflowTaskQueueResponse) -> None:
        """A poll came back."""
        if not task.task_token:
            self._workflow_polls_empty.add(1)
            return
        self._workflow_polls.add(1)
        if task.HasField("started_time") and task.HasField("scheduled_time"):
            self._workflow_task_wait.record(_between(task.scheduled_time, task.started_time), _of_workflow(task))

    def looked_up(self, *, found: bool, sticky: bool) -> None:
        """The run of a task was looked for in the cache."""
        if found:
            self._cache_hit.add(1)
        elif sticky:
            self._cache_miss.add(1)

    def cached(self, size: int) -> None:
        """So many runs are cached now."""
        self._cache_size.set(size)

    def evicted(self) -> None:
        """A run was dropped since the cache is full."""
        self._cache_evictions.add(1)

    def workflow_task_answered(self, task: PollWorkflowTaskQueueResponse, seconds: float) -> None:
        """A workflow task was completed or failed, so long after it came."""
        self._workflow_task_latency.record(timedelta(seconds=seconds), _of_workflow(task))

    def replayed(self, task: PollWorkflowTaskQueueResponse, seconds: float) -> None:
        """A history was applied to a run that was not cached."""
        self._replay_latency.record(timedelta(seconds=seconds), _of_workflow(task))

    def workflow_task_failed(self, task: PollWorkflowTaskQueueResponse, cause: int) -> None:
        reason = "NonDeterminismError" if cause == _NON_DETERMINISTIC else "WorkflowError"
        self._workflow_task_failed.add(1, {**_of_workflow(task), "failure_reason": reason})

    def workflow_ended(self, task: PollWorkflowTaskQueueResponse, commands: Sequence[Command], started_at: float) -> None:
        """A run ended by the last of these commands."""
        end = commands[-1] if commands else None
        counter = self._workflow_ends.get(end.command_type) if end is not None else None
        if end is None or counter is None:
            return
        attributes = _of_workflow(task)
        if not _benign(end.fail_workflow_execution_command_attributes.failure):
            counter.add(1, attributes)
        self._workflow_latency.record(_since(started_at), attributes)

    # Activities

    def activity_polled(self, task: PollActivityTaskQueueResponse) -> None:
        """A poll came back."""
        if not task.task_token:
            self._activity_polls_empty.add(1)

    def activity_received(self, task: PollActivityTaskQueueResponse, *, eager: bool) -> None:
        attributes = _of_activity(task)
        self._activity_received.add(1, {**attributes, "eager": eager})
        self._activity_wait.record(_between(task.current_attempt_scheduled_time, task.started_time), attributes)

    def activity_ended(self, task: PollActivityTaskQueueResponse, seconds: float, *, failure: Failure | None, succeeded: bool) -> None:
        """The code of an attempt ended, after so long."""
        attributes = _of_activity(task)
        self._activity_latency.record(timedelta(seconds=seconds), attributes)
        if succeeded:
            self._activity_succeeded.record(_since(task.scheduled_time.ToNanoseconds() / 1e9), attributes)
        elif failure is not None and not _benign(failure):
            self._activity_failed.add(1, attributes)

    def local_activity_ended(
        self, task: PollActivityTaskQueueResponse, runtime: timedelta, *, failure: Failure | None, cancelled: bool
    ) -> None:
        """An attempt of a local activity ended, after so long."""
        attributes = _of_activity(task)
        self._local_total.add(1, attributes)
        self._local_latency.record(runtime, attributes)
        if cancelled:
            self._local_cancelled.add(1, attributes)
        elif failure is None:
            self._local_succeeded.record(_since(task.scheduled_time.ToNanoseconds() / 1e9), attributes)
        elif not _benign(failure):
            self._local_failed.add(1, attributes)


def _of_workflow(task: PollWorkflowTaskQueueResponse) -> dict[str, str]:
    return {"workflow_type": task.workflow_type.name}


def _of_activity(task: PollActivityTaskQueueResponse) -> dict[str, str]:
    return {"activity_type": task.activity_type.name, "workflow_type": task.workflow_type.name}


def _benign(failure: Failure) -> bool:
    return failure.application_failure_info.category == _BENIGN


def _since(at: float) -> timedelta:
    return timedelta(seconds=max(time.time() - at, 0.0))


def _between(first: Timestamp, second: Timestamp) -> timedelta:
    return timedelta(microseconds=max((second.ToNanoseconds() - first.ToNanoseconds()) // 1000, 0))
