"""Payloads, memos, search attributes and texts above their limits, on every call that carries them."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.common.v1 import Header, Memo, Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta
from temporalio.api.update.v1 import Request as UpdateRequest
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.registry import scenario
from tests.oracle.world import World

LONG = "x" * 1001
MEBIBYTE = 1024 * 1024


def blob(size: int) -> Payload:
    """A payload whose data has this size."""
    return Payload(metadata={"encoding": b"binary/plain"}, data=b"x" * size)


@scenario()
async def large_texts_of_starts(w: World) -> None:
    """A start with one text or payload that is too large."""
    large = v.oversized()
    big_header = Header(fields={"h": blob(2 * MEBIBYTE + 1)})
    for number, fields in enumerate(
        [
            {"input": large},
            {"memo": Memo(fields={"m": blob(2 * MEBIBYTE + 1)})},
            {"memo": Memo(fields={"m": blob(2 * MEBIBYTE - 200)})},
            {"header": big_header},
            {"identity": LONG},
            {"request_id": LONG},
            {"cron_schedule": LONG},
            {"last_completion_result": large},
            {"task_queue": TaskQueue(name=LONG)},
            {"workflow_type": {"name": LONG}},
            {"user_metadata": {"summary": blob(401)}},
            {"user_metadata": {"details": blob(20_001)}},
            {"user_metadata": {"summary": blob(3 * MEBIBYTE)}},
            {"input": Payloads(payloads=[blob(2 * MEBIBYTE - 100)]), "memo": Memo(fields={"m": blob(MEBIBYTE)})},
        ]
    ):
        await w.start(workflow_id=w.name(f"wf-{number}"), **fields)
        if not fields.keys() & {"last_completion_result", "header"}:  # it knows no such result, and has the header twice
            await w.signal_with_start(workflow_id=w.name(f"sws-{number}"), **fields)
    await w.signal_with_start(workflow_id=w.name("sws"), signal_input=large)
    await w.signal_with_start(workflow_id=w.name("sws"), signal_name=LONG)


@scenario()
async def large_signals_and_ends(w: World) -> None:
    """Signals, cancel requests and terminations that are too large."""
    await w.start()
    await w.signal(input=v.oversized())
    await w.signal(header=Header(fields={"h": blob(2 * MEBIBYTE + 1)}))
    await w.signal(LONG)
    await w.signal(request_id=LONG)
    await w.signal(identity=LONG)
    await w.signal(workflow_id=LONG)
    await w.cancel(reason=LONG)
    await w.cancel(request_id=LONG)
    await w.cancel(identity=LONG)
    await w.cancel(workflow_id=LONG)
    await w.terminate(workflow_id=LONG)
    await w.terminate(details=v.oversized(), reason=LONG, identity=LONG)
    await w.describe(LONG)
    await w.history()


@scenario()
async def large_queries(w: World) -> None:
    """Queries and answers that are too large."""
    await w.start()
    await w.step()
    await w.query(query={"query_type": "state", "query_args": v.oversized()})
    await w.query(query={"query_type": LONG, "query_args": v.payloads("x")}, seconds=4)
    await w.query(query={"query_type": "q", "header": Header(fields={"h": blob(2 * MEBIBYTE + 1)})}, seconds=4)
    asked = asyncio.create_task(w.query(seconds=25))
    task = await w.poll(record=False)
    answer = api.RespondQueryTaskCompletedRequest(
        namespace=w.namespace, task_token=task.task_token, completed_type="QUERY_RESULT_TYPE_ANSWERED", query_result=v.oversized()
    )
    await w.call("RespondQueryTaskCompleted", answer)
    await asked


async def _update(w: World, **fields: Any) -> None:
    """Ask for an update, and wait for what comes of it."""
    usual: dict[str, Any] = {"meta": Meta(update_id=w.name("update"), identity="updater"), "input": Input(name="u", args=v.payloads("a"))}
    request = api.UpdateWorkflowExecutionRequest(
        namespace=w.namespace, workflow_execution=w.execution(), request=UpdateRequest(**(usual | fields))
    )
    await w.call("UpdateWorkflowExecution", request)


@scenario()
async def large_updates(w: World) -> None:
    """Updates whose texts are too long; their arguments may be larger than other payloads."""
    await w.start()
    await w.step()
    await _update(w, input=Input(name="", args=v.payloads("a")))
    await _update(w, meta=Meta(update_id=LONG))
    asked = asyncio.create_task(_update(w, input=Input(name="u", args=v.oversized())))
    task = await w.poll(record=False)
    w.note("carried by the next workflow task", len(task.messages))
    await w.terminate()
    await asked


@scenario()
async def large_activity_answers(w: World) -> None:
    """What activities report, too large, by token and by id."""
    await w.start()
    names = ["beat", "done", "failed", "gone", "beat-id", "done-id", "failed-id", "gone-id", "beats", "last"]
    once = v.retry(attempts=1)
    await w.step(*(v.activity(name, w.name(name), retry_policy=once) for name in names))
    tasks = {name: await w.poll_activity(w.name(name), record=False) for name in names}
    await w.activity("Heartbeat", tasks["beat"], details=v.oversized())
    await w.activity("Completed", tasks["done"], result=v.oversized())
    long = Failure(message="m" * (2 * MEBIBYTE + 1), application_failure_info={"type": "T"})
    await w.activity("Failed", tasks["failed"], failure=long)
    await w.activity("Failed", tasks["last"], last_heartbeat_details=v.oversized())
    await w.activity("Canceled", tasks["gone"], details=v.oversized())
    await w.activity("Heartbeat", by_id="beat-id", details=v.oversized())
    await w.activity("Completed", by_id="done-id", result=v.oversized())
    await w.activity("Failed", by_id="failed-id", failure=long)
    await w.activity("Canceled", by_id="gone-id", details=v.oversized())
    for what in ("Heartbeat", "Completed", "Failed", "Canceled"):
        await w.activity(what, tasks["beats"], identity=LONG)
        await w.activity(what, by_id="beats", identity=LONG)
    await w.activity("Completed", by_id=LONG)
    await w.history()


@scenario()
async def canceled_with_large_details(w: World) -> None:
    """An activity that was asked to stop reports more than fits."""
    await w.start()
    await w.step(v.activity("a", w.queue, retry_policy=v.retry(attempts=1)))
    task = await w.poll_activity(record=False)
    await w.signal()
    await w.step(v.cancel_activity(5))
    await w.activity("Canceled", task, details=v.oversized())
    await w.history()


@scenario()
async def large_polls_and_task_failures(w: World) -> None:
    """Texts of workers that are too long, and a workflow task's failure that is too large."""
    await w.start()
    await w.poll(identity=LONG)
    await w.poll(task_queue=TaskQueue(name=LONG))
    await w.poll_activity(identity=LONG)
    await w.poll_activity(task_queue=TaskQueue(name=LONG))
    await w.poll_activity(task_queue=TaskQueue(name=""))
    task = await w.poll(record=False)
    await w.complete(task, identity=LONG)
    await w.complete(task, binary_checksum=LONG)
    await w.history()
    task = await w.poll(record=False, queue=w.queue, seconds=3)
    if task and task.task_token:
        await w.fail_task(task, identity=LONG)


@scenario()
async def large_task_failure(w: World) -> None:
    """A workflow task's failure that is too large is cut."""
    await w.start()
    task = await w.poll(record=False)
    await w.fail_task(task, failure=Failure(message="m" * (2 * MEBIBYTE + 1), application_failure_info={"type": "T"}))
    await w.history()


COMMANDS = {
    "complete": lambda w: v.of("COMPLETE_WORKFLOW_EXECUTION", result=v.oversized()),
    "fail": lambda w: v.fail(Failure(message="m" * (2 * MEBIBYTE + 1))),
    "cancel": lambda w: v.of("CANCEL_WORKFLOW_EXECUTION", details=v.oversized()),
    "activity": lambda w: v.activity("a", w.queue, input=v.oversized()),
    "activity_header": lambda w: v.activity("a", w.name("none"), header=Header(fields={"h": blob(2 * MEBIBYTE + 1)})),
    "marker": lambda w: v.of("RECORD_MARKER", marker_name="m", details={"d": v.oversized()}),
    "child": lambda w: v.child(w.name("child"), input=v.oversized()),
    "child_memo": lambda w: v.child(w.name("child"), memo=Memo(fields={"m": blob(2 * MEBIBYTE + 1)})),
    "child_header": lambda w: v.child(w.name("child"), header=Header(fields={"h": blob(2 * MEBIBYTE + 1)})),
    "continue": lambda w: v.continue_as_new(input=v.oversized()),
    "continue_memo": lambda w: v.continue_as_new(memo=Memo(fields={"m": blob(2 * MEBIBYTE + 1)})),
    "signal": lambda w: v.signal_external(w.name("other"), input=v.oversized()),
    "signal_name": lambda w: v.signal_external(w.name("other"), signal_name=LONG),
    "memo": lambda w: v.of("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={"m": blob(2 * MEBIBYTE + 1)})),
    "child_attribute": lambda w: v.child(w.name("child"), search_attributes=v.search_attributes(OracleKeyword="k" * 2049)),
    "continue_attribute": lambda w: v.continue_as_new(search_attributes=v.search_attributes(OracleKeyword="k" * 2049)),
    "unknown_attribute": lambda w: v.of("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=v.search_attributes(Unknown="k" * 2049)),
    "attribute": lambda w: v.of("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=v.search_attributes(OracleKeyword="k" * 2049)),
}


ACCEPTED = {
    "child_header": EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
    "signal_name": EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
}
"""Those that are not too large, and what follows them."""


@scenario()
async def large_commands(w: World) -> None:
    """Commands whose payloads are too large end the workflow, or fail the task."""
    for name, command in COMMANDS.items():
        workflow_id = w.name(name)
        await w.start(workflow_id=workflow_id, task_queue=TaskQueue(name=w.name(f"queue-{name}")))
        task = await w.poll(record=False, queue=w.name(f"queue-{name}"))
        await w.complete(task, command(w))
        if name in ACCEPTED:
            await w.until(ACCEPTED[name], workflow_id)
        await w.history(workflow_id)


@scenario()
async def memo_that_grows(w: World) -> None:
    """Each change of the memo fits, and all together do not."""
    await w.start(memo=Memo(fields={"first": blob(MEBIBYTE)}))
    await w.step(
        v.of("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={"second": blob(MEBIBYTE - 100)})), force_create_new_workflow_task=True
    )
    await w.step(v.of("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={"first": blob(1000)})), force_create_new_workflow_task=True)
    task = await w.poll(record=False)
    await w.complete(
        task,
        v.of("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={"third": blob(MEBIBYTE)})),
    )
    await w.history()


@scenario()
async def search_attributes_that_grow(w: World) -> None:
    """Each change of the search attributes fits, and all together do not."""
    lists = ["OracleKeyword", "BatcherUser", "BatcherNamespace", "TemporalChangeVersion"]
    await w.start(search_attributes=v.search_attributes(OracleKeyword="k" * 2000))
    for name in lists:
        value: Any = ["c" * 100] * 18 if name == "TemporalChangeVersion" else "v" * 2000
        upsert = v.of("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=v.search_attributes(**{name: value}))
        await w.step(upsert, force_create_new_workflow_task=True)
    await w.history()


def markers(*sizes: float) -> list[Any]:
    """Markers with details of these sizes in mebibytes."""
    return [v.of("RECORD_MARKER", marker_name="m", details={"d": Payloads(payloads=[blob(int(size * MEBIBYTE))])}) for size in sizes]


@scenario()
async def too_much_at_once(w: World) -> None:
    """Events of more than four mebibytes that would be written together end the workflow, or are refused."""
    await w.start()
    task = await w.poll(record=False)
    await w.signal(input=Payloads(payloads=[blob(int(1.9 * MEBIBYTE))]))
    await w.complete(task, *markers(1.3, 1.3))
    await w.history()
    await w.describe()


@scenario()
async def too_much_of_a_next_run(w: World) -> None:
    """What a run hands on to the next counts as well."""
    await w.start(
        cron_schedule="@every 1s",
        input=Payloads(payloads=[blob(int(1.6 * MEBIBYTE))]),
        memo=Memo(fields={"m": blob(int(1.6 * MEBIBYTE))}),
    )
    await w.step(v.of("COMPLETE_WORKFLOW_EXECUTION", result=Payloads(payloads=[blob(int(1.6 * MEBIBYTE))])))
    history = await w.history(record=False)
    w.note("events", [EventType.Name(event.event_type) for event in history])
    w.note("end", history[-1].workflow_execution_terminated_event_attributes)


@scenario()
async def too_much_state(w: World) -> None:
    """Heartbeats of more than eight mebibytes in all end the workflow."""
    await w.start()
    await w.step(*(v.activity(f"a{number}", w.queue) for number in range(6)))
    for _ in range(5):
        task = await w.poll_activity(record=False)
        await w.activity("Heartbeat", task, details=Payloads(payloads=[blob(int(1.9 * MEBIBYTE))]))
    await w.history()
