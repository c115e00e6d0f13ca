"""The activities of a worker: they succeed, fail, beat their heart, hang, answer late, twice, or never."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    RecordActivityTaskHeartbeatRequest,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
)

from tests.simulation import ask
from tests.simulation.network import RpcFailed
from tests.simulation.scripts import payloads

ANSWERS_MAX = 60
BEATS = 3
GOOD = ("succeed", "succeed", "beat", "fail")
BAD = ("fail", "fail for good", "hang", "late", "twice", "by id", "beat", "never")


class Activities:
    """`spawn` keeps a task as long as the worker lives."""

    def __init__(self, world: Any, name: str, random: Random, spawn: Callable[[Any], None]) -> None:
        self._world = world
        self._name = name
        self._random = random
        self._spawn = spawn

    def take(self, task: PollActivityTaskQueueResponse) -> None:
        run_id = task.workflow_execution.run_id
        self._world.ledger.hand_out_activity(run_id, task.activity_id, task.attempt, self._name)
        self._world.faults.note(f"{self._name} takes activity {task.activity_id} of {run_id[:4]}, attempt {task.attempt}")
        healed = self._world.faults.healed
        bad = self._world.faults.happens("misbehaviour")
        behaviour = self._random.choice(BAD if bad else GOOD)
        if healed and behaviour == "fail":
            behaviour = "succeed"
        self._spawn(self._behave(task, behaviour))

    async def _behave(self, task: PollActivityTaskQueueResponse, behaviour: str) -> None:
        random = self._random
        match behaviour:
            case "succeed":
                await asyncio.sleep(random.choice((0.0, 0.1, 1.0)))
                await self._complete(task)
            case "fail":
                await self._fail(task, non_retryable=False)
            case "fail for good":
                await self._fail(task, non_retryable=True)
            case "late":
                await asyncio.sleep(random.uniform(2.0, 15.0))
                await self._complete(task)
            case "twice":
                await self._complete(task)
                await asyncio.sleep(random.choice((0.0, 3.0)))
                await self._complete(task)
            case "by id":
                await self._complete_by_id(task)
            case "beat":
                await self._beat(task)
            case "hang":
                await asyncio.sleep(random.uniform(10.0, 60.0))
            case _:
                return

    async def _beat(self, task: PollActivityTaskQueueResponse) -> None:
        for beat in range(BEATS):
            request = RecordActivityTaskHeartbeatRequest(namespace="default", task_token=task.task_token, details=payloads(beat))
            try:
                reply = await self._world.network.call(self._name, "RecordActivityTaskHeartbeat", request)
            except RpcFailed as failure:
                if not failure.try_again:
                    return
            else:
                if reply.cancel_requested:
                    canceled = RespondActivityTaskCanceledRequest(namespace="default", task_token=task.task_token)
                    await self._answer("RespondActivityTaskCanceled", canceled)
                    return
            await asyncio.sleep(self._random.choice((0.1, 0.7)))
        await self._complete(task)

    async def _complete(self, task: PollActivityTaskQueueResponse) -> None:
        result = self._result(task)
        request = RespondActivityTaskCompletedRequest(namespace="default", identity=self._name, task_token=task.task_token)
        request.result.CopyFrom(payloads(result))
        if await self._answer("RespondActivityTaskCompleted", request):
            self._acknowledged(task, result)

    async def _complete_by_id(self, task: PollActivityTaskQueueResponse) -> None:
        result = self._result(task) + "/by id"
        request = RespondActivityTaskCompletedByIdRequest(namespace="default", identity=self._name, activity_id=task.activity_id)
        request.workflow_id = task.workflow_execution.workflow_id
        request.run_id = task.workflow_execution.run_id
        request.result.CopyFrom(payloads(result))
        if await self._answer("RespondActivityTaskCompletedById", request):
            self._acknowledged(task, result)

    async def _fail(self, task: PollActivityTaskQueueResponse, *, non_retryable: bool) -> None:
        request = RespondActivityTaskFailedRequest(namespace="default", identity=self._name, task_token=task.task_token)
        request.failure.CopyFrom(ask.failure("the activity fails", non_retryable=non_retryable))
        await self._answer("RespondActivityTaskFailed", request)

    def _result(self, task: PollActivityTaskQueueResponse) -> str:
        return f"{task.workflow_execution.run_id}/{task.activity_id}/{task.attempt}/{self._random.getrandbits(32):x}"

    def _acknowledged(self, task: PollActivityTaskQueueResponse, result: str) -> None:
        key = (task.workflow_execution.run_id, task.activity_id)
        self._world.ledger.activity_results.setdefault(key, []).append(result)

    async def _answer(self, name: str, request: Any) -> bool:
        """Whether the answer was taken; False when it came too late, or the first try had been taken."""
        for _ in range(ANSWERS_MAX):
            try:
                await self._world.network.call(self._name, name, request)
            except RpcFailed as failure:
                if not failure.try_again:
                    return False
                await asyncio.sleep(0.3)
            else:
                return True
        return False
