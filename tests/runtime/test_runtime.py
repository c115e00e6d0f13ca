"""Runtimes: where metrics go, compared with where the official SDK's go."""

import gc
import logging
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
import temporalio.runtime as official

from outlast import runtime
from outlast.common import MetricMeter
from outlast.runtime import LoggingConfig, MetricBuffer, PrometheusConfig, Runtime, TelemetryConfig, TelemetryFilter


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _record(meter: Any) -> None:
    """Something of every kind."""
    counter = meter.create_counter("my-counter", 'a "quoted"\n\\ text', "things")
    counter.add(3)
    counter.add(2, {"text": 'b"q\\\n', "number": 1, "fraction": 1.5, "truth": True, "dash-key": "x"})
    meter.create_counter("my-counter", 'a "quoted"\n\\ text', "things").add(4)
    meter.create_histogram("histogram").record(7)
    for value in (0, 50, 51, 10_000, 10_001):
        meter.create_histogram("of_ms", "ms", "ms").record(value)
    for value in (0.25, 5.0, 5.5, 5.6):
        meter.create_histogram_float("fraction", None, "s").record(value)
    meter.create_histogram_timedelta("duration", "d", "duration").record(timedelta(seconds=1.2345))
    meter.create_histogram_timedelta("duration_ms", "d", "ms").record(timedelta(days=2))
    meter.create_histogram_timedelta("temporal_workflow_endtoend_latency", "d").record(timedelta(seconds=1))
    meter.create_histogram_timedelta("activity_execution_latency", "d").record(timedelta(seconds=1))
    more = meter.with_additional_attributes({"level": 1}).with_additional_attributes({"level": 2, "other": "o"})
    more.create_gauge("gauge", "g", "By").set(5)
    more.create_gauge("gauge", "g", "By").set(4)
    more.create_gauge_float("gauge_float", "g").with_additional_attributes({"a": "b"}).set(5.5)


VARIANTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"counters_total_suffix": True, "unit_suffix": True, "durations_as_seconds": True}, {"attach_service_name": False}),
    ({"unit_suffix": True}, {"global_tags": {"tag": "t", "second": "u"}, "metric_prefix": "mine_"}),
    ({"histogram_bucket_overrides": {"fraction": [1, 5.5], "duration": [1234.5]}}, {}),
]


def _without_order(text: str) -> list[str]:
    """The lines in order, their labels, too: neither order means anything."""
    lines = []
    for line in text.splitlines():
        name, brace, rest = line.partition("{")
        labels, _, value = rest.rpartition("}")
        pairs = re.findall(r'\w+="(?:[^"\\]|\\.)*"', labels)
        lines.append(f"{name}{brace}{','.join(sorted(pairs))}{value}")
    return sorted(lines)


@pytest.mark.parametrize(("prometheus", "telemetry"), VARIANTS)
def test_prometheus_reads_what_it_reads_from_the_official_sdk(prometheus: dict[str, Any], telemetry: dict[str, Any]) -> None:
    texts = []
    for module in (runtime, official):
        address = _free_address()
        config = module.PrometheusConfig(bind_address=address, **prometheus)
        made = module.Runtime(telemetry=module.TelemetryConfig(metrics=config, **telemetry))
        _record(made.metric_meter)
        with urlopen(f"http://{address}/metrics") as response:
            assert response.headers["Content-Type"] == "text/plain; version=0.0.4"
            texts.append(_without_order(response.read().decode()))

    assert texts[0] == texts[1]


def test_a_runtime_that_is_gone_frees_its_address() -> None:
    address = _free_address()
    made = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"http://{address}/other")

    del made
    gc.collect()

    with pytest.raises(URLError):
        urlopen(f"http://{address}/metrics")


@pytest.mark.parametrize("address", ["", "host", "host:port", "127.0.0.1:"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="bind address"):
        Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))


@pytest.mark.parametrize("form", ["MILLISECONDS", "SECONDS"])
def test_a_buffer_holds_what_the_official_buffer_holds(form: str) -> None:
    def updates(module: ModuleType) -> list[Any]:
        buffer = module.MetricBuffer(10_000, module.MetricBufferDurationFormat[form])
        made = module.Runtime(telemetry=module.TelemetryConfig(metrics=buffer))
        _record(made.metric_meter)
        seen = [
            (update.metric.name, update.metric.description, update.metric.unit, update.metric.kind, update.value, update.attributes)
            for update in buffer.retrieve_updates()
        ]
        assert not buffer.retrieve_updates()
        return seen

    assert updates(runtime) == updates(official)


def test_a_metric_and_a_set_of_attributes_stay_the_same_objects() -> None:
    buffer = MetricBuffer(10)
    meter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter
    counter, more = meter.create_counter("c"), meter.create_counter("c").with_additional_attributes({"a": 1})

    for metric in (counter, more, counter, more):
        metric.add(1)
    first, second, third, fourth = buffer.retrieve_updates()

    assert first.metric is second.metric is third.metric
    assert first.attributes is third.attributes
    assert second.attributes is fourth.attributes


def test_a_full_buffer_drops_what_comes_later_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    buffer = MetricBuffer(2)
    counter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter.create_counter("c")

    for value in (1, 2, 3, 4):
        counter.add(value)

    assert [update.value for update in buffer.retrieve_updates()] == [1, 2]
    assert "2 metric updates were dropped" in caplog.text
    counter.add(5)
    assert [update.value for update in buffer.retrieve_updates()] == [5]


def test_a_buffer_without_a_runtime_cannot_be_read() -> None:
    with pytest.raises(RuntimeError, match="before runtime created"):
        MetricBuffer(1).retrieve_updates()


def test_values_and_attributes_are_checked() -> None:
    meter = Runtime(telemetry=TelemetryConfig(metrics=MetricBuffer(10))).metric_meter

    with pytest.raises(ValueError, match="Metric value cannot be negative"):
        meter.create_counter("c").add(-1)
    with pytest.raises(ValueError, match="Metric value cannot be negative"):
        meter.create_histogram_timedelta("d").record(timedelta(microseconds=-1))
    for call in (meter.with_additional_attributes, meter.create_gauge("g").with_additional_attributes):
        with pytest.raises(TypeError, match="Invalid value type for key a, must be str, int, float, or bool"):
            call({"a": None})  # type: ignore[dict-item]


def test_a_runtime_without_metrics_records_nothing() -> None:
    assert Runtime(telemetry=TelemetryConfig()).metric_meter is MetricMeter.noop
    _record(MetricMeter.noop)


def test_there_is_one_default_which_may_be_set_or_prevented() -> None:
    ref, given = runtime._RuntimeRef(), Runtime(telemetry=TelemetryConfig())
    assert ref.default() is ref.default()
    with pytest.raises(RuntimeError, match="already set"):
        ref.set_default(given)
    with pytest.raises(RuntimeError, match="after default runtime"):
        ref.prevent_default()
    ref.set_default(given, error_if_already_set=False)
    assert ref.default() is given

    ref = runtime._RuntimeRef()
    ref.prevent_default()
    with pytest.raises(RuntimeError, match="Cannot create default Runtime"):
        ref.default()
    ref.set_default(given)
    assert ref.default() is given


def test_heartbeats_need_a_positive_interval() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=-5))
    Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=None)


@pytest.fixture
def _levels() -> Iterator[None]:
    names = ("outlast.worker", "outlast.client", "outlast.service", "outlast.server", "outlast.workflow", "grpc")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def _level(name: str) -> int:
    return logging.getLogger(name).level


@pytest.mark.usefixtures("_levels")
def test_levels_are_set_only_when_they_are_given() -> None:
    before = _level("outlast.worker")
    Runtime(telemetry=TelemetryConfig())
    Runtime(telemetry=TelemetryConfig(logging=None))
    assert _level("outlast.worker") == before

    Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=TelemetryFilter(core_level="DEBUG", other_level="ERROR"))))
    assert (_level("outlast.worker"), _level("outlast.service"), _level("grpc")) == (logging.DEBUG, logging.DEBUG, logging.ERROR)
    assert _level("outlast.workflow") == logging.NOTSET

    Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="info, outlast.worker=ERROR")))
    assert (_level("outlast.worker"), _level("outlast.service")) == (logging.ERROR, logging.INFO)
    with pytest.raises(ValueError, match="Unknown log level 'loud'"):
        Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="loud")))
