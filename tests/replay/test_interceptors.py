"""Interceptors, properties and the meter of a workflow."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, NoReturn

from outlast import common, workflow
from outlast.common import SearchAttributeKey
from outlast.replay import kinds
from outlast.replay.interceptor import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)
from outlast.replay.protocol import LocalActivityOutcome
from tests.replay.events import CONVERTER, Told, kinds_of, payloads
from tests.replay.test_handlers import query, request

SOON = timedelta(seconds=10)
SIZE = SearchAttributeKey.for_int("Size")
TAGS = SearchAttributeKey.for_keyword_list("Tags")
seen: list[str] = []


class Outer(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        seen.append(f"init {workflow.info().workflow_id}")
        super().init(Outgoing(outbound))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        seen.append(f"run {list(input.args)} {sorted(input.headers)}")
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        seen.append(f"signal {input.signal} {list(input.args)}")
        await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        seen.append(f"query {input.query}")
        return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        seen.append(f"validator {input.update}")
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        seen.append(f"update {input.update} {input.id}")
        return await super().handle_update_handler(input)


class Inner(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        seen.append("inner run")
        return await super().execute_workflow(input)


class Outgoing(WorkflowOutboundInterceptor):
    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        seen.append("continue_as_new")
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        seen.append("signal_child_workflow")
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        seen.append(f"signal_external_workflow {input.workflow_id}")
        await super().signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        seen.append(f"start_activity {input.activity}")
        input.headers = {"trace": CONVERTER.payload_converter.to_payload("id")}
        return super().start_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        seen.append(f"start_child_workflow {input.workflow}")
        return await super().start_child_workflow(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        seen.append(f"start_local_activity {input.activity}")
        return super().start_local_activity(input)


@workflow.defn
class Intercepted:
    @workflow.signal
    def poke(self, value: int) -> None: ...

    @workflow.query
    def ask(self) -> int:
        return 1

    @workflow.update
    def change(self) -> None: ...

    @change.validator
    def judge(self) -> None: ...

    @workflow.run
    async def run(self, value: int) -> None:
        await workflow.execute_local_activity("local", start_to_close_timeout=SOON)
        workflow.start_activity("work", start_to_close_timeout=SOON)
        child = asyncio.create_task(workflow.start_child_workflow("Child", id="child"))
        signal = asyncio.create_task(workflow.get_external_workflow_handle("other").signal("go"))
        await asyncio.sleep(0)
        child.cancel()
        signal.cancel()
        workflow.continue_as_new(value + 1)


@workflow.defn
class Properties:
    @workflow.run
    async def run(self) -> dict[str, Any]:
        before = {"memo": dict(workflow.memo()), "size": workflow.info().typed_search_attributes.get(SIZE)}
        workflow.upsert_memo({"a": [1], "b": None})
        workflow.upsert_memo({})
        workflow.upsert_search_attributes([SIZE.value_set(5), TAGS.value_set(["x", "y"])])
        workflow.upsert_search_attributes([TAGS.value_unset()])
        info = workflow.info()
        return {
            "before": before,
            "memo": dict(workflow.memo()),
            "default": workflow.memo_value("none", 7),
            "size": info.typed_search_attributes.get(SIZE),
            "tags": info.typed_search_attributes.get(TAGS),
            "untyped": dict(info.search_attributes),
        }


@workflow.defn
class CarriesOn:
    @workflow.run
    async def run(self) -> None:
        workflow.upsert_search_attributes([SIZE.value_set(9)])
        workflow.continue_as_new(args=[1, 2], task_queue="other", run_timeout=SOON)


@workflow.defn
class Measures:
    @workflow.run
    async def run(self) -> None:
        workflow.metric_meter().create_counter("steps").add(1)
        await asyncio.sleep(1)
        workflow.metric_meter().create_counter("steps").add(1)


class Meter(common._metrics._NoopMetricMeter):
    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.count = 0

    def with_additional_attributes(self, additional_attributes: Any) -> common.MetricMeter:
        self.attributes.update(additional_attributes)
        return self

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricCounter:
        meter = self

        class Counter(common._metrics._NoopCounter):
            def add(self, value: int, additional_attributes: Any = None) -> None:
                meter.count += value

        return Counter(name, description, unit)


def test_every_call_in_and_out_goes_through_the_chain_outermost_first() -> None:
    seen.clear()
    told = Told(Intercepted, 1, interceptors=[Outer, Inner], started={"header": {"fields": {"h": payloads(1)["payloads"][0]}}})
    told.add(kinds.SIGNALED, signal_name="poke", input=payloads(2))
    told.task(messages=[request("change", at=2)])
    step = told.run.resolve_local_activity(LocalActivityOutcome(1))
    told.run.evict()

    assert seen == [
        "init w",
        "signal poke [2]",
        "validator change",
        "update change u",
        "run [1] ['h']",
        "inner run",
        "start_local_activity local",
        "start_activity work",
        "start_child_workflow Child",
        "signal_external_workflow other",
        "continue_as_new",
    ]
    assert kinds_of(step) == [14, 14, 9, 1, 10]
    assert "trace" in step.commands[3].schedule_activity_task_command_attributes.header.fields


def test_a_query_goes_through_the_chain() -> None:
    seen.clear()
    told = Told(Intercepted, 1, interceptors=[Outer])
    told.task()
    told.run.heartbeat()
    told.completed()

    told.tell(query=query("ask"))

    assert "query ask" in seen


def test_memo_and_search_attributes_can_be_read_and_changed() -> None:
    size = payloads(1)["payloads"][0]
    size.metadata["type"] = b"Int"
    told = Told(
        Properties,
        started={"memo": {"fields": {"b": payloads("old")["payloads"][0]}}, "search_attributes": {"indexed_fields": {"Size": size}}},
    )

    step = told.task()

    result = json.loads(step.commands[-1].complete_workflow_execution_command_attributes.result.payloads[0].data)
    assert result == {
        "before": {"memo": {"b": "old"}, "size": 1},
        "memo": {"a": [1]},
        "default": 7,
        "size": 5,
        "tags": None,
        "untyped": {"Size": [5], "Tags": []},
    }
    assert kinds_of(step) == [16, 13, 13, 4]
    memo = step.commands[0].modify_workflow_properties_command_attributes.upserted_memo.fields
    assert (memo["a"].data, memo["b"].metadata["encoding"]) == (b"[1]", b"binary/null")


def test_the_next_run_inherits_what_the_code_does_not_say() -> None:
    told = Told(
        CarriesOn,
        started={"memo": {"fields": {"m": payloads(1)["payloads"][0]}}, "retry_policy": {"maximum_attempts": 3, "backoff_coefficient": 2}},
    )

    attributes = told.task().commands[-1].continue_as_new_workflow_execution_command_attributes

    assert (attributes.workflow_type.name, attributes.task_queue.name) == ("CarriesOn", "other")
    assert [payload.data for payload in attributes.input.payloads] == [b"1", b"2"]
    assert attributes.workflow_run_timeout.seconds == 10
    assert (attributes.memo.fields["m"].data, attributes.search_attributes.indexed_fields["Size"].data) == (b"1", b"9")
    assert attributes.retry_policy.maximum_attempts == 3


def test_metrics_are_recorded_once_however_often_history_is_replayed() -> None:
    meter = Meter()
    told = Told(Measures, metric_meter=meter)
    told.task()
    told.completed()
    timer = told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.TIMER_FIRED, timer_id="1", started_event_id=timer)
    told.from_scratch()

    assert told.task().closed
    assert meter.count == 2
    assert meter.attributes == {"namespace": "default", "task_queue": "q", "workflow_type": "Measures"}
