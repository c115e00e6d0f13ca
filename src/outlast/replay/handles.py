"""The handles that workflow code holds on what it started: tasks that wait for an activity or a child, and ask to cancel it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from outlast import common, workflow
from outlast.exceptions import InvalidVersioningOverrideError, WorkflowAlreadyStartedError
from outlast.replay import commands
from outlast.replay.flags import RAISE_ON_CANCELLING_COMPLETED_ACTIVITY
from outlast.replay.interceptor import (
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
)
from outlast.replay.loop import Cancelled, Future, current_task, settled
from outlast.replay.machines.activity import Activity
from outlast.replay.machines.child import ChildWorkflow
from outlast.replay.machines.external import ExternalCancel
from outlast.replay.machines.local_activity import Backoff, LocalActivity
from outlast.workflow._event_groups import _capture_event_group_markers

if TYPE_CHECKING:
    from temporalio.api.common.v1 import Payloads
    from temporalio.api.failure.v1 import Failure

    from outlast.replay.instance import Instance

_T = TypeVar("_T")
_ALREADY_EXISTS = 1
_INVALID_VERSIONING_OVERRIDE = 3


async def outcome(
    instance: Instance,
    future: Future[_T],
    cancel: Callable[[Cancelled], None],
    *,
    sees_cancellation_of_completed: bool = False,
    leaves_with_workflow: bool = False,
) -> _T:
    """Wait for something outside of the workflow. A cancellation becomes a request, and whoever waits goes on waiting for its outcome."""
    while True:
        try:
            return await settled(future)
        except Cancelled as err:
            flags, ledger = instance.ledger.flags, instance.ledger
            if future.done():
                if instance.single_batch:
                    raise
                if sees_cancellation_of_completed and flags.python_allows(
                    RAISE_ON_CANCELLING_COMPLETED_ACTIVITY, replaying=ledger.replaying
                ):
                    raise
            cancel(err)
            if (task := current_task()) is not None:
                task.uncancel()
            if leaves_with_workflow and (instance.cancel_reason is not None or instance.loop.evicting):
                raise


class _Started(workflow.ActivityHandle[Any]):
    """What activities and local activities have in common. It is itself who waits for the machine."""

    def __init__(self, instance: Instance, input: StartActivityInput | StartLocalActivityInput, task_queue: str) -> None:
        super().__init__(self._wait())
        self._instance = instance
        self._input = input
        self._begun = False
        self._answer: Future[Any] = instance.loop.create_future()
        self._seq = instance.ledger.next_seq("activity")
        is_local = isinstance(input, StartLocalActivityInput)
        self._converter = instance.converters.of_activity(input.activity, input.activity_id, task_queue, is_local=is_local)
        self._markers = _capture_event_group_markers(input.event_groups)
        instance.loop.register(self, f"activity: {input.activity}")

    async def _wait(self) -> Any:
        self._begun = True
        return await self._outcome()

    async def _outcome(self) -> Any:
        return await outcome(self._instance, self._answer, self._request_cancel, sees_cancellation_of_completed=True)

    def cancel(self, msg: Any | None = None) -> bool:
        loop = self._instance.loop
        if not loop.evicting:
            loop.assert_writable("cancel activity handle")
            # If it has not run yet, the cancellation never reaches its code.
            if not self._begun and not self.done():
                self._request_cancel(None)
        return super().cancel(msg)

    def _request_cancel(self, _: Cancelled | None) -> None:
        self._instance.loop.assert_writable("add command")
        self._cancel_machine()

    def _cancel_machine(self) -> None:
        raise NotImplementedError

    def resolve(self, result: Payloads | None) -> None:
        types = [self._input.ret_type] if self._input.ret_type else None
        values = self._converter.decode(result.payloads, types) if result is not None else []
        self._answer.set_result(values[0] if values else None)

    def fail(self, failure: Failure) -> None:
        error = self._converter.error(failure)
        # Nobody will ask for the result of a handle that was cancelled before it ran.
        if self._begun:
            self._answer.set_exception(error)


class StartedActivity(_Started):
    """A started activity."""

    _input: StartActivityInput

    def __init__(self, instance: Instance, input: StartActivityInput) -> None:
        super().__init__(instance, input, input.task_queue or instance.info.task_queue)
        activity_id = input.activity_id or str(self._seq)
        command = None
        if not instance.ledger.replaying:
            command = commands.schedule_activity(instance, input, activity_id, self._converter, self._markers)
        self._machine = Activity(instance.ledger, self, activity_id, input.activity, input.cancellation_type, command, self._markers)

    def _cancel_machine(self) -> None:
        self._machine.cancel()


class _PauseFirst(BaseException):
    """A local activity failed and is to be asked for again after a pause."""

    def __init__(self, backoff: Backoff) -> None:
        self.backoff = backoff


class StartedLocalActivity(_Started):
    """A started local activity."""

    _input: StartLocalActivityInput

    def __init__(self, instance: Instance, input: StartLocalActivityInput) -> None:
        super().__init__(instance, input, instance.info.task_queue)
        self._ask(1, None)

    def _ask(self, attempt: int, scheduled_at_ns: int | None) -> None:
        wanted = commands.local_activity(self._instance, self._input, self._seq, attempt, scheduled_at_ns, self._converter, self._markers)
        self._machine = LocalActivity(self._instance.ledger, self, wanted)

    async def _outcome(self) -> Any:
        while True:
            try:
                return await super()._outcome()
            except _PauseFirst as pause:
                backoff = pause.backoff
                await self._instance.sleep(backoff.pause_ns / 1e9, None, self._input.event_groups)
                self._ask(backoff.attempt, backoff.scheduled_at_ns)

    def back_off(self, backoff: Backoff) -> None:
        self._seq = self._instance.ledger.next_seq("activity")
        self._answer.set_exception(_PauseFirst(backoff))
        self._answer = self._instance.loop.create_future()

    def _cancel_machine(self) -> None:
        self._machine.cancel()


class StartedChild(workflow.ChildWorkflowHandle[Any, Any]):
    """A child workflow, from the wish to start it."""

    def __init__(self, instance: Instance, input: StartChildWorkflowInput) -> None:
        super().__init__(self._wait())
        self._instance = instance
        self._input = input
        self._first_run_id = "<unknown>"
        self.start: Future[None] = instance.loop.create_future()
        self._answer: Future[Any] = instance.loop.create_future()
        instance.loop.register(self, f"child: {input.workflow}")
        self._converter = instance.converters.of_workflow(input.id)
        markers = _capture_event_group_markers(input.event_groups)
        command = None
        if not instance.ledger.replaying:
            command = commands.start_child(instance, input, self._converter, markers)
        self._machine = ChildWorkflow(instance.ledger, self, input.id, input.workflow, input.cancellation_type, command)

    async def _wait(self) -> Any:
        return await outcome(self._instance, self._answer, self.request_cancel)

    def request_cancel(self, err: Cancelled) -> None:
        self._instance.loop.assert_writable("add command")
        self._machine.cancel(err.args[0] if err.args and isinstance(err.args[0], str) else "")

    @property
    def id(self) -> str:
        return self._input.id

    @property
    def first_execution_run_id(self) -> str | None:
        return self._first_run_id

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[workflow.EventGroup] | None = None,
    ) -> None:
        self._instance.loop.assert_writable("signal child handle")
        await self._instance.outbound.signal_child_workflow(
            SignalChildWorkflowInput(
                signal=workflow._SignalDefinition.must_name_from_fn_or_str(signal),
                args=common._arg_or_args(arg, args),
                child_workflow_id=self._input.id,
                headers={},
                event_groups=event_groups,
            )
        )

    def started(self, run_id: str) -> None:
        self._first_run_id = run_id
        self.start.set_result(None)

    def refused(self, cause: int, workflow_id: str, workflow_type: str) -> None:
        if cause == _ALREADY_EXISTS:
            self._set_error(WorkflowAlreadyStartedError(workflow_id, workflow_type))
        elif cause == _INVALID_VERSIONING_OVERRIDE:
            self._set_error(InvalidVersioningOverrideError())
        else:
            self._set_error(RuntimeError(f"Unknown child start fail cause: {cause}"))

    def resolve(self, result: Payloads | None) -> None:
        types = [self._input.ret_type] if self._input.ret_type else None
        values = self._converter.decode(result.payloads, types) if result is not None else []
        self._answer.set_result(values[0] if values else None)

    def fail(self, failure: Failure) -> None:
        self._set_error(self._converter.error(failure))

    def _set_error(self, error: BaseException) -> None:
        if self.start.done():
            self._answer.set_exception(error)
        else:
            self.start.set_exception(error)
            # The task of this handle ends with it, and nobody is told of an error that nobody asked for.
            self._answer.set_result(None)


class ExternalHandle(workflow.ExternalWorkflowHandle[Any]):
    """Some other workflow."""

    def __init__(self, instance: Instance, id: str, run_id: str | None) -> None:
        self._instance = instance
        self._id = id
        self._run_id = run_id

    @property
    def id(self) -> str:
        return self._id

    @property
    def run_id(self) -> str | None:
        return self._run_id

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[workflow.EventGroup] | None = None,
    ) -> None:
        self._instance.loop.assert_writable("signal external handle")
        await self._instance.outbound.signal_external_workflow(
            SignalExternalWorkflowInput(
                signal=workflow._SignalDefinition.must_name_from_fn_or_str(signal),
                args=common._arg_or_args(arg, args),
                namespace=self._instance.info.namespace,
                workflow_id=self._id,
                workflow_run_id=self._run_id,
                headers={},
                event_groups=event_groups,
            )
        )

    async def cancel(self, *, reason: str = "", event_groups: Sequence[workflow.EventGroup] | None = None) -> None:
        instance = self._instance
        instance.loop.assert_writable("cancel external handle")
        markers = _capture_event_group_markers(event_groups)
        done: Future[None] = instance.loop.create_future()
        command = None
        if not instance.ledger.replaying:
            command = commands.cancel_external(instance, self._id, self._run_id, reason, markers)
        ExternalCancel(instance.ledger, self._id, instance.settler(done, self._id), command)
        await done
