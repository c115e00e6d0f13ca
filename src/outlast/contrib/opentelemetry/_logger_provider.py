"""A logger provider that drops what workflow code logs while its history is replayed."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import Logger, LoggerProvider
from opentelemetry.util.types import Attributes

from outlast.contrib.opentelemetry._replaying import is_replaying, recording

__all__ = ["ReplaySafeLoggerProvider"]


class _ReplaySafeLogger(Logger):
    def __init__(self, logger: Logger, name: str, version: str | None = None, schema_url: str | None = None) -> None:
        super().__init__(name, version, schema_url)
        self._logger = logger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logger, name)

    # The arguments are passed as they come: they are not the same in all versions of OpenTelemetry.

    def emit(self, *args: Any, **kwargs: Any) -> None:
        if not is_replaying():
            with recording():
                self._logger.emit(*args, **kwargs)

    def enabled(self, *args: Any, **kwargs: Any) -> bool:
        if is_replaying():
            return False
        enabled = getattr(self._logger, "enabled", None)
        return True if enabled is None else bool(enabled(*args, **kwargs))


class ReplaySafeLoggerProvider(LoggerProvider):
    """Wraps a logger provider so that a workflow's records are emitted once, and not again in each replay. Experimental.

    A workflow task that fails and is tried again emits again. Queries and validators of updates always emit. Set it as the global
    provider (`opentelemetry._logs.set_logger_provider`), which can be done once in a process.
    """

    def __init__(self, logger_provider: LoggerProvider) -> None:
        self._logger_provider = logger_provider

    def __getattr__(self, name: str) -> Any:
        """Whatever else the wrapped provider has: `shutdown`, `force_flush`."""
        return getattr(self._logger_provider, name)

    def get_logger(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Logger:
        """A logger for this module."""
        logger = self._logger_provider.get_logger(name, version, schema_url, attributes)
        return _ReplaySafeLogger(logger, name, version, schema_url)
