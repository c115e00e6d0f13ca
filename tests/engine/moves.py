"""What may happen next to a run: valid triggers that its state allows, and bad ones, picked by plain numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Callback, TimeSkippingConfig, WorkflowExecution
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflow.v1 import WorkflowExecutionOptions

from outlast.engine import triggers as t
from outlast.engine.begin import begin
from outlast.engine.decide import decide
from outlast.engine.limits import SECOND
from outlast.engine.machines.start import attributes_of_request
from outlast.engine.refusals import Refusal
from outlast.engine.state import Execution
from outlast.engine.transition import Transition
from tests.engine import ask
from tests.engine.given import (
    NOON,
    RUN_ID,
    Given,
    activity_token,
    application_failure,
    completion,
    context,
    do,
    failing,
    given_started,
    name,
    payloads,
    poll,
    seconds,
    start_request,
    told,
)

STICKY = StickyExecutionAttributes(worker_task_queue=TaskQueue(name="worker-1"), schedule_to_start_timeout={"seconds": 5})
CALLBACK = Callback(nexus=Callback.Nexus(url="http://127.0.0.1:1/done"))
CLOSES: list[HistoryEvent] = [
    do(given_started(), ask.completed("1")).history[-1],
    do(given_started(), ask.failed()).history[-1],
    do(given_started(), ask.canceled()).history[-1],
    told(given_started(), t.Terminate("enough", "client")).history[-1],
    told(given_started(workflow_run_timeout=1), t.TimersDue(), after=1).history[-1],
]
Move = tuple[int, int, int]  # which of the possible triggers, a seed for its details, seconds that pass before it


class Step(Given, frozen=True):
    """One step of a walk: the state before it, what was tried, and the refusal if there was one. `last` is what it led to."""

    before: Execution | None = None
    trigger: t.Trigger | None = None
    refusal: Refusal | None = None


def first_step(seed: int) -> Step:
    """A run that begins in one of several ways, some with timeouts, retries, a schedule or a delay."""
    random = Random(seed)
    fields: dict[str, object] = {}
    if random.random() < 0.3:
        fields["workflow_run_timeout"] = random.choice([30, 300])
    if random.random() < 0.2:
        fields["workflow_execution_timeout"] = 200
    if random.random() < 0.3:
        fields["retry_policy"] = ask.retry_policy(maximum_attempts=2)
    if random.random() < 0.2:
        fields["cron_schedule"] = "* * * * *"
    elif random.random() < 0.2:
        fields["workflow_start_delay"] = 20
    eager = "starter" if random.random() < 0.2 else None
    if random.random() < 0.3:
        fields["completion_callbacks"] = [CALLBACK]
    if random.random() < 0.2:
        fields["time_skipping_config"] = _skipping(random)
    attributes = attributes_of_request(start_request(**fields), NOON)
    transition = begin(t.Start("order", "r", attributes, eager_worker=eager), RUN_ID, context())
    return Step(transition.after, _events(transition), transition, NOON)


def _skipping(random: Random) -> TimeSkippingConfig:
    config = TimeSkippingConfig(enabled=random.random() < 0.8, max_session_skip_count=random.choice([1, 3, 200]))
    if config.enabled and random.random() < 0.4:
        config.fast_forward_config.id = "ff"
        config.fast_forward_config.duration.CopyFrom(seconds(random.choice([1, 30])))
    return config


def walk(seed: int, moves: Sequence[Move]) -> Iterator[Step]:
    """Decide one trigger after the other; a refused one changes nothing."""
    step = first_step(seed)
    yield step
    for choice, details, delay in moves:
        random = Random(details)
        trigger = _chosen(step, random, choice)
        now = step.now + delay * SECOND
        decided = step.decided + 1
        try:
            transition = decide(step.execution, trigger, context(now, decided))
        except Refusal as refusal:
            step = Step(step.execution, step.history, step.last, now, decided, step.execution, trigger, refusal)
        else:
            history = (*step.history, *_events(transition))
            step = Step(transition.after, history, transition, now, decided, step.execution, trigger)
        yield step


def _events(transition: Transition) -> tuple[HistoryEvent, ...]:
    return tuple(event for batch in transition.batches for event in batch.events)


def _chosen(step: Step, random: Random, choice: int) -> t.Trigger:
    if choice % 8 == 0:
        return random.choice(_bad(step, random))
    # Workflow tasks move most of the time, or else hardly anything would ever be pending.
    of_task = _of_workflow_task(step, random)
    if of_task and choice % 8 < 5:
        return random.choice(of_task)
    others = [*_of_activities(step, random), *_of_others(step, random), *_from_outside(step, random)]
    return others[choice // 8 % len(others)]


def _of_workflow_task(step: Step, random: Random) -> list[t.Trigger]:
    task = step.run.workflow_task
    if task is None or not step.run.open:
        return []
    if not task.started:
        return [poll(step, f"poll {step.decided}", sticky=bool(task.sticky_queue))]
    done = completion(
        step,
        _commands(step, random),
        force_create_new_workflow_task=random.random() < 0.2,
        return_new_workflow_task=random.random() < 0.3,
        sticky_attributes=STICKY if random.random() < 0.3 else None,
        binary_checksum=random.choice(["", "one", "two"]),
    )
    ends: list[t.Trigger] = [done, done, done, failing(step), t.TimersDue()]
    if random.random() < 0.1:
        ends.append(failing(step, WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND))
    return ends


def _commands(step: Step, random: Random) -> list[Command]:
    """Commands of a sane worker: it uses each id once, cancels what it knows of, and closes last."""
    commands = [_command(step, random, f"{step.decided}-{number}") for number in range(random.randrange(4))]
    timers = sorted(step.execution.timers)
    if timers and random.random() < 0.3:
        commands.append(ask.cancel_timer(random.choice(timers)))
    cancelable = [a.scheduled_event_id for a in step.execution.activities.values() if not a.cancel_requested_event_id]
    if cancelable and random.random() < 0.3:
        commands.append(ask.cancel_activity(random.choice(cancelable)))
    if random.random() < 0.1:
        commands.append(random.choice([ask.completed("1"), ask.failed(), ask.canceled(), ask.continued_as_new()]))
    return commands


def _command(step: Step, random: Random, unique: str) -> Command:
    match random.randrange(9):
        case 0 | 1:
            return ask.timer(unique, random.choice([0, 1, 5, 40]))
        case 2:
            return ask.activity(unique, start_to_close_timeout=5, heartbeat_timeout=random.choice([0, 2]))
        case 3:
            policy = ask.retry_policy(maximum_attempts=random.choice([0, 1]))
            eager = random.random() < 0.5
            return ask.activity(unique, schedule_to_close_timeout=30, retry_policy=policy, request_eager_execution=eager)
        case 4:
            return ask.child(unique, parent_close_policy=random.randrange(4))
        case 5:
            return ask.signal_external(unique)
        case 6:
            return ask.cancel_external(unique)
        case 7:
            return ask.upsert(Keyword=random.choice(['"a"', "null"]))
        case _:
            return ask.memo(key=random.choice(["1", "[]"])) if random.random() < 0.5 else ask.marker()


def _of_activities(step: Step, random: Random) -> list[t.Trigger]:
    triggers: list[t.Trigger] = []
    for activity in step.execution.activities.values():
        token = activity_token(step, activity)
        if random.random() < 0.3:
            triggers.append(_operation(activity.activity_id, random))
        if not activity.started:
            if activity.offered:
                request_id = f"poll {step.decided}"
                triggers.append(t.StartActivity(activity.scheduled_event_id, activity.attempt, activity.stamp, request_id, "w"))
            triggers.append(t.CompleteActivity(t.ActivityToken(activity_id=activity.activity_id), None, "client"))
            continue
        details = payloads("7") if random.random() < 0.5 else None
        triggers += [
            t.CompleteActivity(token, details, "w"),
            t.FailActivity(token, application_failure(non_retryable=random.random() < 0.3), "w", last_heartbeat_details=details),
            t.Heartbeat(token, details, "w"),
            t.ReleaseActivity(activity.scheduled_event_id, activity.attempt, activity.request_id),
        ]
        if activity.cancel_requested_event_id:
            triggers.append(t.CancelActivity(token, details, "w"))
    return triggers


def _operation(activity_id: str, random: Random) -> t.Trigger:
    """What an operator may want of an activity."""
    yes, jitter = random.random() < 0.5, seconds(random.choice([0, 0, 4]))
    match random.randrange(6):
        case 0 | 1:
            return ask.pause(id=activity_id, request_id=random.choice(["one", "two"]))
        case 2:
            return ask.unpause(id=activity_id, reset_attempts=yes, reset_heartbeat=random.random() < 0.5, jitter=jitter)
        case 3:
            return ask.reset(id=activity_id, keep_paused=yes, restore_original_options=random.random() < 0.5, jitter=jitter)
        case 4:
            return ask.new_options("heartbeat_timeout schedule_to_start_timeout", id=activity_id, heartbeat_timeout=random.choice([0, 3]))
        case _:
            return ask.original_options(id=activity_id)


def _of_others(step: Step, random: Random) -> list[t.Trigger]:
    triggers: list[t.Trigger] = []
    for child in step.execution.children.values():
        initiated = child.initiated_event_id
        if step.run.open:
            triggers += [
                t.ChildStarted(initiated, f"run of {initiated}"),
                t.ChildStartFailed(initiated, 1),
                t.ChildClosed(initiated, f"run of {initiated}", "last run", random.choice(CLOSES)),
            ]
        triggers += [t.ChildFirstTaskReleased(initiated), t.ChildPolicyApplied(initiated)]
    for message in step.execution.externals.values():
        failure = "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND" if random.random() < 0.5 else ""
        triggers.append(t.ExternalTold(step.history[message.initiated_event_id - 1], failure))
    return triggers


def _from_outside(step: Step, random: Random) -> list[t.Trigger]:
    triggers: list[t.Trigger] = [
        t.TimersDue(),
        t.TimersDue(),
        t.Signal("hello", request_id=random.choice(["", "same", f"r{step.decided}"]), even_in_backoff=random.random() < 0.3),
        t.RequestCancel("stop", request_id=f"c{step.decided}"),
        t.ReleaseFirstTask(),
        t.ParentNotified(),
    ]
    if step.run.open:
        triggers += [t.ResetSticky(), t.Attach(random.choice(["same start", f"start {step.decided}"]), (), [CALLBACK])]
        if random.random() < 0.2:
            options = WorkflowExecutionOptions(time_skipping_config=_skipping(random) if random.random() < 0.8 else None)
            triggers.append(t.UpdateOptions(options, ("time_skipping_config",), "operator"))
    for number, callback in step.execution.callbacks.items():
        triggers.append(t.CallbackAnswered(number, callback.attempt, random.choice(["", "no"]), again=random.random() < 0.5))
    if step.run.open and random.random() < 0.1:
        triggers.append(t.Terminate("enough", "client"))
    return triggers


def _bad(step: Step, random: Random) -> list[t.Trigger]:
    """Triggers that are stale, misdirected or wrong; most are refused, some are recorded as a failed task."""
    nobody = t.ActivityToken(scheduled_event_id=9999, attempt=1)
    stranger = WorkflowExecution(workflow_id="stranger", run_id="r")
    triggers: list[t.Trigger] = [
        t.StartWorkflowTask(9999, 1, "poll", "w", False),
        t.StartActivity(9999, 1, 0, "poll", "w"),
        t.ReleaseActivity(9999, 1, "poll"),
        t.CompleteActivity(nobody, None, "w"),
        t.FailActivity(nobody, None, "w"),
        t.Heartbeat(t.ActivityToken(activity_id="nobody"), None, "w"),
        t.Signal("hello", external=stranger, only_child_of="r"),
        t.RequestCancel("stop", first_execution_run_id="another"),
        t.Terminate("enough", "client", first_execution_run_id="another"),
        t.ChildStarted(9999, "run"),
        t.ChildPolicyApplied(9999),
        t.ExternalTold(HistoryEvent(event_id=9999)),
        ask.pause(id="nobody"),
        ask.new_options("start_to_close_timeout", match_all=True, start_to_close_timeout=-1),
    ]
    task = step.run.workflow_task
    if task is not None and task.started:
        flaws: list[list[Command]] = [
            [ask.timer("x"), ask.timer("x")],
            [ask.activity("")],
            [ask.cancel_timer("nothing")],
            [ask.cancel_activity(9999)],
            [ask.child("c", namespace="nowhere")],
            [ask.upsert(Nowhere="1")],
            [ask.marker(), ask.completed(), ask.marker()],
            [ask.marker(), Command(command_type=15)],
        ]
        triggers += [completion(step, commands) for commands in flaws]
    for activity in step.execution.activities.values():
        triggers.append(t.CancelActivity(activity_token(step, activity), None, "w"))
        triggers.append(t.StartActivity(activity.scheduled_event_id, activity.attempt + 1, 0, "poll", "w"))
    return triggers


def names(step: Step) -> list[str]:
    return [name(event) for event in step.history]
