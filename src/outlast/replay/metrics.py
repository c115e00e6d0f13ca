"""The meter of a workflow: it records nothing while history is replayed, since that was recorded when it happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from outlast import common

if TYPE_CHECKING:
    from outlast.replay.instance import Instance

_M = TypeVar("_M", bound=common.MetricCommon)
Attributes = common.MetricAttributes | None


def replay_safe(instance: Instance) -> common.MetricMeter:
    """The worker's meter with the attributes of this workflow."""
    info = instance.info
    attributes = {"namespace": info.namespace, "task_queue": info.task_queue, "workflow_type": info.workflow_type}
    meter = (instance.settings.metric_meter or common.MetricMeter.noop).with_additional_attributes(attributes)
    return _Meter(meter, lambda: instance.replaying)


class _Meter(common.MetricMeter):
    def __init__(self, meter: common.MetricMeter, replaying: Callable[[], bool]) -> None:
        self._meter = meter
        self._replaying = replaying

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricCounter:
        return _Counter(self._meter.create_counter(name, description, unit), self._replaying)

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricHistogram:
        return _Histogram(self._meter.create_histogram(name, description, unit), self._replaying)

    def create_histogram_float(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricHistogramFloat:
        return _HistogramFloat(self._meter.create_histogram_float(name, description, unit), self._replaying)

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricHistogramTimedelta:
        return _HistogramTimedelta(self._meter.create_histogram_timedelta(name, description, unit), self._replaying)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricGauge:
        return _Gauge(self._meter.create_gauge(name, description, unit), self._replaying)

    def create_gauge_float(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricGaugeFloat:
        return _GaugeFloat(self._meter.create_gauge_float(name, description, unit), self._replaying)

    def with_additional_attributes(self, additional_attributes: common.MetricAttributes) -> common.MetricMeter:
        return _Meter(self._meter.with_additional_attributes(additional_attributes), self._replaying)


class _Metric(common.MetricCommon, Generic[_M]):
    def __init__(self, metric: _M, replaying: Callable[[], bool]) -> None:
        self._metric = metric
        self._replaying = replaying

    @property
    def name(self) -> str:
        return self._metric.name

    @property
    def description(self) -> str | None:
        return self._metric.description

    @property
    def unit(self) -> str | None:
        return self._metric.unit

    def with_additional_attributes(self, additional_attributes: common.MetricAttributes) -> Self:
        return type(self)(self._metric.with_additional_attributes(additional_attributes), self._replaying)

    def _live(self, record: Callable[[Any, Attributes], None], value: Any, attributes: Attributes) -> None:
        if not self._replaying():
            record(value, attributes)


class _Counter(_Metric[common.MetricCounter], common.MetricCounter):
    def add(self, value: int, additional_attributes: Attributes = None) -> None:
        self._live(self._metric.add, value, additional_attributes)


class _Histogram(_Metric[common.MetricHistogram], common.MetricHistogram):
    def record(self, value: int, additional_attributes: Attributes = None) -> None:
        self._live(self._metric.record, value, additional_attributes)


class _HistogramFloat(_Metric[common.MetricHistogramFloat], common.MetricHistogramFloat):
    def record(self, value: float, additional_attributes: Attributes = None) -> None:
        self._live(self._metric.record, value, additional_attributes)


class _HistogramTimedelta(_Metric[common.MetricHistogramTimedelta], common.MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: Attributes = None) -> None:
        self._live(self._metric.record, value, additional_attributes)


class _Gauge(_Metric[common.MetricGauge], common.MetricGauge):
    def set(self, value: int, additional_attributes: Attributes = None) -> None:
        self._live(self._metric.set, value, additional_attributes)


class _GaugeFloat(_Metric[common.MetricGaugeFloat], common.MetricGaugeFloat):
    def set(self, value: float, additional_attributes: Attributes = None) -> None:
        self._live(self._metric.set, value, additional_attributes)
