"""Meters and metrics as user code sees them, and those that record nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Self, TypeAlias

MetricAttributes: TypeAlias = Mapping[str, str | int | float | bool]


class MetricMeter(ABC):
    """Where metrics are made."""

    noop: ClassVar[MetricMeter]
    """The meter that records nothing."""

    @abstractmethod
    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        """A metric that only grows."""
        ...

    @abstractmethod
    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        """A distribution of whole numbers."""
        ...

    @abstractmethod
    def create_histogram_float(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogramFloat:
        """A distribution of numbers."""
        ...

    @abstractmethod
    def create_histogram_timedelta(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogramTimedelta:
        """A distribution of durations, precise to the millisecond. The unit `duration` becomes `ms` or `s` on the way out."""
        ...

    @abstractmethod
    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        """A whole number that rises and falls."""
        ...

    @abstractmethod
    def create_gauge_float(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGaugeFloat:
        """A number that rises and falls."""
        ...

    @abstractmethod
    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        """A meter whose metrics carry these attributes as well.

        Raises:
            TypeError: A value is neither text, number nor bool.
        """
        ...


class MetricCommon(ABC):
    """What all metrics have."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the metric."""
        ...

    @property
    @abstractmethod
    def description(self) -> str | None:
        """What it means."""
        ...

    @property
    @abstractmethod
    def unit(self) -> str | None:
        """Its unit."""
        ...

    @abstractmethod
    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        """The same metric, carrying these attributes as well.

        Raises:
            TypeError: A value is neither text, number nor bool.
        """
        ...


class MetricCounter(MetricCommon):
    """A metric that only grows."""

    @abstractmethod
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Add to the counter.

        Raises:
            ValueError: The value is negative.
            TypeError: An attribute is neither text, number nor bool.
        """
        ...


class MetricHistogram(MetricCommon):
    """A distribution of whole numbers."""

    @abstractmethod
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Record a value.

        Raises:
            ValueError: The value is negative.
            TypeError: An attribute is neither text, number nor bool.
        """
        ...


class MetricHistogramFloat(MetricCommon):
    """A distribution of numbers."""

    @abstractmethod
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        """Record a value.

        Raises:
            ValueError: The value is negative.
            TypeError: An attribute is neither text, number nor bool.
        """
        ...


class MetricHistogramTimedelta(MetricCommon):
    """A distribution of durations."""

    @abstractmethod
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        """Record a duration, precise to the millisecond.

        Raises:
            ValueError: The value is negative.
            TypeError: An attribute is neither text, number nor bool.
        """
        ...


class MetricGauge(MetricCommon):
    """A whole number that rises and falls."""

    @abstractmethod
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Set the gauge.

        Raises:
            ValueError: The value is negative.
            TypeError: An attribute is neither text, number nor bool.
        """
        ...


class MetricGaugeFloat(MetricCommon):
    """A number that rises and falls."""

    @abstractmethod
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        """Set the gauge.

        Raises:
            ValueError: The value is negative.
            TypeError: An attribute is neither text, number nor bool.
        """
        ...


class _NoopMetricMeter(MetricMeter):
    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter:
        return _NoopCounter(name, description, unit)

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogram:
        return _NoopHistogram(name, description, unit)

    def create_histogram_float(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogramFloat:
        return _NoopHistogramFloat(name, description, unit)

    def create_histogram_timedelta(self, name: str, description: str | None = None, unit: str | None = None) -> MetricHistogramTimedelta:
        return _NoopHistogramTimedelta(name, description, unit)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge:
        return _NoopGauge(name, description, unit)

    def create_gauge_float(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGaugeFloat:
        return _NoopGaugeFloat(name, description, unit)

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return self


class _NamedMetric(MetricCommon):
    """A metric that knows its name, description and unit."""

    def __init__(self, name: str, description: str | None, unit: str | None) -> None:
        self._name = name
        self._description = description
        self._unit = unit

    @property
    def name(self) -> str:
        return self._name

    @property
    def description(self) -> str | None:
        return self._description

    @property
    def unit(self) -> str | None:
        return self._unit


class _NoopMetric(_NamedMetric):
    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        return self


class _NoopCounter(_NoopMetric, MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopHistogram(_NoopMetric, MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopHistogramFloat(_NoopMetric, MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopHistogramTimedelta(_NoopMetric, MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopGauge(_NoopMetric, MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        pass


class _NoopGaugeFloat(_NoopMetric, MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        pass


MetricMeter.noop = _NoopMetricMeter()
