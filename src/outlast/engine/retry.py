"""Retry policies: defaults, checks, and the decision whether to try again (workflow-core.md 1.5, platform.md 1.3)."""

from functools import lru_cache

import msgspec
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import RetryPolicy as WireRetryPolicy
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import Failure

from outlast.engine.limits import (
    RETRY_COEFFICIENT_DEFAULT,
    RETRY_INITIAL_DEFAULT,
    RETRY_MAXIMUM_FACTOR,
)
from outlast.engine.refusals import InvalidArgument
from outlast.engine.state import RetryPolicy
from outlast.engine.wire import duration, nanoseconds

_TIMEOUT_PREFIX = "TemporalTimeout:"
_TIMEOUT_NAMES = {"StartToClose", "ScheduleToStart", "ScheduleToClose", "Heartbeat", "Unspecified"}
TIMEOUT_NAMES = {
    TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE: "StartToClose",
    TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START: "ScheduleToStart",
    TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: "ScheduleToClose",
    TimeoutType.TIMEOUT_TYPE_HEARTBEAT: "Heartbeat",
}


def check_retry_policy(policy: WireRetryPolicy) -> None:
    """Refuse a policy that the reference server refuses, with its text. A single attempt needs no valid intervals."""
    if policy.maximum_attempts == 1:
        return
    if _negative(policy.initial_interval):
        raise InvalidArgument("invalid InitialInterval set on retry policy: negative duration")
    if policy.backoff_coefficient < 1:
        raise InvalidArgument("BackoffCoefficient cannot be less than 1 on retry policy.")
    if _negative(policy.maximum_interval):
        raise InvalidArgument("invalid MaximumInterval set on retry policy: negative duration")
    initial, maximum = nanoseconds(policy.initial_interval), nanoseconds(policy.maximum_interval)
    if policy.HasField("maximum_interval") and maximum < initial:
        raise InvalidArgument("MaximumInterval cannot be less than InitialInterval on retry policy.")
    if policy.maximum_attempts < 0:
        raise InvalidArgument("MaximumAttempts cannot be negative on retry policy.")
    for name in policy.non_retryable_error_types:
        if name.startswith(_TIMEOUT_PREFIX) and name.removeprefix(_TIMEOUT_PREFIX) not in _TIMEOUT_NAMES:
            raise InvalidArgument(f"Invalid timeout type value: {name.removeprefix(_TIMEOUT_PREFIX)}.")


def _negative(span: Duration) -> bool:
    return span.seconds < 0 or span.nanos < 0


def filled(policy: WireRetryPolicy) -> WireRetryPolicy:
    """The policy with the defaults where it says nothing. It is shared: nobody may change it."""
    return _filled(policy.SerializeToString())


@lru_cache(maxsize=256)  # programs have few policies, and most activities name none
def _filled(policy: bytes) -> WireRetryPolicy:
    full = WireRetryPolicy.FromString(policy)
    if not nanoseconds(full.initial_interval):
        full.initial_interval.CopyFrom(duration(RETRY_INITIAL_DEFAULT))
    if not full.backoff_coefficient:
        full.backoff_coefficient = RETRY_COEFFICIENT_DEFAULT
    if not nanoseconds(full.maximum_interval):
        full.maximum_interval.CopyFrom(duration(RETRY_MAXIMUM_FACTOR * nanoseconds(full.initial_interval)))
    return full


def from_wire(policy: WireRetryPolicy) -> RetryPolicy:
    return RetryPolicy(
        nanoseconds(policy.initial_interval),
        policy.backoff_coefficient,
        nanoseconds(policy.maximum_interval),
        policy.maximum_attempts,
        tuple(policy.non_retryable_error_types),
    )


def to_wire(policy: RetryPolicy) -> WireRetryPolicy:
    return WireRetryPolicy(
        initial_interval=duration(policy.initial_interval) if policy.initial_interval else None,
        backoff_coefficient=policy.backoff_coefficient,
        maximum_interval=duration(policy.maximum_interval) if policy.maximum_interval else None,
        maximum_attempts=policy.maximum_attempts,
        non_retryable_error_types=policy.non_retryable_error_types,
    )


def interval(policy: RetryPolicy, attempt: int) -> int:
    """The backoff after `attempt` failed."""
    try:
        backoff = int(policy.initial_interval * policy.backoff_coefficient ** (attempt - 1))
    except OverflowError:
        return policy.maximum_interval
    return min(backoff, policy.maximum_interval) if policy.maximum_interval else backoff


def retryable(failure: Failure | None, non_retryable_types: tuple[str, ...]) -> bool:
    """Whether a failure of this kind may be retried at all."""
    if failure is None:
        return True
    kind = failure.WhichOneof("failure_info")
    if kind in ("terminated_failure_info", "canceled_failure_info"):
        return False
    if kind == "timeout_failure_info":
        timeout = failure.timeout_failure_info.timeout_type
        if timeout not in (TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE, TimeoutType.TIMEOUT_TYPE_HEARTBEAT):
            return False
        return _TIMEOUT_PREFIX + TIMEOUT_NAMES[timeout] not in non_retryable_types
    if kind == "server_failure_info":
        return not failure.server_failure_info.non_retryable
    if kind == "application_failure_info":
        info = failure.application_failure_info
        return not info.non_retryable and info.type not in non_retryable_types
    return True


class Retry(msgspec.Struct, frozen=True):
    """Whether to try again (`state` IN_PROGRESS), and after which backoff; or why not."""

    state: "RetryState.ValueType"
    backoff: int = 0


def decide_retry(policy: RetryPolicy | None, attempt: int, failure: Failure | None, now: int, deadline: int, *, of_workflow: bool) -> Retry:
    """The retry decision in the reference server's order. `deadline` 0 means none.

    The delay that a failure asks for may exceed the maximum for an activity, not for a workflow. A retry without a delay
    comes after the maximum for a workflow, and counts as too late for an activity.
    """
    if policy is None:
        return Retry(RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET)
    if not retryable(failure, policy.non_retryable_error_types):
        return Retry(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE)
    if policy.maximum_attempts and attempt >= policy.maximum_attempts:
        return Retry(RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED)
    backoff = interval(policy, attempt)
    if failure is not None and failure.application_failure_info.HasField("next_retry_delay"):
        backoff = nanoseconds(failure.application_failure_info.next_retry_delay)
    if of_workflow and policy.maximum_interval and not 0 < backoff <= policy.maximum_interval:
        backoff = policy.maximum_interval
    if not backoff or (deadline and now + backoff > deadline):
        return Retry(RetryState.RETRY_STATE_TIMEOUT)
    return Retry(RetryState.RETRY_STATE_IN_PROGRESS, backoff)
