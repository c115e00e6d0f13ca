"""Failures: the same messages as the official converter writes, and the same exceptions that it reads."""

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
import temporalio.converter as official_converter
import temporalio.exceptions as official_exceptions
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure

from outlast import converter, exceptions

ACTIVITY = {
    "scheduled_event_id": 5,
    "started_event_id": 6,
    "identity": "me",
    "activity_type": "act",
    "activity_id": "1",
}
CHILD = {
    "namespace": "n",
    "workflow_id": "w",
    "run_id": "r",
    "workflow_type": "t",
    "initiated_event_id": 5,
    "started_event_id": 6,
}
NEXUS = {"scheduled_event_id": 5, "endpoint": "e", "service": "s", "operation": "o", "operation_token": "t"}

MAKE: dict[str, Callable[[ModuleType], BaseException]] = {
    "plain": lambda e: ValueError("wrong"),
    "plain without a message": lambda e: KeyError(),
    "failure": lambda e: e.FailureError("just so"),
    "application": lambda e: e.ApplicationError("bad", 1, {"b": 2, "a": 1}, type="Mine", non_retryable=True),
    "application with delay": lambda e: e.ApplicationError("later", next_retry_delay=timedelta(seconds=3, microseconds=5)),
    "application, benign": lambda e: e.ApplicationError("fine", category=e.ApplicationErrorCategory.BENIGN),
    "application, empty": lambda e: e.ApplicationError(""),
    "cancelled": lambda e: e.CancelledError(),
    "cancelled with details": lambda e: e.CancelledError("stop", "why"),
    "terminated": lambda e: e.TerminatedError("killed", "lost"),
    "timeout": lambda e: e.TimeoutError("slow", type=e.TimeoutType.HEARTBEAT, last_heartbeat_details=[1, "x"]),
    "timeout of no type": lambda e: e.TimeoutError("slow", type=None, last_heartbeat_details=[]),
    "server": lambda e: e.ServerError("oops", non_retryable=True),
    "activity": lambda e: e.ActivityError("failed", **ACTIVITY, retry_state=e.RetryState.TIMEOUT),
    "activity, no retry state": lambda e: e.ActivityError("failed", **ACTIVITY, retry_state=None),
    "child": lambda e: e.ChildWorkflowError("failed", **CHILD, retry_state=e.RetryState.CANCEL_REQUESTED),
    "nexus": lambda e: e.NexusOperationError("failed", **NEXUS),
    "already started": lambda e: e.WorkflowAlreadyStartedError("w", "t", run_id="r"),
    "activity already started": lambda e: e.ActivityAlreadyStartedError("a", "t", run_id="r"),
    "versioning": lambda e: e.InvalidVersioningOverrideError(),
}


def _raised(make: Callable[[ModuleType], BaseException], module: ModuleType) -> BaseException:
    try:
        raise make(module)
    except BaseException as error:
        return error


def _caused(module: ModuleType, how: str) -> BaseException:
    """An error that came of another one."""
    try:
        try:
            raise RuntimeError("first")
        except RuntimeError as first:
            if how == "from":
                raise module.ApplicationError("second") from first
            if how == "from none":
                raise module.ApplicationError("second") from None
            raise module.ApplicationError("second")  # noqa: B904
    except module.ApplicationError as second:
        return second  # type: ignore[no-any-return]


def _described(error: BaseException | None) -> Any:
    """Everything that can be seen of an exception, without the names of modules."""
    if error is None:
        return None
    names = [name for name in dir(type(error)) if not name.startswith("_") and isinstance(getattr(type(error), name), property)]
    seen = {name: getattr(error, name) for name in names if name != "cause"}
    seen |= {name: value for name, value in vars(error).items() if not name.startswith("_")}
    return type(error).__name__, error.args, str(error), seen, _described(error.__cause__)


@pytest.mark.parametrize("encode", [False, True])
@pytest.mark.parametrize("name", list(MAKE))
def test_errors_are_written_as_the_official_converter_writes_them_and_read_as_it_reads(name: str, encode: bool) -> None:
    ours = converter.DefaultFailureConverter(encode_common_attributes=encode)
    theirs = official_converter.DefaultFailureConverter(encode_common_attributes=encode)
    failure, expected = Failure(), Failure()

    ours.to_failure(_raised(MAKE[name], exceptions), converter.PayloadConverter.default, failure)
    theirs.to_failure(_raised(MAKE[name], official_exceptions), official_converter.PayloadConverter.default, expected)

    assert failure == expected
    assert encode or "_raised" in failure.stack_trace
    assert _described(ours.from_failure(failure, converter.PayloadConverter.default)) == _described(
        theirs.from_failure(expected, official_converter.PayloadConverter.default)
    )


@pytest.mark.parametrize("how", ["from", "from none", "context"])
def test_causes_are_written_as_the_official_converter_writes_them(how: str) -> None:
    failure, expected = Failure(), Failure()

    converter.FailureConverter.default.to_failure(_caused(exceptions, how), converter.PayloadConverter.default, failure)
    official_converter.FailureConverter.default.to_failure(
        _caused(official_exceptions, how), official_converter.PayloadConverter.default, expected
    )

    assert failure == expected
    assert failure.HasField("cause") == (how != "from none")
    cause = converter.FailureConverter.default.from_failure(failure, converter.PayloadConverter.default).__cause__
    assert (how == "from none") == (cause is None)


def test_the_cause_of_a_plain_exception_is_kept_but_not_its_context() -> None:
    caused, in_context = ValueError("x"), ValueError("x")
    caused.__cause__ = in_context.__context__ = KeyError("k")
    for error, kept in ((caused, True), (in_context, False)):
        failure, expected = Failure(), Failure()
        converter.FailureConverter.default.to_failure(error, converter.PayloadConverter.default, failure)
        official_converter.FailureConverter.default.to_failure(error, official_converter.PayloadConverter.default, expected)
        assert failure == expected
        assert failure.HasField("cause") is kept


@pytest.mark.parametrize("message", ["", "given"])
@pytest.mark.parametrize("info", [field.name for field in Failure.DESCRIPTOR.oneofs_by_name["failure_info"].fields] + [""])
def test_every_kind_of_failure_is_read_as_by_the_official_converter(info: str, message: str) -> None:
    failure = Failure(message=message, stack_trace="trace", cause=Failure(message="why"))
    if info:
        getattr(failure, info).SetInParent()

    ours = converter.FailureConverter.default.from_failure(failure, converter.PayloadConverter.default)
    theirs = official_converter.FailureConverter.default.from_failure(failure, official_converter.PayloadConverter.default)

    if info == "nexus_handler_failure_info":  # theirs is an exception of the Nexus library
        assert _described(ours)[:3] == ("FailureError", (message or "Failure error",), message or "Failure error")
    else:
        assert _described(ours) == _described(theirs)
    again = Failure()
    converter.FailureConverter.default.to_failure(ours, converter.PayloadConverter.default, again)
    assert again == failure


def test_an_error_that_came_from_the_server_is_sent_as_it_came() -> None:
    failure = Failure(message="m", source="GoSDK", stack_trace="goroutine 1")
    failure.application_failure_info.type = "T"

    error = converter.FailureConverter.default.from_failure(failure, converter.PayloadConverter.default)
    again = Failure()
    converter.FailureConverter.default.to_failure(error, converter.PayloadConverter.default, again)

    assert again == failure
    assert isinstance(error, exceptions.FailureError)
    assert error.failure == failure


@pytest.mark.parametrize(
    "attributes",
    [
        Payload(metadata={"encoding": b"json/plain"}, data=b'{"message":"hidden","stack_trace":"there"}'),
        Payload(metadata={"encoding": b"json/plain"}, data=b'{"message":1}'),
        Payload(metadata={"encoding": b"json/plain"}, data=b"[]"),
        Payload(metadata={"encoding": b"binary/encrypted"}, data=b"?"),
    ],
)
def test_encoded_attributes_that_cannot_be_read_hide_nothing(attributes: Payload) -> None:
    failure = Failure(message="Encoded failure", encoded_attributes=attributes)
    before = failure.SerializeToString()

    ours = converter.FailureConverter.default.from_failure(failure, converter.PayloadConverter.default)
    theirs = official_converter.FailureConverter.default.from_failure(failure, official_converter.PayloadConverter.default)

    assert _described(ours) == _described(theirs)
    assert failure.SerializeToString() == before


def test_a_wrong_payload_can_be_reported_as_such() -> None:
    for details in (None, {"field": "missing"}):
        assert _described(converter.create_payload_validation_error(details)) == _described(
            official_converter.create_payload_validation_error(details)
        )


@pytest.mark.parametrize("cause", [None, "CancelledError", "TerminatedError"])
@pytest.mark.parametrize("name", ["activity", "child", "nexus", "cancelled", "application"])
def test_cancellations_are_recognised(name: str, cause: str | None) -> None:
    outcomes = []
    for module in (exceptions, official_exceptions):
        error = MAKE[name](module)
        error.__cause__ = getattr(module, cause)("c") if cause else None
        outcomes.append(module.is_cancelled_exception(error))

    assert outcomes[0] is outcomes[1]
