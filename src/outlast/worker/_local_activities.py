"""Runs local activities, attempt by attempt, for the runs that ask for them. What becomes of an attempt, the run decides."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import timedelta

import msgspec
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueResponse, PollWorkflowTaskQueueResponse

from outlast.activity import ActivityCancellationDetails
from outlast.replay.protocol import LocalActivity, LocalActivityOutcome, Step
from outlast.worker import _activity_outcome as outcomes
from outlast.worker._activity_runner import ActivityRunner
from outlast.worker._activity_worker import run_attempt
from outlast.worker._attempt import Attempt
from outlast.worker._cache import CachedRun
from outlast.worker._metrics import WorkerMetrics
from outlast.worker._slots import ActivitySlot, Slots


class LocalActivities:
    """The local activities of one worker."""

    def __init__(
        self, runner: ActivityRunner | None, slots: Slots, now: Callable[[], float] = time.time, metrics: WorkerMetrics | None = None
    ) -> None:
        """Without a runner there are no activities on this worker, and none is ever asked for."""
        self._runner = runner
        self._slots = slots
        self._now = now
        self._metrics = metrics
        self._attempts: dict[asyncio.Task[None], Attempt] = {}

    def follow(self, cached: CachedRun, task: PollWorkflowTaskQueueResponse, step: Step) -> None:
        """Start and cancel what a step of the run says."""
        for local in step.local_activities:
            assert self._runner is not None
            attempt = Attempt(_activity_task(self._runner.server.namespace, task, local), is_local=True)
            work = asyncio.get_running_loop().create_task(self._work(cached, attempt, local))
            attempt.work = work
            cached.local_activities[local.seq] = work
            self._attempts[work] = attempt
            work.add_done_callback(self._attempts.pop)
        for seq in step.cancel_local_activities:
            if (running := cached.local_activities.get(seq)) is not None:
                self._attempts[running].cancel(ActivityCancellationDetails(cancel_requested=True))

    def cancel_all(self) -> None:
        """Tell all of them that the worker shuts down."""
        for attempt in list(self._attempts.values()):
            attempt.cancel(ActivityCancellationDetails(worker_shutdown=True))

    async def _work(self, cached: CachedRun, attempt: Attempt, local: LocalActivity) -> None:
        try:
            outcome = await self._outcome(cached, attempt, local)
        except asyncio.CancelledError:
            if not attempt.is_cancelled:
                raise  # the run was forgotten
            outcome = LocalActivityOutcome(local.seq, cancelled=True)
        _deliver(cached, attempt, outcome)

    async def _outcome(self, cached: CachedRun, attempt: Attempt, local: LocalActivity) -> LocalActivityOutcome:
        attempt.started = True  # so that a cancellation interrupts the waits, too
        close_at = local.scheduled_at + _seconds(local.schedule_to_close_timeout)
        start_at = local.scheduled_at + _seconds(local.start_after, 0) + _seconds(local.schedule_to_start_timeout)
        try:
            async with asyncio.timeout(self._until(min(close_at, start_at))):
                if local.start_after:
                    await asyncio.sleep(local.start_after.total_seconds())
                permit = await self._slots.reserve()
        except TimeoutError:
            kind = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE if close_at <= start_at else TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
            return LocalActivityOutcome(local.seq, timed_out=kind)
        permit.use(ActivitySlot(local.activity_type))
        began = time.monotonic()
        timer = self._limit(cached, attempt, local, close_at)
        try:
            attempt.task.started_time.FromNanoseconds(int(self._now() * 1e9))
            assert self._runner is not None
            outcome = await run_attempt(self._runner, attempt, self._runner.converter_for(attempt.task, is_local=True))
        finally:
            permit.release()
            if timer is not None:
                timer.cancel()
        runtime = timedelta(seconds=time.monotonic() - began)
        ended = msgspec.structs.replace(_outcome(local.seq, outcome, attempt), runtime=runtime)
        if self._metrics is not None:
            self._metrics.local_activity_ended(attempt.task, runtime, failure=ended.failure, cancelled=ended.cancelled)
        return ended

    def _limit(self, cached: CachedRun, attempt: Attempt, local: LocalActivity, close_at: float) -> asyncio.TimerHandle | None:
        """Have the run told when the attempt takes too long. Its code is told, too; nobody waits for what it does then."""
        close_s = close_at - self._now()
        start_s = _seconds(local.start_to_close_timeout)
        if min(close_s, start_s) == math.inf:
            return None
        kind = TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE if close_s < start_s else TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE

        def elapsed() -> None:
            limit = timedelta(seconds=max(min(close_s, start_s), 0))
            _deliver(cached, attempt, LocalActivityOutcome(local.seq, timed_out=kind, runtime=limit))
            attempt.cancel(ActivityCancellationDetails(timed_out=True))

        return asyncio.get_running_loop().call_later(max(min(close_s, start_s), 0), elapsed)

    def _until(self, at: float) -> float | None:
        return None if at == math.inf else at - self._now()


def _deliver(cached: CachedRun, attempt: Attempt, outcome: LocalActivityOutcome) -> None:
    """Hand an outcome to the run, if it waits for this attempt's."""
    if cached.local_activities.get(outcome.seq) is attempt.work:
        cached.deliver(outcome)


def _outcome(seq: int, outcome: outcomes.Outcome, attempt: Attempt) -> LocalActivityOutcome:
    match outcome:
        case outcomes.Completed(result):
            return LocalActivityOutcome(seq, result=Payloads(payloads=[result]))
        case outcomes.Canceled():
            details = attempt.details.details
            if details is not None and details.worker_shutdown:
                return LocalActivityOutcome(seq, failure=outcomes.worker_shutdown())
            return LocalActivityOutcome(seq, cancelled=True)
        case outcomes.Failed(failure):
            return LocalActivityOutcome(seq, failure=failure)
        case outcomes.CompletesLater():
            failure = Failure(message="A local activity cannot complete asynchronously")
            failure.application_failure_info.non_retryable = True
            return LocalActivityOutcome(seq, failure=failure)


def _activity_task(namespace: str, task: PollWorkflowTaskQueueResponse, local: LocalActivity) -> PollActivityTaskQueueResponse:
    """A local activity as the task that a remote one would be."""
    made = PollActivityTaskQueueResponse(
        task_token=f"{task.workflow_execution.run_id}/{local.seq}".encode(),
        workflow_namespace=namespace,
        workflow_type=task.workflow_type,
        workflow_execution=task.workflow_execution,
        activity_id=local.activity_id,
        attempt=local.attempt,
    )
    made.activity_type.name = local.activity_type
    made.input.payloads.extend(local.input)
    for name, payload in local.headers.items():
        made.header.fields[name].CopyFrom(payload)
    made.scheduled_time.FromNanoseconds(int(local.scheduled_at * 1e9))
    made.current_attempt_scheduled_time.FromNanoseconds(int((local.scheduled_at + local.start_after.total_seconds()) * 1e9))
    if local.schedule_to_close_timeout is not None:
        made.schedule_to_close_timeout.FromTimedelta(local.schedule_to_close_timeout)
    start_to_close = local.start_to_close_timeout or local.schedule_to_close_timeout
    if start_to_close is not None:
        made.start_to_close_timeout.FromTimedelta(start_to_close)
    if local.retry_policy is not None:
        local.retry_policy.apply_to_proto(made.retry_policy)
    return made


def _seconds(duration: timedelta | None, default: float = math.inf) -> float:
    return default if duration is None else duration.total_seconds()
