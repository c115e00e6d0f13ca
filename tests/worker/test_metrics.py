"""Metrics of workers: what is counted and timed, under which names."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from outlast import activity, workflow
from outlast.client import WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.embedded import Outlast
from outlast.exceptions import ApplicationError, ApplicationErrorCategory
from outlast.runtime import BufferedMetricUpdate, MetricBuffer, Runtime, TelemetryConfig
from outlast.worker import Worker


@activity.defn
async def act(how: str) -> str:
    if how != "well":
        category = ApplicationErrorCategory.BENIGN if how == "benign" else ApplicationErrorCategory.UNSPECIFIED
        raise ApplicationError("fails", category=category, non_retryable=True)
    return how


@workflow.defn
class Acts:
    @workflow.run
    async def run(self, how: str, local: bool) -> str:
        execute = workflow.execute_local_activity if local else workflow.execute_activity
        return await execute(act, how, start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(maximum_attempts=1))


@workflow.defn
class Ends:
    @workflow.run
    async def run(self, how: str) -> None:
        if how == "again":
            workflow.continue_as_new("cancelled")
        await workflow.wait_condition(lambda: False)


@workflow.defn
class TaskFails:
    failed = False

    @workflow.run
    async def run(self) -> None:
        if not TaskFails.failed:
            TaskFails.failed = True
            raise KeyError("a bug")


class Measured:
    """A server, a client whose metrics are kept, and what has been recorded."""

    def __init__(self, prefix: str | None = None) -> None:
        self._buffer = MetricBuffer(10_000)
        self._runtime = Runtime(telemetry=TelemetryConfig(metrics=self._buffer, metric_prefix=prefix))
        self.server = Outlast.open(None, runtime=self._runtime)

    def updates(self) -> list[BufferedMetricUpdate]:
        return list(self._buffer.retrieve_updates())


def counts(updates: list[BufferedMetricUpdate], **attributes: str) -> Counter[str]:
    """How often each metric was recorded with these attributes."""
    return Counter(each.metric.name for each in updates if attributes.items() <= each.attributes.items())


async def test_workflows_and_activities_are_counted_and_timed_by_type() -> None:
    measured = Measured()
    async with measured.server as client, Worker(client, task_queue="queue", workflows=[Acts], activities=[act], max_cached_workflows=5):
        await client.execute_workflow(Acts.run, args=["well", False], id="well", task_queue="queue")
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(Acts.run, args=["badly", False], id="badly", task_queue="queue")
    updates = measured.updates()

    assert counts(updates, namespace="default", task_queue="queue")["temporal_worker_start"] == 1
    workflows = counts(updates, workflow_type="Acts", task_queue="queue")
    assert (workflows["temporal_workflow_completed"], workflows["temporal_workflow_failed"]) == (1, 1)
    assert workflows["temporal_workflow_endtoend_latency"] == 2
    assert workflows["temporal_workflow_task_execution_latency"] == 4
    assert workflows["temporal_workflow_task_schedule_to_start_latency"] >= 2
    activities = counts(updates, activity_type="act", workflow_type="Acts")
    assert (activities["temporal_activity_execution_failed"], activities["temporal_activity_succeed_endtoend_latency"]) == (1, 1)
    assert activities["temporal_activity_task_received"] == activities["temporal_activity_execution_latency"] == 2
    assert activities["temporal_activity_schedule_to_start_latency"] == 2
    everything = counts(updates)
    assert everything["temporal_sticky_cache_hit"] == 2
    assert everything["temporal_request"] > 0
    assert everything["temporal_long_request"] > 0
    latency = next(each for each in updates if each.metric.name == "temporal_workflow_task_execution_latency")
    assert (latency.metric.unit, type(latency.value)) == ("ms", int)


async def test_local_activities_are_counted_apart_and_what_is_benign_is_no_failure() -> None:
    measured = Measured()
    async with measured.server as client, Worker(client, task_queue="queue", workflows=[Acts], activities=[act]):
        await client.execute_workflow(Acts.run, args=["well", True], id="well", task_queue="queue")
        for how, local in (("badly", True), ("benign", True), ("benign", False)):
            with pytest.raises(WorkflowFailureError):
                await client.execute_workflow(Acts.run, args=[how, local], id=f"{how} {local}", task_queue="queue")

    seen = counts(measured.updates(), activity_type="act")
    assert seen["temporal_local_activity_total"] == seen["temporal_local_activity_execution_latency"] == 3
    assert seen["temporal_local_activity_succeed_endtoend_latency"] == 1
    assert seen["temporal_local_activity_execution_failed"] == 1
    assert seen["temporal_activity_execution_failed"] == 0


async def test_each_way_to_end_has_its_counter() -> None:
    measured = Measured()
    async with measured.server as client, Worker(client, task_queue="queue", workflows=[Ends, TaskFails], max_cached_workflows=1):
        await client.execute_workflow(TaskFails.run, id="task fails", task_queue="queue")
        handle = await client.start_workflow(Ends.run, "again", id="ends", task_queue="queue")
        while (await handle.describe()).run_id == handle.result_run_id:
            await asyncio.sleep(0)
        await client.get_workflow_handle("ends").cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    updates = measured.updates()

    ends = counts(updates, workflow_type="Ends")
    assert (ends["temporal_workflow_continue_as_new"], ends["temporal_workflow_canceled"]) == (1, 1)
    failed = counts(updates, workflow_type="TaskFails", failure_reason="WorkflowError")
    assert failed["temporal_workflow_task_execution_failed"] == 1


@workflow.defn
class Looks:
    """Has one activity."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(act, "well", start_to_close_timeout=timedelta(seconds=10))


async def test_slots_and_polls_are_shown_as_they_are() -> None:
    measured = Measured()
    async with (
        measured.server as client,
        Worker(client, task_queue="queue", workflows=[Looks], activities=[act], max_concurrent_activities=7, max_cached_workflows=0),
    ):
        await client.execute_workflow(Looks.run, id="wf", task_queue="queue")
    updates = measured.updates()

    def values(name: str, **attributes: str) -> list[float]:
        return [each.value for each in updates if each.metric.name == name and attributes.items() <= each.attributes.items()]

    assert values("temporal_worker_task_slots_used", worker_type="ActivityWorker") == [0, 1, 0]
    assert values("temporal_worker_task_slots_available", worker_type="ActivityWorker") == [7, 6, 7]
    assert values("temporal_worker_task_slots_used", worker_type="WorkflowWorker")[-1] == 0
    assert values("temporal_worker_task_slots_used", worker_type="LocalActivityWorker") == [0]
    assert max(values("temporal_num_pollers", poller_type="workflow_task")) >= 1
    assert values("temporal_num_pollers", poller_type="activity_task")[-1] == 0
    assert len(values("temporal_workflow_task_replay_latency", workflow_type="Looks")) == 1


async def test_the_prefix_is_the_programs_to_choose() -> None:
    measured = Measured(prefix="mine_")
    async with measured.server as client, Worker(client, task_queue="queue", workflows=[Acts], activities=[act]):
        await client.execute_workflow(Acts.run, args=["well", False], id="well", task_queue="queue")

    names = set(counts(measured.updates()))
    assert {"mine_request", "mine_workflow_completed", "mine_activity_execution_latency"} <= names
    assert not {name for name in names if name.startswith("temporal_")}


async def test_a_runtime_that_takes_no_metrics_costs_a_worker_nothing(client: object, queue: str) -> None:
    worker = Worker(client, task_queue=queue, workflows=[Ends])  # type: ignore[arg-type]

    assert worker._parts.metrics is None
