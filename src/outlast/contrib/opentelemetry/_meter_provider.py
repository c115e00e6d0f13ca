"""A meter provider that drops what workflow code measures while its history is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.metrics import (
    CallbackT,
    Counter,
    Histogram,
    Meter,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
    _Gauge,
)
from opentelemetry.util.types import Attributes

from outlast.contrib.opentelemetry._replaying import is_replaying, recording

__all__ = ["ReplaySafeMeterProvider"]


class _Wrapped:
    """Whatever is not said otherwise is as with the wrapped instrument."""

    def __init__(self, instrument: Any) -> None:
        self._instrument = instrument

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instrument, name)


class _ReplaySafeCounter(_Wrapped, Counter):
    def add(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if not is_replaying():
            with recording():
                self._instrument.add(amount, attributes, context)


class _ReplaySafeUpDownCounter(_Wrapped, UpDownCounter):
    def add(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if not is_replaying():
            with recording():
                self._instrument.add(amount, attributes, context)


class _ReplaySafeHistogram(_Wrapped, Histogram):
    def record(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if not is_replaying():
            with recording():
                self._instrument.record(amount, attributes, context)


class _ReplaySafeGauge(_Wrapped, _Gauge):
    def set(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if not is_replaying():
            with recording():
                self._instrument.set(amount, attributes, context)


class _ReplaySafeMeter(Meter):
    def __init__(self, meter: Meter) -> None:
        super().__init__(meter.name, meter.version, meter.schema_url)
        self._meter = meter

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Counter:
        return _ReplaySafeCounter(self._meter.create_counter(name, unit, description))

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> UpDownCounter:
        return _ReplaySafeUpDownCounter(self._meter.create_up_down_counter(name, unit, description))

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> Histogram:
        return _ReplaySafeHistogram(
            self._meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=explicit_bucket_boundaries_advisory)
        )

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> _Gauge:
        return _ReplaySafeGauge(self._meter.create_gauge(name, unit, description))

    # What is observed is asked for by the reader of the metrics, never by workflow code.

    def create_observable_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> ObservableCounter:
        return self._meter.create_observable_counter(name, callbacks, unit, description)

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> ObservableGauge:
        return self._meter.create_observable_gauge(name, callbacks, unit, description)

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> ObservableUpDownCounter:
        return self._meter.create_observable_up_down_counter(name, callbacks, unit, description)


class ReplaySafeMeterProvider(MeterProvider):
    """Wraps a meter provider so that a workflow's measurements count once, and not again in each replay. Experimental.

    A workflow task that fails and is tried again measures again. Queries and validators of updates always measure. Set it as the
    global provider (`opentelemetry.metrics.set_meter_provider`), which can be done once in a process.
    """

    def __init__(self, meter_provider: MeterProvider) -> None:
        self._meter_provider = meter_provider

    def __getattr__(self, name: str) -> Any:
        """Whatever else the wrapped provider has: `shutdown`, `force_flush`."""
        return getattr(self._meter_provider, name)

    def get_meter(
        self, name: str, version: str | None = None, schema_url: str | None = None, attributes: Attributes | None = None
    ) -> Meter:
        """A meter for this module."""
        return _ReplaySafeMeter(self._meter_provider.get_meter(name, version, schema_url, attributes))
