"""What comes into a workflow and what it asks for, as far as it gets a span: names and kinds."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import Any, NoReturn

from opentelemetry.trace import SpanKind

from outlast import worker, workflow
from outlast.contrib.opentelemetry._context import Carrying, HasHeaders


class WorkflowCalls(Carrying, worker.WorkflowInboundInterceptor):
    """Puts spans around the run of a workflow, its handlers and the calls it makes. A subclass says what these spans are."""

    @abstractmethod
    def _running(self, name: str, input: HasHeaders) -> AbstractContextManager[None]:
        """A span for the run of the workflow."""

    @abstractmethod
    def _handling(self, name: str, input: HasHeaders) -> AbstractContextManager[None]:
        """A span for the handler of a signal or an update, or for the latter's validator."""

    @abstractmethod
    def _querying(self, name: str, input: HasHeaders) -> AbstractContextManager[None]:
        """A span for the handler of a query."""

    @abstractmethod
    def _calling(self, name: str, kind: SpanKind, input: HasHeaders) -> AbstractContextManager[None]:
        """A span for a call that the workflow makes; the call's headers take it along."""

    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        """Trace the calls that the workflow makes, too."""
        super().init(_OutboundCalls(outbound, self))

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
        """Trace the run of the workflow."""
        with self._running(f"RunWorkflow:{workflow.info().workflow_type}", input):
            return await super().execute_workflow(input)

    async def handle_signal(self, input: worker.HandleSignalInput) -> None:
        """Trace the handler of a signal."""
        with self._handling(f"HandleSignal:{input.signal}", input):
            await super().handle_signal(input)

    async def handle_query(self, input: worker.HandleQueryInput) -> Any:
        """Trace the handler of a query."""
        with self._querying(f"HandleQuery:{input.query}", input):
            return await super().handle_query(input)

    def handle_update_validator(self, input: worker.HandleUpdateInput) -> None:
        """Trace the validator of an update."""
        with self._handling(f"ValidateUpdate:{input.update}", input):
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:
        """Trace the handler of an update."""
        with self._handling(f"HandleUpdate:{input.update}", input):
            return await super().handle_update_handler(input)


class _OutboundCalls(worker.WorkflowOutboundInterceptor):
    def __init__(self, next: worker.WorkflowOutboundInterceptor, calls: WorkflowCalls) -> None:
        super().__init__(next)
        self._calls = calls

    def continue_as_new(self, input: worker.ContinueAsNewInput) -> NoReturn:
        input.headers = self._calls._context_to_headers(input.headers)
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: worker.SignalChildWorkflowInput) -> None:
        with self._calls._calling(f"SignalChildWorkflow:{input.signal}", SpanKind.SERVER, input):
            await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: worker.SignalExternalWorkflowInput) -> None:
        with self._calls._calling(f"SignalExternalWorkflow:{input.signal}", SpanKind.CLIENT, input):
            await super().signal_external_workflow(input)

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        with self._calls._calling(f"StartActivity:{input.activity}", SpanKind.CLIENT, input):
            return super().start_activity(input)

    def start_local_activity(self, input: worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        with self._calls._calling(f"StartActivity:{input.activity}", SpanKind.CLIENT, input):
            return super().start_local_activity(input)

    async def start_child_workflow(self, input: worker.StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        with self._calls._calling(f"StartChildWorkflow:{input.workflow}", SpanKind.CLIENT, input):
            return await super().start_child_workflow(input)
