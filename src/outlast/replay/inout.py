"""The innermost interceptors: they call the code, and they do what the code asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from outlast import workflow
from outlast.replay import commands
from outlast.replay.handles import StartedActivity, StartedChild, StartedLocalActivity, outcome
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
from outlast.replay.machines.external import ExternalSignal
from outlast.workflow._event_groups import _capture_event_group_markers

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command

    from outlast.replay.instance import Instance
    from outlast.replay.loop import Future


class Inbound(WorkflowInboundInterceptor):
    """Calls the workflow's code."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.outbound: WorkflowOutboundInterceptor | None = None

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self.outbound = outbound

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return await input.run_fn(self._instance.object, *input.args)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        await self._instance.handlers.call_signal(input.signal, input.args)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        return await self._instance.handlers.call_query(input.query, input.args)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        self._instance.handlers.call_validator(input.update, input.args)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        return await self._instance.handlers.call_update(input.update, input.args)


class Outbound(WorkflowOutboundInterceptor):
    """Turns what the workflow asks for into machines."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        raise ContinueAsNew(input)

    def info(self) -> workflow.Info:
        return self._instance.info

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        _check_timeouts(input)
        return StartedActivity(self._instance, input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        _check_timeouts(input)
        return StartedLocalActivity(self._instance, input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        child = StartedChild(self._instance, input)
        await outcome(self._instance, child.start, child.request_cancel, leaves_with_workflow=True)
        return child

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        instance = self._instance
        markers = _capture_event_group_markers(input.event_groups)
        command = None
        if not instance.ledger.replaying:
            converter = instance.converters.of_workflow(input.child_workflow_id)
            command = commands.signal_child(instance, input, converter, markers)
        await self._signal(input.child_workflow_id, command)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        instance = self._instance
        markers = _capture_event_group_markers(input.event_groups)
        command = None
        if not instance.ledger.replaying:
            command = commands.signal_external(input, instance.converters.of_workflow(input.workflow_id), markers)
        await self._signal(input.workflow_id, command)

    async def _signal(self, workflow_id: str, command: Command | None) -> None:
        instance = self._instance
        instance.loop.assert_writable("add command")
        done: Future[None] = instance.loop.create_future()
        machine = ExternalSignal(instance.ledger, workflow_id, instance.settler(done, workflow_id), command)

        def cancel(_: BaseException) -> None:
            instance.loop.assert_writable("add command")
            machine.cancel()

        await outcome(instance, done, cancel)


def _check_timeouts(input: StartActivityInput | StartLocalActivityInput) -> None:
    if not input.start_to_close_timeout and not input.schedule_to_close_timeout:
        raise ValueError("Activity must have start_to_close_timeout or schedule_to_close_timeout")


class ContinueAsNew(workflow.ContinueAsNewError):
    """Leaves the workflow's code, with what the next run is to be."""

    def __init__(self, input: ContinueAsNewInput) -> None:
        super().__init__("Continue as new")
        self._input = input
        self._markers = _capture_event_group_markers(input.event_groups)

    def command(self, instance: Instance) -> Command | None:
        return None if instance.ledger.replaying else commands.continue_as_new(instance, self._input, self._markers)
