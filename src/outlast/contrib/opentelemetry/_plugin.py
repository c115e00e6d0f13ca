"""Everything that traces clients and workers, as one plugin."""

from __future__ import annotations

from outlast.contrib.opentelemetry._live_spans import OpenTelemetryInterceptor
from outlast.plugin import SimplePlugin

__all__ = ["OpenTelemetryPlugin"]


class OpenTelemetryPlugin(SimplePlugin):
    """Makes `opentelemetry.trace.get_tracer` work in clients, workflows and activities, with spans that last and follow each other.

    Give it to the client, or to workers. The global tracer provider must be one of `create_tracer_provider`. Experimental.

    Args:
        add_temporal_spans: Make a span for each call, run and handler, beside those that the program makes.
    """

    def __init__(self, *, add_temporal_spans: bool = False) -> None:
        super().__init__("OpenTelemetryPlugin", interceptors=[OpenTelemetryInterceptor(add_temporal_spans)])
