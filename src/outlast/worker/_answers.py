"""Answers workflow tasks: from what a run wants, to the request that says so."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from temporalio.api.enums.v1 import QueryResultType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueResponse,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedRequest,
)

from outlast.replay.protocol import Step
from outlast.service import RPCError, RPCStatusCode
from outlast.worker._codec import WorkflowCodec
from outlast.worker._slots import Permit
from outlast.worker._wire import Server, Wire

logger = logging.getLogger("outlast.worker")


class CannotEncode(Exception):
    """The program's codec failed: the workflow task must be failed."""


class EagerActivities(Protocol):
    """Where activities go that a completion brings back, without a poll."""

    def reserve(self) -> Permit | None:
        """A slot, if there is one."""
        ...

    def accept(self, task: PollActivityTaskQueueResponse, permit: Permit) -> None:
        """Run it."""
        ...


class Answers:
    """The answers of one worker. What a method returns says whether the server took it: if not, the run must be forgotten."""

    def __init__(
        self,
        server: Server,
        wire: Wire,
        codec: WorkflowCodec | None,
        activities: EagerActivities | None,
        eager_max: int,
        default_versioning_behavior: int,
    ) -> None:
        self._server = server
        self._wire = wire
        self._codec = codec
        self._activities = activities
        self._eager_max = eager_max
        self._versioning_behavior = default_versioning_behavior

    async def complete(
        self, task: PollWorkflowTaskQueueResponse, step: Step, *, go_on: bool = False
    ) -> RespondWorkflowTaskCompletedResponse | None:
        """Complete a workflow task; with `go_on` the server makes another at once. Returns the reply, None if it was refused.

        Raises CannotEncode.
        """
        request = self._completion(task, step)
        request.force_create_new_workflow_task = go_on
        if self._codec is not None:
            await self._encode(self._codec, task, request)
        permits = self._reserve(request) if step.commands else ()
        try:
            reply = await self._server.calls.respond_workflow_task_completed(request, retry=True)
        except RPCError as error:
            self._give_back(permits)
            _log_refusal(error, task)
            return None
        except BaseException:
            self._give_back(permits)
            raise
        if permits:
            self._start(reply, permits)
        return reply

    async def _encode(
        self, codec: WorkflowCodec, task: PollWorkflowTaskQueueResponse, request: RespondWorkflowTaskCompletedRequest
    ) -> None:
        others = [*request.messages, *request.query_results.values()]
        try:
            await codec.encode(task.workflow_execution.workflow_id, task.workflow_type.name, request.commands, others)
        except Exception as error:
            raise CannotEncode from error

    def _completion(self, task: PollWorkflowTaskQueueResponse, step: Step) -> RespondWorkflowTaskCompletedRequest:
        request = RespondWorkflowTaskCompletedRequest()
        request.CopyFrom(self._wire.workflow_task_completed)
        request.task_token = task.task_token
        if step.commands:
            request.commands.extend(step.commands)
        if step.messages:
            request.messages.extend(step.messages)
        for name, result in step.query_results.items():
            request.query_results[name].CopyFrom(result)
        if step.metadata is not None:
            request.sdk_metadata.CopyFrom(step.metadata)
        behavior = step.versioning_behavior or self._versioning_behavior
        if behavior:
            request.versioning_behavior = behavior  # type: ignore[assignment]
        return request

    def _reserve(self, request: RespondWorkflowTaskCompletedRequest) -> Sequence[Permit]:
        """Slots for the activities that this worker may run at once; the others are asked for as usual."""
        permits: list[Permit] = []
        for command in request.commands:
            if command.WhichOneof("attributes") != "schedule_activity_task_command_attributes":
                continue
            activity = command.schedule_activity_task_command_attributes
            if not activity.request_eager_execution:
                continue
            here = self._activities is not None and activity.task_queue.name == self._wire.task_queue
            permit = self._activities.reserve() if here and len(permits) < self._eager_max and self._activities else None
            if permit is None:
                activity.request_eager_execution = False
            else:
                permits.append(permit)
        return permits

    def _start(self, reply: RespondWorkflowTaskCompletedResponse, permits: Sequence[Permit]) -> None:
        assert self._activities is not None
        tasks = reply.activity_tasks
        if len(tasks) > len(permits):
            logger.error("The server sent more activities than were asked for; they will time out")
        for task, permit in zip(tasks, permits, strict=False):
            self._activities.accept(task, permit)
        self._give_back(permits[len(tasks) :])

    def _give_back(self, permits: Sequence[Permit]) -> None:
        for permit in permits:
            permit.release()

    async def fail(self, task: PollWorkflowTaskQueueResponse, failure: Failure, cause: int) -> None:
        """Fail a workflow task. From its second attempt on the server hears nothing, and the task times out: so that it is not
        repeated without a pause."""
        workflow_id = task.workflow_execution.workflow_id
        logger.warning("Failing workflow task of workflow %s, run %s: %s", workflow_id, task.workflow_execution.run_id, failure.message)
        if task.attempt > 1:
            return
        if self._codec is not None:
            await self._codec.encode_failure(workflow_id, failure)
        request = RespondWorkflowTaskFailedRequest()
        request.CopyFrom(self._wire.workflow_task_failed)
        request.task_token = task.task_token
        request.cause = cause or WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE  # type: ignore[assignment]
        request.failure.CopyFrom(failure)
        try:
            await self._server.calls.respond_workflow_task_failed(request, retry=True)
        except RPCError as error:
            _log_refusal(error, task)

    async def answer_query(self, task: PollWorkflowTaskQueueResponse, step: Step) -> None:
        """Answer a query that came alone."""
        request = RespondQueryTaskCompletedRequest(namespace=self._wire.namespace, task_token=task.task_token)
        result = step.query_result
        if result is None:
            await self.fail_query(task, Failure(message="The query was not answered"), 0)
            return
        request.completed_type = result.result_type
        request.error_message = result.error_message
        if result.HasField("answer"):
            request.query_result.CopyFrom(result.answer)
        if result.HasField("failure"):
            request.failure.CopyFrom(result.failure)
        await self._respond_query(task, request)

    async def fail_query(self, task: PollWorkflowTaskQueueResponse, failure: Failure, cause: int) -> None:
        """Say that a query that came alone could not be answered, since the run could not be replayed."""
        request = RespondQueryTaskCompletedRequest(
            namespace=self._wire.namespace,
            task_token=task.task_token,
            completed_type=QueryResultType.QUERY_RESULT_TYPE_FAILED,
            error_message=failure.message,
            failure=failure,
            cause=cause,  # type: ignore[arg-type]
        )
        await self._respond_query(task, request)

    async def _respond_query(self, task: PollWorkflowTaskQueueResponse, request: RespondQueryTaskCompletedRequest) -> None:
        if self._codec is not None:
            await self._codec.encode(task.workflow_execution.workflow_id, task.workflow_type.name, (), (request,))
        try:
            await self._server.calls.respond_query_task_completed(request, retry=True)
        except RPCError as error:
            _log_refusal(error, task)


def _log_refusal(error: RPCError, task: PollWorkflowTaskQueueResponse) -> None:
    run = task.workflow_execution
    expected = error.status is RPCStatusCode.INVALID_ARGUMENT and error.message == "UnhandledCommand"
    level = logging.DEBUG if expected else logging.WARNING
    logger.log(level, "Answer to a task of workflow %s, run %s, was not taken: %s", run.workflow_id, run.run_id, error)
