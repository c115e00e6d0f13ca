"""Errors that converters raise on purpose."""

from typing import Any

import outlast.exceptions


def create_payload_validation_error(details: Any) -> outlast.exceptions.ApplicationError:
    """The error for a payload that was converted and then found wrong: not retried, and of a type of its own.

    `details` says what was wrong; None for nothing to say.
    """
    return outlast.exceptions.ApplicationError(
        "Payload validation failed",
        *(() if details is None else (details,)),
        type="PayloadValidationError",
        non_retryable=True,
    )
