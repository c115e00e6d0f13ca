"""The way from clients and workers to the node, on which things get lost, late or doubled, and at whose end workers die."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueResponse,
    RespondActivityTaskFailedRequest,
    RespondWorkflowTaskFailedRequest,
)

from outlast._direct import DirectServiceClient
from outlast.server.node import Node
from outlast.service import ConnectConfig, ServiceResponse
from outlast.testing.explore._reality import FOR_EVER_S
from outlast.testing.explore._schedule import Disturbance, Schedule

SOURCE = "outlast.testing.explore"
FAILED_ATTEMPTS_MAX = 3
"""An activity is disturbed no more often: it gets through at last."""
LATE_S = (0.001, 60.0)
_PATIENCE = 10
"""An attempt may be lost if that costs no more than this part of the time that the activity has in all."""
_LATE = frozenset(
    {
        "start_workflow_execution",
        "signal_workflow_execution",
        "signal_with_start_workflow_execution",
        "update_workflow_execution",
        "execute_multi_operation",
        "request_cancel_workflow_execution",
    }
)
_DOUBLED = frozenset(
    {
        "start_workflow_execution",
        "signal_workflow_execution",
        "signal_with_start_workflow_execution",
        "request_cancel_workflow_execution",
        "respond_activity_task_completed",
    }
)
_WAITING = frozenset(
    {
        "poll_workflow_task_queue",
        "poll_activity_task_queue",
        "get_workflow_execution_history",
        "update_workflow_execution",
        "poll_workflow_execution_update",
        "execute_multi_operation",
    }
)
_ACTIVITY_ENDS = frozenset({"respond_activity_task_completed", "respond_activity_task_failed", "respond_activity_task_canceled"})


class WorkflowTaskFailed(Exception):
    """Workflow code raised what fails its workflow task and not the workflow: it would be tried again and again."""


class Life:
    """One worker process, as long as it lives."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.death: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.afterlife: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """What the dead wait for, in vain."""
        self.activities: dict[bytes, PollActivityTaskQueueResponse] = {}
        """What it runs, by task token."""

    def die(self) -> None:
        if not self.death.done():
            self.death.set_result(None)


@dataclass
class Traffic:
    """What all connections of one world share."""

    schedule: Schedule
    broken: Callable[[BaseException], None]
    """Told of what can never come right again."""

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.tasks: dict[bytes, PollWorkflowTaskQueueResponse] = {}
        self.activities: dict[bytes, PollActivityTaskQueueResponse] = {}

    def numbered(self, name: str) -> str:
        """The name, and how often it was asked for."""
        self._counts[name] += 1
        return f"{name}#{self._counts[name]}"


class Connection(DirectServiceClient):
    """The calls of a worker's life, or of the test (no life)."""

    def __init__(self, config: ConnectConfig, node: Node, traffic: Traffic, life: Life | None) -> None:
        super().__init__(config, node)
        self._traffic = traffic
        self._life = life

    async def _call(
        self,
        service: str,
        rpc: str,
        request: Message,
        response_type: type[ServiceResponse],
        timeout_s: float | None,
        headers: Mapping[str, str | bytes],
    ) -> ServiceResponse:
        patience_s = FOR_EVER_S if rpc in _WAITING else timeout_s

        async def deliver() -> Any:
            return await super(Connection, self)._call(service, rpc, request, response_type, patience_s, headers)

        if self._life is None:
            return cast(ServiceResponse, await self._disturbed(rpc, request, response_type, deliver))
        calling = asyncio.ensure_future(self._disturbed(rpc, request, response_type, deliver))
        try:
            await asyncio.wait({calling, self._life.death}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not calling.done():
                calling.cancel()
        if self._life.death.done():
            await asyncio.shield(self._life.afterlife)
        return cast(ServiceResponse, await calling)

    async def _disturbed(self, rpc: str, request: Message, response_type: type[Any], deliver: Callable[[], Any]) -> Any:
        match rpc:
            case "poll_workflow_task_queue":
                return self._taken(await deliver())
            case "poll_activity_task_queue":
                return await self._poll_activity(deliver)
            case "respond_workflow_task_completed":
                return await self._complete_workflow_task(request, deliver)
            case "respond_workflow_task_failed":
                self._report(cast(RespondWorkflowTaskFailedRequest, request))
        if rpc in _ACTIVITY_ENDS and (task := self._ended(request)) is not None:
            return await self._end_activity(rpc, task, response_type, deliver)
        if rpc in _LATE:
            name = self._traffic.numbered(f"{rpc}@{_whose(request)}")
            await self._late_and_double(rpc, name, f"{rpc.replace('_', ' ')} of {_whose(request)!r}", deliver)
        return await deliver()

    # Workflow tasks

    def _taken(self, task: PollWorkflowTaskQueueResponse) -> PollWorkflowTaskQueueResponse:
        if task.task_token:
            self._traffic.tasks[task.task_token] = task
        return task

    async def _complete_workflow_task(self, request: Any, deliver: Callable[[], Any]) -> Any:
        task = self._traffic.tasks.pop(request.task_token, None)
        if task is None or self._life is None:
            return self._followed(await deliver())
        workflow_id = task.workflow_execution.workflow_id
        point = self._traffic.numbered(f"task@{workflow_id}")
        number = point.rpartition("#")[2]
        bears_it = task.attempt == 1 and all(_may_be_lost(activity) for activity in self._life.activities.values())
        heard = self._traffic.schedule.coin(point)
        when = "after the server has heard of" if heard else "before the server hears of"
        text = f"the worker dies {when} workflow task {number} of {workflow_id!r}"
        if not (bears_it and self._traffic.schedule.happens(Disturbance.CRASH, point, text)):
            return self._followed(await deliver())
        reply = await deliver() if heard else None
        self._life.die()
        return reply

    def _followed(self, reply: Any) -> Any:
        """A completion may bring the next workflow task, and activities to run at once."""
        if reply.HasField("workflow_task"):
            self._taken(reply.workflow_task)
        for activity in reply.activity_tasks:
            self._begun(activity)
        return reply

    def _report(self, request: RespondWorkflowTaskFailedRequest) -> None:
        task = self._traffic.tasks.pop(request.task_token, None)
        cause = WorkflowTaskFailedCause.Name(request.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_").lower().replace("_", " ")
        whose = f"a workflow task of {task.workflow_execution.workflow_id!r}" if task is not None else "a workflow task"
        failure = request.failure
        self._traffic.broken(WorkflowTaskFailed(f"{whose} failed ({cause}): {failure.message}\n{failure.stack_trace}".rstrip()))

    # Activities

    async def _poll_activity(self, deliver: Callable[[], Any]) -> PollActivityTaskQueueResponse:
        while True:
            task: PollActivityTaskQueueResponse = await deliver()
            if not task.task_token:
                return task
            text = f"attempt {task.attempt} of {_named(task)} fails before it begins"
            if not (_has_another(task) and self._traffic.schedule.happens(Disturbance.FAIL, _point(task), text)):
                self._begun(task)
                return task
            await self._fail(task)

    def _begun(self, task: PollActivityTaskQueueResponse) -> None:
        self._traffic.activities[task.task_token] = task
        if self._life is not None:
            self._life.activities[task.task_token] = task

    async def _fail(self, task: PollActivityTaskQueueResponse) -> None:
        failure = Failure(message="disturbed: the attempt failed before it began", source=SOURCE)
        failure.application_failure_info.type = "Disturbed"
        request = RespondActivityTaskFailedRequest(
            namespace=task.workflow_namespace, task_token=task.task_token, failure=failure, identity=SOURCE
        )
        await self._node.call("temporal.api.workflowservice.v1.WorkflowService", "RespondActivityTaskFailed", request)

    def _ended(self, request: Any) -> PollActivityTaskQueueResponse | None:
        if self._life is not None:
            self._life.activities.pop(request.task_token, None)
        return self._traffic.activities.pop(request.task_token, None)

    async def _end_activity(
        self, rpc: str, task: PollActivityTaskQueueResponse, response_type: type[Any], deliver: Callable[[], Any]
    ) -> Any:
        what = f"the end of attempt {task.attempt} of {_named(task)}"
        lost = f"{what} never reaches the server, which runs it again"
        may_be_lost = rpc != "respond_activity_task_canceled" and _may_be_lost(task)
        if may_be_lost and self._traffic.schedule.happens(Disturbance.LOSE, _point(task), lost):
            return response_type()
        await self._late_and_double(rpc, _point(task), what, deliver)
        return await deliver()

    # Requests

    async def _late_and_double(self, rpc: str, point: str, what: str, deliver: Callable[[], Any]) -> None:
        schedule = self._traffic.schedule
        if rpc in _DOUBLED and schedule.happens(Disturbance.DOUBLE, point, f"{what} arrives twice"):
            again = asyncio.get_running_loop().create_task(_later(schedule.amount(f"again {point}", *LATE_S), deliver))
            again.add_done_callback(lambda done: done.cancelled() or done.exception())
        late_s = schedule.amount(point, *LATE_S)
        if schedule.happens(Disturbance.DELAY, point, f"{what} arrives {late_s:.3g} s late"):
            await asyncio.sleep(late_s)


async def _later(seconds: float, deliver: Callable[[], Any]) -> None:
    await asyncio.sleep(seconds)
    await deliver()


def _whose(request: Any) -> str:
    """Which workflow, and which signal or update, a request is about."""
    execution = getattr(request, "workflow_execution", None)
    workflow_id = getattr(request, "workflow_id", "") or (execution.workflow_id if execution is not None else "")
    what = getattr(request, "signal_name", "")
    if not what and hasattr(request, "request"):
        what = request.request.input.name
    return f"{workflow_id}/{what}" if what else workflow_id


def _named(task: PollActivityTaskQueueResponse) -> str:
    return f"activity {task.activity_type.name!r} ({task.workflow_execution.workflow_id!r}, id {task.activity_id})"


def _point(task: PollActivityTaskQueueResponse) -> str:
    return f"activity@{task.workflow_execution.workflow_id}/{task.activity_id}#{task.attempt}"


def _has_another(task: PollActivityTaskQueueResponse) -> bool:
    """Whether another attempt may follow, soon enough."""
    most = task.retry_policy.maximum_attempts
    if task.attempt > FAILED_ATTEMPTS_MAX or (most and task.attempt >= most):
        return False
    whole, pause = _span(task.schedule_to_close_timeout), _span(task.retry_policy.initial_interval)
    return not whole or whole >= _PATIENCE * pause * max(task.retry_policy.backoff_coefficient, 1.0) ** task.attempt


def _may_be_lost(task: PollActivityTaskQueueResponse) -> bool:
    """Whether another attempt follows when this one is never heard of."""
    whole, one = _span(task.schedule_to_close_timeout), _span(task.start_to_close_timeout)
    return _has_another(task) and bool(one) and (not whole or whole >= _PATIENCE * one)


def _span(duration: Duration) -> timedelta:
    return duration.ToTimedelta()
