"""A tracer provider whose spans can last through a workflow: a replay makes them again with the same ids, and reports none twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk import trace as trace_sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, SpanLimits, SynchronousMultiSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, Tracer, TracerProvider, use_span
from opentelemetry.util._decorator import _agnosticcontextmanager
from opentelemetry.util.types import Attributes, AttributeValue

from outlast import workflow
from outlast.contrib.opentelemetry._id_generator import TemporalIdGenerator
from outlast.contrib.opentelemetry._replaying import is_replaying, recording

__all__ = ["ReplaySafeTracerProvider", "create_tracer_provider"]


class _ReplaySafeSpan(Span):
    """A span that does not end in a replay: it did before."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._exception: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)

    def end(self, end_time: int | None = None) -> None:
        if is_replaying() or self._failed_the_task():
            return
        with recording():
            self._span.end(end_time)

    def _failed_the_task(self) -> bool:
        """Whether what the span describes will be tried again, and must not be reported once for each try."""
        return self._exception is not None and workflow.in_workflow() and not workflow.is_failure_exception(self._exception)

    def get_span_context(self) -> SpanContext:
        return self._span.get_span_context()

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self._span.set_attributes(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self._span.set_attribute(key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        with recording():
            self._span.add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        self._span.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        self._span.update_name(name)

    def is_recording(self) -> bool:
        return self._span.is_recording()

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self._span.set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        self._exception = exception
        with recording():
            self._span.record_exception(exception, attributes, timestamp, escaped)


class _ReplaySafeTracer(Tracer):
    """Makes spans that know replays."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        # A span that was started before a replay and ends after it began when the workflow came here first.
        if start_time is None and is_replaying():
            start_time = workflow.time_ns()
        with recording():
            span = self._tracer.start_span(name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception)
        return _ReplaySafeSpan(span)

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[Span]:
        span = self.start_span(name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception)
        with use_span(span, end_on_exit, record_exception, set_status_on_exception) as current:
            yield current


class ReplaySafeTracerProvider(TracerProvider):
    """Wraps a tracer provider so that its tracers work in workflows. `create_tracer_provider` makes one that is right. Experimental.

    Args:
        tracer_provider: The provider to wrap. Raises ValueError if it does not draw its ids from a `TemporalIdGenerator`.
        id_generator: That generator.
    """

    def __init__(self, tracer_provider: trace_sdk.TracerProvider, id_generator: TemporalIdGenerator) -> None:
        if not isinstance(tracer_provider.id_generator, TemporalIdGenerator):
            raise ValueError(
                "ReplaySafeTracerProvider should only be used with a TemporalIdGenerator for replay safety. "
                "The given TracerProvider doesn't use one."
            )
        self._tracer_provider = tracer_provider
        self._id_generator = id_generator

    def add_span_processor(self, span_processor: trace_sdk.SpanProcessor) -> None:
        """Have spans processed, as with the wrapped provider."""
        self._tracer_provider.add_span_processor(span_processor)

    def shutdown(self) -> None:
        """Shut the wrapped provider down."""
        self._tracer_provider.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Export what waits to be exported. False if the time (in milliseconds) did not suffice."""
        return self._tracer_provider.force_flush(timeout_millis)

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """A tracer for this module; its spans know replays."""
        return _ReplaySafeTracer(
            self._tracer_provider.get_tracer(instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        )

    def id_generator(self) -> TemporalIdGenerator:
        """What the ids of spans are drawn from."""
        return self._id_generator


def create_tracer_provider(
    sampler: Sampler | None = None,
    resource: Resource | None = None,
    shutdown_on_exit: bool = True,
    active_span_processor: SynchronousMultiSpanProcessor | ConcurrentMultiSpanProcessor | None = None,
    id_generator: IdGenerator | None = None,
    span_limits: SpanLimits | None = None,
) -> ReplaySafeTracerProvider:
    """Make a tracer provider that works in workflows. Experimental.

    Args:
        sampler: Chooses the spans to report.
        resource: What the spans come from.
        shutdown_on_exit: Shut it down when the program ends.
        active_span_processor: Hands spans to the processors that are added.
        id_generator: Draws the ids outside of workflows.
        span_limits: How much a span may hold.
    """
    generator = TemporalIdGenerator(id_generator or RandomIdGenerator())
    provider = trace_sdk.TracerProvider(
        sampler=sampler,
        resource=resource,
        shutdown_on_exit=shutdown_on_exit,
        active_span_processor=active_span_processor,
        id_generator=generator,
        span_limits=span_limits,
    )
    return ReplaySafeTracerProvider(provider, generator)
