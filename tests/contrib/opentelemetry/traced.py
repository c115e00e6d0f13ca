"""Workflows and activities for the tests of traces, and how their spans are written down."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from opentelemetry import baggage
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from outlast import activity, workflow
from outlast.common import RetryPolicy
from outlast.contrib.opentelemetry.workflow import completed_span
from outlast.exceptions import ApplicationError, ApplicationErrorCategory

SOON = timedelta(seconds=10)
ONCE = RetryPolicy(maximum_attempts=1)


class Till:
    """Tells the test when an order was charged."""

    charged: asyncio.Event


@activity.defn
async def charge(fails: bool) -> str:
    if fails and activity.info().attempt == 1:
        raise ApplicationError("no money yet")
    Till.charged.set()
    return str(baggage.get_baggage("customer"))


@activity.defn
async def refuse(benign: bool) -> None:
    category = ApplicationErrorCategory.BENIGN if benign else ApplicationErrorCategory.UNSPECIFIED
    raise ApplicationError("refused", category=category)


class Exporter(InMemorySpanExporter):
    """Looks at the clock, as exporters do and workflow code may not."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        time.time()
        return super().export(spans)


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.signals = 0

    @workflow.run
    async def run(self) -> str:
        result = await workflow.execute_local_activity(charge, False, start_to_close_timeout=SOON)
        await workflow.wait_condition(lambda: self.signals == 2)
        return result

    @workflow.signal
    def go(self) -> None:
        self.signals += 1


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.paid = False
        self.address = ""

    @workflow.run
    async def run(self, again: bool) -> str:
        completed_span("custom", attributes={"foo": "bar"})
        if again:
            await self._work()
            workflow.continue_as_new(False)
        return "done"

    async def _work(self) -> None:
        await workflow.wait_condition(lambda: self.paid)
        retry = RetryPolicy(initial_interval=timedelta(milliseconds=1))
        await workflow.execute_activity(charge, True, start_to_close_timeout=SOON, retry_policy=retry)
        await workflow.wait_condition(lambda: self.address != "")
        child = await workflow.start_child_workflow(Child.run, id=workflow.info().workflow_id + "-child")
        await child.signal(Child.go)
        await workflow.get_external_workflow_handle_for(Child.run, child.id).signal(Child.go)
        await child

    @workflow.signal
    def pay(self) -> None:
        self.paid = True

    @workflow.query
    def state(self) -> str:
        return "paid" if self.paid else "new"

    @workflow.update
    async def ship_to(self, address: str) -> str:
        self.address = address
        return address

    @ship_to.validator
    def check_address(self, address: str) -> None:
        if not address:
            raise ApplicationError("no address")


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, benign: bool) -> None:
        await workflow.execute_activity(refuse, benign, start_to_close_timeout=SOON, retry_policy=ONCE)


@workflow.defn
class Restless:
    """Its first workflow task fails, once in this process."""

    failed = False

    @workflow.run
    async def run(self) -> None:
        completed_span("before")
        await asyncio.sleep(0.001)
        completed_span("after")
        if not Restless.failed:
            Restless.failed = True
            raise RuntimeError("on purpose")


def outline(spans: Sequence[ReadableSpan], parent: int | None = None, indent: int = 0) -> list[str]:
    """The names of the spans, in the order of their start, each under its parent, with the names of those it is linked to."""
    names = {span.context.span_id: span.name for span in spans}
    children = [span for span in spans if (span.parent.span_id if span.parent else None) == parent]
    lines = []
    for span in sorted(children, key=lambda span: span.start_time or 0):
        links = ", ".join(names[link.context.span_id] for link in span.links)
        lines.append("  " * indent + span.name + (f" (links: {links})" if links else ""))
        lines += outline(spans, span.context.span_id, indent + 1)
    return lines
