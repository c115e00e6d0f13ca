"""Retry policies, and what becomes of a start whose id is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import temporalio.api.common.v1


@dataclass
class RetryPolicy:
    """How often, and with what pauses, an activity or a workflow is tried again."""

    initial_interval: timedelta = timedelta(seconds=1)
    """Pause before the second attempt."""

    backoff_coefficient: float = 2.0
    """What each pause is multiplied by to give the next."""

    maximum_interval: timedelta | None = None
    """Longest pause; 100 times `initial_interval` if not given."""

    maximum_attempts: int = 0
    """How many attempts there are at most; 0 for no limit."""

    non_retryable_error_types: Sequence[str] | None = None
    """Types of application errors after which there is no further attempt."""

    @staticmethod
    def from_proto(proto: temporalio.api.common.v1.RetryPolicy) -> RetryPolicy:
        """The policy that a message holds."""
        return RetryPolicy(
            initial_interval=proto.initial_interval.ToTimedelta(),
            backoff_coefficient=proto.backoff_coefficient,
            maximum_interval=proto.maximum_interval.ToTimedelta() if proto.HasField("maximum_interval") else None,
            maximum_attempts=proto.maximum_attempts,
            non_retryable_error_types=list(proto.non_retryable_error_types) or None,
        )

    def apply_to_proto(self, proto: temporalio.api.common.v1.RetryPolicy) -> None:
        """Write this policy to a message.

        Raises:
            ValueError: The policy is impossible.
        """
        self._validate()
        proto.initial_interval.FromTimedelta(self.initial_interval)
        proto.backoff_coefficient = self.backoff_coefficient
        proto.maximum_interval.FromTimedelta(self.maximum_interval or self.initial_interval * 100)
        proto.maximum_attempts = self.maximum_attempts
        if self.non_retryable_error_types:
            proto.non_retryable_error_types.extend(self.non_retryable_error_types)

    def _validate(self) -> None:
        if self.maximum_attempts == 1:
            return  # there are no pauses that could be wrong
        if self.initial_interval < timedelta(0):
            raise ValueError("Initial interval cannot be negative")
        if self.backoff_coefficient < 1:
            raise ValueError("Backoff coefficient cannot be less than 1")
        if self.maximum_interval:
            if self.maximum_interval < timedelta(0):
                raise ValueError("Maximum interval cannot be negative")
            if self.maximum_interval < self.initial_interval:
                raise ValueError("Maximum interval cannot be less than initial interval")
        if self.maximum_attempts < 0:
            raise ValueError("Maximum attempts cannot be negative")


class WorkflowIDReusePolicy(IntEnum):
    """Whether a workflow may be started whose id belonged to one that is closed."""

    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3
    TERMINATE_IF_RUNNING = 4


class WorkflowIDConflictPolicy(IntEnum):
    """What becomes of a start whose workflow id belongs to one that runs."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2
    TERMINATE_EXISTING = 3


class ActivityIDReusePolicy(IntEnum):
    """Whether a client may start an activity whose id belonged to one that is closed."""

    UNSPECIFIED = 0
    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3


class ActivityIDConflictPolicy(IntEnum):
    """What becomes of a client's start whose activity id belongs to one that runs."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2


class QueryRejectCondition(IntEnum):
    """When a query is refused because of how its workflow stands."""

    NONE = 1
    NOT_OPEN = 2
    NOT_COMPLETED_CLEANLY = 3


class HeaderCodecBehavior(IntEnum):
    """Which headers the payload codec is applied to."""

    NO_CODEC = 1
    """None: whoever writes headers encodes them."""
    CODEC = 2
    """All."""
    WORKFLOW_ONLY_CODEC = 3
    """Only those that workflows read and write."""
