"""An assertion that fails in workflow code fails the workflow, and not only its workflow task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from outlast import client, worker
from outlast.exceptions import ApplicationError


class AssertionErrorInterceptor(client.Interceptor, worker.Interceptor):
    """Added to the client of every test environment; the workers of that client use it too."""

    def workflow_interceptor_class(self, input: worker.WorkflowInterceptorClassInput) -> type[worker.WorkflowInboundInterceptor] | None:
        """What stands around every run."""
        return _FailsTheWorkflow


class _FailsTheWorkflow(worker.WorkflowInboundInterceptor):
    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
        with _as_failure():
            return await super().execute_workflow(input)

    async def handle_signal(self, input: worker.HandleSignalInput) -> None:
        with _as_failure():
            await super().handle_signal(input)


@contextmanager
def _as_failure() -> Iterator[None]:
    try:
        yield
    except AssertionError as error:
        failure = ApplicationError(str(error), type="AssertionError", non_retryable=True)
        raise failure.with_traceback(error.__traceback__) from None
