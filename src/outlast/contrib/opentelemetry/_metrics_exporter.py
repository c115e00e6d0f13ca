"""Hands the metrics of a runtime to OpenTelemetry."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any

from opentelemetry.metrics import Meter, MeterProvider, get_meter_provider

from outlast.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    BufferedMetricUpdate,
    MetricBuffer,
)

__all__ = ["MetricsExporter"]

logger = logging.getLogger(__name__)

_Record = Callable[[float, Mapping[str, Any]], None]


class MetricsExporter:
    """Empties a runtime's `MetricBuffer` into a meter provider, again and again, in an `async with` block or a task of `run`. Experimental.

    Args:
        buffer: The buffer, with which the runtime must have been made before this starts.
        meter_provider: Where the metrics go; the global provider if not given.
        meter_name: The name of the meter.
        meter_version: The version of the meter.
        poll_interval: How often the buffer is emptied. Metrics are lost if it is full before.
        on_error: Called, beside a log record, with each error that a metric could not be recorded for.
    """

    def __init__(
        self,
        buffer: MetricBuffer,
        meter_provider: MeterProvider | None = None,
        *,
        meter_name: str = "outlast",
        meter_version: str | None = None,
        poll_interval: timedelta = timedelta(seconds=1),
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self._buffer = buffer
        self._meter = (meter_provider or get_meter_provider()).get_meter(meter_name, meter_version)
        self._poll_interval = poll_interval
        self._on_error = on_error
        self._records: dict[BufferedMetric, _Record] = {}
        self._running = False
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Export until `shutdown` is called, and once more then.

        Raises:
            RuntimeError: It runs already, or no runtime was made with the buffer.
        """
        if self._running:
            raise RuntimeError("MetricsExporter is already running")
        self._running = True
        self._ended.clear()
        try:
            while not self._stop.is_set():
                self._drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_interval.total_seconds()):
                        await self._stop.wait()
            self._drain()
        finally:
            self._running = False
            # Not at the start: `shutdown` may have been called before the task of `run` got to run.
            self._stop.clear()
            self._ended.set()

    async def shutdown(self) -> None:
        """Export what is left, and end `run`."""
        self._stop.set()
        await self._ended.wait()

    async def __aenter__(self) -> MetricsExporter:
        """Start `run` in a task."""
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Shut down. Raises what `run` raised."""
        await self.shutdown()
        if self._task:
            await self._task

    def _drain(self) -> None:
        for update in self._buffer.retrieve_updates():
            try:
                self._apply(update)
            except Exception as error:
                logger.exception("Cannot export the metric %s", update.metric.name)
                if self._on_error:
                    self._on_error(error)

    def _apply(self, update: BufferedMetricUpdate) -> None:
        record = self._records.get(update.metric)
        if record is None:
            record = self._records[update.metric] = _instrument(self._meter, update.metric)
        record(update.value, update.attributes)


def _instrument(meter: Meter, metric: BufferedMetric) -> _Record:
    """What records the values of a metric."""
    described = (metric.name, metric.unit or "", metric.description or "")
    if metric.kind == BUFFERED_METRIC_KIND_COUNTER:
        return meter.create_counter(*described).add
    if metric.kind == BUFFERED_METRIC_KIND_HISTOGRAM:
        return meter.create_histogram(*described).record
    if metric.kind == BUFFERED_METRIC_KIND_GAUGE:
        return meter.create_gauge(*described).set
    raise ValueError(f"Unrecognized buffered metric kind: {metric.kind}")
