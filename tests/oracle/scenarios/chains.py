"""Runs that follow one another: continue-as-new, retries, cron; and the time that a run may take."""

from __future__ import annotations

from temporalio.api.common.v1 import RetryPolicy
from temporalio.api.enums.v1 import EventType

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

TIMED_OUT = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT


async def both(w: World, first_run_id: str) -> None:
    """Record the first and the current run."""
    await w.history(run_id=first_run_id)
    await w.history()
    await w.describe(run_id=first_run_id)
    await w.describe()


@scenario()
async def continued(w: World) -> None:
    """Continue-as-new keeps what belongs to the chain and takes the rest from the command."""
    first = await w.start(
        input=v.payloads("input"),
        memo=v.memo(m=1),
        search_attributes=v.search_attributes(OracleKeyword="gold"),
        retry_policy=RetryPolicy(maximum_attempts=3),
        workflow_execution_timeout=v.seconds(60),
        workflow_run_timeout=v.seconds(50),
        workflow_task_timeout=v.seconds(7),
    )
    await w.step(v.continue_as_new(memo=v.memo(n=2)))
    await both(w, first.run_id)
    await w.step(v.complete())
    await w.history()


@scenario()
async def continued_otherwise(w: World) -> None:
    """Continue-as-new with everything changed."""
    first = await w.start(workflow_run_timeout=v.seconds(50))
    await w.step(
        v.continue_as_new(
            workflow_type={"name": "another"},
            workflow_run_timeout=v.seconds(40),
            workflow_task_timeout=v.seconds(5),
            backoff_start_interval=v.seconds(2),
            retry_policy=RetryPolicy(maximum_attempts=2),
            last_completion_result=v.payloads("last"),
            failure=v.failure("before"),
            search_attributes=v.search_attributes(OracleInt=1),
        )
    )
    await both(w, first.run_id)


@scenario()
async def continued_sooner_than_the_server_allows(w: World) -> None:
    """A run that lived for less than a second holds its successor back; its last event says what was asked for."""
    first = await w.start()
    await w.step(v.continue_as_new(backoff_start_interval=v.seconds(0.001)))
    await both(w, first.run_id)


@scenario()
async def retried(w: World) -> None:
    """A failed run is tried again until its attempts are used up."""
    first = await w.start(retry_policy=v.retry(initial=1, attempts=2), input=v.payloads("input"), memo=v.memo(m=1))
    await w.step(v.fail())
    await both(w, first.run_id)
    await w.step(v.fail(v.failure("again")))
    await w.history()


@scenario()
async def not_retried(w: World) -> None:
    """Failures that a policy excludes, or that say so themselves, are final."""
    policy = v.retry(initial=1, non_retryable_error_types=["Bad"])
    for number, failure in enumerate((v.failure(kind="Bad"), v.failure(non_retryable=True))):
        name = w.name(f"wf-{number}")
        await w.start(workflow_id=name, retry_policy=policy)
        await w.step(v.fail(failure))
        await w.history(name)


@scenario()
async def no_time_to_retry(w: World) -> None:
    """The next attempt would start after the execution's end."""
    await w.start(retry_policy=v.retry(initial=30), workflow_execution_timeout=v.seconds(10))
    await w.step(v.fail())
    await w.history()


@scenario()
async def next_retry_delay(w: World) -> None:
    """A failure may say when to try again."""
    first = await w.start(retry_policy=v.retry(initial=30))
    await w.step(v.fail(v.failure(next_retry_delay=v.seconds(2))))
    await both(w, first.run_id)


@scenario(
    Difference(
        "* DescribeWorkflowExecution.reply.pending_workflow_task",
        "the real server goes on to show a workflow task that nobody can take any more; a closed workflow has none",
    )
)
async def run_timeout(w: World) -> None:
    """A run's time is over, with and without a started workflow task."""
    await w.start(workflow_run_timeout=v.seconds(1))
    await w.until(TIMED_OUT)
    await w.history()
    await w.describe()
    name = w.name("busy")
    await w.start(workflow_id=name, workflow_run_timeout=v.seconds(2))
    task = await w.poll()
    await w.signal(workflow_id=name)
    await w.until(TIMED_OUT, name)
    await w.complete(task, v.complete())
    await w.history(name)


@scenario()
async def run_timeout_retried(w: World) -> None:
    """A run that timed out is retried."""
    first = await w.start(workflow_run_timeout=v.seconds(1), retry_policy=v.retry(initial=1, attempts=2))
    await w.until(TIMED_OUT, run_id=first.run_id)
    await w.history(run_id=first.run_id)
    await w.history()


@scenario()
async def execution_timeout(w: World) -> None:
    """The whole chain's time is over: nothing follows."""
    await w.start(workflow_execution_timeout=v.seconds(1), retry_policy=v.retry(initial=1))
    await w.until(TIMED_OUT)
    await w.history()


@scenario()
async def cron(w: World) -> None:
    """A cron workflow runs again after each result, with the last one at hand."""
    first = await w.start(cron_schedule="@every 2s", input=v.payloads("input"), memo=v.memo(m=1))
    await w.describe()
    await w.step(v.complete("first"))
    await w.history(run_id=first.run_id)
    await w.step(v.fail())
    await w.history()
    await w.describe()
    await w.step(v.complete("third"))


@scenario()
async def cron_cancelled(w: World) -> None:
    """A cron workflow that closes as cancelled ends its chain."""
    await w.start(cron_schedule="@every 1s")
    await w.step(v.cancel())
    await w.history()
    await w.describe()


@scenario()
async def cron_wakes_by_cancel(w: World) -> None:
    """A cancel request does not wait for the cron slot; a signal does."""
    await w.start(cron_schedule="0 0 1 1 *")
    await w.signal()
    await w.history()
    await w.cancel()
    await w.step(v.cancel())
    await w.history()


@scenario()
async def retry_without_a_delay(w: World) -> None:
    """A failure that asks for a retry without a delay, or in the past: it comes after the longest."""
    for delay in (0, -5):
        name = w.name(f"wf {delay}")
        await w.start(workflow_id=name, record=False, retry_policy=v.retry(initial=60))
        await w.step(v.fail(v.failure(next_retry_delay=v.seconds(delay))))
        await w.history(name)
