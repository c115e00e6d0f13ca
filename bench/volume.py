"""What one transition costs in a run that holds much: `python -m bench.volume`. It should not grow with the size.

The engine alone, without store or wire; each figure is the mean of a few hundred decisions, in microseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import ActivityType, WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.begin import begin
from outlast.engine.decide import decide
from outlast.engine.limits import SECOND
from outlast.engine.machines.start import attributes_of_request
from outlast.engine.state import Execution

SIZES = (10, 100, 1_000, 5_000)
ROUNDS = 300
NOON = 1_767_268_800 * SECOND
NAMESPACE = t.NamespaceView("namespace-id", "default")


def main() -> None:
    """Print one line for each kind of transition, one column for each size."""
    limits.PENDING_ACTIVITIES_MAX = limits.SIGNALS_MAX = 1_000_000  # larger than any run may be, to see a slope if there is one
    limits.HISTORY_EVENTS_MAX = 1_000_000
    print(f"{'microseconds for':44}" + "".join(f"{size:>9,}" for size in SIZES))
    for title, measure in MEASURES.items():
        print(f"{title:44}" + "".join(f"{measure(size):9.0f}" for size in SIZES), flush=True)


def _context(now: int = NOON) -> t.Context:
    return t.Context(now, "22222222-2222-4222-8222-000000000001", NAMESPACE, {"default": "namespace-id"})


def _started() -> Execution:
    request = StartWorkflowExecutionRequest(
        workflow_id="order", workflow_type=WorkflowType(name="Order"), task_queue=TaskQueue(name="orders")
    )
    first = t.Start("order", "start-request", attributes_of_request(request, NOON))
    return begin(first, "11111111-1111-4111-8111-111111111111", _context()).after


def _completed(execution: Execution, *commands: Command) -> Execution:
    """A worker takes the pending workflow task and answers it."""
    task = execution.run.workflow_task
    assert task is not None
    poll = t.StartWorkflowTask(task.scheduled_event_id, task.attempt, "poll", "worker", False)
    execution = decide(execution, poll, _context()).after
    task = execution.run.workflow_task
    assert task is not None
    token = t.WorkflowTaskToken(task.scheduled_event_id, task.started_event_id, task.started_time, task.attempt)
    request = RespondWorkflowTaskCompletedRequest(identity="worker", commands=commands)
    return decide(execution, t.CompleteWorkflowTask(token, request, "completion"), _context()).after


def _with_signals(count: int) -> Execution:
    execution = _started()
    for number in range(count):
        execution = decide(execution, t.Signal("hello", request_id=f"signal-{number}"), _context()).after
    return execution


def _with_activities(count: int) -> Execution:
    def scheduling(number: int) -> Command:
        command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
        attributes = command.schedule_activity_task_command_attributes
        attributes.activity_id = str(number)
        attributes.activity_type.CopyFrom(ActivityType(name="Work"))
        attributes.task_queue.name = "orders"
        attributes.start_to_close_timeout.seconds = 60 + number
        attributes.heartbeat_timeout.seconds = 30
        return command

    return _completed(_started(), *(scheduling(number) for number in range(count)))


def _with_timers(count: int) -> Execution:
    def starting(number: int) -> Command:
        command = Command(command_type=CommandType.COMMAND_TYPE_START_TIMER)
        command.start_timer_command_attributes.timer_id = str(number)
        command.start_timer_command_attributes.start_to_fire_timeout.seconds = 1 + number
        return command

    return _completed(_started(), *(starting(number) for number in range(count)))


def _mean(step: Callable[[Execution, int], Execution], execution: Execution, rounds: int = ROUNDS) -> float:
    """Microseconds of one step, each on the outcome of the one before."""
    begun = time.process_time()
    for number in range(rounds):
        execution = step(execution, number)
    return (time.process_time() - begun) / rounds * 1e6


def _signal(size: int) -> float:
    return _mean(lambda run, n: decide(run, t.Signal("hello", request_id=f"more-{n}"), _context()).after, _with_signals(size))


def _repeated_signal(size: int) -> float:
    return _mean(lambda run, n: decide(run, t.Signal("hello", request_id=f"signal-{n % size}"), _context()).after, _with_signals(size))


def _start_activity(size: int) -> float:
    execution = _with_activities(size)
    ids = list(execution.activities)
    return _mean(lambda run, n: decide(run, t.StartActivity(ids[n], 1, 0, "poll", "w"), _context()).after, execution, min(size, ROUNDS))


def _all_started(size: int) -> tuple[Execution, list[int]]:
    execution = _with_activities(size)
    ids = list(execution.activities)
    for event_id in ids:
        execution = decide(execution, t.StartActivity(event_id, 1, 0, "poll", "w"), _context()).after
    return execution, ids


def _heartbeat(size: int) -> float:
    execution, ids = _all_started(size)
    return _mean(lambda run, n: decide(run, t.Heartbeat(t.ActivityToken(ids[n % size], 1), None, "w"), _context(NOON + n)).after, execution)


def _complete_activity(size: int) -> float:
    execution, ids = _all_started(size)
    done = lambda event_id: t.CompleteActivity(t.ActivityToken(event_id, 1), None, "w")  # noqa: E731 - as short as it gets
    return _mean(lambda run, n: decide(run, done(ids[n]), _context()).after, execution, min(size, ROUNDS))


def _fire_timer(size: int) -> float:
    moments = lambda n: _context(NOON + (1 + n) * SECOND)  # noqa: E731 - one second after another
    return _mean(lambda run, n: decide(run, t.TimersDue(), moments(n)).after, _with_timers(size), min(size, ROUNDS))


def _signal_beside_timers(size: int) -> float:
    return _mean(lambda run, n: decide(run, t.Signal("hello", request_id=f"more-{n}"), _context()).after, _with_timers(size))


MEASURES: dict[str, Callable[[int], float]] = {
    "a signal, after so many": _signal,
    "a repeated signal": _repeated_signal,
    "an activity's start, among so many": _start_activity,
    "a heartbeat": _heartbeat,
    "an activity's end": _complete_activity,
    "a timer that fires, among so many": _fire_timer,
    "a signal beside so many timers": _signal_beside_timers,
}

if __name__ == "__main__":
    main()
