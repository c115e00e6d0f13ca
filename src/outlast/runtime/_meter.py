"""Meters that hand every value to a recorder."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import NamedTuple, Protocol, Self

from outlast import common
from outlast.common import MetricAttributes


class Kind(Enum):
    """What a metric measures, and in what."""

    COUNTER = 1
    GAUGE = 2
    HISTOGRAM = 3
    DURATION = 4


class Metric(NamedTuple):
    """A metric as a recorder knows it."""

    name: str
    description: str | None
    unit: str | None
    kind: Kind


class Recorder(Protocol):
    """Where values go. Called from any thread."""

    def record(self, metric: Metric, value: int | float | timedelta, attributes: MetricAttributes) -> None:
        """Take a value, a `timedelta` for durations. The attributes are not changed later."""
        ...


class Meter(common.MetricMeter):
    """Makes metrics of one recorder, with some attributes."""

    def __init__(self, recorder: Recorder, attributes: MetricAttributes) -> None:
        self._recorder = recorder
        self._attributes = attributes

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricCounter:
        return _Counter(self._recorder, Metric(name, description, unit, Kind.COUNTER), self._attributes)

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricHistogram:
        return _Histogram(self._recorder, Metric(name, description, unit, Kind.HISTOGRAM), self._attributes)

    def create_histogram_float(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricHistogramFloat:
        return _HistogramFloat(self._recorder, Metric(name, description, unit, Kind.HISTOGRAM), self._attributes)

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricHistogramTimedelta:
        return _HistogramTimedelta(self._recorder, Metric(name, description, unit, Kind.DURATION), self._attributes)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricGauge:
        return _Gauge(self._recorder, Metric(name, description, unit, Kind.GAUGE), self._attributes)

    def create_gauge_float(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricGaugeFloat:
        return _GaugeFloat(self._recorder, Metric(name, description, unit, Kind.GAUGE), self._attributes)

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> common.MetricMeter:
        return Meter(self._recorder, _extended(self._attributes, additional_attributes))


class _Recorded(common.MetricCommon):
    def __init__(self, recorder: Recorder, metric: Metric, attributes: MetricAttributes) -> None:
        self._recorder = recorder
        self._metric = metric
        self._attributes = attributes

    @property
    def name(self) -> str:
        return self._metric.name

    @property
    def description(self) -> str | None:
        return self._metric.description

    @property
    def unit(self) -> str | None:
        return self._metric.unit

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        return type(self)(self._recorder, self._metric, _extended(self._attributes, additional_attributes))

    def _record(self, value: int | float | timedelta, additional_attributes: MetricAttributes | None) -> None:
        if (value.days if isinstance(value, timedelta) else value) < 0:
            raise ValueError("Metric value cannot be negative")
        attributes = _extended(self._attributes, additional_attributes) if additional_attributes else self._attributes
        self._recorder.record(self._metric, value, attributes)


class _Counter(_Recorded, common.MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._record(value, additional_attributes)


class _Histogram(_Recorded, common.MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._record(value, additional_attributes)


class _HistogramFloat(_Recorded, common.MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._record(value, additional_attributes)


class _HistogramTimedelta(_Recorded, common.MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        self._record(value, additional_attributes)


class _Gauge(_Recorded, common.MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._record(value, additional_attributes)


class _GaugeFloat(_Recorded, common.MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._record(value, additional_attributes)


def _extended(attributes: MetricAttributes, more: MetricAttributes) -> MetricAttributes:
    for key, value in more.items():
        if not isinstance(value, str | int | float | bool):
            raise TypeError(f"Invalid value type for key {key}, must be str, int, float, or bool")
    return {**attributes, **more}
