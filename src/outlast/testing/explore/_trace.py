"""What a replay of a workflow asks for, in order: two replays of one history must ask for the same.

The check that every replay makes compares kinds and names, as the protocol has it. It does not see that an activity is given
other arguments, or that a timer is of another length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from outlast import worker
from outlast.converter import PayloadConverter
from outlast.replay.loop import WorkflowLoop


class Trace(worker.Interceptor):
    """Give it to a replayer, and replay one history in the block `of_timers`. `steps` is what was asked for."""

    def __init__(self, converter: PayloadConverter) -> None:
        self.steps: list[str] = []
        self._converter = converter

    def workflow_interceptor_class(self, input: worker.WorkflowInterceptorClassInput) -> type[worker.WorkflowInboundInterceptor] | None:
        note = self._note

        class Inbound(_Inbound):
            noted = staticmethod(note)

        return Inbound

    @contextmanager
    def of_timers(self) -> Iterator[None]:
        """Timers are not intercepted like the rest: look at the loop."""
        call_later = WorkflowLoop.call_later

        def noted(loop: WorkflowLoop, delay: float, *args: Any, **kwargs: Any) -> Any:
            if not loop.evicting:
                self._note("timer", f"{delay:.6f} s")
            return call_later(loop, delay, *args, **kwargs)

        with patch.object(WorkflowLoop, "call_later", noted):
            yield

    def _note(self, what: str, name: str, values: Sequence[Any] = ()) -> None:
        self.steps.append(f"{what} {name}({', '.join(self._shown(value) for value in values)})")

    def _shown(self, value: Any) -> str:
        """A value as it would be sent; what cannot be sent is not compared."""
        try:
            payload = self._converter.to_payloads([value])[0]
        except Exception:  # noqa: BLE001 - the workflow itself will hear of it
            return "..."
        return payload.data.decode(errors="backslashreplace")


class _Inbound(worker.WorkflowInboundInterceptor):
    noted: Callable[..., None]

    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, self.noted))

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
        result = await super().execute_workflow(input)
        self.noted("result", "", [result])
        return result

    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:
        result = await super().handle_update_handler(input)
        self.noted("result of update", input.update, [result])
        return result


class _Outbound(worker.WorkflowOutboundInterceptor):
    def __init__(self, next: worker.WorkflowOutboundInterceptor, noted: Callable[..., None]) -> None:
        super().__init__(next)
        self._noted = noted

    def start_activity(self, input: worker.StartActivityInput) -> Any:
        self._noted("activity", input.activity, input.args)
        return super().start_activity(input)

    def start_local_activity(self, input: worker.StartLocalActivityInput) -> Any:
        self._noted("local activity", input.activity, input.args)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: worker.StartChildWorkflowInput) -> Any:
        self._noted("child workflow", f"{input.workflow} {input.id}", input.args)
        return await super().start_child_workflow(input)

    async def signal_child_workflow(self, input: worker.SignalChildWorkflowInput) -> None:
        self._noted("signal", f"{input.signal} to {input.child_workflow_id}", input.args)
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: worker.SignalExternalWorkflowInput) -> None:
        self._noted("signal", f"{input.signal} to {input.workflow_id}", input.args)
        await super().signal_external_workflow(input)

    def continue_as_new(self, input: worker.ContinueAsNewInput) -> Any:
        self._noted("new run", input.workflow or "", input.args)
        super().continue_as_new(input)


def difference(one: Sequence[str], other: Sequence[str]) -> str | None:
    """Where two replays part; None when they do not."""
    for place, (first, second) in enumerate(zip(one, other, strict=False), start=1):
        if first != second:
            return f"step {place} is once {first}, once {second}"
    if len(one) != len(other):
        longer = max(one, other, key=len)
        return f"only one of them goes on with {longer[min(len(one), len(other))]}"
    return None
