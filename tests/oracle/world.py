"""What a scenario sees: one server over the raw stub, with every reply and every error recorded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType, TaskQueueKind
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.operatorservice.v1 import OperatorServiceStub
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice import v1 as api
from temporalio.api.workflowservice.v1 import WorkflowServiceStub

from tests.history_checker import check_history
from tests.oracle.normalise import Normaliser
from tests.oracle.values import payloads

CALL_SECONDS = 15.0
WAIT_SECONDS = 12.0
STEP_SECONDS = 0.05
DELETION_SECONDS = 90.0
"""The real server deletes in the background, and not at once."""


class Refused:
    """Stands for the reply of a call that ended in a gRPC error; false, and loud when it is used as a reply."""

    def __init__(self, method: str, error: grpc.aio.AioRpcError) -> None:
        self.method, self.code, self.message = method, error.code(), error.details() or ""

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.method} was refused ({self.code.name}: {self.message}), so its reply has no {name}")


class World:
    """One scenario on one server. `observations` is what the two servers are compared by."""

    def __init__(self, channel: grpc.aio.Channel, address: str, suffix: str) -> None:
        self.address = address
        self.channel = channel
        self.namespace = "default"
        self.observations: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self._suffix = suffix
        self._stub = WorkflowServiceStub(channel)
        self._operator = OperatorServiceStub(channel)
        self._normaliser = Normaliser(suffix)
        self._runs: dict[tuple[str, str, str], None] = {}
        self._gone: set[str] = set()
        self._requests = 0
        self.wid = self.name("wf")
        self.queue = self.name("queue")

    # --- names and records

    def name(self, text: str) -> str:
        """Return `text` made unique to this scenario; comparison shows `text` alone."""
        return text + self._suffix

    def request_id(self) -> str:
        """Return a fresh request id."""
        self._requests += 1
        return self.name(f"request-{self._requests}")

    def hide(self, text: str, name: str) -> None:
        """Show `name` wherever `text` stands: something that is another on each server."""
        self._normaliser.hide(text, name)

    def note(self, title: str, value: Any) -> None:
        """Record a value of the scenario's own."""
        self.observations.append({"title": title, "value": self._normaliser.value(value)})

    async def call(
        self, method: str, request: Message, seconds: float = CALL_SECONDS, record: bool = True, metadata: Sequence[tuple[str, str]] = ()
    ) -> Any:
        """Call `method`, record what came back, and return the reply, or `Refused`."""
        slot: dict[str, Any] = {"title": method}
        if record:
            self.observations.append(slot)
        try:
            stub = self._stub if hasattr(self._stub, method) else self._operator
            reply = await getattr(stub, method)(request, timeout=seconds, metadata=tuple(metadata))
        except grpc.aio.AioRpcError as error:
            slot["error"] = self._normaliser.error(error)
            return Refused(method, error)
        slot["reply"] = self._normaliser.message(reply)
        return reply

    def remember(self, workflow_id: str, run_id: str, namespace: str | None = None) -> None:
        """Have the history of this run checked when the scenario ends."""
        if run_id and run_id not in self._gone:
            self._runs[namespace or self.namespace, workflow_id, run_id] = None

    async def until_gone(self, run_id: str, workflow_id: str | None = None) -> None:
        """Wait until a run that was deleted is there no more; its history will not be read again."""
        request = api.DescribeWorkflowExecutionRequest(namespace=self.namespace, execution=self.execution(workflow_id, run_id))
        async with asyncio.timeout(DELETION_SECONDS):
            while await self.call("DescribeWorkflowExecution", request, record=False):
                await asyncio.sleep(STEP_SECONDS)
        self._runs.pop((self.namespace, workflow_id or self.wid, run_id), None)
        self._gone.add(run_id)

    # --- starting and addressing

    def start_request(self, **fields: Any) -> api.StartWorkflowExecutionRequest:
        """Return a start request with the usual fields; `fields` replace them (None leaves one out)."""
        return api.StartWorkflowExecutionRequest(**_present(self._start_fields() | fields))

    async def start(self, *, record: bool = True, **fields: Any) -> Any:
        """Start a workflow."""
        request = self.start_request(**fields)
        reply = await self.call("StartWorkflowExecution", request, record=record)
        if reply:
            self.remember(request.workflow_id, reply.run_id, request.namespace)
        return reply

    async def signal_with_start(self, **fields: Any) -> Any:
        """Signal a workflow, and start it if need be."""
        usual = self._start_fields() | {"signal_name": "sig", "signal_input": payloads("signal input")}
        request = api.SignalWithStartWorkflowExecutionRequest(**_present(usual | fields))
        reply = await self.call("SignalWithStartWorkflowExecution", request)
        if reply:
            self.remember(request.workflow_id, reply.run_id, request.namespace)
        return reply

    def _start_fields(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "workflow_id": self.wid,
            "workflow_type": WorkflowType(name="wt"),
            "task_queue": TaskQueue(name=self.queue),
            "identity": "starter",
            "request_id": self.request_id(),
        }

    def execution(self, workflow_id: str | None = None, run_id: str = "") -> WorkflowExecution:
        """Return an address; without arguments that of the scenario's own workflow, current run."""
        return WorkflowExecution(workflow_id=self.wid if workflow_id is None else workflow_id, run_id=run_id)

    async def signal(self, signal: str = "sig", workflow_id: str | None = None, run_id: str = "", **fields: Any) -> Any:
        """Signal a workflow."""
        usual = {
            "namespace": self.namespace,
            "workflow_execution": self.execution(workflow_id, run_id),
            "signal_name": signal,
            "identity": "signaller",
            "request_id": self.request_id(),
            "input": payloads(signal),
        }
        return await self.call("SignalWorkflowExecution", api.SignalWorkflowExecutionRequest(**_present(usual | fields)))

    async def cancel(self, workflow_id: str | None = None, run_id: str = "", **fields: Any) -> Any:
        """Request the cancellation of a workflow."""
        usual = {
            "namespace": self.namespace,
            "workflow_execution": self.execution(workflow_id, run_id),
            "identity": "canceller",
            "request_id": self.request_id(),
            "reason": "enough",
        }
        request = api.RequestCancelWorkflowExecutionRequest(**_present(usual | fields))
        return await self.call("RequestCancelWorkflowExecution", request)

    async def terminate(self, workflow_id: str | None = None, run_id: str = "", **fields: Any) -> Any:
        """Terminate a workflow."""
        usual = {
            "namespace": self.namespace,
            "workflow_execution": self.execution(workflow_id, run_id),
            "identity": "terminator",
            "reason": "over",
        }
        request = api.TerminateWorkflowExecutionRequest(**_present(usual | fields))
        return await self.call("TerminateWorkflowExecution", request)

    async def delete(self, workflow_id: str | None = None, run_id: str = "", **fields: Any) -> Any:
        """Delete a run."""
        usual = {"namespace": self.namespace, "workflow_execution": self.execution(workflow_id, run_id)}
        return await self.call("DeleteWorkflowExecution", api.DeleteWorkflowExecutionRequest(**_present(usual | fields)))

    async def describe(self, workflow_id: str | None = None, run_id: str = "", record: bool = True, **fields: Any) -> Any:
        """Describe a workflow."""
        usual = {"namespace": self.namespace, "execution": self.execution(workflow_id, run_id)}
        request = api.DescribeWorkflowExecutionRequest(**_present(usual | fields))
        return await self.call("DescribeWorkflowExecution", request, record=record)

    async def query(
        self, query_type: str = "state", workflow_id: str | None = None, run_id: str = "", seconds: float = 8, **fields: Any
    ) -> Any:
        """Query a workflow; start it with `asyncio.create_task` when the scenario itself must answer."""
        usual = {
            "namespace": self.namespace,
            "execution": self.execution(workflow_id, run_id),
            "query": WorkflowQuery(query_type=query_type, query_args=payloads("query input")),
        }
        return await self.call("QueryWorkflow", api.QueryWorkflowRequest(**_present(usual | fields)), seconds)

    # --- history

    async def history(self, workflow_id: str | None = None, run_id: str = "", record: bool = True) -> list[HistoryEvent]:
        """Read the whole history, record it and check it."""
        slot: dict[str, Any] = {"title": "history"}
        if record:
            self.observations.append(slot)
        try:
            events = await self._read(self.namespace, self.execution(workflow_id, run_id))
        except grpc.aio.AioRpcError as error:
            slot["error"] = self._normaliser.error(error)
            return []
        slot["events"] = [self._normaliser.message(event) for event in events]
        self._check(events, slot["title"])
        self._remember_successors(self.namespace, workflow_id or self.wid, events)
        return events

    async def until(self, event_type: EventType.ValueType, workflow_id: str | None = None, run_id: str = "", count: int = 1) -> Any:
        """Wait until the history holds `count` events of a type, and return the last of them; records only a failure to appear."""
        end = asyncio.get_running_loop().time() + WAIT_SECONDS
        while asyncio.get_running_loop().time() < end:
            try:
                events = await self._read(self.namespace, self.execution(workflow_id, run_id))
            except grpc.aio.AioRpcError:
                events = []
            found = [event for event in events if event.event_type == event_type]
            if len(found) >= count:
                return found[count - 1]
            await asyncio.sleep(STEP_SECONDS)
        name = EventType.Name(event_type)
        self.note("waited in vain", f"{count} x {name}")
        raise TimeoutError(f"no {name} (number {count})")

    async def _read(self, namespace: str, execution: WorkflowExecution) -> list[HistoryEvent]:
        request = api.GetWorkflowExecutionHistoryRequest(namespace=namespace, execution=execution)
        events: list[HistoryEvent] = []
        while True:
            reply = await self._stub.GetWorkflowExecutionHistory(request, timeout=CALL_SECONDS)
            events += reply.history.events
            if not reply.next_page_token:
                return events
            request.next_page_token = reply.next_page_token

    def _check(self, events: Sequence[HistoryEvent], where: str) -> None:
        self.violations += [f"{where}: {violation}" for violation in check_history(events)]

    def _remember_successors(self, namespace: str, workflow_id: str, events: Sequence[HistoryEvent]) -> None:
        for event in events:
            attributes = getattr(event, event.WhichOneof("attributes") or "", None)
            if run_id := getattr(attributes, "new_execution_run_id", ""):
                self.remember(workflow_id, run_id, namespace)
            if event.HasField("child_workflow_execution_started_event_attributes"):
                child = event.child_workflow_execution_started_event_attributes.workflow_execution
                self.remember(child.workflow_id, child.run_id, namespace)

    # --- workflow tasks

    async def poll(
        self, sticky: str | None = None, queue: str | None = None, record: bool = True, seconds: float = 8, **fields: Any
    ) -> Any:
        """Poll a workflow task from the scenario's queue, or from the sticky queue named."""
        normal = queue or self.queue
        task_queue = TaskQueue(name=normal)
        if sticky:
            task_queue = TaskQueue(name=sticky, kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=normal)
        usual = {"namespace": self.namespace, "task_queue": task_queue, "identity": "worker"}
        request = api.PollWorkflowTaskQueueRequest(**_present(usual | fields))
        reply = await self.call("PollWorkflowTaskQueue", request, seconds, record)
        if reply and reply.workflow_execution.run_id:
            self.remember(reply.workflow_execution.workflow_id, reply.workflow_execution.run_id)
        return reply

    async def complete(self, task: Any, *commands: Command, sticky: str | None = None, **fields: Any) -> Any:
        """Complete a workflow task with commands."""
        usual: dict[str, Any] = {
            "namespace": self.namespace,
            "task_token": task if isinstance(task, bytes) else task.task_token,
            "identity": "worker",
            "commands": commands,
        }
        if sticky:
            usual["sticky_attributes"] = StickyExecutionAttributes(
                worker_task_queue=TaskQueue(name=sticky, kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=self.queue),
                schedule_to_start_timeout={"seconds": 5},
            )
        request = api.RespondWorkflowTaskCompletedRequest(**_present(usual | fields))
        return await self.call("RespondWorkflowTaskCompleted", request)

    async def step(self, *commands: Command, queue: str | None = None, **fields: Any) -> Any:
        """Poll the next workflow task (unrecorded: the history shows it) and complete it; returns the task."""
        task = await self.poll(record=False, queue=queue)
        if not task or not task.task_token:
            self.note("no workflow task came", str(queue))
            raise TimeoutError("no workflow task came")
        await self.complete(task, *commands, **fields)
        return task

    async def fail_task(self, task: Any, **fields: Any) -> Any:
        """Fail a workflow task."""
        usual = {
            "namespace": self.namespace,
            "task_token": task if isinstance(task, bytes) else task.task_token,
            "identity": "worker",
            "cause": "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE",
            "failure": Failure(message="task failure", application_failure_info=ApplicationFailureInfo(type="T")),
        }
        request = api.RespondWorkflowTaskFailedRequest(**_present(usual | fields))
        return await self.call("RespondWorkflowTaskFailed", request)

    # --- activities

    async def poll_activity(self, queue: str | None = None, record: bool = True, seconds: float = 8, **fields: Any) -> Any:
        """Poll an activity task."""
        usual = {"namespace": self.namespace, "task_queue": TaskQueue(name=queue or self.queue), "identity": "activity worker"}
        request = api.PollActivityTaskQueueRequest(**_present(usual | fields))
        return await self.call("PollActivityTaskQueue", request, seconds, record)

    async def activity(self, what: str, task: Any = None, by_id: str | None = None, **fields: Any) -> Any:
        """Answer an activity: `what` is Completed, Failed, Canceled or Heartbeat; by token, or by id."""
        method = "RecordActivityTaskHeartbeat" if what == "Heartbeat" else f"RespondActivityTask{what}"
        usual: dict[str, Any] = {"namespace": self.namespace, "identity": "activity worker"}
        if by_id is None:
            usual["task_token"] = task if isinstance(task, bytes) else task.task_token
        else:
            method += "ById"
            usual |= {"workflow_id": self.wid, "activity_id": by_id}
        if what == "Completed":
            usual["result"] = payloads("activity result")
        if what == "Failed":
            usual["failure"] = Failure(message="activity failure", application_failure_info=ApplicationFailureInfo(type="T"))
        return await self.call(method, getattr(api, f"{method}Request")(**_present(usual | fields)))

    async def operate(self, method: str, run_id: str = "", **fields: Any) -> Any:
        """Pause, unpause, reset or update activities of the scenario's own workflow: `fields` say which, and how."""
        usual = {"namespace": self.namespace, "execution": self.execution(run_id=run_id), "identity": "operator"}
        return await self.call(method, getattr(api, f"{method}Request")(**_present(usual | fields)))

    # --- the end

    async def finish(self) -> None:
        """Check the history of every run seen, and terminate what is still open so that the server can rest."""
        seen: set[tuple[str, str, str]] = set()
        while pending := [run for run in self._runs if run not in seen]:
            for run in pending:
                seen.add(run)
                await self._finish_run(*run)

    async def _finish_run(self, namespace: str, workflow_id: str, run_id: str) -> None:
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        request = api.TerminateWorkflowExecutionRequest(namespace=namespace, workflow_execution=execution, reason="scenario over")
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self._stub.TerminateWorkflowExecution(request, timeout=CALL_SECONDS)
        try:
            events = await self._read(namespace, execution)
        except grpc.aio.AioRpcError as error:
            self.violations.append(f"final history of {workflow_id}: {error.code().name} {error.details()}")
            return
        self._check(events, f"final history of {workflow_id.replace(self._suffix, '')}")
        self._remember_successors(namespace, workflow_id, events)


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
