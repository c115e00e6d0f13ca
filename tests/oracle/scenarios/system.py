"""Calls about the server, its namespaces and its queues; and lists."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api import workflowservice
from temporalio.api.enums.v1 import TaskQueueKind, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

api = workflowservice.v1
DAY = Duration(seconds=86400)
NOT_BUILT = "says what is built, and no more"


@scenario(
    Difference("* GetSystemInfo.reply.capabilities.*", NOT_BUILT),
)
async def info(w: World) -> None:
    """What the server says of itself."""
    await w.call("GetSystemInfo", api.GetSystemInfoRequest())
    await w.call("GetClusterInfo", api.GetClusterInfoRequest())


@scenario(
    Difference("* DescribeNamespace.reply.namespace_info.capabilities.*", NOT_BUILT),
    Difference("* DescribeNamespace.reply.namespace_info.supports_schedules", NOT_BUILT),
)
async def namespaces(w: World) -> None:
    """A namespace is registered once, and described."""
    name = w.name("ns").replace("~", "-")
    request = api.RegisterNamespaceRequest(
        namespace=name,
        description="for the oracle",
        owner_email="oracle@example.com",
        workflow_execution_retention_period=DAY,
        data={"k": "v"},
    )
    await w.call("RegisterNamespace", request)
    again = await w.call("RegisterNamespace", request, record=False)
    w.note("refused", not again)
    reply = await w.call("DescribeNamespace", api.DescribeNamespaceRequest(namespace=name), record=False)
    info = reply.namespace_info
    w.note(
        "described",
        [info.state, info.description, info.owner_email, dict(info.data), reply.config.workflow_execution_retention_ttl.seconds],
    )
    await w.call("DescribeNamespace", api.DescribeNamespaceRequest(namespace="default"))


@scenario(
    Difference(
        "* DescribeNamespace.error.*",
        "the real server hides the reason for refusing a name together with an id behind UNKNOWN",
    )
)
async def namespace_errors(w: World) -> None:
    """Bad registrations and descriptions."""
    await w.call("RegisterNamespace", api.RegisterNamespaceRequest())
    await w.call("RegisterNamespace", api.RegisterNamespaceRequest(namespace="default", workflow_execution_retention_period=DAY))
    await w.call("RegisterNamespace", api.RegisterNamespaceRequest(namespace="without-retention"))
    await w.call("DescribeNamespace", api.DescribeNamespaceRequest())
    await w.call("DescribeNamespace", api.DescribeNamespaceRequest(namespace="nope-ns"))
    await w.call("DescribeNamespace", api.DescribeNamespaceRequest(namespace="default", id="x"))


@scenario()
async def queue_with_pollers(w: World) -> None:
    """Who polls a queue, and what it holds."""
    request = api.DescribeTaskQueueRequest(namespace=w.namespace, task_queue=TaskQueue(name=w.queue))
    await w.call("DescribeTaskQueue", request)
    await w.start()
    await w.poll()
    request.task_queue_type = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    await w.call("DescribeTaskQueue", request)
    request.task_queue_type = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    await w.call("DescribeTaskQueue", request)
    await w.call("DescribeTaskQueue", api.DescribeTaskQueueRequest(namespace=w.namespace))
    await w.call("DescribeTaskQueue", api.DescribeTaskQueueRequest(namespace=w.namespace, task_queue=TaskQueue()))
    await w.call("DescribeTaskQueue", api.DescribeTaskQueueRequest(namespace="nope-ns", task_queue=TaskQueue(name=w.queue)))


@scenario()
async def empty_polls(w: World) -> None:
    """A poll that gets nothing ends with an empty reply before the caller's deadline; bad polls are refused."""
    await w.poll(seconds=3)
    await w.poll_activity(seconds=3)
    for queue in (None, TaskQueue(), TaskQueue(name="q" * 1001), TaskQueue(name="/_sys/q")):
        await w.poll(task_queue=queue)
        await w.poll_activity(task_queue=queue)
    await w.poll(namespace="nope-ns")
    await w.poll_activity(namespace="nope-ns")
    await w.poll(identity="i" * 1001)


@scenario()
async def reset_sticky(w: World) -> None:
    """A workflow's sticky queue is forgotten: its next task comes on the normal one."""
    sticky = w.name("sticky")
    await w.start()
    task = await w.poll()
    await w.complete(task, v.timer("t", 60), sticky=sticky)
    request = api.ResetStickyTaskQueueRequest(namespace=w.namespace, execution=w.execution())
    await w.call("ResetStickyTaskQueue", request)
    await w.signal()
    await w.poll()
    await w.terminate()
    await w.call("ResetStickyTaskQueue", request)
    await w.call("ResetStickyTaskQueue", api.ResetStickyTaskQueueRequest(namespace=w.namespace))
    unknown = api.ResetStickyTaskQueueRequest(namespace=w.namespace, execution=w.execution(w.name("unknown")))
    await w.call("ResetStickyTaskQueue", unknown)


@scenario()
async def worker_says_goodbye(w: World) -> None:
    """A worker that shuts down gives its sticky queue back."""
    sticky = w.name("sticky")
    await w.start()
    task = await w.poll()
    await w.complete(task, v.timer("t", 60), sticky=sticky)
    request = api.ShutdownWorkerRequest(namespace=w.namespace, sticky_task_queue=sticky, identity="worker", reason="over")
    await w.call("ShutdownWorker", request)
    await w.signal()
    await w.poll()
    await w.history()


async def poll_nexus(w: World, record: bool = True, seconds: float = 8, **fields: Any) -> Any:
    usual = {"namespace": w.namespace, "task_queue": TaskQueue(name=w.queue), "identity": "worker"}
    return await w.call("PollNexusTaskQueue", api.PollNexusTaskQueueRequest(**(usual | fields)), seconds, record)


@scenario()
async def empty_nexus_polls(w: World) -> None:
    """Where there is no endpoint there is nothing to do; bad polls are refused all the same."""
    await poll_nexus(w, seconds=3)
    for queue in (None, TaskQueue(), TaskQueue(name="q" * 1001)):
        await poll_nexus(w, task_queue=queue)
    await poll_nexus(w, namespace="nope-ns")
    await poll_nexus(w, namespace="")
    await poll_nexus(w, identity="i" * 1001)
    await poll_nexus(w, seconds=1)


@scenario()
async def polls_of_a_worker_that_says_goodbye(w: World) -> None:
    """They end at once with nothing, whatever they are for, and so do later ones; those of others wait on."""
    key, other = w.name("key"), w.name("other key")
    sticky = TaskQueue(name=w.name("sticky"), kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=w.queue)
    goodbye = api.ShutdownWorkerRequest(namespace=w.namespace, identity="worker", reason="over", worker_instance_key=key)
    stays = asyncio.create_task(w.poll(worker_instance_key=other, record=False))
    goes = [
        asyncio.create_task(w.poll(worker_instance_key=key, record=False)),
        asyncio.create_task(w.poll(task_queue=sticky, worker_instance_key=key, record=False)),
        asyncio.create_task(w.poll_activity(queue=w.name("another queue"), worker_instance_key=key, record=False)),
    ]
    goes.append(asyncio.create_task(poll_nexus(w, record=False, worker_instance_key=key)))
    await asyncio.sleep(0.5)
    await w.call("ShutdownWorker", goodbye)
    await asyncio.sleep(0.5)
    w.note("without a queue it is no goodbye", any(poll.done() for poll in goes))
    goodbye.task_queue = w.queue
    await w.call("ShutdownWorker", goodbye)
    async with asyncio.timeout(4):
        w.note("ended", [reply.task_token for reply in await asyncio.gather(*goes)])
        w.note("later", [(await w.poll(worker_instance_key=key, record=False)).task_token])
    w.note("the other waits", not stays.done())
    await w.start()
    w.note("and is served", bool((await stays).task_token))


@scenario()
async def sticky_queue_kind(w: World) -> None:
    """A sticky queue is described as any other."""
    queue = TaskQueue(name=w.name("sticky"), kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=w.queue)
    await w.poll(task_queue=queue, seconds=3)


@scenario()
async def describe_errors(w: World) -> None:
    """Bad descriptions of workflows."""
    await w.describe(w.name("unknown"))
    await w.describe("")
    await w.describe(run_id="not a uuid")
    await w.describe(execution=None)
    await w.describe(namespace="nope-ns")
    await w.describe(namespace="")


@scenario()
async def every_field(w: World) -> None:
    """A start that uses what there is to use."""
    await w.start(
        input=v.payloads("a", 1),
        memo=v.memo(m=1),
        header={"fields": {"h": v.payload("header")}},
        search_attributes=v.search_attributes(OracleKeyword="gold"),
        retry_policy=v.retry(),
        user_metadata={"summary": v.payload("summary"), "details": v.payload("details")},
        priority={"priority_key": 2, "fairness_key": "f", "fairness_weight": 1.5},
        links=[{"workflow_event": {"namespace": "n", "workflow_id": "w", "run_id": "r"}}],
        last_completion_result=v.payloads("last"),
        continued_failure=v.failure("before"),
    )
    await w.poll()
    await w.describe()
    await w.history()
