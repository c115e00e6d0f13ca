"""What must be true at the end of a seed: promises kept, histories sound, everything closed."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import History, HistoryEvent

from outlast.engine.keys import ExecutionKey
from tests.history_checker import CLOSE_EVENTS, check_history
from tests.simulation.client import KEEPS
from tests.simulation.ledger import Ledger, Sent
from tests.simulation.lives import NOON, Lives
from tests.simulation.network import POLLS, CallRecord
from tests.simulation.program import Machine, Nondeterminism
from tests.simulation.scripts import value_of

E = EventType
CHILD_CLOSED = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
}
FOLLOWED = (
    E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
)
RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
TICK_S = 1e-6


class Story:
    """One run as the disk has it."""

    def __init__(self, key: ExecutionKey, events: list[HistoryEvent]) -> None:
        self.key = key
        self.run_id = key.run_id
        self.workflow_id = key.workflow_id
        self.events = events
        self.of: dict[int, list[Any]] = defaultdict(list)
        for event in events:
            self.of[event.event_type].append(getattr(event, event.WhichOneof("attributes") or ""))
        self.deleted_at = float("inf")
        self.first = self.of[E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED][0]
        last = events[-1]
        self.end = last if last.event_type in CLOSE_EVENTS else None
        self.end_at = (self.end.event_time.ToNanoseconds() - NOON) / 1e9 if self.end else float("inf")
        self.signals = [value_of(signal.input) for signal in self.of[E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]]
        self.accepted = [update.protocol_instance_id for update in self.of[E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED]]

        resets = [f for f in self.of[E.EVENT_TYPE_WORKFLOW_TASK_FAILED] if f.cause == RESET and f.new_run_id == self.run_id]
        self.reset = resets[0] if resets else None
        """How it came to be, if a reset made it."""
        self.origin = self.first.original_execution_run_id
        """Shared by a run and all that resets have made of it."""

    @property
    def successor(self) -> str:
        attributes = getattr(self.end, self.end.WhichOneof("attributes") or "") if self.end else None
        return getattr(attributes, "new_execution_run_id", "")


def judge(lives: Lives, ledger: Ledger, calls: list[CallRecord], *, store_is_sound: bool, store_is_quick: bool) -> list[str]:
    """Every flaw, in words."""
    stories = _stories(lives)
    flaws = [*lives.disk.flaws, *lives.flaws, *ledger.flaws]
    for story in stories.values():
        flaws += [f"{story.run_id}: {flaw}" for check in _ALONE for flaw in check(story)]
        flaws += [f"{story.run_id}: {flaw}" for check in _AMONG for flaw in check(story, stories)]
        flaws += [f"{story.run_id}: {flaw}" for flaw in _as_read(story, ledger)]
        flaws += [f"{story.run_id}: {flaw}" for flaw in _activities(story, stories, ledger)]
    for flaw in (*_starts(stories, ledger), *_signals(stories, ledger), *_updates(stories, ledger), *_ends(stories, ledger)):
        flaws.append(flaw)
    flaws += _workflow_tasks(stories, ledger)
    flaws += _polls(stories, calls, store_is_sound=store_is_sound, quick=store_is_quick)
    flaws += [
        f"{key.run_id}: it is closed and has messages that were never delivered"
        for key in sorted(lives.disk.memory._work)
        if stories[key.run_id].end
    ]
    return flaws


def _stories(lives: Lives) -> dict[str, Story]:
    """All runs that ever were, the deleted ones as they were at last."""
    disk = lives.disk
    stories = {}
    for key in disk.runs:
        deleted = disk.deleted.get(key)
        batches = deleted.batches if deleted is not None else disk.memory._runs[key].batches
        story = stories[key.run_id] = Story(key, [event for batch in batches for event in History.FromString(batch.data).events])
        if deleted is not None:
            story.deleted_at = (deleted.at - NOON) / 1e9
    return stories


# One run alone


def _grammar(story: Story) -> list[str]:
    return check_history(story.events)


def _closed(story: Story) -> Iterator[str]:
    if story.end is None:
        kinds = [E.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in story.events[-4:]]
        yield f"{story.workflow_id} never closes; it ends with {', '.join(kinds)}"


def _replays(story: Story) -> Iterator[str]:
    machine = Machine()
    try:
        machine.feed(story.events)
    except Nondeterminism as wrong:
        yield f"it does not replay: {wrong}"
        return
    for completed in story.of[E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED]:
        if value_of(completed.result) != machine.result:
            yield f"it completed with {value_of(completed.result)}, and its replay with {machine.result}"


def _signals_once(story: Story, stories: dict[str, Story]) -> Iterator[str]:
    for token, count in Counter(story.signals).items():
        origin, of_workflow, _ = str(token).partition("/")
        senders = sum(other.origin == origin for other in stories.values()) if of_workflow else 1
        if count > senders:
            yield f"signal {token} is in its history {count} times"


def _held(story: Story) -> Iterator[str]:
    """While a run is held no workflow task comes up."""
    held = 0
    for event in story.events:
        if event.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED:
            held = event.event_id
        elif event.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED:
            held = 0
        elif held and event.event_type == E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            yield f"event {event.event_id} is a workflow task, and since event {held} it is held"


_ALONE = (_grammar, _closed, _replays, _held)


def _resets(story: Story, stories: dict[str, Story]) -> Iterator[str]:
    """A run that was reset begins as its base did, and has the signals that came since."""
    if story.reset is None:
        return
    base = stories[story.reset.base_run_id]
    kept = next(e.event_id for e in story.events if e.HasField("workflow_task_failed_event_attributes") and _made(e, story)) - 1
    for event, original in zip(story.events[: kept - 1], base.events, strict=False):
        if event.SerializeToString(deterministic=True) != original.SerializeToString(deterministic=True):
            yield f"event {event.event_id} is not that of the run {base.run_id}, of which it was made"
            return
    if story.reset.failure.message != KEEPS:
        return
    began = (story.events[kept].event_time.ToNanoseconds() - NOON) / 1e9
    run: Story | None = base
    while run is not None and run.deleted_at > began and run is not story:
        missing = [token for token in run.signals if token not in story.signals]
        if missing:
            yield f"it was made of {base.run_id}, and has not the signals {missing} of {run.run_id}"
        run = stories.get(run.successor)


def _made(event: HistoryEvent, story: Story) -> bool:
    failed = event.workflow_task_failed_event_attributes
    return failed.cause == RESET and failed.new_run_id == story.run_id


def _schedules(story: Story, stories: dict[str, Story]) -> Iterator[str]:
    """A run of a schedule is followed by another, unless somebody has ended it."""
    ended = story.end is not None and story.end.event_type in FOLLOWED
    if story.first.cron_schedule and ended and story.successor not in stories:
        yield "it is a run of a schedule, and none follows"


def _as_read(story: Story, ledger: Ledger) -> Iterator[str]:
    """What anybody has read is what the disk has."""
    for event_id, data in sorted(ledger.seen.get(story.run_id, {}).items()):
        read = HistoryEvent.FromString(data)
        written = story.events[event_id - 1].SerializeToString(deterministic=True) if event_id <= len(story.events) else b""
        if data != written and read.event_type != E.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            yield f"event {event_id} was read as {E.Name(read.event_type)}, which is not what is written"


def _activities(story: Story, stories: dict[str, Story], ledger: Ledger) -> Iterator[str]:
    family = {other.run_id for other in stories.values() if other.origin == story.origin}
    scheduled = {
        event.event_id: event.activity_task_scheduled_event_attributes
        for event in story.events
        if event.event_type == E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    }
    started = {a.scheduled_event_id: a for a in story.of[E.EVENT_TYPE_ACTIVITY_TASK_STARTED]}
    results: dict[str, str] = {}
    for done in story.of[E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED]:
        name = scheduled[done.scheduled_event_id].activity_id
        results[name] = result = value_of(done.result)
        run_id, of_activity, attempt, *how = result.split("/")
        if run_id not in family or of_activity != name:
            yield f"activity {name} has the result {result}"
        if "by id" not in how and started[done.scheduled_event_id].attempt != int(attempt):
            yield f"activity {name} completed by attempt {attempt}, and its start says {started[done.scheduled_event_id].attempt}"
    for asked in scheduled.values():
        most, name = asked.retry_policy.maximum_attempts, asked.activity_id
        handouts = [attempt for run_id, of, attempt in ledger.activity_handouts if (run_id, of) == (story.run_id, name)]
        if most and len(handouts) > most:
            yield f"activity {name} may have {most} attempts, and was handed out for {handouts}"
        taken = ledger.activity_results.get((story.run_id, name), [])
        if len(taken) > 1:
            yield f"{len(taken)} completions of activity {name} were acknowledged"
        if taken and results.get(name) not in taken:
            yield f"activity {name}: the result {taken} was acknowledged, and {results.get(name)} is written"


def _children(story: Story, stories: dict[str, Story]) -> Iterator[str]:
    if sum(other.origin == story.origin for other in stories.values()) > 1:
        return  # after a reset the same event of several runs may have started a child
    started = {a.initiated_event_id: a.workflow_execution.run_id for a in story.of[E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED]}
    failed = {a.initiated_event_id for a in story.of[E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED]}
    ended = {a.initiated_event_id: kind for kind in CHILD_CLOSED.values() for a in story.of[kind]}
    for event in story.events:
        if event.event_type != E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            continue
        children = [
            child
            for child in stories.values()
            if (child.first.parent_workflow_execution.run_id, child.first.parent_initiated_event_id) == (story.run_id, event.event_id)
            and not child.first.continued_execution_run_id
        ]
        if len(children) > 1 or (children and event.event_id in failed):
            yield f"child {event.event_id} was started {len(children)} times, failed: {event.event_id in failed}"
        run_id = started.get(event.event_id)
        if run_id is not None and [child.run_id for child in children] != [run_id]:
            yield f"child {event.event_id} is {run_id}, and there is {[child.run_id for child in children]}"
        if not children:
            continue
        last = _last(children[0], stories)
        if event.event_id in ended and (last.end is None or CHILD_CLOSED.get(last.end.event_type) != ended[event.event_id]):
            yield f"child {event.event_id} ended as {E.Name(ended[event.event_id])}, and is {last.end and E.Name(last.end.event_type)}"


def _last(story: Story, stories: dict[str, Story]) -> Story:
    for _ in range(len(stories)):
        if not story.successor:
            break
        story = stories[story.successor]
    return story


_AMONG = (_signals_once, _resets, _schedules, _children)


# What clients were told


def _of_workflow(stories: dict[str, Story]) -> dict[str, list[Story]]:
    found: dict[str, list[Story]] = defaultdict(list)
    for story in stories.values():
        found[story.workflow_id].append(story)
    return found


def _starts(stories: dict[str, Story], ledger: Ledger) -> Iterator[str]:
    for sent in ledger.starts:
        story = stories.get(sent.acked_run)
        if story is None or value_of(story.first.input)["token"] != sent.token:
            yield f"start {sent.token} was acknowledged as {sent.acked_run}, which is not there"
    for sent in ledger.existing:
        if sent.run_id not in stories:
            yield f"{sent.client} was told that run {sent.run_id} of {sent.workflow_id} is there"
    for workflow_id, runs in _of_workflow(stories).items():
        for one, other in pairwise(runs):
            by_clients = not any(
                run.first.continued_execution_run_id or run.first.parent_workflow_execution.run_id or run.reset for run in (one, other)
            )
            began = (other.events[0].event_time.ToNanoseconds() - NOON) / 1e9
            if by_clients and one.deleted_at > began and value_of(one.first.input)["token"] == value_of(other.first.input)["token"]:
                yield f"{workflow_id}: the same start made {one.run_id} and {other.run_id}"


def _signals(stories: dict[str, Story], ledger: Ledger) -> Iterator[str]:
    of_workflow = _of_workflow(stories)
    placed: dict[tuple[str, str], list[int]] = defaultdict(list)
    for sent in ledger.signals:
        homes = [story for story in of_workflow[sent.workflow_id] if sent.token in story.signals]
        homes = [story for story in homes if story.reset is None or story.run_id == sent.acked_run] or homes
        if not homes or (sent.acked_run and sent.acked_run not in [story.run_id for story in homes]):
            yield f"signal {sent.token} was acknowledged, and is not in {sent.acked_run or sent.workflow_id}"
        elif len(homes) > 1 and sent.run_id:
            yield f"signal {sent.token} is in {len(homes)} histories"
        elif len(homes) == 1:
            placed[sent.client, homes[0].run_id].append(homes[0].signals.index(sent.token))
    for (client, run_id), places in placed.items():
        if places != sorted(places):
            yield f"{run_id}: the signals of {client} are in the order {places}"


def _updates(stories: dict[str, Story], ledger: Ledger) -> Iterator[str]:
    for sent in ledger.updates:
        story = stories.get(sent.acked_run)
        if story is None:
            yield f"update {sent.token} was answered by {sent.acked_run}, which is not there"
            continue
        accepted, outcome = sent.token in story.accepted, sent.outcome
        if outcome is not None and outcome.HasField("failure"):
            by_close = outcome.failure.application_failure_info.type == "AcceptedUpdateCompletedWorkflow"
            if accepted != by_close:
                yield f"update {sent.token} was answered with {outcome.failure.message!r}; accepted: {accepted}"
            continue
        if not accepted:
            yield f"update {sent.token} was accepted, and is not in {sent.acked_run}"
        completed = [u.outcome for u in story.of[E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED] if u.meta.update_id == sent.token]
        if outcome is not None and completed != [outcome]:
            yield f"update {sent.token} was answered otherwise than is written"
    tokens = Counter((story.workflow_id, token) for story in stories.values() if not story.reset for token in story.accepted)
    for sent in ledger.updates:
        if sent.run_id and tokens[sent.workflow_id, sent.token] > 1:
            yield f"update {sent.token} is in {tokens[sent.workflow_id, sent.token]} histories"


def _ends(stories: dict[str, Story], ledger: Ledger) -> Iterator[str]:
    def told(sent: Sent) -> Story | None:
        return stories.get(sent.run_id) if sent.run_id else None

    for sent in ledger.cancels:
        story = told(sent)
        canceled = story is None or story.of[E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED]
        if not canceled and story is not None and story.end_at > sent.acked_at + TICK_S:
            yield f"{story.run_id}: a cancel request was acknowledged, and is not in its history"
    for sent in ledger.pauses:
        story = told(sent)
        if story is not None and sent.token not in [paused.request_id for paused in story.of[E.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED]]:
            yield f"{story.run_id}: a pause was acknowledged, and is not in its history"
    for sent in ledger.resets:
        new = stories.get(sent.acked_run)
        if new is None or new.reset is None or new.reset.base_run_id != sent.run_id:
            yield f"{sent.run_id}: a reset was acknowledged as {sent.acked_run}, which is not made of it"
    for sent in ledger.terminations:
        story = told(sent)
        if story is not None and not story.of[E.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED]:
            yield f"{story.run_id}: its termination was acknowledged, and is not in its history"
    for sent in ledger.completed_refusals:
        story = told(sent)
        if story is not None and story.end_at > sent.acked_at + TICK_S:
            yield f"{story.run_id}: {sent.client} was told that it has completed, at {sent.acked_at}; it closed at {story.end_at}"


# What workers were told


def _workflow_tasks(stories: dict[str, Story], ledger: Ledger) -> Iterator[str]:
    written = {
        run_id: {(done.started_event_id, done.identity) for done in story.of[E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]}
        for run_id, story in stories.items()
    }
    for run_id, started_event_id, worker in ledger.completed_tasks:
        if (started_event_id, worker) not in written.get(run_id, ()):
            yield f"{run_id}: {worker}'s completion of workflow task {started_event_id} was acknowledged, and is not in its history"


def _polls(stories: dict[str, Story], calls: list[CallRecord], *, store_is_sound: bool, quick: bool) -> Iterator[str]:
    """A task that was started is in somebody's hands, unless its poller has gone, or it timed out while its start was written."""
    polls = {call.ids[0]: call for call in calls if call.name in POLLS and call.ids}
    for story in stories.values():
        for kind in (E.EVENT_TYPE_WORKFLOW_TASK_STARTED, E.EVENT_TYPE_ACTIVITY_TASK_STARTED):
            for started in story.of[kind]:
                call = polls.get(started.request_id)
                gone = call is not None and call.fate == "disconnected"
                given_back = gone and store_is_sound and kind == E.EVENT_TYPE_ACTIVITY_TASK_STARTED
                if call is not None and quick and (call.fate == "empty" or given_back):
                    yield f"{story.run_id}: {E.Name(kind)} {started.scheduled_event_id} went to a poll that was {call.fate}"
