"""Failures that the server itself makes, and large ones cut to size (workflow-core.md, section 6)."""

from temporalio.api.failure.v1 import Failure

from outlast.engine import limits

TOO_LARGE = "Failure exceeds size limit."
_FIELD_BYTES = 4
"""What the reference server reckons for the frame of a field."""
_CAUSES_MAX = 20


def server_failure(message: str, *, non_retryable: bool = True) -> Failure:
    """A failure that no worker reported."""
    failure = Failure(message=message)
    failure.server_failure_info.non_retryable = non_retryable
    failure.server_failure_info.SetInParent()
    return failure


def accepted(failure: Failure, bytes_max: int) -> Failure:
    """What a worker reported, or, when that is larger than what is stored, a note with the start of it as its cause."""
    if failure.ByteSize() <= bytes_max:
        return failure
    note = server_failure(TOO_LARGE)
    note.cause.CopyFrom(_cut(failure, limits.CUT_FAILURE_BYTES))
    return note


def retained(failure: Failure) -> Failure:
    """What is kept of a failure between attempts."""
    if failure.ByteSize() <= limits.RETAINED_FAILURE_BYTES_MAX:
        return failure
    note = server_failure(TOO_LARGE, non_retryable=False)
    note.cause.CopyFrom(_cut(failure, limits.RETAINED_FAILURE_BYTES_MAX))
    return note


def _cut(failure: Failure, room: int, causes: int = _CAUSES_MAX) -> Failure:
    """A copy of at most about `room` bytes: kind, message, stack trace, cause, each as far as it fits."""
    copy = Failure(source=failure.source)
    if failure.HasField("application_failure_info"):
        copy.application_failure_info.type = failure.application_failure_info.type
        copy.application_failure_info.non_retryable = failure.application_failure_info.non_retryable
        room -= copy.ByteSize() + _FIELD_BYTES
    elif failure.HasField("server_failure_info"):
        copy.server_failure_info.CopyFrom(failure.server_failure_info)
    copy.message = _cut_text(failure.message, room - _FIELD_BYTES)
    room -= len(copy.message.encode()) + _FIELD_BYTES
    copy.stack_trace = _cut_text(failure.stack_trace, room - _FIELD_BYTES)
    room -= len(copy.stack_trace.encode()) + _FIELD_BYTES
    if failure.HasField("cause") and room > 0 and causes:
        copy.cause.CopyFrom(_cut(failure.cause, room, causes - 1))
    return copy


def _cut_text(text: str, room: int) -> str:
    return text.encode()[: max(room, 0)].decode(errors="ignore")
