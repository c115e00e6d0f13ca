"""Spans that last through a workflow, whether it is replayed or not."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from outlast import Outlast, activity, workflow
from outlast.contrib.opentelemetry import OpenTelemetryPlugin, ReplaySafeTracerProvider, create_tracer_provider
from outlast.contrib.opentelemetry.workflow import completed_span
from outlast.worker import Worker
from tests.contrib.opentelemetry.traced import Exporter, outline

QUEUE = "live"
SOON = timedelta(seconds=10)


@activity.defn
async def pack(item: str) -> str:
    with trace.get_tracer("test").start_as_current_span("packing"):
        return item


@workflow.defn
class Packing:
    def __init__(self) -> None:
        self.open = False

    @workflow.run
    async def run(self) -> None:
        tracer = trace.get_tracer("test")
        with tracer.start_as_current_span("whole"):
            with tracer.start_as_current_span("first"):
                await workflow.execute_activity(pack, "a", start_to_close_timeout=SOON)
            with tracer.start_as_current_span("second"):
                await workflow.sleep(0.001)
                await workflow.execute_activity(pack, "b", start_to_close_timeout=SOON)
            await workflow.wait_condition(lambda: self.open)

    @workflow.signal
    def go(self) -> None:
        with trace.get_tracer("test").start_as_current_span("going"):
            self.open = True

    @workflow.query
    def state(self) -> bool:
        with trace.get_tracer("test").start_as_current_span("looking"):
            return self.open


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporter]:
    """What a provider that is the global one exports."""
    exporter = Exporter()
    provider = create_tracer_provider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


async def _pack(*, spans: bool, cached: int) -> None:
    """Run the workflow; with no run cached, every task replays it."""
    async with (
        Outlast.open(None, plugins=[OpenTelemetryPlugin(add_temporal_spans=spans)]) as client,
        Worker(client, task_queue=QUEUE, workflows=[Packing], activities=[pack], max_cached_workflows=cached),
    ):
        with trace.get_tracer("test").start_as_current_span("caller"):
            handle = await client.start_workflow(Packing.run, id="packing", task_queue=QUEUE)
            assert not await handle.query(Packing.state)
            await handle.signal(Packing.go)
            await handle.result()


@pytest.mark.parametrize("cached", [100, 0])
async def test_spans_of_the_program_follow_each_other_through_workflow_and_activities(exporter: Exporter, cached: int) -> None:
    await _pack(spans=False, cached=cached)

    assert sorted(outline(exporter.get_finished_spans())) == sorted(
        [
            "caller",
            "  whole",
            "    first",
            "      packing",
            "    second",
            "      packing",
            "  looking",
            "  going",
        ]
    )


async def test_a_span_lasts_as_long_as_its_block(exporter: Exporter) -> None:
    await _pack(spans=False, cached=100)

    spans = {span.name: span for span in exporter.get_finished_spans()}
    whole, second = spans["whole"], spans["second"]
    assert whole.start_time is not None and whole.end_time is not None and second.start_time is not None and second.end_time is not None
    assert whole.start_time < second.start_time < second.end_time < whole.end_time


@pytest.mark.parametrize("cached", [100, 0])
async def test_calls_and_handlers_get_spans_if_asked_for(exporter: Exporter, cached: int) -> None:
    await _pack(spans=True, cached=cached)

    lines = outline(exporter.get_finished_spans())
    assert lines[:3] == ["caller", "  StartWorkflow:Packing", "    RunWorkflow:Packing"]
    assert [line for line in lines if "pack" in line] == [
        "          StartActivity:pack",
        "            RunActivity:pack",
        "              packing",
    ] * 2
    assert {"  QueryWorkflow:state", "    HandleQuery:state", "  SignalWorkflow:go", "    HandleSignal:go"} <= set(lines)


async def test_a_worker_needs_a_provider_that_knows_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    async with Outlast.open(None, plugins=[OpenTelemetryPlugin()]) as client:
        with pytest.raises(ValueError, match="must be a ReplaySafeTracerProvider"):
            Worker(client, task_queue=QUEUE, workflows=[Packing])


def test_a_completed_span_works_without_the_interceptor_with_a_warning(exporter: Exporter) -> None:
    assert isinstance(trace.get_tracer_provider(), ReplaySafeTracerProvider)
    with pytest.warns(DeprecationWarning, match="prefer using opentelemetry directly") as warned:
        completed_span("moment", attributes={"foo": "bar"}, exception=KeyError("missing"))

    assert warned[0].filename == __file__
    [span] = exporter.get_finished_spans()
    assert (span.name, span.attributes, [event.name for event in span.events]) == ("moment", {"foo": "bar"}, ["exception"])
