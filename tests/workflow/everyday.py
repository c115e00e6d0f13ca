"""Workflows that use each function of the workflow module the way that programs do, and say what they saw."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from outlast import activity, workflow
from outlast.common import RawValue, SearchAttributeKey
from outlast.exceptions import ActivityError, ApplicationError, is_cancelled_exception

SOON = timedelta(seconds=10)
CITY = SearchAttributeKey.for_keyword("City")


@activity.defn
async def say(text: str) -> str:
    return f"said {text}"


@activity.defn
def add(one: int, other: int) -> int:
    return one + other


@activity.defn(name="wait-for-cancel")
async def wait_for_cancel() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.01)


class Shop:
    @activity.defn
    async def sell(self, item: str) -> str:
        return f"sold {item}"


@activity.defn
class Ring:
    async def __call__(self, times: int) -> str:
        return "ring" * times


@workflow.defn
class Activities:
    @workflow.run
    async def run(self) -> list[Any]:
        handle = workflow.start_activity(say, "later", start_to_close_timeout=SOON)
        return [
            await workflow.execute_activity(say, "hello", start_to_close_timeout=SOON, summary="greets"),
            await workflow.execute_activity("add", args=[1, 2], result_type=int, schedule_to_close_timeout=SOON),
            await workflow.execute_activity_method(Shop.sell, "tea", start_to_close_timeout=SOON),
            await workflow.execute_activity_class(Ring, 2, start_to_close_timeout=SOON),
            await workflow.execute_local_activity(add, args=[3, 4], start_to_close_timeout=SOON),
            await workflow.execute_local_activity_method(Shop.sell, "milk", start_to_close_timeout=SOON),
            await workflow.execute_local_activity_class(Ring, 1, start_to_close_timeout=SOON),
            await handle,
        ]


@workflow.defn
class Cancels:
    @workflow.run
    async def run(self) -> str:
        handle = workflow.start_activity(
            "wait-for-cancel",
            start_to_close_timeout=SOON,
            heartbeat_timeout=SOON,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.sleep(0.001)
        handle.cancel()
        try:
            await handle
        except ActivityError as error:
            return "cancelled" if is_cancelled_exception(error) else "failed"
        return "ended"


@workflow.defn(failure_exception_types=[ValueError])
class Hasty:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(say, "never")


@workflow.defn
class Order:
    """Asked and told from outside."""

    @workflow.init
    def __init__(self, name: str) -> None:
        self.seen = [f"init {name}"]
        workflow.set_dynamic_signal_handler(self.any_signal)
        workflow.set_update_handler("late", self.late_update, validator=self.check_late)

    @workflow.run
    async def run(self, name: str) -> list[str]:
        await workflow.wait_condition(lambda: "end" in self.seen)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.seen

    def any_signal(self, name: str, args: Sequence[RawValue]) -> None:
        values = [workflow.payload_converter().from_payload(arg.payload, str) for arg in args]
        self.seen.append(f"{name} {' '.join(values)}".strip())

    async def late_update(self, text: str) -> str:
        update = workflow.current_update_info()
        assert update is not None
        await workflow.sleep(0.001)
        self.seen.append(f"update {update.name} {update.id} {text}")
        return text.upper()

    def check_late(self, text: str) -> None:
        if not text:
            raise ApplicationError("no text")

    @workflow.signal
    async def end(self) -> None:
        self.seen.append("end")

    @workflow.query
    def last(self) -> str:
        return self.seen[-1]

    @workflow.query(dynamic=True)
    def any_query(self, name: str, args: Sequence[RawValue]) -> str:
        return f"{name} with {len(args)}"


@workflow.defn
class Properties:
    @workflow.run
    async def run(self, again: bool) -> dict[str, Any]:
        if again:
            workflow.upsert_memo({"kept": 1, "gone": None})
            workflow.upsert_search_attributes([CITY.value_set("Lisbon")])
            workflow.set_current_details("on its **way**")
            workflow.continue_as_new(False, memo={**workflow.memo(), "new": [1, 2]})
        info = workflow.info()
        return {
            "memo": dict(workflow.memo()),
            "new": workflow.memo_value("new", type_hint=list[int]),
            "missing": workflow.memo_value("missing", "default"),
            "city": info.typed_search_attributes.get(CITY),
            "continued": info.continued_run_id is not None and info.run_id != info.continued_run_id,
            "id": info.workflow_id,
            "type": info.workflow_type,
            "queue": info.task_queue,
            "attempt": info.attempt,
            "parent": info.parent,
            "length": info.get_current_history_length(),
        }


@workflow.defn
class Chance:
    """Random numbers, times and ids, taken over several tasks."""

    @workflow.run
    async def run(self) -> list[str]:
        own = workflow.new_random("own")
        drawn: list[str] = []
        for _ in range(3):
            drawn += [str(workflow.uuid4()), str(workflow.uuid7()), str(workflow.random().random()), str(own.random())]
            drawn.append(str(workflow.now()))
            workflow.logger.info("drawn %d", len(drawn))
            await workflow.sleep(0.001)
        return drawn

    @workflow.query
    def anything(self) -> bool:
        return True


@workflow.defn
class Groups:
    @workflow.run
    async def run(self) -> None:
        outer, own = workflow.create_event_group("outer", label="Outer"), workflow.create_event_group("own")
        with outer.scope():
            await workflow.execute_activity(say, "grouped", start_to_close_timeout=SOON, event_groups=[own])
        await workflow.sleep(0.001)


@workflow.defn(dynamic=True)
class Anything:
    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> str:
        value = workflow.payload_converter().from_payload(args[0].payload, str)
        return f"{workflow.info().workflow_type} of {value}"

    @workflow.dynamic_config
    def configure(self) -> workflow.DynamicWorkflowConfig:
        return workflow.DynamicWorkflowConfig(failure_exception_types=[KeyError])


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> list[str]:
        child = await workflow.start_child_workflow(Order.run, "child", static_summary="a child")
        await workflow.get_external_workflow_handle(child.id).signal("from-parent", "x")
        await child.signal(Order.end)
        seen = await child
        by_name = await workflow.execute_child_workflow("Whatever", "name", result_type=str)
        return [*seen, by_name]
