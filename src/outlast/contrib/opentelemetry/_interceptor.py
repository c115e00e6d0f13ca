"""The interceptor whose spans in workflows are moments: they end as soon as they start, so that a replay can leave them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, SpanKind, Tracer, get_current_span, get_tracer, set_span_in_context

from outlast import worker
from outlast.contrib.opentelemetry._calls import Spans
from outlast.contrib.opentelemetry._context import HasHeaders
from outlast.contrib.opentelemetry._spans import span_around
from outlast.contrib.opentelemetry._workflow_interceptor import EXTERN_NAME, CompletedSpan, TracingWorkflowInboundInterceptor

__all__ = ["TracingInterceptor"]


class TracingInterceptor(Spans):
    """Traces the calls of clients, workflows and their calls, and activities.

    Give it to the client, and it holds for the client's workers, too; or to workers only. In a workflow a span is a moment without
    duration. `OpenTelemetryPlugin` has spans that last.

    To change `header_key`, `text_map_propagator` or `payload_converter`, subclass this class and `TracingWorkflowInboundInterceptor`,
    set them in both, and return the latter's subclass from `workflow_interceptor_class`.

    Args:
        tracer: Makes the spans; that of the global provider if not given.
        always_create_workflow_spans: Make spans in workflows also when nothing that led to the workflow was traced: it was started
            from a command line, or by a schedule. Their parent may then be missing after a replay.
    """

    def __init__(self, tracer: Tracer | None = None, *, always_create_workflow_spans: bool = False) -> None:
        self.tracer = tracer or get_tracer(__name__)
        self._always_create_workflow_spans = always_create_workflow_spans

    def workflow_interceptor_class(self, input: worker.WorkflowInterceptorClassInput) -> type[TracingWorkflowInboundInterceptor]:
        """Trace workflows."""
        input.unsafe_extern_functions[EXTERN_NAME] = self._completed_workflow_span
        return TracingWorkflowInboundInterceptor

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, attributes: Mapping[str, str], carry: HasHeaders | None = None, parent: Context | None = None
    ) -> Iterator[None]:
        with span_around(self.tracer, name, kind, attributes, parent):
            if carry is not None:
                carry.headers = self._context_to_headers(carry.headers)
            yield

    def _completed_workflow_span(self, done: CompletedSpan) -> Context | None:
        """Make a span that ends when it starts. Returns the context with it, None if it is not wanted."""
        if get_current_span(done.parent) is INVALID_SPAN and not self._always_create_workflow_spans:
            return None
        linked = INVALID_SPAN if done.link is None else get_current_span(done.link)
        span = self.tracer.start_span(
            done.name,
            done.parent,
            done.kind,
            done.attributes,
            links=None if linked is INVALID_SPAN else [Link(linked.get_span_context())],
            start_time=done.time_ns,
        )
        if done.exception:
            span.record_exception(done.exception, timestamp=done.time_ns)
        span.end(end_time=done.time_ns)
        return set_span_in_context(span, done.parent)
