"""Calls that start, tell, end and show workflows."""

from collections.abc import Callable
from uuid import uuid4

from temporalio.api.common.v1 import Link, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    RequestCancelWorkflowExecutionRequest,
    RequestCancelWorkflowExecutionResponse,
    SignalWithStartWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionResponse,
    SignalWorkflowExecutionRequest,
    SignalWorkflowExecutionResponse,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
    TerminateWorkflowExecutionRequest,
    TerminateWorkflowExecutionResponse,
)

from outlast.engine import limits
from outlast.engine.checks import size_bytes
from outlast.engine.keys import ExecutionKey
from outlast.engine.machines.start import attributes_of_request
from outlast.engine.refusals import InvalidArgument
from outlast.engine.state import Run
from outlast.engine.triggers import (
    Attach,
    NamespaceView,
    RequestCancel,
    Signal,
    Start,
    Terminate,
)
from outlast.server.frontend import checks
from outlast.server.frontend.calls import Call
from outlast.server.frontend.describe import describe_execution
from outlast.server.frontend.features import Features
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.frontend.worker_tasks import workflow_task_reply
from outlast.server.shard.entity import Entity
from outlast.server.shard.shard import Shard
from outlast.server.shard.tasks import Tasks


class WorkflowCalls:
    def __init__(self, shard: Shard, tasks: Tasks, namespaces: NamespaceRegistry, features: Features) -> None:
        self.features = features
        self._shard = shard
        self._tasks = tasks
        self._namespaces = namespaces

    async def start(self, request: StartWorkflowExecutionRequest, call: Call) -> StartWorkflowExecutionResponse:
        return await self.begin(request)

    async def begin(
        self, request: StartWorkflowExecutionRequest, joined: Callable[[Entity], None] | None = None
    ) -> StartWorkflowExecutionResponse:
        """Start a workflow; `joined` gets its run before any worker can see it."""
        namespace = self._namespaces.find(request.namespace)
        checks.check_start(request, namespace, self.features)
        attributes = attributes_of_request(request, self._shard.clock())
        first = Start(
            workflow_id=request.workflow_id,
            request_id=request.request_id or str(uuid4()),
            attributes=attributes,
            eager_worker=request.identity if request.request_eager_execution else None,
            user_metadata=request.user_metadata if request.HasField("user_metadata") else None,
            links=request.links,
        )
        attach = _attachment(request, first.request_id)
        result = await self._shard.start(namespace, first, *checks.policies(request), attach, joined)
        run = result.execution.run
        if result.attached:
            link = _event_link(run, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED, request_id=first.request_id)
        else:
            link = _event_link(run, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, event_id=1)
        reply = StartWorkflowExecutionResponse(
            run_id=run.run_id,
            first_execution_run_id=run.first_run_id,
            started=result.started,
            status=run.shown_status,  # type: ignore[arg-type]
            link=link,
        )
        if request.request_eager_execution and result.started:
            task = await self._tasks.eager_workflow_task(run.key, first.request_id)
            if task is not None:
                reply.eager_workflow_task.ParseFromString(workflow_task_reply(task, request.task_queue))
        return reply

    async def signal(self, request: SignalWorkflowExecutionRequest, call: Call) -> SignalWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.workflow_execution)
        _check_signal_name(request.signal_name)
        if size_bytes(request.request_id) > limits.ID_BYTES_MAX:
            raise InvalidArgument("RequestId length exceeds limit.")
        checks.check_blob(request.input, namespace)
        checks.check_links(request)
        signal = Signal(
            name=request.signal_name,
            input=request.input if request.HasField("input") else None,
            identity=request.identity,
            header=request.header if request.HasField("header") else None,
            request_id=request.request_id,
            links=request.links,
        )
        transition = await self._shard.update(_key(namespace, request.workflow_execution), signal)
        link = _event_link(transition.after.run, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, request_id=request.request_id)
        return SignalWorkflowExecutionResponse(link=link)

    async def signal_with_start(
        self, request: SignalWithStartWorkflowExecutionRequest, call: Call
    ) -> SignalWithStartWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_workflow_id(request.workflow_id)
        if not request.signal_name:
            raise InvalidArgument("signal not set")
        if size_bytes(request.signal_name) > limits.ID_BYTES_MAX:
            raise InvalidArgument(f"signal name exceeds maximum allowed length ({size_bytes(request.signal_name)}/{limits.ID_BYTES_MAX})")
        checks.check_start(request, namespace, self.features)
        checks.check_blob(request.signal_input, namespace)
        request_id = request.request_id or str(uuid4())
        signal = Signal(
            name=request.signal_name,
            input=request.signal_input if request.HasField("signal_input") else None,
            identity=request.identity,
            header=request.header if request.HasField("header") else None,
            request_id=request_id,
            links=request.links,
            even_in_backoff=True,
        )
        first = Start(
            workflow_id=request.workflow_id,
            request_id=request_id,
            attributes=attributes_of_request(request, self._shard.clock()),
            signal=signal,
            user_metadata=request.user_metadata if request.HasField("user_metadata") else None,
            links=request.links,
        )
        result = await self._shard.signal_with_start(namespace, first, signal, *checks.policies(request))
        run = result.execution.run
        return SignalWithStartWorkflowExecutionResponse(
            run_id=run.run_id,
            first_execution_run_id=run.first_run_id,
            started=result.started,
            signal_link=_event_link(run, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, request_id=request_id),
        )

    async def request_cancel(self, request: RequestCancelWorkflowExecutionRequest, call: Call) -> RequestCancelWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.workflow_execution)
        checks.check_links(request)
        cancel = RequestCancel(
            reason=request.reason,
            identity=request.identity,
            request_id=request.request_id,
            first_execution_run_id=request.first_execution_run_id,
            links=request.links,
        )
        await self._shard.update(_key(namespace, request.workflow_execution, request.first_execution_run_id), cancel)
        return RequestCancelWorkflowExecutionResponse()

    async def terminate(self, request: TerminateWorkflowExecutionRequest, call: Call) -> TerminateWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.workflow_execution)
        checks.check_links(request)
        terminate = Terminate(
            reason=request.reason or "terminated by user via frontend",
            identity=request.identity or "frontend-service",
            details=request.details if request.HasField("details") else None,
            first_execution_run_id=request.first_execution_run_id,
            links=request.links,
        )
        await self._shard.update(_key(namespace, request.workflow_execution, request.first_execution_run_id), terminate)
        return TerminateWorkflowExecutionResponse()

    async def describe(self, request: DescribeWorkflowExecutionRequest, call: Call) -> DescribeWorkflowExecutionResponse:
        namespace = self._namespaces.find(request.namespace)
        checks.check_execution(request, request.execution)
        entity = await self._shard.find(_key(namespace, request.execution))
        return describe_execution(await self._shard.readable(entity), namespace, self._shard.clock())


def _attachment(request: StartWorkflowExecutionRequest, request_id: str) -> Attach | None:
    """What an existing run is told, when it is used instead of a new one."""
    options = request.on_conflict_options
    if not (options.attach_request_id or options.attach_links or options.attach_completion_callbacks):
        return None
    return Attach(
        request_id if options.attach_request_id else "",
        request.links if options.attach_links else (),
        request.completion_callbacks if options.attach_completion_callbacks else (),
    )


def _key(namespace: NamespaceView, execution: WorkflowExecution, first_execution_run_id: str = "") -> ExecutionKey:
    """The addressed run; with a first run id it is the current one of that chain, whatever the run id says."""
    run_id = "" if first_execution_run_id else execution.run_id
    return ExecutionKey(namespace.id, execution.workflow_id, run_id)


def _check_signal_name(name: str) -> None:
    if not name:
        raise InvalidArgument("SignalName is not set on request.")
    if size_bytes(name) > limits.ID_BYTES_MAX:
        raise InvalidArgument("SignalName length exceeds limit.")


def _event_link(run: Run, kind: "EventType.ValueType", *, event_id: int = 0, request_id: str = "") -> Link:
    link = Link()
    event = link.workflow_event
    event.namespace = run.namespace
    event.workflow_id = run.workflow_id
    event.run_id = run.run_id
    if event_id:
        event.event_ref.event_id = event_id
        event.event_ref.event_type = kind
    else:
        event.request_id_ref.request_id = request_id
        event.request_id_ref.event_type = kind
    return link
