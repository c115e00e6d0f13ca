"""How long a long poll may wait, by its caller's deadline (platform.md 0.5)."""

from outlast.engine.refusals import FailedPrecondition, InvalidArgument
from outlast.server.frontend import limits
from outlast.server.frontend.calls import Call


def task_poll_s(call: Call) -> float:
    """Seconds for a worker's poll. Raises when the deadline is missing or too short."""
    left = call.seconds_left()
    if left is None:
        raise InvalidArgument("Context timeout is not set.")
    if left < limits.POLL_DEADLINE_S_MIN:
        raise FailedPrecondition("Context timeout is too short.")
    return min(limits.POLL_S_MAX, left - limits.ANSWER_BEFORE_DEADLINE_S)


def long_poll_s(call: Call) -> float:
    """Seconds for a read that waits."""
    left = call.seconds_left()
    if left is None:
        return limits.LONG_POLL_S_MAX
    return min(limits.LONG_POLL_S_MAX, max(left - limits.ANSWER_BEFORE_DEADLINE_S, left / 2))
