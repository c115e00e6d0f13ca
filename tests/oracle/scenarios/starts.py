"""StartWorkflowExecution: bad requests, and what a start may carry."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Callback, Header, Link, Priority, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import OnConflictOptions

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World


@scenario()
async def namespace_errors(w: World) -> None:
    """No namespace, an unknown one, one too long."""
    for namespace in ("", "nope-ns", "n" * 1001):
        await w.start(namespace=namespace)


@scenario()
async def id_errors(w: World) -> None:
    """A missing or overlong workflow id, request id and type."""
    await w.start(workflow_id="")
    await w.start(workflow_id="i" * 1001)
    await w.start(request_id="r" * 1001)
    await w.start(workflow_type=None)
    await w.start(workflow_type=WorkflowType())
    await w.start(workflow_type=WorkflowType(name="t" * 1001))
    await w.start(identity="i" * 1001)


@scenario()
async def queue_errors(w: World) -> None:
    """A missing, nameless, overlong or reserved task queue."""
    for queue in (None, TaskQueue(), TaskQueue(name="q" * 1001), TaskQueue(name="/_sys/mine")):
        await w.start(task_queue=queue)


@scenario()
async def retry_policy_errors(w: World) -> None:
    """Each rule of a retry policy, and that one attempt skips them."""
    await w.start(retry_policy=v.retry(coefficient=0.5))
    await w.start(retry_policy=v.retry(initial=-1))
    await w.start(retry_policy=v.retry(maximum_interval=v.seconds(-1)))
    await w.start(retry_policy=v.retry(initial=5, maximum_interval=v.seconds(1)))
    await w.start(retry_policy=v.retry(attempts=-1))
    await w.start(retry_policy=v.retry(non_retryable_error_types=["TemporalTimeout:Foo"]))
    await w.start(retry_policy=v.retry(initial=-1, coefficient=0.5, attempts=1))


@scenario()
async def duration_errors(w: World) -> None:
    """Negative and malformed durations."""
    for name in ("workflow_execution_timeout", "workflow_run_timeout", "workflow_task_timeout", "workflow_start_delay"):
        await w.start(**{name: v.seconds(-1)})
        await w.start(**{name: Duration(seconds=1, nanos=-5)})
        await w.start(**{name: Duration(seconds=10**15)})


@scenario()
async def cron_errors(w: World) -> None:
    """A cron that cannot be read, and one together with a delay."""
    await w.start(cron_schedule="every tuesday")
    await w.start(cron_schedule="* * * *")
    await w.start(cron_schedule="0 0 31 2 *")
    await w.start(cron_schedule="@every 5s", workflow_start_delay=v.seconds(1))
    await w.start(cron_schedule="@every 5s", workflow_start_delay=v.seconds(0))


@scenario()
async def policy_errors(w: World) -> None:
    """Id policies that contradict each other."""
    await w.start(
        workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING",
        workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING",
    )
    await w.start(
        workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE",
        workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
    )
    await w.start(on_conflict_options=OnConflictOptions(attach_completion_callbacks=True))


@scenario()
async def attribute_errors(w: World) -> None:
    """Unknown, system-owned and ill-typed search attributes; priority; links; callbacks."""
    await w.start(search_attributes=v.search_attributes(Nope="x"))
    await w.start(search_attributes=v.search_attributes(ExecutionStatus="Running"))
    await w.start(priority=Priority(priority_key=-1))
    await w.start(priority=Priority(fairness_key="f" * 65))
    await w.start(priority=Priority(fairness_weight=-1))
    event = Link(workflow_event=Link.WorkflowEvent(namespace="default", workflow_id="x", run_id="r"))
    await w.start(links=[event] * 11)
    await w.start(links=[Link(workflow_event=Link.WorkflowEvent(namespace="default", workflow_id="x"))])
    await w.start(completion_callbacks=[Callback(nexus=Callback.Nexus(url="http://x/"))])
    await w.start(completion_callbacks=[Callback(nexus=Callback.Nexus(url="http://x/"))] * 33)


@scenario(Difference("* StartWorkflowExecution.error.message", "the text is the gRPC library's own"))
async def oversized_start(w: World) -> None:
    """Input and memo above the blob limit, and a request above the transport's."""
    await w.start(input=v.oversized())
    await w.start(memo={"fields": {"m": v.oversized().payloads[0]}})
    await w.start(input=v.Payloads(payloads=[v.oversized().payloads[0]] * 3), request_id="fixed")
    await w.describe()


@scenario()
async def carries_everything(w: World) -> None:
    """Memo, header, user metadata, links, timeouts, retry policy and priority of a start."""
    link = Link(workflow_event=Link.WorkflowEvent(namespace="default", workflow_id="other", run_id="00000000-0000-4000-8000-000000000000"))
    await w.start(
        input=v.payloads("one", 2, None),
        memo=v.memo(note="text", nothing=None, empty=[], number=1),
        header=Header(fields={"trace": v.payload("t")}),
        user_metadata=UserMetadata(summary=v.payload("summary"), details=v.payload("details")),
        links=[link],
        workflow_execution_timeout=v.seconds(100),
        workflow_run_timeout=v.seconds(200),
        workflow_task_timeout=v.seconds(300),
        retry_policy=v.RetryPolicy(initial_interval=v.seconds(2)),
        priority=Priority(priority_key=3, fairness_key="key", fairness_weight=2),
    )
    await w.describe()
    await w.poll()
    await w.history()


@scenario()
async def timeout_caps(w: World) -> None:
    """How the three timeouts are filled and capped."""
    for number, (execution, run, task) in enumerate([(0, 0, 0), (0, 0, 500), (0, 3, 0), (0, 1, 20), (50, 0, 0), (50, 70, 60), (0, 30, 5)]):
        name = w.name(f"wf-{number}")
        await w.start(
            workflow_id=name,
            workflow_execution_timeout=v.seconds(execution),
            workflow_run_timeout=v.seconds(run),
            workflow_task_timeout=v.seconds(task),
        )
        await w.describe(name)
        await w.terminate(name)


@scenario()
async def search_attributes(w: World) -> None:
    """A start with a known custom attribute is described with its type."""
    await w.start(search_attributes=v.search_attributes(OracleKeyword="gold", OracleInt=7))
    await w.start(search_attributes=v.search_attributes(OracleInt="seven"), workflow_id=w.name("ill-typed"))
    await w.describe()
    await w.history()


@scenario()
async def start_delay(w: World) -> None:
    """A delayed start has no workflow task until the delay is over; a signal does not cut it short."""
    reply = await w.start(workflow_start_delay=v.seconds(2))
    described = await w.describe()
    info = described.workflow_execution_info
    w.note("delay", round((info.execution_time.ToNanoseconds() - info.start_time.ToNanoseconds()) / 1e9))
    await w.signal()
    await w.history()
    task = await w.poll()
    await w.complete(task, v.complete())
    await w.history(run_id=reply.run_id)


@scenario()
async def start_delay_and_cancel(w: World) -> None:
    """A cancel request schedules the workflow task of a delayed start at once."""
    await w.start(workflow_start_delay=v.seconds(60))
    await w.cancel()
    await w.history()
    task = await w.poll()
    await w.complete(task, v.cancel())
    await w.history()


@scenario()
async def start_delay_and_terminate(w: World) -> None:
    """A delayed run can be terminated."""
    await w.start(workflow_start_delay=v.seconds(60))
    await w.terminate()
    await w.describe()
    await w.history()


@scenario()
async def eager_start(w: World) -> None:
    """An eager start returns its first workflow task."""
    await w.start(request_eager_execution=True, input=v.payloads("input"))
    repeated = w.start_request(request_eager_execution=True, workflow_id=w.name("again"))
    first = await w.call("StartWorkflowExecution", repeated)
    await w.call("StartWorkflowExecution", repeated)
    await w.complete(first.eager_workflow_task, v.complete())
    await w.history(w.name("again"))
    await w.call("StartWorkflowExecution", repeated)
    await w.start(request_eager_execution=True, workflow_id=w.name("delayed"), workflow_start_delay=v.seconds(30))


@scenario()
async def set_but_empty(w: World) -> None:
    """A field that is there and says nothing stays there, as SDKs send a priority with everything."""
    await w.start(priority=Priority(), workflow_run_timeout=v.seconds(0), workflow_execution_timeout=v.seconds(0))
    await w.describe()
    for name, fields in (("told", {"priority": Priority()}), ("untold", {})):
        await w.step(v.activity(name, w.queue, **fields))
        await w.describe()
        await w.activity("Completed", await w.poll_activity())
    await w.step(v.continue_as_new(backoff_start_interval=v.seconds(60)))
    await w.describe()
    await w.history()


@scenario()
async def set_but_empty_for_children(w: World) -> None:
    """A child is told nothing, or inherits it."""
    await w.start(priority=Priority(), workflow_run_timeout=v.seconds(0), workflow_execution_timeout=v.seconds(0))
    silence = {"priority": Priority(), "workflow_run_timeout": v.seconds(0), "workflow_execution_timeout": v.seconds(0)}
    for count, (name, fields) in enumerate((("told", silence), ("untold", {})), 1):
        await w.step(v.child(w.name(name), task_queue=TaskQueue(name=w.name("child queue")), **fields))
        await w.until(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, count=count)
        await w.describe(w.name(name))
        await w.history(w.name(name))


@scenario()
async def set_but_empty_and_again(w: World) -> None:
    """The same in the runs that follow by themselves."""
    await w.start(priority=Priority(), workflow_run_timeout=v.seconds(0), retry_policy=v.retry(initial=1, attempts=2))
    await w.step(v.fail())
    await w.describe()
    await w.history()
