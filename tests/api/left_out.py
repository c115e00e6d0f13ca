"""Names of the official SDK that ours has not, or has otherwise, and why. The compatibility page shows this table.

An entry of `LEFT_OUT` is a pattern of paths (`module.Class.member`). Each must still be true: one that nothing matches any more
fails the test, as does a difference that no entry matches.
"""

LEFT_OUT: dict[str, tuple[str, ...]] = {
    "Nexus comes later": ("*Nexus*", "*nexus*", "client.Callback"),
    "goes through a Nexus endpoint of the server": (
        "workflow.signal_with_start_workflow",
        "worker.WorkflowOutboundInterceptor.start_signal_with_start_workflow",
    ),
    "Temporal Cloud comes later": ("client.CloudOperationsClient", "service.CloudService"),
    "external storage of payloads is not built": ("*.ExternalStorage", "*.StorageDriver*", "*.StorageWarning", "*.external_storage"),
    "workflows run in place, guarded: there is no sandbox that would need instances of its own": (
        "worker.WorkflowInstance",
        "worker.WorkflowInstanceDetails",
        "worker.*Runner.create_instance",
    ),
    "skipping the time of single workflows is not built; the whole environment skips time": (
        "testing.TimeSkipper",
        "testing.TimeSkippingConfig",
        "testing.WorkflowEnvironment.start_time_skipping_v2",
        "testing.WorkflowEnvironment.fast_forward",
        "testing.WorkflowEnvironment.with_time_skipping_disabled",
        "testing.WorkflowEnvironment.get_time_skipping_info",
    ),
    "there is no core in another language with logs of its own: the SDK uses Python's logging, under `outlast`": (
        "runtime.LogForwardingConfig",
        "runtime.LoggingFormat",
        "runtime.LoggingConfig.forwarding",
        "runtime.LoggingConfig.format",
    ),
    "exports to Prometheus or into a buffer, which `outlast.contrib.opentelemetry.MetricsExporter` hands to a meter provider": (
        "runtime.OpenTelemetryConfig",
        "runtime.OpenTelemetryMetricTemporality",
    ),
    "not meant for users": ("service.logger",),
}

DIFFERENT: dict[str, str] = {
    "runtime.TelemetryConfig.logging": "its default has no settings of a core in another language",
    "runtime.TelemetryConfig.metrics": "takes no OpenTelemetryConfig",
}

BEHAVIOUR: dict[str, str] = {
    "failures of Nexus handlers": "are read as a plain FailureError, which keeps the message and can be sent on unchanged",
    "`temporal_…` metrics": "the SDK makes none of its own yet: a runtime's meter records those of the program",
    "names of metrics that Prometheus does not accept": "get `_` for each such character; the official SDK drops these metrics",
    "`LoggingConfig`": "sets levels of loggers of Python's `logging`, for the whole process",
}
"""What behaves otherwise under the same name, as far as this package knows it; rooms may add theirs."""
