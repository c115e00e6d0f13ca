"""The calls of clients and the attempts of activities that get a span: their names, kinds and attributes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from outlast import activity, client, worker
from outlast.contrib.opentelemetry._context import Carrying, HasHeaders


class Spans(Carrying, client.Interceptor, worker.Interceptor):
    """An interceptor of clients and workers that puts spans around what they do."""

    @abstractmethod
    def _span(
        self, name: str, kind: SpanKind, attributes: Mapping[str, str], carry: HasHeaders | None = None, parent: Context | None = None
    ) -> AbstractContextManager[None]:
        """A span for the block. `carry` takes it along in its headers; `parent` is the context it belongs to, if not the current one."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Trace the client's calls."""
        return _ClientCalls(next, self)

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        """Trace the attempts of activities."""
        return _ActivityAttempts(next, self)


class _ClientCalls(client.OutboundInterceptor):
    def __init__(self, next: client.OutboundInterceptor, spans: Spans) -> None:
        super().__init__(next)
        self._spans = spans

    def _call(self, name: str, workflow_id: str, carry: HasHeaders) -> AbstractContextManager[None]:
        return self._spans._span(name, SpanKind.CLIENT, {"temporalWorkflowID": workflow_id}, carry)

    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        call = "SignalWithStartWorkflow" if input.start_signal else "StartWorkflow"
        with self._call(f"{call}:{input.workflow}", input.id, input):
            return await super().start_workflow(input)

    async def query_workflow(self, input: client.QueryWorkflowInput) -> Any:
        with self._call(f"QueryWorkflow:{input.query}", input.id, input):
            return await super().query_workflow(input)

    async def signal_workflow(self, input: client.SignalWorkflowInput) -> None:
        with self._call(f"SignalWorkflow:{input.signal}", input.id, input):
            await super().signal_workflow(input)

    async def start_workflow_update(self, input: client.StartWorkflowUpdateInput) -> client.WorkflowUpdateHandle[Any]:
        with self._call(f"StartWorkflowUpdate:{input.update}", input.id, input):
            return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(self, input: client.StartWorkflowUpdateWithStartInput) -> client.WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        attributes = {"temporalWorkflowID": start.id}
        if update.update_id is not None:
            attributes["temporalUpdateID"] = update.update_id
        with self._spans._span(f"StartUpdateWithStartWorkflow:{start.workflow}", SpanKind.CLIENT, attributes, start):
            if self._spans.header_key in start.headers:
                update.headers = {**update.headers, self._spans.header_key: start.headers[self._spans.header_key]}
            return await super().start_update_with_start_workflow(input)

    async def start_activity(self, input: client.StartActivityInput) -> client.ActivityHandle[Any]:
        attributes = {"temporalActivityID": input.id, "temporalActivityType": input.activity_type}
        with self._spans._span(f"StartActivity:{input.activity_type}", SpanKind.CLIENT, attributes, input):
            return await super().start_activity(input)


class _ActivityAttempts(worker.ActivityInboundInterceptor):
    def __init__(self, next: worker.ActivityInboundInterceptor, spans: Spans) -> None:
        super().__init__(next)
        self._spans = spans

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        info = activity.info()
        attributes = {"temporalActivityID": info.activity_id}
        if info.workflow_id:
            attributes["temporalWorkflowID"] = info.workflow_id
        if info.workflow_run_id:
            attributes["temporalRunID"] = info.workflow_run_id
        parent = self._spans._context_from_headers(input.headers)
        with self._spans._span(f"RunActivity:{info.activity_type}", SpanKind.SERVER, attributes, parent=parent):
            return await super().execute_activity(input)
