"""What type checkers must know of the client's calls; `test_typing.py` has mypy read it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

import outlast.workflow
from outlast import activity
from outlast.client import (
    ActivityHandle,
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
    sync,
)
from outlast.common import WorkflowIDConflictPolicy


@outlast.workflow.defn
class NoParameter:
    @outlast.workflow.run
    async def run(self) -> int:
        return 1

    @outlast.workflow.query
    def ask(self, about: str) -> bool:
        return True

    @outlast.workflow.update
    async def change(self, to: int) -> str:
        return ""


@outlast.workflow.defn
class TwoParameters:
    @outlast.workflow.run
    async def run(self, a: int, b: str) -> bytes:
        return b""


@activity.defn
async def compute(number: int) -> str:
    return ""


@activity.defn
def compute_sync() -> float:
    return 1.0


class Activities:
    @activity.defn
    async def method(self, number: int) -> bool:
        return True


LONG = timedelta(minutes=1)


async def asynchronous(client: Client) -> None:
    known = client.get_workflow_handle_for(NoParameter.run, "w")
    assert_type(known, WorkflowHandle[NoParameter, int])
    handle = await client.start_workflow(NoParameter.run, id="w", task_queue="q", cron_schedule="* * * * *")
    assert_type(handle, WorkflowHandle[NoParameter, int])
    assert_type(await handle.result(), int)
    assert_type(await handle.query(NoParameter.ask, "x"), bool)
    assert_type(await handle.execute_update(NoParameter.change, 1), str)
    assert_type(await handle.start_update(NoParameter.change, 1, wait_for_stage=WorkflowUpdateStage.ACCEPTED), WorkflowUpdateHandle[str])
    assert_type(await client.execute_workflow(TwoParameters.run, args=[1, ""], id="w", task_queue="q"), bytes)
    assert_type(await client.execute_workflow("name", 1, id="w", task_queue="q"), Any)
    operation = WithStartWorkflowOperation(NoParameter.run, id="w", task_queue="q", id_conflict_policy=WorkflowIDConflictPolicy.FAIL)
    assert_type(await client.execute_update_with_start_workflow(NoParameter.change, 1, start_workflow_operation=operation), str)
    assert_type(await operation.workflow_handle(), WorkflowHandle[NoParameter, int])
    assert_type(await client.start_activity(compute, 1, id="a", task_queue="q", start_to_close_timeout=LONG), ActivityHandle[str])
    assert_type(await client.execute_activity(compute_sync, id="a", task_queue="q"), float)
    assert_type(await client.execute_activity_method(Activities.method, 1, id="a", task_queue="q"), bool)

    await client.start_workflow(NoParameter.run, id="w")  # type: ignore[call-overload]
    await client.start_workflow(NoParameter.run, id="w", task_queue="q", unknown=1)  # type: ignore[call-overload]
    await client.execute_activity(compute, "text", id="a", task_queue="q")  # type: ignore[misc]
    await handle.query(NoParameter.ask, 1)  # type: ignore[call-overload]


def synchronous(client: sync.Client) -> None:
    handle = client.start_workflow(NoParameter.run, id="w", task_queue="q")
    assert_type(handle, sync.WorkflowHandle[NoParameter, int])
    assert_type(handle.result(), int)
    assert_type(handle.query(NoParameter.ask, "x"), bool)
    assert_type(handle.execute_update(NoParameter.change, 1), str)
    assert_type(client.execute_workflow(TwoParameters.run, args=[1, ""], id="w", task_queue="q"), bytes)
    assert_type(client.execute_activity(compute, 1, id="a", task_queue="q"), str)
    assert_type(handle.describe().history_length, int)
    assert_type(next(client.list_workflows()).id, str)
    operation = sync.WithStartWorkflowOperation(NoParameter.run, id="w", task_queue="q", id_conflict_policy=WorkflowIDConflictPolicy.FAIL)
    assert_type(client.execute_update_with_start_workflow(NoParameter.change, 1, start_workflow_operation=operation), str)
    with sync.Client.connect("x") as connected:
        assert_type(connected, sync.Client)

    client.start_workflow(NoParameter.run, id="w")  # type: ignore[call-overload]
