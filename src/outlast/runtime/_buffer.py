"""Metrics kept in memory, for a program to fetch."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, NewType, Protocol

from outlast.runtime._meter import Kind, Metric

if TYPE_CHECKING:
    import outlast.common

logger = logging.getLogger("outlast.client")

BufferedMetricKind = NewType("BufferedMetricKind", int)
"""What a metric measures; one of the `BUFFERED_METRIC_KIND_…`."""

BUFFERED_METRIC_KIND_COUNTER = BufferedMetricKind(0)
"""A sum: values are what is added."""

BUFFERED_METRIC_KIND_GAUGE = BufferedMetricKind(1)
"""A level."""

BUFFERED_METRIC_KIND_HISTOGRAM = BufferedMetricKind(2)
"""A distribution."""

_KINDS = {
    Kind.COUNTER: BUFFERED_METRIC_KIND_COUNTER,
    Kind.GAUGE: BUFFERED_METRIC_KIND_GAUGE,
    Kind.HISTOGRAM: BUFFERED_METRIC_KIND_HISTOGRAM,
    Kind.DURATION: BUFFERED_METRIC_KIND_HISTOGRAM,
}


class BufferedMetric(Protocol):
    """A metric that was updated. For one name and runtime it is always the same object."""

    @property
    def name(self) -> str:
        """Name of the metric."""
        ...

    @property
    def description(self) -> str | None:
        """What it means."""
        ...

    @property
    def unit(self) -> str | None:
        """Its unit."""
        ...

    @property
    def kind(self) -> BufferedMetricKind:
        """What it measures."""
        ...


class BufferedMetricUpdate(Protocol):
    """One value of a metric."""

    @property
    def metric(self) -> BufferedMetric:
        """The metric."""
        ...

    @property
    def value(self) -> int | float:
        """The value; of a counter what is added."""
        ...

    @property
    def attributes(self) -> outlast.common.MetricAttributes:
        """Attributes of the value; the same object for all updates of one set. Do not change it."""
        ...


class _BufferedMetric(NamedTuple):
    name: str
    description: str | None
    unit: str | None
    kind: BufferedMetricKind


class _Update(NamedTuple):
    metric: BufferedMetric
    value: int | float
    attributes: outlast.common.MetricAttributes


class MetricBufferDurationFormat(Enum):
    """What durations look like in a buffer."""

    MILLISECONDS = 1
    """Whole milliseconds."""

    SECONDS = 2
    """Seconds, with a fraction."""


class MetricBuffer:
    """Keeps updates of metrics until they are fetched. When it is full, further updates are dropped, and an error is logged."""

    def __init__(self, buffer_size: int, duration_format: MetricBufferDurationFormat = MetricBufferDurationFormat.MILLISECONDS) -> None:
        """`buffer_size` is how many updates are kept; tens of thousands are reasonable."""
        self._buffer_size = buffer_size
        self._durations_as_seconds = duration_format == MetricBufferDurationFormat.SECONDS
        self._updates: deque[_Update] = deque()
        self._metrics: dict[Metric, _BufferedMetric] = {}
        self._in_use = False
        self._dropped = 0

    def retrieve_updates(self) -> Sequence[BufferedMetricUpdate]:
        """Fetch the updates, which empties the buffer. Must be called regularly.

        Raises:
            RuntimeError: No runtime has been made with this buffer.
        """
        if not self._in_use:
            raise RuntimeError("Attempting to retrieve updates before runtime created")
        updates = []
        while self._updates:  # threads may add to it at the same time
            updates.append(self._updates.popleft())
        if self._dropped:
            logger.error("%d metric updates were dropped: the buffer was full", self._dropped)
            self._dropped = 0
        return updates

    def begin(self) -> None:
        """Take updates from now on, for a runtime."""
        self._in_use = True

    def record(self, metric: Metric, value: int | float | timedelta, attributes: outlast.common.MetricAttributes) -> None:
        """Keep an update, if there is room."""
        if len(self._updates) >= self._buffer_size:
            self._dropped += 1
            return
        if isinstance(value, timedelta):
            milliseconds = value // timedelta(milliseconds=1)
            value = milliseconds / 1000 if self._durations_as_seconds else milliseconds
        known = self._metrics.get(metric)
        if known is None:
            known = self._metrics.setdefault(metric, self._buffered(metric))
        self._updates.append(_Update(known, value, attributes))

    def _buffered(self, metric: Metric) -> _BufferedMetric:
        unit = metric.unit
        if metric.kind is Kind.DURATION and unit == "duration":
            unit = "s" if self._durations_as_seconds else "ms"
        return _BufferedMetric(metric.name, metric.description or None, unit or None, _KINDS[metric.kind])
