"""Settings of metrics and logs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from outlast.runtime._buffer import MetricBuffer

_OWN_LOGGERS = ("outlast.client", "outlast.service", "outlast.worker", "outlast.server")
"""What the SDK says about its own work; `outlast.workflow` and `outlast.activity` are those of user code."""
_OTHER_LOGGERS = ("grpc",)
_LEVELS = {"ERROR": logging.ERROR, "WARN": logging.WARNING, "INFO": logging.INFO, "DEBUG": logging.DEBUG, "TRACE": logging.NOTSET + 1}


@dataclass
class TelemetryFilter:
    """From which level on something is logged: `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`."""

    core_level: str
    """Level of the SDK's own loggers."""

    other_level: str
    """Level of the loggers of the libraries that it stands on."""

    def formatted(self) -> str:
        """The same as one text: each logger and its level."""
        pairs = [(name, self.core_level) for name in _OWN_LOGGERS] + [(name, self.other_level) for name in _OTHER_LOGGERS]
        return ",".join(f"{name}={level}" for name, level in pairs)


@dataclass(frozen=True)
class LoggingConfig:
    """Levels of the SDK's loggers, set when a runtime is made, for the whole process. Handlers are Python's own affair."""

    filter: TelemetryFilter | str
    """The levels; as a text `logger=LEVEL,…`, where a level alone is for all of the SDK's own loggers."""

    default: ClassVar[LoggingConfig]
    """Levels as the program has set them."""

    def _apply(self) -> None:
        for part in (self.filter if isinstance(self.filter, str) else self.filter.formatted()).split(","):
            name, equals, level = part.strip().rpartition("=")
            if level.upper() not in _LEVELS:
                raise ValueError(f"Unknown log level {level!r} in {part!r}, must be one of {', '.join(_LEVELS)}")
            for logger in (name,) if equals else _OWN_LOGGERS:
                logging.getLogger(logger).setLevel(_LEVELS[level.upper()])


LoggingConfig.default = LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"))


@dataclass(frozen=True)
class PrometheusConfig:
    """Serve metrics for Prometheus, at `http://<bind_address>/metrics`.

    Attributes:
        bind_address: Host and port to listen on, such as `0.0.0.0:9000`.
        counters_total_suffix: Whether names of counters end with `_total`.
        unit_suffix: Whether names of histograms end with their unit.
        durations_as_seconds: Whether durations are seconds, and not whole milliseconds.
        histogram_bucket_overrides: Upper bounds of buckets, by name; they are for every histogram whose name contains it.
    """

    bind_address: str
    counters_total_suffix: bool = False
    unit_suffix: bool = False
    durations_as_seconds: bool = False
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None


@dataclass(frozen=True)
class TelemetryConfig:
    """Where metrics go, and how much is logged."""

    logging: LoggingConfig | None = LoggingConfig.default
    """Levels of loggers; the default and None leave them as they are."""

    metrics: PrometheusConfig | MetricBuffer | None = None
    """Where metrics go; nowhere, if not given."""

    global_tags: Mapping[str, str] = field(default_factory=dict)
    """Labels of all metrics that are exported."""

    attach_service_name: bool = True
    """Whether all metrics have the attribute `service_name`."""

    metric_prefix: str | None = None
    """How the names of the SDK's own metrics begin; `temporal_` if not given."""
