"""A client: it asks for one thing after the other, and asks again until it has an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy as Conflict
from temporalio.api.update.v1 import Outcome
from temporalio.api.workflowservice.v1 import (
    ExecuteMultiOperationRequest,
    GetWorkflowExecutionHistoryRequest,
    PauseWorkflowExecutionRequest,
    QueryWorkflowRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UnpauseWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from tests.simulation.ledger import Sent
from tests.simulation.network import RpcFailed
from tests.simulation.scripts import QUEUE, draw_script, payloads, value_of

TRIES_MAX = 150
KEEPS = "another way"
"""The reason of a reset that applies again what came from outside."""
RESETTABLE = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)
UPDATE_PATIENCE = 12
PAUSE_S = 0.7
CLOSED = "workflow execution already completed"
CONFLICTS = (
    Conflict.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
)


class Client:
    """`world.known_runs` are the runs that some client was told of, by workflow id."""

    def __init__(self, world: Any, name: str, random: Random) -> None:
        self.name = name
        self._world = world
        self._random = random
        self._count = 0

    async def act(self) -> None:
        random = self._random
        for number in range(self._world.settings.operations):
            await asyncio.sleep(random.choice((0.0, 0.3, 2.0, 6.0)))
            workflow_id = random.choice(self._world.workflow_ids)
            if number == 0 or not self._world.known_runs.get(workflow_id):
                await self._start(workflow_id)
                continue
            operations, weights = self._repertoire()
            await random.choices(operations, weights=weights)[0](workflow_id)

    def _repertoire(self) -> tuple[list[Callable[[str], Awaitable[None]]], list[int]]:
        """What it may do next, and how often."""
        table: list[tuple[Callable[[str], Awaitable[None]], int]] = [
            (self._start, 2),
            (self._signal, 6),
            (self._signal_with_start, 2),
            (self._update, 4),
            (self._query, 3),
            (self._cancel, 1),
            (self._terminate, 1),
            (self._pair, 1),
        ]
        if self._world.settings.pauses:
            table.append((self._pause, 4))
        if self._world.settings.resets:
            table.append((self._reset, 4))
        return [operation for operation, _ in table], [weight for _, weight in table]

    def _token(self) -> str:
        self._count += 1
        return f"{self.name}-{self._count:03}"

    async def _ask(self, name: str, request: Any, timeout_s: float = 10.0, tries: int = TRIES_MAX) -> Any:
        """The answer; retried while it is unknown. Raises the refusal."""
        loop = asyncio.get_running_loop()
        for attempt in range(tries):
            try:
                reply = await self._world.network.call(self.name, name, request, timeout_s)
            except RpcFailed as failure:
                if not failure.try_again or attempt == tries - 1:
                    self._world.faults.note(f"{self.name}: {name} {failure}")
                    self._refused(failure, request, loop.time())
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                self._world.faults.note(f"{self.name}: {name} is done")
                return reply
        raise AssertionError("unreachable")

    def _refused(self, failure: RpcFailed, request: Any, now: float) -> None:
        execution = getattr(request, "workflow_execution", None)
        if failure.message == CLOSED and execution is not None and execution.run_id:
            self._world.ledger.completed_refusals.append(Sent(self.name, "", execution.workflow_id, execution.run_id, acked_at=now))
        if failure.code == "ALREADY_EXISTS" and getattr(failure.detail, "run_id", ""):
            self._world.ledger.existing.append(Sent(self.name, "", request.workflow_id, failure.detail.run_id))

    def _address(self, execution: Any, workflow_id: str) -> str:
        """A run that somebody knows, or the current one."""
        execution.workflow_id = workflow_id
        if self._random.random() < 0.6:
            execution.run_id = self._world.known_runs[workflow_id][-1]
        return str(execution.run_id)

    # Starts

    def _start_fields(self, workflow_id: str, token: str) -> dict[str, Any]:
        others = [*self._world.workflow_ids, "nobody"]
        script = draw_script(self._random, token, others)
        fields: dict[str, Any] = {"namespace": "default", "workflow_id": workflow_id, "request_id": token, "identity": self.name}
        fields["input"] = payloads(script)
        fields["workflow_type"] = {"name": "script"}
        fields["task_queue"] = {"name": QUEUE}
        if self._random.random() < 0.2:
            fields["workflow_run_timeout"] = {"seconds": 25}
        if self._random.random() < 0.3:
            fields["retry_policy"] = {"maximum_attempts": 2, "initial_interval": {"seconds": 1}}
        return fields

    async def _start(self, workflow_id: str) -> None:
        token = self._token()
        request = StartWorkflowExecutionRequest(**self._start_fields(workflow_id, token))
        request.workflow_id_conflict_policy = self._random.choice(CONFLICTS)
        request.request_eager_execution = self._world.settings.eager and self._random.random() < 0.5
        if self._world.settings.schedules and self._random.random() < 0.4:
            request.cron_schedule = "@every 6s"
        elif not request.request_eager_execution and self._random.random() < 0.15:
            request.workflow_start_delay.seconds = 3
        try:
            reply = await self._ask("StartWorkflowExecution", request)
        except RpcFailed:
            return
        self._started(token, workflow_id, reply)
        if reply.HasField("eager_workflow_task"):
            self._world.work_eagerly(reply.eager_workflow_task)

    def _started(self, token: str, workflow_id: str, reply: Any) -> None:
        self._world.know(workflow_id, reply.run_id)
        if reply.started:
            self._world.ledger.starts.append(Sent(self.name, token, workflow_id, acked_run=reply.run_id))
        else:
            self._world.ledger.existing.append(Sent(self.name, token, workflow_id, reply.run_id))

    async def _signal_with_start(self, workflow_id: str) -> None:
        token = self._token()
        request = SignalWithStartWorkflowExecutionRequest(**self._start_fields(workflow_id, token), signal_name="go")
        request.signal_input.CopyFrom(payloads(token))
        try:
            reply = await self._ask("SignalWithStartWorkflowExecution", request)
        except RpcFailed:
            return
        self._world.know(workflow_id, reply.run_id)
        self._world.ledger.signals.append(Sent(self.name, token, workflow_id, acked_run=reply.run_id))
        if reply.started:
            self._world.ledger.starts.append(Sent(self.name, token, workflow_id, acked_run=reply.run_id))

    # What is told to a run

    async def _signal(self, workflow_id: str) -> None:
        token = self._token()
        request = SignalWorkflowExecutionRequest(namespace="default", signal_name="go", request_id=token, identity=self.name)
        request.input.CopyFrom(payloads(token))
        run_id = self._address(request.workflow_execution, workflow_id)
        try:
            await self._ask("SignalWorkflowExecution", request)
        except RpcFailed:
            return
        self._world.ledger.signals.append(Sent(self.name, token, workflow_id, run_id, acked_run=run_id))

    async def _cancel(self, workflow_id: str) -> None:
        request = RequestCancelWorkflowExecutionRequest(namespace="default", request_id=self._token(), identity=self.name)
        run_id = self._address(request.workflow_execution, workflow_id)
        try:
            await self._ask("RequestCancelWorkflowExecution", request)
        except RpcFailed:
            return
        now = asyncio.get_running_loop().time()
        self._world.ledger.cancels.append(Sent(self.name, "", workflow_id, run_id, acked_at=now))

    async def _terminate(self, workflow_id: str) -> None:
        request = TerminateWorkflowExecutionRequest(namespace="default", reason="enough", identity=self.name)
        run_id = self._address(request.workflow_execution, workflow_id)
        try:
            await self._ask("TerminateWorkflowExecution", request)
        except RpcFailed:
            return
        self._world.ledger.terminations.append(Sent(self.name, "", workflow_id, run_id))

    # What operators do with a run

    async def _pause(self, workflow_id: str) -> None:
        """Hold a run, and let it go on after a while."""
        run_id = self._world.known_runs[workflow_id][-1]
        fields = {"namespace": "default", "workflow_id": workflow_id, "run_id": run_id, "identity": self.name, "reason": "look"}
        token = self._token()
        try:
            await self._ask("PauseWorkflowExecution", PauseWorkflowExecutionRequest(**fields, request_id=token))
        except RpcFailed:
            return
        self._world.ledger.pauses.append(Sent(self.name, token, workflow_id, run_id))
        await asyncio.sleep(self._random.choice((0.0, 1.0, 5.0)))
        with suppress(RpcFailed):
            await self._ask("UnpauseWorkflowExecution", UnpauseWorkflowExecutionRequest(**fields, request_id=self._token()))

    async def _reset(self, workflow_id: str) -> None:
        """Begin again at one of the workflow tasks of a run that is known."""
        run_id = self._random.choice(self._world.known_runs[workflow_id])
        read = GetWorkflowExecutionHistoryRequest(namespace="default")
        read.execution.workflow_id, read.execution.run_id = workflow_id, run_id
        request = ResetWorkflowExecutionRequest(namespace="default", request_id=self._token(), identity=self.name)
        request.workflow_execution.CopyFrom(read.execution)
        keeps = self._random.random() < 0.8
        request.reason = KEEPS if keeps else "begin anew"
        if not keeps:
            request.reset_reapply_exclude_types.append(ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL)
        try:
            history = await self._ask("GetWorkflowExecutionHistory", read)
            ids = [event.event_id for event in history.history.events if event.event_type in RESETTABLE]
            if not ids:
                return
            request.workflow_task_finish_event_id = self._random.choice(ids)
            reply = await self._ask("ResetWorkflowExecution", request)
        except RpcFailed:
            return
        self._world.know(workflow_id, reply.run_id)
        self._world.ledger.resets.append(Sent(self.name, "", workflow_id, run_id, acked_run=reply.run_id))

    # What is asked of a run

    def _update_request(self, workflow_id: str) -> UpdateWorkflowExecutionRequest:
        request = UpdateWorkflowExecutionRequest(namespace="default")
        request.workflow_execution.workflow_id = workflow_id
        request.request.meta.update_id = request.request.request_id = self._token()
        request.request.input.name = self._random.choice(("quick", "slow", "bad"))
        stages = (Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED, Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED)
        request.wait_policy.lifecycle_stage = self._random.choice(stages)
        return request

    async def _update(self, workflow_id: str) -> None:
        request = self._update_request(workflow_id)
        run_id = self._address(request.workflow_execution, workflow_id)
        try:
            reply = await self._ask("UpdateWorkflowExecution", request, tries=UPDATE_PATIENCE)
        except RpcFailed:
            return
        self._updated(request, reply, workflow_id, run_id)

    def _updated(self, request: UpdateWorkflowExecutionRequest, reply: Any, workflow_id: str, run_id: str) -> None:
        outcome: Outcome | None = reply.outcome if reply.HasField("outcome") else None
        if reply.stage < Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED:
            return
        token, in_run = request.request.meta.update_id, reply.update_ref.workflow_execution.run_id
        self._world.ledger.updates.append(Sent(self.name, token, workflow_id, run_id, acked_run=in_run, outcome=outcome))

    async def _pair(self, workflow_id: str) -> None:
        """An update with a start."""
        update, token = self._update_request(workflow_id), self._token()
        request = ExecuteMultiOperationRequest(namespace="default")
        start = StartWorkflowExecutionRequest(**self._start_fields(workflow_id, token))
        start.workflow_id_conflict_policy = Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
        request.operations.add().start_workflow.CopyFrom(start)
        request.operations.add().update_workflow.CopyFrom(update)
        try:
            reply = await self._ask("ExecuteMultiOperation", request, tries=UPDATE_PATIENCE)
        except RpcFailed:
            return
        self._started(token, workflow_id, reply.responses[0].start_workflow)
        self._updated(update, reply.responses[1].update_workflow, workflow_id, "")

    async def _query(self, workflow_id: str) -> None:
        """The answer knows of every signal that was acknowledged before the question."""
        ledger = self._world.ledger
        request = QueryWorkflowRequest(namespace="default")
        request.query.query_type = "signals"
        self._address(request.execution, workflow_id)
        acknowledged = {(sent.acked_run, sent.token) for sent in ledger.signals if sent.acked_run}
        try:
            reply = await self._ask("QueryWorkflow", request, tries=3)
        except RpcFailed:
            return
        if reply.HasField("query_rejected"):
            return  # a run that is held answers nothing
        answer = value_of(reply.query_result)
        missing = [token for run_id, token in acknowledged if run_id == answer["run_id"] and token not in answer["signals"]]
        if missing:
            ledger.flaws.append(f"{answer['run_id']}: a query does not know the acknowledged signals {sorted(missing)}")
