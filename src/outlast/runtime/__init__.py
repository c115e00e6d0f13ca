"""What clients and workers of one process share: where their metrics go, and how much they log."""

from outlast.runtime._buffer import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    BufferedMetricKind,
    BufferedMetricUpdate,
    MetricBuffer,
    MetricBufferDurationFormat,
)
from outlast.runtime._runtime import Runtime, _RuntimeRef
from outlast.runtime._telemetry import LoggingConfig, PrometheusConfig, TelemetryConfig, TelemetryFilter

__all__ = [
    "BUFFERED_METRIC_KIND_COUNTER",
    "BUFFERED_METRIC_KIND_GAUGE",
    "BUFFERED_METRIC_KIND_HISTOGRAM",
    "BufferedMetric",
    "BufferedMetricKind",
    "BufferedMetricUpdate",
    "LoggingConfig",
    "MetricBuffer",
    "MetricBufferDurationFormat",
    "PrometheusConfig",
    "Runtime",
    "TelemetryConfig",
    "TelemetryFilter",
    "_RuntimeRef",
]
