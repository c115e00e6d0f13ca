"""The workflow's side of `TracingInterceptor`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import Attributes

from outlast import workflow
from outlast.contrib.opentelemetry._context import HasHeaders, attached
from outlast.contrib.opentelemetry._workflow_calls import WorkflowCalls
from outlast.exceptions import FailureError

__all__ = ["TracingWorkflowInboundInterceptor"]

EXTERN_NAME = "__temporal_opentelemetry_completed_span"
"""The function by which a workflow has its spans made."""

_INTERCEPTOR_KEY = otel_context.create_key("outlast-workflow-interceptor")


@dataclass(frozen=True)
class CompletedSpan:
    """A span that ends when it starts."""

    name: str
    parent: Context
    kind: SpanKind
    attributes: Attributes
    time_ns: int
    link: Context | None
    """Its span, if there is one, led to this one without being its parent."""
    exception: BaseException | None


class TracingWorkflowInboundInterceptor(WorkflowCalls):
    """Makes a span for what happens in a workflow, once: not when it is replayed. Their parent is the call that started the workflow.

    `TracingInterceptor` says when to subclass it.
    """

    _workflow_context: Context | None = None
    """Read from the headers of the workflow's start when it is first needed."""

    @staticmethod
    def _from_context() -> TracingWorkflowInboundInterceptor | None:
        found = otel_context.get_value(_INTERCEPTOR_KEY)
        return found if isinstance(found, TracingWorkflowInboundInterceptor) else None

    @contextmanager
    def _running(self, name: str, input: HasHeaders) -> Iterator[None]:
        with self._within(self._start_context() or Context()):
            self._completed_span(name, kind=SpanKind.SERVER)
            with self._recording_failure():
                yield
            self._completed_span(f"CompleteWorkflow:{workflow.info().workflow_type}")

    @contextmanager
    def _handling(self, name: str, input: HasHeaders) -> Iterator[None]:
        with self._within(self._start_context() or Context()):
            self._completed_span(name, link=self._context_from_headers(input.headers), kind=SpanKind.SERVER)
            with self._recording_failure():
                yield

    @contextmanager
    def _querying(self, name: str, input: HasHeaders) -> Iterator[None]:
        # A query is no part of the workflow's trace but of its caller's, and it happens now, even if the workflow is replayed for it.
        parent = self._context_from_headers(input.headers)
        link = None if parent is None else self._start_context()
        with self._within(parent or Context()):
            self._completed_span(name, link=link, even_on_replay=True, kind=SpanKind.SERVER)
            yield

    @contextmanager
    def _calling(self, name: str, kind: SpanKind, input: HasHeaders) -> Iterator[None]:
        self._completed_span(name, carry=input, kind=kind)
        yield

    def _start_context(self) -> Context | None:
        if self._workflow_context is None:
            self._workflow_context = self._context_from_headers(workflow.info().headers)
        return self._workflow_context

    @contextmanager
    def _within(self, context: Context) -> Iterator[None]:
        with attached(otel_context.set_value(_INTERCEPTOR_KEY, self, context)):
            yield

    @contextmanager
    def _recording_failure(self) -> Iterator[None]:
        """Only failures end a workflow. Whatever else is raised fails its task, and comes again."""
        try:
            yield
        except FailureError as failure:
            self._completed_span(f"CompleteWorkflow:{workflow.info().workflow_type}", exception=failure)
            raise

    def _completed_span(
        self,
        name: str,
        *,
        link: Context | None = None,
        carry: HasHeaders | None = None,
        even_on_replay: bool = False,
        attributes: Attributes = None,
        exception: BaseException | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        if workflow.unsafe.is_replaying() and not even_on_replay:
            return
        info = workflow.info()
        done = CompletedSpan(
            name=name,
            parent=otel_context.get_current(),
            kind=kind,
            attributes={"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id, **(attributes or {})},
            time_ns=workflow.time_ns(),
            link=link,
            exception=exception,
        )
        with_span = workflow.extern_functions()[EXTERN_NAME](done)
        if with_span is not None and carry is not None:
            carry.headers = self._context_to_headers(carry.headers, with_span)
