"""Metrics of a runtime arrive at OpenTelemetry."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from outlast.contrib.opentelemetry import MetricsExporter
from outlast.runtime import MetricBuffer, Runtime, TelemetryConfig

HOUR = timedelta(hours=1)


def _exported(reader: InMemoryMetricReader) -> dict[str, Any]:
    """The points of each metric."""
    data: Any = reader.get_metrics_data()
    metrics = (metric for scope in data.resource_metrics[0].scope_metrics for metric in scope.metrics)
    return {metric.name: metric.data.data_points for metric in metrics}


async def test_what_was_measured_is_exported_by_the_end_of_the_block() -> None:
    buffer, reader = MetricBuffer(100), InMemoryMetricReader()
    meter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter

    async with MetricsExporter(buffer, MeterProvider([reader]), poll_interval=HOUR):
        counter, gauge = meter.create_counter("orders", "how many", "1"), meter.create_gauge("open")
        counter.add(2, {"city": "Lisbon"})
        counter.add(3, {"city": "Lisbon"})
        gauge.set(7)
        gauge.set(5)
        meter.create_histogram("items").record(4)

    exported = _exported(reader)
    assert [point.value for point in exported["orders"]] == [5]
    assert exported["orders"][0].attributes["city"] == "Lisbon"
    assert [point.value for point in exported["open"]] == [5]
    assert [point.sum for point in exported["items"]] == [4]


async def test_a_metric_that_cannot_be_exported_is_told_and_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    buffer, reader = MetricBuffer(100), InMemoryMetricReader()
    meter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter
    errors: list[Exception] = []

    async with MetricsExporter(buffer, MeterProvider([reader]), poll_interval=HOUR, on_error=errors.append):
        meter.create_counter("not a name for a metric").add(1)
        meter.create_counter("orders").add(1)

    assert len(errors) == 1
    assert "Cannot export the metric not a name for a metric" in caplog.text
    assert list(_exported(reader)) == ["orders"]


async def test_it_runs_once_at_a_time_and_may_run_again() -> None:
    buffer = MetricBuffer(100)
    Runtime(telemetry=TelemetryConfig(metrics=buffer))
    exporter = MetricsExporter(buffer, MeterProvider(), poll_interval=HOUR)

    for _ in range(2):
        async with exporter:
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="already running"):
                await exporter.run()


async def test_a_buffer_that_no_runtime_fills_is_an_error_of_the_program() -> None:
    with pytest.raises(RuntimeError, match="before runtime created"):
        async with MetricsExporter(MetricBuffer(100), MeterProvider()):
            pass
