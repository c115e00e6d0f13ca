"""The runtime: one for all clients and workers of a process, unless somebody wants several."""

from __future__ import annotations

import weakref
from datetime import timedelta

from outlast.common import MetricMeter
from outlast.runtime._buffer import MetricBuffer
from outlast.runtime._meter import Meter
from outlast.runtime._telemetry import LoggingConfig, PrometheusConfig, TelemetryConfig

SERVICE_NAME = "temporal-core-sdk"
"""What dashboards made for Temporal's SDKs look for."""


class _RuntimeRef:
    """Holds the default runtime, made when it is first asked for."""

    def __init__(self) -> None:
        self._default_runtime: Runtime | None = None
        self._prevent_default = False

    def default(self) -> Runtime:
        if self._default_runtime is None:
            if self._prevent_default:
                raise RuntimeError("Cannot create default Runtime after Runtime.prevent_default has been called")
            self._default_runtime = Runtime(telemetry=TelemetryConfig())
        return self._default_runtime

    def prevent_default(self) -> None:
        if self._default_runtime is not None:
            raise RuntimeError("Runtime.prevent_default called after default runtime has been created or set")
        self._prevent_default = True

    def set_default(self, runtime: Runtime, *, error_if_already_set: bool = True) -> None:
        if self._default_runtime is not None and error_if_already_set:
            raise RuntimeError("Runtime default already set")
        self._default_runtime = runtime


_runtime_ref = _RuntimeRef()


class Runtime:
    """Where the metrics of clients and workers go. Most programs never make one: they use the default."""

    @classmethod
    def default(cls) -> Runtime:
        """The runtime of everything that is given none; made when it is first asked for.

        Raises:
            RuntimeError: `prevent_default` has been called.
        """
        return _runtime_ref.default()

    @classmethod
    def prevent_default(cls) -> None:
        """Refuse to make a default runtime from now on; `set_default` may still give one.

        Raises:
            RuntimeError: There is a default runtime already.
        """
        _runtime_ref.prevent_default()

    @staticmethod
    def set_default(runtime: Runtime, *, error_if_already_set: bool = True) -> None:
        """Make a runtime the default of clients that are made from now on.

        Raises:
            RuntimeError: There is a default runtime already, and `error_if_already_set`.
        """
        _runtime_ref.set_default(runtime, error_if_already_set=error_if_already_set)

    def __init__(
        self,
        *,
        telemetry: TelemetryConfig,
        worker_heartbeat_interval: timedelta | None = timedelta(seconds=60),
        disable_environment_info: bool = False,
    ) -> None:
        """Make a runtime.

        Args:
            telemetry: Where metrics go, and how much is logged.
            worker_heartbeat_interval: How often workers tell the server that they are alive; None for never.
            disable_environment_info: Whether they leave out what they run on.

        Raises:
            ValueError: The interval is not positive.
        """
        if worker_heartbeat_interval is not None and worker_heartbeat_interval <= timedelta(0):
            raise ValueError("worker_heartbeat_interval must be positive")
        self._telemetry = telemetry
        self._worker_heartbeat_interval = worker_heartbeat_interval
        self._disable_environment_info = disable_environment_info
        self._metric_prefix = "temporal_" if telemetry.metric_prefix is None else telemetry.metric_prefix
        """How the names of the SDK's own metrics begin."""
        if telemetry.logging is not None and telemetry.logging is not LoggingConfig.default:
            telemetry.logging._apply()
        self._metric_meter = self._make_meter(telemetry)

    def _make_meter(self, telemetry: TelemetryConfig) -> MetricMeter:
        attributes = {"service_name": SERVICE_NAME} if telemetry.attach_service_name else {}
        metrics = telemetry.metrics
        if isinstance(metrics, MetricBuffer):
            metrics.begin()
            return Meter(metrics, attributes)
        if isinstance(metrics, PrometheusConfig):
            from outlast.runtime._prometheus import Prometheus, PrometheusServer

            prometheus = Prometheus(metrics, telemetry.global_tags, self._metric_prefix)
            server = PrometheusServer(prometheus, metrics.bind_address)
            weakref.finalize(self, server.close)  # a runtime has no end but its own
            return Meter(prometheus, attributes)
        return MetricMeter.noop

    @property
    def metric_meter(self) -> MetricMeter:
        """Makes metrics that go where this runtime's go; one that records nothing, if they go nowhere."""
        return self._metric_meter
