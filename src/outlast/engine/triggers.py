"""What can happen to a run: one struct for each kind, given to `decide`.

Where the wire has a message that says it all, the trigger carries that message unchanged.
"""

from collections.abc import Mapping, Sequence

import msgspec
from temporalio.api.common.v1 import Callback, Header, Link, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import StartChildWorkflowExecutionFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionStartedEventAttributes,
)
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.update.v1 import Request as UpdateRequest
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    PauseActivityRequest,
    ResetActivityRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
    UnpauseActivityRequest,
    UpdateActivityOptionsRequest,
)

from outlast.engine.limits import BLOB_BYTES_MAX, SUGGEST_CONTINUE_AS_NEW_EVENTS


class NamespaceView(msgspec.Struct, frozen=True):
    """What the engine may know of a namespace."""

    id: str
    name: str
    search_attributes: Mapping[str, int] = {}
    """Custom search attributes that are registered: name to `IndexedValueType`."""
    retention: int = 24 * 3600 * 1_000_000_000
    """How long a closed run is kept, in nanoseconds."""
    events_suggested: int = SUGGEST_CONTINUE_AS_NEW_EVENTS
    """A history this long suggests to continue as new."""
    blob_bytes_max: int = BLOB_BYTES_MAX
    """How large an input, a result or a failure may be."""
    columns: Mapping[str, str] = {}
    """Where lists keep each custom search attribute: name to one of `search_attributes.COLUMNS`."""


class Context(msgspec.Struct, frozen=True):
    """What a decision may use beside the state: the time, ids made outside, and the namespaces."""

    now: int
    """Nanoseconds since the epoch."""
    fresh_id: str
    """A UUID that nobody has used: the run id of a run that this decision may create."""
    namespace: NamespaceView
    namespace_ids: Mapping[str, str] = {}
    """Every registered namespace: name to id."""


class Signal(msgspec.Struct, frozen=True):
    """A signal from a client, or from another workflow (then `source` is set)."""

    name: str
    input: Payloads | None = None
    identity: str = ""
    header: Header | None = None
    request_id: str = ""
    links: Sequence[Link] = ()
    external: WorkflowExecution | None = None
    """The workflow that sends it, if it is one."""
    external_initiated_event_id: int = 0
    only_child_of: str = ""
    """A run id: refuse the signal unless that run is the parent."""
    even_in_backoff: bool = False
    """SignalWithStart on an existing run cuts a start delay short; a plain signal does not."""


class Start(msgspec.Struct, frozen=True):
    """The first thing that happens to a run.

    `attributes` are those of the first event, normalised, without the run ids, which `begin` fills in.
    """

    workflow_id: str
    request_id: str
    attributes: WorkflowExecutionStartedEventAttributes
    signal: Signal | None = None
    eager_worker: str | None = None
    """The identity of a worker that wants the first workflow task with the answer."""
    user_metadata: UserMetadata | None = None
    links: Sequence[Link] = ()
    parent_holds_first_task: bool = False
    """A child: its first workflow task waits until the parent has recorded CHILD_STARTED."""


class RequestCancel(msgspec.Struct, frozen=True):
    reason: str = ""
    identity: str = ""
    request_id: str = ""
    first_execution_run_id: str = ""
    links: Sequence[Link] = ()
    external: WorkflowExecution | None = None
    external_initiated_event_id: int = 0
    only_child_of: str = ""
    """A run id: refuse the request unless that run is the parent."""


class Attach(msgspec.Struct, frozen=True):
    """A start that was answered with this run, by its conflict policy, leaves its request id or links here."""

    request_id: str
    links: Sequence[Link] = ()
    callbacks: Sequence[Callback] = ()


class AttachToUpdate(msgspec.Struct, frozen=True):
    """A repeated update leaves its callbacks with the one that is under way."""

    update_id: str
    request_id: str
    callbacks: Sequence[Callback]


class CallbackAnswered(msgspec.Struct, frozen=True):
    """An attempt to deliver a callback is over."""

    number: int
    attempt: int
    failure: str = ""
    """Empty: it was delivered."""
    again: bool = False
    """Whether another attempt may succeed."""


class Terminate(msgspec.Struct, frozen=True):
    reason: str
    identity: str
    details: Payloads | None = None
    first_execution_run_id: str = ""
    links: Sequence[Link] = ()
    for_reset: bool = False
    """Another run takes its place: children live on, the parent hears nothing."""


class Delete(msgspec.Struct, frozen=True):
    """Forget the run; an open one is terminated first."""


class StartWorkflowTask(msgspec.Struct, frozen=True):
    """A poller takes the workflow task."""

    scheduled_event_id: int
    attempt: int
    request_id: str
    identity: str
    sticky: bool
    """Whether the poll was on the sticky queue."""
    worker_version: bytes = b""
    """A serialized `WorkerVersionStamp`; empty: the worker did not say."""


class WorkflowTaskToken(msgspec.Struct, frozen=True):
    """Which workflow task an answer belongs to."""

    scheduled_event_id: int
    started_event_id: int
    started_time: int
    attempt: int


class CompleteWorkflowTask(msgspec.Struct, frozen=True):
    token: WorkflowTaskToken
    request: RespondWorkflowTaskCompletedRequest
    request_id: str = ""
    """For activities that are started at once for the same worker."""
    sent_updates: Mapping[str, UpdateRequest] = {}
    """The updates that were sent to the worker and not answered."""
    attachments: Mapping[str, Sequence[AttachToUpdate]] = {}
    """Callbacks that wait for updates to be accepted."""
    updates_wait: bool = False
    """Whether there are updates that no workflow task has carried yet."""


class FailWorkflowTask(msgspec.Struct, frozen=True):
    token: WorkflowTaskToken
    request: RespondWorkflowTaskFailedRequest


class ResetSticky(msgspec.Struct, frozen=True):
    pass


class StartActivity(msgspec.Struct, frozen=True):
    """A poller takes an attempt of an activity."""

    scheduled_event_id: int
    attempt: int
    stamp: int
    request_id: str
    identity: str
    worker_version: bytes = b""
    """A serialized `WorkerVersionStamp`; empty: the worker did not say."""


class ReleaseActivity(msgspec.Struct, frozen=True):
    """The poller that took the attempt has gone before it got it: offer it again."""

    scheduled_event_id: int
    attempt: int
    request_id: str


class ActivityToken(msgspec.Struct, frozen=True):
    """Which attempt of which activity an answer belongs to; by id alone when `activity_id` is set."""

    scheduled_event_id: int = 0
    attempt: int = 0
    activity_id: str = ""
    started_time: int = 0


class Heartbeat(msgspec.Struct, frozen=True):
    token: ActivityToken
    details: Payloads | None
    identity: str


class CompleteActivity(msgspec.Struct, frozen=True):
    token: ActivityToken
    result: Payloads | None
    identity: str


class FailActivity(msgspec.Struct, frozen=True):
    token: ActivityToken
    failure: Failure | None
    identity: str
    last_heartbeat_details: Payloads | None = None


class CancelActivity(msgspec.Struct, frozen=True):
    """The worker reports that the activity ended because it was asked to."""

    token: ActivityToken
    details: Payloads | None
    identity: str


class PauseActivity(msgspec.Struct, frozen=True):
    request: PauseActivityRequest


class UnpauseActivity(msgspec.Struct, frozen=True):
    request: UnpauseActivityRequest


class ResetActivity(msgspec.Struct, frozen=True):
    request: ResetActivityRequest


class UpdateActivityOptions(msgspec.Struct, frozen=True):
    request: UpdateActivityOptionsRequest


class TimersDue(msgspec.Struct, frozen=True):
    """The clock has reached the run's `due_at`."""


class ChildStarted(msgspec.Struct, frozen=True):
    initiated_event_id: int
    run_id: str
    header: Header | None = None
    """As it was in the command."""


class ChildStartFailed(msgspec.Struct, frozen=True):
    initiated_event_id: int
    cause: "StartChildWorkflowExecutionFailedCause.ValueType"


class ChildClosed(msgspec.Struct, frozen=True):
    """The last run of a child's chain has closed."""

    initiated_event_id: int
    first_run_id: str
    run_id: str
    close_event: HistoryEvent


class ChildPolicyApplied(msgspec.Struct, frozen=True):
    initiated_event_id: int


class ChildFirstTaskReleased(msgspec.Struct, frozen=True):
    initiated_event_id: int


class ReleaseFirstTask(msgspec.Struct, frozen=True):
    """To a child: the parent has recorded CHILD_STARTED, the first workflow task may be scheduled."""


class PauseWorkflow(msgspec.Struct, frozen=True):
    identity: str
    reason: str
    request_id: str


class UnpauseWorkflow(msgspec.Struct, frozen=True):
    identity: str
    reason: str
    request_id: str


class UpdateOptions(msgspec.Struct, frozen=True):
    """Let those of the run's options that a field mask names be as given."""

    given: WorkflowExecutionOptions
    paths: Sequence[str]
    identity: str


class AdmitUpdate(msgspec.Struct, frozen=True):
    """An update waits to be sent to a worker."""

    in_flight: int = 0
    """Updates that were admitted before and are not accepted yet."""


class ExternalTold(msgspec.Struct, frozen=True):
    """The other workflow has taken a message, or `failure` says why not: the end of a `…FailedCause` name."""

    initiated: HistoryEvent
    failure: str = ""


class ParentNotified(msgspec.Struct, frozen=True):
    pass


Trigger = (
    Signal
    | RequestCancel
    | Terminate
    | Delete
    | StartWorkflowTask
    | CompleteWorkflowTask
    | FailWorkflowTask
    | ResetSticky
    | StartActivity
    | ReleaseActivity
    | Heartbeat
    | CompleteActivity
    | FailActivity
    | CancelActivity
    | PauseActivity
    | UnpauseActivity
    | ResetActivity
    | UpdateActivityOptions
    | TimersDue
    | ChildStarted
    | ChildStartFailed
    | ChildClosed
    | ChildPolicyApplied
    | ChildFirstTaskReleased
    | ReleaseFirstTask
    | ParentNotified
    | ExternalTold
    | AdmitUpdate
    | PauseWorkflow
    | UnpauseWorkflow
    | UpdateOptions
    | Attach
    | AttachToUpdate
    | CallbackAnswered
)
