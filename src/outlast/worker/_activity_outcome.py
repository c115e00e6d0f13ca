"""How an attempt of an activity ended: what its code returned or raised, as what is reported."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import BrokenExecutor

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure

from outlast import activity
from outlast.converter import DataConverter
from outlast.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from outlast.worker._attempt import Attempt


class Completed(msgspec.Struct, frozen=True):
    """Its function returned."""

    result: Payload


class Failed(msgspec.Struct, frozen=True):
    """Its function raised."""

    failure: Failure
    broken: BrokenExecutor | None = None
    """The executor cannot run anything any more."""


class Canceled(msgspec.Struct, frozen=True):
    """It ended because it was asked to."""

    failure: Failure


class CompletesLater(msgspec.Struct, frozen=True):
    """Somebody else will say how it ended."""


Outcome = Completed | Failed | Canceled | CompletesLater


async def returned(value: object, converter: DataConverter) -> Completed:
    """The outcome of a function that returned."""
    return Completed((await converter.encode([value]))[0])


async def raised(error: BaseException, attempt: Attempt, converter: DataConverter) -> Outcome:
    """The outcome of a function that raised."""
    if isinstance(error, activity._CompleteAsyncError):
        return CompletesLater()
    try:
        return await _outcome(error, attempt, converter)
    except Exception as second:  # noqa: BLE001 - the converter is the program's
        activity.logger.exception(f"Exception handling failed, original error: {error}")
        failure = Failure(message=f"Failed building exception result: {second}")
        failure.application_failure_info.SetInParent()
        return Failed(failure)


async def _outcome(error: BaseException, attempt: Attempt, converter: DataConverter) -> Outcome:
    details = attempt.details.details
    failure = Failure()
    if isinstance(error, asyncio.CancelledError | CancelledError):
        if attempt.heartbeat_error is not None:
            activity.logger.warning("Completing as failure, since a heartbeat could not be encoded")
            error = attempt.heartbeat_error
        elif details is not None and (details.paused or details.reset) and not details.cancel_requested:
            error = _unhandled("pause", "ActivityPause") if details.paused and not details.reset else _unhandled("reset", "ActivityReset")
            activity.logger.warning(error.message)
        elif details is not None:
            await converter.encode_failure(CancelledError("Cancelled"), failure)
            return Canceled(failure)
    else:
        _log(error)
    await converter.encode_failure(error, failure)
    return Failed(failure, error if isinstance(error, BrokenExecutor) else None)


def _unhandled(cause: str, type: str) -> ApplicationError:
    return ApplicationError(f"Unhandled activity cancel error produced by activity {cause}", type=type)


def _log(error: BaseException) -> None:
    benign = isinstance(error, ApplicationError) and error.category == ApplicationErrorCategory.BENIGN
    activity.logger.log(
        logging.DEBUG if benign else logging.WARNING,
        "Completing activity as failed",
        exc_info=error,
        extra={"__temporal_error_identifier": "ActivityFailure"},
    )


def worker_shutdown() -> Failure:
    """The failure of an activity that ended because its worker did."""
    failure = Failure(message="Worker is shutting down and this activity did not complete in time")
    failure.application_failure_info.type = "WorkerShutdown"
    return failure
