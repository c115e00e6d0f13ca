"""A program that `test_types.py` has judged by the type checker, with Outlast and the official SDK. Some lines are wrong on purpose."""

from collections.abc import Sequence
from datetime import timedelta
from typing import reveal_type

from outlast import activity, workflow
from outlast.common import RawValue, RetryPolicy, SearchAttributeKey, VersioningBehavior

SOON = timedelta(seconds=1)


@activity.defn
async def async_none() -> int:
    return 1


@activity.defn
def sync_none() -> int:
    return 1


@activity.defn
async def async_one(text: str) -> int:
    return 1


@activity.defn(name="one", no_thread_cancel_exception=True)
def sync_one(text: str) -> int:
    return 1


@activity.defn
async def async_two(text: str, number: int) -> int:
    return 1


@activity.defn
def sync_two(text: str, number: int) -> int:
    return 1


@activity.defn
class AsyncClass:
    async def __call__(self, text: str) -> int:
        return 1


@activity.defn
class SyncClass:
    def __call__(self) -> int:
        return 1


class Methods:
    @activity.defn
    async def async_none(self) -> int:
        return 1

    @activity.defn
    def sync_one(self, text: str) -> int:
        return 1

    @activity.defn
    async def async_two(self, text: str, number: int) -> int:
        return 1


@workflow.defn(name="order", versioning_behavior=VersioningBehavior.PINNED)
class Order:
    @workflow.init
    def __init__(self, text: str) -> None: ...

    @workflow.run
    async def run(self, text: str) -> int:
        return 1

    @workflow.signal
    async def signal_one(self, text: str) -> None: ...

    @workflow.signal(name="none", description="nothing")
    def signal_none(self) -> None: ...

    @workflow.signal(dynamic=True)
    def any_signal(self, name: str, args: Sequence[RawValue]) -> None: ...

    @workflow.query
    def query(self) -> str:
        return ""

    @workflow.query(description="more")
    def other_query(self, number: int) -> str:
        return ""

    @workflow.update
    async def async_update(self, text: str) -> int:
        return 1

    @async_update.validator
    def check(self, text: str) -> None: ...

    @workflow.update(name="two")
    def sync_update(self, text: str, number: int) -> int:
        return 1

    @sync_update.validator
    def check_wrong(self, text: str) -> None: ...


@workflow.defn
class NoArguments:
    @workflow.run
    async def run(self) -> str:
        return ""


@workflow.defn
class TwoArguments:
    @workflow.run
    async def run(self, text: str, number: int) -> bool:
        return True


async def activities() -> None:
    reveal_type(await workflow.execute_activity(async_none, start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity(sync_none, start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity(async_one, "x", start_to_close_timeout=SOON, retry_policy=RetryPolicy()))
    reveal_type(await workflow.execute_activity(sync_one, "x", start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity(async_two, args=["x", 1], start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity(sync_two, args=["x", 1], start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity("name", "x", result_type=str, start_to_close_timeout=SOON))
    reveal_type(workflow.start_activity(async_one, "x", start_to_close_timeout=SOON))
    reveal_type(await workflow.start_activity(sync_one, "x", start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity(async_one, 3, start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity(async_one, start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity(async_one, "x", start_to_close_timeouts=SOON))
    reveal_type(await workflow.execute_activity(async_one, "x", start_to_close_timeout=1))
    config = workflow.ActivityConfig(start_to_close_timeout=SOON)
    reveal_type(await workflow.execute_activity(async_one, "x", **config))


async def activities_of_classes() -> None:
    reveal_type(await workflow.execute_activity_class(AsyncClass, "x", start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity_class(AsyncClass, 1, start_to_close_timeout=SOON))
    reveal_type(workflow.start_activity_class(SyncClass, start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity_method(Methods.async_none, start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity_method(Methods.sync_one, "x", start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_activity_method(Methods.sync_one, 1, start_to_close_timeout=SOON))
    reveal_type(workflow.start_activity_method(Methods.async_two, args=["x", 1], start_to_close_timeout=SOON))


async def local_activities() -> None:
    reveal_type(await workflow.execute_local_activity(async_one, "x", start_to_close_timeout=SOON, local_retry_threshold=SOON))
    reveal_type(await workflow.execute_local_activity(async_one, "x", start_to_close_timeout=SOON, task_queue="other"))
    reveal_type(workflow.start_local_activity("name", args=[1, 2], result_type=int, start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_local_activity_class(AsyncClass, "x", start_to_close_timeout=SOON))
    reveal_type(workflow.start_local_activity_class(SyncClass, start_to_close_timeout=SOON))
    reveal_type(await workflow.execute_local_activity_method(Methods.sync_one, "x", start_to_close_timeout=SOON))
    reveal_type(workflow.start_local_activity_method(Methods.async_two, args=["x", 1], start_to_close_timeout=SOON))


async def children() -> None:
    reveal_type(await workflow.execute_child_workflow(Order.run, "x", id="child"))
    reveal_type(await workflow.execute_child_workflow(Order.run, 1, id="child"))
    reveal_type(await workflow.execute_child_workflow(NoArguments.run, parent_close_policy=workflow.ParentClosePolicy.ABANDON))
    reveal_type(await workflow.execute_child_workflow(TwoArguments.run, args=["x", 1]))
    reveal_type(await workflow.execute_child_workflow("name", "x", result_type=str))
    handle = await workflow.start_child_workflow(Order.run, "x")
    reveal_type(handle)
    reveal_type(await handle)
    await handle.signal(Order.signal_one, "x")
    await handle.signal(Order.signal_one, 1)
    await handle.signal(Order.signal_none)
    await handle.signal("name", args=[1, 2])
    external = workflow.get_external_workflow_handle_for(Order.run, "x")
    reveal_type(external)
    await external.signal(Order.signal_one, 1)
    await external.signal("name", 1)
    await external.cancel(reason="late")


async def the_rest() -> None:
    reveal_type(Order.async_update)
    reveal_type(Order.sync_update)
    reveal_type(Order.query)
    reveal_type(workflow.memo_value("key"))
    reveal_type(workflow.memo_value("key", type_hint=str))
    reveal_type(workflow.memo_value("key", 1, type_hint=str))
    reveal_type(workflow.get_last_completion_result(str))
    workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("City").value_set("Lisbon")])
    handles = [workflow.start_activity(async_one, "x", start_to_close_timeout=SOON)]
    reveal_type(await workflow.wait(handles))
    for ended in workflow.as_completed(handles):
        reveal_type(await ended)
    if workflow.patched("no-arguments"):
        workflow.continue_as_new(workflow=NoArguments.run)
    if workflow.patched("wrong"):
        workflow.continue_as_new(1, workflow=Order.run)
    workflow.continue_as_new("x", memo={"a": 1}, backoff_start_interval=SOON)
