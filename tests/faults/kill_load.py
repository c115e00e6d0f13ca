"""The client of the kill loop: keeps starting workflows, never gives one up, and afterwards says what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import grpc
import grpc.aio
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType, HistoryEventFilterType, WorkflowIdReusePolicy
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    GetWorkflowExecutionHistoryRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

from tests.faults import kill_workflows as kinds
from tests.faults.wire import NAMESPACE, Wire, closed, flaws, kind, shown
from tests.oracle.values import payloads, seconds

E = EventType
SIGNALS_MAX = 5
WAIT_S = 5.0
READERS = 8
NAMES = [each.__name__ for each in kinds.KINDS]


@dataclass
class Start:
    """One workflow that the server has accepted, and what its client was told of it."""

    workflow_id: str
    kind: str
    run_id: str
    signals: list[int] = field(default_factory=list)
    end: HistoryEvent | None = None
    """The close event as the client was told, of the last run of the chain."""
    last_run_id: str = ""


class Load:
    """Some clients at once, each with one workflow after the other."""

    def __init__(self, wire: Wire, random: Random, deadline: float) -> None:
        self.starts: list[Start] = []
        self.unfinished: dict[str, str] = {}
        """What each client waits for."""
        self.retried = 0
        """Starts and signals that were sent more than once."""
        self._wire = wire
        self._random = random
        self._deadline = deadline
        self._stopping = False
        self._count = 0

    def stop(self) -> None:
        """Start nothing new."""
        self._stopping = True

    async def client(self) -> None:
        """Until `stop`, and until its last workflow has ended."""
        while not self._stopping:
            self._count += 1
            name = self._random.choice(NAMES)
            workflow_id = f"{name}-{self._count}"
            self.unfinished[workflow_id] = "is being started"
            start = await self._start(workflow_id, name)
            self.starts.append(start)
            if name == "Collects":
                await self._signal(start)
            self.unfinished[workflow_id] = "is to end"
            await self._wait(start)
            del self.unfinished[workflow_id]
            await asyncio.sleep(self._random.uniform(0, 0.1))

    async def _start(self, workflow_id: str, name: str) -> Start:
        request: Any = StartWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=name),
            task_queue=TaskQueue(name=kinds.QUEUE),
            input=payloads(self._random.randint(10, 400) if name in ("Sleeps", "Once") else 0),
            workflow_task_timeout=seconds(kinds.TASK_S.total_seconds()),
            request_id=f"start-{workflow_id}",
            identity="kill-loop",
        )
        start = Start(workflow_id, name, "")
        if name == "Chain":  # a later run of the chain no longer knows the first one's request id
            request.workflow_id_reuse_policy = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
        method = "StartWorkflowExecution"
        if name == "Collects" and self._random.random() < 0.5:
            method = "SignalWithStartWorkflowExecution"
            fields = {each.name: value for each, value in request.ListFields()}
            request = SignalWithStartWorkflowExecutionRequest(**fields, signal_name="number", signal_input=payloads(0))
            start.signals.append(0)
        try:
            start.run_id = (await self._insist(method, request)).run_id
        except grpc.aio.AioRpcError as error:
            if name != "Chain" or error.code() != grpc.StatusCode.ALREADY_EXISTS:
                raise
            start.run_id = (await self._close_event(start, "")).run_id
        return start

    async def _signal(self, start: Start) -> None:
        for number in range(len(start.signals), self._random.randint(1, SIGNALS_MAX)):
            self.unfinished[start.workflow_id] = f"is sent signal {number}"
            await self._signal_once(start, "number", number)
            start.signals.append(number)
            await asyncio.sleep(self._random.uniform(0, 0.2))
        self.unfinished[start.workflow_id] = "is sent its last signal"
        await self._signal_once(start, "end", 0)

    async def _signal_once(self, start: Start, name: str, number: int) -> None:
        """One signal, whose request may well go out several times."""
        request = SignalWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_execution=WorkflowExecution(workflow_id=start.workflow_id, run_id=start.run_id),
            signal_name=name,
            input=payloads(number) if name == "number" else None,
            request_id=f"signal-{start.workflow_id}-{name}-{number}",
        )
        for _ in range(2 if name == "number" and self._random.random() < 0.3 else 1):
            try:
                await self._insist("SignalWorkflowExecution", request)
            except grpc.aio.AioRpcError as error:
                # The first try arrived, its answer was lost, and the workflow has ended meanwhile.
                if name != "end" or error.code() != grpc.StatusCode.NOT_FOUND:
                    raise

    async def _insist(self, method: str, request: Any) -> Any:
        try:
            return await self._wire.call(method, request)
        except grpc.aio.AioRpcError:
            self.retried += 1
            return await self._wire.insist(method, request, self._deadline)

    async def _wait(self, start: Start) -> None:
        run_id = start.run_id
        while True:
            reply = await self._close_event(start, run_id)
            start.end, start.last_run_id = reply.event, run_id
            successor = reply.event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
            if not successor:
                return
            run_id = successor

    async def _close_event(self, start: Start, run_id: str) -> _Closing:
        request = GetWorkflowExecutionHistoryRequest(
            namespace=NAMESPACE,
            execution=WorkflowExecution(workflow_id=start.workflow_id, run_id=run_id),
            wait_new_event=bool(run_id),
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT if run_id else 0,
        )
        while True:
            reply = await self._wire.insist("GetWorkflowExecutionHistory", request, self._deadline, WAIT_S)
            events = list(reply.history.events)
            if not run_id:
                return _Closing(events[0], events[0].workflow_execution_started_event_attributes.first_execution_run_id)
            if closed(events):
                return _Closing(events[-1], run_id)
            if asyncio.get_running_loop().time() > self._deadline:
                raise TimeoutError(f"{start.workflow_id} does not end")


@dataclass(frozen=True)
class _Closing:
    event: HistoryEvent
    run_id: str


class Inspection:
    """Reads everything back and collects what should not be."""

    def __init__(self, wire: Wire, starts: Sequence[Start], ledger: Path) -> None:
        self.violations: list[str] = []
        self.events = 0
        self.outcomes: Counter[str] = Counter()
        self.runs: set[str] = set()
        self._wire = wire
        self._starts = starts
        self._ledger = Counter(line.split()[0] for line in ledger.read_text().splitlines()) if ledger.exists() else Counter()
        self._readers = asyncio.Semaphore(READERS)

    async def make(self) -> None:
        await asyncio.gather(*(self._inspect(start) for start in self._starts))
        for workflow_id, times in self._ledger.items():
            if times > 1:
                self.violations.append(f"the activity of {workflow_id} may be tried once and ran {times} times")
        request = CountWorkflowExecutionsRequest(namespace=NAMESPACE)
        count = (await self._wire.call("CountWorkflowExecutions", request, timeout_s=20)).count
        if count != len(self.runs):
            self.violations.append(f"the server lists {count} runs, and the histories tell of {len(self.runs)}")

    async def _inspect(self, start: Start) -> None:
        async with self._readers:
            chain = await self._chain(start.workflow_id, start.run_id)
            last = chain[-1]
            if start.end is None or start.end.SerializeToString() != last[-1].SerializeToString():
                self._say(start, last, f"its client was told of another end: {start.end}")
            if kind(last[-1]) != "WORKFLOW_EXECUTION_COMPLETED":
                self._say(start, last, "it did not complete")
                return
            result = json.loads(last[-1].workflow_execution_completed_event_attributes.result.payloads[0].data)
            await self._judge(start, result, chain)

    async def _judge(self, start: Start, result: Any, chain: list[list[HistoryEvent]]) -> None:
        times = self._ledger[start.workflow_id]
        signalled = [event for event in chain[0] if event.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]
        match start.kind:
            case "Steps":
                right = result == list(range(kinds.STEPS))
            case "Sleeps":
                right = result == "rested"
            case "Collects":
                right = result == start.signals and len(signalled) == len(start.signals) + 1
            case "Parent":
                right = result == [[n, *range(kinds.SIGNALS_TO_CHILD)] for n in range(kinds.CHILDREN)]
                await self._children(start, chain[0])
            case "Chain":
                right = result == kinds.CHAIN and len(chain) == kinds.CHAIN
            case _:
                right = (result == "done" and times == 1) or (result == "START_TO_CLOSE" and times <= 1)
                self.outcomes[f"Once: {result}, begun {times} times"] += 1
        self.outcomes[start.kind] += 1
        if not right:
            self._say(start, chain[0], f"its result is {result!r} after {len(chain)} runs, {len(signalled)} signals, {times} executions")

    async def _children(self, start: Start, events: list[HistoryEvent]) -> None:
        started = [e.child_workflow_execution_started_event_attributes for e in events if kind(e) == "CHILD_WORKFLOW_EXECUTION_STARTED"]
        if len(started) != kinds.CHILDREN:
            self._say(start, events, f"it has {len(started)} children")
        for child in started:
            execution = child.workflow_execution
            history = (await self._chain(execution.workflow_id, execution.run_id))[0]
            signals = sum(event.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED for event in history)
            if signals != kinds.SIGNALS_TO_CHILD or not closed(history):
                self._say(start, history, f"its child {execution.workflow_id} has {signals} signals")

    async def _chain(self, workflow_id: str, run_id: str) -> list[list[HistoryEvent]]:
        chain: list[list[HistoryEvent]] = []
        while run_id and len(chain) < 20:
            events = await self._wire.history(workflow_id, run_id)
            self.violations += flaws(f"{workflow_id} {run_id}", events)
            self.events += len(events)
            self.runs.add(run_id)
            chain.append(events)
            run_id = events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        return chain

    def _say(self, start: Start, events: Sequence[HistoryEvent], text: str) -> None:
        self.violations.append(f"{start.workflow_id} {start.run_id}: {text}\n{shown(events)}")
