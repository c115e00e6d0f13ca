"""The interceptor whose spans in workflows last as long as what they describe. Needs a provider that knows replays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, get_tracer, get_tracer_provider

from outlast import worker, workflow
from outlast.contrib.opentelemetry._calls import Spans
from outlast.contrib.opentelemetry._context import HasHeaders, attached
from outlast.contrib.opentelemetry._spans import span_around
from outlast.contrib.opentelemetry._tracer_provider import ReplaySafeTracerProvider
from outlast.contrib.opentelemetry._workflow_calls import WorkflowCalls

__all__ = ["OpenTelemetryInterceptor"]


class OpenTelemetryInterceptor(Spans):
    """Takes the current trace along from clients to workflows to activities, so that `opentelemetry.trace.get_tracer` works in all of them.

    `OpenTelemetryPlugin` brings it. The global tracer provider must be one of `create_tracer_provider`. Experimental.

    Args:
        add_temporal_spans: Make a span for each call, run and handler, beside those that the program makes.
    """

    def __init__(self, add_temporal_spans: bool = False) -> None:
        self._add_temporal_spans = add_temporal_spans

    def workflow_interceptor_class(self, input: worker.WorkflowInterceptorClassInput) -> type[_LiveWorkflowCalls]:
        """Trace workflows. Raises ValueError if the global tracer provider does not know replays."""
        if not isinstance(get_tracer_provider(), ReplaySafeTracerProvider):
            raise ValueError(
                "When using OpenTelemetryPlugin, the global trace provider must be a ReplaySafeTracerProvider. "
                "Use create_tracer_provider to create one."
            )
        return _LiveWorkflowCallsWithSpans if self._add_temporal_spans else _LiveWorkflowCalls

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, attributes: Mapping[str, str], carry: HasHeaders | None = None, parent: Context | None = None
    ) -> Iterator[None]:
        with attached(parent), _maybe_span(self._add_temporal_spans, name, kind, attributes):
            if carry is not None:
                carry.headers = self._context_to_headers(carry.headers)
            yield


class _LiveWorkflowCalls(WorkflowCalls):
    """Takes the trace along through a workflow."""

    _add_temporal_spans = False

    @contextmanager
    def _running(self, name: str, input: HasHeaders) -> Iterator[None]:
        with attached(self._context_from_headers(input.headers) or Context()), self._maybe_span(name, SpanKind.SERVER):
            yield

    _handling = _querying = _running

    @contextmanager
    def _calling(self, name: str, kind: SpanKind, input: HasHeaders) -> Iterator[None]:
        with self._maybe_span(name, kind):
            input.headers = self._context_to_headers(input.headers)
            yield

    @contextmanager
    def _maybe_span(self, name: str, kind: SpanKind) -> Iterator[None]:
        info = workflow.info()
        attributes = {"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id}
        with _maybe_span(self._add_temporal_spans, name, kind, attributes):
            yield


class _LiveWorkflowCallsWithSpans(_LiveWorkflowCalls):
    """Makes spans of its own, too."""

    _add_temporal_spans = True


@contextmanager
def _maybe_span(wanted: bool, name: str, kind: SpanKind, attributes: Mapping[str, str]) -> Iterator[None]:
    if not wanted:
        yield
        return
    # The provider is looked up each time: the program may set it after the interceptor was made.
    with span_around(get_tracer(__name__), name, kind, attributes):
        yield
