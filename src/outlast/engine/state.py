"""The state of one workflow run: a core that every transition writes, and parts that are written when they change.

Times are nanoseconds since the Unix epoch, spans are nanoseconds; 0 means "none" unless a field says otherwise.
Inputs and results are not here: the event that holds them is named by its id. A Draft (see `draft`) is the only
thing that changes these structs, and it changes copies of its own.
"""

from typing import ClassVar

import msgspec

from outlast.engine.keys import ExecutionKey
from outlast.engine.parts import Parts

RUNNING = 1
COMPLETED = 2
FAILED = 3
CANCELED = 4
TERMINATED = 5
CONTINUED_AS_NEW = 6
TIMED_OUT = 7
WEIGHT = 200
"""What a part takes in bytes, about, without what may be large in it."""
PAUSED = 8
"""Shown of a run that is open and held; its status is RUNNING."""


class RetryPolicy(msgspec.Struct, frozen=True):
    """When to try again. `maximum_attempts` 0 means without limit."""

    initial_interval: int
    backoff_coefficient: float
    maximum_interval: int
    maximum_attempts: int
    non_retryable_error_types: tuple[str, ...] = ()


class Parent(msgspec.Struct, frozen=True):
    """The run that started this one as its child."""

    namespace: str
    namespace_id: str
    workflow_id: str
    run_id: str
    initiated_event_id: int


class Pause(msgspec.Struct, frozen=True):
    """Who holds the run, and since when."""

    identity: str
    reason: str
    request_id: str
    since: int


class TimeSkipping(msgspec.Struct, frozen=True):
    """A clock of the run's own, ahead of the world's (see `machines/time_skipping`)."""

    config: bytes = b""
    """The serialized `TimeSkippingConfig`; whether it is still enabled is said below."""
    enabled: bool = False
    skipped: int = 0
    """How far the run's time is ahead."""
    skips: int = 0
    """Since the configuration came."""
    skips_max: int = 0
    """0: there is no configuration (any more)."""
    target: int = 0
    """Of the fast-forward, in the run's time; 0: there is none."""
    reached: bool = False
    """Whether the run's time has come to the target."""

    @property
    def due(self) -> int:
        """When the target has to be noticed, in the run's time; 0: never."""
        return self.target if self.enabled and not self.reached else 0


class WorkflowTask(msgspec.Struct):
    """The one workflow task that is scheduled or started.

    scheduled ──start──► started ──complete──► gone
        ▲                   │ fail, time out: attempt + 1 (a transient task: its events are written when it completes)
        └───────────────────┘
    """

    scheduled_event_id: int
    attempt: int
    scheduled_time: int
    original_scheduled_time: int
    """When the first of a row of heartbeats was scheduled."""
    timeout: int
    """From start to close."""
    sticky_queue: str = ""
    """The sticky queue that it is offered on; empty: the normal one."""
    schedule_to_start_timeout: int = 0
    started_event_id: int = 0
    started_time: int = 0
    request_id: str = ""
    """Of the poll that started it."""
    identity: str = ""
    worker_version: bytes = b""
    """Of the worker that started it, a serialized `WorkerVersionStamp`; empty: it did not say."""
    history_size_bytes: int = 0
    suggestions: tuple[int, ...] = ()
    """Why the worker is asked to continue as new, `SuggestContinueAsNewReason`s; empty: it is not."""
    speculative: bool = False
    """Made for an update; if the update is rejected it leaves no trace. Lost when the server dies, like the update."""

    @property
    def virtual(self) -> bool:
        """A further attempt, or speculative: its scheduled and started events are not in history yet."""
        return self.attempt > 1 or self.speculative

    @property
    def started(self) -> bool:
        return self.started_event_id > 0


class TaskProblem(msgspec.Struct, frozen=True):
    """Workflow tasks that came to nothing, one after the other, since one was completed."""

    failures: int
    category: str
    """Failed or TimedOut: of the last one that is in history."""
    cause: str


class Run(msgspec.Struct):
    """The core: what every transition may change, and what a run is by birth."""

    namespace: str
    namespace_id: str
    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    first_run_id: str
    original_run_id: str
    create_request_id: str
    start_time: int
    execution_time: int
    """start_time and the backoff of the first workflow task."""
    execution_timeout: int | None = None
    """None: nothing was said of it; 0: it was said that there is none. Only who reads the run's events can tell."""
    run_timeout: int | None = None
    task_timeout: int = 0
    execution_expiration: int = 0
    run_expiration: int = 0
    attempt: int = 1
    cron_schedule: str = ""
    retry_policy: RetryPolicy | None = None
    parent: Parent | None = None
    root_workflow_id: str = ""
    root_run_id: str = ""
    user_metadata: bytes = b""
    priority: bytes | None = None
    """A serialized `Priority`, which may say nothing; None: there is none."""
    versioning_override: bytes = b""
    started_links: tuple[bytes, ...] = ()
    continued_from: str = ""

    status: int = RUNNING
    close_time: int = 0
    delete_at: int = 0
    """When the run, closed, is to be forgotten; 0: never."""
    state_bytes: int = 0
    """What the parts take, about."""
    next_event_id: int = 1
    last_batch_first_event_id: int = 1
    history_size_bytes: int = 0
    transition_count: int = 0
    signal_count: int = 0
    workflow_task: WorkflowTask | None = None
    workflow_task_attempt: int = 1
    """The attempt that the next workflow task will have."""
    task_problem: TaskProblem | None = None
    first_task_pending: bool = False
    """No workflow task was ever scheduled: the backoff, or the parent, holds it back."""
    last_started_event_id: int = 0
    """The started event of the last completed workflow task."""
    last_completed_event_id: int = 0
    sticky_queue: str = ""
    sticky_timeout: int = 0
    cancel_requested: bool = False
    cancel_request_id: str = ""
    close_attempted: bool = False
    """The last workflow task could not close because of buffered events: refuse new ones while the next runs."""
    next_buffer_id: int = 1
    buffered_bytes: int = 0
    parent_to_notify: bool = False
    """Closed, and the parent has not acknowledged it."""
    paused: Pause | None = None
    time_skipping: TimeSkipping | None = None
    last_reset_time: int = 0
    original_start_time: int = 0
    """Of the run that this one was reset from; 0: it was not."""
    reset_run_id: str = ""
    """The run that a reset made of this one."""
    new_run_id: str = ""
    """The run that follows this one."""
    reset_points: bytes = b""
    seen_versions: tuple[tuple[str, str], ...] = ()
    """(binary checksum, build id) of each of the `reset_points`; empty when they have not been looked at."""
    assigned_build_ids: tuple[str, ...] = ()
    worker_version: bytes = b""
    """Of the worker that completed the last workflow task, a serialized `WorkerVersionStamp`; empty: it did not say."""

    @property
    def open(self) -> bool:
        return self.status == RUNNING

    @property
    def running(self) -> bool:
        """Open, and not held."""
        return self.status == RUNNING and self.paused is None

    @property
    def shown_status(self) -> int:
        """The status that clients see."""
        return PAUSED if self.paused is not None and self.open else self.status

    @property
    def key(self) -> ExecutionKey:
        return ExecutionKey(self.namespace_id, self.workflow_id, self.run_id)


class ActivityOptions(msgspec.Struct, frozen=True):
    """What an operator may change of an activity."""

    task_queue: str
    schedule_to_close: int
    schedule_to_start: int
    start_to_close: int
    heartbeat: int
    retry_policy: RetryPolicy
    priority: bytes | None
    """A serialized `Priority`, which may say nothing; None: there is none."""


class ActivityPause(msgspec.Struct, frozen=True):
    """Who paused an activity, when and why."""

    time: int
    request_id: str
    identity: str
    reason: str


class Activity(msgspec.Struct):
    """One pending activity.

    waiting ──start──► started ──complete, fail, cancel, time out──► closed (forgotten)
       ▲                  │ fail or time out with a retry left: attempt + 1, after a backoff
       └──────────────────┘

    While it is paused it is not handed out and its timers stand still; a started attempt may go on.
    """

    scheduled_event_id: int
    activity_id: str
    activity_type: str
    task_queue: str
    retry_policy: RetryPolicy
    scheduled_time: int
    """When the first attempt was scheduled."""
    attempt_scheduled_time: int
    """When this attempt is, or will be, handed out."""
    schedule_to_close: int
    schedule_to_start: int
    start_to_close: int
    heartbeat: int
    attempt: int = 1
    offered: bool = True
    """False while the attempt backs off."""
    stamp: int = 0
    started_time: int = 0
    request_id: str = ""
    identity: str = ""
    worker_version: bytes = b""
    """Of the worker that started it, a serialized `WorkerVersionStamp`; empty: it did not say."""
    cancel_requested_event_id: int = 0
    last_heartbeat_time: int = 0
    heartbeat_details: bytes = b""
    """A serialized `Payloads`."""
    last_failure: bytes = b""
    """Of the attempt before, a serialized `Failure`."""
    last_started_time: int = 0
    last_attempt_complete_time: int = 0
    priority: bytes | None = None
    retry_interval: int = 0
    """The backoff before this attempt."""
    retry_deadline: int = 0
    """No attempt may begin later. New options leave it as it was when the activity was scheduled."""
    pause: ActivityPause | None = None
    reset: bool = False
    """The started attempt is told, by heartbeat, that the activity begins anew."""
    forget_heartbeat: bool = False
    """The heartbeat is wiped before the next attempt."""
    original_options: ActivityOptions | None = None
    """As the workflow asked for them, once they have been changed."""

    @property
    def weight(self) -> int:
        return WEIGHT + len(self.heartbeat_details) + len(self.last_failure)

    @property
    def started(self) -> bool:
        return self.started_time > 0

    @property
    def paused(self) -> bool:
        return self.pause is not None

    @property
    def waits(self) -> bool:
        """Whether the attempt is for a worker to take."""
        return self.offered and not self.started_time

    @property
    def due(self) -> int:
        """The next moment at which it times out or its backoff ends; 0 when there is none, or it is paused."""
        if self.pause is not None:
            return 0
        soonest = self.scheduled_time + self.schedule_to_close if self.schedule_to_close else 0
        for moment in self._attempt_moments():
            if moment and (not soonest or moment < soonest):
                soonest = moment
        return soonest

    def _attempt_moments(self) -> tuple[int, int]:
        if not self.started_time:
            if not self.offered:
                return self.attempt_scheduled_time, 0
            due = self.attempt_scheduled_time + self.schedule_to_start if self.schedule_to_start else 0
            return due, 0
        closes = self.started_time + self.start_to_close if self.start_to_close else 0
        alive = max(self.started_time, self.last_heartbeat_time)
        return closes, alive + self.heartbeat if self.heartbeat else 0


class Timer(msgspec.Struct, frozen=True):
    """One pending timer of the workflow."""

    timer_id: str
    started_event_id: int
    fires_at: int
    waits: ClassVar[bool] = False
    weight: ClassVar[int] = WEIGHT

    @property
    def due(self) -> int:
        return self.fires_at


class Child(msgspec.Struct):
    """One child workflow that was asked for and has not closed, or whose close policy is still to be applied.

    initiated ──child created──► started ──child closed──► forgotten
    """

    initiated_event_id: int
    workflow_id: str
    workflow_type: str
    namespace: str
    namespace_id: str
    parent_close_policy: int
    started_event_id: int = 0
    """-1 while CHILD_STARTED is buffered and has no id yet."""
    run_id: str = ""
    """Of the child's first run."""
    first_task_to_release: bool = False
    """The child waits for word that CHILD_STARTED is recorded."""
    policy_to_apply: bool = False
    """This run has closed and the child has not acknowledged the close policy."""
    control: str = ""
    due: ClassVar[int] = 0
    weight: ClassVar[int] = WEIGHT

    @property
    def waits(self) -> bool:
        """Whether a message to the child is on its way."""
        return not self.run_id or self.first_task_to_release or self.policy_to_apply


class Update(msgspec.Struct, frozen=True):
    """An update that history knows: accepted, or, after a reset, admitted again."""

    accepted_event_id: int
    """0: only admitted."""
    completed_event_id: int = 0
    """0 while the workflow works on it."""
    weight: ClassVar[int] = WEIGHT


class Attached(msgspec.Struct, frozen=True):
    """What a request has left with a run that it did not start."""

    event_id: int
    """0 while the event is buffered."""
    event_type: int
    weight: ClassVar[int] = WEIGHT


class External(msgspec.Struct, frozen=True):
    """A message to another workflow that has not been answered: a signal, or a request to cancel."""

    initiated_event_id: int
    signals: bool
    weight: ClassVar[int] = WEIGHT


STANDBY, SCHEDULED, BACKING_OFF, DELIVERY_FAILED, SUCCEEDED = 1, 2, 3, 4, 5
"""States of a callback, numbered as on the wire."""


class Callback(msgspec.Struct):
    """One completion callback.

    standby ──run or update over──► scheduled ──delivered──► succeeded
                                     ▲   │ └────refused────► failed
                            its time │   │ not delivered
                                  backing off
    """

    data: bytes
    """The serialized `Callback`."""
    request_id: str
    """Of the request that attached it."""
    registration_time: int
    update_id: str = ""
    """The update whose outcome it tells; empty: it tells how the run ended."""
    state: int = STANDBY
    attempt: int = 0
    """How many attempts are over."""
    last_attempt_complete_time: int = 0
    failure: str = ""
    """Why the last attempt came to nothing."""
    next_attempt_time: int = 0

    @property
    def weight(self) -> int:
        return WEIGHT + len(self.data) + len(self.failure)

    @property
    def due(self) -> int:
        return self.next_attempt_time

    @property
    def waits(self) -> bool:
        return self.state == SCHEDULED


class Execution(msgspec.Struct, frozen=True):
    """All of one run's state, as one value. Nobody changes the mappings in it."""

    run: Run
    activities: Parts[int, Activity] = Parts(timed=True)
    """By scheduled event id."""
    timers: Parts[str, Timer] = Parts(timed=True)
    """By timer id."""
    children: Parts[int, Child] = Parts(timed=True)
    """By initiated event id."""
    externals: Parts[int, External] = Parts()
    """By initiated event id."""
    updates: Parts[str, Update] = Parts()
    """By update id, those that history knows."""
    callbacks: Parts[int, Callback] = Parts(timed=True)
    """By number, in the order in which they were attached. They stay when they are delivered."""
    attached: Parts[str, Attached] = Parts()
    """By request id: starts that were answered with this run, and updates."""
    request_ids: Parts[str, int] = Parts()
    """Request ids of signals and the ids of their events, 0 if they were buffered: a repeat is not applied again."""
    buffer: Parts[int, bytes] = Parts()
    """Events that wait for the started workflow task to end, serialized, in order of arrival."""
    memo: Parts[str, bytes] = Parts()
    """Serialized payloads."""
    search_attributes: Parts[str, bytes] = Parts()
    origin: bytes = b""
    """The serialized WORKFLOW_EXECUTION_STARTED attributes, kept when a later run may be made from them."""

    @property
    def key(self) -> ExecutionKey:
        return self.run.key
