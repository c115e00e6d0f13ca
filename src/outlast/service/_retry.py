"""Calls repeated after failures that may pass, by the rules that all Temporal SDKs share."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TypeVar

from google.protobuf.message import Message
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

from outlast.service._config import RetryConfig
from outlast.service._errors import RPCError, RPCStatusCode

logger = logging.getLogger("outlast.service")

Reply = TypeVar("Reply")


class CallKind(Enum):
    """How long a call may take, and how stubbornly it is repeated."""

    NORMAL = "normal"
    LONG_POLL = "long poll"
    """A user waits for an event: may take as long as the server holds a poll."""
    TASK_POLL = "task poll"
    """A worker waits for a task: never given up."""


TASK_POLLS = frozenset({"poll_workflow_task_queue", "poll_activity_task_queue", "poll_nexus_task_queue"})
"""Calls by which workers ask for tasks."""


def call_kind(rpc: str, request: Message) -> CallKind:
    """What kind of call this is."""
    if rpc in TASK_POLLS:
        return CallKind.TASK_POLL
    if rpc == "update_workflow_execution" or (isinstance(request, GetWorkflowExecutionHistoryRequest) and request.wait_new_event):
        return CallKind.LONG_POLL
    return CallKind.NORMAL


DEFAULT = RetryConfig(multiplier=1.7)
_TASK_POLLS = RetryConfig(
    initial_interval_millis=200, multiplier=2.0, max_interval_millis=10000, max_elapsed_time_millis=None, max_retries=0
)
_THROTTLED = RetryConfig(initial_interval_millis=1000, multiplier=2.0, max_interval_millis=10000, max_elapsed_time_millis=None)
_MAY_PASS = {
    RPCStatusCode.DATA_LOSS,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.UNKNOWN,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.OUT_OF_RANGE,
    RPCStatusCode.UNAVAILABLE,
}
_POLL_ENDED = {RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED}
_TOO_LARGE = ("grpc: received message", "grpc: message after decompression larger than max", "Received message larger than max")
# Proxies that start up answer with all kinds of codes: a worker's polls bear with any for this long.
_FATAL_GRACE = 60.0


class Backoff:
    """The pauses between attempts, each longer than the one before."""

    def __init__(self, config: RetryConfig) -> None:
        self._config = config
        self._interval = config.initial_interval_millis / 1000
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the first attempt began."""
        return time.monotonic() - self._began

    def next(self) -> float | None:
        """Seconds until the next attempt, or None when time is up."""
        config = self._config
        spread = config.randomization_factor * self._interval
        pause = self._interval + random.uniform(-spread, spread)
        self._interval = min(self._interval * config.multiplier, config.max_interval_millis / 1000)
        if config.max_elapsed_time_millis is not None and self.elapsed + pause > config.max_elapsed_time_millis / 1000:
            return None
        return pause


async def with_retries(name: str, config: RetryConfig, kind: CallKind, call: Callable[[], Awaitable[Reply]]) -> Reply:
    """Make the call until it succeeds, fails for good, or attempts or time are used up: then its last error is raised."""
    if kind is CallKind.TASK_POLL:
        config = _TASK_POLLS
    backoff, throttled = Backoff(config), Backoff(_THROTTLED)
    attempt = 0
    while True:
        attempt += 1
        try:
            return await call()
        except RPCError as error:
            if config.max_retries and attempt >= config.max_retries:
                raise
            pause = _pause_after(error, kind, backoff, throttled)
            if pause is None:
                raise
            _say(name, config, attempt, error)
        await asyncio.sleep(pause)


def _pause_after(error: RPCError, kind: CallKind, backoff: Backoff, throttled: Backoff) -> float | None:
    if error.status is RPCStatusCode.RESOURCE_EXHAUSTED and error.message.startswith(_TOO_LARGE):
        return None
    is_task_poll = kind is CallKind.TASK_POLL
    if error.status in _MAY_PASS or (is_task_poll and error.status in _POLL_ENDED):
        pause = backoff.next()
        if pause is not None and error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
            return max(pause, throttled.next() or 0)
        return pause
    if is_task_poll and backoff.elapsed <= _FATAL_GRACE:
        return _TASK_POLLS.max_interval_millis / 1000
    return None


def _say(name: str, config: RetryConfig, attempt: int, error: RPCError) -> None:
    if attempt > 5 if config.max_retries == 0 else attempt * 2 >= config.max_retries:
        level = logging.ERROR if config.max_retries == 0 and attempt > 15 else logging.WARNING
        logger.log(level, "call %s failed %d times: %s: %s", name, attempt, error.status.name, error.message)
