"""What workflow code calls to make spans of its own."""

from __future__ import annotations

import warnings

from opentelemetry.trace import get_tracer
from opentelemetry.util.types import Attributes

from outlast.contrib.opentelemetry._workflow_interceptor import TracingWorkflowInboundInterceptor

__all__ = ["completed_span"]


def completed_span(name: str, *, attributes: Attributes = None, exception: Exception | None = None) -> None:
    """Make a span that ends at once, if the workflow is not being replayed and is part of a trace. For use with `TracingInterceptor`.

    With `OpenTelemetryPlugin`, whose spans can last, use `opentelemetry.trace.get_tracer` instead.

    Args:
        name: The span's name.
        attributes: Its attributes, beside the workflow's id and run id.
        exception: An error to record.
    """
    if interceptor := TracingWorkflowInboundInterceptor._from_context():
        interceptor._completed_span(name, attributes=attributes, exception=exception)
        return
    warnings.warn("When using OpenTelemetryPlugin, you should prefer using opentelemetry directly.", DeprecationWarning, stacklevel=2)
    span = get_tracer(__name__).start_span(name, attributes=attributes)
    if exception:
        span.record_exception(exception)
    span.end()
