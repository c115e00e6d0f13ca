"""Providers of OpenTelemetry in workflows: a replay makes the same ids again and reports nothing twice."""

import inspect
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry._logs import Logger, LoggerProvider, LogRecord
from opentelemetry.metrics import Counter, Histogram, Meter, MeterProvider, UpDownCounter, _Gauge
from opentelemetry.sdk._logs import LoggerProvider as SdkLoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, Span, SpanContext, Status, StatusCode, Tracer, TracerProvider, get_current_span

from outlast.contrib.opentelemetry import (
    ReplaySafeLoggerProvider,
    ReplaySafeMeterProvider,
    ReplaySafeTracerProvider,
    _logger_provider,
    _meter_provider,
    _tracer_provider,
    create_tracer_provider,
)
from outlast.contrib.opentelemetry._id_generator import TemporalIdGenerator
from tests.workflow.recording import in_workflow

SEED = 7
NOW_NS = 1_700_000_000_000_000_000


def _workflow(**answers: Any) -> Any:
    return in_workflow(**{"instance": SimpleNamespace(), "random_seed": SEED, "time_ns": NOW_NS, **answers})


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Tracer:
    provider = create_tracer_provider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test")


async def test_a_replay_makes_the_same_ids_again_and_ends_no_span(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    def spans() -> list[SpanContext]:
        with tracer.start_as_current_span("outer") as outer, tracer.start_as_current_span("inner") as inner:
            assert get_current_span() is inner
        return [outer.get_span_context(), inner.get_span_context()]

    with _workflow():
        first = spans()
    assert [span.name for span in exporter.get_finished_spans()] == ["inner", "outer"]
    exporter.clear()
    with _workflow(is_replaying_history_events=True):
        again = spans()

    assert [(span.trace_id, span.span_id) for span in again] == [(span.trace_id, span.span_id) for span in first]
    assert exporter.get_finished_spans() == ()


async def test_ids_leave_the_workflows_own_random_numbers_alone(tracer: Tracer) -> None:
    own = Random(SEED)
    with _workflow(random=own):
        tracer.start_span("span").end()

    assert own.random() == Random(SEED).random()


async def test_a_query_draws_ids_elsewhere(tracer: Tracer) -> None:
    with _workflow(is_read_only=True) as recording:
        first, second = (tracer.start_span("span").get_span_context().span_id for _ in range(2))

    assert first != second
    assert "instance" not in [asked for asked, _ in recording.asked]


async def test_a_span_that_outlives_a_replay_began_when_the_workflow_came_there_first(
    tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    with _workflow(is_replaying_history_events=True):
        span = tracer.start_span("long")
    with _workflow():
        span.end()

    [finished] = exporter.get_finished_spans()
    assert finished.start_time == NOW_NS


async def test_a_span_that_fails_the_task_is_not_reported_but_one_that_fails_the_workflow_is(
    tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    for fails_the_workflow in (False, True):
        with _workflow(is_failure_exception=fails_the_workflow), pytest.raises(KeyError), tracer.start_as_current_span("span"):
            raise KeyError("missing")

    [finished] = exporter.get_finished_spans()
    assert finished.status.status_code is StatusCode.ERROR
    assert [event.name for event in finished.events] == ["exception"]


def test_outside_of_workflows_a_span_is_like_any_other(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    with tracer.start_as_current_span("other") as other:
        pass
    span = tracer.start_span("span")
    span.set_attribute("one", 1)
    span.set_attributes({"two": 2})
    span.add_event("happened")
    span.add_link(other.get_span_context())
    span.update_name("renamed")
    span.set_status(Status(StatusCode.OK))
    assert span.is_recording()
    assert span.name == "renamed"  # type: ignore[attr-defined]
    span.end()

    finished: ReadableSpan = exporter.get_finished_spans()[-1]
    assert (finished.name, finished.attributes) == ("renamed", {"one": 1, "two": 2})
    assert [event.name for event in finished.events] == ["happened"]
    assert [link.context.span_id for link in finished.links] == [other.get_span_context().span_id]


async def test_a_traced_function_may_be_async(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    @tracer.start_as_current_span("decorated", links=[Link(SpanContext(1, 2, False))])
    async def work() -> None:
        assert get_current_span().is_recording()

    await work()

    assert [span.name for span in exporter.get_finished_spans()] == ["decorated"]


def test_a_provider_must_draw_its_ids_where_a_replay_finds_them() -> None:
    generator = TemporalIdGenerator(RandomIdGenerator())
    with pytest.raises(ValueError, match="should only be used with a TemporalIdGenerator"):
        ReplaySafeTracerProvider(SdkTracerProvider(), generator)

    provider = ReplaySafeTracerProvider(SdkTracerProvider(id_generator=generator), generator)
    assert provider.id_generator() is generator
    assert provider.force_flush()
    provider.shutdown()


async def test_records_are_emitted_once() -> None:
    exporter = InMemoryLogRecordExporter()
    wrapped = SdkLoggerProvider()
    wrapped.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider = ReplaySafeLoggerProvider(wrapped)
    logger = provider.get_logger("test", "1", "schema")

    logger.emit(LogRecord(body="outside"))
    with _workflow():
        assert logger.enabled()
        logger.emit(LogRecord(body="first"))
    with _workflow(is_replaying_history_events=True):
        assert not logger.enabled()
        logger.emit(LogRecord(body="again"))

    assert [record.log_record.body for record in exporter.get_finished_logs()] == ["outside", "first"]
    assert provider.force_flush()


MEASURE: dict[str, Callable[[Meter], Callable[[int], None]]] = {
    "counter": lambda meter: meter.create_counter("measured").add,
    "up-down": lambda meter: meter.create_up_down_counter("measured").add,
    "histogram": lambda meter: meter.create_histogram("measured", explicit_bucket_boundaries_advisory=[1.0]).record,
    "gauge": lambda meter: meter.create_gauge("measured").set,
}


@pytest.mark.parametrize("kind", MEASURE)
async def test_measurements_count_once(kind: str) -> None:
    reader = InMemoryMetricReader()
    provider = ReplaySafeMeterProvider(SdkMeterProvider([reader]))
    measure = MEASURE[kind](provider.get_meter("test"))

    with _workflow():
        measure(3)
    with _workflow(is_replaying_history_events=True):
        measure(4)

    data: Any = reader.get_metrics_data()
    [point] = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert (point.sum if kind == "histogram" else point.value) == 3
    assert provider.force_flush()


def test_what_is_observed_passes_through() -> None:
    reader = InMemoryMetricReader()
    meter = ReplaySafeMeterProvider(SdkMeterProvider([reader])).get_meter("test")
    for create in (meter.create_observable_counter, meter.create_observable_gauge, meter.create_observable_up_down_counter):
        create(create.__name__, [lambda _: []])

    assert type(meter.create_observable_gauge("other")).__module__.startswith("opentelemetry")


WRAPPERS = [
    (_tracer_provider._ReplaySafeSpan, Span),
    (_tracer_provider._ReplaySafeTracer, Tracer),
    (ReplaySafeTracerProvider, TracerProvider),
    (_logger_provider._ReplaySafeLogger, Logger),
    (ReplaySafeLoggerProvider, LoggerProvider),
    (_meter_provider._ReplaySafeMeter, Meter),
    (ReplaySafeMeterProvider, MeterProvider),
    (_meter_provider._ReplaySafeCounter, Counter),
    (_meter_provider._ReplaySafeUpDownCounter, UpDownCounter),
    (_meter_provider._ReplaySafeHistogram, Histogram),
    (_meter_provider._ReplaySafeGauge, _Gauge),
]


@pytest.mark.parametrize(("wrapper", "base"), WRAPPERS, ids=lambda cls: cls.__name__)
def test_a_wrapper_passes_on_all_that_opentelemetry_has(wrapper: type, base: type) -> None:
    """A method that a new version adds does nothing until it is passed on."""
    wanted = {name for name, value in inspect.getmembers_static(base) if not name.startswith("_") and callable(value)}
    given = {name for cls in wrapper.__mro__ if cls.__module__.startswith("outlast") for name in vars(cls)}

    assert wanted - given == set()
