"""What requests must look like: the reference server's checks, with its texts (workflow-core.md 1.2, platform.md 0)."""

from collections.abc import Sequence
from uuid import UUID

from google.protobuf.message import Message
from temporalio.api.common.v1 import (
    Link,
    Payloads,
    Priority,
    TimeSkippingConfig,
    WorkflowExecution,
)
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy as Conflict
from temporalio.api.enums.v1 import WorkflowIdReusePolicy as Reuse
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

from outlast.engine import limits, search_attributes
from outlast.engine.checks import duration_flaw, is_run_id, priority_flaw, queue_name_flaw, size_bytes
from outlast.engine.cron import check_cron
from outlast.engine.refusals import InvalidArgument, Unsupported
from outlast.engine.retry import check_retry_policy, filled
from outlast.engine.triggers import NamespaceView
from outlast.server.frontend.callbacks import check_callbacks, linked
from outlast.server.frontend.features import Features
from outlast.server.frontend.limits import SESSION_SKIPS_DEFAULT

TIME_SKIPPING_OFF = "The Time-Skipping feature is not enabled for namespace."


def check_start(
    request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest, namespace: NamespaceView, features: Features
) -> None:
    """Refuse a start that cannot be; the order of the checks is the reference server's."""
    check_workflow_id(request.workflow_id)
    if request.HasField("retry_policy"):
        check_retry_policy(filled(request.retry_policy))
    if request.cron_schedule and request.HasField("workflow_start_delay"):
        raise InvalidArgument("CronSchedule and WorkflowStartDelay may not be used together.")
    check_cron(request.cron_schedule)
    signals = isinstance(request, SignalWithStartWorkflowExecutionRequest)
    if not request.workflow_type.name:
        raise InvalidArgument("workflow type not set" if signals else "WorkflowType is not set on request.")
    if size_bytes(request.workflow_type.name) > limits.ID_BYTES_MAX:
        long = _too_long("workflow type name", request.workflow_type.name)
        raise InvalidArgument(long if signals else "WorkflowType length exceeds limit.")
    check_task_queue(request, "task_queue", request.task_queue)
    _check_durations(request)
    if size_bytes(request.request_id) > limits.ID_BYTES_MAX:
        raise InvalidArgument(_too_long("Request ID", request.request_id) if signals else "RequestId length exceeds limit.")
    _check_policies(request)
    if isinstance(request, StartWorkflowExecutionRequest):
        options = request.on_conflict_options
        if options.attach_completion_callbacks and not options.attach_request_id:
            raise InvalidArgument("attaching request ID is required for attaching completion callbacks")
    if request.HasField("search_attributes"):
        request.search_attributes.CopyFrom(search_attributes.admit(request.search_attributes, namespace))
    check_priority(request.priority)
    _check_attached(request, features)
    if request.HasField("time_skipping_config"):
        check_time_skipping(request.time_skipping_config, features)
    check_blob(request.input, namespace)
    if request.memo.ByteSize() > limits.MEMO_BYTES_MAX:
        raise InvalidArgument("Memo size exceeds limit.")


def _too_long(name: str, text: str) -> str:
    return f"{name} exceeds maximum allowed length ({size_bytes(text)}/{limits.ID_BYTES_MAX})"


def check_workflow_id(workflow_id: str) -> None:
    if not workflow_id:
        raise InvalidArgument("WorkflowId is not set on request.")
    length = size_bytes(workflow_id)
    if length > limits.ID_BYTES_MAX:
        raise InvalidArgument(f"WorkflowId exceeds maximum allowed length ({length}/{limits.ID_BYTES_MAX})")


def check_execution(request: Message, execution: WorkflowExecution) -> None:
    """A workflow id, and a run id that is a UUID or absent."""
    if not execution.workflow_id and not execution.run_id:
        field = "workflow_execution" if "workflow_execution" in request.DESCRIPTOR.fields_by_name else "execution"
        if not request.HasField(field):
            raise InvalidArgument("Execution is not set on request.")
    if not execution.workflow_id:
        raise InvalidArgument("WorkflowId is not set on request.")
    check_run_id(execution.run_id)


def check_run_id(run_id: str) -> None:
    if run_id and not is_run_id(run_id):
        raise InvalidArgument("Invalid RunId.")


def check_task_queue(request: Message, field: str, queue: TaskQueue) -> None:
    if not request.HasField(field):
        raise InvalidArgument("taskQueue is not set")
    if flaw := queue_name_flaw(queue.name):
        raise InvalidArgument(flaw)


def _check_durations(request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest) -> None:
    for name, span in (
        ("WorkflowExecutionTimeoutSeconds", request.workflow_execution_timeout),
        ("WorkflowRunTimeoutSeconds", request.workflow_run_timeout),
        ("WorkflowTaskTimeoutSeconds", request.workflow_task_timeout),
        ("WorkflowStartDelaySeconds", request.workflow_start_delay),
    ):
        if flaw := duration_flaw(span):
            raise InvalidArgument(f"An invalid {name} is set on request. cause: {flaw}")


def _check_policies(request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest) -> None:
    reuse, conflict = request.workflow_id_reuse_policy, request.workflow_id_conflict_policy
    if isinstance(request, SignalWithStartWorkflowExecutionRequest) and conflict == Conflict.WORKFLOW_ID_CONFLICT_POLICY_FAIL:
        raise InvalidArgument("Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.")
    if reuse == Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING and conflict:
        raise InvalidArgument(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with"
            " a WorkflowIDConflictPolicy"
        )
    terminates = conflict == Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
    if reuse == Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE and terminates:
        raise InvalidArgument(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with"
            " WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"
        )


def policies(
    request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest,
) -> tuple[int, int]:
    """The reuse and the conflict policy, with the defaults filled in."""
    reuse: int = request.workflow_id_reuse_policy or Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    conflict: int = request.workflow_id_conflict_policy
    if reuse == Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
        return (
            Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
            Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
        )
    if not conflict:
        signals = isinstance(request, SignalWithStartWorkflowExecutionRequest)
        use_existing = Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
        conflict = use_existing if signals else Conflict.WORKFLOW_ID_CONFLICT_POLICY_FAIL
    return reuse, conflict


def check_priority(priority: Priority) -> None:
    if flaw := priority_flaw(priority):
        raise InvalidArgument(flaw)


def check_links(request: Message) -> None:
    check_all_links(request.links)  # type: ignore[attr-defined]


def check_all_links(links: Sequence[Link]) -> None:
    if len(links) > limits.LINKS_MAX:
        raise InvalidArgument(f"cannot attach more than {limits.LINKS_MAX} links per request, got {len(links)}")
    for link in links:
        event = link.workflow_event
        if link.HasField("workflow_event"):
            for name, value in (("namespace", event.namespace), ("workflow ID", event.workflow_id), ("run ID", event.run_id)):
                if not value:
                    raise InvalidArgument(f"workflow event link must not have an empty {name} field")


def _check_attached(request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest, features: Features) -> None:
    if isinstance(request, StartWorkflowExecutionRequest):
        check_callbacks(request.completion_callbacks, features.callback_addresses)
        check_all_links(linked(request, request.completion_callbacks))
    else:
        check_links(request)


def check_time_skipping(config: TimeSkippingConfig, features: Features) -> None:
    """Refuse a configuration that cannot be; fill in the default number of skips."""
    if not features.time_skipping:
        raise Unsupported(TIME_SKIPPING_OFF)
    if config.max_session_skip_count <= 0:
        config.max_session_skip_count = SESSION_SKIPS_DEFAULT
    if not config.HasField("fast_forward_config"):
        return
    forward = config.fast_forward_config
    if forward.duration.ToNanoseconds() <= 0:
        raise InvalidArgument("Time skipping config invalid: fast_forward duration must be positive")
    check_forward_id(forward.id)
    if not config.enabled:
        raise InvalidArgument("time_skipping_config: cannot set fast_forward when enabled is false")


def check_forward_id(forward_id: str) -> None:
    if not forward_id.strip():
        raise InvalidArgument("Time skipping config invalid: fast_forward_id must be set")


def check_identity(identity: str) -> None:
    if size_bytes(identity) > limits.ID_BYTES_MAX:
        raise InvalidArgument("Identity length exceeds limit.")


def check_blob(payloads: Payloads, namespace: NamespaceView) -> None:
    if payloads.ByteSize() > namespace.blob_bytes_max:
        raise InvalidArgument("Blob data size exceeds limit.")


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
