"""A run for tests of limits: begun, told things, and asked, by plain calls of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest

from outlast.engine import triggers as t
from outlast.engine.begin import begin
from outlast.engine.decide import decide
from outlast.engine.limits import SECOND
from outlast.engine.machines.start import attributes_of_request
from outlast.engine.state import Execution, WorkflowTask
from outlast.engine.transition import Transition
from tests.history_checker import check_history

NOON = 1_767_268_800 * SECOND
RETENTION = 3600 * SECOND
RUN_ID = "11111111-1111-4111-8111-111111111111"
PARENT_RUN_ID = "33333333-3333-4333-8333-333333333333"
NAMESPACE = t.NamespaceView("namespace-id", "default", {"Keyword": 2, "Text": 1}, RETENTION)


class Story:
    """One run and all that has been written of it."""

    def __init__(self, *, child: bool = False, **fields: Any) -> None:
        """The fields are those of a client's start; a `child` has a parent, too."""
        wanted: dict[str, Any] = {"workflow_id": "order", "workflow_type": WorkflowType(name="Order")} | fields
        request = StartWorkflowExecutionRequest(task_queue=TaskQueue(name="orders"), **wanted)
        self.now = NOON
        self.history: list[HistoryEvent] = []
        attributes = attributes_of_request(request, NOON)
        if child:
            attributes.parent_workflow_namespace, attributes.parent_workflow_namespace_id = "default", "namespace-id"
            attributes.parent_workflow_execution.workflow_id = "parent"
            attributes.parent_workflow_execution.run_id = PARENT_RUN_ID
        self.last = begin(t.Start("order", "start", attributes), RUN_ID, self.context())
        self._take(self.last)

    @property
    def execution(self) -> Execution:
        return self.last.after

    @property
    def task(self) -> WorkflowTask:
        assert self.execution.run.workflow_task is not None
        return self.execution.run.workflow_task

    def context(self) -> t.Context:
        return t.Context(self.now, "22222222-2222-4222-8222-000000000001", NAMESPACE, {"default": "namespace-id"})

    def _take(self, transition: Transition) -> Transition:
        self.last = transition
        for batch in transition.batches:
            self.history += batch.events
        return transition

    def tell(self, trigger: t.Trigger) -> Transition:
        """Decide, and let it be so."""
        return self._take(decide(self.execution, trigger, self.context()))

    def signal(self, request_id: str = "") -> Transition:
        return self.tell(t.Signal("hello", request_id=request_id, identity="client"))

    def start_task(self) -> Transition:
        return self.tell(t.StartWorkflowTask(self.task.scheduled_event_id, self.task.attempt, "poll", "worker", False))

    def answer(self, *commands: Command, **fields: Any) -> Transition:
        """Complete the started workflow task."""
        task = self.task
        token = t.WorkflowTaskToken(task.scheduled_event_id, task.started_event_id, task.started_time, task.attempt)
        request = RespondWorkflowTaskCompletedRequest(identity="worker", commands=commands, **fields)
        return self.tell(t.CompleteWorkflowTask(token, request, "completion"))

    def do(self, *commands: Command, **fields: Any) -> Transition:
        """Start the pending workflow task and complete it."""
        self.start_task()
        return self.answer(*commands, **fields)

    def events(self) -> list[str]:
        """The names of all events; their grammar is checked on the way."""
        assert check_history(self.history) == []
        return names(self.history)


def names(events: Iterable[HistoryEvent]) -> list[str]:
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events]


def news(transition: Transition) -> list[str]:
    """The names of the events that a transition writes."""
    return [name for batch in transition.batches for name in names(batch.events)]
