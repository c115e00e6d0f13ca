"""The worker as a whole: how it starts, ends and fails, and what its settings change."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, PollActivityTaskQueueResponse

from outlast import activity, workflow
from outlast.client import Client
from outlast.common import VersioningBehavior, WorkerDeploymentVersion
from outlast.converter import DataConverter
from outlast.embedded import Outlast
from outlast.runtime import Runtime, TelemetryConfig
from outlast.service import RPCError, RPCStatusCode
from outlast.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    CustomSlotSupplier,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    FixedSizeSlotSupplier,
    Interceptor,
    Plugin,
    Replayer,
    ReplayerConfig,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerConfig,
    WorkerDeploymentConfig,
    WorkerTuner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)
from outlast.worker._wire import Wire
from tests.worker.fakes import FakeClient, failure


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class Waiting:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@pytest.fixture
def worker(client: Client, queue: str) -> Worker:
    return Worker(client, task_queue=queue, workflows=[Greeting], activities=[greet])


async def greeting(client: Client, queue: str, name: str = "you") -> str:
    return await client.execute_workflow(Greeting.run, name, id=f"wf-{name}-{queue}", task_queue=queue)


# Starting and ending


async def test_a_worker_runs_until_it_is_shut_down(client: Client, queue: str, worker: Worker) -> None:
    states = [(worker.is_running, worker.is_shutdown)]
    running = asyncio.create_task(worker.run())
    assert await greeting(client, queue) == "Hello, you"
    states.append((worker.is_running, worker.is_shutdown))
    await worker.shutdown()
    await running
    states.append((worker.is_running, worker.is_shutdown))

    assert states == [(False, False), (True, False), (False, True)]


async def test_shutdown_may_come_before_the_start_and_again(worker: Worker) -> None:
    stopping = asyncio.create_task(worker.shutdown())
    await asyncio.sleep(0)
    await worker.run()
    await stopping
    await worker.shutdown()


async def test_cancelling_the_run_shuts_down(worker: Worker) -> None:
    running = asyncio.create_task(worker.run())
    while not worker.is_running:
        await asyncio.sleep(0)

    running.cancel()
    await asyncio.wait([running])

    assert running.cancelled()
    assert worker.is_shutdown


async def test_a_worker_runs_once(worker: Worker) -> None:
    async with worker:
        while not worker.is_running:
            await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="Already started"):
            await worker.run()


async def test_no_poll_is_left_behind(client: Client, queue: str, worker: Worker) -> None:
    async with worker:
        await greeting(client, queue)

    left = [task for task in asyncio.all_tasks() if task.get_name().startswith("poll ")]
    assert left == []


async def test_a_namespace_that_does_not_exist_is_noticed_at_the_start(outlast: Outlast, queue: str) -> None:
    stranger = Client((await outlast.connect()).service_client, namespace="nowhere")
    worker = Worker(stranger, task_queue=queue, activities=[greet])

    with pytest.raises(RuntimeError, match="Worker validation failed: Namespace nowhere was not found"):
        await worker.run()
    await worker.shutdown()


async def test_a_poll_that_fails_for_good_ends_the_worker_and_the_code_around_it(client: Client, queue: str) -> None:
    told: list[BaseException] = []

    async def fatal(error: BaseException) -> None:
        told.append(error)

    worker = Worker(client, task_queue=queue, activities=[greet], on_fatal_error=fatal)
    denied = Denied(client)
    worker._server.calls = denied  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="Activity worker failed") as error:
        async with worker:
            await asyncio.sleep(60)

    assert isinstance(error.value.__cause__, RPCError)
    assert told == [error.value]


class Denied:
    """The server, but for one call."""

    def __init__(self, client: Client) -> None:
        self._calls = client.workflow_service

    def __getattr__(self, name: str) -> Any:
        return getattr(self._calls, name)

    async def poll_activity_task_queue(self, request: object, **options: object) -> PollActivityTaskQueueResponse:
        raise failure(RPCStatusCode.PERMISSION_DENIED)


async def test_the_client_can_be_exchanged_while_the_worker_runs(client: Client, outlast: Outlast, queue: str, worker: Worker) -> None:
    other = await outlast.connect()
    async with worker:
        worker.client = other
        assert worker.client is other
        assert await greeting(client, queue) == "Hello, you"


def test_a_lazy_client_is_refused() -> None:
    lazy = FakeClient()
    lazy.service_client.config.lazy = True

    with pytest.raises(RuntimeError, match="Lazy clients cannot be used for workers"):
        from outlast.worker._wire import Server

        Server(lazy)  # type: ignore[arg-type]


# Settings


async def test_the_guard_can_be_switched_off(client: Client, queue: str) -> None:
    import time

    async with Worker(client, task_queue=queue, workflows=[ReadsTheClock], workflow_runner=UnsandboxedWorkflowRunner()):
        assert await client.execute_workflow(ReadsTheClock.run, id="wf", task_queue=queue) <= time.time()


@workflow.defn
class ReadsTheClock:
    @workflow.run
    async def run(self) -> float:
        import time

        return time.time()


async def test_the_server_sees_who_polls(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Greeting], activities=[greet], identity="it is me", build_id="1.0"):
        await greeting(client, queue)
        request = DescribeTaskQueueRequest(namespace=client.namespace, task_queue_type=1)  # type: ignore[arg-type]
        request.task_queue.name = queue
        reply = await client.workflow_service.describe_task_queue(request)
        events = [event async for event in client.get_workflow_handle(f"wf-you-{queue}").fetch_history_events()]

    [completed, *_] = [event for event in events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    attributes = completed.workflow_task_completed_event_attributes
    assert {poller.identity for poller in reply.pollers} == {"it is me"}
    assert (attributes.identity, attributes.worker_version.build_id) == ("it is me", "1.0")


def test_a_deployment_version_is_in_every_request() -> None:
    version = WorkerDeploymentVersion(deployment_name="shop", build_id="1.0")
    config = WorkerDeploymentConfig(version, use_worker_versioning=True)
    wire = Wire(namespace="default", task_queue="queue", identity="me", build_id="1.0", deployment=config)

    requests = (
        wire.poll_workflow_tasks,
        wire.poll_sticky_tasks,
        wire.poll_activity_tasks,
        wire.workflow_task_completed,
        wire.workflow_task_failed,
        wire.activity_completed,
    )

    for request in requests:
        options = request.deployment_options
        assert (options.deployment_name, options.build_id, options.worker_versioning_mode) == ("shop", "1.0", 2)


def test_with_versions_each_workflow_must_say_how_it_behaves(client: Client, queue: str) -> None:
    version = WorkerDeploymentVersion(deployment_name="shop", build_id="1.0")

    def make(default: VersioningBehavior) -> Worker:
        config = WorkerDeploymentConfig(version, use_worker_versioning=True, default_versioning_behavior=default)
        return Worker(client, task_queue=queue, workflows=[Greeting], deployment_config=config)

    with pytest.raises(ValueError, match="Workflow Greeting must specify a versioning behavior"):
        make(VersioningBehavior.UNSPECIFIED)
    make(VersioningBehavior.PINNED)


async def test_a_workflow_registered_twice_is_refused(client: Client, queue: str) -> None:
    with pytest.raises(ValueError, match="More than one workflow named Greeting"):
        Worker(client, task_queue=queue, workflows=[Greeting, Greeting])


async def test_activities_are_not_polled_for_faster_than_they_may_be(client: Client, queue: str) -> None:
    polled_at: list[float] = []

    class Noting:
        def __getattr__(self, name: str) -> Any:
            return getattr(client.workflow_service, name)

        async def poll_activity_task_queue(self, request: Any, **options: Any) -> Any:
            polled_at.append(asyncio.get_running_loop().time())
            return await client.workflow_service.poll_activity_task_queue(request, **options)

    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Greeting],
        activities=[greet],
        max_activities_per_second=50,
        disable_eager_activity_execution=True,
    )
    worker._server.calls = Noting()  # type: ignore[assignment]
    async with worker:
        await asyncio.gather(*(greeting(client, queue, str(i)) for i in range(8)))

    assert len(polled_at) >= 8
    # A poll may be late, and then the next is on time: so not every pause is as long, but all of them together are.
    assert polled_at[-1] - polled_at[0] >= (len(polled_at) - 1) / 50 - 0.001


async def test_the_rate_of_the_whole_queue_goes_to_the_server(client: Client, queue: str) -> None:
    worker = Worker(client, task_queue=queue, activities=[greet], max_task_queue_activities_per_second=7)

    metadata = worker._parts.wire.poll_activity_tasks.task_queue_metadata
    assert metadata.max_tasks_per_second.value == 7


async def test_without_remote_activities_none_is_polled_for(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Greeting], activities=[greet], no_remote_activities=True):
        handle = await client.start_workflow(Greeting.run, "you", id="wf", task_queue=queue)
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                break
        pending = (await handle.describe()).raw_description.pending_activities
        await handle.terminate()

    assert [each.last_worker_identity for each in pending] == [""]


class Noting(CustomSlotSupplier):
    """Notes the kinds of slots that are reserved, used and released."""

    def __init__(self) -> None:
        self.used: list[str] = []
        self.open = 0

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        self.open += 1
        return SlotPermit()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        self.open += 1
        return SlotPermit()

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        self.used.append(getattr(ctx.slot_info, "activity_type", None) or getattr(ctx.slot_info, "workflow_type", "?"))

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        self.open -= 1


async def test_a_worker_with_slots_of_the_programs_own_gives_each_back(client: Client, queue: str) -> None:
    supplier = Noting()
    tuner = WorkerTuner.create_composite(
        workflow_supplier=supplier, activity_supplier=supplier, local_activity_supplier=supplier, nexus_supplier=FixedSizeSlotSupplier(1)
    )
    async with Worker(client, task_queue=queue, workflows=[Greeting], activities=[greet], tuner=tuner):
        await greeting(client, queue)

    assert set(supplier.used) == {"Greeting", "greet"}
    assert supplier.open == 0


async def test_a_worker_tuned_by_resources_works(client: Client, queue: str) -> None:
    tuner = WorkerTuner.create_resource_based(target_memory_usage=0.99, target_cpu_usage=1.0)
    async with Worker(client, task_queue=queue, workflows=[Greeting], activities=[greet], tuner=tuner):
        assert await greeting(client, queue) == "Hello, you"


# Interceptors and plugins


class Wrapping(Interceptor):
    """Writes down what passes."""

    def __init__(self) -> None:
        self.passed: list[str] = []

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        passed = self.passed

        class Outbound(ActivityOutboundInterceptor):
            def info(self) -> activity.Info:
                passed.append("info")
                return super().info()

            def heartbeat(self, *details: Any) -> None:
                passed.append(f"heartbeat {details}")
                super().heartbeat(*details)

        class Inbound(ActivityInboundInterceptor):
            def init(self, outbound: ActivityOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                passed.append(f"activity {list(input.args)}")
                return f"<{await super().execute_activity(input)}>"

        return Inbound(next)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return Bracketing


class Bracketing(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return f"[{await super().execute_workflow(input)}]"


@activity.defn(name="greet")
async def talkative(name: str) -> str:
    activity.heartbeat("on my way")
    return f"{activity.info().attempt}"


async def test_interceptors_wrap_workflows_and_activities(client: Client, queue: str) -> None:
    wrapping = Wrapping()
    async with Worker(client, task_queue=queue, workflows=[Greeting], activities=[talkative], interceptors=[wrapping]):
        assert await greeting(client, queue) == "[<1>]"

    assert wrapping.passed == ["activity ['you']", "heartbeat ('on my way',)", "info"]


class Renaming(Plugin):
    """Gives the worker another queue, and notes its life."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.life: list[str] = []

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        return {**config, "task_queue": self.queue}

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        self.life.append("before")
        await next(worker)
        self.life.append("after")

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        return {**config, "workflows": [Greeting]}

    def run_replayer(self, replayer: Replayer, histories: Any, next: Any) -> Any:
        self.life.append("replay")
        return next(replayer, histories)


async def test_plugins_change_the_settings_and_surround_the_run(client: Client, queue: str) -> None:
    plugin = Renaming(queue)
    worker = Worker(client, task_queue="another", workflows=[Greeting], activities=[greet], plugins=[plugin])
    async with worker:
        assert await greeting(client, queue) == "Hello, you"

    assert (worker.task_queue, worker.config()["task_queue"], plugin.life) == (queue, "another", ["before", "after"])


async def test_plugins_surround_a_replay(client: Client, queue: str) -> None:
    plugin = Renaming(queue)
    async with Worker(client, task_queue=queue, workflows=[Greeting], activities=[greet]):
        await greeting(client, queue)
    history = await client.get_workflow_handle(f"wf-you-{queue}").fetch_history()

    await Replayer(workflows=[], plugins=[plugin], data_converter=DataConverter.default).replay_workflow(history)

    assert plugin.life == ["replay"]


# Without a poll


class Counting:
    """The server, with its polls for workflow tasks counted."""

    def __init__(self, client: Client) -> None:
        self._calls = client.workflow_service
        self.replies = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._calls, name)

    async def poll_workflow_task_queue(self, request: Any, **options: Any) -> Any:
        reply = await self._calls.poll_workflow_task_queue(request, **options)
        self.replies += bool(reply.task_token)
        return reply


async def test_a_workflow_that_asks_for_it_starts_in_a_worker_of_this_process_at_once(client: Client, queue: str) -> None:
    worker = Worker(client, task_queue=queue, workflows=[Another])
    counting = Counting(client)
    worker._server.calls = counting  # type: ignore[assignment]
    async with worker:
        while not worker.is_running:
            await asyncio.sleep(0)
        eager = await client.start_workflow(Another.run, id="eager", task_queue=queue, request_eager_start=True)
        assert await eager.result() == 1
        assert counting.replies == 0
        assert await client.execute_workflow(Another.run, id="polled", task_queue=queue) == 1
        assert counting.replies == 1


async def test_what_is_started_first_thing_in_the_block_comes_to_its_worker(client: Client, queue: str) -> None:
    worker = Worker(client, task_queue=queue, workflows=[Another])
    counting = Counting(client)
    worker._server.calls = counting  # type: ignore[assignment]
    async with worker:
        handle = await client.start_workflow(Another.run, id="eager", task_queue=queue, request_eager_start=True)
        assert await handle.result() == 1
    assert counting.replies == 0


async def test_a_worker_that_cannot_run_leaves_what_came_to_it_to_others(outlast: Outlast, client: Client, queue: str) -> None:
    broken = Worker(client, task_queue=queue, workflows=[Another])

    started = asyncio.Event()

    async def unknown(_: Any) -> Any:
        await started.wait()
        raise failure(RPCStatusCode.NOT_FOUND)

    broken._server.calls = FakeClient(describe_namespace=unknown).service_client.workflow_service
    handle = None
    with pytest.raises(RuntimeError, match="could not be described"):
        async with broken:
            handle = await client.start_workflow(
                Another.run, id="eager", task_queue=queue, request_eager_start=True, task_timeout=timedelta(seconds=1)
            )
            started.set()
            await handle.result()
    assert handle is not None
    async with Worker(client, task_queue=queue, workflows=[Another]):
        assert await handle.result() == 1


async def test_a_client_of_another_runtime_cannot_replace_a_workers(outlast: Outlast, client: Client, queue: str) -> None:
    worker = Worker(client, task_queue=queue, workflows=[Another])
    with pytest.raises(ValueError, match="New client is not on the same runtime as the existing client"):
        worker.client = await outlast.connect(runtime=Runtime(telemetry=TelemetryConfig()))
    worker.client = await outlast.connect()


async def test_without_a_worker_here_an_eager_start_is_a_plain_one(client: Client, queue: str) -> None:
    handle = await client.start_workflow(Another.run, id="wf", task_queue=queue, request_eager_start=True)
    async with Worker(client, task_queue=queue, workflows=[Another]):
        assert await handle.result() == 1


@workflow.defn
class Another:
    @workflow.run
    async def run(self) -> int:
        return 1
