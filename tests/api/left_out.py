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
    "`temporal_…` metrics": "all but those of Nexus; descriptions are our own",
    "workflow code that does not yield": "is broken off, and its task fails; the official SDK lets its thread hang. Until then the"
    " worker's event loop stands still. In the main thread that ends waits for locks, sleeps and most system calls, too (by SIGURG, if"
    " the program does not handle it); in another thread, and on Windows, code that waits in C holds up its event loop until it returns",
    "code that swallows its eviction": "is logged (`Run … could not be evicted`) and left where it waits; no worker waits for it",
    "a codec that asks for its context": "gets the context of an activity with its id, also where the program gave none",
    "the codec of a local activity": "is called for its result only, when that goes into history; its arguments stay in the worker",
    "names of metrics that Prometheus does not accept": "get `_` for each such character; the official SDK drops these metrics",
    "`LoggingConfig`": "sets levels of loggers of Python's `logging`, for the whole process",
    "`client-name` of calls": "is `outlast-python`",
    "a call that took longer than its `rpc_timeout`": "fails with DEADLINE_EXCEEDED, where the official SDK often says CANCELLED",
    "the first call of a lazy client whose server does not answer": "raises RPCError once its retries are used up, not RuntimeError",
    "`TLSConfig.verification_server_name`": "is refused: gRPC checks the certificate for the name that it sends as SNI (`domain`)",
    "`DnsLoadBalancingConfig`": "looks the name up again when a connection is lost, not by the clock",
    "`GrpcCompression.GZIP`": "compresses requests of 1 KiB and more; smaller ones gain nothing",
    "`PayloadLimitsConfig.memo_warn_size`": "applies to memos of starts and schedules; to those of commands if payloads are large, too",
    "`service.ServiceClient._rpc_call` and the objects of services": "are made otherwise; calls look the same",
    "a client in the child of a process that forked": "can be made there, if the parent has not used gRPC before it forked",
    "`client.WorkflowExecutionStatus`": "has PAUSED, too: a paused workflow can be described",
    "a class inside of a class": "may be a workflow",
    "`workflow.logger` outside of workflows": "logs; the official one raises",
    "records of `workflow.logger`": "are always handled with the guard off, so that `unsafe_disable_sandbox` changes nothing",
    "`workflow.logger`, `activity.logger`": "are named `outlast.workflow` and `outlast.activity`; keys in `extra` are the official ones",
    "`workflow.unsafe.imports_passed_through` and import policies": "change nothing: no module is imported a second time",
    "calls that are not deterministic": "raise where they are called; functions that a helper module imported by name before, and values"
    " (the order of sets, `id`), are not seen",
    "a local activity that timed out": "raises ActivityError on replay, too, where the official one then raises TimeoutError",
    "what ends after its cancellation was reported": "is ignored, where the official one fails the task of a child, or of an abandoned"
    " activity that fails",
    "`__stack_trace`": "shows where a task waits down to the innermost coroutine, and not the query itself",
    "a query while a local activity is under way": "is answered at once",
    "blocks of `workflow.unsafe`": "hold for their own task, also while it waits, and not for the thread",
    "`OpenTelemetryInterceptor`": 'gives spans of activities that no workflow started no workflow id, where the official one gives ""',
    "`MetricsExporter`": "calls its meter `outlast`, and records gauges as they come",
}
"""What behaves otherwise under the same name, as far as this package knows it; rooms may add theirs."""
