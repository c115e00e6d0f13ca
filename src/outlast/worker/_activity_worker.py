"""Works on activity tasks: polls for them or gets them from workflow tasks, runs them, and reports how they ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
)

from outlast import activity
from outlast.activity import ActivityCancellationDetails
from outlast.service import RPCError, RPCStatusCode
from outlast.worker import _activity_outcome as outcomes
from outlast.worker._activity_runner import ActivityRunner
from outlast.worker._attempt import Attempt
from outlast.worker._heartbeats import Heartbeats, throttle_interval_s
from outlast.worker._metrics import WorkerMetrics
from outlast.worker._poller import Pace, Poller, PollerBehavior
from outlast.worker._slots import ActivitySlot, Permit, Slots
from outlast.worker._wire import Server, Wire

if TYPE_CHECKING:
    from temporalio.api.common.v1 import Payload

    from outlast.converter import DataConverter

logger = logging.getLogger("outlast.worker")

LOCAL_TIMEOUT_MARGIN_S = 5.0
"""An attempt that the server must have given up on is cancelled this much later, even if it never heartbeats."""


class ActivityPolls(msgspec.Struct, frozen=True):
    """How a worker polls for activity tasks, and sends heartbeats."""

    behavior: PollerBehavior
    per_second: float | None = None
    polled: bool = True
    """Otherwise it only runs what comes with its own workflow tasks."""
    eager: bool = True
    heartbeat_default_s: float = 30.0
    heartbeat_max_s: float = 60.0


class ActivityWorker:
    """The activity side of a worker."""

    def __init__(
        self, server: Server, wire: Wire, runner: ActivityRunner, slots: Slots, polls: ActivityPolls, metrics: WorkerMetrics | None = None
    ) -> None:
        self._server = server
        self._wire = wire
        self._runner = runner
        self._slots = slots
        self._polls = polls
        self._metrics = metrics
        self._attempts: dict[bytes, Attempt] = {}
        """By task token."""
        self._stopping = False
        self._cancelling = False
        self._broken: asyncio.Future[None] | None = None
        pace = Pace(polls.per_second) if polls.per_second else None
        self._poller = Poller("activity tasks", polls.behavior, slots, self._poll, self._accept, pace=pace)

    async def run(self) -> None:
        """Poll until `stop_polling`. Raises what no repetition of a poll can help, and when the executor breaks."""
        self._broken = asyncio.get_running_loop().create_future()
        poller = asyncio.create_task(self._poller.run()) if self._polls.polled else None
        waits: list[asyncio.Future[None]] = [self._broken] if poller is None else [self._broken, poller]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                if each.done():
                    each.result()
        finally:
            if poller is not None:
                poller.cancel()

    def begin_stop(self) -> None:
        """Start no further poll, and tell running activities that the worker shuts down."""
        self._stopping = True
        self._poller.begin_stop()
        self._runner.notify_shutdown()

    async def stop_polling(self, grace_s: float) -> None:
        """Take no more activities. Polls that are under way may take so long."""
        if self._polls.polled:
            await self._poller.stop(grace_s)
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(None)

    async def drain(self, grace_s: float) -> None:
        """Wait until all activities have ended; those that run longer than `grace_s` are cancelled."""
        works = self._works()
        if works and grace_s:
            await asyncio.wait(works, timeout=grace_s)
        self._cancelling = True
        for attempt in list(self._attempts.values()):
            attempt.cancel(ActivityCancellationDetails(worker_shutdown=True))
        while works := self._works():
            await asyncio.wait(works)

    def _works(self) -> Sequence[asyncio.Task[None]]:
        return [attempt.work for attempt in self._attempts.values() if attempt.work is not None]

    # Eager activities

    def reserve(self) -> Permit | None:
        """A slot for an activity that comes with the reply to a workflow task."""
        return None if self._stopping or not self._polls.eager else self._slots.try_reserve()

    def accept(self, task: PollActivityTaskQueueResponse, permit: Permit) -> None:
        """Run an activity that came so."""
        self._accept(task, permit, eager=True)

    def _accept(self, task: PollActivityTaskQueueResponse, permit: Permit, *, eager: bool = False) -> None:
        """Run an activity, in the background."""
        if self._metrics is not None:
            self._metrics.activity_received(task, eager=eager)
        permit.use(ActivitySlot(task.activity_type.name))
        attempt = Attempt(task)
        self._attempts[task.task_token] = attempt
        attempt.work = asyncio.get_running_loop().create_task(self._work(attempt, permit))
        if self._cancelling:
            attempt.cancel(ActivityCancellationDetails(worker_shutdown=True))

    async def _poll(self, deadline_s: float) -> PollActivityTaskQueueResponse:
        poll = self._server.calls.poll_activity_task_queue(self._wire.poll_activity_tasks, timeout=timedelta(seconds=deadline_s))
        if self._metrics is None:
            return await poll
        with self._metrics.polling("activity_task"):
            task = await poll
        self._metrics.activity_polled(task)
        return task

    async def _work(self, attempt: Attempt, permit: Permit) -> None:
        timeout = self._watch_timeout(attempt)
        began = time.monotonic()
        try:
            converter = self._runner.converter_for(attempt.task, is_local=False)
            attempt.make_heartbeats = partial(self._heartbeats, converter, timeout)
            outcome = await run_attempt(self._runner, attempt, converter)
            if self._metrics is not None:
                failure = outcome.failure if isinstance(outcome, outcomes.Failed) else None
                succeeded = isinstance(outcome, outcomes.Completed)
                self._metrics.activity_ended(attempt.task, time.monotonic() - began, failure=failure, succeeded=succeeded)
            if timeout is not None:
                timeout.stop()
            if attempt.heartbeats is not None:
                ended_early = isinstance(outcome, outcomes.Failed | outcomes.Canceled)
                await attempt.heartbeats.close(flush=ended_early and not _unknown(attempt))
            if not _unknown(attempt):
                await self._report(attempt, outcome)
            if isinstance(outcome, outcomes.Failed) and outcome.broken is not None and self._broken and not self._broken.done():
                self._broken.set_exception(outcome.broken)
        except Exception:
            logger.exception("Failed completing activity task")
        finally:
            if timeout is not None:
                timeout.stop()
            permit.release()
            del self._attempts[attempt.task.task_token]

    def _heartbeats(self, converter: DataConverter, timeout: _Timeout | None, attempt: Attempt) -> Heartbeats:
        async def encode(details: Sequence[Any]) -> Sequence[Payload]:
            return await converter.encode(details)

        task = attempt.task
        timeout_s = task.heartbeat_timeout.ToMilliseconds() / 1000
        interval_s = throttle_interval_s(timeout_s, self._polls.heartbeat_default_s, self._polls.heartbeat_max_s)
        reported = timeout.renew if timeout is not None else _nothing
        return Heartbeats(self._server, self._wire, task.task_token, interval_s, encode, attempt.cancel, attempt.fail_heartbeat, reported)

    def _watch_timeout(self, attempt: Attempt) -> _Timeout | None:
        beat_s = attempt.task.heartbeat_timeout.ToMilliseconds() / 1000
        close_s = attempt.task.start_to_close_timeout.ToMilliseconds() / 1000
        if not beat_s and not close_s:
            return None
        by_heartbeat = bool(beat_s) and (not close_s or beat_s < close_s)
        return _Timeout(attempt, (beat_s if by_heartbeat else close_s) + LOCAL_TIMEOUT_MARGIN_S, by_heartbeat)

    async def _report(self, attempt: Attempt, outcome: outcomes.Outcome) -> None:
        token = attempt.task.task_token
        calls = self._server.calls
        try:
            match outcome:
                case outcomes.Completed(result):
                    completed = RespondActivityTaskCompletedRequest()
                    completed.CopyFrom(self._wire.activity_completed)
                    completed.task_token = token
                    completed.result.payloads.append(result)
                    await calls.respond_activity_task_completed(completed, retry=True)
                case outcomes.Canceled(failure) if not _worker_shutdown(attempt):
                    canceled = RespondActivityTaskCanceledRequest()
                    canceled.CopyFrom(self._wire.activity_canceled)
                    canceled.task_token = token
                    if failure.canceled_failure_info.HasField("details"):
                        canceled.details.CopyFrom(failure.canceled_failure_info.details)
                    await calls.respond_activity_task_canceled(canceled, retry=True)
                case outcomes.Canceled() | outcomes.Failed():
                    failed = RespondActivityTaskFailedRequest()
                    failed.CopyFrom(self._wire.activity_failed)
                    failed.task_token = token
                    failed.failure.CopyFrom(outcome.failure if isinstance(outcome, outcomes.Failed) else outcomes.worker_shutdown())
                    await calls.respond_activity_task_failed(failed, retry=True)
        except RPCError as error:
            level = logging.DEBUG if error.status is RPCStatusCode.NOT_FOUND else logging.WARNING
            logger.log(level, "The outcome of activity %s was not taken: %s", attempt.task.activity_id, error)


async def run_attempt(runner: ActivityRunner, attempt: Attempt, converter: DataConverter) -> outcomes.Outcome:
    """Run an attempt's code, and say how that ended."""
    try:
        try:
            attempt.started = True
            if attempt.is_cancelled:
                raise asyncio.CancelledError("Activity cancelled")
            value = await runner.run(attempt, converter)
        finally:
            attempt.take_heartbeat()
            attempt.done = True
            if attempt.is_cancelled:
                await _settle(attempt)
        return await outcomes.returned(value, converter)
    except asyncio.CancelledError as error:
        if not attempt.is_cancelled and attempt.work is not None and attempt.work.cancelling():
            raise  # not the activity is cancelled: the event loop ends
        return await outcomes.raised(error, attempt, converter)
    except (Exception, activity._CompleteAsyncError) as error:  # noqa: BLE001 - whatever the activity's code raises is its outcome
        return await outcomes.raised(error, attempt, converter)


async def _settle(attempt: Attempt) -> None:
    """Take in a cancellation that the activity's code may not have met, so that it does not interrupt the report."""
    if attempt.work is None or not attempt.work.cancelling():
        return
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    while attempt.work.cancelling():
        attempt.work.uncancel()


def _unknown(attempt: Attempt) -> bool:
    """Whether the server has given up on the attempt, so that nobody wants its outcome."""
    details = attempt.details.details
    return details is not None and details.not_found


def _worker_shutdown(attempt: Attempt) -> bool:
    details = attempt.details.details
    return details is not None and details.worker_shutdown


def _nothing() -> None:
    return


class _Timeout:
    """Cancels an attempt that the server must have given up on."""

    __slots__ = ("_attempt", "_by_heartbeat", "_seconds", "_timer")

    def __init__(self, attempt: Attempt, seconds: float, by_heartbeat: bool) -> None:
        self._attempt = attempt
        self._seconds = seconds
        self._by_heartbeat = by_heartbeat
        self._timer = asyncio.get_running_loop().call_later(seconds, self._elapsed)

    def renew(self) -> None:
        """A heartbeat was taken."""
        if self._by_heartbeat:
            self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._elapsed)

    def stop(self) -> None:
        self._timer.cancel()

    def _elapsed(self) -> None:
        self._attempt.cancel(ActivityCancellationDetails(not_found=True, timed_out=True))
