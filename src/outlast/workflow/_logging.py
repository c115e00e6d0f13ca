"""The workflow's logger: it says where a record comes from, and is silent while history is replayed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from outlast.workflow._context import current_update_info
from outlast.workflow._info import Info
from outlast.workflow._runtime import Runtime
from outlast.workflow._unsafe import unsafe

__all__ = ["LoggerAdapter", "logger"]


def _build_log_context(
    workflow_details: Mapping[str, Any] | None,
    update_details: Mapping[str, Any] | None = None,
    *,
    workflow_info_on_message: bool = True,
    workflow_info_on_extra: bool = True,
    full_workflow_info: Info | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a record says of its workflow: what to append to the message, and what to put into the record."""
    details = {**(workflow_details or {}), **(update_details or {})}
    extra: dict[str, Any] = {}
    if workflow_info_on_extra and (workflow_details is not None or update_details is not None):
        extra["temporal_workflow"] = dict(details)
    if full_workflow_info is not None:
        extra["workflow_info"] = full_workflow_info
    return (details if workflow_info_on_message else {}), extra


class LoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """Adds to each record what workflow it comes from. What a call gives as `extra` goes before what is added.

    Attributes:
        workflow_info_on_message: Append the main facts to the message. On by default.
        workflow_info_on_extra: Put the main facts into the record, as `temporal_workflow`. On by default.
        full_workflow_info_on_extra: Put the whole `Info` into the record, as `workflow_info`. Off by default.
        log_during_replay: Log again what was logged before, when history is replayed. Off by default.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, extra or {})
        self.workflow_info_on_message = True
        self.workflow_info_on_extra = True
        self.full_workflow_info_on_extra = False
        self.log_during_replay = False
        self.disable_sandbox = False

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the workflow, and the update that is being handled."""
        runtime, update = Runtime.maybe_current(), current_update_info()
        on_message, on_record = _build_log_context(
            runtime.logger_details() if runtime else None,
            update._logger_details if update else None,
            workflow_info_on_message=self.workflow_info_on_message,
            workflow_info_on_extra=self.workflow_info_on_extra,
            full_workflow_info=runtime.info() if runtime and self.full_workflow_info_on_extra else None,
        )
        if on_record:
            kwargs["extra"] = {**on_record, **(kwargs.get("extra") or {})}
        if on_message:
            msg = f"{msg} ({on_message})"
        return msg, kwargs

    def log(self, level: int, msg: object, *args: Any, stacklevel: int = 1, **kwargs: Any) -> None:
        """Log with the guard off: handlers and formatters are not workflow code, and look at clocks."""
        if not self.isEnabledFor(level):
            return
        with unsafe.sandbox_unrestricted():
            super().log(level, msg, *args, stacklevel=stacklevel + 1, **kwargs)

    def isEnabledFor(self, level: int) -> bool:
        """Whether a record of this level is logged now."""
        runtime = Runtime.maybe_current()
        if runtime is not None and not self.log_during_replay and runtime.is_replaying_history_events():
            return False
        return super().isEnabledFor(level)

    @property
    def base_logger(self) -> logging.Logger:
        """The logger underneath, for handlers and formatters."""
        return self.logger

    def unsafe_disable_sandbox(self, value: bool = True) -> None:
        """Has no effect: records are always handled with the guard off. Here for programs that say it."""
        self.disable_sandbox = value


logger = LoggerAdapter(logging.getLogger("outlast.workflow"), None)
"""A logger whose records say what workflow they come from, and that is silent while history is replayed."""
