"""Metrics summed up in memory and served to Prometheus."""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

from outlast.common import MetricAttributes
from outlast.runtime._meter import Kind, Metric
from outlast.runtime._telemetry import PrometheusConfig

CONTENT_TYPE = "text/plain; version=0.0.4"

_Labels: TypeAlias = tuple[tuple[str, str], ...]

_DEFAULT_BUCKETS_MS = (50.0, 100.0, 500.0, 1_000.0, 2_500.0, 10_000.0)
# Of the metrics that SDKs make themselves, by name without their prefix.
_BUCKETS_MS: Mapping[str, Sequence[float]] = {
    "workflow_endtoend_latency": (
        *(100.0, 500.0, 1_000.0, 1_500.0, 2_000.0, 5_000.0, 10_000.0, 30_000.0, 60_000.0, 120_000.0, 300_000.0, 600_000.0),
        *(1_800_000.0, 3_600_000.0, 30_600_000.0, 86_400_000.0),
    ),
    "workflow_task_execution_latency": (1.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0),
    "workflow_task_replay_latency": (1.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0),
    "activity_execution_latency": (50.0, 100.0, 500.0, 1_000.0, 5_000.0, 10_000.0, 60_000.0),
    "workflow_task_schedule_to_start_latency": (100.0, 500.0, 1_000.0, 5_000.0, 10_000.0, 100_000.0, 1_000_000.0),
    "activity_schedule_to_start_latency": (100.0, 500.0, 1_000.0, 5_000.0, 10_000.0, 100_000.0, 1_000_000.0),
}
_TYPES = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.HISTOGRAM: "histogram", Kind.DURATION: "histogram"}


class _Distribution:
    """How many values fell below each bound, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.counts = [0] * (len(bounds) + 1)
        self.sum: int | float = 0

    def add(self, bounds: Sequence[float], value: int | float) -> None:
        self.counts[bisect_left(bounds, value)] += 1
        self.sum += value


class _Family:
    """All values of one metric."""

    def __init__(self, name: str, metric: Metric, bounds: Sequence[float]) -> None:
        self.name = name
        self.kind = metric.kind
        self.help = metric.description or name
        self.bounds = bounds
        self.numbers: dict[_Labels, int | float] = {}
        self.distributions: dict[_Labels, _Distribution] = {}

    def lines(self) -> Iterator[str]:
        escaped = self.help.replace("\\", r"\\").replace("\n", r"\n")
        yield f"# HELP {self.name} {escaped}"
        yield f"# TYPE {self.name} {_TYPES[self.kind]}"
        for labels, number in sorted(self.numbers.items()):
            yield f"{self.name}{_braces(labels)} {_number(number)}"
        for labels, distribution in sorted(self.distributions.items(), key=lambda item: item[0]):
            yield from self._lines_of(labels, distribution)

    def _lines_of(self, labels: _Labels, distribution: _Distribution) -> Iterator[str]:
        total = 0
        for bound, count in zip((*map(_number, self.bounds), "+Inf"), distribution.counts, strict=True):
            total += count
            yield f"{self.name}_bucket{_braces((*labels, ('le', bound)))} {total}"
        yield f"{self.name}_sum{_braces(labels)} {_number(distribution.sum)}"
        yield f"{self.name}_count{_braces(labels)} {total}"


class Prometheus:
    """Sums up what is recorded, and shows it as text."""

    def __init__(self, config: PrometheusConfig, global_tags: Mapping[str, str], prefix: str = "temporal_") -> None:
        """`prefix` is that of the SDK's own metrics."""
        self._config = config
        self._prefix = _name(prefix)
        self._global_tags = global_tags
        self._families: dict[str, _Family] = {}
        self._lock = threading.Lock()

    def record(self, metric: Metric, value: int | float | timedelta, attributes: MetricAttributes) -> None:
        """Add a value."""
        labels = tuple(sorted((_name(key), _label(item)) for key, item in {**self._global_tags, **attributes}.items()))
        if isinstance(value, timedelta):
            milliseconds = value // timedelta(milliseconds=1)
            value = milliseconds / 1000 if self._config.durations_as_seconds else milliseconds
        with self._lock:
            family = self._family(metric)
            match metric.kind:
                case Kind.COUNTER:
                    family.numbers[labels] = family.numbers.get(labels, 0) + value
                case Kind.GAUGE:
                    family.numbers[labels] = value
                case Kind.HISTOGRAM | Kind.DURATION:
                    distribution = family.distributions.setdefault(labels, _Distribution(family.bounds))
                    distribution.add(family.bounds, value)

    def text(self) -> str:
        """All metrics, as Prometheus reads them."""
        with self._lock:
            families = sorted(self._families.items())
            return "".join(f"{line}\n" for _, family in families for line in family.lines())

    def _family(self, metric: Metric) -> _Family:
        name = self._full_name(metric)
        family = self._families.get(name)
        if family is None:
            family = self._families[name] = _Family(name, metric, self._bounds(_name(metric.name)))
        return family

    def _full_name(self, metric: Metric) -> str:
        name = _name(metric.name)
        if metric.kind is Kind.COUNTER:
            return f"{name}_total" if self._config.counters_total_suffix else name
        if metric.kind is Kind.GAUGE or not self._config.unit_suffix:
            return name
        if metric.kind is Kind.DURATION:
            return f"{name}_{'seconds' if self._config.durations_as_seconds else 'milliseconds'}"
        return f"{name}_{_name(metric.unit)}" if metric.unit else name

    def _bounds(self, name: str) -> Sequence[float]:
        for part, bounds in (self._config.histogram_bucket_overrides or {}).items():
            if part in name:
                return bounds
        milliseconds = _BUCKETS_MS.get(name.removeprefix(self._prefix).removeprefix("temporal_"), _DEFAULT_BUCKETS_MS)
        return [bound / 1000 for bound in milliseconds] if self._config.durations_as_seconds else milliseconds


class _Handler(BaseHTTPRequestHandler):
    metrics: Prometheus

    def do_GET(self) -> None:
        if self.path != "/metrics":
            self.send_error(404)
            return
        body = self.metrics.text().encode()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: scrapes come all the time."""


class PrometheusServer:
    """Serves metrics from a thread until it is closed."""

    def __init__(self, metrics: Prometheus, bind_address: str) -> None:
        """Raises OSError when the address cannot be bound, ValueError when it is none."""
        host, colon, port = bind_address.rpartition(":")
        if not colon or not port.isdecimal():
            raise ValueError(f"Invalid Prometheus bind address {bind_address!r}, must be host:port")
        handler = type("Handler", (_Handler,), {"metrics": metrics})
        self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="outlast-prometheus", daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _name(text: str) -> str:
    """A text made a name that Prometheus accepts."""
    return re.sub(r"[^a-zA-Z0-9_:]", "_", text)


def _label(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else _number(value)


def _number(value: int | float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _braces(labels: _Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{key}="{_escaped(value)}"' for key, value in labels)
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
