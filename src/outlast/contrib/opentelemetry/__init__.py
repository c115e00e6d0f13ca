"""OpenTelemetry for Outlast: traces through clients, workflows and activities, metrics, and providers that stay silent in a replay.

Needs the extra `opentelemetry`.
"""

from outlast.contrib.opentelemetry._interceptor import TracingInterceptor
from outlast.contrib.opentelemetry._live_spans import OpenTelemetryInterceptor
from outlast.contrib.opentelemetry._logger_provider import ReplaySafeLoggerProvider
from outlast.contrib.opentelemetry._meter_provider import ReplaySafeMeterProvider
from outlast.contrib.opentelemetry._metrics_exporter import MetricsExporter
from outlast.contrib.opentelemetry._plugin import OpenTelemetryPlugin
from outlast.contrib.opentelemetry._tracer_provider import ReplaySafeTracerProvider, create_tracer_provider
from outlast.contrib.opentelemetry._workflow_interceptor import TracingWorkflowInboundInterceptor

__all__ = [
    "MetricsExporter",
    "OpenTelemetryInterceptor",
    "OpenTelemetryPlugin",
    "ReplaySafeLoggerProvider",
    "ReplaySafeMeterProvider",
    "ReplaySafeTracerProvider",
    "TracingInterceptor",
    "TracingWorkflowInboundInterceptor",
    "create_tracer_provider",
]
