"""Signals, cancel requests and termination."""

from __future__ import annotations

from temporalio.api.common.v1 import Header, Link, WorkflowExecution

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

UNKNOWN_RUN = "00000000-0000-4000-8000-000000000000"


@scenario()
async def plain_and_repeated(w: World) -> None:
    """Signals to a run whose first task waits; a repeated request id is a silent success, also after the end."""
    await w.start()
    await w.signal("one", request_id=w.name("same"))
    await w.signal("one", request_id=w.name("same"))
    await w.signal("two", header=Header(fields={"h": v.payload("x")}))
    await w.signal("no request id", request_id="")
    await w.history()
    await w.step(v.complete())
    await w.signal("one", request_id=w.name("same"))
    await w.signal("late")
    await w.history()


@scenario()
async def buffered(w: World) -> None:
    """Signals during a workflow task are written after its commands."""
    await w.start()
    task = await w.poll()
    await w.signal("one")
    await w.signal("two")
    await w.history()
    await w.describe()
    await w.complete(task, v.timer("t", 60), v.marker())
    await w.history()
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history()


@scenario()
async def signal_errors(w: World) -> None:
    """Bad signals."""
    await w.start()
    await w.signal("")
    await w.signal("s" * 1001)
    await w.signal(workflow_id="")
    await w.signal(workflow_execution=None)
    await w.signal(run_id="not a uuid")
    await w.signal(run_id=UNKNOWN_RUN)
    await w.signal(workflow_id=w.name("unknown"))
    await w.signal(namespace="nope-ns")
    await w.signal(namespace="")
    await w.signal(input=v.oversized())
    await w.signal(request_id="r" * 1001)
    await w.signal(identity="i" * 1001)
    await w.signal(links=[Link()] * 11)
    await w.history()


@scenario()
async def cancel_request(w: World) -> None:
    """A cancel request is written once; the workflow answers it or not."""
    await w.start()
    await w.cancel()
    await w.cancel(reason="again")
    await w.describe()
    await w.history()
    await w.step(v.cancel("as asked"))
    await w.cancel()
    await w.history()


@scenario()
async def cancel_buffered(w: World) -> None:
    """A cancel request during a workflow task is buffered, and a second one changes nothing."""
    await w.start()
    task = await w.poll()
    await w.cancel()
    await w.cancel(reason="again")
    await w.history()
    await w.complete(task, v.timer("t", 60))
    await w.history()


@scenario()
async def cancel_errors(w: World) -> None:
    """Bad cancel requests."""
    first = await w.start()
    await w.cancel(workflow_id="")
    await w.cancel(workflow_execution=None)
    await w.cancel(run_id="not a uuid")
    await w.cancel(run_id=UNKNOWN_RUN)
    await w.cancel(workflow_id=w.name("unknown"))
    await w.cancel(namespace="nope-ns")
    await w.cancel(first_execution_run_id=UNKNOWN_RUN)
    await w.cancel(first_execution_run_id="not a uuid")
    await w.cancel(first_execution_run_id=first.run_id)
    await w.history()
    await w.terminate()
    await w.cancel(first_execution_run_id=UNKNOWN_RUN)


@scenario(
    Difference(
        "* DescribeWorkflowExecution.reply.pending_workflow_task",
        "the real server goes on to show a workflow task that nobody can take any more; a closed workflow has none",
    )
)
async def terminated(w: World) -> None:
    """Termination with and without a started workflow task, and its defaults."""
    await w.start()
    await w.terminate(details=v.payloads("details"))
    await w.describe()
    await w.history()
    await w.terminate()
    await w.signal()
    name = w.name("started")
    await w.start(workflow_id=name)
    task = await w.poll()
    await w.signal(workflow_id=name)
    await w.terminate(name, reason="", identity="")
    await w.history(name)
    await w.complete(task, v.complete())


@scenario()
async def terminate_errors(w: World) -> None:
    """Bad terminations."""
    first = await w.start()
    await w.terminate(workflow_id="")
    await w.terminate(workflow_execution=None)
    await w.terminate(run_id="not a uuid")
    await w.terminate(run_id=UNKNOWN_RUN)
    await w.terminate(workflow_id=w.name("unknown"))
    await w.terminate(namespace="nope-ns")
    await w.terminate(first_execution_run_id=UNKNOWN_RUN)
    await w.terminate(run_id=UNKNOWN_RUN, first_execution_run_id=first.run_id)
    await w.history()


@scenario()
async def describe_errors(w: World) -> None:
    """Bad descriptions."""
    await w.describe(workflow_id="")
    await w.describe(execution=None)
    await w.describe(w.name("unknown"))
    await w.describe(w.name("unknown"), UNKNOWN_RUN)
    await w.start()
    await w.describe(run_id=UNKNOWN_RUN)
    await w.describe(run_id="not a uuid")
    await w.describe(namespace="nope-ns")
    await w.describe(namespace="")
    await w.describe(execution=WorkflowExecution(workflow_id="i" * 1001))


@scenario()
async def closing_window(w: World) -> None:
    """After a close that a buffered signal prevented, the next task refuses signals."""
    await w.start()
    task = await w.poll()
    await w.signal("early")
    await w.complete(task, v.complete())
    task = await w.poll()
    await w.signal("refused")
    await w.complete(task, v.complete())
    await w.history()
