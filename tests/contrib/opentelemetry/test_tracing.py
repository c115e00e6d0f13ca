"""A trace goes through clients, workflows and activities."""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry import baggage
from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from outlast import Outlast
from outlast.client import Client, WithStartWorkflowOperation, WorkflowFailureError, WorkflowUpdateStage
from outlast.common import WorkflowIDConflictPolicy
from outlast.contrib.opentelemetry import TracingInterceptor, TracingWorkflowInboundInterceptor
from outlast.contrib.opentelemetry._context import attached
from outlast.worker import Worker, WorkflowInterceptorClassInput
from tests.contrib.opentelemetry.traced import Child, Exporter, Fails, Order, Restless, Till, charge, outline, refuse

QUEUE = "traced"
WORKFLOWS = [Order, Child, Fails, Restless]


class Traced:
    """A client whose calls and worker are traced, and the spans."""

    def __init__(self, client: Client, exporter: Exporter) -> None:
        self.client = client
        self._exporter = exporter

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        [span] = [span for span in self.spans if span.name == name]
        return span


def _tracer(exporter: Exporter) -> Any:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test")


@pytest.fixture
async def traced() -> AsyncIterator[Traced]:
    exporter = Exporter()
    Till.charged = asyncio.Event()
    async with (
        Outlast.open(None, interceptors=[TracingInterceptor(_tracer(exporter))]) as client,
        Worker(client, task_queue=QUEUE, workflows=WORKFLOWS, activities=[charge, refuse]),
    ):
        yield Traced(client, exporter)


async def test_one_trace_holds_all_that_follows_from_a_call(traced: Traced) -> None:
    token = attach(baggage.set_baggage("customer", "Ada"))
    handle = await traced.client.start_workflow(Order.run, True, id="order", task_queue=QUEUE)
    detach(token)
    assert await handle.query(Order.state) == "new"
    await handle.signal(Order.pay)
    await Till.charged.wait()
    await handle.execute_update(Order.ship_to, "Lisbon")
    assert await handle.result() == "done"

    assert outline(traced.spans) == [
        "StartWorkflow:Order",
        "  RunWorkflow:Order",
        "  custom",
        "  HandleSignal:pay (links: SignalWorkflow:pay)",
        "  StartActivity:charge",
        "    RunActivity:charge",
        "    RunActivity:charge",
        "  ValidateUpdate:ship_to (links: StartWorkflowUpdate:ship_to)",
        "  HandleUpdate:ship_to (links: StartWorkflowUpdate:ship_to)",
        "  StartChildWorkflow:Child",
        "    RunWorkflow:Child",
        "    StartActivity:charge",
        "      RunActivity:charge",
        "    HandleSignal:go (links: SignalChildWorkflow:go)",
        "    HandleSignal:go (links: SignalExternalWorkflow:go)",
        "    CompleteWorkflow:Child",
        "  SignalChildWorkflow:go",
        "  SignalExternalWorkflow:go",
        "  RunWorkflow:Order",
        "  custom",
        "  CompleteWorkflow:Order",
        "QueryWorkflow:state",
        "  HandleQuery:state (links: StartWorkflow:Order)",
        "SignalWorkflow:pay",
        "StartWorkflowUpdate:ship_to",
    ]


async def test_a_span_says_what_it_belongs_to(traced: Traced) -> None:
    handle = await traced.client.start_workflow(Order.run, False, id="order", task_queue=QUEUE)
    await handle.result()
    start, run, custom = (traced.named(name) for name in ("StartWorkflow:Order", "RunWorkflow:Order", "custom"))

    assert (start.kind, run.kind, custom.kind) == (SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL)
    assert start.attributes == {"temporalWorkflowID": "order"}
    assert run.attributes == {"temporalWorkflowID": "order", "temporalRunID": handle.result_run_id}
    assert custom.attributes == {"temporalWorkflowID": "order", "temporalRunID": handle.result_run_id, "foo": "bar"}
    assert run.start_time == run.end_time


@pytest.mark.parametrize(("benign", "status"), [(False, StatusCode.ERROR), (True, StatusCode.UNSET)])
async def test_an_error_makes_a_span_fail_unless_it_is_benign(traced: Traced, benign: bool, status: StatusCode) -> None:
    with pytest.raises(WorkflowFailureError):
        await traced.client.execute_workflow(Fails.run, benign, id="fails", task_queue=QUEUE)

    run = traced.named("RunActivity:refuse")
    assert run.status.status_code is status
    assert run.status.description == (None if benign else "ApplicationError: refused")
    assert set(run.attributes or ()) == {"temporalActivityID", "temporalWorkflowID", "temporalRunID"}
    assert [event.name for event in traced.named("CompleteWorkflow:Fails").events] == ["exception"]


async def test_a_workflow_task_that_is_tried_again_repeats_no_span_of_a_task_before(traced: Traced) -> None:
    Restless.failed = False
    await traced.client.execute_workflow(Restless.run, id="restless", task_queue=QUEUE)

    assert [span.name for span in traced.spans if span.name in ("before", "CompleteWorkflow:Restless")] == [
        "before",
        "CompleteWorkflow:Restless",
    ]


async def test_an_update_with_start_traces_the_start_and_the_update(traced: Traced) -> None:
    start = WithStartWorkflowOperation(
        Order.run, True, id="order", task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    await traced.client.execute_update_with_start_workflow(Order.ship_to, "Lisbon", id="update", start_workflow_operation=start)

    call = traced.named("StartUpdateWithStartWorkflow:Order")
    assert call.attributes == {"temporalWorkflowID": "order", "temporalUpdateID": "update"}
    handled = traced.named("HandleUpdate:ship_to")
    assert [link.context.span_id for link in handled.links] == [call.context.span_id]
    assert handled.parent is not None
    assert handled.parent.span_id == call.context.span_id


async def test_a_signal_with_start_is_called_so(traced: Traced) -> None:
    await traced.client.start_workflow(Order.run, True, id="order", task_queue=QUEUE, start_signal="pay")

    assert traced.named("SignalWithStartWorkflow:Order").kind is SpanKind.CLIENT


async def test_what_no_call_led_to_is_traced_only_if_asked_for() -> None:
    for wanted in (False, True):
        exporter = Exporter()
        interceptor = TracingInterceptor(_tracer(exporter), always_create_workflow_spans=wanted)
        async with (
            Outlast.open(None) as client,
            Worker(client, task_queue=QUEUE, workflows=WORKFLOWS, activities=[charge], interceptors=[interceptor]),
        ):
            await client.execute_workflow(Order.run, False, id="order", task_queue=QUEUE)

        names = [span.name for span in exporter.get_finished_spans()]
        assert names == (["RunWorkflow:Order", "custom", "CompleteWorkflow:Order"] if wanted else [])


class OtherKey(TracingInterceptor):
    header_key = "_other"

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[TracingWorkflowInboundInterceptor]:
        super().workflow_interceptor_class(input)
        return OtherKeyInWorkflows


class OtherKeyInWorkflows(TracingWorkflowInboundInterceptor):
    header_key = "_other"


async def test_the_header_may_have_another_name() -> None:
    exporter = Exporter()
    async with (
        Outlast.open(None, interceptors=[OtherKey(_tracer(exporter))]) as client,
        Worker(client, task_queue=QUEUE, workflows=WORKFLOWS, activities=[charge]),
    ):
        handle = await client.start_workflow(Order.run, False, id="order", task_queue=QUEUE)
        await handle.result()
        history = await handle.fetch_history()

    started = history.events[0].workflow_execution_started_event_attributes
    assert list(started.header.fields) == ["_other"]
    assert outline(exporter.get_finished_spans())[:2] == ["StartWorkflow:Order", "  RunWorkflow:Order"]


async def test_a_block_that_is_closed_elsewhere_leaves_its_trace_quietly(caplog: pytest.LogCaptureFixture) -> None:
    async def never_ends() -> None:
        with attached(baggage.set_baggage("customer", "Ada")):
            await asyncio.get_running_loop().create_future()

    coroutine = never_ends()
    contextvars.copy_context().run(coroutine.send, None)
    coroutine.close()

    assert caplog.records == []
    assert baggage.get_baggage("customer") is None


async def test_an_evicted_workflow_leaves_its_trace_quietly(traced: Traced, caplog: pytest.LogCaptureFixture) -> None:
    handle = await traced.client.start_workflow(Order.run, True, id="order", task_queue=QUEUE)
    await handle.start_update(Order.ship_to, "Lisbon", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    await handle.terminate()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    await asyncio.sleep(0)

    assert "Failed to detach context" not in caplog.text
