"""Counts and times a client's requests, under the names that all Temporal SDKs give these metrics."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from outlast.common import MetricAttributes, MetricMeter
from outlast.service._errors import RPCError
from outlast.service._retry import CallKind
from outlast.service._rpc import wire_name

if TYPE_CHECKING:
    from outlast.runtime import Runtime

T = TypeVar("T")


class RequestMetrics:
    """The metrics of a client's requests: each attempt counts."""

    def __init__(self, runtime: Runtime) -> None:
        self._normal = _Metrics(runtime, "request")
        self._long = _Metrics(runtime, "long_request")

    @classmethod
    def of(cls, runtime: Runtime) -> RequestMetrics | None:
        """Metrics that this runtime takes; None if it takes none."""
        return None if runtime.metric_meter is MetricMeter.noop else cls(runtime)

    def measured(self, rpc: str, request: Message, kind: CallKind, call: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        """The call, counted and timed whenever it is made."""
        metrics = self._normal if kind is CallKind.NORMAL else self._long
        attributes = _attributes(rpc, request)

        async def measured_call() -> T:
            metrics.requests.add(1, attributes)
            began = time.monotonic()
            try:
                return await call()
            except RPCError as error:
                metrics.failures.add(1, {**attributes, "status_code": error.status.name})
                raise
            finally:
                metrics.latency.record(timedelta(seconds=time.monotonic() - began), attributes)

        return measured_call


class _Metrics:
    def __init__(self, runtime: Runtime, name: str) -> None:
        meter, prefix = runtime.metric_meter, runtime._metric_prefix
        what = "long-poll request" if name.startswith("long") else "request"
        self.requests = meter.create_counter(f"{prefix}{name}", f"Count of client {what}s by rpc name")
        self.failures = meter.create_counter(f"{prefix}{name}_failure", f"Count of client {what} failures by rpc name")
        self.latency = meter.create_histogram_timedelta(f"{prefix}{name}_latency", f"Time that client {what}s take", "duration")


def _attributes(rpc: str, request: Message) -> MetricAttributes:
    attributes = {"operation": wire_name(rpc)}
    if namespace := getattr(request, "namespace", ""):
        attributes["namespace"] = namespace
    queue = getattr(request, "task_queue", None)
    if name := getattr(queue, "normal_name", "") or getattr(queue, "name", ""):
        attributes["task_queue"] = name
    return attributes
