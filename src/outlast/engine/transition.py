"""What a decision is: a value that says what follows. It has not happened until it is stored."""

from collections.abc import Mapping, Sequence

import msgspec
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.update.v1 import Outcome

from outlast.engine.keys import PartKey
from outlast.engine.refusals import Refusal
from outlast.engine.state import Execution


class OfferWorkflowTask(msgspec.Struct, frozen=True):
    scheduled_event_id: int
    attempt: int
    task_queue: str
    sticky_queue: str
    """Empty: offer it on the normal queue."""


class OfferActivity(msgspec.Struct, frozen=True):
    scheduled_event_id: int
    attempt: int
    stamp: int
    task_queue: str


class StartChild(msgspec.Struct, frozen=True):
    initiated_event_id: int


class ReleaseChild(msgspec.Struct, frozen=True):
    """Tell the child that its first workflow task may be scheduled."""

    initiated_event_id: int


class ApplyClosePolicy(msgspec.Struct, frozen=True):
    initiated_event_id: int


class NotifyParent(msgspec.Struct, frozen=True):
    pass


class TellExternal(msgspec.Struct, frozen=True):
    """Deliver a signal or a cancel request to another workflow."""

    initiated_event_id: int


class DeliverCallback(msgspec.Struct, frozen=True):
    """Tell a callback's address what became of the run, or of an update."""

    number: int
    attempt: int
    """How many attempts have been made."""


Effect = OfferWorkflowTask | OfferActivity | StartChild | ReleaseChild | ApplyClosePolicy | NotifyParent | TellExternal | DeliverCallback


class Batch(msgspec.Struct, frozen=True):
    """Events that are written together."""

    first_event_id: int
    events: Sequence[HistoryEvent]
    data: bytes
    """The events as a serialized History."""


class Transition(msgspec.Struct, frozen=True):
    """The outcome of one decision about one run."""

    after: Execution
    batches: Sequence[Batch] = ()
    changes: Mapping[PartKey, bytes | None] = {}
    """Parts to put, or to delete (None)."""
    effects: Sequence[Effect] = ()
    """What must be done once this is durable. All of it can be derived again from the state: see `pending_work`."""
    visible: bool = False
    """Whether the visibility record changes."""
    durable: bool = True
    """False: may wait for the next commit of this run (only a started workflow task)."""
    changed: bool = True
    """False: nothing to write."""
    due_at: int | None = None
    has_work: bool = False
    successor: "Transition | None" = None
    """The first transition of the run that follows this one, to be committed with it."""
    oversize: int = 0
    """The size of events that are too large to be written together, here or in the successor; 0: there are none."""
    refusal: Refusal | None = None
    """What to answer once this is durable: the request was wrong and history says so."""
    eager_activities: Sequence[int] = ()
    """Scheduled event ids of activities that were started for the worker that completed the workflow task."""
    new_workflow_task: bool = False
    """A new workflow task was started for the worker that completed the last one."""
    cancel_requested: bool = False
    """For a heartbeat: whether the activity should stop."""
    activity_paused: bool = False
    """For a heartbeat: whether the activity should stop, to be tried again later."""
    activity_reset: bool = False
    """For a heartbeat: whether the activity should stop, to begin anew."""
    activity_options: ActivityOptions | None = None
    """For a change of options: those of the last activity that was changed."""
    rejected_updates: Mapping[str, Outcome] = {}
    """Updates that the worker rejected, or left unanswered, and what their callers are told."""
    updates_lost: bool = False
    """The worker's messages made no sense: the updates that it was sent fail."""
    reset_history_event_id: int = 0
    """The worker must forget the events after this one: the workflow task has left no trace."""
