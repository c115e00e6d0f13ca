"""What a worker hands to a run of a workflow, and what the run hands back: the border between `worker` and `replay`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.common.v1 import Payload, Payloads
    from temporalio.api.failure.v1 import Failure
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.api.protocol.v1 import Message
    from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
    from temporalio.api.sdk.v1 import WorkflowTaskCompletedMetadata

    from outlast import common, converter, workflow
    from outlast.replay.interceptor import WorkflowInboundInterceptor


class RunSettings(msgspec.Struct, frozen=True):
    """What all runs of one worker share."""

    namespace: str
    task_queue: str
    definitions: Mapping[str | None, workflow._Definition]
    """By workflow type; None is the dynamic workflow."""
    data_converter: converter.DataConverter
    interceptors: Sequence[type[WorkflowInboundInterceptor]] = ()
    extern_functions: Mapping[str, Callable[..., Any]] = {}
    failure_exception_types: Sequence[type[BaseException]] = ()
    metric_meter: common.MetricMeter | None = None
    build_id: str = ""
    deployment_version: common.WorkerDeploymentVersion | None = None
    disable_eager_activities: bool = False
    guarded: bool = True
    """Whether non-deterministic calls in workflow code raise; a definition may say otherwise for itself (`sandboxed=False`)."""
    check_local_activity: Callable[[str], None] | None = None
    """Raises if the worker has no activity of this name."""
    python_flags: frozenset[int] = frozenset()
    """Flags of behaviours that are off by default, to be used by new runs (`outlast.replay.flags`)."""
    patch_activation: Callable[[workflow.Info, str], Any] | None = None
    """Decides whether a patch that a run meets for the first time is taken; must return true or false."""
    sdk_version: str = ""
    """Written into history beside the SDK's name."""
    now: Callable[[], float] = lambda: 0.0
    """The real clock, seconds since the epoch: only for local activities' schedules and for log records."""


class WorkflowTask(msgspec.Struct, frozen=True):
    """One workflow task as polled, all pages of its history read, payloads decoded by the codec."""

    workflow_id: str
    run_id: str
    workflow_type: str
    attempt: int
    previous_started_event_id: int
    started_event_id: int
    """0 for a task that only brings a query."""
    events: Sequence[HistoryEvent]
    """The whole history for a run that is not cached; otherwise what is new since its last task."""
    messages: Sequence[Message] = ()
    queries: Mapping[str, WorkflowQuery] = {}
    query: WorkflowQuery | None = None
    """A query that comes alone (answered by RespondQueryTaskCompleted)."""
    replay_only: bool = False
    """True for a Replayer: the history is all there is, and its end is not a task to answer."""


class LocalActivity(msgspec.Struct, frozen=True):
    """A local activity that the worker runs while the workflow task stays open. The run decides on retries; the worker runs one attempt."""

    seq: int
    activity_id: str
    activity_type: str
    attempt: int
    input: Sequence[Payload]
    headers: Mapping[str, Payload]
    scheduled_at: float
    """Seconds since the epoch of the first attempt."""
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: common.RetryPolicy | None
    start_after: timedelta = timedelta(0)
    """Backoff before this attempt."""


class LocalActivityOutcome(msgspec.Struct, frozen=True):
    """How one attempt of a local activity ended: exactly one of result, failure, cancelled."""

    seq: int
    result: Payloads | None = None
    failure: Failure | None = None
    cancelled: bool = False
    timed_out: int | None = None
    """The TimeoutType, when the attempt or the whole ran out of time."""
    runtime: timedelta = timedelta(0)
    """How long this attempt took: the workflow's clock moves on by it."""


class Step(msgspec.Struct):
    """What came of handing something to a run. While local activities are under way the task is not answered (`waiting`)."""

    commands: Sequence[Command] = ()
    """All commands of the task, in the step that answers it (or keeps it alive): none while `waiting`."""
    messages: Sequence[Message] = ()
    query_results: Mapping[str, WorkflowQueryResult] = {}
    query_result: WorkflowQueryResult | None = None
    """The answer to a query that came alone: also when the task failed (then with `failure`)."""
    metadata: WorkflowTaskCompletedMetadata | None = None
    versioning_behavior: int = 0
    local_activities: Sequence[LocalActivity] = ()
    """To be started now."""
    cancel_local_activities: Sequence[int] = ()
    """To be cancelled now, by seq. Each still needs its outcome, unless the step closes the run."""
    waiting: bool = False
    """Local activities are under way: hold the task (or heartbeat it with `Run.heartbeat`) until `resolve_local_activity` ends that."""
    failure: Failure | None = None
    """The workflow task failed; with `failure_cause`, a WorkflowTaskFailedCause."""
    failure_cause: int = 0
    closed: bool = False
    """The run has ended, by these commands or in history; it can be dropped."""


class Run(Protocol):
    """One cached run: `outlast.replay.run.WorkflowRun(settings, run_id)`.

    Every method is synchronous, does no I/O and leaves nothing running.
    Not thread-safe. A run that raised or failed a task must be dropped with `evict`; it is replayed from its whole history at
    the next task.
    """

    run_id: str

    def activate(self, task: WorkflowTask) -> Step:
        """Apply a task. For a Replayer (`replay_only`) history itself says how far it is replayed: the ids of starts are not used."""
        ...

    def resolve_local_activity(self, outcome: LocalActivityOutcome) -> Step:
        """Go on after an attempt of a local activity ended, whether or not a task is open (after a heartbeat there may be none)."""
        ...

    def heartbeat(self) -> Step:
        """Commands for a completion that only keeps the task alive (force_create_new_workflow_task), while local activities run on."""
        ...

    def forget_task(self, started_event_id: int) -> None:
        """The server dropped the last task since all that came with it were updates, and all were rejected.

        `started_event_id` is `reset_history_event_id` of the server's answer to the completion, if it is not 0.
        """
        ...

    def evict(self) -> None:
        """Tear the coroutines down, swallowing what they raise. Idempotent.

        Raises:
            RuntimeError: Code goes on although it is cancelled again and again.
        """
        ...
