"""Commands that the server refuses: one workflow for each text, so that each is a first attempt."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import ActivityType, Memo, Priority, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

LONG = "x" * 1001


async def refused(w: World, *batches: Sequence[Command] | Command) -> None:
    """Give each batch to a workflow of its own and record reply and history."""
    for number, batch in enumerate(batches):
        name = w.name(f"wf-{number}")
        queue = w.name(f"queue-{number}")
        await w.start(workflow_id=name, task_queue=TaskQueue(name=queue), record=False)
        await w.step(*([batch] if isinstance(batch, Command) else batch), queue=queue)
        await w.history(name)
        await w.terminate(name)


@scenario()
async def schedule_activity(w: World) -> None:
    """Each rule of an activity's attributes."""
    q = w.queue
    await refused(
        w,
        v.command("SCHEDULE_ACTIVITY_TASK"),
        v.activity("", q),
        v.activity(LONG, q),
        v.activity("a", q, activity_type=None),
        v.activity("a", q, activity_type=ActivityType(name=LONG)),
        v.activity("a", q, task_queue=None),
        v.activity("a", q, task_queue=TaskQueue()),
        v.activity("a", q, task_queue=TaskQueue(name=LONG)),
        v.activity("a", q, task_queue=TaskQueue(name="/_sys/q")),
        v.activity("a", q, start_to_close_timeout=None),
        v.activity("a", q, start_to_close_timeout=v.seconds(-1)),
        v.activity("a", q, schedule_to_close_timeout=v.seconds(-1)),
        v.activity("a", q, schedule_to_start_timeout=v.seconds(-1)),
        v.activity("a", q, heartbeat_timeout=v.seconds(-1)),
        v.activity("a", q, retry_policy=v.retry(coefficient=0.5)),
        v.activity("a", q, retry_policy=v.retry(initial=5, maximum_interval=v.seconds(1))),
        v.activity("a", q, retry_policy=v.retry(non_retryable_error_types=["TemporalTimeout:Foo"])),
        v.activity("a", q, priority=Priority(priority_key=-1)),
        v.activity("a", q, priority=Priority(fairness_key="f" * 65)),
        v.activity("a", q, priority=Priority(fairness_weight=-1)),
        v.activity("a", q, priority=Priority(fairness_key="é" * 33)),
        v.activity("é" * 501, q),
        v.activity("a", q, activity_type=ActivityType(name="é" * 501)),
        [v.activity("a", q), v.activity("a", q)],
    )


@scenario()
async def timers(w: World) -> None:
    """Bad timers and cancellations of timers and activities."""
    await refused(
        w,
        v.command("START_TIMER"),
        v.timer(""),
        v.timer(LONG),
        v.timer("t", -1),
        [v.timer("t", 60), v.timer("t", 60)],
        v.command("CANCEL_TIMER"),
        v.cancel_timer(""),
        v.cancel_timer(LONG),
        v.cancel_timer("unknown"),
        v.command("REQUEST_CANCEL_ACTIVITY_TASK"),
        v.cancel_activity(0),
        v.cancel_activity(99),
    )


@scenario()
async def closes_and_markers(w: World) -> None:
    """Bad markers and close commands."""
    await refused(
        w,
        v.command("RECORD_MARKER"),
        v.marker(""),
        v.marker(LONG),
        v.command("COMPLETE_WORKFLOW_EXECUTION"),
        v.command("FAIL_WORKFLOW_EXECUTION"),
        v.of("FAIL_WORKFLOW_EXECUTION"),
        v.command("CANCEL_WORKFLOW_EXECUTION"),
    )


@scenario()
async def continue_as_new(w: World) -> None:
    """Bad continuations."""
    await refused(
        w,
        v.command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"),
        v.continue_as_new(workflow_type=WorkflowType(name=LONG)),
        v.continue_as_new(task_queue=TaskQueue(name=LONG)),
        v.continue_as_new(task_queue=TaskQueue(name="/_sys/q")),
        v.continue_as_new(workflow_run_timeout=v.seconds(-1)),
        v.continue_as_new(workflow_task_timeout=v.seconds(-1)),
        v.continue_as_new(backoff_start_interval=v.seconds(-1)),
        v.continue_as_new(retry_policy=v.retry(coefficient=0.5)),
        v.continue_as_new(search_attributes=v.search_attributes(Nope=1)),
        v.continue_as_new(cron_schedule="nonsense", backoff_start_interval=v.seconds(60)),  # taken: held back on a slow machine, too
    )


NO_PANIC = "the real server's handler panics on absent attributes and leaves the task started; here the task fails with a reason"


@scenario(
    Difference("0 RespondWorkflowTaskCompleted.*", NO_PANIC),
    Difference("1 history.*", NO_PANIC),
)
async def start_child(w: World) -> None:
    """Bad children."""
    await refused(
        w,
        v.command("START_CHILD_WORKFLOW_EXECUTION"),
        v.child(""),
        v.child(LONG),
        v.child("c", workflow_type=None),
        v.child("c", workflow_type=WorkflowType(name=LONG)),
        v.child("c", namespace="nope-ns"),
        v.child("c", namespace="temporal-system"),
        v.child("c", task_queue=TaskQueue(name=LONG)),
        v.child("c", workflow_run_timeout=v.seconds(-1)),
        v.child("c", workflow_execution_timeout=v.seconds(-1)),
        v.child("c", workflow_task_timeout=v.seconds(-1)),
        v.child("c", cron_schedule="nonsense"),
        v.child("c", retry_policy=v.retry(coefficient=0.5)),
        v.child("c", search_attributes=v.search_attributes(Nope=1)),
    )


@scenario()
async def external(w: World) -> None:
    """Bad signals and cancellations of other workflows."""
    await refused(
        w,
        v.command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"),
        v.signal_external("x", execution=None),
        v.signal_external(""),
        v.signal_external("x", "not a uuid"),
        v.signal_external("x", signal_name=""),
        v.signal_external(LONG),
        v.signal_external("x", namespace="nope-ns"),
        v.signal_external("x", execution=WorkflowExecution()),
        v.command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"),
        v.cancel_external(""),
        v.cancel_external("x", "not a uuid"),
        v.cancel_external(LONG),
        v.cancel_external("x", namespace="nope-ns"),
        [v.child("c"), v.cancel_external("c")],
    )


@scenario()
async def properties(w: World) -> None:
    """Bad search attributes and memos."""
    await refused(
        w,
        v.command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"),
        v.of("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"),
        v.of("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=SearchAttributes()),
        v.of("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=v.search_attributes(Nope=1)),
        v.of("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=v.search_attributes(CloseTime=1)),
        v.of("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=v.search_attributes(OracleInt="x")),
        v.command("MODIFY_WORKFLOW_PROPERTIES"),
        v.of("MODIFY_WORKFLOW_PROPERTIES"),
        v.of("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo()),
    )


@scenario()
async def invalid_sequence(w: World) -> None:
    """A close command that is not the last, and commands of no known type, leave the task started."""
    await w.start()
    task = await w.poll()
    await w.complete(task, v.complete(), v.timer("t"))
    await w.complete(task, v.complete(), v.complete())
    await w.complete(task, v.fail(), v.continue_as_new())
    await w.complete(task, Command())
    await w.complete(task, Command(command_type=15))
    await w.complete(task, Command(command_type=99))
    await w.history()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def attributes_of_another_type(w: World) -> None:
    """The attributes of a command must be its own."""
    swapped = v.timer("t")
    swapped.command_type = v.marker().command_type
    await refused(w, swapped, v.of("PROTOCOL_MESSAGE"), v.command("PROTOCOL_MESSAGE"))


@scenario()
async def at_second_attempt(w: World) -> None:
    """A bad command at a later attempt is answered, and nothing is written."""
    await w.start()
    await w.fail_task(await w.poll())
    task = await w.poll()
    await w.complete(task, v.timer("t", -1))
    await w.history()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def rolls_back(w: World) -> None:
    """Nothing of a batch with a bad command remains, and the next attempt may do it right."""
    await w.start()
    await w.step(v.timer("t", 60), v.activity("a", w.queue), v.child(w.name("child")), v.timer("t", 60))
    await w.describe()
    await w.history()
    await w.step(v.timer("t", 60), v.complete())
    await w.history()


@scenario()
async def unhandled_command(w: World) -> None:
    """Each close command is refused while something is buffered, also at a later attempt."""
    for number, close in enumerate((v.complete(), v.fail(), v.cancel(), v.continue_as_new())):
        name = w.name(f"wf-{number}")
        queue = w.name(f"queue-{number}")
        await w.start(workflow_id=name, task_queue=TaskQueue(name=queue))
        if number == 0:
            await w.fail_task(await w.poll(queue=queue, record=False))
        task = await w.poll(queue=queue)
        await w.signal(workflow_id=name)
        await w.complete(task, close)
        await w.history(name)
        await w.step(v.complete(), queue=queue)
        await w.history(name)


@scenario()
async def oversized(w: World) -> None:
    """A payload above the limit terminates the workflow."""
    huge = v.oversized()
    await refused(
        w,
        v.of("COMPLETE_WORKFLOW_EXECUTION", result=huge),
        v.of("CANCEL_WORKFLOW_EXECUTION", details=huge),
        v.activity("a", w.queue, input=huge),
        v.of("RECORD_MARKER", marker_name="m", details={"d": huge}),
        v.continue_as_new(input=huge),
        v.child("c", input=huge),
        v.signal_external("x", input=huge),
        v.fail(v.failure("m" * (v.BLOB_LIMIT + 1))),
        v.of("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={"m": huge.payloads[0]})),
        v.continue_as_new(memo=Memo(fields={"m": huge.payloads[0]})),
    )
